"""Released weights: every key of theirs becomes ours, and the same signal gives the same tokens."""

import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import emod_model
from emod_model.checkpoint import load_checkpoint
from emod_model.errors import InputFileError, ModelError, UsageError
from emod_model.importing import import_weights
from emod_model.network import backbone_parameters
from emod_rt.offline import OfflineRun
from emod_rt.session import Session
from emod_rt.torchscript import TorchScriptEngine
from tests.emod_model import released

Weights = dict[str, Tensor]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module", params=[False, True], ids=["as in the source", "older"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Weights, Path]:
    """Weights of the published size in one naming, and the checkpoint made of them."""
    weights = released.random_weights(older=request.param)
    folder = tmp_path_factory.mktemp("released")
    torch.save(weights, folder / "emod.pt")
    import_weights(folder / "emod.pt", folder / "emod.safetensors")
    return weights, folder / "emod.safetensors"


def tiny(**changes: Any) -> Weights:
    return released.random_weights(**({"older": False, "d": 16, "layers": 1, "hidden": 24} | changes))


def saved(content: object, folder: Path) -> Path:
    torch.save(content, folder / "weights.pt")
    return folder / "weights.pt"


def made(content: object, folder: Path) -> emod_model.Model:
    import_weights(saved(content, folder), folder / "out.safetensors")
    return load_checkpoint(folder / "out.safetensors")


# The same numbers give the same tokens


@pytest.mark.parametrize(
    ("sfreq", "seconds", "extra", "names"),
    [
        (200, 10, 0, ["FP1", "CB2"]),
        (250, 2, 0, ["Fp1", "T3", "A1", "T7", "cz"]),
        (128, 1, 0, ["O2"]),
        (500, 3, 1, ["T5", "P7", "TP8"]),
        (333, 1, 200, ["PO5", "A2"]),
    ],
)
def test_tokens_and_embeddings_are_those_of_the_released_network(
    whole: tuple[Weights, Path], sfreq: int, seconds: int, extra: int, names: list[str]
) -> None:
    weights, checkpoint = whole
    generator = torch.Generator().manual_seed(sfreq)
    eeg = 20 * torch.randn(1, len(names), sfreq * seconds + extra, generator=generator)
    expected = released.encode(weights, eeg, names, sfreq)
    tokens, embedding = emod_model.load_checkpoint(checkpoint).encode(eeg.numpy(), names, sfreq)
    assert tokens.shape == (1, len(names), 5 * seconds, 128)
    torch.testing.assert_close(tokens.double(), expected[0], atol=2e-5, rtol=0)
    torch.testing.assert_close(embedding.double(), expected[1], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["microvolts on an offset", "volts"])
def test_an_unscaled_signal_is_no_harder(whole: tuple[Weights, Path], kind: str) -> None:
    weights, checkpoint = whole
    eeg = torch.randn(1, 3, 250, generator=torch.Generator().manual_seed(5))
    eeg = eeg * 2e-5 if kind == "volts" else eeg * 20 + 4200
    tokens, _ = load_checkpoint(checkpoint).encode(eeg, ["Fz", "Cz", "Pz"], 250)
    expected, _ = released.encode(weights, eeg, ["Fz", "Cz", "Pz"], 250)
    torch.testing.assert_close(tokens.double(), expected, atol=5e-5, rtol=0)


def test_every_published_name_looks_up_its_own_row(tmp_path: Path) -> None:
    weights = tiny()
    model = made(weights, tmp_path)
    eeg = torch.zeros(1, 68, 200)
    eeg[:, :, ::7] = 1.0
    # One signal at every place: what differs before the layers is the electrode's row alone.
    tokens, _ = model.encode(eeg, released.NAMES, 200)
    expected, _ = released.encode(weights, eeg, released.NAMES, 200)
    torch.testing.assert_close(tokens.double(), expected, atol=2e-5, rtol=0)


def test_the_size_is_the_published_one(whole: tuple[Weights, Path]) -> None:
    weights, checkpoint = whole
    network = load_checkpoint(checkpoint).network
    head = sum(p.numel() for p in network.projection.parameters())
    assert (backbone_parameters(network), backbone_parameters(network) + head) == (845_384, 977_866)
    counted = sum(v.numel() for k, v in weights.items() if "running" not in k and "num_batches" not in k)
    assert counted == 977_866


