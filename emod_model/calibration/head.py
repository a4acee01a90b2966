"""The population's head on centred features: what a person's rest alone buys."""

from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

Array = npt.NDArray[np.float64]


class CentredHead(BaseModel):
    """Valence and arousal from the fused view, once a person's own mean at rest is taken off it.

    Trained on people who were centred in the very same way, as a centring that the head has never seen shifts
    its answers (reference: what a model was trained on is what it gets live).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: tuple[float, ...] = Field(description="deviation of each centred feature over people")
    band_scale_db: tuple[float, ...] = Field(description="deviation of centred power, by band, dB")
    weights: tuple[tuple[float, float], ...] = Field(description="of the scaled features, for both axes")
    residuals: tuple[tuple[float, ...], tuple[float, ...]] = Field(
        description="quantiles of the absolute error on people it was not fitted on, evenly spaced, by axis"
    )
    trained_on: str = Field(min_length=1, description="people and recordings")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.scale) != len(self.weights) or min(*self.scale, *self.band_scale_db) <= 0:
            raise ValueError("a head needs one weight pair and one scale above 0 for each feature")
        return self

    def __call__(self, centred: Array) -> Array:
        """Map centred features (windows, features) to estimates (windows, 2)."""
        result: Array = (centred / np.array(self.scale)) @ np.array(self.weights)
        return result
