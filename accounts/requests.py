"""Who is asking: somebody logged in, a visitor whom the session knows, or nobody yet."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from accounts.models import User
from accounts.visitors import visitor_begin, visitor_of, visitor_seen

_CACHE = "_marquee_person"


def signed_in(user: User | AnonymousUser) -> User:
    """``request.user`` behind a log-in check: the check is the caller's, this is its proof.

    Raises TypeError for a visitor: a view that comes here without its check is a bug.
    """
    if not isinstance(user, User):
        raise TypeError("This view needs a signed-in person; it lacks its log-in check.")
    return user


def person_of(request: HttpRequest | Request) -> User | AnonymousUser:
    """Whose films these are: the account, else the visitor of this session, else nobody.

    For reading. ``request.user`` stays anonymous for a visitor, so that no page for accounts opens.
    """
    plain = _plain(request)
    if isinstance(plain.user, User):
        return plain.user
    if not hasattr(plain, _CACHE):
        setattr(plain, _CACHE, visitor_of(plain))
    return getattr(plain, _CACHE) or AnonymousUser()


def person_id_of(request: HttpRequest | Request) -> int:
    """Their id for a filter; 0, which no row has, where it is nobody."""
    return person_of(request).pk or 0


def person_for_feedback(request: HttpRequest | Request) -> User:
    """The same for writing: who was nobody until now becomes a visitor.

    A browser without any cookie of ours gets its session with the answer: clients that send the
    first events of a new visitor at once must wait for the first answer, or each is a visitor.
    """
    plain = _plain(request)
    person = person_of(plain)
    if not isinstance(person, User):
        _refuse_crowd(request)
        person = visitor_begin(plain)
        setattr(plain, _CACHE, person)
    elif person.is_visitor:
        visitor_seen(plain, person)
    return person


def session_of(request: Request) -> SessionBase:
    """The session that asks: an app's, which its token names, or the browser's."""
    return request.auth if isinstance(request.auth, SessionBase) else request._request.session


def remember_language(request: HttpRequest, language: str) -> None:
    """Have the answer set the cookie of the language switch."""
    request.language_to_remember = language  # type: ignore[attr-defined]


def language_to_remember(request: HttpRequest) -> str:
    """What ``remember_language`` was told, else ""."""
    return getattr(request, "language_to_remember", "")


def _refuse_crowd(request: HttpRequest | Request) -> None:
    """Rows of people cost nothing to make: not without end from one address.

    Raises what becomes a 429 of the page's or the API's shape.
    """
    plain = _plain(request)
    if ratelimit.consume(plain, action="visitor"):
        return
    if isinstance(request, Request):
        raise Throttled
    raise ImmediateHttpResponse(ratelimit.respond_429(plain))


def person_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Sends who is neither logged in nor a visitor with feedback to the log-in page."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not isinstance(person_of(request), User):
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return checked


def _plain(request: HttpRequest | Request) -> HttpRequest:
    return request._request if isinstance(request, Request) else request
