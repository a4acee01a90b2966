"""The estimates that a recording holds beside the signal."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emod_rt.estimate import AFFECT_CHANNELS


@dataclass(frozen=True)
class Affect:
    """Valence and arousal along a recording.

    Attributes
    ----------
    times : numpy.ndarray, shape (windows,), float64
        End of each window, on the scale of the recording's `times`, s.
    values : numpy.ndarray, shape (windows, 5), float64
        Valence, arousal, their standard deviations, and 1 where the window is valid; NaN where there is no
        number.
    model, model_sha256 : str
        Where they come from; "" when the stream does not say.
    simulated : bool
        The model was trained on simulated signals, or the signal itself is simulated.
    unvalidated : tuple of str
        Axes of the model that were never held against people.
    """

    times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    model: str
    model_sha256: str
    simulated: bool
    unvalidated: tuple[str, ...] = ()


def find_affect(streams: list[dict[str, Any]]) -> Affect | None:
    """Return the estimates among the streams of an XDF file; None when it has none.

    Of several such streams the longest counts.
    """
    found = [stream for stream in streams if _is_affect(stream["info"]) and len(stream["time_stamps"])]
    if not found:
        return None
    stream = max(found, key=lambda each: len(each["time_stamps"]))
    desc = (stream["info"].get("desc") or [None])[0]
    said = desc if isinstance(desc, dict) else {}
    # a recording of ours says it in two entries, our LSL stream in one with parts
    model = (said.get("model") or [None])[0]
    parts = model if isinstance(model, dict) else {}
    times = np.asarray(stream["time_stamps"], dtype=np.float64)
    with np.errstate(invalid="ignore"):  # damaged floats become NaN
        values = np.asarray(stream["time_series"], dtype=np.float64)
    timed = np.isfinite(times)
    return Affect(
        times=times[timed],
        values=values[timed],
        model=_text(said, "model") or _text(parts, "name"),
        model_sha256=_text(said, "model_sha256") or _text(parts, "sha256"),
        simulated=_text(said, "simulated") == "true",
        unvalidated=tuple((_text(said, "unvalidated") or _text(parts, "unvalidated")).split()),
    )


def _is_affect(info: dict[str, Any]) -> bool:
    return bool(
        (info.get("type") or [""])[0] == "Affect"
        and info["channel_format"][0] != "string"
        and info["channel_count"][0] == str(len(AFFECT_CHANNELS))
    )


def _text(said: dict[str, Any], key: str) -> str:
    value = (said.get(key) or [""])[0]
    return value if isinstance(value, str) else ""
