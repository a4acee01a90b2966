"""What a recording of a calibration gives, whatever happened while it was made."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emod_model.calibration import reading
from emod_model.checkpoint import Model, load_checkpoint
from emod_model.errors import InputFileError
from emod_model.signal.windows import condition_recording
from emod_model.simulate import SimulatedPerson
from emod_model.training import sessions
from emod_model.training.sessions import SFREQ, Plan
from emod_rt.calibration.events import mark_of, text_of
from emod_rt.calibration.from_recording import CalibrationRun, read_session
from emod_rt.calibration.log import read_log
from emod_rt.calibration.schedule import Schedule
from emod_rt.markers import Marker, MarkerStream, typed_stream
from emod_rt.readers import read_recording
from emod_rt.readers.recording import Recording
from emod_rt.sources.base import Metadata
from tests.emod_rt.calibrations import START, Recorded, sit_through

FOUR = ("Fp1", "Fp2", "P7", "P8")
PLAN = Plan(trials=4, trial_s=12, rest_s=20, pause_s=4)
SCHEDULE = Schedule(trials=4, trial_s=12, rest_s=20, pause_s=1)

TOO_FEW = (
    "With 4 trials no reading can be shown to be better than the average, however good it is: there are too "
    "few ways to shuffle them; 5 are the fewest, 8 are usual."
)


@pytest.fixture(scope="module")
def model(untrained) -> Model:
    return load_checkpoint(untrained)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Recording:
    """An uneventful calibration."""
    return read_recording(sit_through(tmp_path_factory.mktemp("calibration") / "whole.xdf", 3, PLAN, FOUR))


@pytest.fixture(scope="module")
def read(whole, model) -> CalibrationRun:
    return read_session(whole, model)


@pytest.fixture
def run(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path / "run.xdf", SimulatedPerson(5, FOUR, SFREQ), SCHEDULE)


def begins(run: Recorded) -> None:
    """Up to the first trial, rest and all."""
    run.protocol.act("next", run.now)
    run.live(20)


def trial(run: Recorded, valence: int, arousal: int, lost: bool = False, repeat: bool = False) -> None:
    """One trial and what comes after it, unless it is to be repeated."""
    run.protocol.act("next", run.now)
    run.live(12, lost)
    run.protocol.rate("valence", valence)
    run.protocol.rate("arousal", arousal)
    run.protocol.act("next", run.now)
    run.protocol.act("repeat" if repeat else "next", run.now)
    run.live(1)


def with_events(recording: Recording, *texts: str, keep: bool = True) -> Recording:
    """The recording with other markers, a second apart."""
    said = tuple(Marker(START + at, (text,), typed_stream()) for at, text in enumerate(texts))
    return replace(recording, events=(*(recording.events if keep else ()), *said))


def test_a_recording_gives_what_the_live_path_makes_of_the_person(read, model):
    points, ratings = sessions.points_and_ratings(3, PLAN)
    person = SimulatedPerson(3, FOUR, SFREQ, sessions.Experience(PLAN, points))
    signal = person.generate(round(PLAN.seconds * SFREQ))
    windows = condition_recording(signal, SFREQ, model.spec, channels=FOUR)
    seen = reading.read(model, windows, FOUR, SFREQ)
    assert read.session.ratings.tolist() == ratings.tolist()
    for number, trial in enumerate(read.session.trials):
        start = PLAN.start(number)
        expected = seen.between(start + PLAN.skip_s, start + PLAN.trial_s)
        np.testing.assert_array_equal(trial.t, expected.t)
        np.testing.assert_allclose(trial.views, expected.views, atol=1e-5)
        np.testing.assert_allclose(trial.band_db, expected.band_db, atol=1e-4)
    np.testing.assert_array_equal(read.session.rest.t, seen.between(3, PLAN.rest_s).t)


def test_a_run_says_whose_it_is_and_how_well_each_trial_can_be_read(read):
    run = read
    assert (run.user, run.seed, run.simulated, run.aborted, run.notes) == ("ada", 1, True, False, (TOO_FEW,))
    assert run.channels == FOUR
    assert [t.number for t in run.trials] == [1, 2, 3, 4]
    # rest of 20 s, then the first 6 s of the trial are not read
    assert (run.trials[0].start_s, run.trials[0].stop_s) == (26, 32)
    assert run.trials[0].quality.expected == 12
    assert run.trials[0].quality.valid == len(run.session.trials[0])
    assert run.rest.expected == 34
    assert len(run.trials[0].quality.good) == len(FOUR)
    rated = [[(t.valence - 5) / 4, (t.arousal - 5) / 4] for t in run.trials]
    assert rated == run.session.ratings.tolist()


def test_no_window_is_in_two_places(read):
    session = read.session
    times = np.concatenate([part.t for part in (session.rest, *session.trials, session.other)])
    assert len(np.unique(times)) == len(times)


def test_the_last_rated_attempt_of_a_trial_counts(run):
    begins(run)
    trial(run, 1, 1, repeat=True)
    trial(run, 9, 9)
    trial(run, 2, 2)
    run.protocol.act("repeat", run.now)
    run.protocol.act("next", run.now)
    run.live(12)  # shown again, yet never rated again
    run.protocol.act("pause", run.now)
    run.protocol.act("repeat", run.now)
    run.protocol.rate("valence", 5)
    run.protocol.act("repeat", run.now)
    trial(run, 3, 3)
    trial(run, 4, 4)
    trial(run, 5, 5)
    rated = read_log(read_recording(run.close())).rated
    assert [(r.rating.trial, r.rating.attempt, r.rating.valence) for r in rated] == [
        (1, 2, 9),
        (2, 3, 3),
        (3, 1, 4),
        (4, 1, 5),
    ]
    assert [r.begin.attempt for r in rated] == [2, 3, 1, 1]


def test_a_trial_without_a_signal_does_not_count_and_is_named(tmp_path, model):
    run = Recorded(tmp_path / "r.xdf", SimulatedPerson(5, FOUR, SFREQ), replace(SCHEDULE, trials=5))
    begins(run)
    for n in range(5):
        trial(run, n + 1, 5, lost=n == 1)
    read = read_session(read_recording(run.close()), model)
    assert [t.number for t in read.trials] == [1, 3, 4, 5]
    lost = "Trial 2 does not count, 0 of its 12 windows can be read: samples were lost."
    assert read.notes == (lost, TOO_FEW)


def test_a_skipped_rest_leaves_the_trials_as_the_baseline(run, model):
    run.protocol.act("next", run.now)
    run.live(2)
    run.protocol.act("skip_rest", run.now)
    for n in range(4):
        trial(run, n + 1, 5)
    read = read_session(read_recording(run.close()), model)
    assert len(read.session.rest) == 0
    assert read.session.without is not None
    assert read.session.without[0].any()
    assert "The rest does not count, 0 of its windows can be read" in read.notes[0]


def test_an_aborted_calibration_with_four_rated_trials_counts(tmp_path):
    run = Recorded(tmp_path / "r.xdf", SimulatedPerson(5, FOUR, SFREQ), replace(SCHEDULE, trials=8))
    begins(run)
    for n in range(4):
        trial(run, n + 1, 5)
    run.protocol.act("next", run.now)
    run.live(3)
    run.protocol.abort(run.now)
    log = read_log(read_recording(run.close()))
    assert log.aborted
    assert len(log.rated) == 4
    assert log.notes == ("The calibration was broken off after 4 of 8 trials.",)


def test_too_few_rated_trials_are_refused_with_their_number(run, model):
    begins(run)
    for n in range(3):
        trial(run, n + 1, 5)
    run.protocol.abort(run.now)
    with pytest.raises(
        InputFileError, match=r"run.xdf holds 3 trials that are rated and can be read, at least 4"
    ):
        read_session(read_recording(run.close()), model)


def test_a_recording_that_was_cut_off_by_a_kill_counts_as_far_as_it_goes(whole, tmp_path):
    cut = tmp_path / "cut.xdf"
    content = whole.path.read_bytes()
    cut.write_bytes(content[: -len(content) // 6])
    log = read_log(read_recording(cut))
    assert log.aborted
    assert len(log.rated) >= 3


def test_of_several_calibrations_in_one_recording_the_last_counts(whole):
    first = [mark_of(event.text) for event in whole.events[:6]]
    assert first[-1] is not None
    earlier = with_events(whole, *[text_of(mark) for mark in first if mark], keep=False)
    both = replace(whole, events=(*earlier.events, *whole.events))
    assert read_log(both) == read_log(whole)


def test_markers_of_others_are_left_alone(whole):
    foreign = ("eyes open", '{"emod": "other"}', '["emod"]', '{"emod": "calibration"', '"emod"')
    number = Marker(START, (7,), MarkerStream(Metadata("buttons", "Markers"), "int32"))
    mixed = with_events(whole, *foreign)
    assert read_log(replace(mixed, events=(number, *mixed.events))).rated == read_log(whole).rated


BROKEN = {
    "valence 11": {"event": "rating", "trial": 1, "attempt": 1, "valence": 11, "arousal": 5},
    "half a point": {"event": "rating", "trial": 1, "attempt": 1, "valence": 5.5, "arousal": 5},
    "no event": {"event": "dance"},
    "no trial": {"event": "trial-begin", "attempt": 1, "stimulus": "x"},
    "far off": {"event": "trial-begin", "trial": 1, "attempt": 1, "stimulus": "x", "intended": [1e308, 0]},
    "later version": {
        "event": "begin", "version": 2, "user": "x", "trials": 8, "trial_s": 45, "rest_s": 60, "seed": 1
    },
    "no end": {
        "event": "begin", "version": 1, "user": "x", "trials": 9**9, "trial_s": 45, "rest_s": 60, "seed": 1
    },
}  # fmt: skip


@pytest.mark.parametrize("fields", BROKEN.values(), ids=BROKEN)
def test_a_marker_that_is_not_understood_is_named_in_one_sentence(whole, fields):
    broken = with_events(whole, json.dumps({"emod": "calibration", **fields}))
    with pytest.raises(
        InputFileError, match=r"whole.xdf: the calibration's marker .* is not understood"
    ) as raised:
        read_log(broken)
    assert "\n" not in str(raised.value)


def test_a_recording_without_a_calibration_is_refused(whole):
    with pytest.raises(
        InputFileError, match=r"holds no calibration among its 2 markers; give a recording that"
    ):
        read_log(with_events(whole, "eyes open", "eyes closed", keep=False))


def test_a_rating_of_what_was_never_shown_does_not_count(whole):
    mark = {"emod": "calibration", "event": "rating", "trial": 4, "attempt": 7, "valence": 5, "arousal": 5}
    end = whole.events[-1].t - START
    late = replace(
        whole, events=(*whole.events, Marker(START + end + 1, (json.dumps(mark),), typed_stream()))
    )
    log = read_log(late)
    assert log.notes == ("Trial 4 does not count: it is rated, but not marked as shown.",)
    assert log.rated == read_log(whole).rated
