"""The course of a calibration: a state machine without a screen, a thread or a clock of its own."""

from collections import deque
from collections.abc import Callable, Sequence

from emod_model.errors import UsageError
from emod_rt.calibration import words
from emod_rt.calibration.attempts import Attempts
from emod_rt.calibration.events import (
    Abort,
    Begin,
    End,
    Mark,
    PauseBegin,
    PauseEnd,
    Rating,
    Repeat,
    RestBegin,
    RestEnd,
    TrialBegin,
    TrialEnd,
)
from emod_rt.calibration.scene import Action, ActionName, Axis, Kind, Scene, Stimulus
from emod_rt.calibration.schedule import FEWEST_TRIALS, Schedule
from emod_rt.estimate import Estimate


class Protocol:
    """Leads a person through rest, trials, ratings and pauses.

    Everything that depends on time is told the time: `now`, seconds of one monotonic clock.

    Parameters
    ----------
    schedule : Schedule
        Lengths.
    stimuli : sequence of Stimulus
        One a trial, in order.
    user : str
        Whose calibration it is.
    seed : int
        Of the order of the stimuli, to be written down.

    Raises
    ------
    UsageError
        There is not one stimulus a trial.
    """

    def __init__(self, schedule: Schedule, stimuli: Sequence[Stimulus], user: str, seed: int) -> None:
        if len(stimuli) != schedule.trials:
            raise UsageError(f"{len(stimuli)} stimuli for {schedule.trials} trials; give one a trial")
        self.schedule = schedule
        self.user = user
        self._stimuli = tuple(stimuli)
        self._seed = seed
        self._kind: Kind = "intro"
        self._since = 0.0
        self._until: float | None = None
        self._asked = False
        self._interrupted: Kind = "intro"
        self._queue = deque(range(1, schedule.trials + 1))
        self._attempts = Attempts(schedule)
        self._marks: list[tuple[float, Mark]] = []
        self._warning: str | None = None
        self._reason = ""
        self._handlers: dict[ActionName, Callable[[float], None]] = {
            "next": self._next,
            "skip_rest": self._end_rest,
            "pause": self._pause,
            "resume": self._resume,
            "repeat": self._repeat,
            "abort": self.abort,
        }

    # -- what comes in

    def tick(self, now: float) -> None:
        """Let time pass: whatever is over by `now` ends."""
        if self._until is None or now < self._until:
            return
        if self._kind == "rest":
            self._end_rest(now)
        elif self._kind == "stimulus":
            self._end_stimulus(now)
            self._enter("rating", now)
        elif self._kind == "pause":
            self._resume(now)

    def act(self, name: ActionName, now: float) -> bool:
        """Do what the person wishes; return whether it could be done now."""
        if all(action.name != name for action in self._actions()):
            return False
        self._handlers[name](now)
        return True

    def rate(self, axis: Axis, value: int) -> bool:
        """Take a rating, 1 to 9; it can be given anew until `next` confirms both.

        Raises
        ------
        UsageError
            The value is not on the scale.
        """
        if value not in range(1, 10):
            raise UsageError(f"a rating of {value} is not on the scale; give 1 to 9")
        if self._kind != "rating" or self._attempts.last is None:
            return False
        self._attempts.last.said[axis] = value
        return True

    def window(self, estimate: Estimate, t: float) -> None:
        """Take note of a window: `t` is the time of its end in the clock of `now`."""
        self._attempts.count(estimate.reason, t)

    def warn(self, sentence: str | None) -> None:
        """Show a sentence on the signal until another, or None, is given."""
        self._warning = sentence

    def abort(self, now: float, reason: str = "ended by the person") -> None:
        """Break off; what was rated so far counts."""
        if self._kind in ("done", "aborted"):
            return
        self._leave(now)
        if self._kind != "intro":
            self._mark(now, Abort(reason=reason))
        self._reason = reason
        self._enter("aborted", now)

    # -- what goes out

    def drain(self) -> list[tuple[float, Mark]]:
        """Return what has to be marked since the last call, with its time."""
        marks, self._marks = self._marks, []
        return marks

    @property
    def rated(self) -> int:
        """How many trials have a rating."""
        return self._attempts.rated

    @property
    def enough(self) -> bool:
        """Whether that is enough to fit, if their signal can be read."""
        return self.rated >= FEWEST_TRIALS

    def scene(self, now: float) -> Scene:
        """Return what is to be shown at `now`."""
        attempt, kind = self._attempts.last, self._kind
        countdown = None if self._until is None else max(0.0, self._until - now)
        trial = self._queue[0] if kind == "ready" else attempt.trial if attempt else 0
        stimulus = self._stimuli[trial - 1] if kind in ("ready", "stimulus", "rating") else None
        said = attempt.said if attempt and kind == "rating" else {}
        left_s = self._left_s(now)
        title, text = words.words(
            kind,
            trial,
            self.schedule,
            stimulus,
            asked=self._asked,
            check=self._attempts.check(attempt) if attempt else None,
            rated=self.rated,
            reason=self._reason,
        )
        return Scene(
            kind=kind,
            title=title,
            text=text,
            stimulus=stimulus,
            trial=trial,
            attempt=self._attempts.goes(trial) + 1 if kind == "ready" else attempt.number if attempt else 0,
            trials=self.schedule.trials,
            countdown_s=countdown,
            length_s=None if self._until is None else self._until - self._since,
            progress=1.0 if kind == "done" else max(0.0, 1.0 - left_s / self.schedule.total_s),
            left_s=left_s,
            axis=next((axis for axis in words.AXES if axis not in said), None) if kind == "rating" else None,
            valence=said.get("valence"),
            arousal=said.get("arousal"),
            check=self._attempts.check(attempt) if attempt else None,
            checks=self._attempts.checks(),
            warning=self._warning,
            actions=self._actions(),
        )

    def _left_s(self, now: float) -> float:
        plan = self.schedule
        left = 0.0 if self._until is None or self._kind == "aborted" else max(0.0, self._until - now)
        if self._kind in ("done", "aborted"):
            return 0.0
        if self._kind == "intro":
            left = plan.rest_s
        elif self._kind in ("stimulus", "rating"):
            left += plan.after_s
        return left + len(self._queue) * plan.one_s

    def _actions(self) -> tuple[Action, ...]:
        kind, can = self._kind, words.ACTIONS
        if kind in ("done", "aborted"):
            return ()
        given: list[Action] = []
        if kind == "intro":
            given = [can["begin"]]
        elif kind == "rest":
            given = [can["skip_rest"], can["pause"]]
        elif kind == "ready":
            given = [can["next"], *([can["repeat"]] if self._attempts.last else []), can["pause"]]
        elif kind == "stimulus":
            given = [can["pause"]]
        elif kind == "rating":
            both = self._attempts.last is not None and len(self._attempts.last.said) == len(words.AXES)
            given = [*([can["confirm"]] if both else []), can["repeat"]]
        elif kind == "review":
            given = [can["again"], can["without"], can["pause"]]
        elif self._asked:
            given = [can["resume"]]
        else:
            given = [can["go_on"], can["repeat"], can["pause"]]
        return (*given, can["abort"])

    # -- what happens

    def _next(self, now: float) -> None:
        if self._kind == "intro":
            self._begin(now)
        elif self._kind == "ready":
            self._begin_stimulus(now)
        elif self._kind == "rating":
            self._confirm(now)
        elif self._kind == "review":
            self._rest_a_little(now)
        else:
            self._resume(now)

    def _begin(self, now: float) -> None:
        plan = self.schedule
        begin = Begin(
            user=self.user, trials=plan.trials, trial_s=plan.trial_s, rest_s=plan.rest_s, seed=self._seed
        )
        self._mark(now, begin)
        if plan.rest_s > 0:
            self._begin_rest(now)
        else:
            self._enter("ready", now)

    def _begin_rest(self, now: float) -> None:
        self._attempts.begin(0, now)
        self._mark(now, RestBegin())
        self._enter("rest", now, self.schedule.rest_s)

    def _end_rest(self, now: float) -> None:
        self._attempts.close(now)
        self._mark(now, RestEnd())
        self._enter("ready", now)

    def _begin_stimulus(self, now: float) -> None:
        trial = self._queue.popleft()
        number = self._attempts.begin(trial, now).number
        shown = self._stimuli[trial - 1]
        self._mark(now, TrialBegin(trial=trial, attempt=number, stimulus=shown.name, intended=shown.intended))
        self._enter("stimulus", now, self.schedule.trial_s)

    def _end_stimulus(self, now: float) -> None:
        attempt = self._attempts.close(now)
        self._mark(now, TrialEnd(trial=attempt.trial, attempt=attempt.number))

    def _confirm(self, now: float) -> None:
        attempt = self._attempts.newest
        attempt.rating = attempt.said["valence"], attempt.said["arousal"]
        valence, arousal = attempt.rating
        self._mark(now, Rating(trial=attempt.trial, attempt=attempt.number, valence=valence, arousal=arousal))
        if self._attempts.check(attempt).enough:
            self._rest_a_little(now)
        else:
            self._enter("review", now)

    def _rest_a_little(self, now: float) -> None:
        """Pause for a moment before what comes next; after the last trial nothing comes."""
        if not self._queue:
            self._mark(now, End())
            self._enter("done", now)
            return
        self._mark(now, PauseBegin())
        self._asked = False
        self._enter("pause", now, self.schedule.pause_s)

    def _pause(self, now: float) -> None:
        """Pause for as long as the person wishes; a stimulus or a rest that is broken off begins anew."""
        self._leave(now)
        if self._kind != "pause":
            self._mark(now, PauseBegin(asked=True))
        self._interrupted = self._kind
        self._asked = True
        self._enter("pause", now)

    def _resume(self, now: float) -> None:
        self._mark(now, PauseEnd())
        attempt = self._attempts.last
        if attempt is not None and attempt.cut and attempt.trial == 0:
            self._begin_rest(now)
        elif self._asked and self._interrupted == "review":
            self._enter("review", now)
        else:
            self._enter("ready", now)

    def _repeat(self, now: float) -> None:
        """Do the newest trial, or the rest, again."""
        if self._kind == "pause":
            self._mark(now, PauseEnd())
        trial = self._attempts.newest.trial
        if trial == 0:
            self._begin_rest(now)
            return
        # unless it comes next anyway
        if not (self._queue and self._queue[0] == trial):
            self._mark(now, Repeat(trial=trial))
            self._queue.appendleft(trial)
        self._enter("ready", now)

    def _leave(self, now: float) -> None:
        """Break off what is shown, if it is timed by markers."""
        attempt = self._attempts.last
        if attempt is None or self._kind not in ("rest", "stimulus"):
            return
        attempt.cut = True
        if self._kind == "rest":
            self._attempts.close(now)
            self._mark(now, RestEnd())
        else:
            self._end_stimulus(now)
            self._queue.appendleft(attempt.trial)

    def _mark(self, now: float, mark: Mark) -> None:
        self._marks.append((now, mark))

    def _enter(self, kind: Kind, now: float, length_s: float | None = None) -> None:
        self._kind, self._since = kind, now
        self._until = None if length_s is None else now + length_s
