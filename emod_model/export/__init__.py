"""A checkpoint as TorchScript or ONNX, for programs that have neither this package nor Python."""

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
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
from emod_model.export.graph import ELECTRODES, CentredGraph, Graph
from emod_model.features import extract
from emod_model.features.spectrum import spectra
from emod_model.montage import CYTON

__all__ = ["ELECTRODES", "METADATA_KEY", "Exported", "export"]

Array = npt.NDArray[np.float32]
Run = Callable[[Mapping[str, npt.NDArray[Any]]], Mapping[str, Array]]
"""Runs an exported graph: inputs by name, in the order of its arguments, to outputs by name."""

TEN_TWENTY = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8"),
    *("P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)
MONTAGES = (("Oz",), ("TP9", "AF7", "AF8", "TP10"), CYTON, TEN_TWENTY)
"""Electrodes that every export is checked on."""
OPSET = 18


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
    as_bytes, load = (_torchscript, _load_torchscript) if kind == "TorchScript" else (_onnx, _load_onnx)
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


def _torchscript(graph: Graph | CentredGraph, _: Model) -> Callable[[str], bytes]:
    """Compile, and return what makes the file's bytes with a description in it."""
    with warnings.catch_warnings():
        # The advised successors need Python at run time; TorchScript is one of the formats asked for.
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is deprecated", DeprecationWarning)
        compiled = torch.jit.script(graph)

    def write(said: str) -> bytes:
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is deprecated", DeprecationWarning)
            torch.jit.save(compiled, buffer, _extra_files={f"{METADATA_KEY}.json": said})
        return buffer.getvalue()

    return write


def _load_torchscript(content: bytes) -> Run:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is deprecated", DeprecationWarning)
        compiled = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]

    def run(given: Mapping[str, npt.NDArray[Any]]) -> Mapping[str, Array]:
        with torch.no_grad(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            found = compiled(*(torch.from_numpy(value) for value in given.values()))
        return {name: value.numpy() for name, value in found.items()}

    return run


def _onnx(graph: Graph | CentredGraph, model: Model) -> Callable[[str], bytes]:
    """Convert, and return what makes the file's bytes with a description in it."""
    free = torch.export.Dim.DYNAMIC
    shortest, longest, _ = lengths(model)
    # Sizes that are unlike each other and unlike 1, so that none is taken for a constant.
    eeg = torch.randn(2, 3, max(shortest, min(longest, model.spec.window_samples)))
    given: dict[str, tuple[Tensor, dict[int, Any]]] = {
        "eeg": (eeg, {0: free, 1: free, 2: free}),
        "electrodes": (torch.tensor([3, 1, 2]), {0: free}),
    }
    if isinstance(graph, CentredGraph):
        given["maps"] = (torch.randn(graph.waves.shape[1] // 2, 3, 3), {1: free, 2: free})
        given["scale"] = (torch.rand(3) + 1, {0: free})
    arguments = tuple(value for value, _ in given.values())
    with torch.no_grad():
        outputs = list(graph(*arguments))
    with warnings.catch_warnings(), _quiet("torch.onnx._internal.exporter._registration"):
        # The exporter warns of its own internals, and of packages that no EMOD needs.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            arguments,
            dynamo=True,
            dynamic_shapes=tuple(sizes for _, sizes in given.values()),
            input_names=list(given),
            output_names=outputs,
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    _name_sizes(proto.graph)

    def write(said: str) -> bytes:
        del proto.metadata_props[:]
        if said:
            proto.metadata_props.add(key=METADATA_KEY, value=said)
        content: bytes = proto.SerializeToString()
        return content

    return write


@contextlib.contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Let a logger tell nothing less than an error."""
    log = logging.getLogger(logger)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _name_sizes(graph: Any) -> None:
    """Call the free sizes batch, channels and samples, which the exporter numbers."""
    sizes = [each.type.tensor_type.shape.dim for each in graph.input]
    names = {
        size.dim_param: name for size, name in zip(sizes[0], ("batch", "channels", "samples"), strict=True)
    }
    numbered = re.compile("|".join(rf"\b{re.escape(symbol)}\b" for symbol in names))
    for each in (*graph.input, *graph.output, *graph.value_info):
        for size in each.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = numbered.sub(lambda found: names[found[0]], size.dim_param)


def _load_onnx(content: bytes) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]

    def run(given: Mapping[str, npt.NDArray[Any]]) -> Mapping[str, Array]:
        return dict(zip(names, session.run(names, dict(given)), strict=True))

    return run


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
