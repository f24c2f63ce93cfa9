"""Years, lengths and age limits in a sentence."""

from __future__ import annotations

import re

from catalog.intent.chips import Chip, Kind
from catalog.intent.words import CERTIFICATIONS, DECADES, FILM_NOUNS, NUMBERS
from catalog.intent.working import MARK, Working

RECENT_YEARS = 5
MAX_RUNTIME_MIN = 600
_UNDER = r"under|below|less than|shorter than|fewer than"
_UP_TO = (
    r"at most|up to|max(?:imum)?(?: of)?|no (?:longer|more) than|not (?:longer|more) than|"
    r"not over|no more than|within"
)
_OVER = r"over|more than|longer than|above"
_FROM = r"at least|min(?:imum)?(?: of)?|no (?:shorter|less) than|not under"
_BOUND = rf"(?P<bound>{_UP_TO}|{_FROM}|{_UNDER}|{_OVER}|about|around|roughly)"
_N = r"\d+(?:\.\d+)?|" + "|".join(NUMBERS)
_LENGTH = (
    rf"(?:(?P<half>half an hour)|(?P<and_half>(?:{_N})(?: hours?)? and a half(?: hours?)?)|"
    rf"(?P<hours>{_N})\s?(?:hours?|hrs?|h)(?:(?:\s?and)?\s?(?P<extra>\d{{1,2}})\s?"
    r"(?:minutes?|mins?|m)?)?|(?P<minutes>\d{2,3})\s?(?:minutes?|mins?|min|m))(?!\w)"
)
_RUNTIME = re.compile(
    rf"(?:(?:that|which) (?:is|are|runs?|lasts?) )?\b{_BOUND} {_LENGTH}"
    r"(?: long| or less| in length)?"
)
_RUNTIME_BETWEEN = re.compile(
    r"\b(?:between |from )?(\d{2,3})(?: minutes| min)?\s?(?:and|to|-|\u2013)\s?(\d{2,3})\s?"
    r"(?:minutes?|mins?|min)\b(?: long)?"
)
_RUNTIME_OR = re.compile(
    rf"\b{_LENGTH} (?P<way>or less|or shorter|or under|max(?:imum)?|tops|at most|"
    r"or more|or longer|at least)\b"
)

_YEAR = r"(?:18[89]|19\d|20[0-3])\d"
_DECADE = (
    r"(?:(?:the )?(?:(?P<part>early|mid|late)[- ])?"
    r"(?P<decade>(?:19|20)\d0\W?s|['\u2019]?\d0\W?s|" + "|".join(DECADES) + r"))"
)
_DECADE_WORD = re.compile(rf"\b(?:from |of |in |made in |released in )?{_DECADE}\b")
_DECADES = re.compile(
    r"\b(?:from )?(?:the )?(?P<one>(?:19|20)?\d0)\W?s ?(?:and|or|to|-|\u2013|through|,) ?"
    r"(?:the )?(?P<two>(?:19|20)?\d0)\W?s\b"
)
_YEARS = re.compile(
    rf"\b(?:made |released )?(?:between |from )?({_YEAR})\s?(?:-|\u2013|to|and|until|through)\s?"
    rf"({_YEAR})\b"
)
_BOUNDED_YEAR = re.compile(
    r"\b(?P<no>(?:nothing|none|not|no films|no movies) )?(?:made |released |from )?"
    r"(?P<way>before|pre|prior to|older than|earlier than|after|post|"
    r"newer than|later than|since|until|till|up to|no later than|no earlier than)[ -]"
    rf"(?:the )?(?:year )?(?P<year>{_YEAR})(?P<s>s)?\b( onwards?)?"
)
_YEAR_ON = re.compile(
    rf"\b(?:from )?({_YEAR}) (?:or (?P<way>later|newer|earlier|older)|onwards?)\b"
)
_ONE_YEAR = re.compile(
    rf"\b(?P<cue>from |made in |released in |of |in )?(?P<year>{_YEAR})\b(?!\W?s\b)"
)
_LAST_YEARS = re.compile(
    r"\b(?:from |of |in |made in )?the (?:last|past) (?P<n>\d{1,2}|few|five|ten|twenty|two|three) "
    r"years\b"
)
_SET = re.compile(
    r"\b(?:set|takes? place|taking place|story|life|living|lives)\s+"
    r"(?:back )?(?:(?:in|around|during|between) )?(?:the )?(?:early |mid |late )?$"
)
_FILMS_BEFORE = re.compile(rf"(?:{FILM_NOUNS}|{MARK})\s*$")

