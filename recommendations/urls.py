"""Page addresses."""

from django.urls import path

from recommendations import (
    debug_views,
    experiment_views,
    quiz,
    start_views,
    surprise,
    swipe_views,
    views,
    why_views,
)

app_name = "recommendations"
urlpatterns = [
    path("quiz/", quiz.quiz, name="quiz"),
    path("swipe/", swipe_views.swipe, name="swipe"),
    path("swipe/answer/", swipe_views.answer, name="swipe_answer"),
    path("start/rate/", start_views.start, name="start"),
    path("surprise/", surprise.surprise, name="surprise"),
    path("tonight/", quiz.tonight, name="tonight"),
    path("for-you/", views.for_you, name="for_you"),
    path("for-you/dials/", views.dials, name="dials"),
    path("for-you/debug/", debug_views.debug, name="debug"),
    path("films/<int:pk>/why/", why_views.why, name="why"),
    path("films/<int:pk>/why/sentence/", why_views.why_sentence, name="why_sentence"),
    path("films/<int:pk>/guess/", views.guess, name="guess"),
    path("reasons/mute/", why_views.mute_reason, name="mute_reason"),
    path("staff/experiments/", experiment_views.experiments, name="experiments"),
    path("staff/experiments/<int:pk>/", experiment_views.experiment, name="experiment"),
    path("staff/experiments/<int:pk>/act/", experiment_views.experiment_act, name="experiment_act"),
    path("films/<int:pk>/similar/", views.similar, name="similar"),
]
