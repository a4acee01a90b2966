"""Metrics against their plain definitions."""

import math

import numpy as np
import pytest

from emod_model.metrics import bootstrap_ci, ccc, coverage, rmse


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=200)
    return 0.6 * truth + 0.3 + rng.normal(size=200), truth


def test_ccc_is_lins_definition(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = (side.tolist() for side in pair)
    n = len(x)
    mean_x, mean_y = sum(x) / n, sum(y) / n
    var_x = sum((a - mean_x) ** 2 for a in x) / n
    var_y = sum((b - mean_y) ** 2 for b in y) / n
    cov = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / n
    assert ccc(x, y) == pytest.approx(2 * cov / (var_x + var_y + (mean_x - mean_y) ** 2))


def test_ccc_is_one_for_agreement_and_minus_one_for_its_mirror() -> None:
    y = np.linspace(-1, 1, 11)
    assert ccc(y, y) == pytest.approx(1)
    assert ccc(-y, y) == pytest.approx(-1)


def test_ccc_falls_with_scale_and_offset_where_correlation_does_not() -> None:
    y = np.linspace(-1, 1, 11)
    assert ccc(0.5 * y, y) == pytest.approx(0.8)
    assert ccc(y + 1, y) < 0.5


@pytest.mark.parametrize("truth", [[0.2, -0.1, 0.5], [0.3, 0.3, 0.3]])
def test_ccc_of_always_the_same_is_zero(truth: list[float]) -> None:
    assert ccc([np.mean(truth)] * 3, truth) == pytest.approx(0)


def test_rmse_is_its_definition(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pair
    assert rmse(x, y) == pytest.approx(
        math.sqrt(sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / len(x))
    )


def test_coverage_counts_truths_within_the_interval() -> None:
    assert coverage([0, 0, 0, 0], [1, 1, 1, 1], [0.5, -1.0, 1.5, 3.0], 1.0) == 0.5
    assert coverage([0, 0, 0, 0], [1, 1, 1, 1], [0.5, -1.0, 1.5, 3.0], 2.0) == 0.75


def test_bootstrap_interval_holds_the_mean_of_a_normal_sample_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for trial in range(100):
        low, high = bootstrap_ci(rng.normal(2.0, 1.0, 40), draws=300, seed=trial)
        assert low < high
        held += low <= 2.0 <= high
    assert 85 <= held <= 100


def test_bootstrap_is_the_same_for_the_same_seed() -> None:
    values = np.random.default_rng(1).normal(size=30)
    assert bootstrap_ci(values, seed=4) == bootstrap_ci(values, seed=4)
    assert bootstrap_ci(values, seed=4) != bootstrap_ci(values, seed=5)
