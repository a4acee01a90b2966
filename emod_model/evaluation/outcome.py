"""What comes of an evaluation, and how it is told to a program."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from emod_model.evaluation.figures import Judged, by_person, confusion, summary
from emod_model.evaluation.linear import Kind
from emod_model.evaluation.rated import Rated, figures
from emod_model.evaluation.table import Array, WindowTable

EMOD = "EMOD"
FROZEN = "EMOD frozen, linear head"
EVERYONE = "everyone"
_DIGITS = 6


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one method said under one kind of centring of one part of the people.

    Attributes
    ----------
    method : str
        `EMOD`, `FROZEN`, a linear model by its channels, a predictor without EEG.
    kind : {"none", "causal", "transductive"}
        Centring.
    part : str
        "train", "validate", "test", or "everyone".
    fitted_on : int
        People it learnt from here, the most in any fold; 0 for what is taken as it comes.
    judged : Judged
    """

    method: str
    kind: Kind
    part: str
    fitted_on: int
    judged: Judged


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A protocol carried out.

    Attributes
    ----------
    protocol, source : str
        Name, and the folder or store.
    table : WindowTable
        Every window.
    parts : dict of str to tuple of str
        People of each part.
    outcomes : list of Outcome
    model : dict
        What the checkpoint says of itself; empty without one.
    affect : dict of kind to numpy.ndarray, shape (windows, 2)
        By kind of centring, valence and arousal of every window; empty without a model.
    unread : int
        Windows of which the live path made no estimate: the last one of the trial was held.
    notes : tuple of str
        One sentence each.
    rated : list of Rated
        What came of valence and arousal where there are ratings.
    """

    protocol: str
    source: str
    table: WindowTable
    parts: dict[str, tuple[str, ...]]
    outcomes: list[Outcome]
    model: dict[str, Any] = field(default_factory=dict)
    affect: dict[Kind, Array] = field(default_factory=dict)
    unread: int = 0
    notes: tuple[str, ...] = ()
    rated: list[Rated] = field(default_factory=list)

    @property
    def part(self) -> str:
        """The part that answers the question: those judged, else chosen on, else all there are."""
        return next(part for part in ("test", "validate", EVERYONE, "train") if part in self.parts)

    def of(self, part: str) -> dict[str, dict[Kind, Outcome]]:
        """Return the outcomes of a part by method and kind, in the order they were made."""
        result: dict[str, dict[Kind, Outcome]] = {}
        for outcome in self.outcomes:
            if outcome.part == part:
                result.setdefault(outcome.method, {})[outcome.kind] = outcome
        return result


def as_object(evaluation: Evaluation, seed: int = 0) -> dict[str, Any]:
    """Return an evaluation as one JSON object, described in docs/evaluation.md.

    Parameters
    ----------
    evaluation : Evaluation
    seed : int
        Of the bootstrap.
    """
    return {
        "protocol": evaluation.protocol,
        "source": evaluation.source,
        "classes": list(evaluation.table.classes),
        "windows": len(evaluation.table),
        "unread": evaluation.unread,
        "model": evaluation.model or None,
        "judged": evaluation.part,
        "parts": {
            part: {
                "people": list(people),
                "methods": {
                    method: {kind: _figures(outcome, seed) for kind, outcome in kinds.items()}
                    for method, kinds in evaluation.of(part).items()
                },
                "ratings": _ratings(evaluation.rated, part, seed),
            }
            for part, people in evaluation.parts.items()
        },
        "notes": list(evaluation.notes),
    }


def _ratings(rated: list[Rated], part: str, seed: int) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for one in rated:
        if one.part == part:
            found.setdefault(one.method, {})[one.kind] = figures(one, seed)
    return found


def _figures(outcome: Outcome, seed: int) -> dict[str, Any]:
    judged = outcome.judged
    people = by_person(judged)
    told = summary(judged, people, seed=seed)
    return {
        "windows": len(judged.truth),
        "fitted_on_people": outcome.fitted_on,
        "pooled": _plain({measure: value["pooled"] for measure, value in told.items()}),
        "interval": _plain({measure: value["interval"] for measure, value in told.items()}),
        "mean": _plain({measure: value["mean"] for measure, value in told.items() if "mean" in value}),
        "sd": _plain({measure: value["sd"] for measure, value in told.items() if "sd" in value}),
        "mean_interval": _plain(
            {measure: value["mean_interval"] for measure, value in told.items() if "mean_interval" in value}
        ),
        "people": {person: _plain(values) for person, values in people.items()},
        "confusion": confusion(judged).tolist(),
    }


def _plain(values: Any) -> Any:
    """Return numbers that JSON has: rounded, and null for what is not one."""
    if isinstance(values, dict):
        return {key: _plain(value) for key, value in values.items()}
    if isinstance(values, Iterable):
        return [_plain(value) for value in values]
    return None if math.isnan(values) else round(float(values), _DIGITS)
