"""What is due when, and which stamps it bears."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emod_rt.playhead import Playhead

RATE = 250.0


def head(place=None, marks=(), span=None, speed=1.0, loop=False):
    place = np.arange(1000) if place is None else np.asarray(place)
    return Playhead(place, np.array(marks, dtype=float), span or int(place[-1]) + 1, RATE, speed, loop)


class Tape:
    """What a playhead handed out, and when."""

    def __init__(self, playhead):
        self.playhead = playhead
        self._samples, self._markers = [np.empty((3, 0))], [np.empty((3, 0))]

    def run(self, clock):
        for now in clock:
            for due in self.playhead.advance(now):
                rows = np.arange(due.rows.start, due.rows.stop)
                self._samples.append(np.array([rows, due.times, np.full(rows.size, now)]))
                self._markers.append(np.array([due.marks, due.mark_times, np.full(len(due.marks), now)]))
            if self.playhead.ended:
                break
        self.rows, self.stamps, self.when = np.concatenate(self._samples, axis=1)
        self.marks, self.mark_stamps, self.mark_when = np.concatenate(self._markers, axis=1)
        self.marks = self.marks.astype(int).tolist()
        return self

    def grid(self):
        """The stamps as whole numbers of samples."""
        at = self.stamps * RATE
        np.testing.assert_allclose(at, np.round(at), rtol=0, atol=1e-6)
        return np.round(at).astype(int)


def ticks(seconds, seed=0):
    """A clock that is asked every 25 ms, always late by up to 10 ms, and once in a while by 0.4 s."""
    rng = np.random.default_rng(seed)
    now = 0.0
    while now < seconds:
        yield now
        now += 0.025 + rng.uniform(0, 0.010) + (0.4 if rng.random() < 0.002 else 0.0)


@pytest.mark.parametrize("speed", [0.1, 1.0, 20.0])
def test_ten_minutes_drift_by_nothing_at_any_speed_on_a_clock_that_is_always_late(speed):
    seconds = 600.0
    count = round(seconds * speed * RATE)
    marks = np.arange(100.25, count, 977.0)
    tape = Tape(head(np.arange(count), marks, speed=speed)).run(ticks(seconds + 1))
    np.testing.assert_array_equal(tape.rows, np.arange(count))
    np.testing.assert_array_equal(tape.stamps, np.arange(count) / RATE)
    np.testing.assert_allclose(tape.mark_stamps, marks / RATE, rtol=0, atol=1e-9)
    late = tape.when - np.arange(count) / (RATE * speed)
    # as late as the clock is asked, never early, and at the end no later than at the beginning
    assert late.min() > -1e-9
    assert late.max() < 0.025 + 0.010 + 0.4 + 1e-9
    newest = late[np.flatnonzero(np.diff(tape.when))]
    assert newest.max() < 1 / (RATE * speed) + 1e-9
    # a marker goes out with its sample
    beside = tape.when[np.floor(marks).astype(int)]
    assert (np.array(tape.mark_when) - beside).max() <= 0.025 + 0.010 + 0.4 + 1e-9


@settings(max_examples=40)
@given(
    speed=st.sampled_from([0.1, 0.7, 1.0, 4.0, 20.0]),
    steps=st.lists(st.floats(0.001, 3.0), min_size=1, max_size=60),
    marks=st.lists(st.floats(0, 79.99), max_size=6),
)
def test_a_loop_neither_doubles_nor_loses_anything_at_its_seam(speed, steps, marks):
    place = np.r_[0:30, 35:80]
    tape = Tape(head(place, sorted(marks), speed=speed, loop=True)).run(np.cumsum([0, *steps]))
    turns = tape.playhead.turn + 1
    every = (place + 80 * np.arange(turns)[:, None]).ravel()
    np.testing.assert_array_equal(tape.grid(), every[: len(tape.stamps)])
    told = (np.sort(marks) + 80 * np.arange(turns)[:, None]).ravel()
    np.testing.assert_allclose(tape.mark_stamps, told[: len(tape.marks)] / RATE, rtol=0, atol=1e-9)
    reach = sum(steps) * RATE * speed
    assert len(tape.stamps) == np.count_nonzero(every <= reach)
    assert len(tape.marks) == np.count_nonzero(told <= reach)


@settings(max_examples=60)
@given(
    speed=st.sampled_from([0.1, 1.0, 20.0]),
    jumps=st.lists(st.tuples(st.floats(0.02, 1.0), st.integers(-100, 1100)), min_size=1, max_size=8),
)
def test_seeks_leave_a_hole_and_never_go_back_in_time(speed, jumps):
    marks = [100.5, 500.0, 900.0]
    tape, now = Tape(head(marks=marks, speed=speed)), 0.0
    for wait, target in jumps:
        now += wait
        tape.run([now])
        if tape.playhead.ended:
            return
        reached = len(tape.stamps)
        tape.playhead.seek(target, now)
        assert tape.playhead.position == np.clip(target, 0, 1000)
        now += 0.2 / speed
        tape.run([now])
        if len(tape.stamps) > reached > 0:
            assert tape.stamps[reached] - tape.stamps[reached - 1] > 0.1 - 1e-9
            assert tape.rows[reached] == np.clip(target, 0, 999)
    assert (np.diff(tape.grid()) > 0).all()
    assert (np.diff(tape.mark_stamps) > 0).all()
    # a marker still lies where it lay among the samples
    for mark, stamp in zip(tape.marks, tape.mark_stamps, strict=True):
        place = int(np.ceil(marks[mark]))
        beside = tape.stamps[tape.rows == place]
        if beside.size:
            assert np.abs(beside - stamp).min() < 1 / RATE


def test_a_seek_back_sends_the_markers_again_and_a_seek_forward_skips_them():
    tape = Tape(head(marks=[250.0, 500.0, 750.0])).run([1.1])
    tape.playhead.seek(200.0, 1.1)
    tape.run([1.6])
    tape.playhead.seek(600.0, 1.6)
    tape.run([3.5])
    assert tape.marks == [0, 0, 2]


def test_a_pause_is_a_hole_as_long_as_it_lasted():
    tape = Tape(head(marks=[300.0])).run([1.0])
    tape.playhead.pause(True, 1.0)
    tape.run([1.5, 2.0, 3.0])
    assert len(tape.rows) == 251
    assert tape.playhead.position == 250
    tape.playhead.pause(False, 3.0)
    tape.run([3.5])
    np.testing.assert_array_equal(tape.rows, np.arange(376))
    np.testing.assert_array_equal(np.diff(tape.grid()), [1] * 250 + [501] + [1] * 124)
    assert tape.mark_stamps == pytest.approx([3.2])


@given(times=st.lists(st.floats(0.001, 0.1), min_size=2, max_size=40))
def test_pauses_of_any_length_keep_to_the_grid_and_lose_no_sample(times):
    tape, now = Tape(head()), 0.0
    for at, step in enumerate(times):
        tape.playhead.pause(at % 2 == 1, now)
        now += step
        tape.run([now])
    np.testing.assert_array_equal(tape.rows, np.arange(len(tape.rows)))
    assert (np.diff(tape.grid()) > 0).all()


def test_a_seek_while_paused_waits():
    tape = Tape(head()).run([1.0])
    tape.playhead.pause(True, 1.0)
    tape.playhead.seek(800.0, 1.5)
    tape.run([2.0])
    assert tape.playhead.position == 800
    assert len(tape.rows) == 251
    tape.playhead.pause(False, 2.0)
    tape.run([2.3])
    assert tape.rows[251] == 800


def test_markers_around_the_signal_go_out_with_its_first_and_last_sample():
    tape = Tape(head(marks=[-500.0, 10.0, 1200.0])).run(ticks(5.0))
    assert tape.marks == [0, 1, 2]
    np.testing.assert_allclose(tape.mark_stamps, np.array([-500, 10, 1200]) / RATE)
    assert tape.mark_when[0] == 0
    assert tape.mark_when[-1] < 4.1


def test_markers_around_the_signal_are_no_part_of_a_loop():
    tape = Tape(head(marks=[-500.0, 10.0, 1200.0], loop=True)).run(ticks(12.5))
    assert tape.marks == [0, 1, 1, 1, 1]


def test_a_seek_to_the_end_ends_the_pass():
    once, again = Tape(head()).run([1.0]), Tape(head(loop=True)).run([1.0])
    for tape in (once, again):
        tape.playhead.seek(1e9, 1.0)
        tape.run([1.2])
    assert once.playhead.ended
    assert again.playhead.turn == 1
    assert again.rows[251] == 0
