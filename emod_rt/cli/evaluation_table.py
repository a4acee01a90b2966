"""An evaluation in the terminal: everything is taken from the same object that --json prints."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emod_rt.evaluation.words import FIRST, KINDS, MEASURES, notes, number, ratings_rows, said
from emod_rt.view import unvalidated


def show(console: Console, told: dict[str, Any]) -> None:
    """Print the part that is judged: every method by kind of centring, then the model person by person."""
    part = told["parts"][told["judged"]]
    people = f"{len(part['people'])} {'person' if len(part['people']) == 1 else 'people'}"
    classes = " against ".join(told["classes"]) or "ratings"
    console.print(Text(f"{told['protocol']}, {told['judged']}: {people}, {classes}", style="bold"))
    if told["model"]:
        line = Text(f"model {told['model']['name']}  ")
        if told["model"]["simulated"]:
            line.append(" SIMULATED ", style="black on yellow").append(" trained on simulated signals")
        if told["model"]["unvalidated"]:
            axes = unvalidated(tuple(told["model"]["unvalidated"]))
            line.append(f" {axes} ", style="black on yellow")
        console.print(line)
    if part["methods"]:
        console.print(_methods(part["methods"]))
    if part["ratings"]:
        console.print(_ratings(part["ratings"]))
    if FIRST in part["methods"]:
        console.print(_people(part["methods"][FIRST], part["people"]))
    for sentence in notes(told):
        console.print(Text(f"  note: {sentence}", style="yellow"), soft_wrap=True)


def _methods(methods: dict[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("")
    _columns(table, KINDS.values())
    for method, kinds in methods.items():
        cells: list[str] = []
        for kind in KINDS:
            figures = kinds.get(kind)
            measures = ("balanced_accuracy", "auroc")
            cells += ["", ""] if figures is None else [number(figures, measure) for measure in measures]
        table.add_row(Text(method), *cells)
    return table


def _ratings(ratings: dict[str, Any]) -> Table:
    heads, rows = ratings_rows(ratings)
    table = Table(box=None, padding=(0, 1, 0, 0))
    for at, head in enumerate(heads):
        table.add_column(Text(head.replace(": ", "\n")), justify="right" if at > 1 else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _columns(table: Table, titles: Iterable[str]) -> None:
    """Add two columns for each title: balanced accuracy and AUROC."""
    for title in titles:
        table.add_column(Text(f"{title}\nbal. acc."), justify="right", no_wrap=True)
        table.add_column(Text("\nAUROC"), justify="right", no_wrap=True)


def _people(kinds: dict[str, Any], people: Iterable[str]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column(Text(FIRST, style="bold"))
    _columns(table, (KINDS[kind] for kind in kinds))
    for person in people:
        row = [kinds[kind]["people"].get(person, {}) for kind in kinds]
        table.add_row(
            Text(person), *(said(each.get(name)) for each in row for name in ("balanced_accuracy", "auroc"))
        )
    table.add_section()
    for measure, words in MEASURES.items():
        cells = [cell for kind in kinds for cell in (number(kinds[kind], measure), "")]
        table.add_row(Text(f"pooled {words}", style="dim"), *cells)
    return table
