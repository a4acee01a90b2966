"""The pipeline: same samples, same estimates; holes said; too slow means skipped and counted."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emod_rt.pipeline import Pipeline
from emod_rt.sources.base import Chunk, StreamInfo
from tests.emod_rt.doubles import CHANNELS, ManualClock, MeanEngine, chunks_of, eeg

INFO = StreamInfo("test", 250.0, CHANNELS)


def run(chunks, engine=None, clock=None, **options):
    clock = clock or ManualClock()
    pipeline = Pipeline(engine or MeanEngine(), INFO, clock, **options)
    return list(pipeline.push(chunks)), pipeline.tally


def without_latency(estimates):
    return [dataclasses.replace(estimate, latency_ms=0.0) for estimate in estimates]


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(1, 900), min_size=1, max_size=30), lost=st.sampled_from([0, 1, 36, 700]))
def test_estimates_do_not_depend_on_how_the_samples_were_chunked(sizes, lost):
    data = eeg(4000)
    first, second = data[:, :1500], data[:, 1500 + lost :]
    whole, tally = run(chunks_of(first, 10_000) + chunks_of(second, 10_000, first=1500 + lost))
    cut = []
    for part, at in ((first, 0), (second, 1500 + lost)):
        done, turn = 0, 0
        while done < part.shape[1]:
            size = sizes[turn % len(sizes)]
            cut += chunks_of(part[:, done : done + size], size, first=at + done)
            done, turn = done + size, turn + 1
    again, tally_again = run(cut)
    assert without_latency(again) == without_latency(whole)
    assert tally_again.lost == tally.lost == lost
    assert list(tally.gaps) == ([(1500, lost)] if lost else [])


def test_windows_end_on_a_fixed_grid_and_say_why_they_carry_no_number():
    lost = 36
    data = eeg(5000)
    estimates, tally = run(
        chunks_of(data[:, :2000], 50) + chunks_of(data[:, 2000 + lost :], 50, first=2000 + lost)
    )
    assert [e.index for e in estimates] == [125 * (k + 1) - 1 for k in range(len(estimates))]
    reasons = {e.index + 1: e.reason for e in estimates}
    assert reasons[1125 - 125] == "settling", "4 s: the window is full but holds the filter's transient"
    assert reasons[1125] is None, "4.5 s: 3 s of window after 1.5 s of settling"
    assert reasons[2125] == "gap"
    assert reasons[2875] == "settling", "the filter started anew after the hole"
    assert reasons[3250] is None
    assert all(e.valence is None and e.arousal_sd is None for e in estimates if not e.valid)
    assert tally.windows == len(estimates)
    assert tally.valid == sum(e.valid for e in estimates)


def test_a_sample_missing_on_every_channel_is_a_lost_sample():
    data = eeg(2000)
    data[:, 700:705] = np.nan
    _, tally = run(chunks_of(data, 64))
    assert (tally.samples, tally.lost, list(tally.gaps)) == (1995, 5, [(700, 5)])


def test_a_channel_that_is_dead_is_left_out_of_the_window_not_invented():
    data = eeg(2000)
    data[2] = 0.0
    engine = MeanEngine()
    estimates, _ = run(chunks_of(data, 64), engine)
    assert estimates[-1].valid
    assert set(engine.calls) == {("Fp1", "Fp2", "C4")}


def test_too_few_good_channels_make_a_bad_signal_and_no_number():
    data = np.zeros((4, 2000), np.float32)
    estimates, _ = run(chunks_of(data, 64))
    assert estimates[-1].reason == "bad-signal"
    assert estimates[-1].valence is None


def test_a_pipeline_that_is_too_slow_skips_to_the_newest_window_and_counts():
    clock = ManualClock()
    engine = MeanEngine(clock, cost_s=0.9)
    pipeline = Pipeline(engine, INFO, clock, late_s=1.0)
    data = eeg(10_000)
    got = list(pipeline.push(chunks_of(data, 125, arrival=clock.now())))
    assert got[-1].index == 9_999, "the newest window is always worked on"
    assert pipeline.tally.skipped > 50
    assert pipeline.tally.skipped + len(got) == 80


def test_a_backlog_from_the_network_is_not_worked_off_as_if_it_were_new():
    clock = ManualClock()
    pipeline = Pipeline(MeanEngine(), INFO, clock, late_s=1.0)
    data = eeg(12_500)
    for chunk in chunks_of(data[:, :2500], 125):
        clock.time = 100.0 + (chunk.first_index + 125) / 250
        list(pipeline.push([dataclasses.replace(chunk, arrival=clock.time)]))
    clock.time = 100.0 + 12_500 / 250
    held_up = chunks_of(data[:, 2500:], 125, first=2500, arrival=clock.time)
    got = list(pipeline.push(held_up))
    assert pipeline.tally.skipped > 70
    assert got[-1].index == 12_499
    assert all(estimate.t > 46 for estimate in got), "nothing older than some seconds is shown"


def live(pipeline, clock, chunks, lag=0.0):
    """Push each chunk as its last sample comes in, on a clock that goes `lag` s slower each sample second."""
    got = []
    for chunk in chunks:
        clock.time = 100.0 + (1 + lag) * (chunk.times[-1] + 1 / 250)
        got += pipeline.push([dataclasses.replace(chunk, arrival=clock.time)])
    return got


def test_a_hole_of_many_seconds_is_told_window_by_window_and_nothing_of_it_counts_as_skipped():
    clock = ManualClock()
    pipeline = Pipeline(MeanEngine(), INFO, clock, late_s=1.0)
    data = eeg(2500)
    got = live(pipeline, clock, [*chunks_of(data, 25), *chunks_of(data, 25, first=7500)])
    assert [e.index for e in got] == [125 * (k + 1) - 1 for k in range(80)]
    assert {e.reason for e in got if 2500 <= e.index < 7500} == {"gap"}
    assert pipeline.tally.skipped == 0


def test_a_device_whose_clock_drifts_through_the_day_is_never_taken_for_one_that_is_behind():
    clock = ManualClock()
    pipeline = Pipeline(MeanEngine(), INFO, clock, late_s=1.0)
    data = eeg(2500)
    hours = [chunk for hour in range(24) for chunk in chunks_of(data, 250, first=900_000 * hour)]
    live(pipeline, clock, hours, lag=50e-6)
    assert clock.time - 100 - hours[-1].times[-1] > 4, "behind by more than what makes a backlog"
    got = list(
        pipeline.push(
            chunks_of(data[:, :250], 250, first=hours[-1].first_index + 250, arrival=clock.time + 1)
        )
    )
    assert len(got) == 2
    assert pipeline.tally.skipped == 0


def test_offline_nothing_is_ever_skipped():
    clock = ManualClock()
    _, tally = run(chunks_of(eeg(10_000), 125), MeanEngine(clock, cost_s=0.9), clock)
    assert tally.skipped == 0
    assert tally.windows == 80


def test_latency_is_publication_minus_arrival_of_the_last_sample():
    clock = ManualClock()
    estimates, _ = run(chunks_of(eeg(2000), 2000, arrival=clock.now()), MeanEngine(clock, 0.01), clock)
    assert [e.latency_ms for e in estimates if e.valid] == pytest.approx([10 * (k + 1) for k in range(8)])


def test_the_time_of_a_window_is_the_time_of_its_last_sample_also_when_that_was_lost():
    data = eeg(1000)
    late = Chunk(510, data[:, 510:], 7.0 + np.arange(510, 1000) / 250.0, 0.0)
    estimates, _ = run([Chunk(0, data[:, :490], 7.0 + np.arange(490) / 250.0, 0.0), late])
    times = {e.index: e.t for e in estimates}
    assert times[499] == pytest.approx(7.0 + 499 / 250.0)
    assert times[624] == pytest.approx(7.0 + 624 / 250.0)


def test_a_stall_is_the_next_window_without_a_number_and_told_once():
    pipeline = Pipeline(MeanEngine(), INFO, ManualClock())
    data = eeg(4000)
    before = list(pipeline.push(chunks_of(data[:, :2010], 64)))
    stalled = pipeline.stalled(now=12.0, last_arrival=11.2)
    assert (stalled.reason, stalled.valence, stalled.index) == ("stalled", None, 2124)
    assert stalled.t == pytest.approx(2124 / 250)
    assert stalled.latency_ms == pytest.approx(800)
    after = list(pipeline.push(chunks_of(data[:, 2010:], 64, first=2010)))
    assert [e.index for e in [*before, stalled, *after]] == [125 * (k + 1) - 1 for k in range(32)]
    assert pipeline.tally.summary()["summary"]["windows"] == 32


def test_samples_that_come_late_after_a_stall_leave_later_estimates_as_they_would_have_been():
    data = eeg(4000)
    plain, _ = run(chunks_of(data, 64))
    pipeline = Pipeline(MeanEngine(), INFO, ManualClock())
    list(pipeline.push(chunks_of(data[:, :2010], 64)))
    pipeline.stalled(now=12.0, last_arrival=11.2)
    after = list(pipeline.push(chunks_of(data[:, 2010:], 64, first=2010)))
    assert without_latency(after) == without_latency(plain)[-len(after) :]
