"""Our own calibrations as a corpus: who, rest, films and ratings out of the markers."""

import shutil

import numpy as np
import pytest

from emod_model.errors import InputFileError
from emod_model.simulate import SimulatedPerson
from emod_model.store import Recipe, open_store, write_store
from emod_model.training.sessions import Plan, points_and_ratings
from emod_rt.calibration.schedule import Schedule
from emod_rt.corpora import Sessions
from emod_rt.readers import read_recording
from tests.emod_rt.calibrations import SFREQ, Recorded, sit_through

PLAN = Plan(trials=4, rest_s=10.0, trial_s=12.0, pause_s=3.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sessions")
    sit_through(path / "ada" / "first.xdf", 3, PLAN)
    return path


def test_a_calibration_gives_its_rest_and_its_rated_trials(folder):
    corpus = Sessions(folder)
    assert corpus.subjects() == ("ada",)
    rest, *trials = corpus.trials("ada")
    assert (rest.trial, rest.baseline_s, rest.ratings, rest.stimulus) == ("rest", 10.0, None, None)
    assert rest.eeg.shape == (8, 2500)
    assert [trial.trial for trial in trials] == ["1", "2", "3", "4"]
    assert {trial.session for trial in trials} == {"first"}
    assert all(trial.stimulus for trial in trials)
    _, said = points_and_ratings(3, PLAN)
    found = [[trial.ratings["valence"], trial.ratings["arousal"]] for trial in trials]
    np.testing.assert_allclose(found, said)
    assert any("simulated" in note for note in corpus.notes)


def test_what_is_cut_out_is_the_signal_between_the_markers(folder):
    corpus = Sessions(folder)
    recording = read_recording(folder / "ada" / "first.xdf")
    for trial in corpus.trials("ada"):
        first = round(trial.start_s * SFREQ)
        np.testing.assert_array_equal(trial.eeg, recording.data[:, first : first + trial.eeg.shape[1]])


def test_a_store_of_it_has_ratings_and_rest(folder, tmp_path):
    corpus = Sessions(folder)
    manifest = write_store(corpus, folder, tmp_path / "own.h5", Recipe(corpus="xdf", hop_s=3.0)).manifest
    store = open_store(tmp_path / "own.h5")
    assert manifest.counts.baseline == 2
    assert manifest.counts.affect == {"ratings": 12, "vocabulary": 0}
    assert np.isnan(store.valence[store.baseline]).all()
    assert store.rated.tolist() == (~store.baseline).tolist()


def test_lost_samples_are_missing_and_do_not_shift_what_follows(tmp_path):
    person = SimulatedPerson(1, ("Fp1", "Fp2", "C3"), SFREQ)
    run = Recorded(tmp_path / "lossy.xdf", person, Schedule(4, 12.0, 10.0, 3.0))
    assert run.protocol.act("next", run.now)
    run.live(4)
    run.live(1, lost=True)
    run.live(5)
    run.close()
    (rest,) = Sessions(tmp_path).trials("ada")
    missing = np.flatnonzero(np.isnan(rest.eeg).all(axis=0))
    assert (missing[0], len(missing)) == (1000, 250)


def test_recordings_without_a_calibration_are_named_and_left_out(folder, tmp_path, shared_data):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    shutil.copy(next((shared_data / "xdf_minimal").glob("*.xdf")), tmp_path / "other.xdf")
    (tmp_path / "torn.xdf").write_bytes(b"XDF:")
    corpus = Sessions(tmp_path)
    assert corpus.subjects() == ("ada",)
    assert sorted(note.split(":")[0] for note in corpus.notes) == ["left out", "left out"]
    with pytest.raises(InputFileError, match=r"no calibration among 0 recordings; there is no \.xdf"):
        Sessions(shared_data / "eegmat")
