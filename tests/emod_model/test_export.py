"""Exported models: run without this package, they give what the checkpoint gives, and say what they are."""

import io
import json
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch

import emod_model.export
from emod_model.centring import Baseline, Centring
from emod_model.checkpoint import CheckpointInfo, LabelSpace, Model, load_checkpoint, save_checkpoint
from emod_model.errors import InputFileError, ModelError, UsageError
from emod_model.export import ELECTRODES, export
from emod_model.export.describe import lengths
from emod_model.export.graph import Graph
from emod_model.features import extract
from emod_model.features.extract import token_count
from emod_model.features.spectrum import spectra
from emod_model.importing import import_weights
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from tests.emod_model import released

NAMES = ["Fp1", "AF7", "T3", "Cz", "Iz"]
pytestmark = pytest.mark.filterwarnings(r"ignore:`torch\.jit\.\w+` is deprecated:DeprecationWarning")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def own(folder: Path, **changes: Any) -> Model:
    config = EMODConfig(d_model=16, n_layers=1, n_heads=4, d_feedforward=24, n_groups=2, **changes)
    torch.manual_seed(0)
    labels = LabelSpace(classes=tuple(f"class {n}" for n in range(config.n_classes)))
    told = {"training_data": "nothing", "licence": "BSD-3-Clause", "simulated": True, "labels": labels}
    info = CheckpointInfo(name="own", network=config, signal=SignalSpec(), **told)
    save_checkpoint(folder / "own.safetensors", EMOD(config), info)
    return load_checkpoint(folder / "own.safetensors")


def published(folder: Path) -> Model:
    torch.save(released.random_weights(older=False, d=16, layers=1, hidden=24), folder / "emod.pt")
    import_weights(folder / "emod.pt", folder / "emod.safetensors")
    return load_checkpoint(folder / "emod.safetensors")


def windows(batch: int, channels: int, samples: int) -> torch.Tensor:
    return 20 * torch.randn(batch, channels, samples, generator=torch.Generator().manual_seed(samples))


def places(names: list[str]) -> torch.Tensor:
    return torch.tensor([ELECTRODES.index(name) for name in names])


def test_a_model_that_takes_a_baseline_off_is_given_it_with_the_windows(tmp_path: Path) -> None:
    model = own(tmp_path)
    info = model.info.model_copy(update={"centring": Centring()})
    model = Model(info, model.network, model.sha256, model.path)
    assert export(model, tmp_path / "emod.pt").difference < 1e-5
    eeg, names = windows(6, 3, 375), ["Fz", "Cz", "Pz"]
    removal = Baseline.of(spectra(eeg, 125, 15), 18).removal(info.centring)
    said = {"emod.json": ""}
    found = torch.jit.load(tmp_path / "emod.pt", _extra_files=said)(eeg, places(names), *removal)
    # encode takes the baseline of the very windows
    torch.testing.assert_close(found["tokens"], model.encode(eeg, names, 125)[0], atol=1e-5, rtol=0)
    told = json.loads(said["emod.json"])
    assert list(told["inputs"]) == ["eeg", "electrodes", "maps", "scale"]
    assert "a minute of rest" in told["baseline"]


def test_every_length_that_the_file_names_is_a_whole_number_of_tokens(tmp_path: Path) -> None:
    model = own(tmp_path)
    info = model.info.model_copy(update={"signal": model.spec.model_copy(update={"tokens_per_s": 2})})
    model = Model(info, model.network, model.sha256, model.path)
    least, most, step = lengths(model)
    # a token of 62.5 samples
    assert (least, step) == (125, 125)
    for samples in range(least, most + 1, step):
        assert token_count(samples, model.spec) == 2 * samples // 125


