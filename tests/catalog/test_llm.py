"""Reading requests by a language model: checked, timed, logged, and never trusted with films."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from catalog.intent import Chip, Kind
from catalog.known_names import people_forget
from catalog.llm.models import LlmCall
from catalog.llm.reader import prompt_text
from catalog.reading import read_request

pytestmark = pytest.mark.django_db


class Endpoint:
    """An OpenAI-compatible server that says what the test wants."""

    def __init__(self) -> None:
        self.content: object = {"chips": [], "text": ""}
        self.status = 200
        self.raw: bytes | None = None
        self.is_hanging = threading.Event()
        self.released = threading.Event()
        self.asked: list[dict] = []
        self.keys: list[str | None] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                endpoint.asked.append({"path": self.path, **json.loads(self.rfile.read(length))})
                endpoint.keys.append(self.headers.get("Authorization"))
                if endpoint.is_hanging.is_set():
                    endpoint.released.wait(20)
                    return
                content = endpoint.content
                text = content if isinstance(content, str) else json.dumps(content)
                body = {
                    "choices": [{"message": {"content": text}}],
                    "usage": {"prompt_tokens": 321, "completion_tokens": 45},
                }
                data = endpoint.raw if endpoint.raw is not None else json.dumps(body).encode()
                self.send_response(endpoint.status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def endpoint(settings):
    people_forget()
    fake = Endpoint()
    settings.LLM_BASE_URL, settings.LLM_MODEL = fake.url, "tiny"
    settings.LLM_API_KEY, settings.LLM_TIMEOUT_S = "key", 1
    yield fake
    fake.close()
    people_forget()


def test_a_good_answer_is_used_and_logged(endpoint, make_movie):
    heat = make_movie("Heat", 1995)
    endpoint.content = {
        "chips": [
            {"kind": "genre", "value": "Crime", "is_negated": False},
            {"kind": "like", "value": "Heat"},
            {"kind": "language", "value": "en", "is_negated": True},
        ],
        "text": "cat and mouse",
    }
    reading = read_request("a foreign crime film like Heat, cat and mouse")
    assert reading.chips == (
        Chip(Kind.GENRE, "Crime"),
        Chip(Kind.LIKE, str(heat.pk)),
        Chip(Kind.LANGUAGE, "en", is_negated=True),
    )
    assert reading.text == "cat and mouse"
    call = LlmCall.objects.get()
    assert (call.outcome, call.prompt, call.model) == ("ok", "intent-1", "tiny")
    assert (call.prompt_tokens, call.answer_tokens) == (321, 45)
    (asked,) = endpoint.asked
    assert asked["path"] == "/v1/chat/completions"
    assert asked["messages"][1]["content"] == "a foreign crime film like Heat, cat and mouse"
    assert endpoint.keys == ["Bearer key"]


def test_a_film_or_person_that_is_not_here_cannot_be_named(endpoint, make_movie):
    make_movie("Heat", 1995)
    endpoint.content = {
        "chips": [
            {"kind": "like", "value": "The Film That Never Was"},
            {"kind": "person", "value": "Nobody Inparticular"},
        ],
        "text": "",
    }
    reading = read_request("like the film that never was")
    assert reading.chips == ()
    assert reading.text == "The Film That Never Was Nobody Inparticular"


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        ["a list"],
        {"chips": "x", "text": ""},
        {"chips": [{"kind": "genre"}], "text": ""},
        {"chips": [{"kind": "genre", "value": "Slapstick"}], "text": ""},
        {"chips": [{"kind": "years", "value": "soon"}], "text": ""},
        {"chips": [{"kind": "drop table", "value": "x"}], "text": ""},
        {"chips": [{"kind": "certification", "value": "X"}], "text": ""},
        {"chips": [], "text": 5},
        {"chips": [], "text": "", "sql": "select"},
    ],
)
def test_an_answer_of_another_shape_is_refused_and_the_local_parser_answers(endpoint, content):
    endpoint.content = content
    assert [chip.encoded() for chip in read_request("90s comedy").chips] == [
        "years:1990-1999",
        "genre:Comedy",
    ]
    assert LlmCall.objects.get().outcome == "invalid"


@pytest.mark.parametrize(
    ("status", "raw"), [(500, b""), (401, b"{}"), (302, b""), (200, b"x" * 99_999)]
)
def test_a_broken_endpoint_does_not_break_search(endpoint, status, raw):
    endpoint.status, endpoint.raw = status, raw
    assert len(read_request("90s comedy").chips) == 2
    assert LlmCall.objects.get().outcome == "invalid"


def test_a_slow_or_missing_endpoint_falls_back(endpoint, settings):
    endpoint.is_hanging.set()
    assert len(read_request("90s comedy").chips) == 2
    assert LlmCall.objects.get().outcome == "timeout"
    settings.LLM_BASE_URL = "http://127.0.0.1:1/v1"
    assert len(read_request("90s comedy").chips) == 2
    assert LlmCall.objects.latest("pk").outcome == "unreachable"


def test_it_is_off_by_default(settings):
    assert settings.LLM_BASE_URL == ""
    assert len(read_request("90s comedy").chips) == 2
    assert not LlmCall.objects.exists()


def test_the_prompt_names_our_genres_and_the_year():
    text = prompt_text(this_year=2031)
    assert "Film-Noir" in text
    assert "2031" in text
    assert "{" + "genres}" not in text
