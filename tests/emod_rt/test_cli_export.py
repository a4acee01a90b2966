"""`emod-rt export`: the shipped model for other programs."""

import json
from pathlib import Path

import pytest
import torch

from emod_model.checkpoint import simulated_checkpoint
from tests.emod_rt.test_cli_import import typed


@pytest.mark.filterwarnings(r"ignore:`torch\.jit\.\w+` is deprecated:DeprecationWarning")
def test_the_shipped_model_is_written_with_its_card_and_the_difference_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "emod.torchscript"
    assert typed(monkeypatch, "export", str(simulated_checkpoint()), str(out)) == 0
    told = capsys.readouterr().err
    assert "TorchScript with tokens, embedding, affect, affect_sd; differs from" in told
    said = {"emod.json": ""}
    torch.jit.load(out, _extra_files=said)
    assert "simulated" in json.loads(said["emod.json"])["card"]


def test_what_cannot_be_exported_ends_with_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "export", str(simulated_checkpoint()), str(tmp_path / "emod.txt")) == 2
    assert typed(monkeypatch, "export", str(tmp_path / "none.safetensors"), str(tmp_path / "emod.pt")) == 3
    assert list(tmp_path.iterdir()) == []
