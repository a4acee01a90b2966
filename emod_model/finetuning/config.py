"""What a fine-tuning run is told, in one TOML file."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from emod_model.fitting.config import Optimiser, RunSettings, Section
from emod_model.network import EMODConfig
from emod_model.toml import read_toml

Head = Literal["classes", "affect", "both"]


class Augmentation(Section):
    """What is done to training windows; nothing by default, as published."""

    shift_s: float = Field(0.0, ge=0, le=1, description="most that a window is shifted, s")
    noise: float = Field(0.0, ge=0, le=1, description="Gaussian noise, as a part of the window's deviation")
    fewest_channels: float = Field(1.0, gt=0, le=1, description="smallest part of the channels that is kept")


class FinetuningOptimiser(Optimiser):
    """With the published rates."""

    learning_rate: float = Field(1e-3, gt=0, allow_inf_nan=False, description="of the heads, at the start")
    backbone: float = Field(0.5, gt=0, le=1, description="rate of encoder and layers, as a part of it")
    clip: float = Field(1.0, gt=0, allow_inf_nan=False, description="norm that gradients are clipped at")


class Finetuning(RunSettings):
    """A fine-tuning run; the defaults are the published recipe."""

    store: Path = Field(description="made by emod-rt prepare")
    start: Path | None = Field(None, description="checkpoint to start from; from scratch without one")
    network: EMODConfig | None = Field(None, description="of a run from scratch")
    head: Head = "classes"
    classes: tuple[str, ...] = Field((), description="words of the store to tell apart; all by default")
    dropout: float = Field(0.25, ge=0, lt=1)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    batch: int = Field(64, ge=2, description="windows, a process")
    augmentation: Augmentation = Augmentation()
    optimiser: FinetuningOptimiser = FinetuningOptimiser()
    validation_people: float | tuple[str, ...] = Field(
        0.15, description="who chooses the best epoch: by name, or a part of everyone drawn by the seed"
    )
    kept_out: tuple[str, ...] = Field((), description="people who are kept for a test")

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.start is not None and self.network is not None:
            raise ValueError("start and network are both given; a checkpoint brings its own network")
        held = self.validation_people if isinstance(self.validation_people, tuple) else ()
        for name, given in (("classes", self.classes), ("kept_out", (*self.kept_out, *held))):
            if twice := next((one for one in given if given.count(one) > 1), None):
                raise ValueError(f"{name} names {twice!r} twice (validation_people counts with kept_out)")
        if isinstance(self.validation_people, float) and not 0 < self.validation_people < 1:
            raise ValueError(
                f"validation_people = {self.validation_people} is no part of everyone; give 0.15"
            )
        return self


def read_finetuning(path: Path) -> Finetuning:
    """Read the settings of a run; paths in them count from the file's own folder.

    Raises
    ------
    InputFileError
        It cannot be read, or says what cannot be: file, field and value in one sentence.
    """
    told = read_toml(path, Finetuning)
    here = path.parent
    start = None if told.start is None else here / told.start
    return told.model_copy(update={"out": here / told.out, "store": here / told.store, "start": start})
