"""The answer of an experiment in plain words. Every number in them is of the verdict."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recommendations.experiments.models import Experiment
from recommendations.experiments.verdicts import Answer, Guard, Verdict
from recommendations.sources import SOURCES


def policy_label(name: str) -> str:
    """A policy as people read it."""
    return str(SOURCES[name].label) if name in SOURCES else name


def answer_said(experiment: Experiment, verdict: Verdict) -> str:
    """One line: which is better, or that nobody can tell yet."""
    answer = Answer(verdict.answer)
    if answer is Answer.BROKEN:
        return _("The split is broken: nothing here can be trusted.")
    if answer is Answer.TOO_FEW:
        return _("Too few answers to say anything yet.")
    if answer is Answer.UNKNOWN:
        return _("Cannot tell yet.")
    if answer is Answer.ALIKE:
        return _("No difference that would matter.")
    better = "B" if answer is Answer.BETTER else "A"
    if experiment.is_same_twice:
        return _("A false alarm: both are the same policy, and %(better)s looks better.") % {
            "better": better
        }
    return _("%(better)s is better.") % {"better": better}


def details_said(experiment: Experiment, verdict: Verdict) -> list[str]:
    """What stands behind the answer, a sentence each."""
    answer = Answer(verdict.answer)
    said = []
    if answer is Answer.BROKEN:
        said.append(guard_said(Guard.MISMATCH))
    if verdict.lo is not None and verdict.hi is not None:
        said.append(_effect(experiment, verdict))
    if answer in (Answer.BETTER, Answer.WORSE):
        said.append(_chance(verdict))
    if answer is Answer.TOO_FEW:
        said.append(
            _("At least 30 lists with a like that tells A from B are needed.")
            if experiment.kind == Experiment.Kind.INTERLEAVED
            else _("At least 30 people of each arm whose time is over are needed.")
        )
    if answer is Answer.UNKNOWN:
        said.append(_more(experiment, verdict))
    if verdict.n_waiting:
        said.append(_waiting(experiment, verdict.n_waiting))
    return said


def _effect(experiment: Experiment, verdict: Verdict) -> str:
    lo, hi = verdict.lo or 0.0, verdict.hi or 0.0
    if experiment.kind == Experiment.Kind.INTERLEAVED:
        # A preference of d is (1 + d) / 2 of the credit of a list that tells them apart.
        return _(
            "Of the likes that tell the two apart, B's films got %(b)s and A's %(a)s; B's lead per "
            "list is %(mean)s points of 100, between %(lo)s and %(hi)s."
        ) % {
            "b": verdict.n_b,
            "a": verdict.n_a,
            "mean": f"{100 * verdict.estimate:+.1f}",
            "lo": f"{100 * lo:+.1f}",
            "hi": f"{100 * hi:+.1f}",
        }
    if not verdict.mean_a:
        return _("B has %(mean)s likes a list more, between %(lo)s and %(hi)s.") % {
            "mean": f"{verdict.estimate:+.3f}",
            "lo": f"{lo:+.3f}",
            "hi": f"{hi:+.3f}",
        }
    base = verdict.mean_a
    return _(
        "Likes per list: %(b)s with B, %(a)s with A: %(mean)s %%, between %(lo)s %% and %(hi)s %%."
    ) % {
        "b": f"{verdict.mean_b or 0.0:.3f}",
        "a": f"{base:.3f}",
        "mean": f"{100 * verdict.estimate / base:+.0f}",
        "lo": f"{100 * lo / base:+.0f}",
        "hi": f"{100 * hi / base:+.0f}",
    }


def _chance(verdict: Verdict) -> str:
    one_in = 1.0 / max(verdict.p_value, 1e-6)
    shown = f"{int(one_in):,}" if one_in < 1e6 else _("a million")
    return _(
        "Were both alike, an experiment that is looked at all the time would show this by chance "
        "in fewer than 1 of %(n)s cases."
    ) % {"n": shown}


def _more(experiment: Experiment, verdict: Verdict) -> str:
    if verdict.more is None:
        return _("A difference as small as this would take too many to wait for.")
    if experiment.kind == Experiment.Kind.INTERLEAVED:
        return ngettext(
            "If it goes on like this, about %(n)s more list is needed.",
            "If it goes on like this, about %(n)s more lists are needed.",
            verdict.more,
        ) % {"n": f"{verdict.more:,}"}
    return ngettext(
        "If it goes on like this, about %(n)s more person is needed.",
        "If it goes on like this, about %(n)s more people are needed.",
        verdict.more,
    ) % {"n": f"{verdict.more:,}"}


def _waiting(experiment: Experiment, n: int) -> str:
    if experiment.kind == Experiment.Kind.INTERLEAVED:
        return ngettext(
            "%(n)s list is too new to count yet.", "%(n)s lists are too new to count yet.", n
        ) % {"n": f"{n:,}"}
    return ngettext(
        "%(n)s person's time is not over yet.", "The time of %(n)s people is not over yet.", n
    ) % {"n": f"{n:,}"}


def guard_said(guard: str) -> str:
    """What tripped, and what it means."""
    return {
        Guard.MISMATCH: _(
            "The arms' sizes cannot come from the split that was asked for: something treats them "
            "differently before they are counted. Look for lists that are lost in one arm."
        ),
        Guard.HARM: _("People like less of what B shows."),
        Guard.NOES: _("People say no to B's films more often."),
        Guard.FILLED: _("B has too few films for many people: popular ones fill its lists."),
    }[Guard(guard)]
