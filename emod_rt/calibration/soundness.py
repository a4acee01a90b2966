"""Whether the numbers of a profile out of a file belong together, before anything is calculated with them."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from emod_model.calibration.predictor import Fused, Predictor, Ridge
from emod_model.calibration.profile import LEVELS, Profile
from emod_model.calibration.reading import N_VIEWS
from emod_model.features import BANDS
from emod_model.montage import canonical, is_electrode

_LARGEST = 1e6
_MOST_TEXT = 200


def fault(profile: Profile) -> str | None:
    """Return what is wrong with a profile in a few words; None when it is sound."""
    return next(_faults(profile), None)


def _faults(profile: Profile) -> Iterator[str]:
    for what, text in (("user", profile.user), ("model", profile.model), ("date", profile.created)):
        if not text.isprintable() or len(text) > _MOST_TEXT:
            yield f"its {what} cannot be shown"
    if not _is_date(profile.created):
        yield "its date is none"
    names = profile.channels
    if not all(is_electrode(name) and canonical(name) == name for name in names) or len(set(names)) < len(
        names
    ):
        yield "its electrodes are not those of a montage"
    trials = len(profile.ratings)
    if not trials or len(profile.estimates) != trials:
        yield "it has no estimate for each rating"
    width = len(profile.view_sd[0]) if profile.view_sd else 0
    base, channels, bands = profile.baseline, len(profile.channels), len(BANDS)
    for what, rows, shape in (
        ("ratings", profile.ratings, (trials, 2)),
        ("estimates", profile.estimates, (trials, 2)),
        ("baseline", base.views, (N_VIEWS, width)),
        ("baseline", base.band_db, (channels, bands)),
        ("baseline", base.without_views, (channels, N_VIEWS, width)),
        ("baseline", base.without_mean, (channels, 2)),
        ("baseline", base.mean, (2,)),
        ("scales", profile.view_sd, (N_VIEWS, width)),
        ("scales", profile.band_sd_db, (bands,)),
        ("half widths", profile.half_widths, (2, len(LEVELS))),
        ("span", profile.span, ()),
        *(part for predictor in profile.predictors for part in _parts(predictor, width, channels * bands)),
    ):
        if not _holds(rows, shape):
            yield f"its {what} are not the numbers of its montage"
    if min(*(x for row in profile.view_sd for x in row), *profile.band_sd_db) <= 0:
        yield "its scales are not above 0"
    if min(x for row in profile.half_widths for x in row) < 0:
        yield "its half widths are below 0"
    if max(abs(x) for pair in (*profile.ratings, *profile.estimates) for x in pair) > 1:
        yield "its ratings are not within -1 and 1"


def _parts(predictor: Predictor, width: int, band: int) -> list[tuple[str, object, tuple[int, ...]]]:
    if isinstance(predictor, Ridge):
        return [("weights", predictor.weights, (width + band, 2))]
    if isinstance(predictor, Fused):
        rank = len(predictor.up)
        return [
            ("weights", predictor.centre, (N_VIEWS, width)),
            ("weights", predictor.score, (N_VIEWS, width)),
            ("weights", predictor.down, (width, rank)),
            ("weights", predictor.up, (rank, 2)),
        ]
    return []


def _holds(rows: object, shape: tuple[int, ...]) -> bool:
    """Whether nested tuples are an array of this shape, every number of a size that signals have."""
    try:
        array = np.array(rows, dtype=np.float64)
    except ValueError:
        # rows of different lengths
        return False
    # None, the power of an electrode that was never good, is NaN here
    numbers = array[~np.isnan(array)] if shape[1:] == (len(BANDS),) else array
    return array.shape == shape and bool(np.all(np.abs(numbers) <= _LARGEST))


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
