"""The course of a calibration, second by second, without a screen and without a signal."""

from collections.abc import Sequence
from typing import Any

import pytest

from emod_model.errors import UsageError
from emod_rt.calibration.events import Mark
from emod_rt.calibration.protocol import Protocol
from emod_rt.calibration.scene import ActionName, Scene, Stimulus
from emod_rt.calibration.schedule import Schedule
from emod_rt.estimate import Estimate, Reason

PLAN = Schedule(trials=4, trial_s=40, rest_s=60, pause_s=6)
STIMULI = [Stimulus(f"prompt-{n}", "text", f"Remember {n}.", intended=(0.6, -0.6)) for n in range(4)]


class Person:
    """Somebody who sits through a protocol; time passes only as told."""

    def __init__(self, plan: Schedule = PLAN, stimuli: Sequence[Stimulus] = STIMULI) -> None:
        self.protocol = Protocol(plan, stimuli, "ada", seed=3)
        self.now = 100.0
        self.marks: list[tuple[float, Mark]] = []

    def waits(self, seconds: float, reason: Reason | None = None, windows: bool = True) -> Scene:
        """Let time pass in half seconds, with a window at each."""
        for _ in range(round(2 * seconds)):
            self.now += 0.5
            if windows:
                value = 0.0 if reason is None else None
                self.protocol.window(Estimate(self.now, 0, value, value, value, value, reason, 5.0), self.now)
            self.protocol.tick(self.now)
        return self.scene

    def does(self, *names: ActionName) -> Scene:
        for name in names:
            assert self.protocol.act(name, self.now), f"{name} is not offered in {self.scene}"
        return self.scene

    def rates(self, valence: int, arousal: int) -> Scene:
        assert self.protocol.rate("valence", valence)
        assert self.protocol.rate("arousal", arousal)
        return self.does("next")

    def trial(self, valence: int, arousal: int, reason: Reason | None = None, windows: bool = True) -> Scene:
        assert self.does("next").kind == "stimulus"
        assert self.waits(40, reason, windows).kind == "rating"
        return self.rates(valence, arousal)

    @property
    def scene(self) -> Scene:
        return self.protocol.scene(self.now)

    def said(self) -> list[tuple[float, dict[str, Any]]]:
        """What was marked since the last call: when, and the event with its fields."""
        return [
            (t, mark.model_dump(exclude={"emod"}, exclude_none=True)) for t, mark in self.protocol.drain()
        ]

    def events(self) -> list[str]:
        return [fields["event"] for _, fields in self.said()]


def test_rest_trials_ratings_and_pauses_come_in_order_and_are_marked_when_they_happen() -> None:
    person = Person()
    assert person.scene.kind == "intro"
    assert person.does("next").kind == "rest"
    assert person.waits(59.5).kind == "rest"
    assert person.waits(0.5).kind == "ready"
    for trial in range(4):
        assert (person.scene.kind, person.scene.trial, person.scene.trials) == ("ready", trial + 1, 4)
        after = person.trial(7, 2)
        if trial < 3:
            assert after.kind == "pause"
            assert person.waits(6).kind == "ready"
    assert person.scene.kind == "done"
    assert person.scene.over
    said = person.said()
    plan = {"trials": 4, "trial_s": 40, "rest_s": 60, "seed": 3}
    shown = {"stimulus": "prompt-0", "intended": (0.6, -0.6)}
    assert said[:5] == [
        (100.0, {"event": "begin", "version": 1, "user": "ada", **plan}),
        (100.0, {"event": "rest-begin"}),
        (160.0, {"event": "rest-end"}),
        (160.0, {"event": "trial-begin", "trial": 1, "attempt": 1, **shown}),
        (200.0, {"event": "trial-end", "trial": 1, "attempt": 1}),
    ]
    assert said[5] == (200.0, {"event": "rating", "trial": 1, "attempt": 1, "valence": 7, "arousal": 2})
    assert [fields["event"] for _, fields in said[6:9]] == ["pause-begin", "pause-end", "trial-begin"]
    assert said[-1][1] == {"event": "end"}


def test_rest_can_be_skipped_and_left_out() -> None:
    person = Person()
    person.does("next")
    person.waits(2)
    assert person.does("skip_rest").kind == "ready"
    assert person.said()[-1] == (102.0, {"event": "rest-end"})
    assert Person(Schedule(trials=4, rest_s=0)).does("next").kind == "ready"


def test_a_rating_is_asked_axis_by_axis_and_can_change_until_it_is_confirmed() -> None:
    person = Person()
    person.does("next", "skip_rest", "next")
    scene = person.waits(40)
    assert (scene.axis, scene.valence, scene.arousal) == ("valence", None, None)
    assert "next" not in [action.name for action in scene.actions]
    person.protocol.rate("valence", 3)
    assert (person.scene.axis, person.scene.valence) == ("arousal", 3)
    person.protocol.rate("arousal", 9)
    person.protocol.rate("valence", 4)
    assert (person.scene.axis, person.scene.actions[0].name) == (None, "next")
    assert "rating" not in person.events()
    person.does("next")
    assert person.said()[0][1] == {"event": "rating", "trial": 1, "attempt": 1, "valence": 4, "arousal": 9}
    with pytest.raises(UsageError, match=r"a rating of 10 is not on the scale; give 1 to 9"):
        person.protocol.rate("valence", 10)


def test_what_is_not_offered_is_not_done() -> None:
    person = Person()
    assert not person.protocol.act("repeat", person.now)
    assert not person.protocol.act("skip_rest", person.now)
    assert not person.protocol.rate("valence", 5)
    person.does("next", "skip_rest", "next")
    assert not person.protocol.act("next", person.now)
    assert person.scene.kind == "stimulus"


