"""Released EMOD weights, a PyTorch state dict, as one of our checkpoints."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from emod_model.checkpoint import CheckpointInfo, save_checkpoint
from emod_model.errors import UsageError
from emod_model.importing.files import read_state_dict
from emod_model.importing.layout import TOKENS_PER_S, check, head_naming, read_config, released_name
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec

__all__ = ["Imported", "import_weights"]


@dataclass(frozen=True)
class Imported:
    """What became of a file of released weights.

    Attributes
    ----------
    info : CheckpointInfo
        As it stands in the checkpoint.
    naming : str
        Which of the two names the file uses for its head.
    tensors : int
        How many entries of the state dict went into the checkpoint: all of them.
    beside : tuple of str
        What the file holds beside its "state_dict", such as an optimiser's state: not part of the network.
    """

    info: CheckpointInfo
    naming: str
    tensors: int
    beside: tuple[str, ...]


def import_weights(source: Path | str, target: Path | str) -> Imported:
    """Read released weights and write them as a checkpoint.

    The file is opened with `weights_only`, so nothing in it is ever executed. Every key must be one of the
    network's, with its shape; sizes (features, layers, heads, feed-forward, kernel, relative offsets) are
    read off the shapes. The released head makes embeddings alone, so valence and arousal stay marked as
    untrained.

    Parameters
    ----------
    source : path-like
        A .pt or .pth file: a state dict, bare or under "state_dict", keys perhaps beginning with "module.".
    target : path-like
        The .safetensors checkpoint; an existing one is replaced in one step or not at all.

    Returns
    -------
    Imported
        What was found.

    Raises
    ------
    InputFileError
        A file that is missing, damaged, no state dict, or holds more than tensors.
    ModelError
        Keys that are missing, unknown or of the wrong shape, each named.
    UsageError
        Source and target are one file.
    """
    path, out = Path(source), Path(target)
    if out.exists() and path.exists() and out.samefile(path):
        raise UsageError(f"{out} is the file to import; name another one for the checkpoint")
    tensors, beside = read_state_dict(path)
    naming = head_naming(tensors)
    config = read_config(tensors, path)
    network = _build(tensors, config, naming, path)
    info = _info(config, path)
    save_checkpoint(out, network, info)
    return Imported(info, naming, len(tensors), beside)


def _build(tensors: Mapping[str, Tensor], config: EMODConfig, naming: str, path: Path) -> EMOD:
    """Return a network of `config` with the released numbers; its affect head says neutral to everything."""
    # The meta device gives names and shapes without allocating what a lying file asks for.
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in EMOD(config).state_dict().items()}
    expected = {released_name(name, naming): name for name in shapes if not name.startswith("affect.")}
    check(tensors, expected, shapes, path)
    with torch.random.fork_rng(devices=[]):
        # What the file does not hold is the same at every import of it.
        torch.manual_seed(0)
        network = EMOD(config)
    state = network.state_dict()
    for name, value in state.items():
        if name.startswith("affect.mlp.3."):
            value.zero_()
    for key, name in expected.items():
        if key in tensors:
            state[name].copy_(tensors[key].reshape(shapes[name]))
    return network.eval()


def _info(config: EMODConfig, path: Path) -> CheckpointInfo:
    """Describe the checkpoint: what the file cannot tell is said to be unknown."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return CheckpointInfo(
        name=f"imported: {path.stem}",
        network=config,
        # The published preprocessing, through the live conditioning; the slow edge needs long to settle.
        signal=SignalSpec(
            sfreq=200.0,
            band_hz=(0.3, 49.0),
            window_s=max(1.0, min(10.0, config.max_tokens // TOKENS_PER_S)),
            hop_s=1.0,
            settle_s=5.0,
            spectrum="real-part",
            electrode_rows="published",
        ),
        training_data=(
            f"what its publisher says, as {path.name} (SHA-256 {sha256[:16]}...) does not tell; EMOD as "
            "published was pretrained by contrast on eight emotion corpora"
        ),
        licence="not told by the file; ask its publisher before use or passing on",
        simulated=False,
        affect_trained=False,
    )
