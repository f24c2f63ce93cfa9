"""``/settings/tokens/``: personal API tokens as a page."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import ApiToken, User
from accounts.requests import signed_in
from accounts.tokens import NewToken, TokenError, token_create, token_revoke

DAYS = [
    (30, gettext_lazy("30 days")),
    (90, gettext_lazy("90 days")),
    (365, gettext_lazy("One year")),
]
SCOPES = {
    ApiToken.Scope.READ: gettext_lazy("Read: my films, lists, reasons and settings"),
    ApiToken.Scope.WRITE: gettext_lazy("Write: rate films, change lists and settings"),
    ApiToken.Scope.STAFF: gettext_lazy("Act as staff: models and trainings"),
}


class TokenForm(forms.Form):
    """A token to make. What it may do as staff is offered to staff alone."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("What the token is for, so that you know it again."),
        error_messages={"required": gettext_lazy("A token needs a name.")},
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )
    days = forms.TypedChoiceField(label=gettext_lazy("Ends after"), choices=DAYS, coerce=int)

    def __init__(self, *args: object, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (scope.value, label)
            for scope, label in SCOPES.items()
            if scope is not ApiToken.Scope.STAFF or user.is_staff
        ]


@login_required
@never_cache
@reauthentication_required(allow_get=True)
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """My tokens, and a form for another; the answer to the form is the only page that shows it.

    POST asks for the password or second factor first: a token outlives the session that made it.
    """
    user = signed_in(request.user)
    made: NewToken | None = None
    form = TokenForm(
        request.POST if request.method == "POST" else None,
        user=user,
        initial={"scopes": [ApiToken.Scope.READ.value], "days": 90},
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = token_create(user=user, **form.cleaned_data)
            except TokenError as error:
                form.add_error(None, str(error))
        if made is not None:
            status, form = 201, TokenForm(user=user, initial={"scopes": ["read"], "days": 90})
    rows = ApiToken.objects.filter(user=user).order_by("-created_at", "-pk")
    context = {"form": form, "tokens": rows, "made": made, "now": timezone.now()}
    return render(request, "accounts/tokens.html", context, status=status)


@login_required
@never_cache
@require_POST
def token_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Revokes one of my tokens."""
    token = get_object_or_404(ApiToken, pk=pk, user=signed_in(request.user))
    token_revoke(token=token)
    messages.success(request, _("“%(name)s” opens nothing any more.") % {"name": token.name})
    return redirect("accounts:tokens")
