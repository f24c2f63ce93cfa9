"""Second factors as they lie in the database: encrypted, so that a backup alone opens nothing."""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes

logger = logging.getLogger(__name__)

_PURPOSE = b"marquee.second-factors|"


class FactorAdapter(DefaultMFAAdapter):
    """TOTP secrets and the seed of recovery codes under a key derived from ``SECRET_KEY``.

    allauth makes the recovery codes anew from their seed whenever they are asked for, so hashes of
    them cannot be kept in its place.
    """

    def encrypt(self, text: str) -> str:
        """As it is stored."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """As it was. What no key of ours opens becomes a random secret: no code fits it."""
        try:
            return _fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logger.error(
                "A second factor was stored under another key of this site: bring that key back "
                "(docs/operations.md), or remove the factor in the admin."
            )
            return base64.b32encode(secrets.token_bytes(20)).decode()


def _fernet() -> MultiFernet:
    """The newest key encrypts, earlier ones still open."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key_of(key)) for key in keys])


def _key_of(secret: str | bytes) -> bytes:
    digest = hashlib.sha256(_PURPOSE + force_bytes(secret)).digest()
    return base64.urlsafe_b64encode(digest)
