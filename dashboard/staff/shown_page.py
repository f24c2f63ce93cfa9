"""What people were shown: how much of the catalogue, how varied, why, and how well taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import caches
from django.db.models import Count, Max, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.clusters.words import cluster_name
from dashboard.models import ShownDay, TasteCluster
from dashboard.plots import Origin, Shares, TimePlot, shares, time_plot
from dashboard.rollup.days import DAY
from dashboard.rollup.shown import (
    CLUSTER_PREFIX,
    FILM_SLICES,
    FOREIGN,
    HEAD,
    HEAVY,
    LIGHT,
    NEW,
    NOBODY,
    OLD,
    PEOPLE_SLICES,
    TAIL,
    exposure_gini,
    exposure_over,
)
from dashboard.staff.periods import Period, ratio, rows_before, shown_days, summed_counts
from dashboard.staff.tiles import Tile, percent_tile, share_tile, tile
from dashboard.units import as_percent, as_ratio
from ml.bootstrap import share_interval

SLICE_NAMES = {
    NOBODY: gettext_lazy("People of whom nothing is known"),
    NEW: gettext_lazy("New people (up to 5 films)"),
    LIGHT: gettext_lazy("Light users (6 to 20)"),
    HEAVY: gettext_lazy("Heavy users (over 20)"),
    HEAD: gettext_lazy("Well known films (best known tenth)"),
    TAIL: gettext_lazy("All other films"),
    OLD: gettext_lazy("Films over 30 years old"),
    FOREIGN: gettext_lazy("Films not in English"),
}

SPREAD_DAYS = 28
SPREAD_KEPT_S = 24 * 3600


@dataclass(frozen=True)
class SliceRow:
    """How one part of people or films fared. ``lists`` is None for films."""

    name: str
    lists: int | None
    impressions: int
    share: str
    opinions: int
    positive: str


@dataclass(frozen=True)
class ShownPage:
    """What the page shows."""

    tiles: tuple[Tile, ...]
    plots: tuple[TimePlot, ...]
    shares: tuple[Shares, ...]
    people: tuple[SliceRow, ...]
    # By kind of audience; empty where none were found.
    kinds: tuple[SliceRow, ...]
    films: tuple[SliceRow, ...]
    origins: tuple[Origin, ...]
    counted_at: datetime | None


def origins(period: Period) -> tuple[Origin, ...]:
    """The roll-up as a file, and the lists themselves."""
    table = reverse("dashboard:staff_csv", args=["shown"]) + f"?days={period.n_days}"
    lists = reverse("admin:feedback_slate_changelist")
    return Origin(_("the days, as CSV"), table), Origin(_("the lists"), lists)


def shown_page(period: Period) -> ShownPage:
    """From the roll-ups, in a fixed number of queries."""
    rows = shown_days(period)
    known = list(rows.values())
    before = rows_before(ShownDay, period)
    days = period.day_names
    from_where = origins(period)

    def per_day(value: str) -> list[float | None]:
        return [getattr(rows[day], value) if day in rows else None for day in period.days]

    def share(part: str) -> list[float | None]:
        return [
            ratio(getattr(rows[day], part), rows[day].n_lists) if day in rows else None
            for day in period.days
        ]

    coverage = [
        ratio(rows[day].n_films, rows[day].n_catalogue) if day in rows else None
        for day in period.days
    ]
    return ShownPage(
        tiles=shown_tiles(period, known, before),
        plots=(
            time_plot(
                "lists",
                _("Lists per day"),
                days,
                [(_("Lists"), [float(n or 0) for n in per_day("n_lists")])],
                is_bars=True,
                origins=from_where,
            ),
            time_plot(
                "coverage",
                _("Films shown to somebody, of the catalogue"),
                days,
                [(_("Coverage"), coverage)],
                unit=as_percent,
                note=_("Few lists can show few films: compare days with about as many lists."),
                origins=from_where,
            ),
            time_plot(
                "gini",
                _("Gini of exposure"),
                days,
                [(_("Gini"), per_day("gini"))],
                unit=as_ratio,
                top=1.0,
                note=_("0: every film is shown equally often. 1: one film for everybody."),
                origins=from_where,
            ),
            time_plot(
                "novelty",
                _("Novelty"),
                days,
                [(_("Bits"), per_day("novelty"))],
                note=_("How much rarer than the best known film: one bit is half as many ratings."),
                origins=from_where,
            ),
            time_plot(
                "diversity",
                _("Variety within a list"),
                days,
                [(_("Distance"), per_day("diversity"))],
                unit=as_ratio,
                top=1.0,
                note=_("Mean genre distance between two of the first ten films. 0: all alike."),
                origins=from_where,
            ),
            time_plot(
                "cold",
                _("Lists for people of whom nothing is known, and lists that were filled up"),
                days,
                [(_("Nothing known"), share("n_cold")), (_("Filled up"), share("n_fallback"))],
                unit=as_percent,
                origins=from_where,
            ),
        ),
        shares=tuple(
            shares(slug, title, summed_counts(known, slug), of=of, origins=from_where)
            for slug, title, of in (
                ("reason", _("Reasons given"), _("Films shown")),
                ("source", _("Sources"), _("Films shown")),
                ("surface", _("Where lists were shown"), _("Lists")),
                ("model_version", _("Model versions"), _("Lists")),
                ("policy", _("Policies"), _("Lists")),
            )
        ),
        people=slice_rows(known, _named(PEOPLE_SLICES), is_people=True),
        kinds=slice_rows(known, cluster_slice_names(), is_people=True),
        films=slice_rows(known, _named(FILM_SLICES), is_people=False),
        origins=from_where,
        counted_at=max((row.computed_at for row in known), default=None),
    )


def spread_over(period: Period) -> tuple[float | None, float | None]:
    """Coverage and Gini of the films shown in the period's last SPREAD_DAYS, each film once.

    Not of a year: hundreds of days by tens of thousands of films took seconds to unite. It stays
    what it is until a day of them is counted again.
    """
    first = period.today - min(period.n_days, SPREAD_DAYS) * DAY
    rows = ShownDay.objects.filter(day__gt=first, day__lte=period.today)
    counted = rows.aggregate(n=Count("pk"), at=Max("computed_at"))
    if not counted["n"]:
        return None, None
    key = f"spread-{first}-{period.today}-{counted['n']}-{counted['at'].timestamp()}"
    kept: tuple[float | None, float | None] | None = caches["disposable"].get(key)
    if kept is None:
        kept = _spread(rows)
        caches["disposable"].set(key, kept, SPREAD_KEPT_S)
    return kept


def _spread(rows: QuerySet[ShownDay]) -> tuple[float | None, float | None]:
    days = list(rows.values_list("exposure", "n_catalogue"))
    _ids, counts = exposure_over(bytes(exposure) for exposure, _n in days)
    n_catalogue = max(n for _exposure, n in days)
    return ratio(len(counts), n_catalogue), exposure_gini(counts, n_catalogue)


def shown_tiles(
    period: Period, known: list[ShownDay], before: list[ShownDay] | None
) -> tuple[Tile, ...]:
    """The figures of a period against those of the one before, where there was a whole one."""

    def total(rows: list[ShownDay], name: str) -> int:
        return sum(getattr(row, name) for row in rows)

    def mean(rows: list[ShownDay], name: str) -> float | None:
        weighed = [(getattr(r, name), r.n_lists) for r in rows if getattr(r, name) is not None]
        return ratio(sum(v * n for v, n in weighed), sum(n for _v, n in weighed))

    lately = Period(min(period.n_days, SPREAD_DAYS), period.today)
    coverage, gini = spread_over(lately)
    coverage_before, gini_before = (None, None) if before is None else spread_over(lately.before)
    note = "" if lately == period else _("of the last %(n)s days") % {"n": SPREAD_DAYS}
    n = total(known, "n_lists")
    return (
        tile(_("Lists shown"), n, None if before is None else total(before, "n_lists")),
        percent_tile(_("Catalogue coverage"), coverage, coverage_before, note=note),
        tile(_("Gini of exposure"), gini, gini_before, unit=as_ratio, note=note),
        tile(_("Novelty in bits"), mean(known, "novelty"), mean(before or [], "novelty")),
        tile(
            _("Variety within a list"),
            mean(known, "diversity"),
            mean(before or [], "diversity"),
            unit=as_ratio,
        ),
        share_tile(
            _("Lists for strangers"),
            total(known, "n_cold"),
            n,
            None if before is None else (total(before, "n_cold"), total(before, "n_lists")),
            of=_("lists"),
        ),
    )


def slice_rows(
    known: list[ShownDay], names: Mapping[str, object], *, is_people: bool
) -> tuple[SliceRow, ...]:
    """The sums over all days of the slices that ``names`` calls by a name for people."""
    totals: dict[str, dict[str, int]] = {name: {} for name in names}
    for day in known:
        for name in names:
            for key, n in day.slices.get(name, {}).items():
                totals[name][key] = totals[name].get(key, 0) + n
    n_shown = sum(day.n_impressions for day in known)
    return tuple(
        SliceRow(
            name=str(names[name]),
            lists=of.get("lists", 0) if is_people else None,
            impressions=of.get("impressions", 0),
            share=_percent(of.get("impressions", 0), n_shown),
            opinions=of.get("opinions", 0),
            positive=_share_text(of.get("positive", 0), of.get("opinions", 0)),
        )
        for name, of in totals.items()
    )


def _named(names: tuple[str, ...]) -> dict[str, object]:
    return {name: SLICE_NAMES[name] for name in names}


def cluster_slice_names() -> dict[str, object]:
    """What the slices of the kinds of audience of today are called, the largest first."""
    return {
        CLUSTER_PREFIX + row.key: cluster_name(row.marks, key=row.key)
        for row in TasteCluster.objects.order_by("number")
    }


def _share_text(part: int, whole: int) -> str:
    """ "60 % (31 % to 83 %)": with its interval, or a dash for nothing."""
    if not whole:
        return "–"
    found = share_interval(part, whole)
    return _("%(share)s (%(low)s to %(high)s)") % {
        "share": as_percent(found.mean),
        "low": as_percent(found.lo),
        "high": as_percent(found.hi),
    }


def _percent(part: int, whole: int) -> str:
    share = ratio(part, whole)
    return "–" if share is None else as_percent(share)
