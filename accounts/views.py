"""Pages of one's own settings. Logging in and all around it is allauth's."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import ProfileForm, TasteForm
from accounts.models import User
from accounts.requests import remember_language
from accounts.selectors import taste_of
from accounts.services import display_name_set, language_set, taste_settings_set


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """Name and taste: one page, one form, one button."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - login_required says so; this tells the types
    data = request.POST if request.method == "POST" else None
    initial = {
        "display_name": user.display_name,
        "language": user.language or get_language(),
    }
    profile = ProfileForm(data, initial=initial)
    taste = TasteForm(data, initial=asdict(taste_of(user)))
    if data is not None and profile.is_valid() and taste.is_valid():
        display_name_set(user, profile.cleaned_data["display_name"])
        if language := profile.cleaned_data["language"]:
            language_set(user, language)
            remember_language(request, language)
        taste_settings_set(user, taste.taste(taste_of(user)))
        # No word about lists: that they follow is for the serving side to do and to prove.
        with override(user.language or get_language()):
            messages.success(request, _("Saved."))
        return redirect("accounts:settings")
    status = 422 if data is not None else 200
    dials = [taste[name] for name in taste.NAMES]
    context = {"profile": profile, "taste": taste, "dials": dials}
    return render(request, "accounts/settings.html", context, status=status)
