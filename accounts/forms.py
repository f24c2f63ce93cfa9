"""Forms of accounts: allauth's with plain labels, and the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.choices import genre_choices, language_choices
from accounts.services import Taste

FIRST_YEAR, LAST_YEAR = 1870, 2100


class PlainFieldsMixin:
    """Labels stand above the fields, so placeholders would only say it twice, in grey."""

    labels = {
        "login": _("E-mail address"),
        "email": _("E-mail address"),
        "password": _("Password"),
        "password1": _("Password"),
        "oldpassword": _("Your password now"),
    }
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A second field against typing errors is what "Show" is for.
        self.fields.pop("password2", None)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in self.labels:
                field.label = self.labels[name]


class LoginForm(PlainFieldsMixin, allauth_forms.LoginForm):
    """E-mail and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class SignupForm(PlainFieldsMixin, allauth_forms.SignupForm):
    """E-mail and one password."""

    def try_save(self, request: HttpRequest) -> tuple[Any, Any]:
        """A form that was sent twice at one moment finds the account made by the first.

        Where there is an account already the password is hashed all the same: the time that it
        takes would tell.
        """
        if self.account_already_exists:  # type: ignore[has-type]  # set by allauth's clean
            make_password(self.cleaned_data["password1"])
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            self.account_already_exists = True
            return super().try_save(request)


class ResetPasswordForm(PlainFieldsMixin, allauth_forms.ResetPasswordForm):
    """Whose password is to be set anew."""


class ResetPasswordKeyForm(PlainFieldsMixin, allauth_forms.ResetPasswordKeyForm):
    """The new password, after the link in the mail."""

    labels = {"password1": _("New password")}


class ChangePasswordForm(PlainFieldsMixin, allauth_forms.ChangePasswordForm):
    """The old and the new password."""

    labels = {**PlainFieldsMixin.labels, "password1": _("New password")}


class SetPasswordForm(PlainFieldsMixin, allauth_forms.SetPasswordForm):
    """A first password."""


class AddEmailForm(PlainFieldsMixin, allauth_forms.AddEmailForm):
    """One more address."""


class ReauthenticateForm(PlainFieldsMixin, allauth_forms.ReauthenticateForm):
    """The password once more."""


class ProfileForm(forms.Form):
    """What pages call a person, and in which language."""

    display_name = forms.CharField(
        label=_("Name"),
        max_length=60,
        required=False,
        help_text=_("What pages call you. Empty: the first part of your e-mail address."),
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        required=False,
        help_text=_("Of the pages and mails. Synopses and titles stay as they came."),
    )


class DialInput(forms.NumberInput):
    """A slider in quarters, its ends named."""

    input_type = "range"

    def __init__(self, *, low: float, ends: tuple[Any, Any]) -> None:
        super().__init__({"min": f"{low:g}", "max": "1", "step": "0.25", "class": "dial"})
        self.ends = ends


class DialField(forms.FloatField):
    """One dial: a number from ``low`` to 1, 0 where nothing was sent."""

    def __init__(self, *, label: Any, ends: tuple[Any, Any], low: float = -1.0) -> None:
        super().__init__(
            label=label,
            required=False,
            min_value=low,
            max_value=1.0,
            widget=DialInput(low=low, ends=ends),
        )

    def clean(self, value: Any) -> float:
        """A quarter step; Python's ``nan`` is no position."""
        number = super().clean(value)
        return 0.0 if number is None else round(number * 4) / 4


class DialsForm(forms.Form):
    """Where the dials stand; 0 everywhere is the untouched list."""

    surprise = DialField(label=_("Familiar or surprising"), ends=(_("Familiar"), _("Surprising")))
    diversity = DialField(label=_("Variety"), ends=(_("As ranked"), _("Varied")), low=0.0)
    era = DialField(label=_("Era"), ends=(_("Older"), _("Newer")))
    length = DialField(label=_("Length"), ends=(_("Shorter"), _("Longer")))

    NAMES = ("surprise", "diversity", "era", "length")


class TasteForm(DialsForm):
    """The limits of a person's lists, and the dials."""

    year_from = forms.IntegerField(
        label=_("From year"), min_value=FIRST_YEAR, max_value=LAST_YEAR, required=False
    )
    year_to = forms.IntegerField(
        label=_("To year"), min_value=FIRST_YEAR, max_value=LAST_YEAR, required=False
    )
    runtime_max_min = forms.IntegerField(
        label=_("At most this many minutes"), min_value=1, max_value=1000, required=False
    )
    age_ceiling = forms.IntegerField(
        label=_("Suitable up to age"),
        min_value=0,
        max_value=21,
        required=False,
        help_text=_("Films certified above this age, or not certified at all, are left out."),
    )
    excluded_genres = forms.MultipleChoiceField(
        label=_("Genres to leave out"),
        choices=genre_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    languages = forms.MultipleChoiceField(
        label=_("Only films in"),
        choices=language_choices,
        required=False,
        help_text=_("None ticked: films in every language."),
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self) -> dict[str, Any]:
        """The years must leave room between them."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("year_from"), cleaned.get("year_to")
        if first and last and first > last:
            self.add_error("year_to", _("This is before the first year: nothing would be left."))
        return cleaned

    def taste(self, before: Taste) -> Taste:
        """The valid form as the services take it; what it does not ask stays as it was."""
        cleaned = self.cleaned_data
        return replace(
            before,
            **{name: cleaned[name] for name in (*self._plain_fields, *self.NAMES)},
            languages=tuple(cleaned["languages"]),
            excluded_genres=tuple(cleaned["excluded_genres"]),
        )

    _plain_fields = (
        "year_from",
        "year_to",
        "runtime_max_min",
        "age_ceiling",
    )
