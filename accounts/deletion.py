"""Asking for one's account to be deleted, and thinking better of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import ApiToken, DeletionRequest, User


def deletion_request(user: User, *, session_key: str | None = None) -> DeletionRequest:
    """The account goes after the grace period; asked again, the first date stays.

    Every other session and every token of a program ends at once. The address is told, in case it
    was not its owner who asked.
    """
    now = timezone.now()
    with transaction.atomic():
        User.objects.select_for_update().only("pk").get(pk=user.pk)
        request, is_new = DeletionRequest.objects.get_or_create(
            user=user,
            defaults={
                "requested_at": now,
                "due_at": now + timedelta(days=settings.DELETION_GRACE_DAYS),
            },
        )
        keys = [key for key in session_keys_of(user.pk) if key != session_key]
        Session.objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(user=user).exclude(session_key=session_key or "").delete()
        ApiToken.objects.filter(user=user).delete()
    if is_new and user.email:
        _tell(user.email, request)
    return request


def session_keys_of(user_id: int) -> list[str]:
    """Sessions that are this person's, by what is inside them."""
    return [
        session.session_key
        for session in Session.objects.all().iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user_id)
    ]


def _tell(email: str, request: DeletionRequest) -> None:
    subject = _("Your account will be deleted")
    send_mail(
        subject=f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}",
        message=_(
            "Somebody, you we hope, asked for this account to be deleted with all its data.\n\n"
            "It will be on %(day)s. Until then, log in and choose “Keep my account” to stop it."
        )
        % {"day": date_format(request.due_at)},
        from_email=None,
        recipient_list=[email],
        fail_silently=True,  # a mail server that is away must not keep anybody from leaving
    )


def deletion_cancel(user: User) -> bool:
    """The account stays; False where it was not to go."""
    n_rows, _by_table = DeletionRequest.objects.filter(user=user).delete()
    return bool(n_rows)


def deletion_of(user: User) -> DeletionRequest | None:
    """What was asked for; one query."""
    return DeletionRequest.objects.filter(user=user).first()


def deletions_due(*, now: datetime) -> list[DeletionRequest]:
    """Requests whose grace period is over, the oldest first."""
    return list(
        DeletionRequest.objects.filter(due_at__lte=now).select_related("user").order_by("due_at")
    )