_CERT = r"(?P<cert>nc-?17|pg-?13|pg|g|r)"
_CEILING = re.compile(
    r"\b(?:(?:that is |that's )?(?:rated )?(?:up to|at most|max(?:imum)?|not above|below or at|"
    r"no(?:thing)? (?:more than|above|over|higher than|stronger than|beyond)) (?:rated )?"
    r"(?P<cert1>nc-?17|pg-?13|pg|g|r)(?:[- ]rated)?|"
    rf"(?:rated )?{_CERT}(?:[- ]rated)? "
    r"(?:or (?:below|lower|under|less|milder|softer)|max(?:imum)?|at most|tops))(?!\w)"
)
_NOT_R = re.compile(
    r"\b(?:not|no|nothing|without|never|isn't)(?: an?)?(?: rated)? ?r(?:[- ]rated)?\b(?! )?"
)
_RATED = re.compile(r"\b(?:rated (?P<cert1>pg-?13|pg|g)|(?P<cert>pg-?13|pg|g)[- ]rated)\b")
_FOR_KIDS = re.compile(
    r"\b(?:(?:suitable|safe|ok|okay|appropriate|fine) (?:for|with) "
    r"(?:my |the |young |small |little )*(?:kids|children|family|whole family)|"
    r"(?:family|kid|child)[- ]friendly|"
    r"for the whole family|"
    r"(?:for|with) (?:my |the |young |small |little )*(?:kids|children)(?! (?:who|that))|"
    r"for all ages|(?:my |the )?(?:kids|children) can watch)\b"
)


def take_certification(work: Working) -> None:
    """ "PG-13 or lower", "nothing rated R", "family friendly"."""

    def ceiling(match: re.Match[str]) -> list[Chip]:
        groups = match.groupdict()
        return [_cert_chip(groups.get("cert1") or groups["cert"])]

    def for_kids(match: re.Match[str]) -> list[Chip] | None:
        is_refused = work.text[: match.start()].rstrip().endswith((" not", "n't"))
        return None if is_refused else [Chip(Kind.CERTIFICATION, "PG")]

    work.take(_CEILING, ceiling)
    work.take(_NOT_R, lambda _: [Chip(Kind.CERTIFICATION, "PG-13")])
    work.take(_RATED, ceiling)
    if not any(chip.kind is Kind.CERTIFICATION for chip in work.chips):
        work.take(_FOR_KIDS, for_kids)


def _cert_chip(text: str) -> Chip:
    name = text.upper()
    name = {"PG13": "PG-13", "NC17": "NC-17"}.get(name, name)
    return Chip(Kind.CERTIFICATION, CERTIFICATIONS[CERTIFICATIONS.index(name)])


def take_runtime(work: Working) -> None:
    """ "under two hours", "90 to 120 minutes", "100 minutes or less"."""

    def between(match: re.Match[str]) -> list[Chip] | None:
        low, high = int(match[1]), int(match[2])
        if not 0 < low < high <= MAX_RUNTIME_MIN:
            return None
        return [Chip(Kind.RUNTIME, f"{low}-{high}")]

    def bounded(match: re.Match[str]) -> list[Chip] | None:
        minutes = _minutes(match)
        if minutes is None:
            return None
        return [Chip(Kind.RUNTIME, _bound(match["bound"], minutes))]

    def either_way(match: re.Match[str]) -> list[Chip] | None:
        minutes = _minutes(match)
        if minutes is None:
            return None
        is_least = match["way"] in {"or more", "or longer", "at least"}
        return [Chip(Kind.RUNTIME, f"{minutes}-" if is_least else f"-{minutes}")]

    work.take(_RUNTIME_BETWEEN, between)
    work.take(_RUNTIME_OR, either_way)
    work.take(_RUNTIME, bounded)


def _minutes(match: re.Match[str]) -> int | None:
    """The length in minutes; None where no film is that long ("24 hours to live")."""
    if match["half"]:
        minutes = 30.0
    elif match["and_half"]:
        minutes = 60 * (_number(match["and_half"].split()[0]) + 0.5)
    elif match["hours"]:
        minutes = 60 * _number(match["hours"]) + float(match["extra"] or 0)
    else:
        minutes = float(match["minutes"])
    return round(minutes) if 15 <= minutes <= MAX_RUNTIME_MIN else None


def _number(text: str) -> float:
    return NUMBERS[text] if text in NUMBERS else float(text)


def _bound(words: str, minutes: int) -> str:
    if re.fullmatch(_UP_TO, words):
        return f"-{minutes}"
    if re.fullmatch(_FROM, words):
        return f"{minutes}-"
    if re.fullmatch(_UNDER, words):
        return f"-{minutes - 1}"
    if re.fullmatch(_OVER, words):
        return f"{minutes + 1}-"
    return f"{max(1, minutes - 10)}-{minutes + 10}"


