"""Settings that every run has."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from emod_model.centring import Centring


class Section(BaseModel):
    """A table of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Optimiser(Section):
    """AdamW, its rate falling along a cosine over all steps."""

    learning_rate: float = Field(gt=0, allow_inf_nan=False, description="at the start")
    backbone: float = Field(1.0, gt=0, le=1, description="rate of encoder and layers, as a part of it")
    final_rate: float = Field(1e-7, ge=0, allow_inf_nan=False, description="at the end")
    weight_decay: float = Field(1e-4, ge=0, allow_inf_nan=False)
    clip: float = Field(gt=0, allow_inf_nan=False, description="norm that gradients are clipped at")
    average: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="decay of the running average of the weights, which is then what is kept",
    )


class Machine(Section):
    """What it runs on; several GPUs or machines are torchrun's to say."""

    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "32", "bf16"] = Field("auto", description="auto: bf16 on a GPU, else 32")
    workers: int = Field(0, ge=0, description="processes that read windows ahead; 0: none beside this one")


class Relative(Section):
    """A person's own baseline, taken off every window as `evaluate` and the live path do."""

    kind: Literal["causal", "transductive"] = Field(
        "causal", description="the rests so far, or all of a session's windows, which nobody has live"
    )
    place: Literal["signal", "power", "cross-power"] = Field("cross-power", description="what is compared")

    @property
    def centring(self) -> Centring:
        """What the checkpoint says of it."""
        return Centring(place=self.place)


class RunSettings(Section):
    """The part that all runs have: where results go, what the weights are called and may be used for."""

    out: Path = Field(description="folder of the results")
    name: str = Field(min_length=1, description="what a person calls the model")
    licence: str = Field(min_length=1, description="of the weights")
    simulated: bool = Field(False, description="the windows are of simulated people")
    seed: int = Field(1, ge=0, lt=2**32)
    epochs: int = Field(100, ge=1, strict=True)
    centring: Relative | None = Field(None, description="without it windows are taken as they are")
    machine: Machine = Machine()
