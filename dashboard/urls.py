"""Page addresses."""

from django.urls import path

from dashboard import views

app_name = "dashboard"
urlpatterns = [path("me/taste/", views.taste, name="taste")]
