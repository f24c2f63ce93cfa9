"""The parser: passes over one sentence, each cutting out what it understands.

Plain rules, in an order that matters: names first, since titles hold genres and years; genres last,
since what stands around them must already be known. In a plot ("a documentary filmmaker finds ...")
the same words mean no condition: hence the rules about what stands before and behind.
"""

from __future__ import annotations

import re

from catalog.intent.chips import Chip, Kind, Names, NoNames, Reading
from catalog.intent.ranges import take_certification, take_recent, take_runtime, take_years
from catalog.intent.words import (
    COMPARATIVES,
    COUNTRIES,
    DEMONYMS,
    FILM_NOUNS,
    FOLLOWS,
    GENRES,
    LANGUAGE_ONLY,
    LANGUAGES,
    LIGHT,
    QUALITIES,
    WEAK_GENRES,
)
from catalog.intent.working import MARK, Working
from catalog.titles import fold

MAX_TITLE_WORDS = 9
MAX_NAME_WORDS = 4
_NOT = (
    r"(?:no|not|without|non|never|except|excluding|nothing|avoid|isn't|aren't|minus|but no|"
    r"but not|other than)"
)
_TOO = r"(?:(?:an?|any|too|so|very|really|overly|much|another) )*"


def _any_of(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


_LIKE = re.compile(
    r"\b(?:(?<!would )(?<!i'd )(?<!i )(?<!we )(?<!you )(?<!feel )like|"
    r"similar to|in the (?:style|vein|spirit) of|reminds? me of|along the lines of)\s+"
)
_TITLE_ENDS = re.compile(
    rf",|;|\.|\bbut\b|\bonly\b|\bexcept\b|\bwithout\b|\bwith (?:less|more)\b|\bset in\b|{MARK}"
)
_CUE = re.compile(
    r"\b(?P<no>without |not |no |not with |not by |not starring |except |except by |except with )?"
    r"(?:(?P<strong>starring|featuring|directed by|written by|acted by|played by|by director|by|"
    r"from director|from the director|director|actor|actress|films of|movies of)|"
    r"(?P<weak>with|from|of|has))\s+"
    r"(?=[a-z])"
)
_NO_NAME = re.compile(r"\b(?P<no>without|not|no|except)\s+(?=[a-z])")
_GENRE = re.compile(
    rf"(?<![\w-])(?P<no>{_NOT}[ -]{_TOO})?(?P<genre>{_any_of(GENRES)})(?![\w-])"
    rf"(?:(?: {FILM_NOUNS})? or (?:an? )?(?P<other>{_any_of(GENRES)})(?![\w-]))?"
)
_DEMONYM = re.compile(
    rf"(?<![\w-])(?P<no>{_NOT}[ -](?:an? )?)?(?P<name>{_any_of({*DEMONYMS, *LANGUAGES})})"
    r"(?P<language>[- ](?:language|speaking|spoken|dubbed|audio))?(?![\w-])"
)
_IN_LANGUAGE = re.compile(
    rf"\b(?P<no>not |but not )?(?:spoken )?in (?P<name>{_any_of(LANGUAGES)})(?: language)?\b"
    rf"{FOLLOWS}"
)
_COUNTRY = re.compile(
    r"\b(?P<no>not |but not )?(?:from|made in|produced in|shot in|out of) "
    rf"(?P<name>{_any_of(COUNTRIES)})\b"
)
_FOREIGN = re.compile(r"\b(?:foreign[- ]language|foreign|non[- ]english|subtitled)\b(?= |$)")
_SUBTITLES = re.compile(r"\bwith (?:english )?subtitles\b|\bsubtitled\b(?= in)")
_BOLLYWOOD = re.compile(r"\bbollywood\b")
_ANIME = re.compile(r"\banimes?\b")
_MORE = re.compile(
    rf"\b(?:with )?(?:a (?:bit|little) |much |even |far )?(?P<way>more|less|fewer) "
    rf"(?P<what>{_any_of({*GENRES, *QUALITIES})})"
    rf"(?: (?:and|or) (?P<also>{_any_of({*GENRES, *QUALITIES})}))?\b"
    r"(?: than\b)?"
)
_COMPARATIVE = re.compile(
    rf"\b(?:a (?:bit|little) |much |even |far )?(?P<what>{_any_of(COMPARATIVES)})(?: than\b)?"
)
_NOT_QUALITY = re.compile(
    rf"\b(?:not|isn't|never|nothing|no) (?:(?:too|so|very|really|overly|much|as|that) )*"
    rf"(?P<what>{_any_of(QUALITIES)})\b"
)


def parse(raw: str, *, names: Names | None = None, this_year: int) -> Reading:
    """Take a request apart. ``this_year`` is what "recent" and "the last ten years" count from."""
    known = names or NoNames()
    work = Working(f" {fold(' '.join(raw.split()))} ".replace("\u2019", "'"))
    _take_like(work, known)
    _take_more_and_less(work)
    take_certification(work)
    take_runtime(work)
    _take_cued_people(work, known)
    take_years(work, this_year=this_year)
    _take_places(work)
    _take_plain_people(work, known)
    take_genres(work)
    # Once more, now that what stood between is known: "early 90s french thriller from 1994".
    take_years(work, this_year=this_year)
    take_recent(work, this_year=this_year)
    return Reading(raw=raw, chips=tuple(work.chips), text=work.rest())


def _take_like(work: Working, names: Names) -> None:
    """ "like Heat", with the longest title that the catalogue knows."""
    position = 0
    while match := _LIKE.search(work.text, position):
        position = match.end()
        end = _TITLE_ENDS.search(work.text, match.end())
        limit = end.start() if end else len(work.text)
        words = work.text[match.end() : limit].split()[:MAX_TITLE_WORDS]
        for n in range(len(words), 0, -1):
            film = names.film(" ".join(words[:n]))
            if film is None:
                continue
            work.add(Chip(Kind.LIKE, film))
            stop = match.end() + _length(work.text[match.end() :], n)
            work.cut(match.start(), stop)
            position = match.start() + 3
            more = re.match(r"\s*and (?=\w)", work.text[position:])
            if more and _and_film(work, names, position + more.end()):
                position = match.start()
            break


def _and_film(work: Working, names: Names, start: int) -> bool:
    words = work.text[start:].split()[:MAX_TITLE_WORDS]
    for n in range(len(words), 0, -1):
        film = names.film(" ".join(words[:n])) if MARK not in words[:n] else None
        if film is not None:
            work.add(Chip(Kind.LIKE, film))
            work.cut(start, start + _length(work.text[start:], n))
            return True
    return False


def _length(text: str, n_words: int) -> int:
    """Characters up to the end of the n-th word."""
    match = re.match(rf"\s*(?:\S+\s+){{{n_words - 1}}}\S+", text)
    return match.end() if match else len(text)


def _take_more_and_less(work: Working) -> None:
    def genres(word: str) -> list[str]:
        return [QUALITIES[word]] if word in QUALITIES else list(GENRES[word])

    def more(match: re.Match[str]) -> list[Chip]:
        kind = Kind.MORE if match["way"] == "more" else Kind.LESS
        found = genres(match["what"]) + (genres(match["also"]) if match["also"] else [])
        return [Chip(kind, genre) for genre in found]

    work.take(_MORE, more)
    work.take(_COMPARATIVE, lambda match: [Chip(Kind.MORE, COMPARATIVES[match["what"]])])
    work.take(_NOT_QUALITY, lambda match: [Chip(Kind.LESS, QUALITIES[match["what"]])])


def _take_cued_people(work: Working, names: Names) -> None:
    """ "starring Tom Hanks and Meg Ryan", "by Kurosawa", "without Tom Cruise"."""
    for pattern in (_CUE, _NO_NAME):
        position = 0
        while match := pattern.search(work.text, position):
            is_surname_enough = pattern is _CUE and bool(match["strong"])
            found = _name_at(work.text, match.end(), names, is_cued=is_surname_enough)
            if found is None:
                position = match.end()
                continue
            name, stop = found
            is_negated = bool(match["no"])
            work.add(Chip(Kind.PERSON, name, is_negated))
            work.cut(match.start(), stop)
            position = match.start() + 3
            while more := re.match(r"\s*(?:,|and|or|&)\s+(?=[a-z])", work.text[position:]):
                start = position + more.end()
                found = _name_at(work.text, start, names, is_cued=is_surname_enough)
                if found is None:
                    break
                work.add(Chip(Kind.PERSON, found[0], is_negated))
                work.cut(position, found[1])
                position += 3


def _name_at(text: str, start: int, names: Names, *, is_cued: bool) -> tuple[str, int] | None:
    stop = re.search(rf"[,;:!?()]|{MARK}", text[start:])
    words = text[start : start + stop.start() if stop else len(text)].split()[:MAX_NAME_WORDS]
    for n in range(len(words), 0, -1):
        if n == 1 and not is_cued:
            return None
        candidate = " ".join(words[:n])
        name = names.person(candidate, is_cued=is_cued)
        if name is None and candidate.endswith("'s"):
            name = names.person(candidate.removesuffix("'s"), is_cued=is_cued)
        if name is not None:
            return name, start + _length(text[start:], n)
    return None


def _take_plain_people(work: Working, names: Names) -> None:
    """Full names without a cue, in front or in a short request: "tom hanks comedies"."""
    is_short = len(work.text.replace(MARK, " ").split()) <= 6

    for match in re.finditer(r"[a-z][\w.'-]*", work.text):
        if not (is_short or work.is_head(match.start())):
            continue
        words = re.match(r"[\w.'-]+(?: [\w.'-]+){1,3}", work.text[match.start() :])
        if words is None:
            continue
        parts = words[0].split()
        for n in range(min(len(parts), MAX_NAME_WORDS), 1, -1):
            candidate = " ".join(parts[:n])
            name = names.person(candidate.removesuffix("'s"), is_cued=False)
            if name is not None:
                work.add(Chip(Kind.PERSON, name))
                work.cut(match.start(), match.start() + len(candidate))
                _take_plain_people(work, names)
                return
    _take_owner(work, names)


def _take_owner(work: Working, names: Names) -> None:
    """ "hitchcock films", "kurosawa's movies"."""
    match = re.search(rf"([\w.-]+?)(?:'s?)? (?=(?:{FILM_NOUNS}|{_any_of(GENRES)})\b)", work.text)
    if match and match[1] not in LIGHT and match[1] not in GENRES and work.is_head(match.start()):
        name = names.person(match[1], is_cued=True)
        if name is not None:
            work.add(Chip(Kind.PERSON, name))
            work.cut(match.start(), match.end())


def _take_places(work: Working) -> None:
    """Languages and countries of origin; "set in Japan" and "a French girl" are neither."""

    def in_language(match: re.Match[str]) -> list[Chip]:
        return [Chip(Kind.LANGUAGE, LANGUAGES[match["name"]], bool(match["no"]))]

    def country(match: re.Match[str]) -> list[Chip]:
        return [Chip(Kind.COUNTRY, COUNTRIES[match["name"]], bool(match["no"]))]

    def demonym(match: re.Match[str]) -> list[Chip] | None:
        name, is_negated = match["name"], bool(match["no"])
        if match["language"] and name in LANGUAGES:
            return [Chip(Kind.LANGUAGE, LANGUAGES[name], is_negated)]
        if not (is_negated or work.is_head(match.start())) or not _describes_films(
            work.text[match.end() :]
        ):
            return None
        if name in LANGUAGE_ONLY:
            return [Chip(Kind.LANGUAGE, LANGUAGES[name], is_negated)]
        if name not in DEMONYMS:
            return None
        return [Chip(Kind.COUNTRY, DEMONYMS[name], is_negated)]

    work.take(_SUBTITLES, lambda _: [])
    work.take(_IN_LANGUAGE, in_language)
    work.take(_COUNTRY, country)
    work.take(_BOLLYWOOD, lambda _: [Chip(Kind.LANGUAGE, "hi")])
    work.take(_ANIME, lambda _: [Chip(Kind.GENRE, "Animation"), Chip(Kind.COUNTRY, "JP")])
    work.take(
        _FOREIGN,
        lambda match: (
            [Chip(Kind.LANGUAGE, "en", is_negated=True)]
            if work.is_head(match.start()) and _describes_films(work.text[match.end() :])
            else None
        ),
    )
    work.take(_DEMONYM, demonym)


_PLAIN_ADJECTIVES = _any_of(word for word in LIGHT if len(word) > 3)
_FILMS_FOLLOW = re.compile(
    rf"\s*(?:(?:{_PLAIN_ADJECTIVES}|{MARK}|\d\d(?:\d\d)?s|{_any_of(DEMONYMS)}|or|and|,|/)\s+)*"
    rf"(?:{FILM_NOUNS}\b|(?:{_any_of(GENRES)})(?![\w-]){FOLLOWS}|"
    rf"(?:{_any_of(GENRES)})\s+(?:{FILM_NOUNS}|{_any_of(GENRES)})\b|anime|{MARK}|language\b|one\b|$)"
)


def _describes_films(after: str) -> bool:
    """Whether an adjective's noun is a film: "french (crime) thriller", not "french girl"."""
    return bool(_FILMS_FOLLOW.match(after))


def take_genres(work: Working) -> None:
    """Genres wanted and refused, where they are genres and no part of a plot."""

    def genre(match: re.Match[str]) -> list[Chip] | None:
        word, is_negated = match["genre"], bool(match["no"])
        after = work.text[match.end() :]
        wanted = list(GENRES[word])
        if match["other"] and not is_negated:
            # One condition: a film of either will do.
            wanted = ["|".join([*wanted, *GENRES[match["other"]]])]
        elif match["other"]:
            wanted += GENRES[match["other"]]
        chips = [Chip(Kind.GENRE, name, is_negated) for name in wanted]
        if is_negated:
            return chips
        if re.match(rf"\s*(?:{FILM_NOUNS})\b", after):
            return chips
        if not work.is_head(match.start()) and not _is_listed(work.text[: match.start()]):
            return None
        is_before_genre = re.match(rf"[\s/,&-]*(?:and |or )?(?:{_any_of(GENRES)})(?![\w-])", after)
        if (
            word in WEAK_GENRES
            and not match["other"]
            and not (is_before_genre or _is_weak_genre_clear(work, match))
        ):
            return None
        if is_before_genre or re.match(FOLLOWS, after):
            return chips
        return None

    # Twice: "crime" is a genre once "thriller" behind it is known to be one.
    for _ in range(2):
        work.take(_GENRE, genre)
    work.take(
        re.compile(rf"{MARK}\s+(?:or|and|,|but)\s+{_NOT}\s+(?P<genre>{_any_of(GENRES)})\b"),
        lambda match: [Chip(Kind.GENRE, name, True) for name in GENRES[match["genre"]]],
    )


def _is_listed(before: str) -> bool:
    """After "and", "or" or a comma behind something understood: "french, action and comedy"."""
    return bool(re.search(rf"{MARK}\s*(?:,|and|or|&|/)?\s*$", before))


def _is_weak_genre_clear(work: Working, match: re.Match[str]) -> bool:
    """A weak genre counts as the whole request, or right beside a mark."""
    before, after = work.text[: match.start()], work.text[match.end() :]
    if re.search(r"\b(?:about|for|of|with)(?: the| a| my)?\s*$", before):
        return False
    is_alone = work.is_head(match.start()) and not after.replace(MARK, "").strip(" ,.!?")
    starts_list = bool(re.match(r"\s*(?:,|and|or|&|/)\s*", after)) and work.is_head(match.start())
    return (
        is_alone
        or starts_list
        or bool(re.search(rf"{MARK}\s*$", before))
        or after.lstrip()[:1] == MARK
    )
