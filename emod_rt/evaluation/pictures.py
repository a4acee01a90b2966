"""The pictures of an evaluation's report: who is taken for whom, and where windows lie in the plane."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from emod_rt.paper import INK, LINE, drawing, png

Array = npt.NDArray[np.float64]

# Okabe-Ito and Tol, dark enough on white, told apart with every kind of colour vision
_COLOURS = ("#0072B2", "#D55E00", "#007A5E", "#CC79A7", "#5D6977", "#E69F00", "#332288", "#882255", "#117733")
_MARKS = "osD^vPX<>"
_MOST_POINTS = 1500
_WORDS_FIT = 4


def confusions(counts: Mapping[str, Sequence[Sequence[int]]], classes: Sequence[str]) -> bytes:
    """Draw how often each class was called what, one panel for each title.

    Parameters
    ----------
    counts : dict of str to matrix
        Title -> windows of each class (row) that were called each class (column).
    classes : sequence of str

    Returns
    -------
    bytes
        PNG.
    """
    few = len(classes) <= _WORDS_FIT
    with drawing(3.1 if few else 4.6) as figure:
        for place, (title, matrix) in enumerate(counts.items(), 1):
            plot = figure.add_subplot(1, len(counts), place)
            plot.set_title(title)
            each = np.array(matrix, dtype=float)
            share = each / np.maximum(each.sum(1, keepdims=True), 1)
            plot.imshow(share, cmap="Blues", vmin=0, vmax=1)
            for row, column in np.ndindex(*each.shape):
                text = f"{share[row, column]:.0%}" + (f"\n{int(each[row, column])}" if few else "")
                dark = share[row, column] > 0.55
                plot.text(
                    column,
                    row,
                    text,
                    ha="center",
                    va="center",
                    color="#fff" if dark else INK,
                    fontsize=9 if few else 6,
                    linespacing=1.4,
                )
            _name_classes(plot, classes, first=place == 1, turned=not few)
        return png(figure)


def _name_classes(plot: Axes, classes: Sequence[str], *, first: bool, turned: bool) -> None:
    at = np.arange(len(classes))
    plot.set_xticks(at, classes, rotation=60 if turned else 0, ha="right" if turned else "center")
    plot.set_yticks(at, classes if first else [""] * len(classes))
    plot.set_xlabel("called")
    if first:
        plot.set_ylabel("was")
    plot.tick_params(length=0)
    for spine in plot.spines.values():
        spine.set_visible(False)


def plane(
    affect: Mapping[str, Array], label: npt.NDArray[np.intp], classes: Sequence[str], threshold: float | None
) -> bytes:
    """Draw windows on the plane of valence and arousal, one panel for each title.

    Parameters
    ----------
    affect : dict of str to numpy.ndarray, shape (windows, 2)
        Title -> valence and arousal; NaN is left out.
    label : numpy.ndarray of int, shape (windows,)
    classes : sequence of str
    threshold : float or None
        Arousal above which a window is taken for the second class.

    Returns
    -------
    bytes
        PNG.
    """
    # the same windows in every panel, thinned evenly where they would cover each other
    shown = np.arange(len(label))[:: -(-len(label) // _MOST_POINTS)]
    with drawing(3.6) as figure:
        for place, (title, points) in enumerate(affect.items(), 1):
            plot = figure.add_subplot(1, len(affect), place)
            plot.set_title(title)
            _axes(plot, first=place == 1)
            if threshold is not None:
                plot.axhline(threshold, color=INK, lw=0.9, ls=(0, (4, 3)), zorder=2)
            for k, name in enumerate(classes):
                colour, mark = _COLOURS[k % len(_COLOURS)], _MARKS[k % len(_MARKS)]
                own = points[shown[label[shown] == k]].clip(-1, 1)
                plot.scatter(own[:, 0], own[:, 1], s=9, marker=mark, color=colour, alpha=0.35, lw=0, zorder=3)
                judged = points[(label == k) & np.isfinite(points).all(1)]
                if len(judged):
                    mean = judged.mean(0).clip(-1, 1)
                    plot.scatter(
                        mean[0],
                        mean[1],
                        s=70,
                        marker=mark,
                        color=colour,
                        ec="#fff",
                        lw=1.2,
                        zorder=5,
                        label=name,
                    )
        handles, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=min(len(names), 5))
        return png(figure)


def _axes(plot: Axes, *, first: bool) -> None:
    plot.set_aspect("equal")
    plot.set_xlim(-1.05, 1.05)
    plot.set_ylim(-1.05, 1.05)
    plot.axhline(0, color=LINE, lw=0.8, zorder=1)
    plot.axvline(0, color=LINE, lw=0.8, zorder=1)
    plot.set_xticks([-1, 0, 1])
    plot.set_yticks([-1, 0, 1])
    plot.set_xlabel("valence")
    if first:
        plot.set_ylabel("arousal")
    else:
        plot.set_yticklabels([])
