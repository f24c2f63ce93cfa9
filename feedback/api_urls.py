"""API addresses."""

from django.urls import path

from feedback.apis import RatingApi, RatingListApi
from feedback.batch_apis import FeedbackApi

urlpatterns = [
    path("feedback/", FeedbackApi.as_view(), name="api-feedback"),
    path("me/ratings/", RatingListApi.as_view(), name="api-ratings"),
    path("me/ratings/<int:movie_id>/", RatingApi.as_view(), name="api-rating"),
]
