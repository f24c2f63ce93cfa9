"""Kinds of audience: who they are, what they like, how lists fare with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.selectors import audience_is_simulated
from dashboard.charts import BarChart, bar_chart
from dashboard.clusters.reading import newest
from dashboard.clusters.words import cluster_name, mark_name
from dashboard.models import Clustering, TasteCluster
from dashboard.plots import Origin, Shares, shares
from dashboard.staff.periods import Period, shown_days
from dashboard.staff.shown_page import SliceRow, cluster_slice_names, origins, slice_rows
from dashboard.staff.tiles import Tile
from dashboard.units import as_number, as_percent, as_score
from ml.clusters import MIN_FILMS, MIN_PEOPLE

N_TRAITS = 8


@dataclass(frozen=True)
class ClusterRow:
    """One kind: medians of its people."""

    name: str
    n_people: int
    n_accounts: int
    liked: str
    per_sitting: str
    sittings: str
    liked_share: str


@dataclass(frozen=True)
class ClustersPage:
    """What the page shows; ``clustering`` is None where none were found."""

    clustering: Clustering | None
    tiles: tuple[Tile, ...] = ()
    sizes: Shares | None = None
    sittings: Shares | None = None
    rows: tuple[ClusterRow, ...] = ()
    charts: tuple[BarChart, ...] = ()
    slices: tuple[SliceRow, ...] = ()
    origins: tuple[Origin, ...] = ()
    counted_at: datetime | None = None
    is_audience_simulated: bool = False
    n_films_needed: int = MIN_FILMS
    n_people_needed: int = MIN_PEOPLE


def clusters_page(period: Period) -> ClustersPage:
    """From what is stored, in a fixed number of queries."""
    clustering = newest()
    if clustering is None:
        return ClustersPage(None)
    rows = list(clustering.clusters.with_accounts())
    days = list(shown_days(period).values())
    names = {row.pk: cluster_name(row.marks, key=row.key) for row in rows}
    return ClustersPage(
        clustering=clustering,
        tiles=_tiles(clustering, rows),
        sizes=shares(
            "sizes",
            _("People by kind"),
            {names[row.pk]: row.n_people for row in rows},
            of=_("People"),
        ),
        sittings=_sittings(clustering),
        rows=tuple(_row(row, names[row.pk]) for row in rows),
        charts=tuple(_chart(row, names[row.pk], clustering) for row in rows),
        slices=slice_rows(days, cluster_slice_names(), is_people=True),
        origins=origins(period),
        counted_at=max((day.computed_at for day in days), default=None),
        is_audience_simulated=audience_is_simulated(),
    )


def _tiles(clustering: Clustering, rows: list[TasteCluster]) -> tuple[Tile, ...]:
    return (
        Tile(_("Kinds of audience"), as_number(len(rows)), ""),
        Tile(
            _("People"),
            as_number(clustering.n_people),
            _("with %(n)s liked films or more") % {"n": MIN_FILMS},
        ),
        Tile(
            _("Silhouette"),
            as_score(clustering.width),
            _("0: no cut is better than none, 1: wide apart"),
        ),
        Tile(
            _("Sittings"),
            as_number(clustering.figures["n_sittings"]),
            _("a break of over %(n)s minutes begins a new one")
            % {"n": clustering.figures["gap_s"] // 60},
        ),
    )


def _sittings(clustering: Clustering) -> Shares:
    """Sittings by their number of films, in the order of the numbers."""
    edges = clustering.figures["edges"]
    names = []
    for low, high in zip([0, *edges], [*edges, None], strict=True):
        if high is None:
            names.append(_("over %(n)s films") % {"n": low})
        elif high - low == 1:
            names.append(ngettext("%(n)s film", "%(n)s films", high) % {"n": high})
        else:
            names.append(_("%(low)s to %(high)s films") % {"low": low + 1, "high": high})
    counts = dict(zip(names, clustering.figures["sizes"], strict=True))
    found = shares(
        "sittings", _("Sittings by how many films were answered"), counts, of=_("Sittings")
    )
    in_order = sorted(found.rows, key=lambda row: names.index(row.name))
    return Shares(found.slug, found.title, found.of, tuple(in_order))


def _row(row: TasteCluster, name: str) -> ClusterRow:
    figures = row.figures
    return ClusterRow(
        name=name,
        n_people=row.n_people,
        n_accounts=row.n_accounts,  # type: ignore[attr-defined]  # annotated by with_accounts
        liked=as_number(figures["liked"]),
        per_sitting=as_number(figures["per_sitting"]),
        sittings=as_number(figures["sittings"]),
        liked_share=as_percent(figures["liked_share"]),
    )


def _chart(row: TasteCluster, name: str, clustering: Clustering) -> BarChart:
    """What its people like more of than others do, by the scaled departure."""
    mean = np.array(clustering.mean)
    away = (np.array(row.shares) - mean) / np.sqrt(np.maximum(mean, 1e-3))
    best = [i for i in np.argsort(-away, kind="stable")[:N_TRAITS] if away[i] > 0]
    bars = [(mark_name(clustering.traits[i]), row.shares[i], clustering.mean[i]) for i in best]
    return bar_chart(
        f"kind-{row.number}", name, bars, mine=_("Films its people like"), theirs=_("Everybody's")
    )
