"""The marker language of a calibration: one JSON object a marker, in the stream of typed markers."""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from emod_model.errors import InputFileError
from emod_rt.calibration.schedule import FEWEST_TRIALS, LONGEST_S, MOST_TRIALS, SHORTEST_S

SAM = Annotated[int, Field(ge=1, le=9)]
"""A rating on a Self-Assessment Manikin scale."""
_Number = Annotated[int, Field(ge=1, le=10_000)]
_Seconds = Annotated[float, Field(ge=0, le=36_000, allow_inf_nan=False)]
_Coordinate = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class _Mark(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    emod: Literal["calibration"] = "calibration"


class Begin(_Mark):
    """A calibration begins."""

    event: Literal["begin"] = "begin"
    version: Literal[1] = 1
    user: str = Field(min_length=1, max_length=200)
    trials: int = Field(ge=FEWEST_TRIALS, le=MOST_TRIALS)
    trial_s: float = Field(ge=SHORTEST_S, le=LONGEST_S)
    rest_s: _Seconds
    seed: int


class RestBegin(_Mark):
    """The person sits still, eyes open."""

    event: Literal["rest-begin"] = "rest-begin"


class RestEnd(_Mark):
    """The rest is over, or was skipped."""

    event: Literal["rest-end"] = "rest-end"


class TrialBegin(_Mark):
    """A stimulus begins; trials and attempts are counted from 1."""

    event: Literal["trial-begin"] = "trial-begin"
    trial: _Number
    attempt: _Number
    stimulus: str = Field(max_length=4096)
    intended: tuple[_Coordinate, _Coordinate] | None = None


class TrialEnd(_Mark):
    """The stimulus ends, or was broken off."""

    event: Literal["trial-end"] = "trial-end"
    trial: _Number
    attempt: _Number


class Rating(_Mark):
    """What the person says of a trial; of several attempts the last rated one counts."""

    event: Literal["rating"] = "rating"
    trial: _Number
    attempt: _Number
    valence: SAM
    arousal: SAM


class PauseBegin(_Mark):
    """A pause begins; `asked` when the person wished for it."""

    event: Literal["pause-begin"] = "pause-begin"
    asked: bool = False


class PauseEnd(_Mark):
    """The pause is over."""

    event: Literal["pause-end"] = "pause-end"


class Repeat(_Mark):
    """A trial is done again."""

    event: Literal["repeat"] = "repeat"
    trial: _Number


class Abort(_Mark):
    """The calibration was broken off; what was rated so far counts."""

    event: Literal["abort"] = "abort"
    reason: str = Field(max_length=1000)


class End(_Mark):
    """The calibration is complete."""

    event: Literal["end"] = "end"


Mark = (
    Begin
    | RestBegin
    | RestEnd
    | TrialBegin
    | TrialEnd
    | Rating
    | PauseBegin
    | PauseEnd
    | Repeat
    | Abort
    | End
)
_MARK: TypeAdapter[Mark] = TypeAdapter(Annotated[Mark, Field(discriminator="event")])
_SIGN = '"emod"'


def text_of(mark: Mark) -> str:
    """Return the text of the marker."""
    return mark.model_dump_json()


def mark_of(text: str) -> Mark | None:
    """Return what a marker's text says; None for what is no word of a calibration.

    Raises
    ------
    InputFileError
        It says that it belongs to a calibration, but it cannot be understood.
    """
    if _SIGN not in text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("emod") != "calibration":
        return None
    try:
        return _MARK.validate_python(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "event"
        raise InputFileError(
            f"the calibration's marker {text[:120]!r} is not understood ({where}: {first['msg']}); "
            "use the recording as emod-rt wrote it"
        ) from error
