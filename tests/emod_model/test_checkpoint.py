"""Checkpoints: what goes in comes out, and what does not fit is refused in one sentence."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

import emod_model
from emod_model.checkpoint import CheckpointInfo, Model, default_checkpoint, load_checkpoint, save_checkpoint
from emod_model.errors import InputFileError, ModelError, UsageError
from emod_model.features import extract
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec

SMALL = EMODConfig(d_model=16, n_layers=1, n_heads=4, d_feedforward=24, n_groups=2)
NAMES = ["Fp1", "AF7", "T3"]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def info(**changes: Any) -> CheckpointInfo:
    told: dict[str, Any] = {
        "name": "tiny",
        "network": SMALL,
        "signal": SignalSpec(),
        "training_data": "two windows of noise",
        "licence": "BSD-3-Clause",
        "figures": {"ccc": 0.25},
        "simulated": True,
    }
    return CheckpointInfo(**(told | changes))


@pytest.fixture
def network() -> EMOD:
    torch.manual_seed(0)
    return EMOD(SMALL).eval()


@pytest.fixture
def path(tmp_path: Path, network: EMOD) -> Path:
    file = tmp_path / "tiny.safetensors"
    save_checkpoint(file, network, info())
    return file


@pytest.fixture
def model(path: Path) -> Model:
    return load_checkpoint(path)


def windows(samples: int = 375, channels: int = 3) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).normal(0, 20, (2, channels, samples)).astype(np.float32)


def test_a_checkpoint_comes_back_as_it_was_saved(model: Model, network: EMOD, path: Path) -> None:
    assert model.info == info()
    assert (model.name, model.spec, model.simulated) == ("tiny", SignalSpec(), True)
    for name, value in network.state_dict().items():
        assert torch.equal(model.network.state_dict()[name], value), name
    assert not model.network.training
    assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_configuration_is_json_in_the_files_metadata(path: Path) -> None:
    header_size = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + header_size])
    told = json.loads(header["__metadata__"]["emod"])
    assert told["signal"]["sfreq"] == 125.0
    assert told["simulated"] is True


def test_encoding_is_features_then_network(model: Model, network: EMOD) -> None:
    eeg = windows()
    tokens, embedding = model.encode(eeg, NAMES, 125.0)
    features = extract(torch.from_numpy(eeg), NAMES, 125.0, SignalSpec())
    with torch.no_grad():
        expected = network.encode(*features)
    torch.testing.assert_close((tokens, embedding), expected)
    assert tokens.shape == (2, 3, 15, 16)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, np.float64, np.ndarray.tolist])
def test_encode_takes_arrays_and_tensors(model: Model, kind: Callable[[Any], Any]) -> None:
    _, expected = model.encode(windows(), NAMES, 125.0)
    _, embedding = model.encode(kind(windows()), NAMES, 125)
    torch.testing.assert_close(embedding, expected)


def test_encode_is_the_notebooks_way_in(path: Path) -> None:
    tokens, _ = emod_model.load_checkpoint(path).encode(windows(25, 1), ["Oz"], 125.0)
    assert tokens.shape == (2, 1, 1, 16)


@pytest.mark.parametrize(
    ("eeg", "names", "sfreq", "sentence"),
    [
        (windows(), NAMES, 250.0, "has 250 Hz and the model takes 125 Hz"),
        (windows()[0], NAMES, 125.0, r"shape \(3, 375\) is not"),
        (windows(), ["Fp1"], 125.0, "3 channels came with 1 names"),
        (windows(1275), NAMES, 125.0, "10.2 s is longer"),
        (windows(380), NAMES, 125.0, "not a whole number"),
        (windows()[:0], NAMES, 125.0, "batch of 0 windows"),
        (np.where(np.arange(375) == 7, np.nan, windows()), NAMES, 125.0, "6 values of the EEG are missing"),
        (windows() * np.float32(np.inf), NAMES, 125.0, "missing"),
        (np.array([[["a"]]]), NAMES, 125.0, "not numbers"),
    ],
)
def test_a_signal_that_does_not_fit_is_refused(
    model: Model, eeg: Any, names: list[str], sfreq: float, sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        model.encode(eeg, names, sfreq)


def test_an_unknown_electrode_is_refused(model: Model) -> None:
    with pytest.raises(UsageError, match="'Fp9x' is not a 10-05 electrode name"):
        model.encode(windows(), ["Fp1", "Fp9x", "Cz"], 125.0)


def test_a_compiled_model_gives_the_same_estimates(model: Model) -> None:
    features = extract(torch.from_numpy(windows()), NAMES, 125.0, model.spec)
    compiled = model.script()
    torch.testing.assert_close(compiled(*features), model.network(*features), atol=1e-5, rtol=0)


def test_the_card_says_that_a_model_is_simulated(model: Model) -> None:
    assert "simulated" in model.card
    assert "two windows of noise" in model.card
    real = Model(info(simulated=False), model.network, model.sha256, model.path)
    assert "simulated" not in real.card


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no model file at"):
        load_checkpoint(tmp_path / "none.safetensors")


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_told(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputFileError, match="not a whole safetensors file"):
        load_checkpoint(path)


def test_a_pickle_is_told_and_not_opened(tmp_path: Path, network: EMOD) -> None:
    file = tmp_path / "weights.pt"
    torch.save(network.state_dict(), file)
    with pytest.raises(InputFileError, match="not a whole safetensors file"):
        load_checkpoint(file)


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        (None, "weights without an EMOD configuration"),
        ({"format": "pt"}, "weights without an EMOD configuration"),
        ({"emod": "{"}, "a configuration this version cannot read"),
        ({"emod": "[]"}, "a configuration this version cannot read"),
        ({"emod": info().model_dump_json().replace('"format":1', '"format":2')}, "cannot read .format"),
        (
            {"emod": info().model_dump_json().replace('"sfreq":125.0', '"sfreq":-1')},
            "cannot read .signal.sfreq",
        ),
    ],
)
def test_foreign_metadata_is_told(path: Path, metadata: dict[str, str] | None, sentence: str) -> None:
    save_file(load_file(path), path, metadata)
    with pytest.raises(InputFileError, match=sentence):
        load_checkpoint(path)


def drop(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["encoder.electrodes"]


def add(tensors: dict[str, torch.Tensor]) -> None:
    tensors["extra"] = torch.zeros(1)


def reshape(tensors: dict[str, torch.Tensor]) -> None:
    tensors["encoder.electrodes"] = torch.zeros(72, 8)


def halve(tensors: dict[str, torch.Tensor]) -> None:
    tensors["encoder.electrodes"] = tensors["encoder.electrodes"].half()


def spoil(tensors: dict[str, torch.Tensor]) -> None:
    tensors["encoder.electrodes"][3, 3] = torch.nan


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (drop, "encoder.electrodes is missing"),
        (add, "extra is not expected"),
        (reshape, r"encoder.electrodes has shape \(72, 8\) instead of \(72, 16\)"),
        (halve, "encoder.electrodes is torch.float16 instead of torch.float32"),
        (spoil, "encoder.electrodes holds NaN"),
    ],
)
def test_weights_of_another_network_are_told(
    path: Path, damage: Callable[[dict[str, torch.Tensor]], None], sentence: str
) -> None:
    tensors = load_file(path)
    damage(tensors)
    save_file(tensors, path, {"emod": info().model_dump_json()})
    with pytest.raises(ModelError, match=sentence):
        load_checkpoint(path)


def test_a_configuration_of_two_spectra_is_refused() -> None:
    with pytest.raises(ValidationError, match="is not the signal's"):
        info(signal=SignalSpec(spectrum="real-part"))


def test_a_network_is_not_saved_under_anothers_configuration(tmp_path: Path, network: EMOD) -> None:
    with pytest.raises(ModelError, match="do not fit"):
        save_checkpoint(tmp_path / "x.safetensors", network, info(network=EMODConfig()))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, network: EMOD) -> None:
    with pytest.raises(InputFileError, match="cannot be written"):
        save_checkpoint(tmp_path / "none" / "x.safetensors", network, info())


def test_the_same_network_makes_the_same_file(tmp_path: Path, path: Path, network: EMOD) -> None:
    save_checkpoint(tmp_path / "again.safetensors", network, info())
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_the_default_is_a_file_of_the_package() -> None:
    assert default_checkpoint().parent == Path(emod_model.__file__).parent / "weights"
    assert default_checkpoint().name == "eegmat.safetensors"


def test_a_head_for_classes_is_kept_with_the_names_of_its_classes(tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"n_classes": 3})
    with_classes = EMOD(config).eval()
    told = info(network=config, labels={"classes": ("sad", "neutral", "happy")})
    save_checkpoint(tmp_path / "classes.safetensors", with_classes, told)
    model = load_checkpoint(tmp_path / "classes.safetensors")
    assert model.info.labels.classes == ("sad", "neutral", "happy")
    tokens = model.encode(np.random.default_rng(0).normal(size=(2, 3, 375)), NAMES, 125.0)[0]
    torch.testing.assert_close(model.network.logits(tokens), with_classes.logits(tokens))
    with pytest.raises(ValidationError, match="2 classes are named and the network tells 3 apart"):
        info(network=config, labels={"classes": ("sad", "happy")})


def test_a_checkpoint_from_before_there_were_classes_loads(tmp_path: Path, network: EMOD, path: Path) -> None:
    told = json.loads(info().model_dump_json())
    del told["labels"]["classes"], told["network"]["n_classes"]
    save_file(network.state_dict(), tmp_path / "old.safetensors", {"emod": json.dumps(told)})
    assert load_checkpoint(tmp_path / "old.safetensors").info.labels.classes == ()
