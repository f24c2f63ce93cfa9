"""Page addresses."""

from django.urls import path

from recommendations import views

app_name = "recommendations"
urlpatterns = [
    path("for-you/", views.for_you, name="for_you"),
    path("films/<int:pk>/similar/", views.similar, name="similar"),
]
