"""The evaluation as a table for docs/results.md, and as figures for the checkpoint."""

from collections.abc import Sequence

from emod_model.training.evaluate import Score

HEADER = (
    "| cap | axis | estimator | CCC | r | RMSE | CCC within a person, mean (95 % interval over people) "
    "| truths within 1 sd / 1.96 sd |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
)


def table(scores: Sequence[Score]) -> str:
    """Return the scores as a Markdown table."""
    rows = [HEADER]
    for row in scores:
        # + 0.0 makes a rounded -0.0 plain zero
        numbers = (
            round(x, 3) + 0.0 for x in (row.ccc, row.correlation, row.rmse, row.person_ccc, *row.person_ci)
        )
        ccc, r, rmse, own, low, high = (f"{x:.3f}" for x in numbers)
        held = "" if row.within is None else f"{100 * row.within[0]:.1f} % / {100 * row.within[1]:.1f} %"
        rows.append(
            f"| {row.cap} | {row.axis} | {row.estimator} | {ccc} | {r} | {rmse} "
            f"| {own} ({low} to {high}) | {held} |"
        )
    return "\n".join(rows)


def figures(scores: Sequence[Score]) -> dict[str, float]:
    """Return what a checkpoint carries: agreement of network and ridge, by cap and axis."""
    kept = {"EMOD": "emod", "ridge on band powers": "ridge", "EMOD, smoothed": "emod_smoothed"}
    result: dict[str, float] = {}
    for row in scores:
        if row.estimator in kept:
            key = f"{row.cap}/{row.axis}/{kept[row.estimator]}"
            result[f"{key}/ccc"] = row.ccc
            result[f"{key}/r"] = row.correlation
            result[f"{key}/rmse"] = row.rmse
            if row.within is not None:
                result[f"{key}/within_1sd"] = row.within[0]
                result[f"{key}/within_1.96sd"] = row.within[1]
    return result
