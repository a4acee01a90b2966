"""A session: threads end, stalls are said, errors reach the caller, a picture at any moment."""

import dataclasses
import json
import threading
import time

import numpy as np
import pytest
import pyxdf

from emod_model.errors import ModelError, SourceError, UsageError
from emod_rt.session import Session
from tests.emod_rt.doubles import ManualClock, ScriptedMarkers, ScriptedSource, chunks_of, eeg


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    before = set(threading.enumerate())
    yield
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not left, f"threads left running: {left}"


def script(n=3000, size=50):
    return [[chunk] for chunk in chunks_of(eeg(n), size)]


def test_a_notebook_iterates_over_estimates_until_the_source_ends(untrained):
    with Session(ScriptedSource(script()), untrained, clock=ManualClock()) as session:
        estimates = list(session)
    assert [e.index for e in estimates] == [125 * (k + 1) - 1 for k in range(24)]
    assert estimates[-1].valid
    assert session.summary()["summary"]["samples"] == 3000
    view = session.view()
    assert (view.state, view.samples, view.windows) == ("ended", 3000, 24)
    assert view.model_simulated
    assert view.traces.shape == (4, 1250)
    assert view.band_power_db is not None
    assert np.isfinite(view.band_power_db).all()


def test_leaving_the_block_ends_every_thread_and_releases_the_source(untrained):
    source = ScriptedSource([*script(), *[[]] * 1_000_000])
    with Session(source, untrained, clock=ManualClock()) as session:
        next(iter(session))
    assert source.closed >= 1


def test_a_source_that_goes_quiet_is_said_once_and_its_return_is_settled_anew(untrained):
    clock = ManualClock()

    def silence():
        clock.time += 0.05
        return []

    def until_said():
        deadline = time.monotonic() + 20
        while session.view().state != "stalled" and time.monotonic() < deadline:
            threading.Event().wait(0.002)
        return []

    def stamped(step):
        return lambda: [dataclasses.replace(chunk, arrival=clock.now()) for chunk in step]

    later = [[chunk] for chunk in chunks_of(eeg(1500, first=4000), 50, first=4000)]
    steps = [stamped(s) for s in script(2000)] + [silence] * 19 + [until_said] + [stamped(s) for s in later]
    session = Session(ScriptedSource(steps), untrained, clock=clock)
    with session:
        estimates = list(session)
    stalls = [e for e in estimates if e.reason == "stalled"]
    assert len(stalls) == 1
    assert stalls[0].valence is None
    assert stalls[0].latency_ms <= 1000
    after = [e.reason for e in estimates if e.index >= 4000]
    assert after[:3] == ["gap", "gap", "gap"]
    assert "settling" in after
    assert after[-1] is None
    assert session.summary()["summary"]["gaps"] == [[2000, 2000]]


def test_a_source_that_is_lost_reaches_the_reader_as_its_error_after_the_last_estimate(untrained):
    source = ScriptedSource(script(), error=SourceError("The headset is gone; switch it on."))
    with Session(source, untrained, clock=ManualClock()) as session:
        got = []
        with pytest.raises(SourceError, match="The headset is gone"):
            got.extend(session)
    assert len(got) == 24
    assert session.view().state == "failed"
    assert session.view().message == "The headset is gone; switch it on."


def test_a_rate_that_cannot_carry_the_models_band_is_refused_and_the_source_released(untrained):
    source = ScriptedSource([], sfreq=64.0)
    session = Session(source, untrained, clock=ManualClock())
    with pytest.raises(ModelError, match="64"):
        session.start()
    assert source.closed >= 1
    assert session.view().state == "failed"


def test_json_lines_and_recording_hold_what_the_reader_saw(tmp_path, untrained):
    lines, recording = tmp_path / "e.jsonl", tmp_path / "s.xdf"
    with Session(
        ScriptedSource(script()),
        untrained,
        clock=ManualClock(),
        jsonl=str(lines),
        record=recording,
        markers=ScriptedMarkers(),
    ) as session:
        estimates = list(session)
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    assert written[:-1] == [e.to_json() for e in estimates]
    assert written[-1] == session.summary()
    assert recording.stat().st_size > 3000 * 4 * 4
    assert session.sink_notes() == []


def test_whatever_a_driver_raises_is_an_error_and_not_a_clean_end(untrained):
    source = ScriptedSource(script(), error=RuntimeError("board exploded"))
    with (
        Session(source, untrained, clock=ManualClock()) as session,
        pytest.raises(SourceError, match="exploded"),
    ):
        list(session)
    assert session.view().state == "failed"


def test_an_output_that_cannot_be_opened_leaves_no_recording_behind(untrained, tmp_path):
    session = Session(
        ScriptedSource(script()),
        untrained,
        clock=ManualClock(),
        jsonl=str(tmp_path / "nowhere" / "x"),
        record=tmp_path / "s.xdf",
        markers=ScriptedMarkers(),
    )
    with pytest.raises(UsageError):
        session.start()
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_cannot_be_made_leaves_the_json_lines_of_an_earlier_run(untrained, tmp_path):
    lines, recording = tmp_path / "e.jsonl", tmp_path / "s.xdf"
    lines.write_text('{"t": 1.0}\n')
    recording.write_bytes(b"XDF:")
    session = Session(
        ScriptedSource(script()),
        untrained,
        clock=ManualClock(),
        jsonl=str(lines),
        record=recording,
        markers=ScriptedMarkers(),
    )
    with pytest.raises(UsageError, match="is there already"):
        session.start()
    assert (lines.read_text(), recording.read_bytes()) == ('{"t": 1.0}\n', b"XDF:")


def test_what_was_read_before_the_end_is_worked_on_and_recorded_alike(untrained, tmp_path):
    with Session(
        ScriptedSource([*script(), *[[]] * 1_000_000]),
        untrained,
        clock=ManualClock(),
        record=tmp_path / "s.xdf",
        markers=ScriptedMarkers(),
    ) as session:
        next(iter(session))
    streams, _ = pyxdf.load_xdf(str(tmp_path / "s.xdf"), dejitter_timestamps=False)
    (eeg_stream,) = [s for s in streams if s["info"]["type"] == ["EEG"]]
    assert len(eeg_stream["time_stamps"]) == session.summary()["summary"]["samples"]


def test_the_end_is_the_end_however_often_it_is_asked_for(untrained):
    with Session(ScriptedSource(script()), untrained, clock=ManualClock()) as session:
        assert len(list(session)) == 24
    assert list(session) == []
    with pytest.raises(UsageError, match="started once"):
        session.start()


def test_a_session_that_has_not_begun_says_so_instead_of_waiting_for_ever(untrained):
    with pytest.raises(UsageError, match="has not begun"):
        next(iter(Session(ScriptedSource(script()), untrained)))


@pytest.mark.parametrize(
    "wrong", [{"hop_s": float("nan")}, {"duration_s": -1.0}, {"wait_s": -1.0}, {"channels": "Fp1,,C3"}]
)
def test_what_a_notebook_asks_for_is_checked_as_on_the_command_line(untrained, wrong):
    with pytest.raises(UsageError):
        Session("sim:1", untrained, **wrong)
