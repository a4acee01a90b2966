"""Sinks: JSON lines to the letter; a slow or broken sink never slows the pipeline."""

import json
import threading

import pytest

from emod_model.errors import UsageError
from emod_rt.estimate import Estimate
from emod_rt.sinks.base import Detached
from emod_rt.sinks.jsonl import JsonLines

ESTIMATE = Estimate(1.0, 249, 0.1, 0.2, 0.3, 0.4, None, 5.0)


def test_json_lines_are_there_as_soon_as_they_are_written_and_end_with_the_summary(tmp_path):
    path = tmp_path / "out.jsonl"
    sink = JsonLines(str(path))
    sink.push(ESTIMATE)
    assert json.loads(path.read_text()) == ESTIMATE.to_json()
    sink.close({"summary": {"samples": 1}})
    assert [json.loads(line) for line in path.read_text().splitlines()][-1] == {"summary": {"samples": 1}}


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere/out\.jsonl"):
        JsonLines(str(tmp_path / "nowhere" / "out.jsonl"))


class Stuck:
    name = "stuck"

    def __init__(self):
        self.go = threading.Event()
        self.got = 0

    def push(self, estimate):
        self.go.wait(20)
        self.got += 1

    def close(self, summary):
        pass


def test_a_stuck_sink_costs_the_pipeline_nothing_and_what_it_missed_is_counted():
    stuck = Stuck()
    detached = Detached(stuck)
    for _ in range(5000):
        detached.push(ESTIMATE)
    assert detached.dropped >= 5000 - 2049
    stuck.go.set()
    detached.close({}, timeout_s=20)
    assert stuck.got + detached.dropped == 5000


def test_a_broken_sink_is_left_alone_and_says_why():
    class Broken(Stuck):
        def push(self, estimate):
            raise OSError(28, "No space left on device")

    detached = Detached(Broken())
    for _ in range(10):
        detached.push(ESTIMATE)
    detached.close({}, timeout_s=20)
    assert detached.broken == "stuck is broken: No space left on device"


def test_whatever_a_sink_raises_it_is_said():
    class Odd(Stuck):
        def push(self, estimate):
            raise RuntimeError("outlet gone")

    detached = Detached(Odd())
    detached.push(ESTIMATE)
    detached.close({}, timeout_s=20)
    assert detached.broken == "stuck is broken: outlet gone"


def test_a_sink_that_does_not_finish_is_said():
    stuck = Stuck()
    detached = Detached(stuck)
    detached.push(ESTIMATE)
    detached.close({}, timeout_s=0.05)
    assert detached.broken == "stuck did not finish within 0.05 s"
    stuck.go.set()
    detached._thread.join()


def test_a_sink_that_breaks_at_its_very_end_is_said_at_once():
    class Full(Stuck):
        def close(self, summary):
            raise OSError(28, "No space left on device")

    sink = Full()
    sink.go.set()
    detached = Detached(sink)
    detached.push(ESTIMATE)
    detached.close({}, timeout_s=20)
    assert detached.broken == "stuck is broken: No space left on device"
    assert not detached._thread.is_alive(), "nothing waits for the time-out"


def test_earlier_json_lines_are_replaced_and_any_other_file_is_left_alone(tmp_path):
    lines, recording = tmp_path / "e.jsonl", tmp_path / "s.xdf"
    lines.write_text('{"t": 1.0}\n{"summary": {}}\n')
    recording.write_bytes(b"XDF:what a person sat an hour for")
    JsonLines(str(lines)).close({"summary": {"samples": 1}})
    assert lines.read_text() == '{"summary": {"samples": 1}}\n'
    with pytest.raises(UsageError, match=r"s\.xdf is there already, holds no JSON lines"):
        JsonLines(str(recording))
    assert recording.read_bytes() == b"XDF:what a person sat an hour for"
