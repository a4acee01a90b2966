"""A checkpoint that takes the wearer's baseline off: from the first valid window, in whatever chunks."""

import dataclasses

import numpy as np
import pytest
import torch

from emod_model.calibration.reading import read
from emod_model.centring import Centring
from emod_model.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import condition_recording
from emod_rt.pipeline import Pipeline
from emod_rt.sources.base import StreamInfo
from emod_rt.torchscript import TorchScriptEngine
from tests.emod_rt.doubles import CHANNELS, ManualClock, chunks_of, eeg

INFO = StreamInfo("test", 250.0, CHANNELS)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(3)
    torch.set_num_threads(1)
    config = EMODConfig(d_model=16, n_layers=1, n_heads=2, d_feedforward=32)
    path = tmp_path_factory.mktemp("weights") / "relative.safetensors"
    info = CheckpointInfo(
        name="relative",
        network=config,
        signal=SignalSpec(tokens_per_s=2),
        training_data="nobody",
        licence="BSD-3-Clause",
        simulated=False,
        centring=Centring(first_s=4.0),
        unvalidated=("valence",),
    )
    save_checkpoint(path, EMOD(config), info)
    return load_checkpoint(path)


def estimates(model, chunks):
    pipeline = Pipeline(TorchScriptEngine(model), INFO, ManualClock())
    return [dataclasses.replace(estimate, latency_ms=0.0) for estimate in pipeline.push(chunks)]


def test_the_first_valid_window_comes_as_soon_as_the_filters_have_settled(model):
    said = estimates(model, chunks_of(eeg(3000), 50))
    assert next(e.index + 1 for e in said if e.valid) == 1125, "4.5 s: settling, and one window"


def test_estimates_do_not_depend_on_chunks_and_hear_nothing_of_what_comes_later(model):
    data = eeg(4000)
    whole = estimates(model, chunks_of(data, 4000))
    assert estimates(model, chunks_of(data, 37)) == whole
    louder = data.copy()
    louder[:, 2500:] *= 3
    changed = estimates(model, chunks_of(louder, 500))
    before = [e for e in whole if e.index < 2500]
    assert changed[: len(before)] == before
    assert changed != whole


def test_a_reading_is_less_sure_until_the_baseline_is_long_enough(model):
    sd = [e.arousal_sd for e in estimates(model, chunks_of(eeg(6000), 500)) if e.valid]
    assert sd[0] > 0.5
    assert sd[-1] < sd[0] - 0.1


def test_a_louder_amplifier_gives_the_same_reading(model):
    quiet, loud = (estimates(model, chunks_of(eeg(3500) * gain, 500)) for gain in (1.0, 2.0))
    for one, other in zip(quiet, loud, strict=True):
        if one.valid:
            assert other.arousal == pytest.approx(one.arousal, abs=2e-3)


def test_a_calibration_reads_windows_as_the_live_path_does(model):
    data = eeg(4000)
    windows = condition_recording(data, 250.0, model.spec, channels=CHANNELS)
    seen = read(model, windows, CHANNELS, 250.0)
    engine, said = TorchScriptEngine(model), []
    engine_infer = engine.infer

    def listen(*given):
        said.append(engine_infer(*given))
        return said[-1]

    engine.infer = listen
    list(Pipeline(engine, INFO, ManualClock()).push(chunks_of(data, 100)))
    np.testing.assert_allclose(seen.mean, [one.mean for one in said], atol=1e-5)
