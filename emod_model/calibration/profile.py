"""A person's profile: numbers and ratings, no EEG."""

import math
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from emod_model.calibration.centre import Centre
from emod_model.calibration.design import Scales
from emod_model.calibration.fit import Calibration
from emod_model.calibration.head import CentredHead
from emod_model.calibration.judge import AxisVerdict
from emod_model.calibration.predictor import Predictor
from emod_model.checkpoint import Model
from emod_model.errors import ModelError

Array = npt.NDArray[np.float64]
Rows = tuple[tuple[float, ...], ...]

LEVELS = tuple(round(0.01 * step, 2) for step in range(5, 100))
"""Levels whose half widths a profile holds."""
Pair = tuple[float, float]


class _Numbers(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Baseline(_Numbers):
    """The centre; see `emod_model.calibration.centre`."""

    views: Rows
    band_db: tuple[tuple[float | None, ...], ...]
    mean: Pair
    without_views: tuple[Rows, ...]
    without_mean: Rows


class Profile(_Numbers):
    """All that adapts a model to a person, and what it is worth."""

    format: Literal[1] = 1
    user: str = Field(min_length=1)
    created: str = Field(description="ISO 8601, UTC")
    model: str = Field(description="name of the checkpoint")
    model_sha256: str = Field(min_length=64, max_length=64)
    simulated: bool = Field(description="weights or signal come from no person")
    channels: tuple[str, ...] = Field(min_length=2)
    baseline: Baseline
    view_sd: Rows
    band_sd_db: tuple[float, ...]
    chosen: tuple[str, str]
    predictors: tuple[Predictor, Predictor]
    half_widths: Rows = Field(description="of the intervals at LEVELS, valence and arousal")
    span: float = Field(gt=0)
    ratings: tuple[Pair, ...]
    estimates: tuple[Pair, ...] = Field(description="held-out reading of each trial")
    verdicts: tuple[AxisVerdict, AxisVerdict]

    @classmethod
    def of(
        cls,
        calibration: Calibration,
        ratings: Array,
        channels: tuple[str, ...],
        model: Model,
        *,
        user: str,
        created: str,
        simulated: bool,
    ) -> Self:
        """Write a calibration down."""
        centre = calibration.centre
        band_db = [[None if math.isnan(x) else x for x in row] for row in centre.band_db.tolist()]
        return cls.model_validate(
            {
                "user": user,
                "created": created,
                "model": model.name,
                "model_sha256": model.sha256,
                "simulated": simulated,
                "channels": channels,
                "baseline": {
                    "views": centre.views.tolist(),
                    "band_db": band_db,
                    "mean": centre.mean.tolist(),
                    "without_views": centre.without_views.tolist(),
                    "without_mean": centre.without_mean.tolist(),
                },
                "view_sd": calibration.scales.view_sd.tolist(),
                "band_sd_db": calibration.scales.band_sd_db.tolist(),
                "chosen": calibration.chosen,
                "predictors": calibration.predictors,
                "half_widths": [[axis.half_width(p) for p in LEVELS] for axis in calibration.errors],
                "span": calibration.span,
                "ratings": ratings.tolist(),
                "estimates": calibration.judged.estimates.tolist(),
                "verdicts": calibration.judged.verdicts,
            }
        )

    @property
    def low_confidence(self) -> tuple[bool, bool]:
        """Axes, valence and arousal, whose reading was not shown to be better than the person's mean."""
        return self.verdicts[0].word != "better", self.verdicts[1].word != "better"

    def centre(self) -> Centre:
        """Return the baseline as numbers to calculate with."""
        base = self.baseline
        band_db = [[math.nan if x is None else x for x in row] for row in base.band_db]
        return Centre(
            np.array(base.views),
            np.array(band_db),
            np.array(base.mean),
            np.array(base.without_views),
            np.array(base.without_mean),
        )

    def scales(self, head: CentredHead | None) -> Scales:
        """Return what brings features to size."""
        return Scales(head, np.array(self.view_sd), np.array(self.band_sd_db))

    def half_width(self, axis: int, level: float) -> float:
        """Return the half width of an interval at the next level that the profile holds."""
        at = min(int(np.searchsorted(LEVELS, level - 1e-9)), len(LEVELS) - 1)
        return self.half_widths[axis][at]

    def rows_in(self, model: Model, channels: tuple[str, ...]) -> list[int | None]:
        """Return, for each electrode of the profile, its row among a source's, None where it has none.

        Raises
        ------
        ModelError
            Another model, an electrode that the calibration never saw, or fewer than half of those it saw.
        """
        if model.sha256 != self.model_sha256:
            raise ModelError(
                f"the profile of {self.user} belongs to the model {self.model} ({self.model_sha256[:12]}), "
                f"not to {model.name} ({model.sha256[:12]}); calibrate with this model, or run with that one"
            )
        strange = [name for name in channels if name not in self.channels]
        absent = [name for name in self.channels if name not in channels]
        if strange or 2 * len(absent) > len(self.channels):
            raise ModelError(
                f"the profile of {self.user} was made with {', '.join(self.channels)}, and this source has "
                f"{', '.join(channels)}; choose electrodes of the profile with --channels, at least half of "
                "them, or calibrate anew"
            )
        return [channels.index(name) if name in channels else None for name in self.channels]
