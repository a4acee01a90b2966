"""A checkpoint as TorchScript or ONNX, for programs that have neither this package nor Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emod_model.centring import Baseline, Removal, remove
from emod_model.checkpoint import Model
from emod_model.errors import InputFileError, ModelError, UsageError
from emod_model.export.describe import METADATA_KEY, PARITY, description, lengths
from emod_model.export.formats import Run, as_onnx, as_torchscript, load_onnx, load_torchscript
from emod_model.export.graph import ELECTRODES, CentredGraph, Graph
from emod_model.features import extract
from emod_model.features.spectrum import spectra
from emod_model.montage import CYTON

__all__ = ["ELECTRODES", "METADATA_KEY", "Exported", "export"]

TEN_TWENTY = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8"),
    *("P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)
MONTAGES = (("Oz",), ("TP9", "AF7", "AF8", "TP10"), CYTON, TEN_TWENTY)
"""Electrodes that every export is checked on."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    format : str
        "TorchScript" or "ONNX".
    outputs : tuple of str
        Names of the outputs, in order.
    difference : float
        Largest difference from the checkpoint over all checks.
    checks : int
        How many windows of how many montages and lengths were compared.
    """

    path: Path
    format: str
    outputs: tuple[str, ...]
    difference: float
    checks: int


def export(model: Model, path: Path | str) -> Exported:
    """Write a model as one file that takes conditioned EEG and electrodes and gives what the checkpoint does.

    The very bytes that are to be written are run against the checkpoint first, on several montages, window
    lengths and batches.

    Parameters
    ----------
    model : Model
        A loaded checkpoint.
    path : path-like
        Ends in .pt or .torchscript for TorchScript, in .onnx for ONNX; an existing file is replaced in one
        step or not at all.

    Returns
    -------
    Exported
        With the largest difference found.

    Raises
    ------
    UsageError
        Another ending.
    ModelError
        The graph differs by more than 1e-4 anywhere.
    InputFileError
        The file cannot be written.
    """
    target = Path(path)
    kinds = {".pt": "TorchScript", ".torchscript": "TorchScript", ".onnx": "ONNX"}
    kind = kinds.get(target.suffix.lower())
    if kind is None:
        raise UsageError(f"{target} has no ending that tells a format; end it in .pt, .torchscript or .onnx")
    whole = Graph if model.info.centring is None else CentredGraph
    graph = whole(model, by_matrix=kind == "ONNX").eval().requires_grad_(False)
    as_bytes, load = (as_torchscript, load_torchscript) if kind == "TorchScript" else (as_onnx, load_onnx)
    write = as_bytes(graph, model)
    outputs, difference, checks = _compare(load(write("")), model)
    if not difference <= PARITY:
        raise ModelError(
            f"{model.path} as {kind} differs from the checkpoint by {difference:.2g}, more than {PARITY:g}; "
            "nothing was written"
        )
    content = write(description(model, list(outputs), difference))
    part = target.with_name(f"{target.name}.tmp")
    try:
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputFileError(f"{target} cannot be written: {error.strerror}; choose another place") from error
    return Exported(target, kind, outputs, difference, checks)


def _compare(run: Run, model: Model) -> tuple[tuple[str, ...], float, int]:
    """Return the outputs' names, the largest difference from the checkpoint, and how often it was sought."""
    shortest, longest, step = lengths(model)
    rng = np.random.default_rng(0)
    outputs: tuple[str, ...] = ()
    worst, checks = 0.0, 0
    several = sorted({shortest, shortest + step, model.spec.window_samples, longest})
    for number, names in enumerate(MONTAGES):
        for samples in several:
            if samples > longest:
                continue
            batch = 1 + (number + checks) % 3
            eeg = rng.normal(0, 20, (batch, len(names), samples)).astype(np.float32)
            given: dict[str, npt.NDArray[Any]] = {
                "eeg": eeg,
                "electrodes": np.array([ELECTRODES.index(name) for name in names]),
            }
            removal = _some_baseline(model, len(names), rng)
            if removal is not None:
                given |= {"maps": removal.maps.numpy(), "scale": removal.scale.numpy()}
            found = run(given)
            expected = _expected(model, torch.from_numpy(eeg), names, removal)
            outputs = tuple(found)
            if set(found) != set(expected):
                raise ModelError(f"{model.path} was exported with {outputs} instead of {tuple(expected)}")
            for name, value in expected.items():
                gap = (
                    np.abs(found[name] - value.numpy()).max() if found[name].shape == value.shape else np.inf
                )
                # NaN is a difference too.
                worst = max(worst, float(gap) if gap == gap else float("inf"))
            checks += 1
    return outputs, worst, checks


def _some_baseline(model: Model, channels: int, rng: np.random.Generator) -> Removal | None:
    """Return what takes the baseline of ten windows of noise off, where the model asks for one."""
    if model.info.centring is None:
        return None
    spec = model.spec
    rest = torch.from_numpy(rng.normal(0, 15, (10, channels, spec.window_samples))).float()
    parts = spectra(rest, spec.sfreq, spec.window_tokens)
    return Baseline.of(parts, 10 * spec.window_s).removal(model.info.centring)


@torch.no_grad()
def _expected(
    model: Model, eeg: Tensor, names: tuple[str, ...], removal: Removal | None
) -> dict[str, Tensor]:
    """Return what the checkpoint itself makes of windows."""
    network = model.network
    features = extract(eeg, names, model.spec.sfreq, model.spec)
    if removal is not None:
        features = remove(features, eeg, model.spec, removal)
    tokens = network.tokens(*features)
    found = {"tokens": tokens, "embedding": network.projection(tokens)}
    if model.info.affect_trained:
        found["affect"], found["affect_sd"] = network.affect(tokens)
    if network.classes is not None:
        found["logits"] = network.classes(tokens)
    return found
