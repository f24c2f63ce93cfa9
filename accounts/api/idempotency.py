"""``Idempotency-Key``: a write that is sent twice happens once and is answered the same twice.

The write and the note of its answer are one transaction: a process that dies in between leaves
neither. Who sends the same key meanwhile is told so, by a lock that ends with the transaction.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from accounts.api.errors import BadKey, KeyInUse, KeyReused
from accounts.api.outputs import JsonRenderer
from accounts.models import KeptAnswer, User

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_FOR = timedelta(hours=24)
#: The REST framework makes an answer of these; anything else is a fault of ours and is not kept.
EXPECTED = (APIException, Http404, PermissionDenied)
#: Of printable ASCII, without spaces; the document shows the same.
KEY_PATTERN = r"^[\x21-\x7e]{1,200}$"
_KEY = re.compile(KEY_PATTERN)


def key_of(request: HttpRequest) -> str:
    """The request's key, "" without one. Raises BadKey."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise BadKey
    return key or ""


def answer_once(
    act: Callable[[], HttpResponseBase],
    *,
    request: HttpRequest,
    user: User,
    key: str,
    on_refusal: Callable[[Exception], Response],
    secret_fields: tuple[str, ...] = (),
) -> HttpResponseBase:
    """The answer of ``act``, or what it answered the first time.

    ``on_refusal`` turns an expected exception into its answer, which is kept as well; what ``act``
    wrote before is undone. Answers of 500 and above are not kept: to ask again is right then.
    ``secret_fields`` are null in the kept copy. Raises KeyInUse and KeyReused.
    """
    fingerprint = _fingerprint(request)
    with transaction.atomic():
        if not _lock(user, key):
            raise KeyInUse
        kept = KeptAnswer.objects.filter(user=user, key=key).first()
        if kept and kept.created_at <= timezone.now() - KEPT_FOR:
            kept.delete()
            kept = None
        if kept:
            if kept.fingerprint != fingerprint:
                raise KeyReused
            return _replay(kept)
        try:
            with transaction.atomic():
                response = act()
        except EXPECTED as error:
            response = on_refusal(error)
        if isinstance(response, Response) and response.status_code < 500:
            KeptAnswer.objects.create(
                user=user,
                key=key,
                fingerprint=fingerprint,
                status=response.status_code,
                body=_rendered(response, secret_fields),
                location=response.get("Location", ""),
            )
    return response


def answers_sweep(*, now: datetime | None = None) -> int:
    """Deletes what nobody can ask for any more; how many."""
    old = KeptAnswer.objects.filter(created_at__lte=(now or timezone.now()) - KEPT_FOR)
    return old.delete()[0]


def _fingerprint(request: HttpRequest) -> str:
    """Of all that makes the request: a JSON body is small, and read already."""
    made = hashlib.sha256(f"{request.method}\n{request.get_full_path()}\n".encode())
    if request.content_type == "multipart/form-data":
        # A file may be larger than what is held in memory, and boundaries differ from try to try.
        files = cast("dict[str, UploadedFile]", request.FILES.dict())
        for name, upload in sorted(files.items()):
            made.update(repr((name, upload.name, upload.size)).encode())
            for chunk in upload.chunks():
                made.update(chunk)
            upload.seek(0)
    else:
        made.update(request.body)
    return made.hexdigest()


def _lock(user: User, key: str) -> bool:
    """Whether nobody else is at it; free again when the transaction ends."""
    with connection.cursor() as cursor:
        # Two 32-bit numbers: another key with the same sum waits a moment, and nothing worse.
        numbers = [zlib.crc32(f"answer {user.pk}".encode()), zlib.crc32(key.encode())]
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [n - (1 << 31) for n in numbers])
        row = cursor.fetchone()
    return bool(row and row[0])


def _rendered(response: Response, secret_fields: tuple[str, ...]) -> str:
    if response.data is None:
        return ""
    body = JsonRenderer().render(response.data).decode()
    if not secret_fields or response.status_code >= 400:
        return body
    data: dict[str, Any] = json.loads(body)
    return json.dumps(data | dict.fromkeys(secret_fields))


def _replay(kept: KeptAnswer) -> HttpResponse:
    response = HttpResponse(kept.body, status=kept.status, content_type="application/json")
    if not kept.body:
        del response["Content-Type"]
    if kept.location:
        response["Location"] = kept.location
    response[REPLAYED] = "true"
    return response
