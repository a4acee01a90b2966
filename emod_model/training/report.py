"""The evaluation as a table for docs/results.md, and as figures for the checkpoint."""

from collections.abc import Sequence

from emod_model.training.evaluate import Score

HEADER = (
    "| cap | axis | estimator | CCC | RMSE | CCC within a person, mean (95 % interval over people) "
    "| truths within 1 sd / 1.96 sd |\n| --- | --- | --- | --- | --- | --- | --- |"
)


def table(scores: Sequence[Score]) -> str:
    """Return the scores as a Markdown table."""
    rows = [HEADER]
    for row in scores:
        low, high = row.person_ci
        held = "" if row.within is None else f"{100 * row.within[0]:.1f} % / {100 * row.within[1]:.1f} %"
        rows.append(
            f"| {row.cap} | {row.axis} | {row.estimator} | {row.ccc:.3f} | {row.rmse:.3f} "
            f"| {row.person_ccc:.3f} ({low:.3f} to {high:.3f}) | {held} |"
        )
    return "\n".join(rows)


def figures(scores: Sequence[Score]) -> dict[str, float]:
    """Return what a checkpoint carries: agreement of network and ridge, by cap and axis."""
    kept = {"EMOD": "emod", "ridge on band powers": "ridge", "EMOD, smoothed": "emod_smoothed"}
    result: dict[str, float] = {}
    for row in scores:
        if row.estimator in kept:
            key = f"{row.cap}/{row.axis}/{kept[row.estimator]}"
            result[f"{key}/ccc"] = round(row.ccc, 4)
            result[f"{key}/rmse"] = round(row.rmse, 4)
        if row.within is not None:
            result[f"{row.cap}/{row.axis}/emod/within_1sd"] = round(row.within[0], 4)
            result[f"{row.cap}/{row.axis}/emod/within_1.96sd"] = round(row.within[1], 4)
    return result