def test_a_trial_of_which_less_than_half_can_be_read_is_offered_again() -> None:
    person = Person()
    person.does("next", "skip_rest")
    scene = person.trial(5, 5, "bad-signal")
    assert scene.kind == "review"
    assert "Only 0 of 68 windows of trial 1 could be read, since too few electrodes were good." in scene.text
    assert person.does("repeat").kind == "ready"
    assert (person.scene.trial, person.scene.attempt) == (1, 2)
    assert person.trial(6, 4).kind == "pause"
    ratings = [fields for _, fields in person.said() if fields["event"] in ("rating", "repeat")]
    assert [(r["event"], r["trial"], r.get("attempt")) for r in ratings] == [
        ("rating", 1, 1),
        ("repeat", 1, None),
        ("rating", 1, 2),
    ]


def test_a_trial_whose_windows_never_came_is_offered_again_too_and_can_be_left_as_it_is() -> None:
    person = Person()
    person.does("next", "skip_rest")
    assert person.trial(5, 5, windows=False).kind == "review"
    assert person.does("pause").title == "Break"
    assert person.does("resume").kind == "review", "the offer is still there after a break"
    assert person.does("next").kind == "pause"
    assert person.waits(6).trial == 2


def test_the_first_six_seconds_of_a_trial_do_not_count() -> None:
    person = Person()
    person.does("next", "skip_rest", "next")
    person.waits(6, "bad-signal")
    assert person.scene.check is not None
    assert (person.scene.check.seen, person.scene.check.expected) == (0, 68)
    check = person.waits(34).check
    assert check is not None
    assert (check.valid, check.seen, check.enough) == (68, 68, True)


def test_a_rest_that_could_not_be_read_is_said_and_can_be_repeated() -> None:
    person = Person()
    person.does("next")
    scene = person.waits(60, "gap")
    assert "Only 0 of 114 windows of the rest could be read, since samples were lost." in scene.text
    assert person.does("repeat").kind == "rest"
    assert "Only" not in person.waits(60).text


def test_a_break_in_the_middle_of_a_stimulus_begins_it_anew() -> None:
    person = Person()
    person.does("next", "skip_rest", "next")
    person.waits(20)
    scene = person.does("pause")
    assert (scene.kind, scene.countdown_s) == ("pause", None)
    person.waits(500)
    scene = person.does("resume")
    assert (scene.kind, scene.trial, scene.attempt) == ("ready", 1, 2)
    person.trial(5, 5)
    assert person.waits(6).trial == 2
    assert person.events()[3:9] == [
        "trial-begin", "trial-end", "pause-begin", "pause-end", "trial-begin", "trial-end"
    ]  # fmt: skip


def test_a_break_in_the_rest_begins_the_rest_anew() -> None:
    person = Person()
    person.does("next")
    person.waits(30)
    person.does("pause")
    scene = person.does("resume")
    assert (scene.kind, scene.countdown_s) == ("rest", 60)


def test_the_short_pause_becomes_a_break_on_request() -> None:
    person = Person()
    person.does("next", "skip_rest")
    person.trial(5, 5)
    person.does("pause")
    assert person.waits(300).kind == "pause"
    assert person.does("resume").kind == "ready"
    assert person.events().count("pause-begin") == 1


def test_the_last_trial_can_be_repeated_from_the_next_one_on_and_the_order_goes_on_after_it() -> None:
    person = Person()
    person.does("next", "skip_rest")
    person.trial(5, 5)
    person.waits(6)
    assert (person.scene.trial, person.does("repeat").trial) == (2, 1)
    assert person.does("repeat").trial == 1, "asking twice is asking once"
    person.trial(8, 8)
    assert person.waits(6).trial == 2
    assert person.events().count("repeat") == 1


def test_an_abort_keeps_what_was_rated_and_says_whether_it_is_enough() -> None:
    person = Person()
    person.does("next", "skip_rest")
    person.trial(5, 5)
    person.does("next")
    person.does("next")
    scene = person.does("abort")
    assert (scene.kind, scene.actions, scene.over) == ("aborted", (), True)
    assert "at least 4 are needed" in scene.text
    assert [fields["event"] for _, fields in person.said()][-2:] == ["trial-end", "abort"]
    assert person.protocol.rated == 1
    person.protocol.abort(person.now)
    assert person.events() == [], "it is broken off once"


def test_progress_and_time_left_go_from_everything_to_nothing() -> None:
    person = Person()
    seen = [person.scene]
    person.does("next")
    for _ in range(12):
        seen.append(person.waits(5))
    for _ in range(4):
        person.does("next")
        seen += [person.waits(10) for _ in range(4)]
        person.rates(5, 5)
        seen.append(person.waits(6))
    left, progress = [scene.left_s for scene in seen], [scene.progress for scene in seen]
    assert left[0] == PLAN.total_s
    assert left == sorted(left, reverse=True)
    assert progress == sorted(progress)
    assert (left[-1], progress[0], progress[-1]) == (0, 0, 1)


def test_a_program_that_slept_through_a_deadline_goes_on_with_what_comes_next() -> None:
    person = Person()
    person.does("next", "skip_rest", "next")
    person.now += 3600
    person.protocol.tick(person.now)
    assert person.scene.kind == "rating"
    assert person.rates(5, 5).kind == "review"


@pytest.mark.parametrize(("trials", "trial_s"), [(3, 40), (65, 40), (8, 9.9), (8, 121), (8, float("nan"))])
def test_impossible_schedules_are_refused(trials: int, trial_s: float) -> None:
    with pytest.raises(UsageError, match=r"--trial"):
        Schedule(trials=trials, trial_s=trial_s)
