"""The estimates as an LSL stream."""

import math
from typing import Any

from emod_rt import liblsl
from emod_rt.estimate import AFFECT_CHANNELS, Estimate
from emod_rt.sources.base import StreamInfo

_BUFFER_S = 60


class AffectOutlet:
    """Stream of type `Affect`: valence, arousal, their standard deviations, and whether they are valid.

    NaN where invalid. Time stamps are the ends of the windows in the source's clock. The nominal rate is one
    sample a hop, since many readers refuse irregular streams; windows that are skipped are missing from it.

    Parameters
    ----------
    name : str
        Name of the stream.
    source_info : StreamInfo
        Where the signal comes from.
    model_name : str
        Checkpoint.
    simulated : bool
        The weights were trained on simulated signals.
    hop_s : float
        Seconds between windows.
    model_sha256 : str
        Checksum of the checkpoint, for whoever must know later which one it was.
    low_confidence : tuple of str, optional
        With a person's profile: axes whose reading was not shown to be better than the person's average.
    unvalidated : tuple of str
        Without one: axes whose reading was never held against people.
    """

    def __init__(
        self,
        name: str,
        source_info: StreamInfo,
        model_name: str,
        simulated: bool,
        hop_s: float,
        model_sha256: str = "",
        low_confidence: tuple[str, ...] | None = None,
        unvalidated: tuple[str, ...] = (),
    ) -> None:
        pylsl = liblsl.load()
        source_id = f"emod-affect-{name}-{source_info.name}"
        info = pylsl.StreamInfo(name, "Affect", len(AFFECT_CHANNELS), 1.0 / hop_s, "float32", source_id)
        description = info.desc()
        channels = description.append_child("channels")
        for label in AFFECT_CHANNELS:
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", "boolean" if label == "valid" else "none")
            channel.append_child_value("type", "Affect")
            channel.append_child_value("range", _range(label))
        acquisition = description.append_child("acquisition")
        acquisition.append_child_value("manufacturer", "emod-rt")
        acquisition.append_child_value("source", source_info.name)
        acquisition.append_child_value("source_simulated", _flag(source_info.simulated))
        acquisition.append_child_value("electrodes", ",".join(source_info.channels))
        model = description.append_child("model")
        model.append_child_value("name", model_name)
        model.append_child_value("sha256", model_sha256)
        model.append_child_value("simulated", _flag(simulated))
        description.append_child_value("simulated", _flag(simulated or source_info.simulated))
        description.append_child_value("unvalidated", " ".join(unvalidated))
        description.append_child_value("calibrated", _flag(low_confidence is not None))
        description.append_child_value("low_confidence", " ".join(low_confidence or ()))
        self.name = f"LSL stream {name}"
        self._outlet: Any = pylsl.StreamOutlet(info, max_buffered=_BUFFER_S)

    def push(self, estimate: Estimate) -> None:
        """Send one estimate; returns at once, also without a reader or after `close`."""
        if self._outlet is None:
            return
        numbers = (estimate.valence, estimate.arousal, estimate.valence_sd, estimate.arousal_sd)
        sample = [math.nan if number is None else number for number in numbers]
        self._outlet.push_sample([*sample, float(estimate.valid)], estimate.t)

    def close(self, summary: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Take the stream off the network; safe to call twice."""
        self._outlet = None


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _range(label: str) -> str:
    if label == "valid":
        return "0..1"
    return "0..2" if label.endswith("_sd") else "-1..1"
