"""Page addresses."""

from django.urls import path

from recommendations import quiz, views

app_name = "recommendations"
urlpatterns = [
    path("quiz/", quiz.quiz, name="quiz"),
    path("tonight/", quiz.tonight, name="tonight"),
    path("for-you/", views.for_you, name="for_you"),
    path("films/<int:pk>/similar/", views.similar, name="similar"),
]
