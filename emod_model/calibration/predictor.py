"""One fitted candidate, as numbers that a profile can hold."""

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from emod_model.calibration import adapter
from emod_model.calibration.choose import CANDIDATES, Prepared
from emod_model.calibration.design import Features
from emod_model.calibration.ridge import coefficients

Array = npt.NDArray[np.float64]


class _Numbers(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rest(_Numbers):
    """The population's answer to the centred signal: nothing fitted to ratings."""

    kind: Literal["rest"] = "rest"

    def __call__(self, features: Features) -> Array:
        """Return estimates of both axes, shape (windows, 2)."""
        return features.prior


class Ridge(_Numbers):
    """The population's answer, corrected linearly."""

    kind: Literal["ridge"] = "ridge"
    penalty: float = Field(gt=0)
    weights: tuple[tuple[float, float], ...]

    def __call__(self, features: Features) -> Array:
        """Return estimates of both axes, shape (windows, 2)."""
        corrected: Array = features.prior + features.linear @ np.array(self.weights)
        return corrected


class Fused(_Numbers):
    """The population's answer, corrected by the adapter."""

    kind: Literal["adapter", "semi-supervised"]
    centre: tuple[tuple[float, ...], ...]
    score: tuple[tuple[float, ...], ...]
    down: tuple[tuple[float, ...], ...]
    up: tuple[tuple[float, ...], ...]

    def __call__(self, features: Features) -> Array:
        """Return estimates of both axes, shape (windows, 2)."""
        parts = (np.array(part) for part in (self.centre, self.score, self.down, self.up))
        return adapter.Adapter(*parts)(features)


Predictor = Annotated[Rest | Ridge | Fused, Field(discriminator="kind")]


def fit_candidate(number: int, prepared: Prepared, ratings: Array, used: npt.NDArray[np.bool_]) -> Predictor:
    """Fit one candidate on the trials that are used.

    Parameters
    ----------
    number : int
        Place in `CANDIDATES`.
    prepared : Prepared
        The session.
    ratings : numpy.ndarray, shape (trials, 2)
    used : numpy.ndarray, shape (trials,), bool
    """
    name = CANDIDATES[number]
    if name == "rest":
        return Rest()
    if name.startswith("ridge"):
        penalty = float(name.split()[1])
        residual = ratings - prepared.trials.prior
        weights = coefficients(prepared.trials.linear, used, penalty) @ residual
        return Ridge(penalty=penalty, weights=weights.tolist())
    unlabelled = prepared.unlabelled if name == "semi-supervised" else None
    fitted = adapter.fit(prepared.rows, prepared.trial, used[None], ratings[None], unlabelled)
    one = adapter.one_of(fitted, prepared.rows, 0)
    return Fused(
        kind="semi-supervised" if name == "semi-supervised" else "adapter",
        centre=one.centre.tolist(),
        score=one.score.tolist(),
        down=one.down.tolist(),
        up=one.up.tolist(),
    )
