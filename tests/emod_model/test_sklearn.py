"""The scikit-learn face: its own checks, what windows are taken, what tuning does."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from emod_model.checkpoint import CheckpointInfo, default_checkpoint, load_checkpoint, save_checkpoint
from emod_model.errors import ModelError, UsageError
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.sklearn import EMODClassifier, EMODRegressor
from tests.conftest import ROOT

Array = npt.NDArray[np.float64]
NAMES = ["Fp1", "Fp2", "O1", "O2"]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@parametrize_with_checks([EMODClassifier(), EMODRegressor()])
def test_scikit_learns_own_checks(estimator: BaseEstimator, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = EMODConfig(d_model=16, n_layers=1, n_heads=4, d_feedforward=24, n_groups=2)
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    told = {"training_data": "nothing", "licence": "BSD-3-Clause", "simulated": True}
    save_checkpoint(
        file, EMOD(config), CheckpointInfo(name="tiny", network=config, signal=SignalSpec(), **told)
    )
    return file


def alpha(n: int, sfreq: float = 125.0, seconds: float = 2.0) -> tuple[Array, npt.NDArray[np.str_]]:
    """Windows with eyes open, and closed: 10 Hz at the back."""
    rng = np.random.default_rng(0)
    samples = round(seconds * sfreq)
    eeg = rng.normal(0, 10, (n, 4, samples))
    closed = np.arange(n) % 2 == 1
    wave = 25 * np.sin(2 * np.pi * 10 * np.arange(samples) / sfreq)
    eeg[closed, 2:] += wave
    return eeg, np.where(closed, "closed", "open")


def test_windows_are_classified_in_the_words_they_were_labelled_with(tiny: Path) -> None:
    eeg, state = alpha(40)
    classifier = EMODClassifier(tiny, ch_names=NAMES).fit(eeg[:20], state[:20])
    assert classifier.score(eeg[20:], state[20:]) == 1.0
    assert list(classifier.classes_) == ["closed", "open"]
    probability = classifier.predict_proba(eeg[20:])
    np.testing.assert_allclose(probability.sum(1), 1)
    assert (classifier.classes_[probability.argmax(1)] == classifier.predict(eeg[20:])).all()


def test_valence_and_arousal_are_fitted_together(tiny: Path) -> None:
    eeg, state = alpha(40)
    ratings = np.stack([state == "closed", state == "open"], 1) * 0.8 - 0.4
    regressor = EMODRegressor(tiny, ch_names=NAMES).fit(eeg[:20], ratings[:20])
    assert regressor.predict(eeg[20:]).shape == (20, 2)
    assert regressor.score(eeg[20:], ratings[20:]) > 0.5
    assert EMODRegressor(tiny, ch_names=NAMES).fit(eeg, ratings[:, 0]).predict(eeg).shape == (40,)


def test_features_stand_in_for_windows(tiny: Path) -> None:
    eeg, state = alpha(20)
    classifier = EMODClassifier(tiny, ch_names=NAMES)
    features = classifier.encode(eeg)
    assert features.shape == (20, 4 * 3 * 16)
    by_features = clone(classifier).fit(features, state).predict_proba(features)
    np.testing.assert_allclose(by_features, classifier.fit(eeg, state).predict_proba(eeg))
    with pytest.raises(ValueError, match="expecting 4 features"):
        classifier.predict(features)


@pytest.mark.parametrize("sfreq", [250.0, 128.0, 512.0])
def test_another_rate_gives_nearly_the_same_features(tiny: Path, sfreq: float) -> None:
    model = EMODClassifier(tiny, ch_names=NAMES)
    # below the new Nyquist frequency, so that resampling has nothing to remove
    own, other = (
        np.cumsum(np.ones((1, 4, round(3 * rate))), -1) / rate for rate in (125.0, sfreq)
    )  # fmt: skip
    phase = np.arange(4)[:, None]
    first = model.encode(20 * np.sin(2 * np.pi * 7 * own + phase))
    second = model.set_params(sfreq=sfreq).encode(20 * np.sin(2 * np.pi * 7 * other + phase))
    assert np.abs(first - second).max() < 0.1 * np.abs(first).max()


def test_odd_samples_after_the_last_token_are_left_out(tiny: Path) -> None:
    model = EMODClassifier(tiny, ch_names=NAMES)
    eeg = alpha(2)[0]
    eeg -= eeg.mean(-1, keepdims=True)
    longer = np.concatenate([eeg, np.full((2, 4, 7), 500.0)], -1)
    np.testing.assert_allclose(model.encode(longer), model.encode(eeg))


def test_tuning_all_changes_the_network_by_the_seed_alone(tiny: Path) -> None:
    eeg, state = alpha(16)
    frozen = EMODClassifier(tiny, ch_names=NAMES, epochs=2)
    before = {name: v.clone() for name, v in load_checkpoint(tiny).network.state_dict().items()}
    tuned = [clone(frozen).set_params(tune="all").fit(eeg, state) for _ in range(2)]
    np.testing.assert_array_equal(tuned[0].predict_proba(eeg), tuned[1].predict_proba(eeg))
    moved = tuned[0].network_.state_dict()
    assert not torch.equal(moved["encoder.electrodes"], before["encoder.electrodes"])
    assert np.abs(tuned[0].encode(eeg) - frozen.encode(eeg)).max() > 0
    ratings = EMODRegressor(tiny, ch_names=NAMES, tune="all", epochs=1).fit(eeg, np.arange(16.0))
    assert ratings.predict(eeg).shape == (16,)


def test_it_takes_part_in_searches_and_validation(tiny: Path) -> None:
    eeg, state = alpha(24)
    classifier = EMODClassifier(tiny, ch_names=NAMES)
    assert cross_val_score(classifier, eeg, state, cv=2).mean() > 0.9
    search = GridSearchCV(classifier, {"C": [0.01, 0.1]}, cv=2).fit(classifier.encode(eeg), state)
    assert search.best_score_ > 0.9


@pytest.mark.parametrize(
    ("changes", "windows", "error", "sentence"),
    [
        ({"ch_names": None}, alpha(4)[0], UsageError, "give ch_names"),
        ({"ch_names": ["Fp1", "Fp2", "O1", "X9"]}, alpha(4)[0], UsageError, "'X9' is not a 10-05"),
        ({"ch_names": NAMES[:3]}, alpha(4)[0], ModelError, "4 channels came with 3 names"),
        ({}, alpha(4)[0] * 1e-6, UsageError, "in volts; give microvolts"),
        ({}, alpha(4, seconds=11)[0], ModelError, "longer than the model takes"),
        ({}, alpha(4, seconds=0.1)[0], ModelError, "not a whole number"),
        ({"tune": "some"}, alpha(4)[0], UsageError, 'neither "head" nor "all"'),
        ({"tune": "all"}, np.eye(4), UsageError, "needs windows"),
    ],
)
def test_what_cannot_be_fitted_is_said(
    tiny: Path, changes: dict[str, Any], windows: Array, error: type[Exception], sentence: str
) -> None:
    classifier = EMODClassifier(tiny, ch_names=NAMES).set_params(**changes)
    with pytest.raises(error, match=sentence):
        classifier.fit(windows, ["a", "b", "a", "b"])


def test_a_model_that_needs_its_wearers_baseline_is_refused() -> None:
    with pytest.raises(ModelError, match="relative to their wearer's baseline"):
        EMODClassifier(default_checkpoint(), ch_names=NAMES).encode(alpha(2)[0])


def test_the_docs_run_on_real_recordings_and_ten_lines_give_a_result(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "sklearn.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in blocks[0].splitlines() if line and not line.startswith(("import", "from"))]
    assert len(lines) <= 10
    exec("\n".join(blocks).replace("eegmat/", f"{shared_data}/eegmat/"), {})
    scores = [float(printed) for printed in capsys.readouterr().out.split()]
    assert len(scores) == 2
    assert all(0.3 < score <= 1 for score in scores)
