"""One figure with what it was before."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from dashboard.units import Unit, as_number, as_percent


@dataclass(frozen=True)
class Tile:
    """``text`` is the figure, ``note`` what it means or was; ``is_bad`` asks for a look."""

    label: str
    text: str
    note: str = ""
    url: str = ""
    is_bad: bool = False


def tile(
    label: str,
    value: float | None,
    before: float | None = None,
    *,
    unit: Unit = as_number,
    note: str = "",
    url: str = "",
    is_bad: bool = False,
) -> Tile:
    """A figure beside that of the time before, where there is one."""
    if value is None:
        return Tile(label, "–", note or _("nothing to count yet"), url, is_bad)
    said = note
    if before is not None and not note:
        said = _("%(figure)s in the time before") % {"figure": unit(before)}
    return Tile(label, unit(value), said, url, is_bad)


def share_tile(
    label: str, part: float, whole: float, before: tuple[float, float] | None, *, of: str
) -> Tile:
    """A share with what it is a share of, ``of`` (a plural); ``before`` is (part, whole)."""
    if not whole:
        return tile(label, None)
    said = _("of %(n)s %(what)s") % {"n": as_number(whole), "what": of}
    if before is not None and before[1]:
        said = _("%(now)s; %(figure)s of %(n)s in the time before") % {
            "now": said,
            "figure": as_percent(before[0] / before[1]),
            "n": as_number(before[1]),
        }
    return tile(label, part / whole, unit=as_percent, note=said)


def percent_tile(
    label: str, value: float | None, before: float | None = None, *, note: str = "", url: str = ""
) -> Tile:
    """The same of a share."""
    return tile(label, value, before, unit=as_percent, note=note, url=url)
