"""How long a calibration takes, part by part."""

import math
from dataclasses import dataclass

from emod_model.errors import UsageError
from emod_rt.checks import not_negative

SKIP_S = 6.0
"""Start of a trial that is not read, s: feeling needs it to follow, and a window reaches back 3 s."""
FEWEST_TRIALS = 4
MOST_TRIALS = 64
SHORTEST_S, LONGEST_S = 10.0, 120.0
# what people take to read a prompt and to rate; for the time left alone
_READY_S, _RATING_S = 6.0, 10.0


@dataclass(frozen=True)
class Schedule:
    """The lengths of a calibration.

    Attributes
    ----------
    trials : int
        4 to 64; multiples of four are balanced over the quadrants.
    trial_s : float
        Length of a stimulus, 10 to 120 s.
    rest_s : float
        Length of the rest; 0 for none.
    pause_s : float
        Length of the short pause after a trial.
    hop_s : float
        Time between windows.
    window_s : float
        Length of a window.

    Raises
    ------
    UsageError
        A number out of these bounds.
    """

    trials: int = 8
    trial_s: float = 45.0
    rest_s: float = 60.0
    pause_s: float = 6.0
    hop_s: float = 0.5
    window_s: float = 3.0

    def __post_init__(self) -> None:
        if not FEWEST_TRIALS <= self.trials <= MOST_TRIALS:
            raise UsageError(
                f"--trials {self.trials} cannot be judged or sat through; "
                f"give {FEWEST_TRIALS} to {MOST_TRIALS}, best a multiple of four"
            )
        if not SHORTEST_S <= self.trial_s <= LONGEST_S:
            raise UsageError(
                f"--trial-s {self.trial_s:g} is no length of a trial; "
                f"give {SHORTEST_S:g} to {LONGEST_S:g} seconds, best 30 to 45"
            )
        not_negative("the rest of", self.rest_s)
        not_negative("a pause of", self.pause_s)

    @property
    def one_s(self) -> float:
        """What one trial takes with all that belongs to it, s."""
        return _READY_S + self.trial_s + self.after_s

    @property
    def after_s(self) -> float:
        """What comes after a stimulus, s."""
        return _RATING_S + self.pause_s

    @property
    def total_s(self) -> float:
        """What everything takes, s."""
        return self.rest_s + self.trials * self.one_s

    def expected(self, trial: int, length_s: float | None = None) -> int:
        """Return how many windows fit into a trial, or into the rest (0)."""
        if length_s is None:
            length_s = self.trial_s if trial else self.rest_s
        return max(0, math.floor((length_s - self.unread_s(trial)) / self.hop_s + 1e-6))

    def unread_s(self, trial: int) -> float:
        """Return how long after its begin the windows of a trial, or of the rest (0), are not read."""
        return SKIP_S if trial else self.window_s
