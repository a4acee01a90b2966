"""The network that a run begins with."""

from collections.abc import Sequence
from pathlib import Path

import torch

from emod_model.checkpoint import load_checkpoint
from emod_model.errors import UsageError
from emod_model.fitting.batches import seeded
from emod_model.fitting.windows import StoredWindows, differs, spectrum_statistics
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec

_START = 1


def begin(
    start: Path | None,
    config: EMODConfig | None,
    windows: Sequence[StoredWindows],
    spec: SignalSpec,
    seed: int,
    **changes: float,
) -> tuple[EMOD, EMODConfig, str]:
    """Return a network, its architecture, and where its weights come from.

    Parameters
    ----------
    start : pathlib.Path or None
        A checkpoint; random weights without one.
    config : EMODConfig or None
        Architecture of random weights; the published sizes by default.
    windows : sequence of StoredWindows
        Whose log power standardises the input of random weights.
    spec : SignalSpec
        Of the windows.
    seed : int
        Of random weights.
    **changes : float
        Fields of the architecture that are set whatever it starts from.

    Raises
    ------
    UsageError
        The checkpoint reads other windows, or windows with a person's baseline taken off.
    InputFileError, ModelError
        It cannot be read.
    """
    torch.manual_seed(seed)
    if start is None:
        config = (config or EMODConfig()).model_copy(update=changes)
        network = EMOD(config)
        if config.spectrum == "log-power":
            network.set_spectrum_statistics(*spectrum_statistics(list(windows), spec, seeded(seed, _START)))
        return network, config, "from scratch"
    model = load_checkpoint(start)
    if field := differs(model.spec, spec):
        raise UsageError(
            f"{start} reads windows with {field} {getattr(model.spec, field)} and the store has "
            f"{getattr(spec, field)}; prepare it with --model {start}"
        )
    if model.info.centring is not None:
        raise UsageError(
            f"{start} was trained on windows with a person's baseline taken off, which this run does not do; "
            "start from a checkpoint without centring"
        )
    config = model.info.network.model_copy(update=changes)
    network = EMOD(config)
    old = model.network.state_dict()
    if model.info.network.n_classes != config.n_classes:
        old = {name: value for name, value in old.items() if not name.startswith("classes.")}
    missing = network.load_state_dict(old, strict=False).missing_keys
    # the head for classes alone may begin anew
    assert all(name.startswith("classes.") for name in missing), missing
    return network, config, f"from {model.name}"
