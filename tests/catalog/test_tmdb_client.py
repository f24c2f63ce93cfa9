"""The client against a TMDB that misbehaves, over real HTTP."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from catalog.tmdb.breaker import Breaker
from catalog.tmdb.client import MAX_RETRY_AFTER_S, retry_after_s
from catalog.tmdb.errors import (
    BadAnswerError,
    BreakerOpenError,
    BusyError,
    KeyRefusedError,
    NotFoundError,
    OutageError,
)
from catalog.tmdb.fake.faults import Fault, Mischief, Rates
from catalog.tmdb.transport import Limits, Transport
from tests.catalog.tmdb_world import FreePace, Waits, client_of, row, tmdb


def test_one_call_brings_everything_about_a_film():
    with tmdb([row(7)]) as fake:
        details = client_of(fake).movie(7)
    assert details.data is not None
    assert details.data["title"] == "Film 7"
    assert {"keywords", "credits", "release_dates", "watch/providers"} <= details.data.keys()
    assert len(fake.requests) == 1


def test_an_etag_saves_the_body():
    with tmdb([row(7)]) as fake:
        client = client_of(fake)
        first = client.movie(7)
        again = client.movie(7, etag=first.etag)
    assert again.data is None
    assert [request.status for request in fake.requests] == [200, 304]


def test_a_connection_serves_many_requests():
    with tmdb([row(n) for n in range(1, 6)]) as fake:
        client = client_of(fake)
        for number in range(1, 6):
            client.movie(number)
    assert len({request.connection for request in fake.requests}) == 1


def test_retry_after_is_waited_for_and_holds_everybody():
    pace, waits = FreePace(), Waits()
    mischief = Mischief(Rates(retry_after_s=7), script=[Fault.BUSY_RETRY_AFTER])
    with tmdb([row(7)], mischief=mischief) as fake:
        assert client_of(fake, pace=pace, waits=waits).movie(7).data is not None
    assert waits == [7.0]
    assert pace.held == [7.0]


def test_429_without_retry_after_backs_off_with_full_jitter():
    waits = Waits()
    with tmdb([row(7)], script=[Fault.BUSY] * 3) as fake:
        client_of(fake, waits=waits).movie(7)
    assert len(waits) == 3
    assert all(0 <= wait <= bound for wait, bound in zip(waits, (0.5, 1, 2), strict=True))


def test_a_long_retry_after_is_capped():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert retry_after_s("86400", now=now) == MAX_RETRY_AFTER_S
    assert retry_after_s("Thu, 01 Jan 2026 00:00:09 GMT", now=now) == 9.0
    assert retry_after_s("Wed, 31 Dec 2025 00:00:00 GMT", now=now) == 0.0
    assert retry_after_s("soon", now=now) is None
    assert retry_after_s("", now=now) is None


@pytest.mark.parametrize(
    "fault", [Fault.ERROR, Fault.UNAVAILABLE_HTML, Fault.RESET, Fault.CUT_OFF, Fault.HANG]
)
def test_outages_are_tried_again(fault):
    with tmdb([row(7)], script=[fault]) as fake:
        assert client_of(fake).movie(7).data is not None
    assert len(fake.requests) == 2


def test_a_burst_of_errors_is_given_up_after_the_last_attempt():
    with tmdb([row(7)], script=[Fault.ERROR] * 10) as fake, pytest.raises(BusyError, match="500"):
        client_of(fake, max_attempts=4).movie(7)
    assert len(fake.requests) == 4


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.NOT_JSON, Fault.REDIRECT])
def test_nonsense_is_not_asked_for_again(fault):
    with tmdb([row(7)], script=[fault]) as fake, pytest.raises(BadAnswerError):
        client_of(fake).movie(7)
    assert len(fake.requests) == 1


def test_an_oversized_answer_is_refused_whether_it_says_so_or_not():
    with (
        tmdb([row(7)], script=[Fault.OVERSIZED]) as fake,
        pytest.raises(BadAnswerError, match="refused"),
    ):
        client_of(fake).movie(7)
    assert len(fake.requests) == 1


def test_a_dripping_answer_is_cut_off_in_time():
    """Each byte comes within the read timeout; the whole would take minutes."""
    limits = Limits(connect_s=1.0, read_s=0.8, total_s=0.6, max_bytes=2 << 20)
    begin = time.monotonic()
    with tmdb([row(7)], script=[Fault.DRIP]) as fake:
        with pytest.raises(BusyError, match="within 0.6 s"):
            client_of(fake, limits=limits, max_attempts=1).movie(7)
        took_s = time.monotonic() - begin
    assert took_s < 5


def test_a_refused_key_and_a_missing_film_are_told_apart():
    with tmdb([row(7)], key="right") as fake:
        with pytest.raises(KeyRefusedError, match="TMDB_API_KEY"):
            client_of(fake, key="wrong").movie(7)
        with pytest.raises(NotFoundError):
            client_of(fake, key="right").movie(8)
    assert [request.status for request in fake.requests] == [401, 404]


def test_a_read_token_goes_into_the_header():
    with tmdb([row(7)], key="a.b.c") as fake:
        client_of(fake, key="a.b.c").movie(7)
    assert "api_key" not in fake.requests[0].query


def test_only_addresses_under_the_base_are_asked():
    transport = Transport("http://127.0.0.1:9")
    for path in ("//evil.example/", "http://evil.example/", "/3/../x"):
        with pytest.raises(ValueError, match="does not lie under"):
            transport.get(path)
    with pytest.raises(ValueError, match="no http"):
        Transport("file:///etc/passwd")


def test_the_breaker_opens_after_failures_in_a_row_and_closes_with_an_answer():
    now = [0.0]
    breaker = Breaker(threshold=4, cooldown_s=30, clock=lambda: now[0])
    with tmdb([row(7)], script=[Fault.ERROR] * 4) as fake:
        client = client_of(fake, breaker=breaker, max_attempts=4)
        with pytest.raises(BusyError):
            client.movie(7)
        with pytest.raises(BreakerOpenError) as caught:
            client.movie(7)
        assert caught.value.wait_s == pytest.approx(30)
        assert len(fake.requests) == 4
        now[0] = 31.0
        assert client.movie(7).data is not None
        assert client.movie(7).data is not None


def test_the_breaker_gives_up_after_three_openings():
    now = [0.0]
    breaker = Breaker(threshold=2, cooldown_s=30, max_openings=3, clock=lambda: now[0])
    for _ in range(2):
        breaker.failed()
    for _ in range(2):
        now[0] += 31
        breaker.before()
        breaker.failed()
    now[0] += 31
    with pytest.raises(OutageError, match="2 pauses"):
        breaker.before()


def test_only_one_asks_while_the_breaker_is_half_open():
    now = [0.0]
    breaker = Breaker(threshold=1, cooldown_s=30, clock=lambda: now[0])
    breaker.failed()
    now[0] = 31.0
    breaker.before()
    with pytest.raises(BreakerOpenError):
        breaker.before()
    breaker.succeeded()
    breaker.before()


def test_429_is_no_outage():
    breaker = Breaker(threshold=2)
    with tmdb([row(7)], script=[Fault.BUSY] * 5) as fake:
        assert client_of(fake, breaker=breaker).movie(7).data is not None
