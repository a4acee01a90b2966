"""The words and numbers that the terminal and the report share."""

from typing import Any

KINDS = {"none": "no centring", "causal": "causal", "transductive": "transductive"}
MEASURES = {
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "auc_pr": "AUC-PR",
    "kappa": "kappa",
    "weighted_f1": "weighted F1",
}
AXES = ("valence", "arousal")
FIRST = "EMOD"
"""The method that is the model's own answer."""


def ratings_rows(ratings: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of the figures against ratings: CCC and RMSE of both axes by kind of centring."""
    heads = ["", "centring"]
    heads += [f"{axis}: {words}" for axis in AXES for words in ("CCC", "over people", "RMSE")]
    rows = []
    for method, kinds in ratings.items():
        for kind, figures in kinds.items():
            row = [method, KINDS[kind]]
            for axis in AXES:
                ccc, rmse = figures[axis]["ccc"], figures[axis]["rmse"]
                row += [said(ccc["pooled"]), f"{ccc['mean']:.3f} ({ccc['sd']:.3f})", said(rmse["pooled"])]
            rows.append(row)
    return heads, rows


def with_interval(figures: dict[str, Any], measure: str = "balanced_accuracy") -> str:
    """Return a pooled figure and the interval of it."""
    low, high = figures["interval"][measure]
    spread = "" if low is None else f" ({low:.2f} to {high:.2f})"
    return number(figures, measure) + spread


def number(figures: dict[str, Any], measure: str) -> str:
    """Return a pooled figure."""
    return said(figures["pooled"][measure])


def said(value: float | None) -> str:
    """Return a figure for people; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def notes(told: dict[str, Any]) -> list[str]:
    """Return what a reader has to know beside the figures, one sentence each."""
    sentences = [f"{sentence[0].upper()}{sentence[1:]}." for sentence in told["notes"]]
    if told["unread"]:
        sentences.append(
            f"{told['unread']} of {told['windows']} windows had too bad a signal to be read: the estimate "
            "before them was held."
        )
    sentences.append(
        "No centring: as published. Causal: a person's own rest is taken off, and not scored. Transductive: "
        "the mean of all windows of the person is taken off, which nobody has live; for comparison only."
    )
    sentences.append(
        "Intervals: 95 %, people drawn with replacement. With few people they are narrower than the truth."
    )
    return sentences
