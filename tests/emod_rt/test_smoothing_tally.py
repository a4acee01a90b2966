"""Causal smoothing and the counters of a run."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from emod_model.smoothing import Smoother
from emod_rt.estimate import Estimate
from emod_rt.tally import Tally
from tests.conftest import ROOT


def test_a_step_has_come_through_to_63_percent_after_the_time_constant():
    smoother = Smoother(time_constant_s=4.0)
    smoother.update(0.0, np.zeros(2), np.ones(2))
    for k in range(1, 9):
        mean, _ = smoother.update(k * 0.5, np.ones(2), np.ones(2))
    assert mean[0] == pytest.approx(1 - math.exp(-1))


def test_after_a_long_silence_the_old_value_weighs_nothing():
    smoother = Smoother()
    smoother.update(0.0, np.array([-1.0, -1.0]), np.ones(2))
    mean, _ = smoother.update(600.0, np.array([0.5, 0.2]), np.ones(2))
    np.testing.assert_allclose(mean, [0.5, 0.2])


def test_averaging_overlapping_windows_promises_no_more_precision():
    smoother = Smoother()
    for k in range(100):
        _, sd = smoother.update(k * 0.5, np.zeros(2), np.array([0.3, 0.2]))
    np.testing.assert_allclose(sd, [0.3, 0.2])


def test_a_json_line_is_the_contract_to_the_letter():
    line = Estimate(12.5, 749, 0.1, -0.25, 0.3, 0.2, None, 8.0).to_json()
    assert list(line) == [
        "t", "index", "valence", "arousal", "valence_sd", "arousal_sd", "valid", "reason", "latency_ms",
    ]  # fmt: skip
    assert json.loads(json.dumps(line))["valid"] is True
    empty = Estimate(12.5, 749, None, None, None, None, "gap", 8.0).to_json()
    assert (empty["valence"], empty["valid"], empty["reason"]) == (None, False, "gap")


def test_the_summary_counts_samples_holes_windows_and_latency():
    tally = Tally()
    tally.take(0, 100)
    tally.take(136, 64)
    for latency in range(1, 101):
        tally.count(Estimate(0, 0, 0.0, 0.0, 0.1, 0.1, None, float(latency)))
    summary = tally.summary()["summary"]
    assert list(summary) == ["samples", "lost", "gaps", "windows", "valid", "skipped", "latency_ms"]
    assert summary["samples"] == 164
    assert summary["lost"] == 36
    assert summary["gaps"] == [[100, 36]]
    assert summary["latency_ms"] == {"p50": 50.5, "p99": 99.01}


def test_a_run_without_a_window_has_a_summary_too():
    assert Tally().summary()["summary"]["latency_ms"] == {"p50": None, "p99": None}


def a_day_and_a_half(tally):
    """Two windows a second, each behind a lost sample."""
    for step in range(250_000):
        tally.take(3 * step, 2)
        tally.count(Estimate(0, 0, 0.0, 0.0, 0.1, 0.1, None, float(step)))


def test_a_tally_keeps_the_newest():
    tally = Tally()
    a_day_and_a_half(tally)
    assert (tally.windows, tally.lost, len(tally.gaps)) == (250_000, 249_999, 200_000)
    assert (tally.gaps[0], tally.gaps[-1]) == ((3 * 49_999 + 2, 1), (3 * 249_998 + 2, 1))
    assert tally.latency_ms() == (149_999.5, pytest.approx(247_999.01))
    assert tally.latency_ms(newest=3) == (249_998.0, pytest.approx(249_998.98))


GROWN = """
import tracemalloc
from emod_rt.tally import Tally
from tests.emod_rt.test_smoothing_tally import a_day_and_a_half
tracemalloc.start()
tally = Tally()
before = tracemalloc.get_traced_memory()[0]
a_day_and_a_half(tally)
print(tracemalloc.get_traced_memory()[0] - before)
"""


def test_a_tally_takes_its_memory_at_the_start():
    # in a process of its own: what other tests left running takes memory, too
    grown = subprocess.check_output([sys.executable, "-c", GROWN], cwd=ROOT, text=True, timeout=240)
    assert int(grown) < 2000
