"""The form that makes an experiment."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from recommendations.experiments.models import Experiment
from recommendations.experiments.words import policy_label
from recommendations.services.experiments import Wanted


class ExperimentForm(forms.Form):
    """Percentages for people, shares for the service (:meth:`wanted`)."""

    name = forms.CharField(label=_("Name"), max_length=80)
    question = forms.CharField(label=_("What do you want to know?"), max_length=500, required=False)
    kind = forms.ChoiceField(
        label=_("How"), choices=Experiment.Kind.choices, initial=Experiment.Kind.INTERLEAVED,
        help_text=_("Interleaving tells sooner which is better; A/B tells by how much."),
    )  # fmt: skip
    policy_a = forms.ChoiceField(label=_("Policy A: what is there"))
    policy_b = forms.ChoiceField(
        label=_("Policy B: what is new"),
        help_text=_("The same as A makes an A/A test: it should find nothing."),
    )
    share_percent = forms.FloatField(
        label=_("People who take part, in per cent"), initial=100, min_value=0.1, max_value=100
    )
    epsilon_percent = forms.FloatField(
        label=_("Lists with a shuffled tail, in per cent"),
        initial=0,
        min_value=0,
        max_value=100,
        help_text=_("A/B only. From the fourth place on; makes other policies judgeable later."),
    )
    window_hours = forms.FloatField(
        label=_("How long an answer counts, in hours"),
        required=False,
        min_value=0.01,
        max_value=24 * 60,
        help_text=_("Empty: a week after a person's first list (A/B), half an hour after a list."),
    )
    min_effect_percent = forms.FloatField(
        label=_("Smallest difference that would matter, in per cent"),
        initial=5,
        min_value=0.1,
        max_value=99,
    )

    def __init__(self, *args: Any, sources: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, f"{policy_label(name)} ({name})") for name in sources]
        for field in ("policy_a", "policy_b"):
            self.fields[field].choices = choices  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """What the valid form asks for."""
        data = self.cleaned_data
        return Wanted(
            name=data["name"],
            question=data["question"],
            kind=data["kind"],
            policy_a=data["policy_a"],
            policy_b=data["policy_b"],
            share=data["share_percent"] / 100,
            epsilon=data["epsilon_percent"] / 100,
            window_hours=data["window_hours"],
            min_effect=data["min_effect_percent"] / 100,
        )
