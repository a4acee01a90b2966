"""Any BIDS-EEG dataset, as mne-bids writes one."""

import csv
import warnings
from pathlib import Path

import mne
import mne_bids
import numpy as np
import pytest

from emod_model.affect import Vocabulary
from emod_model.corpora import open_corpus
from emod_model.corpora.bids import BIDS
from emod_model.errors import InputFileError, UsageError
from emod_model.store import Recipe, open_store, write_store

SFREQ = 200.0
NAMES = ["Fp1", "FP2", "C3", "C4", "T3", "HEO", "X9"]
OWN = Vocabulary.model_validate(
    {
        "name": "own",
        "unit": 4,
        "ratings": {"low": 1, "high": 5, "source": "ours"},
        "classes": [
            {"word": "calm", "valence": 2, "arousal": -2, "source": "ours"},
            {"word": "tense", "valence": -2, "arousal": 3, "source": "ours"},
        ],
    }
)
EVENTS = [
    {"onset": 2.0, "duration": 8.0, "trial_type": "rest"},
    {"onset": 10.5, "duration": 10.0, "trial_type": "calm", "stim_file": "sea.mp4"},
    {"onset": 21.0, "duration": 0.0, "trial_type": "press"},
    {"onset": 22.0, "duration": 10.0, "trial_type": "tense", "stim_file": "saw.mp4"},
]


def signal(seed: int, seconds: float = 35.0) -> np.ndarray:
    return 1e-5 * np.random.default_rng(seed).standard_normal((len(NAMES), round(seconds * SFREQ)))


def write(
    root: Path, subject: str, events: list[dict] | None, *, session: str | None = None, run: str | None = None
) -> Path:
    """Write one recording through mne-bids; return its events."""
    info = mne.create_info(NAMES, SFREQ, ["eeg"] * 5 + ["eog", "eeg"])
    raw = mne.io.RawArray(signal(int(subject)), info, verbose="error")
    raw.info["line_freq"] = 50
    raw.info["bads"] = ["C4"]
    path = mne_bids.BIDSPath(
        root=root, subject=subject, session=session, task="films", run=run, datatype="eeg"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = mne_bids.write_raw_bids(
            raw, path, format="EDF", allow_preload=True, overwrite=True, verbose="error"
        )
    table = Path(str(path.fpath).replace("_eeg.edf", "_events.tsv"))
    if events is not None:
        columns = list(dict.fromkeys(key for event in events for key in event))
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="n/a", delimiter="\t")
            writer.writeheader()
            writer.writerows(events)
    return table


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("bids") / "set"
    write(root, "01", EVENTS, session="a", run="01")
    write(root, "01", EVENTS[1:2], session="b", run="01")
    write(root, "02", EVENTS, session="a", run="01")
    return root


def test_people_sessions_and_trials_come_from_names_and_events(dataset):
    corpus = BIDS(dataset, OWN)
    assert corpus.subjects() == ("01", "02")
    rest, calm, tense, again = corpus.trials("01")
    assert [trial.session for trial in (rest, calm, tense, again)] == ["a", "a", "a", "b"]
    assert [trial.trial for trial in (rest, calm, tense)] == ["films_01_2", "films_01_3", "films_01_5"]
    assert (calm.label, calm.stimulus, calm.start_s, calm.baseline_s) == ("calm", "sea.mp4", 10.5, 0.0)
    assert (rest.label, rest.baseline_s) == (None, 8.0)
    assert tense.eeg.shape == (5, 2000)
    assert corpus.notes["events 'press' are no trials and passed over"] == 1


def test_the_signal_is_in_microvolts_of_electrodes_alone_and_bad_channels_are_missing(dataset):
    corpus = BIDS(dataset, OWN)
    _, calm, *_ = corpus.trials("01")
    assert calm.channels == ("Fp1", "Fp2", "C3", "C4", "T7")
    assert calm.sfreq == SFREQ
    expected = 1e6 * signal(1)[:5, 2100:4100]
    np.testing.assert_allclose(calm.eeg[[0, 1, 2, 4]], expected[[0, 1, 2, 4]], atol=0.01)
    assert np.isnan(calm.eeg[3]).all()
    assert corpus.notes["channel 'X9' is no electrode of the 10-05 system and left out"] == 2


