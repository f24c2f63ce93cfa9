"""Mail leaves after the answer: how long a page takes does not tell who has an account.

Only an existing address gets a mail, and handing it over takes as long as the mail server takes.
What is lost with its process is asked for again by the person.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger(__name__)


class LaterBackend(BaseEmailBackend):
    """Passes messages to ``EMAIL_LATER_BACKEND`` in a thread of its own; a failure is logged."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Returns at once; counts what was taken, not what has arrived."""
        messages = list(email_messages)
        if messages:
            _line(os.getpid()).submit(_deliver, messages)
        return len(messages)


@cache
def _line(pid: int) -> ThreadPoolExecutor:
    """Of this process: a forked child has none of its parent's threads. Ends after what waits."""
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix=f"mail-{pid}")


def _deliver(messages: list[EmailMessage]) -> None:
    connection: Any = get_connection(settings.EMAIL_LATER_BACKEND)
    try:
        connection.send_messages(messages)
    except Exception as error:
        # Without a traceback: SMTP's errors carry the addresses in their arguments.
        name = type(error).__name__
        logger.error("%s mails were not taken by the mail server (%s)", len(messages), name)