def test_the_sizes_of_a_baseline_are_named_as_those_of_the_windows(tmp_path: Path) -> None:
    model = own(tmp_path)
    info = model.info.model_copy(update={"centring": Centring()})
    export(Model(info, model.network, model.sha256, model.path), tmp_path / "emod.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "emod.onnx")
    shapes = {each.name: each.shape for each in session.get_inputs()}
    assert shapes["maps"] == [45, "channels", "channels"]
    assert shapes["scale"] == shapes["electrodes"] == ["channels"]


@pytest.mark.parametrize("make", [own, published])
def test_torchscript_runs_with_torch_alone_and_gives_the_checkpoints_numbers(
    tmp_path: Path, make: Any
) -> None:
    model = make(tmp_path)
    done = export(model, tmp_path / "emod.torchscript")
    assert done.difference < 1e-5
    said = {"emod.json": ""}
    program = torch.jit.load(tmp_path / "emod.torchscript", _extra_files=said)
    second = round(model.spec.sfreq)
    for batch, channels, samples in [(1, 1, second), (3, 5, 2 * second), (2, 4, 10 * second)]:
        eeg = windows(batch, channels, samples)
        found = program(eeg, places(NAMES[:channels]))
        tokens, embedding = model.encode(eeg, NAMES[:channels], second)
        torch.testing.assert_close(found["tokens"], tokens, atol=1e-5, rtol=0)
        torch.testing.assert_close(found["embedding"], embedding, atol=1e-6, rtol=0)
    told = json.loads(said["emod.json"])
    assert CheckpointInfo.model_validate(told["checkpoint"]) == model.info
    assert (told["sha256"], told["card"]) == (model.sha256, model.card)
    assert told["electrodes"] == list(ELECTRODES)
    assert list(told["outputs"]) == list(done.outputs)
    assert told["parity"]["largest_difference"] == done.difference


def test_onnx_runs_in_another_runtime_at_every_size(tmp_path: Path) -> None:
    model = own(tmp_path)
    done = export(model, tmp_path / "emod.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "emod.onnx", providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_outputs()] == ["tokens", "embedding", "affect", "affect_sd"]
    shapes = [each.shape for each in session.get_inputs()]
    assert shapes == [["batch", "channels", "samples"], ["channels"]]
    for batch, channels, samples in [(1, 1, 125), (3, 5, 250), (2, 2, 1250)]:
        eeg = windows(batch, channels, samples)
        given = {"eeg": eeg.numpy(), "electrodes": places(NAMES[:channels]).numpy()}
        tokens, embedding, affect, sd = (torch.from_numpy(value) for value in session.run(None, given))
        expected = model.encode(eeg, NAMES[:channels], 125)
        torch.testing.assert_close((tokens, embedding), expected, atol=1e-5, rtol=0)
        mean = model.network(*extract(eeg, NAMES[:channels], 125, model.spec))
        torch.testing.assert_close((affect, sd), mean, atol=1e-5, rtol=0)
    (said,) = onnx.load(tmp_path / "emod.onnx").metadata_props
    told = json.loads(said.value)
    assert (said.key, told["sha256"], told["parity"]["largest_difference"]) == (
        "emod",
        model.sha256,
        done.difference,
    )


def test_the_published_spectrum_by_cosines_is_the_fourier_transforms(tmp_path: Path) -> None:
    graph = Graph(published(tmp_path), by_matrix=True).eval()
    for samples in (200, 333, 2000):
        eeg = windows(1, 2, samples)
        torch.testing.assert_close(
            graph._real_part(eeg), torch.fft.rfft(eeg, norm="forward").real, atol=2e-6, rtol=0
        )


def test_classes_come_as_logits(tmp_path: Path) -> None:
    model = own(tmp_path, n_classes=3)
    assert export(model, tmp_path / "emod.pt").outputs[-1] == "logits"
    eeg = windows(2, 2, 250)
    found = torch.jit.load(io.BytesIO((tmp_path / "emod.pt").read_bytes()))(eeg, places(["Cz", "Pz"]))
    tokens, _ = model.encode(eeg, ["Cz", "Pz"], 125)
    torch.testing.assert_close(found["logits"], model.network.logits(tokens), atol=1e-5, rtol=0)


def test_too_short_a_window_is_an_error_and_no_answer(tmp_path: Path) -> None:
    export(own(tmp_path), tmp_path / "emod.pt")
    program = torch.jit.load(tmp_path / "emod.pt")
    with pytest.raises(Exception, match="index"):
        program(windows(1, 2, 100), places(["Cz", "Pz"]))


def test_old_names_stand_where_the_model_has_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    old, new = places(["T3"]), places(["T7"])
    shared = Graph(own(tmp_path)).spatial
    assert torch.equal(shared[old], shared[new])
    apart = Graph(published(tmp_path / "a")).spatial
    assert apart[old].argmax() == released.ROWS["T3"]
    assert apart[new].argmax() == released.ROWS["T7"]


def test_a_graph_that_differs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emod_model.export, "PARITY", 1e-12)
    with pytest.raises(ModelError, match=r"differs from the checkpoint by .*; nothing was written"):
        export(own(tmp_path), tmp_path / "emod.pt")
    assert not (tmp_path / "emod.pt").exists()


def test_an_ending_or_a_place_that_cannot_be_is_said(tmp_path: Path) -> None:
    model = own(tmp_path)
    with pytest.raises(UsageError, match=r"end it in \.pt, \.torchscript or \.onnx"):
        export(model, tmp_path / "emod.tflite")
    with pytest.raises(InputFileError, match="cannot be written"):
        export(model, tmp_path / "none" / "emod.pt")
