"""Checkpoints: one safetensors file that carries its own configuration."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from emod_model.calibration.head import CentredHead
from emod_model.centring import Baseline, Centring, remove
from emod_model.errors import InputFileError, ModelError
from emod_model.features import extract
from emod_model.features.spectrum import spectra
from emod_model.network import EMOD, EMODConfig, script
from emod_model.signal.spec import SignalSpec

METADATA_KEY = "emod"
FORMAT = 1


class LabelSpace(BaseModel):
    """What the outputs mean: valence and arousal, and the classes where the network tells any apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] = ("valence", "arousal")
    low: float = -1.0
    high: float = 1.0
    neutral: float = 0.0
    classes: tuple[str, ...] = ()


class CheckpointInfo(BaseModel):
    """Everything a checkpoint says of itself beside its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(FORMAT, ge=FORMAT, le=FORMAT, description="version of this layout")
    name: str = Field(min_length=1, description="what a person calls the model")
    network: EMODConfig = Field(description="architecture")
    signal: SignalSpec = Field(description="signal specification it was trained on")
    labels: LabelSpace = Field(LabelSpace(), description="meaning of the outputs")
    training_data: str = Field(min_length=1, description="what it was trained on, one or two sentences")
    licence: str = Field(min_length=1, description="licence of the weights")
    figures: dict[str, float] = Field({}, description="what was measured of it: name -> value")
    simulated: bool = Field(description="trained on simulated signals")
    centred: CentredHead | None = Field(None, description="the population's head for calibrated people")
    affect_trained: bool = Field(True, description="valence and arousal were trained; imported: not")
    centring: Centring | None = Field(None, description="how a person's baseline is taken off its input")
    unvalidated: tuple[Literal["valence", "arousal"], ...] = Field(
        (), description="axes that were never held against people, where the others were"
    )

    @model_validator(mode="after")
    def _one_window(self) -> "CheckpointInfo":
        if self.signal.window_tokens > self.network.max_tokens:
            raise ValueError(
                f"windows of {self.signal.window_tokens} tokens are longer than the network's "
                f"{self.network.max_tokens}"
            )
        return self

    @model_validator(mode="after")
    def _every_class_named(self) -> "CheckpointInfo":
        if len(self.labels.classes) != self.network.n_classes:
            raise ValueError(
                f"{len(self.labels.classes)} classes are named and the network tells "
                f"{self.network.n_classes} apart"
            )
        return self

    @model_validator(mode="after")
    def _baseline_of_log_power(self) -> "CheckpointInfo":
        if self.centring is not None and self.signal.spectrum != "log-power":
            raise ValueError("a person's baseline can be taken off a log-power spectrum alone")
        return self

    @model_validator(mode="after")
    def _one_spectrum(self) -> "CheckpointInfo":
        if self.network.spectrum != self.signal.spectrum:
            raise ValueError(
                f"network spectrum {self.network.spectrum!r} is not the signal's {self.signal.spectrum!r}"
            )
        return self


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with everything needed to use it rightly.

    Attributes
    ----------
    info : CheckpointInfo
        What the checkpoint says of itself.
    network : EMOD
        In evaluation mode, on the CPU.
    sha256 : str
        Of the file, 64 hexadecimal digits.
    path : pathlib.Path
        The file.
    """

    info: CheckpointInfo
    network: EMOD
    sha256: str
    path: Path

    @property
    def name(self) -> str:
        """What a person calls the model."""
        return self.info.name

    @property
    def spec(self) -> SignalSpec:
        """Signal specification the model was trained on."""
        return self.info.signal

    @property
    def simulated(self) -> bool:
        """Whether the weights were trained on simulated signals."""
        return self.info.simulated

    @property
    def unvalidated(self) -> tuple[str, ...]:
        """Axes that were never held against people, where the others were."""
        return self.info.unvalidated

    @cached_property
    def n_parameters(self) -> int:
        """Trained numbers, heads included."""
        return sum(p.numel() for p in self.network.parameters())

    @property
    def card(self) -> str:
        """The model in two or three sentences."""
        if not self.info.affect_trained:
            origin = "Its valence and arousal were never trained: fine-tune it before it reads."
        elif self.simulated:
            origin = (
                "Its weights were trained on simulated signals: they show that the program works and say "
                "nothing about a person."
            )
        elif self.unvalidated:
            origin = f"{' and '.join(self.unvalidated).capitalize()}: NOT VALIDATED ON PEOPLE."
        else:
            origin = "Emotion read from EEG is weak across people: calibrate before trusting it."
        spec = self.spec
        return (
            f"{self.name}: {self.n_parameters:,} parameters, trained on {self.training_data.rstrip('.')}. "
            f"It takes {spec.window_s:g} s windows at {spec.sfreq:g} Hz, {spec.band_hz[0]:g} to "
            f"{spec.band_hz[1]:g} Hz, average reference. {origin}"
        )

    @property
    def training_data(self) -> str:
        """What the model was trained on."""
        return self.info.training_data

    def require_affect(self) -> None:
        """Refuse to estimate with weights that never learned to.

        Raises
        ------
        ModelError
            The valence and arousal of the checkpoint were not trained.
        """
        if not self.info.affect_trained:
            raise ModelError(
                f"{self.path} has no trained valence and arousal, as its pretraining had none; "
                "fine-tune it first, or take another model"
            )

    def encode(
        self, eeg: npt.ArrayLike | Tensor, channel_names: Sequence[str], sfreq: float
    ) -> tuple[Tensor, Tensor]:
        """Return tokens and embeddings of conditioned windows.

        A checkpoint that takes a person's baseline off its input takes off the mean of the windows given.

        Parameters
        ----------
        eeg : array_like or torch.Tensor, shape (batch, channels, samples)
            Microvolts, conditioned as `spec` says; up to 10 s, a whole number of time tokens (whole seconds,
            and what is left over, where the spectrum is the published one).
        channel_names : sequence of str
            Electrode of each channel.
        sfreq : float
            Rate, Hz: the specification's own, or any where the spectrum is the published one.

        Returns
        -------
        tokens : torch.Tensor, shape (batch, channels, time tokens, features)
        embedding : torch.Tensor, shape (batch, features)
            Unit length.

        Raises
        ------
        ModelError
            A signal that does not fit: shape, rate, length, missing values.
        UsageError
            An unknown or repeated electrode.
        """
        windows = _as_windows(eeg)
        features = extract(windows, channel_names, sfreq, self.spec)
        if features.n_tokens > (most := self.info.network.max_tokens):
            raise ModelError(
                f"a window of {features.n_tokens} time tokens is longer than the {most} that this network "
                f"takes; cut it to {most / self.spec.tokens_per_s:g} s"
            )
        with torch.no_grad():
            if self.info.centring is not None:
                parts = spectra(windows, self.spec.sfreq, features.n_tokens)
                seconds = windows.shape[0] * windows.shape[2] / self.spec.sfreq
                own = Baseline.of(parts, seconds).removal(self.info.centring)
                features = remove(features, windows, self.spec, own)
            tokens, embedding = self.network.encode(*features)
        return tokens, embedding

    def script(self) -> torch.jit.ScriptModule:
        """Compile the network to TorchScript: one module for every montage and window length."""
        return script(self.network)


