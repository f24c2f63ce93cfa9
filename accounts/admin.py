"""People in the admin."""

from __future__ import annotations

from typing import Any

import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin
from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import FastPaginator, PersonLogAdmin
from accounts.models import TasteSettings, User

# Their own pages would let staff verify an address for somebody or read a second factor's secret.
# Named so that they are registered before they are taken away.
for _theirs in (allauth.account.admin, allauth.mfa.admin, allauth.usersessions.admin):
    assert _theirs  # noqa: S101 - imported for what importing does
for _model in (EmailAddress, Authenticator, UserSession):
    admin.site.unregister(_model)


class UserCreationForm(AdminUserCreationForm):
    """Django's form, for people who have an e-mail address and no user name."""

    class Meta:
        model = User
        fields = ("email",)
        field_classes: dict[str, type] = {}

    def clean_email(self) -> str:
        """As the manager stores it, so that the case-blind constraint never has to speak."""
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email__iexact=email).exists():
            self.add_error("email", _("There is an account with this address already."))
        return email


class TasteSettingsInline(admin.StackedInline):
    """The dials of a person."""

    model = TasteSettings
    can_delete = False


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """People, by e-mail. Nobody here can become somebody else.

    No page shows a password's hash, none sets a password or another address: whoever could would
    log in as that person without their knowing. Rights are given by superusers alone.
    """

    add_form = UserCreationForm
    ordering = ("-date_joined",)
    list_display = ("email", "display_name", "is_staff", "is_active", "is_demo", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "is_demo")
    search_fields = ("email", "display_name")
    show_full_result_count = False
    paginator = FastPaginator
    readonly_fields = ("email", "date_joined", "last_login", "feedback_generation", "is_demo")
    inlines = (TasteSettingsInline,)
    actions = ("send_reset",)

    fieldsets = (
        (None, {"fields": ("email", "display_name")}),
        (
            _("Rights"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (
            _("History"),
            {"fields": ("date_joined", "last_login", "feedback_generation", "is_demo")},
        ),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "usable_password", "password1", "password2"),
            },
        ),
    )
    _RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Accounts: a visitor has nothing to be administered, and no address to be known by."""
        return super().get_queryset(request).filter(is_visitor=False)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        own = tuple(self.readonly_fields)
        return own if _is_superuser(request) else (*own, *self._RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who has fewer rights changes nobody who has more."""
        is_above = isinstance(obj, User) and obj.is_superuser and not _is_superuser(request)
        return super().has_change_permission(request, obj) and not is_above

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        raise PermissionDenied

    @admin.action(description="Send a mail to choose a new password", permissions=["change"])
    def send_reset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """As if they had asked for it themselves; the link goes to them alone."""
        n = 0
        for user in queryset:
            form = ResetPasswordForm(data={"email": user.email})
            if user.is_active and form.is_valid():
                form.save(request)
                self.log_change(request, user, "Sent a mail to choose a new password")
                n += 1
        self.message_user(request, f"Mails sent: {n}.", messages.SUCCESS)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


@admin.register(EmailAddress)
class EmailAddressAdmin(PersonLogAdmin):
    """Addresses and whether they were verified."""

    list_display = ["email", "user", "verified", "primary"]
    list_filter = ["verified", "primary"]
    list_select_related = ["user"]


@admin.register(Authenticator)
class AuthenticatorAdmin(PersonLogAdmin):
    """Second factors, without their secrets; a superuser takes away one that was lost."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    fields = ["user", "type", "created_at", "last_used_at"]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return _is_superuser(request)


@admin.register(UserSession)
class UserSessionAdmin(PersonLogAdmin):
    """Where people are logged in."""

    list_display = ["user", "created_at", "last_seen_at", "ip", "user_agent"]
    list_select_related = ["user"]
    fields = ["user", "created_at", "last_seen_at", "ip", "user_agent"]
    actions = ["end"]

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Who may change people may log them out."""
        return request.user.has_perm("accounts.change_user")

    @admin.action(description="End these sessions", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        """The next request from there is a stranger's."""
        n = 0
        for session in queryset.select_related("user"):
            self.log_change(request, session.user, f"Ended a session at {session.ip}")
            session.end()
            n += 1
        self.message_user(request, f"Sessions ended: {n}.", messages.SUCCESS)


@admin.register(LogEntry)
class LogEntryAdmin(PersonLogAdmin):
    """What staff did here: written by every action, changed by nobody."""

    list_display = ["action_time", "user", "content_type", "object_repr", "said"]
    list_filter = ["action_flag", "content_type"]
    list_select_related = ["user", "content_type"]
    ordering = ["-pk"]

    @admin.display(description="what")
    def said(self, entry: LogEntry) -> str:
        """In words."""
        return entry.get_change_message() or entry.get_action_flag_display()
