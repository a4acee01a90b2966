from dataclasses import replace

import numpy as np
import pytest

from gui.course import unbroken
from gui.history import history
from tests.gui.views import invalid, make_view, waiting


def test_estimates_stand_at_their_samples_with_the_newest_sample_at_zero():
    past = history(make_view(elapsed_s=90.25))
    assert past.seconds[-1] == pytest.approx(-0.25)
    assert np.diff(past.seconds) == pytest.approx(0.5)
    assert past.hop_s == 0.5


def test_an_invalid_window_is_a_break():
    past = history(invalid(make_view(), "gap", -6, -3)).since(10)
    runs = unbroken(past.valence)
    assert [len(run) for run in runs] == [past.valence.size - 6, 3]
    assert np.isnan(past.arousal_sd[-6:-3]).all()


def test_a_skipped_window_is_a_break_too():
    view = make_view()
    kept = view.estimates[:-5] + view.estimates[-4:]
    past = history(replace(view, estimates=kept)).since(10)
    assert [len(run) for run in unbroken(past.valence)][-1] == 4
    assert len(unbroken(past.valence)) == 2


def test_a_stall_reported_off_the_grid_breaks_nothing_else():
    view = make_view()
    last = view.estimates[-10]
    stall = replace(
        last,
        index=last.index + 31,
        reason="stalled",
        valence=None,
        arousal=None,
        valence_sd=None,
        arousal_sd=None,
    )
    rows = (*view.estimates[:-9], stall, stall, *view.estimates[-9:])
    past = history(replace(view, estimates=rows)).since(20)
    assert past.hop_s == 0.5
    assert [len(run) for run in unbroken(past.valence)][1:] == [9]


def test_no_estimates_make_an_empty_history():
    past = history(waiting())
    assert past.seconds.size == 0
    assert unbroken(past.valence) == []


def test_since_keeps_the_newest():
    assert history(make_view(elapsed_s=90.0)).since(30).seconds[0] == -30
