"""Settings shared by every environment. They only read: services are started by config.embedded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import env
from config.redis_urls import celery_broker_url
from config.settings.api import *  # noqa: F403 - settings modules extend each other
from config.settings.schedule import *  # noqa: F403 - settings modules extend each other

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = Path(env.text("MARQUEE_VAR", str(BASE_DIR / "var")))
WAREHOUSE_DIR = VAR_DIR / "warehouse"
MODELS_DIR = VAR_DIR / "models"
# Where /status/ looks for backups: folders with a manifest.json, and restore-test.json beside them.
BACKUPS_DIR = Path(env.text("BACKUPS_DIR", str(VAR_DIR / "backups")))
# prometheus_client decides at its first import whether processes count together.
METRICS_DIR = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(VAR_DIR / "metrics")))
FEATURES_DIR = VAR_DIR / "features"

DEBUG = False
ALLOWED_HOSTS: list[str] = []
SITE_NAME = "Marquee"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.headless",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "catalog",
    "feedback",
    "recommendations",
    "dashboard",
    "config.apps.ConfigConfig",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "config.middleware.HealthMiddleware",
    "config.middleware.AddressMiddleware",
    "config.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentPolicyMiddleware",
    "config.middleware.PersonalPagesMiddleware",
    "config.overload.OverloadMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "accounts.staff.StaffSecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.site",
            ],
        },
    },
]

DATABASES = {
    "default": {
        **env.database(),
        "ENGINE": "config.postgres",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 3
# What most answers ask is planned once a connection (accounts.prepared). A pooler in between that
# hands out a connection for each transaction may not know what was prepared on it.
if env.flag("DATABASE_PREPARED", default=True):
    _options = DATABASES["default"]["OPTIONS"]
    _options["prepare_threshold"] = 0
    # Else Postgres plans some of them each time: where a plan for any values looks dearer to it.
    _generic = "-c plan_cache_mode=force_generic_plan"
    _options["options"] = f"{_options.get('options', '')} {_generic}".strip()
# Threads of a web process share so many connections (the Procfile's web line says how many); 0:
# each thread keeps one of its own, which is right where there is one (ADR 0019).
DATABASE_POOL = env.number("DATABASE_POOL", default=0, maximum=500)
if DATABASE_POOL:
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # given back after each request
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = False  # config.postgres looks
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": DATABASE_POOL,
        # Without Postgres: so long a request waits for its 503, and so long one connection is
        # tried for; the next request begins anew.
        "timeout": 1,
        "reconnect_timeout": 1,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What must survive a dead Redis (sessions, login limits) lives in Postgres; Redis only holds what
# can be lost at any moment.
REDIS_URL = env.required("REDIS_URL", "the Redis to use, such as redis://host:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "marquee_cache",
        # At Django's 300 anybody could push others' limits out of it. Old rows go with a job.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    },
    "disposable": {
        "BACKEND": "config.cache.DisposableCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "socket_connect_timeout": 0.3,
            "socket_timeout": 0.5,
            "retry": Retry(NoBackoff(), 0),
        },
    },
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
SESSION_ENGINE = "config.sessions"

# --- Accounts -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
# allauth's knows permissions, too. Django's own beside it would hash every wrong password twice.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Marquee] "
ACCOUNT_SESSION_REMEMBER = True
# The link in the mail goes on where the sign-up stopped, in the same browser only: with mandatory
# verification, too, people arrive at the page that asked them to log in.
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# No mail to addresses that we don't know: it would let anyone send mail in our name to anyone.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "add_email": "accounts.forms.AddEmailForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
# Also hands what a visitor did over to the account.
ACCOUNT_ADAPTER = "feedback.adapter.MergingAccountAdapter"
MFA_ADAPTER = "accounts.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
# Who changes the address, password or second factor shows once more who they are.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Rows of people who never had an account, made from one address in an hour (ADR 0017). allauth's
# own limits (log-in, sign-up, reset) stand beside it, all counted in the default cache: Postgres.
VISITORS_PER_HOUR = env.number("VISITORS_PER_HOUR", default=60, minimum=1)
ACCOUNT_RATE_LIMITS = {"visitor": f"{VISITORS_PER_HOUR}/h/ip"}
STAFF_MFA_REQUIRED = env.flag("STAFF_MFA_REQUIRED", default=True)
# Apps log in at /_allauth/app/v1/ and send X-Session-Token from then on; browsers have pages.
HEADLESS_CLIENTS = ("app",)
# Login limits count by address: how many proxies may be believed about it.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("NUM_PROXIES", default=0)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Marquee <marquee@localhost>")
EMAIL_TIMEOUT = 10
# Where config.mail.LaterBackend, which production uses, hands its mails to.
EMAIL_LATER_BACKEND: str = "django.core.mail.backends.smtp.EmailBackend"

# --- Load ---------------------------------------------------------------------------------------
# Requests worked on at once in one web process, how many of them have their turn, and how many
# more may wait for how long; the others get a 503 at once (config.overload). The Procfile gives the
# server threads enough for all of them.
WEB_THREADS = env.number("WEB_THREADS", default=4, minimum=1, maximum=64)
WEB_TURNS = env.number("WEB_TURNS", default=1, minimum=1, maximum=64)
WEB_QUEUE = env.number("WEB_QUEUE", default=12, minimum=0, maximum=256)
WEB_QUEUE_S = env.number("WEB_QUEUE_S", default=3, minimum=0, maximum=30)
# What is done with a request that has to wait; none may ask Postgres, whose connections are for
# those who work.
WHILE_IN_LINE = ["catalog.search_line.read_ahead"]

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Each by its own name: who reads it finds it. Texts are in English in the code; the others lie in
# TRANSLATIONS_DIR, one .po file each, and are compiled into LOCALE_PATHS (config.translations).
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
TRANSLATIONS_DIR = BASE_DIR / "locale"
# Like static files: an image compiles them when it is built.
LOCALE_PATHS = [Path(env.text("LOCALE_ROOT", str(VAR_DIR / "locale")))]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Static files -------------------------------------------------------------------------------
STATIC_URL = "/static/"
# An image collects them when it is built; a volume over var/ would hide them there.
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.site_styles.SiteStylesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Security -----------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "accounts.uploads.UploadCap",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Celery -------------------------------------------------------------------------------------
CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "recommendations.tasks.train_*": {"queue": "train"},
    "catalog.tasks.*": {"queue": "enrich"},
}
# A training's peak stays with its process: one that grew beyond is replaced when its task is done.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = (
    env.number("WORKER_MAX_MIB", default=2048, minimum=1, maximum=1_000_000) * 1024
)
CELERY_TASK_TIME_LIMIT = 3600
CELERY_TASK_SOFT_TIME_LIMIT = 3500
# The visibility timeout is longer than any task may run: redelivery is for the dead, not the slow.
# Publishing from a web request must fail within a second when Redis hangs; the
# worker command raises the socket timeout above its blocking read (see Procfile).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 4000,
    "socket_connect_timeout": 0.3,
    "socket_timeout": env.number("CELERY_SOCKET_TIMEOUT_S", default=1, minimum=1, maximum=120),
    "unacked_restore_throttle": 1,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# --- Marquee ------------------------------------------------------------------------------------
DEMO_LOGIN = False
RETRAIN_AFTER = env.number("RETRAIN_AFTER", default=20, minimum=1)
# Also without so much feedback, as long as there is any.
RETRAIN_EVERY_HOURS = env.number("RETRAIN_EVERY_HOURS", default=24, minimum=1)
# Of each kind beside the active one: to go back to, and to compute their lists again.
MODEL_KEEP_VERSIONS = env.number("MODEL_KEEP_VERSIONS", default=3, minimum=1, maximum=1000)
# Visitors without an account who did nothing for so long are deleted with all that was theirs.
VISITOR_IDLE_DAYS = env.number("VISITOR_IDLE_DAYS", default=60, minimum=1, maximum=365)
# How a file was read, and what it takes to take an import back, is kept this long.
IMPORT_KEEP_DAYS = env.number("IMPORT_KEEP_DAYS", default=90, minimum=1)
# An export can be downloaded this long; then it is deleted.
EXPORT_KEEP_HOURS = env.number("EXPORT_KEEP_HOURS", default=72, minimum=1, maximum=720)
# An account that is to be deleted can be kept this long by logging in.
DELETION_GRACE_DAYS = env.number("DELETION_GRACE_DAYS", default=14, minimum=0, maximum=90)
# What people were shown is kept this long; what they did with it for ever.
SLATE_KEEP_DAYS = env.number("SLATE_KEEP_DAYS", default=180, minimum=1)

# --- Search -------------------------------------------------------------------------------------
# What turns texts into vectors: all-MiniLM-L6-v2 comes with its package; all-mpnet-base-v2 is
# better and four times slower, by name (downloaded once) or as a local folder.
TEXT_ENCODER = env.text("TEXT_ENCODER", "all-MiniLM-L6-v2")
# A language model that reads requests, behind any OpenAI-compatible endpoint; off without address
# and model. The local parser answers whenever it does not.
LLM_BASE_URL = env.text("LLM_BASE_URL")
LLM_API_KEY = env.text("LLM_API_KEY")
LLM_MODEL = env.text("LLM_MODEL")
# It may also phrase reasons, from the evidence only; what says more is discarded.
LLM_REASONS = env.flag("LLM_REASONS", default=False)
LLM_TIMEOUT_S = env.number("LLM_TIMEOUT_S", default=4, minimum=1, maximum=60)

# --- TMDB ---------------------------------------------------------------------------------------
# Without a key nothing is fetched and everything else works.
TMDB_API_KEY = env.text("TMDB_API_KEY")
TMDB_BASE_URL = env.text("TMDB_BASE_URL", "https://api.themoviedb.org")
TMDB_IMAGE_URL = env.text("TMDB_IMAGE_URL", "https://image.tmdb.org/t/p")
# TMDB allows about 40 a second; all processes together keep to this.
TMDB_REQUESTS_PER_S = env.number("TMDB_REQUESTS_PER_S", default=20, minimum=1, maximum=1000)
# Whose age ratings count, ISO 3166-1.
TMDB_REGION = env.text("TMDB_REGION", "US")
# Whether synopses, taglines and keywords from TMDB go into text embeddings: the operator's licence
# question.
EMBED_TMDB_TEXT = env.flag("EMBED_TMDB_TEXT", default=True)
IMAGES_DIR = VAR_DIR / "images"

# --- Metrics ------------------------------------------------------------------------------------
# Who may read /metrics: who has the token; without one, this machine itself (behind no proxy).
METRICS_TOKEN = env.text("METRICS_TOKEN")

# --- Errors -------------------------------------------------------------------------------------
# Where errors are reported, Sentry's address with its key; empty: nowhere (config/errors.py).
SENTRY_DSN = env.text("SENTRY_DSN")

# --- Logs ---------------------------------------------------------------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "config.logs.RequestIdFilter"}},
    "formatters": {
        "line": {
            "()": "config.logs.LineFormatter",
            "format": "{asctime} {levelname:<7} {name} [{request_id}] {message}",
            "style": "{",
        },
        "json": {"()": "config.logs.json_formatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.one_of("LOG_FORMAT", ("line", "json"), default="line"),
            "filters": ["request_id"],
        },
    },
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        # At DEBUG it writes addresses, and TMDB's API key is part of them.
        "urllib3": {"level": "INFO"},
        # At INFO it writes a line for each connection that is lent and given back.
        "psycopg.pool": {"level": "WARNING"},
        "django.server": {"handlers": ["console"], "propagate": False},
    },
}
