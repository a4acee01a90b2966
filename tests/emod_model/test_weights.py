"""The weights that come with the package."""

from pathlib import Path

import numpy as np
import pytest
import torch

from emod_model.checkpoint import Model, default_checkpoint, load_checkpoint, simulated_checkpoint
from emod_model.metrics import ccc, rmse
from emod_model.training.montages import TEN_TWENTY
from emod_model.training.people import SPLITS, record_people
from emod_model.training.predict import predict


@pytest.fixture(scope="module")
def model() -> Model:
    return load_checkpoint(simulated_checkpoint())


@pytest.fixture(scope="module")
def real() -> Model:
    return load_checkpoint(default_checkpoint())


def test_are_small_enough_to_ship() -> None:
    assert simulated_checkpoint().stat().st_size < 5_000_000
    assert default_checkpoint().stat().st_size < 5_000_000


def test_the_default_says_whose_arousal_it_learned_and_that_its_valence_was_held_against_nobody(
    real: Model,
) -> None:
    assert not real.simulated
    assert real.unvalidated == ("valence",)
    for words in ("28 people", "Zyma et al. 2019", "PhysioNet eegmat 1.0.0", "Attribution License"):
        assert words in real.card
    assert "valence from simulated people alone" in real.card
    assert "Valence: NOT VALIDATED ON PEOPLE" in real.card


def test_the_results_page_states_what_the_default_is_worth_on_validation_people(real: Model) -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    figures = real.info.figures
    for cap in ("19", "Cyton, 8", "Muse-like, 4"):
        accuracy, area = figures[f"{cap}/balanced accuracy"], figures[f"{cap}/AUROC"]
        row = next(line for line in page.splitlines() if line.startswith(f"| {cap}, seed 4 "))
        assert f"{accuracy:.3f}" in row
        assert f"{area:.3f}" in row
        assert f"{accuracy:.2f} / {area:.2f} on {cap}" in real.card


def test_say_that_no_person_is_behind_them(model: Model) -> None:
    assert model.simulated
    assert "simulated" in model.card
    assert "simulated" in model.training_data
    assert model.info.licence


def test_carry_their_figures_beside_those_of_ridge(model: Model) -> None:
    figures = model.info.figures
    for cap in ("10-20, 19", "Cyton, 8", "Muse, 4"):
        for axis in ("valence", "arousal"):
            assert -1 <= figures[f"{cap}/{axis}/emod/ccc"] <= 1
            assert -1 <= figures[f"{cap}/{axis}/ridge/ccc"] <= 1
            assert 0 <= figures[f"{cap}/{axis}/emod/within_1sd"] <= 1
            assert 0 <= figures[f"{cap}/{axis}/emod_smoothed/within_1sd"] <= 1


def test_follow_unseen_simulated_people_better_than_always_the_mean(model: Model) -> None:
    torch.set_num_threads(1)
    # past the seeds that training, validation and the published test used
    seeds = range(SPLITS["test"] + 5000, SPLITS["test"] + 5004)
    takes = record_people(seeds, TEN_TWENTY, 120.0, model.spec, 2.0)
    mean, sd = (
        np.concatenate(side)
        for side in zip(*(predict(model.network, t, model.spec) for t in takes), strict=True)
    )
    truth = np.concatenate([take.target for take in takes])
    for axis in (0, 1):
        assert ccc(mean[:, axis], truth[:, axis]) > 0.05
    assert rmse(mean, truth) < rmse(np.zeros_like(truth), truth)
    assert 0.5 < (np.abs(mean - truth) <= sd).mean() < 0.85


def test_the_results_page_states_the_figures_of_these_weights(model: Model) -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    for key, value in model.info.figures.items():
        cap, axis, estimator, what = key.split("/")
        name = {"emod": "EMOD", "ridge": "ridge on band powers", "emod_smoothed": "EMOD, smoothed"}[estimator]
        row = next(line for line in page.splitlines() if line.startswith(f"| {cap} | {axis} | {name} |"))
        stated = f"{100 * value:.1f} %" if what.startswith("within") else f"{value:.3f}"
        assert stated in row


def test_carry_a_head_for_people_who_are_centred_on_their_rest(model: Model) -> None:
    head = model.info.centred
    assert head is not None
    assert "simulated" in head.trained_on
    assert len(head.scale) == model.info.network.d_model
