"""The ring buffer: absolute indices, holes with a known place, windows as contiguous views."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emod_model.signal.ring import RingBuffer

# each step: samples lost before the chunk, samples in the chunk; a reconnect is a loss longer than the ring
steps = st.lists(st.tuples(st.sampled_from([0, 0, 0, 1, 5, 36, 500]), st.integers(0, 90)), max_size=40)


def ramp(first: int, count: int, channels: int = 2) -> np.ndarray:
    """A signal whose value is its own sample index, sign flipped on the second channel."""
    index = np.arange(first, first + count, dtype=np.float64)
    return np.stack([index, -index])[:channels]


@given(steps=steps, capacity=st.integers(1, 64), start=st.integers(0, 1000))
def test_whatever_the_chunks_and_losses_every_sample_is_where_its_index_says(steps, capacity, start):
    ring = RingBuffer(2, capacity, np.float64)
    truth: dict[int, float] = {}
    at = start
    for lost, count in steps:
        at += lost if truth else 0
        ring.write(at, ramp(at, count))
        truth.update((i, float(i)) for i in range(at, at + count))
        at += count
        window = ring.view(ring.start, ring.end - ring.start)
        expected = [truth.get(i, np.nan) for i in range(ring.start, ring.end)]
        np.testing.assert_array_equal(window[0], expected)
        np.testing.assert_array_equal(window[1], -np.asarray(expected))
        lost_here = {i for first, n in ring.holes(ring.start, ring.end) for i in range(first, first + n)}
        assert lost_here == {i for i in range(ring.start, ring.end) if i not in truth}


def test_a_window_is_one_contiguous_view_of_the_buffer_also_across_the_wrap():
    ring = RingBuffer(1, 8, np.float64)
    ring.write(0, ramp(0, 13, 1))
    window = ring.view(6, 7)
    assert window.base is not None
    assert window[0].flags.c_contiguous
    np.testing.assert_array_equal(window[0], np.arange(6, 13))


def test_indices_stay_exact_after_days_of_samples():
    ring = RingBuffer(1, 16, np.float64)
    days = 3 * 24 * 3600 * 16_384
    ring.write(days, ramp(days, 10, 1))
    assert ring.view(days + 4, 1)[0, 0] == days + 4


def test_a_sample_is_never_written_twice():
    ring = RingBuffer(1, 8)
    ring.write(0, ramp(0, 4, 1))
    with pytest.raises(ValueError, match="sample 3 was written already, the ring ends at 4"):
        ring.write(3, ramp(3, 2, 1))


@pytest.mark.parametrize(("first", "count"), [(0, 1), (5, 9), (12, 2)])
def test_samples_that_are_gone_or_not_yet_here_are_refused(first, count):
    ring = RingBuffer(1, 8)
    ring.write(0, ramp(0, 13, 1))
    with pytest.raises(IndexError, match="not in the ring, which holds 5 to 13"):
        ring.view(first, count)


def test_a_chunk_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="the ring has 2 channels"):
        RingBuffer(2, 8).write(0, ramp(0, 4, 1))
