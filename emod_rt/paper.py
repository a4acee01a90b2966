"""Paper for the pictures of a report: white, fine enough to be printed."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, DIM, LINE = "#1B222B", "#5D6977", "#C9D0D8"
_WIDTH, _DPI = 7.6, 200
# typed by the names of the very release of matplotlib
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": DIM,
    "ytick.color": DIM,
    "text.color": INK,
    "legend.frameon": False,
}


@contextmanager
def drawing(height: float) -> Iterator[Figure]:
    """Give a figure of a page's width, in the style of all; `height` in inches."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    out = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(out, format="png", dpi=_DPI)
    return out.getvalue()
