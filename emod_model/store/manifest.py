"""What a store says of itself: where its windows come from, how many there are of what, what was left out."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from emod_model.store.recipe import Recipe


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RawFile(_Frozen):
    """A file of the corpus that the windows were cut from."""

    path: str = Field(description="from the folder of the corpus")
    bytes: int
    sha256: str


class Refused(_Frozen):
    """Somebody of whom the store holds nothing."""

    subject: str
    reason: str


class Counts(_Frozen):
    """Windows by what they are; windows of rest count under `subject` and `baseline` alone."""

    subject: dict[str, int]
    label: dict[str, int]
    region: dict[str, int] = Field(description="region of the 3 x 3 grid, 0 to 8, as in emod_model.affect")
    baseline: int
    affect: dict[Literal["ratings", "vocabulary"], int] = Field(
        description="windows whose valence and arousal were rated, or follow from the label"
    )


class Manifest(_Frozen):
    """The manifest of a store."""

    format: Literal["emod-rt window store"] = "emod-rt window store"
    version: Literal[1] = 1
    program: str = Field(description="what made it, with its version")
    recipe: Recipe
    channels: tuple[str, ...] = Field(description="electrodes, one a row of a window")
    windows: int
    counts: Counts
    lost: dict[str, int] = Field(description="windows that hold no signal, by reason")
    refused: tuple[Refused, ...]
    notes: dict[str, int] = Field(description="what was passed over or put right, and how often")
    files: tuple[RawFile, ...]
