"""What comes out of every window: the JSON-lines contract."""

from dataclasses import dataclass
from typing import Any, Literal

AFFECT_CHANNELS = ("valence", "arousal", "valence_sd", "arousal_sd", "valid")
"""What one estimate is called as channels of a stream, on the network and in a recording."""

Reason = Literal["settling", "gap", "bad-signal", "stalled"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Valence and arousal of one window, with their worth (rule 4 of the house).

    Attributes
    ----------
    t : float
        Time of the window's last sample in the source's clock, s.
    index : int
        Absolute index of the window's last sample.
    valence, arousal : float or None
        In [-1, 1]; None when invalid.
    valence_sd, arousal_sd : float or None
        Standard deviations, same unit; None when invalid.
    reason : str or None
        Why the window is invalid; None when it is valid.
    latency_ms : float
        Publication minus arrival of the window's last sample.
    """

    t: float
    index: int
    valence: float | None
    arousal: float | None
    valence_sd: float | None
    arousal_sd: float | None
    reason: Reason | None
    latency_ms: float

    @property
    def valid(self) -> bool:
        """Whether the window carries a number."""
        return self.reason is None

    def to_json(self) -> dict[str, Any]:
        """Return the object of one JSON line, in the contract's order."""

        def rounded(value: float | None) -> float | None:
            return None if value is None else round(value, 6)

        return {
            "t": round(self.t, 6),
            "index": self.index,
            "valence": rounded(self.valence),
            "arousal": rounded(self.arousal),
            "valence_sd": rounded(self.valence_sd),
            "arousal_sd": rounded(self.arousal_sd),
            "valid": self.valid,
            "reason": self.reason,
            "latency_ms": round(self.latency_ms, 3),
        }
