"""Texts in other languages: gathered from the code, kept in ``.po`` files, compiled for Django.

All in Python (Babel): a fresh machine has no ``xgettext`` and no ``msgfmt``. The ``.po`` files
under ``locale/`` are source; what is compiled from them lies in ``LOCALE_PATHS``, never committed.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

#: Where texts for people are: the apps and the templates. Tests, benchmarks and ``ml`` have none.
ROOTS = ("accounts", "catalog", "config", "dashboard", "feedback", "recommendations", "templates")
_TEMPLATES = {".html", ".txt", ".webmanifest", ".js"}
_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
_IDLE_HEADERS = (
    rb'^"(POT-Creation-Date|PO-Revision-Date|Report-Msgid|Last-Translator|Language-Team).*\n'
)
_PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|(?<!%)%(?!%)[a-z]|\{\w*\}")


def languages() -> list[str]:
    """The languages that have a file of their own: all but the one that the code is written in."""
    return [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def source_path(language: str) -> Path:
    """The ``.po`` file."""
    return Path(settings.TRANSLATIONS_DIR) / language / "LC_MESSAGES" / "django.po"


def compiled_path(language: str) -> Path:
    """The ``.mo`` file that Django reads."""
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.mo"


def read(language: str) -> Catalog:
    """The language's texts; an empty catalogue where there is no file yet."""
    path = source_path(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def extracted() -> Catalog:
    """Every text that the code and the templates mark."""
    catalog = Catalog()
    for path in _source_files():
        name = path.relative_to(settings.BASE_DIR).as_posix()
        for line, messages, context in _texts_of(path):
            # The first line alone: elsewhere a text moves without having changed.
            catalog.add(messages, locations=[(name, line)], context=context)
    return catalog


def update(language: str) -> Catalog:
    """Write the ``.po`` file anew: new texts empty, texts that are gone left out.

    Nothing is guessed: a text that was changed is a new one, to be translated again.
    """
    catalog = read(language)
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.project, catalog.version = "Marquee", "1"
    name = dict(settings.LANGUAGES)[language]
    catalog.header_comment = f"# {name}: the texts of Marquee. Gathered by manage.py messages."
    for message in catalog:
        files = sorted({name for name, _line in message.locations})
        message.locations = [(name, None) for name in files]  # type: ignore[misc]  # no line is fine
    buffer = io.BytesIO()
    write_po(
        buffer,
        catalog,
        width=100,
        omit_header=False,
        sort_output=True,
        include_lineno=False,
        ignore_obsolete=True,
    )
    # Dates and people of the header would differ in every branch, and say nothing.
    text = re.sub(_IDLE_HEADERS, b"", buffer.getvalue(), flags=re.MULTILINE)
    path = source_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, text)
    return catalog


def problems(language: str) -> list[str]:
    """What keeps the language from being complete, one sentence each."""
    known = read(language)
    found = []
    for wanted in extracted():
        if not wanted.id:
            continue
        message = known.get(wanted.id, wanted.context)
        if message is None:
            found.append(f"not in the file: {_shown(wanted)}")
        else:
            found += _problems_of(message)
    return found


def is_compiled(language: str) -> bool:
    """Whether Django would read the texts as they are now; so where there are none, too."""
    source, target = source_path(language), compiled_path(language)
    if not source.exists():
        return True
    return target.exists() and target.stat().st_mtime_ns == source.stat().st_mtime_ns


def compile_changed() -> list[str]:
    """Compile the languages whose ``.po`` file is newer than what was compiled; which they were."""
    done = []
    for language in languages():
        if is_compiled(language):
            continue
        source, target = source_path(language), compiled_path(language)
        changed_at = source.stat().st_mtime_ns
        buffer = io.BytesIO()
        write_mo(buffer, read(language))
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, buffer.getvalue(), mtime_ns=changed_at)
        done.append(language)
    return done


def _replace(path: Path, content: bytes, *, mtime_ns: int | None = None) -> None:
    """Whole or not at all: another process may be reading it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        if mtime_ns is not None:
            os.utime(name, ns=(mtime_ns, mtime_ns))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _source_files() -> Iterator[Path]:
    for root in ROOTS:
        folder = Path(settings.BASE_DIR) / root
        for path in sorted(folder.rglob("*")):
            if path.suffix == ".py" or (root == "templates" and path.suffix in _TEMPLATES):
                yield path


def _texts_of(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], str | None]]:
    """(line, message or (singular, plural), context) for each marked text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # Django turns a template into something like Python; only its indentation is none.
        text = "\n".join(line.strip() for line in templatize(text, origin=str(path)).split("\n"))
    found_in: Any = extract_python(io.BytesIO(text.encode()), dict.fromkeys(_KEYWORDS), [], {})
    for line, name, found, _comments in found_in:
        if found is None:
            continue  # ``_(variable)``: its words are marked where they stand
        values = (found,) if isinstance(found, str) else tuple(found)
        if name.removeprefix("n").startswith("p"):
            context, values = values[0], values[1:]
        else:
            context = None
        n_forms = 2 if name.startswith("n") else 1
        messages = values[:n_forms]
        if len(messages) == n_forms and all(messages):
            yield line, messages if n_forms == 2 else messages[0], context


def _problems_of(message: Message) -> list[str]:
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    said = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    if not all(said):
        return [f"not translated: {_shown(message)}"]
    found = []
    if message.fuzzy:
        found.append(f"guessed, not translated: {_shown(message)}")
    # A singular may do without its number ("one film"), in the original and in the translation.
    wanted, given = _placeholders(ids[-1]), _placeholders(said[-1])
    if wanted != given:
        found.append(f"other placeholders ({given} for {wanted}): {_shown(message)}")
    allowed = _placeholders(ids[0]) | wanted
    if extra := _placeholders(said[0]) - allowed:
        found.append(f"a placeholder of its own ({extra}): {_shown(message)}")
    found += [
        f"other spaces or lines at its ends: {_shown(message)}"
        for english, other in zip((ids[0], ids[-1]), (said[0], said[-1]), strict=True)
        if _ends(english) != _ends(other)
    ]
    return found


def _placeholders(text: str) -> set[str]:
    return {found.group(0) for found in _PLACEHOLDER.finditer(text)}


def _ends(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _shown(message: Message) -> str:
    text = message.id if isinstance(message.id, str) else message.id[0]
    return f"{message.context + ': ' if message.context else ''}{text!r}"