def take_years(work: Working, *, this_year: int) -> None:
    """ "90s", "from 1994", "before 1980", "the late sixties"; not "set in 1944"."""
    text = work.text

    def is_setting(match: re.Match[str]) -> bool:
        return bool(_SET.search(work.text[: match.start()]))

    def decades(match: re.Match[str]) -> list[Chip] | None:
        one, two = sorted(_decade(match[name]) for name in ("one", "two"))
        return None if is_setting(match) else [Chip(Kind.YEARS, f"{one}-{two + 9}")]

    def between(match: re.Match[str]) -> list[Chip] | None:
        first, last = sorted((int(match[1]), int(match[2])))
        return None if is_setting(match) else [Chip(Kind.YEARS, f"{first}-{last}")]

    def bounded(match: re.Match[str]) -> list[Chip] | None:
        return None if is_setting(match) else [_bounded_years(match)]

    def onwards(match: re.Match[str]) -> list[Chip]:
        is_last = match["way"] in {"earlier", "older"}
        return [Chip(Kind.YEARS, f"-{match[1]}" if is_last else f"{match[1]}-")]

    def last_years(match: re.Match[str]) -> list[Chip]:
        words = {"few": RECENT_YEARS, "five": 5, "ten": 10, "twenty": 20, "two": 2, "three": 3}
        n = words.get(match["n"]) or int(match["n"])
        return [Chip(Kind.YEARS, f"{this_year - n}-")]

    def decade(match: re.Match[str]) -> list[Chip] | None:
        cue = match[0].split()[0] if match[0] else ""
        if is_setting(match) or not _is_release(work, match, cue):
            return None
        return [_decade_chip(match)]

    def one_year(match: re.Match[str]) -> list[Chip] | None:
        cue = (match["cue"] or "").split()
        if is_setting(match) or not _is_release(work, match, cue[0] if cue else ""):
            return None
        return [Chip(Kind.YEARS, f"{match['year']}-{match['year']}")]

    work.take(_DECADES, decades)
    work.take(_YEARS, between)
    work.take(_BOUNDED_YEAR, bounded)
    work.take(_YEAR_ON, onwards)
    work.take(_LAST_YEARS, last_years)
    work.take(_DECADE_WORD, decade)
    # A bare year beside words of its own may be part of them: "2001 a space odyssey".
    if text.strip() != work.text.strip() or len(text.split()) > 1:
        work.take(_ONE_YEAR, one_year)


def _is_release(work: Working, match: re.Match[str], cue: str) -> bool:
    """Whether a time is when the film was made rather than when it plays.

    "from", "made" and "released" say so; without them it must stand before the film ("90s
    thriller"), right after it ("thrillers in the 90s"), or at the very end of a short request.
    """
    before, after = work.text[: match.start()], work.text[match.end() :]
    if cue in {"from", "made", "released"}:
        return True
    is_head = work.is_head(match.start())
    if is_head and (_FILMS_BEFORE.search(before) or _follows_genre(before)):
        return True
    if cue == "in":
        return False
    return is_head or (not after.strip() and len(work.text.split()) <= 6)


def _follows_genre(before: str) -> bool:
    from catalog.intent.words import GENRES

    words = before.split()
    return bool(words) and (words[-1] in GENRES or " ".join(words[-2:]) in GENRES)


def _bounded_years(match: re.Match[str]) -> Chip:
    year, way = int(match["year"]), match["way"]
    if match["no"]:  # "nothing from before 1990"
        is_before = way in {"before", "pre", "prior to", "older than", "earlier than"}
        return Chip(Kind.YEARS, f"{year}-" if is_before else f"-{year}")
    if way in {"before", "pre", "prior to", "older than", "earlier than"}:
        return Chip(Kind.YEARS, f"-{year - 1}")
    if way in {"until", "till", "up to", "no later than"}:
        return Chip(Kind.YEARS, f"-{year + 9 if match['s'] else year}")
    if way in {"since", "no earlier than"}:
        return Chip(Kind.YEARS, f"{year}-")
    return Chip(Kind.YEARS, f"{year + (10 if match['s'] else 1)}-")


def _decade(text: str) -> int:
    number = int(re.sub(r"\D", "", text))
    if number >= 100:
        return number
    # "30s" to "90s" are the last century's, "00s", "10s" and "20s" are this one's.
    return 1900 + number if number >= 30 else 2000 + number


def _decade_chip(match: re.Match[str]) -> Chip:
    word = match["decade"]
    first = DECADES[word] if word in DECADES else _decade(word)
    low, high = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}.get(match["part"] or "", (0, 9))
    return Chip(Kind.YEARS, f"{first + low}-{first + high}")


def take_recent(work: Working, *, this_year: int) -> None:
    """ "recent" and "new" before the kind of film: the last years."""

    def recent(match: re.Match[str]) -> list[Chip] | None:
        if any(chip.kind is Kind.YEARS for chip in work.chips) or not work.is_head(match.start()):
            return None
        return [Chip(Kind.YEARS, f"{this_year - RECENT_YEARS}-")]

    work.take(re.compile(r"\b(?:recent|newest|latest)\b"), recent)
