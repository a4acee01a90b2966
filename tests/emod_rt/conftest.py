"""A checkpoint with random weights: the live path cares for numbers, not for sense."""

from pathlib import Path

import pytest
import torch

from emod_model.checkpoint import CheckpointInfo, save_checkpoint
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec


@pytest.fixture(scope="session")
def untrained(tmp_path_factory) -> Path:
    """Path of a small network that was never trained."""
    config = EMODConfig(d_model=32, n_layers=1, n_heads=4, d_feedforward=64)
    info = CheckpointInfo(
        name="untrained",
        network=config,
        signal=SignalSpec(),
        training_data="Nothing.",
        licence="BSD-3-Clause",
        simulated=True,
    )
    path = tmp_path_factory.mktemp("model") / "untrained.safetensors"
    torch.manual_seed(0)
    save_checkpoint(path, EMOD(config), info)
    return path