@pytest.mark.parametrize(
    "wrap",
    [
        lambda weights: {"state_dict": weights},
        lambda weights: {f"module.{key}": value for key, value in weights.items()},
        lambda weights: {"state_dict": {f"module.{key}": v for key, v in weights.items()}, "epoch": 99},
        lambda weights: {key: value.double() for key, value in weights.items()},
        lambda weights: {k: v for k, v in weights.items() if not k.endswith("num_batches_tracked")},
    ],
    ids=["under state_dict", "with module.", "both, and an epoch", "float64", "without the counter"],
)
def test_wrappings_change_no_number(tmp_path: Path, wrap: Callable[[Weights], object]) -> None:
    plain, wrapped = made(tiny(), tmp_path), made(wrap(tiny()), tmp_path)
    for name, value in plain.network.state_dict().items():
        if "num_batches" not in name:
            assert torch.equal(wrapped.network.state_dict()[name], value), name


def test_what_lies_beside_the_state_dict_is_told(tmp_path: Path) -> None:
    content = {"state_dict": tiny(), "epoch": 99, "optimizer": {"lr": 1e-4}}
    done = import_weights(saved(content, tmp_path), tmp_path / "out.safetensors")
    assert done.beside == ("epoch", "optimizer")
    assert done.tensors == len(tiny())


@pytest.mark.parametrize("older", [False, True])
def test_sizes_are_read_off_the_shapes(tmp_path: Path, older: bool) -> None:
    weights = released.random_weights(older=older, d=32, layers=2, offsets=29, hidden=40)
    model = made(weights, tmp_path)
    network = model.info.network
    assert (network.d_model, network.n_layers, network.n_heads) == (32, 2, 4)
    assert (network.d_feedforward, network.max_tokens, model.spec.window_s) == (40, 15, 3.0)
    eeg = torch.randn(2, 2, 600, generator=torch.Generator().manual_seed(0))
    tokens, _ = model.encode(eeg, ["C3", "C4"], 200)
    expected, _ = released.encode(weights, eeg, ["C3", "C4"], 200)
    torch.testing.assert_close(tokens.double(), expected, atol=2e-5, rtol=0)
    with pytest.raises(ModelError, match="20 time tokens is longer than the 15 that this network takes"):
        model.encode(torch.zeros(1, 1, 800), ["Cz"], 200)


# What the checkpoint says of itself


def test_the_checkpoint_says_where_it_is_from_and_what_it_takes(tmp_path: Path) -> None:
    model = made(tiny(), tmp_path)
    sha256 = hashlib.sha256((tmp_path / "weights.pt").read_bytes()).hexdigest()
    assert sha256[:16] in model.card
    assert "Its valence and arousal were never trained" in model.card
    assert "does not tell" in model.training_data
    assert model.info.licence.startswith("not told by the file")
    spec = model.spec
    assert (spec.window_s, spec.band_hz, spec.spectrum) == (10.0, (0.3, 49.0), "real-part")
    assert (spec.electrode_rows, model.info.network.temporal_axis) == ("published", "published")


def test_the_same_file_makes_the_same_checkpoint(tmp_path: Path) -> None:
    first = made(tiny(), tmp_path).sha256
    torch.rand(3)
    assert made(tiny(), tmp_path).sha256 == first


def test_it_reads_no_feelings_until_it_is_fine_tuned(tmp_path: Path) -> None:
    model = made(tiny(), tmp_path)
    for begin in (
        lambda: TorchScriptEngine(model),
        lambda: Session("sim:1", model),
        lambda: OfflineRun(None, TorchScriptEngine(model), None),  # type: ignore[arg-type]
    ):
        with pytest.raises(ModelError, match="no trained valence and arousal"):
            begin()


# What is refused


def renamed(weights: Weights, old: str, new: str) -> None:
    weights[new] = weights.pop(old)


