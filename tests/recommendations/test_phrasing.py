"""A language model may phrase a reason; what says more than the evidence is discarded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.llm.models import LlmCall
from recommendations.phrasing import Cause, ReasonEvidence, phrased, plain_sentence
from tests.catalog.test_llm import Endpoint

pytestmark = pytest.mark.django_db

EVIDENCE = ReasonEvidence(
    "Ronin",
    (Cause("Heat", Decimal("5.0"), 61), Cause("Collateral", Decimal("4.5"), 22)),
)


@pytest.fixture
def endpoint(settings):
    fake = Endpoint()
    settings.LLM_BASE_URL, settings.LLM_MODEL = fake.url, "tiny"
    settings.LLM_REASONS, settings.LLM_TIMEOUT_S = True, 1
    yield fake
    fake.close()


GOOD = {
    "both films": "Ronin is here because you gave Heat 5 stars and Collateral 4.5 stars.",
    "share": "Heat is 61 % of the reason.",
    "case": "Because of heat, which you rated 5 stars.",
    "quotes": "“Heat” speaks for it: your 5 stars.",
}
BAD = {
    "another film": "Because you gave Heat 5 stars, like Thief.",
    "too few stars": "Because you gave Heat 2 stars.",
    "a longer title": "Because you gave Heathers 5 stars and Heat too.",
    "a person": "Because you rated Heat by Michael Mann.",
    "a genre": "Because you rated Heat, here is a thriller.",
    "a judgement": "Heat made you want this great film.",
    "a fact of the film": "Heat has the same director.",
    "others": "People who rated Heat rated this.",
    "a wrong number": "Because you gave Heat 4 stars.",
    "the other film's stars": "Because you gave Heat 4.5 stars.",
    "a wrong share": "62 % of it is Heat.",
    "stars as a share": "5 % of it is Heat.",
    "stars for the film itself": "Ronin has 5 stars because of you and what Heat is to you.",
    "a number in words": "Because you gave Heat seven stars.",
    "no cause": "Ronin is in your list.",
    "a denial": "Not because of Heat.",
    "two lines": "Because of Heat.\nRonin is here.",
    "markup": "Because of <b>Heat</b>.",
    "a link": "Because of Heat https://example.org",
    "too long": "Because of Heat" + " and it is here" * 30,
    "nothing": "   ",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_sentence_of_the_evidence_is_used(endpoint, name):
    endpoint.content = GOOD[name]
    assert phrased(EVIDENCE) == GOOD[name]
    assert LlmCall.objects.get().outcome == LlmCall.Outcome.OK


@pytest.mark.parametrize("name", BAD)
def test_a_sentence_that_says_more_is_discarded_for_the_plain_one(endpoint, name):
    endpoint.content = BAD[name]
    assert phrased(EVIDENCE) == plain_sentence(EVIDENCE)
    assert LlmCall.objects.get().outcome == LlmCall.Outcome.INVALID


def test_the_model_sees_the_evidence_and_nothing_of_the_person(endpoint):
    endpoint.content = GOOD["both films"]
    phrased(EVIDENCE)
    (asked,) = endpoint.asked
    assert asked["messages"][1]["content"] == (
        '{"title": "Ronin", "causes": [{"title": "Heat", "stars": "5.0", "percentage": 61}, '
        '{"title": "Collateral", "stars": "4.5", "percentage": 22}]}'
    )


def test_an_endpoint_that_fails_costs_the_words_only(endpoint):
    endpoint.status = 500
    assert phrased(EVIDENCE) == plain_sentence(EVIDENCE)


def test_it_is_off_by_default(endpoint, settings):
    settings.LLM_REASONS = False
    assert phrased(EVIDENCE) == plain_sentence(EVIDENCE)
    assert endpoint.asked == []
    assert phrased(ReasonEvidence("Ronin", ())) == ""


def test_the_plain_sentence_has_the_shares():
    assert plain_sentence(EVIDENCE) == (
        "61 % of what speaks for it comes from Heat, 22 % from Collateral."
    )
