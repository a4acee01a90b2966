"""Every go at a trial, or at the rest, and how much of each can be read."""

from collections import Counter
from dataclasses import dataclass, field

from emod_rt.calibration.scene import Axis, Check
from emod_rt.calibration.schedule import Schedule

_NEVER = float("inf")


@dataclass
class Attempt:
    """One go at a trial, or at the rest (trial 0).

    Attributes
    ----------
    trial, number : int
        Which trial, and the how-manieth go at it, from 1.
    begun, ended : float
        Seconds in the protocol's clock.
    valid : int
        Windows with a signal so far.
    reasons : Counter
        Why the other windows have none.
    said : dict
        Ratings that may still change.
    rating : tuple of int or None
        Valence and arousal once they are confirmed.
    cut : bool
        It was broken off.
    """

    trial: int
    number: int
    begun: float
    ended: float = _NEVER
    valid: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    said: dict[Axis, int] = field(default_factory=dict)
    rating: tuple[int, int] | None = None
    cut: bool = False


class Attempts:
    """All attempts of a calibration, in time.

    Parameters
    ----------
    schedule : Schedule
        Tells how many windows there should be.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._all: list[Attempt] = []

    @property
    def last(self) -> Attempt | None:
        """The newest attempt; None before the first."""
        return self._all[-1] if self._all else None

    @property
    def newest(self) -> Attempt:
        """The newest attempt, of which there must be one."""
        return self._all[-1]

    @property
    def rated(self) -> int:
        """How many trials have a rating."""
        return len({attempt.trial for attempt in self._all if attempt.rating})

    def goes(self, trial: int) -> int:
        """Return how often a trial has been begun."""
        return sum(attempt.trial == trial for attempt in self._all)

    def begin(self, trial: int, now: float) -> Attempt:
        """Begin a trial, or the rest (0)."""
        attempt = Attempt(trial, self.goes(trial) + 1, now)
        self._all.append(attempt)
        return attempt

    def close(self, now: float) -> Attempt:
        """End the newest attempt."""
        self.newest.ended = now
        return self.newest

    def count(self, reason: str | None, t: float) -> None:
        """Count a window that ends at `t` for the attempt that it lies in, if any."""
        for attempt in reversed(self._all):
            if attempt.begun + self._schedule.unread_s(attempt.trial) < t <= attempt.ended:
                if reason is None:
                    attempt.valid += 1
                else:
                    attempt.reasons[reason] += 1
                return

    def check(self, attempt: Attempt) -> Check:
        """Return how much of an attempt can be read."""
        invalid = sum(attempt.reasons.values())
        reason = attempt.reasons.most_common(1)[0][0] if invalid else None
        # a rest that was skipped is short, not bad
        short = attempt.trial == 0 and attempt.ended < _NEVER
        length_s = attempt.ended - attempt.begun if short else None
        expected = self._schedule.expected(attempt.trial, length_s)
        seen = attempt.valid + invalid
        return Check(attempt.trial, attempt.number, attempt.valid, seen, expected, reason, attempt.rating)

    def checks(self) -> tuple[Check, ...]:
        """Return the newest whole or running attempt of each trial, in order of the trials."""
        newest = {attempt.trial: attempt for attempt in self._all if attempt.trial and not attempt.cut}
        return tuple(self.check(newest[trial]) for trial in sorted(newest))
