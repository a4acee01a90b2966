"""The network that a run begins with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch

from emod_model.checkpoint import load_checkpoint
from emod_model.errors import UsageError
from emod_model.fitting.batches import seeded
from emod_model.fitting.config import Relative
from emod_model.fitting.windows import StoredWindows, differs, spectrum_statistics
from emod_model.montage import TABLE_ROWS
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import N_SPECTRUM_BINS, SignalSpec

_START = 1


class Beginning(Protocol):
    """The settings of a run that say what it begins with."""

    @property
    def start(self) -> Path | None:
        """A checkpoint; random weights without one."""

    @property
    def network(self) -> EMODConfig | None:
        """Architecture of random weights."""

    @property
    def centring(self) -> Relative | None:
        """What is taken off the windows."""

    @property
    def seed(self) -> int:
        """Of random weights."""


def begin(
    settings: Beginning, windows: Sequence[StoredWindows], spec: SignalSpec, **changes: float
) -> tuple[EMOD, EMODConfig, str]:
    """Return a network, its architecture, and where its weights come from.

    Parameters
    ----------
    settings : Beginning
        A checkpoint to start from, or random weights and their architecture; the published sizes by default.
    windows : sequence of StoredWindows
        Whose log power standardises the input of random weights, and of weights that knew no baseline where
        one is taken off now.
    spec : SignalSpec
        Of the windows.
    **changes : float
        Fields of the architecture that are set whatever it starts from.

    Raises
    ------
    UsageError
        The checkpoint reads other windows, or windows with another baseline taken off.
    InputFileError, ModelError
        It cannot be read.
    """
    torch.manual_seed(settings.seed)
    if settings.centring is not None and spec.spectrum != "log-power":
        raise UsageError(
            f"a baseline can be taken off log power alone, and the store was prepared with spectrum "
            f"{spec.spectrum!r}; leave [centring] out, or prepare it for another model"
        )
    if settings.start is None:
        config = (settings.network or EMODConfig()).model_copy(update=changes)
        _check(config, spec)
        network = EMOD(config)
        if config.spectrum == "log-power":
            _standardise(network, settings, windows, spec)
        return network, config, "from scratch"
    return _from_checkpoint(settings.start, settings, windows, spec, changes)


def _from_checkpoint(
    start: Path,
    settings: Beginning,
    windows: Sequence[StoredWindows],
    spec: SignalSpec,
    changes: Mapping[str, float],
) -> tuple[EMOD, EMODConfig, str]:
    """Return the network of a checkpoint; its head for classes begins anew where there are others."""
    model = load_checkpoint(start)
    if field := differs(model.spec, spec):
        raise UsageError(
            f"{start} reads windows with {field} {getattr(model.spec, field)} and the store has "
            f"{getattr(spec, field)}; prepare it with --model {start}"
        )
    place = None if settings.centring is None else settings.centring.place
    if model.info.centring is not None and model.info.centring.place != place:
        raise UsageError(
            f"{start} was trained on windows with a person's baseline taken off and this run has "
            f"{'none' if place is None else repr(place)}; "
            f'set place = "{model.info.centring.place}" under [centring], or start from another checkpoint'
        )
    config = model.info.network.model_copy(update=changes)
    network = EMOD(config)
    old = model.network.state_dict()
    if model.info.network.n_classes != config.n_classes:
        old = {name: value for name, value in old.items() if not name.startswith("classes.")}
    missing = network.load_state_dict(old, strict=False).missing_keys
    assert all(name.startswith("classes.") for name in missing), missing
    if place is not None and model.info.centring is None:
        _standardise(network, settings, windows, spec)
    return network, config, f"from {model.name}"


def _check(config: EMODConfig, spec: SignalSpec) -> None:
    """Refuse an architecture that cannot read the windows, naming the field."""
    for field, needed in (
        ("spectrum", spec.spectrum),
        ("n_bins", N_SPECTRUM_BINS),
        ("table_rows", TABLE_ROWS),
    ):
        if (given := getattr(config, field)) != needed:
            raise UsageError(f"network.{field} = {given!r}, where the windows of the store need {needed!r}")
    if config.max_tokens < spec.window_tokens:
        raise UsageError(
            f"network.max_tokens = {config.max_tokens}, and windows of {spec.window_s:g} s have "
            f"{spec.window_tokens}"
        )


def taken_off(relative: Relative | None) -> str:
    """Return what a card adds of the baseline."""
    if relative is None:
        return ""
    of = {"causal": "the person's own rest", "transductive": "all of the person's windows (transductive)"}
    return f", {of[relative.kind]} taken off"


def _standardise(
    network: EMOD, settings: Beginning, windows: Sequence[StoredWindows], spec: SignalSpec
) -> None:
    rng = seeded(settings.seed, _START)
    network.set_spectrum_statistics(*spectrum_statistics(list(windows), spec, rng))
