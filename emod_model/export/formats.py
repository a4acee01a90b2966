"""The two formats: a graph to bytes, and bytes to something that runs."""

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emod_model.checkpoint import Model
from emod_model.export.describe import METADATA_KEY, lengths
from emod_model.export.graph import CentredGraph, Graph

Array = npt.NDArray[np.float32]
Run = Callable[[Mapping[str, npt.NDArray[Any]]], Mapping[str, Array]]
"""Runs an exported graph: inputs by name, in the order of its arguments, to outputs by name."""
OPSET = 18


def as_torchscript(graph: Graph | CentredGraph, _: Model) -> Callable[[str], bytes]:
    """Compile a graph, and return what makes the file's bytes with a description in it."""
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


def load_torchscript(content: bytes) -> Run:
    """Return what runs the bytes of a TorchScript file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is deprecated", DeprecationWarning)
        compiled = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]

    def run(given: Mapping[str, npt.NDArray[Any]]) -> Mapping[str, Array]:
        with torch.no_grad(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            found = compiled(*(torch.from_numpy(value) for value in given.values()))
        return {name: value.numpy() for name, value in found.items()}

    return run


def as_onnx(graph: Graph | CentredGraph, model: Model) -> Callable[[str], bytes]:
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


_SIZES = {
    "eeg": ("batch", "channels", "samples"),
    "electrodes": ("channels",),
    "maps": ("bins", "channels", "channels"),
    "scale": ("channels",),
}


def _name_sizes(graph: Any) -> None:
    """Call the free sizes batch, channels and samples, which the exporter numbers."""
    names: dict[str, str] = {}
    for each in graph.input:
        for size, name in zip(each.type.tensor_type.shape.dim, _SIZES[each.name], strict=True):
            names |= {size.dim_param: name} if size.dim_param else {}
    numbered = re.compile("|".join(rf"\b{re.escape(symbol)}\b" for symbol in names))
    for each in (*graph.input, *graph.output, *graph.value_info):
        for size in each.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = numbered.sub(lambda found: names[found[0]], size.dim_param)


def load_onnx(content: bytes) -> Run:
    """Return what runs the bytes of an ONNX file, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]

    def run(given: Mapping[str, npt.NDArray[Any]]) -> Mapping[str, Array]:
        return dict(zip(names, session.run(names, dict(given)), strict=True))

    return run
