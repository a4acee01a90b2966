from dataclasses import replace

import pytest

from gui.marks import lane, one_line, placed
from tests.gui.views import make_view, marked, waiting


def test_markers_are_placed_by_the_clock_that_the_estimates_are_timed_by():
    view = make_view()
    started_late = replace(view, estimates=tuple(replace(e, t=e.t + 5000.0) for e in view.estimates))
    for each, start in ((view, 0.0), (started_late, 5000.0)):
        where = placed(marked(each, (start + 88.2, "late"), (start + 40.2, "early"), (start - 2.0, "before")))
        assert [text for _, text in where] == ["before", "early", "late"]
        assert [seconds for seconds, _ in where] == pytest.approx([-92.2, -50.0, -2.0])


def test_what_is_marked_after_the_newest_sample_stands_at_it():
    assert placed(marked(make_view(), (95.0, "in a stall"))) == [(0.0, "in a stall")]


def test_without_estimates_nothing_is_placed():
    assert placed(marked(waiting(), (1.0, "too early"))) == []
    assert placed(make_view()) == []


def test_texts_from_the_network_become_one_short_line():
    assert one_line("a\n\tb  c\x00\x1b[31m") == "a b c [31m"
    assert len(one_line("x" * 100_000)) == 200


def width_of(text: str) -> float:
    return 10.0 * len(text)


def test_labels_stand_right_of_their_lines_and_never_over_one_another():
    marks = [(10.0, "abc"), (30.0, "def"), (60.0, "ghi"), (200.0, "j")]
    labels = lane(marks, width_of, room=300.0)
    assert labels == [(203.0, "j"), (63.0, "ghi"), (13.0, "abc")], "no room for the one between"


def test_at_the_edge_the_newest_label_stands_left_of_its_line():
    assert lane([(50.0, "old"), (299.0, "new")], width_of, room=300.0) == [(266.0, "new"), (53.0, "old")]


def test_a_label_does_not_slip_to_the_left_over_the_line_of_another():
    marks = [(100.0, "first"), (115.0, "second"), (130.0, "third")]
    assert lane(marks, width_of, room=400.0) == [(133.0, "third"), (47.0, "first")]
