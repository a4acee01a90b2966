"""`emod-rt import-weights` by the real program: what it writes, what it says, how it refuses."""

import json
from pathlib import Path

import torch

from emod_model import load_checkpoint
from tests.emod_model import released
from tests.emod_rt.programs import run


def test_released_weights_become_a_checkpoint_that_encodes_and_does_not_read(tmp_path: Path) -> None:
    weights = released.random_weights(older=True, d=16, layers=1, hidden=24)
    torch.save({"state_dict": weights, "epoch": 3}, tmp_path / "emod.pt")
    done = run("import-weights", "emod.pt", "emod.safetensors", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no part of the network: epoch" in done.stderr
    assert f"{len(weights)} tensors, none left over, head named as in the older layout" in done.stderr
    eeg = torch.randn(1, 2, 256, generator=torch.Generator().manual_seed(0))
    tokens, _ = load_checkpoint(tmp_path / "emod.safetensors").encode(eeg, ["C3", "C4"], 128)
    torch.testing.assert_close(
        tokens.double(), released.encode(weights, eeg, ["C3", "C4"], 128)[0], atol=2e-5, rtol=0
    )
    shown = run("model", "show", "emod.safetensors", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["affect_trained"] is False
    refused = run(
        "run",
        "--source",
        "sim:1",
        "--model",
        "emod.safetensors",
        "--headless",
        "--duration",
        "1",
        cwd=tmp_path,
    )
    assert refused.returncode == 5
    assert "no trained valence and arousal" in refused.stderr


def test_what_is_no_emod_ends_with_its_exit_code_and_leaves_nothing(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.pt")
    (tmp_path / "text.pt").write_text("not weights")
    for file, code in (("other.pt", 5), ("text.pt", 3), ("none.pt", 3)):
        done = run("import-weights", file, "out.safetensors", cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
        assert file in done.stderr
        assert not (tmp_path / "out.safetensors").exists()
