"""`emod-rt model show`: what a checkpoint says of itself."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from emod_model import checkpoint
from emod_model.checkpoint import CheckpointInfo, save_checkpoint
from emod_model.errors import InputFileError
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_rt.cli.model import app

SMALL = EMODConfig(d_model=16, n_layers=1, n_heads=4, d_feedforward=24, n_groups=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "tiny.safetensors")


def write(file: Path, **changes: Any) -> Path:
    torch.manual_seed(0)
    told: dict[str, Any] = {
        "name": "tiny",
        "network": SMALL,
        "signal": SignalSpec(),
        "training_data": "two windows of noise",
        "licence": "BSD-3-Clause",
        "figures": {"unseen people/ccc": 0.25},
        "simulated": True,
    }
    save_checkpoint(file, EMOD(SMALL), CheckpointInfo(**(told | changes)))
    return file


def shown(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "100"}).invoke(app, ["show", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_person_reads_what_the_model_is(path: Path) -> None:
    text = shown(str(path))
    sha256 = checkpoint.load_checkpoint(path).sha256
    for expected in ["tiny", "SIMULATED", "125 Hz", "two windows of noise", "unseen people", "ccc", "0.250"]:
        assert expected in text
    for expected in ["BSD-3-Clause", "valence and arousal from -1 to 1", sha256]:
        assert expected in text


def test_a_model_of_real_signals_has_no_badge(tmp_path: Path) -> None:
    assert "SIMULATED" not in shown(str(write(tmp_path / "real.safetensors", simulated=False)))


def test_a_program_reads_one_json_object(path: Path) -> None:
    told = json.loads(shown(str(path), "--json"))
    model = checkpoint.load_checkpoint(path)
    assert (
        CheckpointInfo.model_validate({key: told[key] for key in CheckpointInfo.model_fields}) == model.info
    )
    assert told["sha256"] == model.sha256
    assert told["parameters"] == sum(p.numel() for p in model.network.parameters())


def test_names_out_of_a_file_are_not_markup(tmp_path: Path) -> None:
    assert "[red]x[/red] [/]" in shown(str(write(tmp_path / "odd.safetensors", name="[red]x[/red] [/]")))


def test_without_a_file_it_shows_the_shipped_model(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "default_checkpoint", lambda: path)
    assert json.loads(shown("--json"))["file"] == str(path)


def test_a_missing_file_is_an_error_of_the_input(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no model file at"):
        shown(str(tmp_path / "none.safetensors"))
