"""A simulated person as a source."""

import threading

import numpy as np
import pytest

from emod_model.errors import UsageError
from emod_model.montage import CYTON
from emod_rt.sources.sim import SFREQ, SimSource


class HandClock:
    """Time that only passes when someone waits."""

    def __init__(self):
        self.time = 100.0

    def now(self):
        return self.time

    def wait(self, seconds, stop):
        self.time += max(seconds, 0.0)
        return stop.is_set()


def read_all(source, reads, timeout=0.05):
    return [chunk for _ in range(reads) for chunk in source.read(timeout)]


def test_it_says_that_no_person_stands_behind_it():
    info = SimSource(3, clock=HandClock()).open(0.0)
    assert (info.name, info.sfreq, info.channels, info.simulated) == ("sim:3", 250.0, CYTON, True)


def test_samples_come_as_time_passes_and_carry_its_stamps():
    clock = HandClock()
    source = SimSource(3, clock=clock)
    source.open(0.0)
    chunks = read_all(source, 60)
    total = chunks[-1].first_index + chunks[-1].times.size
    assert total == round((clock.time - 100.0) * SFREQ)
    times = np.concatenate([c.times for c in chunks])
    np.testing.assert_allclose(times, 100.0 + np.arange(total) / SFREQ, rtol=0, atol=1e-9)
    assert all(c.arrival >= c.times[-1] for c in chunks)
    assert source.read(0.0) == []


def test_the_signal_does_not_depend_on_pace_or_chunks():
    paced, quick = (
        SimSource(5, ["Fz", "cz"], HandClock()),
        SimSource(5, ["Fz", "Cz"], HandClock(), paced=False),
    )
    assert paced.open(0.0).channels == quick.open(0.0).channels == ("Fz", "Cz")
    a = np.concatenate([c.data for c in read_all(paced, 70)], axis=1)
    b = np.concatenate([c.data for c in read_all(quick, 3)], axis=1)
    n = min(a.shape[1], b.shape[1])
    assert n >= 500
    np.testing.assert_array_equal(a[:, :n], b[:, :n])
    assert a.dtype == np.float32


def test_a_machine_that_slept_gets_its_samples_in_bounded_chunks():
    clock = HandClock()
    source = SimSource(1, clock=clock)
    source.open(0.0)
    clock.wait(10.0, threading.Event())
    chunks = read_all(source, 12)
    assert max(c.times.size for c in chunks) <= 250
    assert sum(c.times.size for c in chunks) >= 2500


def test_unknown_electrodes_are_refused():
    with pytest.raises(UsageError, match="Xz"):
        SimSource(1, ["Fz", "Xz"]).open(0.0)
