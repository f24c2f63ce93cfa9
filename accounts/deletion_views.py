"""The page on which an account is given up, and kept after all."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.deletion import deletion_cancel, deletion_of, deletion_request
from accounts.requests import signed_in


@login_required
@never_cache
@reauthentication_required(allow_get=True)
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """What goes and when; POST asks for it, after the password."""
    user = signed_in(request.user)
    if request.method == "POST":
        asked = deletion_request(user, session_key=request.session.session_key)
        said = _("Your account will be deleted on %(day)s. Until then you can keep it.")
        messages.warning(request, said % {"day": date_format(asked.due_at)})
        return redirect("accounts:delete")
    context = {"asked": deletion_of(user), "grace_days": settings.DELETION_GRACE_DAYS}
    return render(request, "accounts/delete.html", context)


@login_required
@never_cache
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """The account stays as it is."""
    if deletion_cancel(signed_in(request.user)):
        messages.success(request, _("Good to have you: your account stays as it is."))
    return redirect("accounts:delete")