def test_a_store_of_it_has_the_users_places(dataset, tmp_path):
    manifest = write_store(
        BIDS(dataset, OWN), dataset, tmp_path / "own.h5", Recipe(corpus="bids", hop_s=3.0)
    ).manifest
    store = open_store(tmp_path / "own.h5")
    assert manifest.counts.label.keys() == {"calm", "tense"}
    assert set(store.valence[store.label == "tense"]) == {-0.5}
    assert manifest.counts.baseline == 4
    assert not store.good[:, store.channels.index("C4")].any()
    assert "sub-02/ses-a/eeg/sub-02_ses-a_task-films_run-01_events.tsv" in {
        file.path for file in manifest.files
    }


def test_ratings_are_projected_from_the_users_scale(tmp_path):
    rated = [{"onset": 1.0, "duration": 9.0, "trial_type": "film", "valence": 4.5, "arousal": 1}]
    table = write(tmp_path, "03", rated)
    (trial,) = BIDS(tmp_path, OWN).trials("03")
    assert trial.ratings == {"valence": 0.75, "arousal": -1.0}
    assert trial.label is None
    with pytest.raises(
        InputFileError, match=rf"{table}, row 2: valence 4\.5 is on no known scale; name a TOML"
    ):
        list(BIDS(tmp_path).trials("03"))
    write(tmp_path, "03", [rated[0] | {"arousal": 7}])
    with pytest.raises(
        InputFileError, match=r"events\.tsv, row 2: own: a rating of 7 is not on the scale of 1 to 5"
    ):
        list(BIDS(tmp_path, OWN).trials("03"))


def test_without_a_vocabulary_every_word_is_a_class_and_without_events_the_task(tmp_path):
    write(tmp_path, "04", [{"onset": 1.0, "duration": 9.0, "trial_type": "anything"}])
    write(tmp_path, "05", None).unlink(missing_ok=True)
    corpus = open_corpus("bids", tmp_path)
    assert [trial.label for trial in corpus.trials("04")] == ["anything"]
    (whole,) = corpus.trials("05")
    assert (whole.label, whole.eeg.shape[1]) == ("films", 7000)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"onset": 99.0, "duration": 2.0, "trial_type": "calm"}, r"row 2: onset 99 s is not within the 35 s"),
        ({"onset": "soon", "duration": 2.0, "trial_type": "calm"}, "row 2: onset 'soon' is no number"),
        (
            {"onset": 1.0, "duration": 2.0, "trial_type": "bored"},
            "none of its 1 events is a trial; .*calm, tense",
        ),
        (
            {"onset": 1.0, "duration": "n/a", "trial_type": "calm"},
            "none of its 1 events is a trial; a trial has a dur",
        ),
        (
            {"onset": 1.0, "trial_type": "calm"},
            "its columns are onset, trial_type; BIDS needs onset and duration",
        ),
    ],
)
def test_events_that_cannot_be_used_are_refused_by_file_row_and_value(tmp_path, event, said):
    write(tmp_path, "06", [event])
    with pytest.raises(InputFileError, match=rf"events\.tsv.*{said}"):
        list(BIDS(tmp_path, OWN).trials("06"))


def test_a_recording_that_is_damaged_or_a_folder_that_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(InputFileError, match="no sub-LABEL/eeg/"):
        BIDS(tmp_path)
    table = write(tmp_path, "07", EVENTS)
    recording = Path(str(table).replace("_events.tsv", "_eeg.edf"))
    whole = recording.read_bytes()
    recording.write_bytes(whole[:-5000])
    with pytest.raises(InputFileError, match=r"sub-07_task-films_eeg\.edf: cut short"):
        list(BIDS(tmp_path).trials("07"))
    lowest = 256 + int(whole[252:256]) * 120
    recording.write_bytes(whole[:lowest] + b"no digit" + whole[lowest + 8 :])
    with pytest.raises(InputFileError, match=r"sub-07_task-films_eeg\.edf: cannot be read as BIDS-EEG"):
        list(BIDS(tmp_path).trials("07"))
    with pytest.raises(UsageError, match="'99' is nobody"):
        list(BIDS(tmp_path).trials("99"))
