"""The report of an evaluation: one page that needs nothing beside it."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emod_model.errors import UsageError
from emod_rt.calibration.page import heading, page, paragraph, picture, table
from emod_rt.evaluation import pictures
from emod_rt.evaluation.words import FIRST, KINDS, MEASURES, notes, number, ratings_rows, said, with_interval
from emod_rt.view import unvalidated

if TYPE_CHECKING:
    from emod_model.evaluation.outcome import Evaluation


def write_report(path: Path, found: "Evaluation", told: dict[str, Any]) -> None:
    """Write the page.

    Parameters
    ----------
    path : pathlib.Path
        Replaced if it is there.
    found : Evaluation
        For the points of the plane.
    told : dict
        The same as one object, from `as_object`.

    Raises
    ------
    UsageError
        It cannot be written there.
    """
    title = f"{told['protocol']}: {told['model']['name'] if told['model'] else 'baselines'}"
    text = page(title, _parts(found, told))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); choose another place") from error


def _parts(found: "Evaluation", told: dict[str, Any]) -> list[str]:
    part = told["parts"][told["judged"]]
    parts = _head(told, part)
    if part["methods"]:
        parts += [heading("Every method on the same windows"), _methods(part["methods"])]
    if part["ratings"]:
        heads, rows = ratings_rows(part["ratings"])
        parts += [heading("Valence and arousal against ratings"), table(heads, rows, numeric=2)]
    if FIRST in part["methods"]:
        parts += _model(told, part["methods"][FIRST])
    if found.affect:
        parts.append(_plane(found, told))
    if FIRST in part["methods"]:
        parts += _people(part["methods"][FIRST], part["people"])
    parts += [heading("What to know"), *(paragraph(sentence) for sentence in notes(told))]
    return parts


def _head(told: dict[str, Any], part: dict[str, Any]) -> list[str]:
    people = part["people"]
    who = f"{people[0]} to {people[-1]}" if len(people) > 1 else people[0]
    count = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    parts = [
        f"<h1>{escape(' against '.join(told['classes']) or 'Ratings')}</h1>",
        paragraph(f"Protocol {told['protocol']}, {told['judged']}: {count}, {who}", "dim"),
    ]
    model = told["model"]
    if model:
        parts.append(
            paragraph(
                f"Model {model['name']}, on {len(model['channels'])} electrodes. Trained on "
                f"{model['trained_on'].rstrip('.')}."
            )
        )
        if model["simulated"]:
            parts.append(
                '<p class="made-up"><strong>SIMULATED.</strong> The model was trained on simulated signals. '
                "What it says of people is by chance, and stands here to be held against.</p>"
            )
        if model["unvalidated"]:
            axes = escape(unvalidated(tuple(model["unvalidated"])))
            parts.append(f'<p class="made-up"><strong>{axes}.</strong></p>')
    return parts


def _methods(methods: dict[str, Any]) -> str:
    heads = ["", *(f"{words}: {what}" for words in KINDS.values() for what in ("bal. acc. (95 %)", "AUROC"))]
    rows = [
        [
            method,
            *(
                cell
                for kind in KINDS
                for cell in (
                    (with_interval(kinds[kind]), number(kinds[kind], "auroc")) if kind in kinds else ("", "")
                )
            ),
        ]
        for method, kinds in methods.items()
    ]
    return table(heads, rows, numeric=1)


def _model(told: dict[str, Any], kinds: dict[str, Any]) -> list[str]:
    counts = {KINDS[kind]: figures["confusion"] for kind, figures in kinds.items()}
    return [
        heading("The model's own answer"),
        picture(
            pictures.confusions(counts, told["classes"]),
            "How often each class was called which, for each kind of centring.",
            "Each row adds up to all windows of that class. Good: dark from top left to bottom right.",
        ),
    ]


def _plane(found: "Evaluation", told: dict[str, Any]) -> str:
    people = told["parts"][told["judged"]]["people"]
    rows = np.isin(found.table.subject, people) & (found.table.label >= 0)
    affect = {KINDS[kind]: points[rows] for kind, points in found.affect.items()}
    if "causal" in found.affect:
        # the rest that was taken off is not judged, so it is not shown
        rest = found.table.baseline[rows]
        affect[KINDS["causal"]] = np.where(rest[:, None], np.nan, affect[KINDS["causal"]])
    threshold, classes = told["model"]["threshold"], told["classes"]
    caption = "Small: windows. Large: the mean of a class. What lies beyond 1 is drawn at the edge."
    if told["model"]["unvalidated"]:
        caption += f" {unvalidated(tuple(told['model']['unvalidated'])).capitalize()}."
    if threshold is not None:
        caption += f" Dashed: the arousal above which a window is called {classes[-1]}."
    return picture(
        pictures.plane(affect, found.table.label[rows], classes, threshold),
        "Windows on the plane of valence and arousal, by class and kind of centring.",
        caption,
    )


def _people(kinds: dict[str, Any], people: list[str]) -> list[str]:
    measures = [
        [words, *(with_interval(figures, measure) for figures in kinds.values())]
        for measure, words in MEASURES.items()
    ]
    two = ("balanced_accuracy", "auroc")
    rows = [
        [
            person,
            *(
                said(figures["people"].get(person, {}).get(measure))
                for figures in kinds.values()
                for measure in two
            ),
        ]
        for person in people
    ]
    heads = [f"{KINDS[kind]}: {what}" for kind in kinds for what in ("bal. acc.", "AUROC")]
    return [
        heading("All measures"),
        table(["pooled over windows", *(KINDS[kind] for kind in kinds)], measures, numeric=1),
        heading("Person by person"),
        table(["", *heads], rows, numeric=1),
    ]
