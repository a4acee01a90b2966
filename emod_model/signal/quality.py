"""Signal quality of one conditioned window, channel by channel."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """Verdict on one channel of one window.

    Attributes
    ----------
    good : bool
        Whether the channel takes part in the estimate.
    score : float
        0 (useless) to 1 (clean).
    reason : str or None
        In two or three words what is wrong ("flat", "too large", "missing samples"), also for a usable but poor
        channel ("muscle"); None when clean.
    """

    good: bool
    score: float
    reason: str | None
