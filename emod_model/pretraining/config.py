"""What a pretraining run is told, in one TOML file."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from emod_model.fitting.config import Optimiser, RunSettings, Section
from emod_model.network import EMODConfig
from emod_model.pretraining.joint import Variant
from emod_model.pretraining.loss import D_MAX, TEMPERATURE
from emod_model.toml import read_toml


class Loss(Section):
    """The contrast; the defaults are the paper's."""

    variant: Variant = Field("soft", description="distance-aware, or one of the two it is compared with")
    temperature: float = Field(TEMPERATURE, gt=0, allow_inf_nan=False)
    d_max: float = Field(
        D_MAX, gt=0, allow_inf_nan=False, description="on [-4, 4]; 13.49 in the released code"
    )


class BatchSettings(Section):
    """What is drawn at once."""

    rounds: int = Field(4, ge=1, description="windows from each of nine regions of each corpus, a process")
    an_epoch: int | None = Field(None, ge=1, description="batches; as many windows as there are by default")


class PretrainingOptimiser(Optimiser):
    """With the published rate."""

    learning_rate: float = Field(5e-4, gt=0, allow_inf_nan=False, description="at the start")
    clip: float = Field(3.0, gt=0, allow_inf_nan=False, description="norm that gradients are clipped at")


class Pretraining(RunSettings):
    """A pretraining run."""

    stores: tuple[Path, ...] = Field(min_length=1, description="one a corpus, made by emod-rt prepare")
    start: Path | None = Field(None, description="checkpoint to go on from; random without one")
    network: EMODConfig | None = Field(None, description="of random weights; the published sizes by default")
    loss: Loss = Loss()
    batches: BatchSettings = BatchSettings()
    optimiser: PretrainingOptimiser = PretrainingOptimiser()
    validation_people: float = Field(0.1, ge=0, lt=1, description="part of each corpus' people held out")

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.start is not None and self.network is not None:
            raise ValueError("start and network are both given; a checkpoint brings its own network")
        return self


def read_pretraining(path: Path) -> Pretraining:
    """Read the settings of a run; paths in them count from the file's own folder.

    Raises
    ------
    InputFileError
        It cannot be read, or says what cannot be: file, field and value in one sentence.
    """
    told = read_toml(path, Pretraining)
    here = path.parent
    paths = {
        "out": here / told.out,
        "stores": tuple(here / store for store in told.stores),
        "start": None if told.start is None else here / told.start,
    }
    return told.model_copy(update=paths)
