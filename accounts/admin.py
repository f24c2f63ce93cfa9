"""People in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import TasteSettings, User


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
    """People, by e-mail."""

    add_form = UserCreationForm
    ordering = ("-date_joined",)
    list_display = ("email", "display_name", "is_staff", "is_active", "is_demo", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "is_demo")
    search_fields = ("email", "display_name")
    readonly_fields = ("date_joined", "last_login", "feedback_generation", "is_demo")
    inlines = (TasteSettingsInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Accounts: a visitor has nothing to be administered, and no address to be known by."""
        return super().get_queryset(request).filter(is_visitor=False)

    fieldsets = (
        (None, {"fields": ("email", "password", "display_name")}),
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
