"""`emod-rt import-weights`: what it writes, what it says, how it refuses."""

import json
from pathlib import Path

import pytest
import torch

from emod_model import load_checkpoint
from emod_rt.cli import main
from tests.emod_model import released


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Return the exit code of a command line, run in this process."""
    monkeypatch.setattr("sys.argv", ["emod-rt", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_released_weights_become_a_checkpoint_that_encodes_and_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = released.random_weights(older=True, d=16, layers=1, hidden=24)
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": weights, "epoch": 3}, "emod.pt")
    assert typed(monkeypatch, "import-weights", "emod.pt", "emod.safetensors") == 0
    told = capsys.readouterr().err
    assert "no part of the network: epoch" in told
    assert f"{len(weights)} tensors, none left over, head named as in the older layout" in told
    eeg = torch.randn(1, 2, 256, generator=torch.Generator().manual_seed(0))
    tokens, _ = load_checkpoint("emod.safetensors").encode(eeg, ["C3", "C4"], 128)
    expected, _ = released.encode(weights, eeg, ["C3", "C4"], 128)
    torch.testing.assert_close(tokens.double(), expected, atol=2e-5, rtol=0)
    assert typed(monkeypatch, "model", "show", "emod.safetensors", "--json") == 0
    assert json.loads(capsys.readouterr().out)["affect_trained"] is False
    assert typed(monkeypatch, "run", "--source", "sim:1", "--model", "emod.safetensors", "--headless") == 5
    assert "no trained valence and arousal" in capsys.readouterr().err


def test_what_is_no_emod_ends_with_its_exit_code_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"fc.weight": torch.zeros(2, 2)}, "other.pt")
    Path("text.pt").write_text("not weights")
    for file, code in (("other.pt", 5), ("text.pt", 3), ("none.pt", 3)):
        assert typed(monkeypatch, "import-weights", file, "out.safetensors") == code
        told = capsys.readouterr().err
        assert (told.count("\n"), file in told) == (1, True), told
        assert not Path("out.safetensors").exists()
