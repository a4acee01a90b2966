"""The source thread: nothing lost on the way, a slow reader gets a hole, the device is always released."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emod_model.errors import SourceError
from emod_rt.acquisition import Acquisition
from emod_rt.limit import Limited
from tests.emod_rt.doubles import ManualClock, ScriptedSource, chunks_of


def ramp(n: int, first: int = 0) -> np.ndarray:
    """A signal whose value is its own sample index."""
    return np.tile(np.arange(first, first + n, dtype=np.float32), (4, 1))


def everything(acquisition: Acquisition) -> list:
    chunks = []
    while (new := acquisition.take(5.0)) is not None:
        chunks += new
    return chunks


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 200), min_size=1, max_size=20), lost=st.integers(0, 50))
def test_every_sample_reaches_the_reader_once_and_in_place(sizes, lost):
    script, at = [], 0
    for turn, size in enumerate(sizes):
        at += lost if turn == 1 else 0
        script.append(chunks_of(ramp(size, at), 64, first=at))
        at += size
    acquisition = Acquisition(ScriptedSource(script), ManualClock())
    acquisition.open(0.0)
    acquisition.start()
    chunks = everything(acquisition)
    acquisition.stop()
    for chunk in chunks:
        np.testing.assert_array_equal(chunk.data[0], chunk.first_index + np.arange(chunk.data.shape[1]))
        np.testing.assert_allclose(chunk.times, chunk.data[0] / 250.0)
    assert sum(chunk.data.shape[1] for chunk in chunks) == sum(sizes)


def test_a_reader_that_was_away_too_long_finds_a_hole_and_the_newest_samples():
    acquisition = Acquisition(ScriptedSource([chunks_of(ramp(1000), 50)]), ManualClock(), ring_s=1.0)
    acquisition.open(0.0)
    acquisition.start()
    acquisition._thread.join()
    chunks = everything(acquisition)
    assert chunks[0].first_index == 750
    assert sum(chunk.data.shape[1] for chunk in chunks) == 250


def test_a_source_that_fails_is_released_and_its_error_kept():
    source = ScriptedSource([chunks_of(ramp(10), 10)], error=SourceError("gone"))
    acquisition = Acquisition(source, ManualClock())
    acquisition.open(0.0)
    acquisition.start()
    assert len(everything(acquisition)) == 1
    acquisition.stop()
    assert str(acquisition.error) == "gone"
    assert source.closed >= 1


def test_a_source_that_cannot_be_opened_is_released():
    class Absent(ScriptedSource):
        def open(self, wait_s):
            raise SourceError("not there")

    source = Absent([])
    with pytest.raises(SourceError, match="not there"):
        Acquisition(source, ManualClock()).open(0.0)
    assert source.closed == 1


def test_no_thread_is_left_after_stop():
    before = set(threading.enumerate())
    acquisition = Acquisition(ScriptedSource([[]] * 100_000), ManualClock())
    acquisition.open(0.0)
    acquisition.start()
    acquisition.stop()
    assert set(threading.enumerate()) == before


def limited(script, duration_s, clock=None):
    source = Limited(ScriptedSource(script), duration_s, clock or ManualClock())
    source.open(0.0)
    chunks = []
    while (new := source.read(0.0)) is not None:
        chunks += new
    return chunks


def test_a_duration_is_counted_in_samples_lost_ones_included():
    assert sum(c.data.shape[1] for c in limited([chunks_of(ramp(1000), 33)], 2.0)) == 500
    holed = limited([chunks_of(ramp(100), 33), chunks_of(ramp(900, 300), 33, first=300)], 2.0)
    assert sum(c.data.shape[1] for c in holed) == 300
    assert holed[-1].first_index + holed[-1].data.shape[1] == 500


def test_a_duration_ends_also_when_the_source_has_gone_quiet():
    clock = ManualClock()

    def quiet():
        clock.time += 1.0
        return []

    chunks = limited([chunks_of(ramp(100), 100), *[quiet] * 50], 2.0, clock)
    assert sum(c.data.shape[1] for c in chunks) == 100
    assert clock.time == pytest.approx(103.0)
