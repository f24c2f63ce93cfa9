"""How the API answers, whom it lets in, and how its document is written."""

from __future__ import annotations

from config import env

REST_FRAMEWORK = {
    # Only accounts.api.base.Api, which checks their scopes, takes tokens as well.
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["accounts.api.outputs.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.inputs.JsonParser"],
    "DEFAULT_SCHEMA_CLASS": "config.schema.OperationSchema",
    "DEFAULT_PAGINATION_CLASS": "accounts.api.pages.CursorPages",
    "PAGE_SIZE": 20,
    "DEFAULT_THROTTLE_CLASSES": [
        "config.throttles.VisitorThrottle",
        "config.throttles.AccountThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "120/min", "user": "600/min"},
    "EXCEPTION_HANDLER": "config.api.exception_handler",
    "NUM_PROXIES": env.number("NUM_PROXIES", default=0),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Marquee API",
    "DESCRIPTION": "Films, recommendations with reasons, and the feedback that changes them.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "TAGS": [
        {"name": "catalogue", "description": "Films and genres, the same for everybody."},
        {"name": "films", "description": "Search, and films like a film or a wish."},
        {"name": "recommendations", "description": "Lists with their reasons."},
        {"name": "feedback", "description": "What I did with films."},
        {"name": "diary and lists", "description": "Viewings, and films under a name."},
        {"name": "me", "description": "Settings and taste."},
        {"name": "my data", "description": "Imports, exports, the end of my account."},
        {"name": "identity", "description": "Who I am, where I am logged in, tokens."},
        {"name": "models", "description": "For staff: versions and trainings."},
        {"name": "experiments", "description": "For staff: policies tried on people."},
        {"name": "staff", "description": "For staff: what runs by the clock."},
    ],
    # Where fields of one name have different choices, a name would be guessed.
    "ENUM_NAME_OVERRIDES": {
        "MoodEnum": "recommendations.swipe_serializers.MOODS",
        "ReactionEnum": "feedback.models.Reaction.Kind",
        "WorkStatusEnum": "feedback.work.WorkStatus",
        "ImportSourceEnum": "feedback.imports.models.ImportJob.Source",
        "ExperimentKindEnum": "recommendations.models.Experiment.Kind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.schema.complete",
    ],
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "filter": True},
}
