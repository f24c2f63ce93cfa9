"""API addresses."""

from django.urls import path

from recommendations.apis import QuizApi, RecommendationsApi
from recommendations.ask_apis import AskApi, SourceListApi
from recommendations.debug_views import DebugApi
from recommendations.experiment_apis import (
    ExperimentApi,
    ExperimentListApi,
    ExperimentStartApi,
    ExperimentStopApi,
)
from recommendations.job_apis import JobListApi
from recommendations.model_apis import (
    ModelActivateApi,
    ModelListApi,
    ModelReloadApi,
    ModelRollbackApi,
    TrainingCancelApi,
    TrainingListApi,
)
from recommendations.page_apis import (
    HomeApi,
    MutedReasonApi,
    NextFilmApi,
    PredictionApi,
    SurpriseApi,
    TonightApi,
)
from recommendations.similar_apis import SimilarApi, TitleOrPromptApi
from recommendations.swipe_apis import SwipeApi
from recommendations.why_apis import WhyApi

urlpatterns = [
    path("me/recommendations/", RecommendationsApi.as_view(), name="api-recommendations"),
    path("swipe/", SwipeApi.as_view(), name="api-swipe"),
    path("quiz/", QuizApi.as_view(), name="api-quiz"),
    path("movies/<int:movie_id>/similar/", SimilarApi.as_view(), name="api-similar"),
    path("title-or-prompt/", TitleOrPromptApi.as_view(), name="api-title-or-prompt"),
    path("me/recommendations/debug/", DebugApi.as_view(), name="api-recommendation-debug"),
    path(
        "me/recommendations/<int:movie_id>/why/",
        WhyApi.as_view(),
        name="api-recommendation-why",
    ),
    path("recommend/", AskApi.as_view(), name="api-recommend"),
    path("sources/", SourceListApi.as_view(), name="api-sources"),
    path("home/", HomeApi.as_view(), name="api-home"),
    path("surprise/", SurpriseApi.as_view(), name="api-surprise"),
    path("me/tonight/", TonightApi.as_view(), name="api-tonight"),
    path("me/next-film/", NextFilmApi.as_view(), name="api-next-film"),
    path("me/predictions/<int:movie_id>/", PredictionApi.as_view(), name="api-prediction"),
    path("me/muted-reasons/<str:reason>/", MutedReasonApi.as_view(), name="api-muted-reason"),
    path("jobs/", JobListApi.as_view(), name="api-jobs"),
    path("experiments/", ExperimentListApi.as_view(), name="api-experiments"),
    path("experiments/<int:pk>/", ExperimentApi.as_view(), name="api-experiment"),
    path("experiments/<int:pk>/start/", ExperimentStartApi.as_view(), name="api-experiment-start"),
    path("experiments/<int:pk>/stop/", ExperimentStopApi.as_view(), name="api-experiment-stop"),
    path("models/", ModelListApi.as_view(), name="api-models"),
    path("models/rollback/", ModelRollbackApi.as_view(), name="api-model-rollback"),
    path("models/reload/", ModelReloadApi.as_view(), name="api-model-reload"),
    path("models/trainings/", TrainingListApi.as_view(), name="api-trainings"),
    path(
        "models/trainings/<int:pk>/cancel/",
        TrainingCancelApi.as_view(),
        name="api-training-cancel",
    ),
    path("models/<str:version>/activate/", ModelActivateApi.as_view(), name="api-model-activate"),
]
