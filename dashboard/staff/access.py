"""Who may see the staff pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

View = Callable[..., HttpResponseBase]


def staff_page(view: View) -> View:
    """Staff see the page, and no cache keeps it; others are not told that there is one.

    Who is not logged in is asked to: it may be staff.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if request.headers.get("HX-Request") == "true":
                # A log-in page does not belong into the middle of this one.
                answer = HttpResponse(status=204)
                answer["HX-Redirect"] = resolve_url("account_login")
                return answer
            return redirect_to_login(request.get_full_path(), resolve_url("account_login"))
        if not (request.user.is_active and request.user.is_staff):
            raise Http404
        return view(request, *args, **kwargs)

    return never_cache(require_safe(guarded))
