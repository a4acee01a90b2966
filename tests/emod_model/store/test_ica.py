"""Components of eyes are told by the real ICLabel and taken out before windows are cut."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from emod_model.errors import InputFileError, UsageError
from emod_model.montage import positions
from emod_model.store import Recipe, open_store, write_store
from tests.emod_model.store.toy import SPEC, Toy, trial

CAP = ("Fp1", "Fp2", "F3", "F4", "F7", "F8", "T7", "T8", "C3", "C4", "P7", "P8", "P3", "P4", "O1", "O2")
SFREQ = 128.0
RECIPE = Recipe(corpus="toy", signal=SPEC, hop_s=2.0, ica=True)


def head(seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Return many small sources, each near its electrodes, and a blink every three seconds, in microvolts."""
    rng = np.random.default_rng(0)
    n = round(seconds * SFREQ)
    spectrum = (
        np.fft.rfft(rng.standard_normal((48, n))) / np.maximum(np.fft.rfftfreq(n, 1 / SFREQ), 1) ** 0.75
    )
    sources = np.fft.irfft(spectrum, n)
    sources /= sources.std(1, keepdims=True)
    seats = rng.standard_normal((48, 3)) * (1, 1, 0.5) + (0, 0, 0.5)
    seats /= np.linalg.norm(seats, axis=1, keepdims=True)
    near = np.exp(-((positions(CAP)[:, None] - seats) ** 2).sum(-1) / 0.3)
    course = np.zeros(n)
    for at in np.arange(1, seconds - 1, 2.7) + rng.uniform(0, 1, len(np.arange(1, seconds - 1, 2.7))):
        begin = round(at * SFREQ)
        course[begin : begin + 38] += np.hanning(38)
    front = np.exp(-((positions(CAP) - (0, 1, -0.1)) ** 2).sum(-1) / 0.25)
    return 8 * near @ sources, 150 * front[:, None] * course


class Blinking(Toy):
    """Two trials of 15 s, one after the other."""

    def trial(self, subject, number):
        brain, blinks = head(30.0)
        piece = (brain + blinks)[:, number * 1920 : (number + 1) * 1920].astype(np.float32)
        return replace(trial(subject, number), eeg=piece, sfreq=SFREQ, channels=CAP)


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


def test_blinks_are_taken_out_and_noted(raw, tmp_path):
    manifest = write_store(Blinking(raw, 1), raw, tmp_path / "with.h5", RECIPE).manifest
    write_store(Blinking(raw, 1), raw, tmp_path / "without.h5", RECIPE.model_copy(update={"ica": False}))
    assert manifest.recipe.ica
    assert manifest.notes["ICA took out a component: eye blink"] >= 1
    with_ica, without = (open_store(tmp_path / name) for name in ("with.h5", "without.h5"))
    largest = [np.percentile(np.abs(store.windows[:, 0]), 99) for store in (with_ica, without)]
    assert largest[0] < 0.5 * largest[1]
    back = CAP.index("O1")
    np.testing.assert_allclose(with_ica.windows[:, back].std(), without.windows[:, back].std(), rtol=0.2)


def test_too_few_electrodes_are_refused(raw, tmp_path):
    with pytest.raises(
        InputFileError, match="has 6 whole electrodes and 20 s, too little to tell components"
    ):
        write_store(Toy(raw, 1), raw, tmp_path / "toy.h5", RECIPE)


def test_without_mne_icalabel_one_sentence_says_how_to_get_it(raw, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mne_icalabel", None)
    with pytest.raises(UsageError, match=r"--ica needs mne-icalabel.*pip install 'emod-rt\[ica\]'"):
        write_store(Toy(raw, 1), raw, tmp_path / "toy.h5", RECIPE)
