"""An evaluation in the terminal: everything is taken from the same object that --json prints."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

KINDS = {"none": "no centring", "causal": "causal", "transductive": "transductive"}
MEASURES = {
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "auc_pr": "AUC-PR",
    "kappa": "kappa",
    "weighted_f1": "weighted F1",
}
FIRST = "EMOD"


def show(console: Console, told: dict[str, Any]) -> None:
    """Print the part that is judged: every method by kind of centring, then the model person by person."""
    part = told["parts"][told["judged"]]
    classes = " against ".join(told["classes"])
    console.print(
        Text(f"{told['protocol']}, {told['judged']}: {len(part['people'])} people, {classes}", style="bold")
    )
    if told["model"]:
        line = Text(f"model {told['model']['name']}  ")
        if told["model"]["simulated"]:
            line.append(" SIMULATED ", style="black on yellow").append(" trained on simulated signals")
        console.print(line)
    console.print(methods_table(part["methods"]))
    if FIRST in part["methods"]:
        console.print(people_table(part["methods"][FIRST], part["people"]))
    for sentence in notes(told):
        console.print(Text(f"  note: {sentence}", style="yellow"), soft_wrap=True)


def methods_table(methods: dict[str, Any]) -> Table:
    """Return balanced accuracy with its interval, and AUROC, each kind of centring in columns of its own."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("")
    for kind in KINDS.values():
        table.add_column(f"{kind}:\nbal. acc. (95 %)", justify="right")
        table.add_column("\nAUROC", justify="right")
    for method, kinds in methods.items():
        cells: list[str] = []
        for kind in KINDS:
            figures = kinds.get(kind)
            cells += ["", ""] if figures is None else [with_interval(figures), number(figures, "auroc")]
        table.add_row(Text(method), *cells)
    return table


def people_table(kinds: dict[str, Any], people: Iterable[str]) -> Table:
    """Return one method person by person, balanced accuracy and AUROC, then all its measures pooled."""
    table = Table(box=None, padding=(0, 1, 0, 0), title=Text(FIRST), title_justify="left")
    table.add_column("")
    for kind in kinds:
        table.add_column(f"{KINDS[kind]}:\nbal. acc.", justify="right")
        table.add_column("\nAUROC", justify="right")
    for person in people:
        row = [kinds[kind]["people"].get(person, {}) for kind in kinds]
        table.add_row(
            Text(person), *(told(each.get(name)) for each in row for name in ("balanced_accuracy", "auroc"))
        )
    table.add_section()
    for name, words in MEASURES.items():
        cells = [cell for kind in kinds for cell in (number(kinds[kind], name), "")]
        table.add_row(Text(f"pooled {words}", style="dim"), *cells)
    return table


def with_interval(figures: dict[str, Any], measure: str = "balanced_accuracy") -> str:
    """Return a pooled figure and the interval of it."""
    low, high = figures["interval"][measure]
    spread = "" if low is None else f" ({low:.2f}-{high:.2f})"
    return number(figures, measure) + spread


def number(figures: dict[str, Any], measure: str) -> str:
    """Return a pooled figure."""
    return told(figures["pooled"][measure])


def told(value: float | None) -> str:
    """Return a figure for people; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def notes(found: dict[str, Any]) -> list[str]:
    """Return what a reader has to know beside the figures."""
    sentences = list(found["notes"])
    if found["unread"]:
        sentences.append(
            f"{found['unread']} of {found['windows']} windows had too bad a signal to be read; "
            "the estimate before them was held."
        )
    sentences.append(
        "Causal: a person's first minute of rest is taken off and not scored; transductive: all of a "
        "person's windows are, which nobody has live."
    )
    return sentences