def _as_windows(eeg: npt.ArrayLike | Tensor) -> Tensor:
    if isinstance(eeg, Tensor):
        windows = eeg.to(torch.float32)
    else:
        try:
            windows = torch.from_numpy(np.array(eeg, dtype=np.float32))
        except (TypeError, ValueError) as error:
            raise ModelError(f"the EEG is not numbers in microvolts ({error}); give a float array") from error
    if windows.ndim == 3 and windows.shape[0] == 0:
        raise ModelError("a batch of 0 windows has nothing to encode; give at least one")
    if not bool(torch.isfinite(windows).all()):
        raise ModelError(
            f"{int((~torch.isfinite(windows)).sum())} values of the EEG are missing (NaN or infinite); "
            "leave out that channel or that window"
        )
    return windows


def simulated_checkpoint() -> Path:
    """Return the path of the weights trained on simulated signals, whose truth is known."""
    return Path(__file__).parent / "weights" / "simulated.safetensors"


def default_checkpoint() -> Path:
    """Return the path of the weights that are used where none are named."""
    return simulated_checkpoint().with_name("eegmat.safetensors")


def save_checkpoint(path: Path | str, network: EMOD, info: CheckpointInfo) -> None:
    """Write a checkpoint; an existing file is replaced in one step or not at all.

    Parameters
    ----------
    path : path-like
        Conventionally ends in .safetensors.
    network : EMOD
        Built from `info.network`.
    info : CheckpointInfo
        Goes into the file's metadata as JSON.

    Raises
    ------
    ModelError
        The network is not of the architecture that `info` tells, or holds NaN.
    InputFileError
        The file cannot be written.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    _check_tensors(tensors, info.network, "the network to save")
    target = Path(path)
    part = target.with_name(f"{target.name}.tmp")
    try:
        part.write_bytes(save(tensors, {METADATA_KEY: info.model_dump_json()}))
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputFileError(f"{target} cannot be written: {error.strerror}; choose another place") from error


def load_checkpoint(path: Path | str) -> Model:
    """Read a checkpoint.

    Parameters
    ----------
    path : path-like
        A .safetensors file that `save_checkpoint` wrote.

    Returns
    -------
    Model
        Ready to use on the CPU.

    Raises
    ------
    InputFileError
        Missing, truncated, not safetensors, or without this project's metadata.
    ModelError
        The weights are not those of the network that the metadata tells.
    """
    source = Path(path)
    if not source.is_file():
        raise InputFileError(f"no model file at {source}; give the path of a .safetensors checkpoint")
    try:
        with safe_open(source, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    except (SafetensorError, OSError) as error:
        raise InputFileError(
            f"{source} is not a whole safetensors file ({error}); copy it again, or save it anew"
        ) from error
    info = _parse_metadata(metadata, source)
    _check_tensors(tensors, info.network, str(source))
    network = EMOD(info.network)
    network.load_state_dict(tensors)
    network.eval().requires_grad_(False)
    return Model(info, network, sha256, source)


def _parse_metadata(metadata: dict[str, str], source: Path) -> CheckpointInfo:
    """Read the configuration out of a file's metadata."""
    if METADATA_KEY not in metadata:
        raise InputFileError(
            f"{source} holds weights without an EMOD configuration; "
            "give a checkpoint that this program wrote (save_checkpoint)"
        )
    try:
        return CheckpointInfo.model_validate(json.loads(metadata[METADATA_KEY]))
    except (ValidationError, json.JSONDecodeError) as error:
        detail = error.errors()[0] if isinstance(error, ValidationError) else {"msg": str(error), "loc": ()}
        place = ".".join(str(part) for part in detail["loc"])
        raise InputFileError(
            f"{source} has a configuration this version cannot read ({place or 'JSON'}: {detail['msg']}); "
            "save it anew, or update the program"
        ) from error


def _check_tensors(tensors: dict[str, Tensor], config: EMODConfig, what: str) -> None:
    """Refuse weights that are not exactly those of a network of `config`."""
    # The meta device gives names and shapes without allocating or drawing numbers.
    with torch.device("meta"):
        expected = EMOD(config).state_dict()
    problems = [f"{name} is missing" for name in expected.keys() - tensors.keys()]
    problems += [f"{name} is not expected" for name in tensors.keys() - expected.keys()]
    for name in expected.keys() & tensors.keys():
        have, want = tensors[name], expected[name]
        if have.shape != want.shape:
            problems.append(f"{name} has shape {tuple(have.shape)} instead of {tuple(want.shape)}")
        elif have.dtype != want.dtype:
            problems.append(f"{name} is {have.dtype} instead of {want.dtype}")
        elif not bool(torch.isfinite(have).all()):
            problems.append(f"{name} holds NaN or infinity")
    if problems:
        first = sorted(problems)[0]
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise ModelError(
            f"the weights of {what} do not fit their network: {first}{more}; save the checkpoint anew"
        )
