"""Shape of a network, as its checkpoint carries it."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emod_model.montage.names import TABLE_ROWS
from emod_model.signal.spec import N_SPECTRUM_BINS


class EMODConfig(BaseModel):
    """Architecture of an `EMOD`; the defaults are the published sizes with this project's own two choices.

    `temporal_axis="published", spectrum="real-part"` is the network of the released weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    d_model: int = Field(128, ge=1, description="features a token")
    n_layers: int = Field(3, ge=1, description="axial layers")
    n_heads: int = Field(16, ge=1, description="attention heads")
    d_feedforward: int = Field(512, ge=1, description="hidden features of the feed-forward part")
    kernel: int = Field(25, ge=1, description="samples of the token convolutions, odd")
    n_groups: int = Field(4, ge=1, description="groups of the convolutions' GroupNorm")
    max_tokens: int = Field(50, ge=1, description="longest window the relative term covers, tokens")
    table_rows: int = Field(TABLE_ROWS, ge=1, description="rows of the electrode table")
    n_bins: int = Field(N_SPECTRUM_BINS, ge=1, description="bins of the log-power spectrum")
    temporal_axis: Literal["time", "published"] = Field(
        "time", description="attention over time, or the released code's reinterpreted memory"
    )
    spectrum: Literal["log-power", "real-part"] = Field("log-power", description="spectral branch")
    dropout: float = Field(0.1, ge=0, lt=1, description="dropout in the layers")
    pool_dropout: float = Field(
        0.25, ge=0, lt=1, description="dropout on the attention weights of the poolings"
    )
    n_classes: int = Field(0, ge=0, description="classes that the network tells apart, 0 for none")
    sd_floor: float = Field(0.02, gt=0, description="smallest standard deviation of an estimate")

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if self.d_model % self.n_heads or self.d_model % self.n_groups:
            raise ValueError(
                f"{self.n_heads} heads and {self.n_groups} groups must divide d_model {self.d_model}"
            )
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel {self.kernel} must be odd")
        return self

    @property
    def d_head(self) -> int:
        """Features of one attention head."""
        return self.d_model // self.n_heads
