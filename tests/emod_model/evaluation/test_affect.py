from pathlib import Path

import numpy as np
import pytest
import torch

from emod_model.centring import Centring
from emod_model.checkpoint import CheckpointInfo, LabelSpace, Model, load_checkpoint, save_checkpoint
from emod_model.evaluation.affect import Signal, estimates, look_at
from emod_model.evaluation.own_classes import as_arousal
from emod_model.evaluation.recorded import Recorded, table
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec

CHANNELS = ("Fp1", "Fp2", "C3", "C4")
SFREQ = 125.0
CONFIG = EMODConfig(d_model=8, n_layers=1, n_heads=2, d_feedforward=8, n_groups=2)


def model(centring: Centring | None) -> Model:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    info = CheckpointInfo(
        name="tiny",
        network=CONFIG,
        signal=SignalSpec(hop_s=1.0),
        training_data="nothing",
        licence="BSD-3-Clause",
        simulated=True,
        centring=centring,
    )
    return Model(info, EMOD(CONFIG).eval().requires_grad_(False), "0" * 64, Path("tiny.safetensors"))


def person(task: int) -> tuple[list[Recorded], list[Signal]]:
    """Return 70 s of rest, always the same, and 11 s of a task."""
    recorded = []
    for label, seconds, seed in (("rest", 70, 0), ("task", 11, task)):
        eeg = 10 * np.random.default_rng(seed).standard_normal((4, int(seconds * SFREQ)))
        recorded.append(Recorded("a", label, label, eeg.astype(np.float32), SFREQ, CHANNELS, label == "rest"))
    starts = np.cumsum([0, *(one.n_windows for one in recorded)])
    signals = [
        Signal(one.eeg, SFREQ, CHANNELS, int(start), one.n_windows)
        for one, start in zip(recorded, starts, strict=False)
    ]
    return recorded, signals


@pytest.mark.parametrize("centring", [None, Centring(), Centring(place="power")])
def test_what_is_read_of_a_window_rests_on_the_rest_alone_unless_everything_is_taken(centring):
    tiny = model(centring)
    found = {}
    for task in (1, 2):
        recorded, signals = person(task)
        windows = table(recorded, ("rest", "task"))
        seen = look_at(tiny, signals)
        # 3-s windows every second: three lie in every 5 s, also in the first
        assert np.bincount(seen.row).tolist() == [3] * 16
        for kind in ("none", "causal", "transductive"):
            said, fused = estimates(seen, windows, kind, tiny)
            assert np.isfinite(said).all()
            assert fused.shape == (16, 8)
            found[kind, task] = said
    rest = slice(0, 14)
    for kind in ("none", "causal"):
        np.testing.assert_array_equal(found[kind, 1][rest], found[kind, 2][rest])
    assert not np.allclose(found["transductive", 1][rest], found["transductive", 2][rest], atol=1e-7)
    assert not np.allclose(found["causal", 1], found["none", 1], atol=1e-7)


def test_a_model_of_two_classes_is_read_as_if_they_were_its_arousal(tmp_path):
    config = EMODConfig(d_model=16, n_layers=1, n_heads=2, d_feedforward=16, n_classes=3)
    torch.manual_seed(0)
    network = EMOD(config).eval()
    labels = LabelSpace(classes=("arithmetic", "film", "rest"))
    info = CheckpointInfo(
        name="three",
        network=config,
        signal=SignalSpec(),
        labels=labels,
        training_data="nothing",
        licence="BSD-3-Clause",
        simulated=False,
        affect_trained=False,
    )
    save_checkpoint(tmp_path / "three.safetensors", network, info)
    model = load_checkpoint(tmp_path / "three.safetensors")
    read = as_arousal(model, ("rest", "arithmetic"))
    assert read is not None
    read.require_affect()
    tokens = torch.randn(4, 3, 15, config.d_model)
    with torch.no_grad():
        mean, _ = read.network.affect(tokens)
        chance = model.network.logits(tokens)[:, [2, 0]].softmax(-1)
    torch.testing.assert_close(mean[:, 1], chance[:, 1] - chance[:, 0])
    assert as_arousal(model, ("rest", "effort")) is None
    assert as_arousal(model, ("rest", "film", "arithmetic")) is None