def damage(weights: Weights, what: str) -> None:
    layer = "axial_transformer.layers.0"
    if what == "unknown":
        weights["classifier.0.weight"] = torch.zeros(3)
    elif what == "missing":
        del weights[f"{layer}.norm_ffn.bias"]
    elif what == "no table":
        del weights["pos_embeddings.weight"]
    elif what == "no head":
        for key in [key for key in weights if key.startswith("projection_head")]:
            del weights[key]
    elif what == "shape":
        weights[f"{layer}.width_attn.qkv.weight"] = torch.zeros(47, 16)
    elif what == "one dimension less":
        weights["embd.freq_tokenConv.0.weight"] = torch.zeros(16, 1, 25)
    elif what == "rows":
        weights["pos_embeddings.weight"] = torch.zeros(70, 16)
    elif what == "a layer apart":
        renamed(weights, f"{layer}.norm_ffn.bias", "axial_transformer.layers.2.norm_ffn.bias")
    elif what == "both heads":
        weights["attnpool_c.attn.weight"] = torch.zeros(1, 16)
    elif what == "integers":
        weights["embd.l.1.bias"] = torch.zeros(16, dtype=torch.int64)
    elif what == "nan":
        weights["embd.l.1.bias"][3] = torch.nan
    elif what == "variance":
        weights["projection_head.4.running_var"][2] = -1.0
    elif what == "even offsets":
        weights[f"{layer}.width_attn.rel_pos_embed.rel_embed"] = torch.zeros(98, 8)
    elif what == "prefix twice":
        weights["module.embd.l.1.bias"] = weights["embd.l.1.bias"]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("unknown", r"unknown: classifier\.0\.weight"),
        ("missing", r"missing: axial_transformer\.layers\.0\.norm_ffn\.bias"),
        ("no table", r"no pos_embeddings\.weight"),
        (
            "no head",
            r"missing: projection_head\.0\.attn\.bias, projection_head\.0\.attn\.weight, .*6\.weight",
        ),
        ("shape", r"wrongly shaped: axial_transformer.*qkv\.weight \(47, 16\) instead of \(48, 16\)"),
        ("one dimension less", r"embd\.freq_tokenConv\.0\.weight \(16, 1, 25\) instead of \(16, 1, 1, 25\)"),
        ("rows", r"pos_embeddings\.weight \(70, 16\) instead of \(72, 16\)"),
        ("a layer apart", r"missing: .*layers\.0\.norm_ffn\.bias; unknown: .*layers\.2\.norm_ffn\.bias"),
        ("both heads", r"unknown: projection_head\.0\.attn\.bias"),
        ("integers", r"not real numbers: embd\.l\.1\.bias \(int64\)"),
        ("nan", r"not real numbers: embd\.l\.1\.bias \(float32\)"),
        ("variance", r"not real numbers: projection_head\.4\.running_var \(a variance below 0\)"),
        ("even offsets", r"shape \(98, 8\), which is no table"),
        ("prefix twice", r"'embd\.l\.1\.bias' twice"),
    ],
)
def test_weights_that_are_not_exactly_emods_are_refused_by_name(
    tmp_path: Path, what: str, sentence: str
) -> None:
    weights = tiny()
    damage(weights, what)
    with pytest.raises(ModelError, match=sentence):
        made(weights, tmp_path)
    assert not (tmp_path / "out.safetensors").exists()


class Hostile:
    """A pickle that would run a program."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("touch hostile-was-here",))


def test_a_hostile_pickle_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    as_torch = saved({"state_dict": tiny(), "extra": Hostile()}, tmp_path)
    bare = tmp_path / "bare.pt"
    bare.write_bytes(pickle.dumps(Hostile()))
    for file, reason in ((as_torch, "it asks for posix.system"), (bare, "unsupported operand")):
        with pytest.raises(InputFileError, match=f"nothing in it was run .{reason}"):
            import_weights(file, tmp_path / "out.safetensors")
    assert not (tmp_path / "hostile-was-here").exists()


@pytest.mark.parametrize("kept", [0, 3, 1000, -1000])
def test_a_truncated_file_is_told(tmp_path: Path, kept: int) -> None:
    file = saved(tiny(), tmp_path)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(InputFileError, match=r"weights\.pt is"):
        import_weights(file, tmp_path / "out.safetensors")


@pytest.mark.parametrize("at", range(12))
def test_a_damaged_file_of_the_old_kind_is_told(tmp_path: Path, at: int) -> None:
    file = tmp_path / "weights.pt"
    torch.save(tiny(), file, _use_new_zipfile_serialization=False)
    blob = bytearray(file.read_bytes())
    for place in np.random.default_rng(at).integers(0, len(blob), 40):
        blob[place] ^= 0xFF
    file.write_bytes(blob[: len(blob) - 7 * at])
    with pytest.raises((InputFileError, ModelError), match=r"weights\.pt"):
        import_weights(file, tmp_path / "out.safetensors")


@pytest.mark.parametrize(
    "content", [[1, 2], torch.zeros(3), {}, {"state_dict": {"a": "b"}}, {"a": torch.eye(2).to_sparse()}]
)
def test_another_content_is_told(tmp_path: Path, content: object) -> None:
    with pytest.raises(InputFileError, match=r"state dict|no plain tensor"):
        import_weights(saved(content, tmp_path), tmp_path / "out.safetensors")


def test_numbers_that_the_file_does_not_hold_are_told(tmp_path: Path) -> None:
    weights = tiny() | {"pos_embeddings.weight": torch.zeros(1, 1).expand(72, 10**9)}
    with pytest.raises(InputFileError, match="no plain tensor"):
        made(weights, tmp_path)


def test_text_and_a_missing_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "notes.pt").write_text("not weights")
    for name in ("notes.pt", "none.pt"):
        with pytest.raises(InputFileError, match=name):
            import_weights(tmp_path / name, tmp_path / "out.safetensors")


def test_the_file_itself_is_never_overwritten(tmp_path: Path) -> None:
    file = saved(tiny(), tmp_path)
    with pytest.raises(UsageError, match="name another one"):
        import_weights(file, file)
