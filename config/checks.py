"""What ``check --deploy`` should notice and Django's own checks do not."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

_CSP = "config.middleware.ContentPolicyMiddleware"


def register_all() -> None:
    """Called once, when the apps are ready."""
    register(check_csp, Tags.security, deploy=True)
    register(check_cookies, Tags.security, deploy=True)
    register(check_limits_survive, Tags.security, deploy=True)
    register(check_no_demo, Tags.security, deploy=True)
    register(check_entrance, Tags.security, deploy=True)
    register(check_texts, Tags.translation, deploy=True)


def check_csp(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """A content security policy is sent, and it allows no inline or evaluated code."""
    policy = getattr(settings, "CONTENT_SECURITY_POLICY", None) or {}
    directives = policy.get("DIRECTIVES", {})
    if _CSP not in settings.MIDDLEWARE or not directives:
        return [
            Warning(
                "No content security policy is sent.",
                hint=f"Keep {_CSP} in MIDDLEWARE and CONTENT_SECURITY_POLICY in the settings.",
                id="marquee.W001",
            )
        ]
    unsafe = {
        f"{name} {source}"
        for name, sources in directives.items()
        for source in sources
        if "unsafe-" in str(source) or str(source) == "*"
    }
    missing = {"default-src", "base-uri", "frame-ancestors", "form-action"} - set(directives)
    found = sorted(unsafe) + [f"no {name}" for name in sorted(missing)]
    if not found:
        return []
    return [
        Warning(
            f"The content security policy is weak: {', '.join(found)}.",
            hint="Keep scripts and styles in files of their own; set the missing directives.",
            id="marquee.W002",
        )
    ]


def check_cookies(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """``__Host-`` cookies cannot be set by a sibling domain or over plain HTTP."""
    problems: list[CheckMessage] = []
    for kind in ("SESSION", "CSRF"):
        name = getattr(settings, f"{kind}_COOKIE_NAME")
        path = getattr(settings, f"{kind}_COOKIE_PATH")
        domain = getattr(settings, f"{kind}_COOKIE_DOMAIN")
        is_secure = getattr(settings, f"{kind}_COOKIE_SECURE")
        if not name.startswith("__Host-") or path != "/" or domain or not is_secure:
            problems.append(
                Warning(
                    f"The {kind.lower()} cookie ({name}) is not a __Host- cookie.",
                    hint="Name it __Host-..., path /, no domain, secure.",
                    id="marquee.W003",
                )
            )
    return problems


def check_limits_survive(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Login limits live in the default cache: in a dead Redis they would lock everybody out."""
    caches: Any = settings.CACHES
    backend = caches["default"]["BACKEND"]
    if backend == "django.core.cache.backends.db.DatabaseCache":
        return []
    return [
        Warning(
            f"The default cache is {backend}; login limits and lock-outs are kept in it.",
            hint="Use DatabaseCache for it, and the cache 'disposable' for what can be lost.",
            id="marquee.W004",
        )
    ]


def check_no_demo(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """The demo login is for one's own machine."""
    if not settings.DEMO_LOGIN:
        return []
    return [
        Error(
            "The demo login is switched on.",
            hint="Remove DEMO_LOGIN from these settings.",
            id="marquee.E001",
        )
    ]


def check_entrance(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Addresses are confirmed before they open anything, and staff have a second factor."""
    found: list[CheckMessage] = []
    if settings.ACCOUNT_EMAIL_VERIFICATION != "mandatory":
        found.append(
            Warning(
                "Accounts open without their address being confirmed: a second registration "
                "reveals that an address has an account.",
                hint='Set ACCOUNT_EMAIL_VERIFICATION to "mandatory".',
                id="marquee.W005",
            )
        )
    if not settings.STAFF_MFA_REQUIRED:
        found.append(
            Warning(
                "Staff accounts open with a password alone.",
                hint="Remove STAFF_MFA_REQUIRED=0.",
                id="marquee.W006",
            )
        )
    return found


def check_texts(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Translations are compiled as they are now; pages fall back to English without a word."""
    from config import translations  # brings Babel, which no serving process needs

    left = [code for code in translations.languages() if not translations.is_compiled(code)]
    if not left:
        return []
    return [
        Warning(
            f"Texts are not compiled as they are now: {', '.join(left)}.",
            hint="Run manage.py messages --compile, then start the processes again.",
            id="marquee.W007",
        )
    ]
