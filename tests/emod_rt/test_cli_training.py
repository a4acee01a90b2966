"""`emod-rt pretrain` and `emod-rt finetune`: settings in, a checkpoint out, and an end to go on from."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from emod_model.checkpoint import load_checkpoint
from emod_model.errors import EmodError
from emod_model.store import write_store
from emod_rt.cli import app
from tests.emod_model.store.toy import RECIPE, Toy

PRETRAIN = """
out = "pretrained"
name = "small"
licence = "CC-BY-4.0"
stores = ["toy.h5"]
epochs = {epochs}
validation_people = 0.3
[network]
d_model = 16
n_layers = 1
n_heads = 2
d_feedforward = 16
[batches]
rounds = 1
an_epoch = 2
[machine]
accelerator = "cpu"
"""
FINETUNE = """
out = "tuned"
name = "tuned"
licence = "CC-BY-4.0"
store = "toy.h5"
start = "pretrained/pretrained.safetensors"
head = "both"
epochs = 2
batch = 8
validation_people = ["p3"]
[machine]
accelerator = "cpu"
"""


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("corpora")
    (place / "raw").mkdir()
    write_store(Toy(place / "raw", people=4, trials=3), place / "raw", place / "toy.h5", RECIPE)
    (place / "pretrain.toml").write_text(PRETRAIN.format(epochs=2))
    (place / "finetune.toml").write_text(FINETUNE)
    return place


def told(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def test_a_store_is_pretrained_on_and_then_fine_tuned(folder: Path) -> None:
    result = told("pretrain", folder / "pretrain.toml")
    assert result.exit_code == 0, result.output
    weights = Path(result.stdout.strip())
    assert weights == folder / "pretrained/pretrained.safetensors"
    assert "epoch 2 of 2: training loss" in result.stderr
    assert "toy (" in load_checkpoint(weights).training_data
    result = told("finetune", folder / "finetune.toml")
    assert result.exit_code == 0, result.output
    model = load_checkpoint(result.stdout.strip())
    assert model.info.labels.classes == ("happy", "neutral", "sad")
    assert "from small" in model.training_data
    shown = json.loads(told("model", "show", model.path, "--json").stdout)
    assert "validation/kappa" in shown["figures"]
    with pytest.raises(EmodError, match="holds a run already") as refused:
        told("pretrain", folder / "pretrain.toml")
    assert refused.value.exit_code == 2


def test_settings_that_are_wrong_are_an_error_of_the_input(folder: Path) -> None:
    file = folder / "wrong.toml"
    file.write_text(PRETRAIN.format(epochs=2).replace("toy.h5", "absent.h5").replace("pretrained", "other"))
    with pytest.raises(EmodError, match=r"absent\.h5") as refused:
        told("pretrain", file)
    assert refused.value.exit_code == 3
    assert not (folder / "other").exists()


def test_sigterm_keeps_the_state_and_says_how_to_go_on(folder: Path) -> None:
    file = folder / "long.toml"
    file.write_text(PRETRAIN.format(epochs=100_000).replace("pretrained", "long"))
    command = [sys.executable, "-c", "from emod_rt.start import main; main()", "pretrain", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "epoch 1 of 100000" in line, line + process.stderr.read()
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 0, rest
    assert f"go on with: emod-rt pretrain {file} --resume" in rest
    assert (folder / "long/state.safetensors").is_file()
