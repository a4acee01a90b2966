from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from gui import manikin, theme

EMPTY = 0xFF000000


def figure(axis: str, value: int, ink: manikin.Ink | None = None, size: int = 80) -> np.ndarray:
    """The pixels of one figure."""
    image = QImage(size, size, QImage.Format.Format_RGB32)
    image.fill(EMPTY)
    painter = QPainter(image)
    manikin.draw(painter, QRectF(0, 0, size, size), axis, value, ink or manikin.ink())
    painter.end()
    return np.frombuffer(image.constBits(), np.uint32).reshape(size, size).copy()


@pytest.mark.parametrize("axis", ["valence", "arousal"])
def test_each_of_the_nine_figures_is_a_step_further_than_the_one_before(qapp, axis):
    drawn = [figure(axis, value) for value in range(1, 10)]
    for one, next_ in pairwise(drawn):
        assert np.mean(one != next_) > 0.01
    first = [np.mean(drawn[0] != each) for each in drawn]
    assert first[8] > first[4] > first[1] > 0


@pytest.mark.parametrize("value", [1, 5, 9])
@pytest.mark.parametrize("axis", ["valence", "arousal"])
def test_a_figure_keeps_within_its_box_and_fills_it(qapp, axis, value):
    drawn = figure(axis, value) != EMPTY
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert rows[-1] == 79
    assert rows[0] < 30
    assert columns[0] + columns[-1] == pytest.approx(79, abs=3)


def test_the_chosen_figure_has_the_colour_of_its_axis(qapp):
    plain, chosen = figure("valence", 7), figure("valence", 7, manikin.ink(theme.VALENCE))
    assert np.mean(plain != chosen) > 0.3


def test_it_is_drawn_where_it_is_wanted_and_leaves_the_painter_as_it_was(qapp):
    image = QImage(200, 80, QImage.Format.Format_RGB32)
    image.fill(EMPTY)
    painter = QPainter(image)
    manikin.draw(painter, QRectF(100, 0, 100, 80), "arousal", 9, manikin.ink())
    assert painter.transform().isIdentity()
    assert not painter.hasClipping()
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(80, 200)
    assert (pixels[:, :105] == EMPTY).all()
    assert (pixels[:, 110:190] != EMPTY).any()
