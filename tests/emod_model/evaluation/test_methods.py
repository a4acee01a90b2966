import numpy as np
import pytest

from emod_model.evaluation.affect import held
from emod_model.evaluation.blind import guess
from emod_model.evaluation.linear import KINDS, band_power, centred, classify, live_power, scored
from emod_model.evaluation.protocols import splits
from emod_model.evaluation.recorded import Recorded, live_windows, plain_windows, table
from emod_model.evaluation.table import WindowTable
from emod_model.signal.spec import SignalSpec


def states(people: int = 4) -> WindowTable:
    """Return rest and task of 4 windows each; the first two of rest are the baseline."""
    n = people * 8
    return WindowTable(
        subject=np.repeat([f"p{k}" for k in range(people)], 8),
        session=np.full(n, "1"),
        trial=np.tile(np.repeat(["rest", "task"], 4), people),
        stimulus=np.tile(np.repeat(["grey", "sum"], 4), people),
        label=np.tile(np.repeat([0, 1], 4), people).astype(np.intp),
        start_s=np.tile(np.arange(4.0), 2 * people),
        baseline=np.tile([True, True, *[False] * 6], people),
        classes=("rest", "task"),
    )


def test_causal_centring_takes_off_a_rest_that_is_not_scored():
    windows = states()
    own_level = np.repeat([0.0, 5.0, -3.0, 100.0], 8)[:, None]
    features = own_level + windows.label[:, None] + 0.0
    for kind in KINDS[1:]:
        np.testing.assert_allclose(
            centred(features, windows, kind) - centred(features - own_level, windows, kind), 0, atol=1e-12
        )
    assert centred(features, windows, "causal")[windows.label == 1].tolist() == [[1.0]] * 16
    assert scored(windows, "causal").sum() == 4 * 6
    assert scored(windows, "none").all()


def test_a_baseline_never_holds_what_comes_after_it():
    windows = states(1)
    late = WindowTable(
        windows.subject,
        windows.session,
        windows.trial,
        windows.stimulus,
        windows.label,
        windows.start_s,
        np.array([True, False, False, False, True, False, False, False]),
        windows.classes,
    )
    features = np.array([1.0, 2.0, 3.0, 4.0, 7.0, 8.0, 9.0, 10.0])[:, None]
    # the rest before the second trial counts from then on
    assert centred(features, late, "causal")[:, 0].tolist() == [0, 1, 2, 3, 3, 4, 5, 6]
    nothing = WindowTable(
        late.subject,
        late.session,
        late.trial,
        late.stimulus,
        late.label,
        late.start_s,
        ~late.baseline & False,
        late.classes,
    )
    # without any rest the windows so far are the baseline
    running = centred(features, nothing, "causal")[:, 0]
    changed = features.copy()
    changed[5:] = 1000.0
    assert running[0] == 0
    np.testing.assert_allclose(centred(changed, nothing, "causal")[:5, 0], running[:5])


def test_linear_models_find_in_others_what_they_learnt_and_only_once_centred_through_levels():
    windows = states(6)
    rng = np.random.default_rng(1)
    level = np.repeat(rng.normal(0, 30, 6), 8)
    features = (level + windows.label + rng.normal(0, 0.1, len(level)))[:, None]
    folds = list(splits("leave-one-person-out", windows))
    right = {
        kind: np.mean(
            [
                (judged.said == judged.truth).mean()
                for judged in classify(centred(features, windows, kind), windows, folds, kind)
            ]
        )
        for kind in KINDS
    }
    assert right["causal"] == right["transductive"] == 1.0
    assert right["none"] < 0.8


def test_predictors_without_eeg_know_only_what_was_learnt_from():
    windows = states()
    people = guess(windows, splits("leave-one-person-out", windows), "none")
    # the stimulus tells the class here, and was met in other people; the person was not
    assert set(people) == {"majority", "stimulus mean"}
    assert all((judged.said == judged.truth).all() for judged in people["stimulus mean"])
    own = guess(windows, splits("leave-trial-out", windows), "none")
    assert set(own) == {"majority", "person mean"}
    # what is left of the person is the other class
    assert not any((judged.said == judged.truth).any() for judged in own["person mean"])


def test_plain_and_live_windows_hold_the_same_stretch_of_signal():
    sfreq, seconds = 250.0, 23
    t = np.arange(int(sfreq * seconds)) / sfreq
    # each 5-s stretch has a frequency of its own
    hz = np.array([6.0, 10.0, 20.0, 35.0, 35.0])[np.floor(t / 5).astype(int)]
    eeg = (20 * np.sin(2 * np.pi * np.cumsum(hz) / sfreq))[None].repeat(2, 0).astype(np.float32) + 4000
    eeg[:, 1000:1010] = np.nan
    recorded = [Recorded("a", "rest", "rest", eeg, sfreq, ("C3", "C4"), True)]
    rows = table(recorded, ("rest", "task"))
    assert len(rows) == 4
    assert rows.start_s.tolist() == [0, 5, 10, 15]
    plain, live = plain_windows(recorded), live_windows(recorded, SignalSpec())
    assert plain.eeg.shape == (4, 2, 1000)
    assert live.eeg.shape == (4, 2, 625)
    assert np.isfinite(plain.eeg).all()
    offset_free = plain.eeg - plain.eeg.mean(-1, keepdims=True)
    for power in (band_power(offset_free, 200.0), live_power(live.eeg, 125.0)):
        assert power.shape == (4, 10)
        strongest = power.reshape(4, 5, 2)[:, :, 0].argmax(1)
        assert strongest.tolist() == [1, 2, 3, 4]


def test_channels_are_picked_by_name_and_referenced_if_wanted():
    eeg = np.arange(24, dtype=np.float32).reshape(3, 8) ** 2
    recorded = [Recorded("a", "x", "rest", np.tile(eeg, 200), 125.0, ("C3", "Cz", "C4"), False)]
    windows = live_windows(recorded, SignalSpec())
    picked = windows.pick(("C4", "C3"), average=True)
    np.testing.assert_allclose(picked.eeg.mean(1), 0, atol=1e-3)
    np.testing.assert_array_equal(windows.pick(("Cz",), average=False).eeg[:, 0], windows.eeg[:, 1])


def test_a_window_without_an_estimate_holds_the_last_one_of_its_trial():
    windows = states(1)
    values = np.arange(16, dtype=float).reshape(8, 2)
    values[[0, 2, 4]] = np.nan
    filled = held(values, windows, 0.5)
    assert filled[0].tolist() == filled[4].tolist() == [0.5, 0.5]
    assert filled[2].tolist() == filled[1].tolist()
    assert np.isfinite(filled).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fold_that_learns_of_one_class_only_is_left_out(kind):
    windows = states()
    assert classify(np.zeros((len(windows), 1)), windows, splits("leave-trial-out", windows), kind) == []
