"""The pictures of a calibration's report, as PNG on white, fine enough to be printed."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emod_rt.calibration.numbers import AxisNumbers, Curve, Numbers
from emod_rt.paper import DIM, INK, LINE, drawing, png

# Okabe-Ito, the two that are dark enough for paper
COLOURS = ("#D55E00", "#0072B2")
_POINTS = np.arange(1, 10, 2)


def scatter(numbers: Numbers) -> bytes:
    """Draw what was read against what was said, one panel an axis."""
    with drawing(3.6) as figure:
        for place, (axis, colour) in enumerate(zip(numbers.axes, COLOURS, strict=True), 1):
            plot = figure.add_subplot(1, 2, place)
            _scale(plot, "x", f"{axis.name} that was said")
            _scale(plot, "y", f"{axis.name} that was read")
            plot.set_aspect("equal")
            plot.plot([1, 9], [1, 9], color=DIM, lw=1, zorder=1)
            plot.axhline(axis.mean_rating, color=DIM, lw=1, ls=(0, (4, 3)), zorder=1)
            # beside the panel, where no trial can be
            plot.annotate(
                "average",
                (1.0, axis.mean_rating),
                (3, 0),
                ("axes fraction", "data"),
                textcoords="offset points",
                color=DIM,
                fontsize=7,
                va="center",
            )
            plot.text(9.1, 9.2, "agreement", color=DIM, fontsize=7, ha="right", va="bottom")
            # trials with the same rating stand side by side
            x = np.array(axis.rated) + _beside(axis.rated)
            width = [axis.half_width] * len(x)
            plot.errorbar(x, axis.read, yerr=width, fmt="o", ms=9.5, color=colour, elinewidth=1, alpha=0.9)
            for number, at, value in zip(numbers.trials, x, axis.read, strict=True):
                plot.text(
                    at, value - 0.02, str(number), color="white", fontsize=6.5, ha="center", va="center"
                )
        return png(figure)


def plane(numbers: Numbers) -> bytes:
    """Draw each trial on the plane: a ring where it was rated, a point where it was read."""
    valence, arousal = numbers.axes
    with drawing(4.6) as figure:
        plot = figure.add_subplot()
        _scale(plot, "x", "valence (unpleasant to pleasant)")
        _scale(plot, "y", "arousal (calm to excited)")
        plot.set_aspect("equal")
        plot.axhline(5, color=LINE, lw=1, zorder=0)
        plot.axvline(5, color=LINE, lw=1, zorder=0)
        here: dict[tuple[float, float], list[str]] = {}
        for k, number in enumerate(numbers.trials):
            said = valence.rated[k], arousal.rated[k]
            read = valence.read[k], arousal.read[k]
            plot.plot(*zip(said, read, strict=True), color=LINE, lw=1.2, zorder=1)
            here.setdefault(said, []).append(str(number))
        for said, numbers_here in here.items():
            plot.annotate(", ".join(numbers_here), said, (6, 5), textcoords="offset points", fontsize=7.5)
        plot.plot(
            valence.rated, arousal.rated, "o", ms=9, mfc="white", mec=INK, mew=1.3, label="said", zorder=2
        )
        plot.plot(valence.read, arousal.read, "o", ms=5, color=INK, label="read", zorder=3)
        plot.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
        return png(figure)


def courses(numbers: Numbers, times: Sequence[npt.NDArray[np.float64]]) -> bytes:
    """Draw the reading along every trial beside what was said of it."""
    columns = 4
    rows = -(-len(times) // columns)
    longest = max(float(t[-1]) for t in times)
    with drawing(0.5 + 1.45 * rows) as figure:
        for k, t in enumerate(times):
            plot = figure.add_subplot(rows, columns, k + 1)
            plot.set_title(f"trial {numbers.trials[k]}", fontsize=8)
            plot.set_ylim(0.5, 9.5)
            plot.set_xlim(0, longest)
            plot.set_yticks(_POINTS, [str(p) for p in _POINTS] if k % columns == 0 else [])
            for place, (axis, colour) in enumerate(zip(numbers.axes, COLOURS, strict=True)):
                # dash in gap, so that both are seen where both ratings are the same
                plot.axhline(axis.rated[k], color=colour, lw=1, ls=(4 * place, (4, 4)))
                plot.plot(t, axis.courses[k], color=colour, lw=1.4)
            if k // columns == rows - 1 or k + columns >= len(times):
                plot.set_xlabel("s")
            else:
                plot.set_xticklabels([])
        _key(figure, numbers.axes, "what was said")
        return png(figure)


def quality(numbers: Numbers) -> bytes:
    """Draw how much of each trial could be read, and by which electrodes."""
    names = [*(["rest"] if numbers.quality[0].expected else []), *map(str, numbers.trials)]
    parts = [part for part in numbers.quality if part.expected]
    channels = numbers.channels
    with drawing(1.5 + 0.17 * len(channels)) as figure:
        bars, grid = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [1.1, max(0.17 * len(channels), 0.6)]}
        )
        share = [100 * min(part.valid / part.expected, 1.0) for part in parts]
        bars.bar(range(len(parts)), share, color=DIM, width=0.7)
        bars.set_ylim(0, 118)
        bars.set_yticks([0, 50, 100])
        bars.set_ylabel("% read")
        bars.tick_params(axis="x", length=0)
        for k, value in enumerate(share):
            bars.text(k, value + 3, f"{value:.0f}", ha="center", fontsize=7, color=DIM)
        good = np.array([part.good for part in parts]).T
        grid.imshow(good, aspect="auto", cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
        grid.set_yticks(range(len(channels)), channels, fontsize=min(7.5, 300 / len(channels)))
        grid.set_xticks(range(len(names)), names)
        grid.tick_params(length=0)
        grid.set_xlabel("trial")
        grid.spines[:].set_visible(False)
        colours = ScalarMappable(Normalize(0, 100), "cividis")
        figure.colorbar(colours, ax=grid, label="% good", fraction=0.03, pad=0.01)
        return png(figure)


def learning(curve: Curve, axes: Sequence[AxisNumbers]) -> bytes:
    """Draw the error on unseen trials as it would have been after fewer trials."""
    with drawing(2.6) as figure:
        plots = figure.subplots(1, 2, sharey=True)
        for k, (plot, axis, colour) in enumerate(zip(plots, axes, COLOURS, strict=True)):
            plot.set_title(axis.name)
            plot.plot(curve.trials, curve.average[k], color=DIM, lw=1, ls=(0, (4, 3)))
            plot.plot(curve.trials, curve.error[k], "o-", color=colour, ms=4, lw=1.5)
            plot.set_xlabel("trials")
            plot.set_xticks(curve.trials)
            plot.set_ylim(0, 1.1 * max(max(row) for row in (*curve.error, *curve.average)) + 0.1)
        plots[0].set_ylabel("typical error, points")
        _key(figure, axes, "always the average")
        return png(figure)


def _key(figure: Figure, axes: Sequence[AxisNumbers], dashed: str) -> None:
    """Say what the colours and the dashed lines are, above the panels."""
    lines = [
        Line2D([], [], color=colour, lw=1.6, label=axis.name)
        for axis, colour in zip(axes, COLOURS, strict=True)
    ]
    lines.append(Line2D([], [], color=DIM, lw=1, ls=(0, (4, 3)), label=dashed))
    figure.legend(handles=lines, loc="outside upper right", ncols=3, fontsize=8)


def _scale(plot: Axes, which: str, label: str) -> None:
    """Give a panel the scale that people rated on."""
    if which == "x":
        plot.set_xlim(0, 10)
        plot.set_xticks(_POINTS)
        plot.set_xlabel(label)
    else:
        plot.set_ylim(0, 10)
        plot.set_yticks(_POINTS)
        plot.set_ylabel(label)


def _beside(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return small steps to the side for values that are there more than once, never as far as the next."""
    step = np.zeros(len(values))
    for value in set(values):
        rows = [k for k, each in enumerate(values) if each == value]
        apart = min(0.42, 0.9 / max(1, len(rows) - 1))
        step[rows] = apart * (np.arange(len(rows)) - (len(rows) - 1) / 2)
    return step
