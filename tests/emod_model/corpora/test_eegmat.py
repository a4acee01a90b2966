"""EEGMAT: as published, with halves missing, cut short or renamed."""

import shutil
from pathlib import Path

import edfio
import numpy as np
import pytest

from emod_model.corpora import open_corpus
from emod_model.corpora.eegmat import EEGMAT, ELECTRODES, PUBLISHED_CHANNELS
from emod_model.errors import InputFileError, UsageError

ORDER = "Fp1 Fp2 F3 F4 F7 F8 T3 T4 C3 C4 T5 T6 P3 P4 O1 O2 Fz Cz Pz A2-A1"
NAMES = tuple(ORDER.split())


def write_edf(
    path: Path, seconds: int, sfreq: int = 500, names: tuple[str, ...] = NAMES, seed: int = 0
) -> None:
    """Write a file as EEGMAT's: "EEG Fp1" ... "EEG A2-A1" in uV, "ECG ECG" in mV."""
    rng = np.random.default_rng(seed)
    signals = []
    for row, name in enumerate(names):
        # the row can be told by its size
        data = (row + 1) * rng.standard_normal(seconds * sfreq)
        signals.append(edfio.EdfSignal(data, sfreq, label=f"EEG {name}", physical_dimension="uV"))
    ecg = rng.standard_normal(seconds * sfreq)
    signals.append(edfio.EdfSignal(ecg, sfreq, label="ECG ECG", physical_dimension="mV"))
    path.parent.mkdir(parents=True, exist_ok=True)
    edfio.Edf(signals).write(path)


@pytest.fixture
def folder(tmp_path) -> Path:
    for person in (32, 33):
        write_edf(tmp_path / f"Subject{person}_1.edf", 4, seed=person)
        write_edf(tmp_path / f"Subject{person}_2.edf", 3, seed=person + 50)
    return tmp_path


def test_a_folder_with_some_of_the_people_gives_rest_and_arithmetic_of_each(folder):
    corpus = open_corpus("eegmat", folder)
    assert corpus.subjects() == ("Subject32", "Subject33")
    rest, arithmetic = corpus.trials("Subject32")
    assert (rest.label, arithmetic.label) == ("rest", "arithmetic")
    assert rest.channels == arithmetic.channels == ELECTRODES
    assert rest.eeg.shape == (19, 2000)
    assert arithmetic.eeg.shape == (19, 1500)
    assert rest.eeg.dtype == np.float32
    assert rest.sfreq == 500
    assert rest.baseline_s == 0
    assert rest.ratings is None
    np.testing.assert_allclose(rest.eeg.std(1), np.arange(1, 20), rtol=0.1)
    assert not corpus.notes


def test_the_published_protocol_has_the_difference_of_the_ears_as_twentieth_row(folder):
    (_, rest, sfreq), (label, arithmetic, _) = EEGMAT(folder).published("Subject33")
    assert len(PUBLISHED_CHANNELS) == 20
    assert PUBLISHED_CHANNELS[-1] == "A2-A1"
    assert rest.shape == (20, 2000)
    assert arithmetic.shape == (20, 1500)
    assert (label, sfreq) == ("arithmetic", 500)
    np.testing.assert_allclose(rest.std(1), np.arange(1, 21), rtol=0.1)


def test_channels_come_in_the_published_order_however_the_file_has_them(tmp_path):
    write_edf(tmp_path / "Subject00_1.edf", 2, names=tuple(reversed(NAMES)))
    corpus = EEGMAT(tmp_path)
    (rest,) = corpus.trials("Subject00")
    np.testing.assert_allclose(rest.eeg.std(1), np.arange(20, 1, -1), rtol=0.1)


def test_a_missing_half_is_noted_and_the_other_read(folder):
    (folder / "Subject33_2.edf").unlink()
    corpus = EEGMAT(folder)
    assert [trial.label for trial in corpus.trials("Subject33")] == ["rest"]
    assert list(corpus.notes) == ["Subject33_2.edf (arithmetic) is missing; only rest is read"]


def test_a_file_cut_short_is_refused_by_name_and_size(folder):
    path = folder / "Subject32_2.edf"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000])
    corpus = EEGMAT(folder)
    with pytest.raises(
        InputFileError, match=rf"Subject32_2\.edf: cut short, {len(whole) - 1000} of {len(whole)}"
    ):
        list(corpus.trials("Subject32"))
    path.write_bytes(whole[:100])
    with pytest.raises(InputFileError, match=r"Subject32_2\.edf: not an EDF"):
        list(corpus.trials("Subject32"))


def test_a_file_without_one_of_the_channels_is_refused(tmp_path):
    write_edf(tmp_path / "Subject00_1.edf", 2, names=tuple(name for name in NAMES if name != "T5"))
    with pytest.raises(InputFileError, match=r"Subject00_1\.edf: channel P7 is not among EEG Fp1"):
        list(EEGMAT(tmp_path).trials("Subject00"))


def test_names_in_capitals_and_folders_in_between_are_read_and_other_names_noted(folder):
    inner = folder / "physionet.org" / "files"
    inner.mkdir(parents=True)
    for path in folder.glob("*.edf"):
        path.rename(inner / path.name.upper())
    shutil.copy(inner / "SUBJECT32_1.EDF", inner / "copy of Subject32_1.edf")
    corpus = EEGMAT(folder)
    assert corpus.subjects() == ("Subject32", "Subject33")
    assert len(list(corpus.trials("Subject32"))) == 2
    assert "copy of Subject32_1.edf is not named as in EEGMAT" in next(iter(corpus.notes))


def test_one_half_twice_is_refused(folder):
    (folder / "again").mkdir()
    shutil.copy(folder / "Subject32_1.edf", folder / "again")
    with pytest.raises(InputFileError, match=r"are the same half; keep one"):
        EEGMAT(folder)


def test_a_folder_without_eegmat_and_an_unknown_person_are_refused(tmp_path, folder):
    with pytest.raises(InputFileError, match=r"no SubjectNN_1\.edf"):
        EEGMAT(tmp_path / "physionet.org")
    with pytest.raises(UsageError, match=r"'Subject07' is nobody in .* Subject32 to Subject33"):
        list(EEGMAT(folder).trials("Subject07"))


def test_the_real_recordings_are_those_of_32_people(shared_data):
    corpus = EEGMAT(shared_data / "eegmat")
    assert len(corpus.subjects()) == 32
    rest, arithmetic = corpus.trials("Subject31")
    assert rest.sfreq == arithmetic.sfreq == 250
    assert (rest.eeg.shape, arithmetic.eeg.shape) == ((19, 20_000), (19, 15_500))
    assert 5 < np.median(rest.eeg.std(1)) < 20
