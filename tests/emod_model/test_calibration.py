"""Calibration: judged where it has not looked, and never better than it is."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from emod_model.calibration import choose
from emod_model.calibration.centre import Centre, Recentring
from emod_model.calibration.choose import CANDIDATES, RICH_TRIALS, simplest
from emod_model.calibration.design import Session
from emod_model.calibration.fit import DRAWS, Calibration, calibrate, predict
from emod_model.calibration.folds import Folds
from emod_model.calibration.head import CentredHead
from emod_model.calibration.interval import Level, pool
from emod_model.calibration.judge import judge, shuffles
from emod_model.calibration.personal import Personal
from emod_model.calibration.profile import Profile
from emod_model.calibration.reading import FUSED, Reading, leave_out, read
from emod_model.checkpoint import Model, load_checkpoint, simulated_checkpoint
from emod_model.errors import ModelError, UsageError
from emod_model.signal.windows import Window, condition_recording
from emod_model.simulate import SimulatedPerson
from emod_model.training.centred import fit_head
from emod_model.training.sessions import Plan, points_and_ratings, sit_through

Array = npt.NDArray[np.float64]
WIDTH = 6
CHANNELS = ("Fp1", "Fp2", "C3", "C4")
HEAD = CentredHead(
    scale=(1.0,) * WIDTH,
    band_scale_db=(1.0,) * 5,
    weights=((0.6, 0.0), (0.0, 0.6), *((0.0, 0.0),) * (WIDTH - 2)),
    residuals=(tuple(np.linspace(0, 1, 19)), tuple(np.linspace(0, 1, 19))),
    trained_on="made up",
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model() -> Model:
    return load_checkpoint(simulated_checkpoint())


def reading(
    rng: np.random.Generator, truth: Array, start: float, offset: Array, noise: float = 1.0
) -> Reading:
    """Windows half a second apart whose fused view holds the truth beside a person's own offset."""
    n = len(truth)
    views = rng.normal(0, noise, (n, 5, WIDTH)) + offset
    views[:, FUSED, :2] += 1.5 * truth
    band = rng.normal(0, noise, (n, len(CHANNELS), 5))
    return Reading(CHANNELS, start + 0.5 * np.arange(n), views, band, np.zeros((n, 2)))


def session(seed: int, n: int = 8, worth: float = 1.0) -> Session:
    """A person whose signal follows the ratings `worth` times as much as the population's does."""
    rng = np.random.default_rng(seed)
    offset = rng.normal(0, 3, (5, WIDTH))
    signs = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    ratings = signs[np.arange(n) % 4] * rng.uniform(0.25, 1.0, (n, 2))
    trials = [
        reading(rng, np.broadcast_to(worth * rating, (60, 2)), 100.0 + 60 * k, offset)
        for k, rating in enumerate(ratings)
    ]
    rest = reading(rng, np.zeros((100, 2)), 0.0, offset)
    other = reading(rng, np.zeros((40, 2)), 700.0, offset)
    return Session(rest, tuple(trials), ratings, other)


def fitted(seed: int, **changes: float) -> Calibration:
    return calibrate(session(seed, **changes), HEAD, draws=59, rich=False)


# What it is worth


def test_a_person_whose_signal_follows_the_ratings_is_read_better_than_by_their_mean() -> None:
    verdicts = fitted(1).judged.verdicts
    assert [verdict.word for verdict in verdicts] == ["better", "better"]
    assert all(v.rmse < v.mean_rmse and v.ccc > 0.5 and v.gain_ci[0] > 0 for v in verdicts)


def test_shuffled_ratings_are_called_better_in_no_more_than_one_in_twenty() -> None:
    claims = 0
    people = 40
    for seed in range(people):
        person = session(seed, worth=0.0)
        verdicts = calibrate(person, HEAD, draws=39, rich=False).judged.verdicts
        claims += any(verdict.word == "better" for verdict in verdicts)
    # more than 5 of 40 would have a chance of 1.4 % if the true share were 5 %
    assert claims <= 5


def test_a_signal_that_runs_against_the_ratings_is_never_called_better_by_rest_alone() -> None:
    rating = session(3).ratings
    draws = rating[shuffles(8, 59)]
    verdicts = judge(np.broadcast_to(-rating, draws.shape), draws, np.zeros((8, 2)))
    assert [verdict.word for verdict in verdicts] == ["worse", "worse"]


def test_a_reading_that_is_the_mean_itself_is_not_shown_to_be_better_and_not_worse() -> None:
    ratings = session(3).ratings
    draws = ratings[shuffles(8, 59)]
    for off in (0.0, 1e-15, -1e-15):
        mean = np.broadcast_to(ratings.mean(0) + off, draws.shape)
        verdicts = judge(mean, draws, np.zeros((8, 2)))
        assert [verdict.word for verdict in verdicts] == ["not shown to be better"] * 2


def test_a_trial_never_takes_part_in_its_own_estimate() -> None:
    person = session(4)
    first = calibrate(person, HEAD, draws=0, rich=True)
    ratings = person.ratings.copy()
    ratings[2] = -ratings[2]
    second = calibrate(Session(person.rest, person.trials, ratings, person.other), HEAD, draws=0, rich=True)
    assert np.array_equal(first.judged.estimates[2], second.judged.estimates[2])
    assert not np.array_equal(first.judged.estimates[3], second.judged.estimates[3])
    assert np.array_equal(first.judged.traces[2], second.judged.traces[2])


def test_every_candidate_is_told_of() -> None:
    assert tuple(calibrate(session(5), HEAD, draws=0).judged.rmse) == CANDIDATES


def test_with_very_many_trials_the_adapters_are_left_out() -> None:
    calibration = calibrate(session(5, n=RICH_TRIALS + 1), HEAD, draws=0)
    assert tuple(calibration.judged.rmse) == CANDIDATES[:-2]


def test_the_adapters_say_the_same_whether_shufflings_are_fitted_at_once_or_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = session(6, n=4)
    whole = calibrate(person, HEAD, draws=3)
    monkeypatch.setattr(choose, "_MOST_PAIRS", 1)
    parts = calibrate(person, HEAD, draws=3)
    assert np.allclose(whole.judged.estimates, parts.judged.estimates, atol=1e-6)
    assert [v.p for v in whole.judged.verdicts] == [v.p for v in parts.judged.verdicts]


def test_four_trials_can_never_show_a_reading_to_be_better() -> None:
    ratings = session(7, n=4).ratings[shuffles(4, DRAWS)]
    perfect = np.broadcast_to(ratings[0], ratings.shape)
    assert [v.word for v in judge(perfect, ratings, np.zeros((4, 2)))] == ["not shown to be better"] * 2


def test_the_simplest_candidate_within_noise_of_the_best_is_taken() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 8)
    errors = np.stack([1 + noise, 0.2 + np.zeros(8), 0.19 + 0.5 * noise])
    assert simplest(errors) == 1


def test_too_few_trials_are_refused() -> None:
    with pytest.raises(UsageError, match="3 rated trials are too few"):
        calibrate(session(1, n=3), HEAD)


def test_the_same_session_gives_the_same_calibration() -> None:
    one, other = (calibrate(session(6), HEAD, draws=3) for _ in range(2))
    assert one.predictors == other.predictors
    assert np.array_equal(one.judged.estimates, other.judged.estimates)


# The baseline


def test_a_persons_own_offset_does_not_matter() -> None:
    person = session(7)
    trials = tuple(map(_moved, person.trials))
    moved = Session(_moved(person.rest), trials, person.ratings, _moved(person.other))
    np.testing.assert_allclose(
        calibrate(person, HEAD, draws=0, rich=False).judged.estimates,
        calibrate(moved, HEAD, draws=0, rich=False).judged.estimates,
    )


def _moved(part: Reading) -> Reading:
    return Reading(part.channels, part.t, part.views + 5.0, part.band_db - 3.0, part.mean)


def test_rest_may_be_skipped() -> None:
    person = session(8)
    nothing = person.rest[np.zeros(len(person.rest), bool)]
    verdicts = calibrate(
        Session(nothing, person.trials, person.ratings, person.other), HEAD, draws=59, rich=False
    ).judged.verdicts
    assert verdicts[1].word == "better"


def test_without_a_head_a_feature_that_stood_still_does_not_drown_the_rest_when_it_moves() -> None:
    person = session(9)

    def still(part: Reading) -> Reading:
        views, band_db = part.views.copy(), part.band_db.copy()
        views[:, FUSED, 0], views[:, 4], band_db[..., 0] = 3.0, 3.0, 7.0
        return Reading(part.channels, part.t, views, band_db, part.mean)

    stood = Session(still(person.rest), tuple(map(still, person.trials)), person.ratings, still(person.other))
    result = calibrate(stood, None, draws=0, rich=False)
    moved = result.scales(result.centre.remove(person.trials[0]))
    assert np.abs(moved.linear).max() < 100
    assert np.abs(moved.views).max() < 100


def test_the_centre_follows_slow_change_and_is_frozen_while_nothing_is_valid() -> None:
    rng = np.random.default_rng(0)
    quiet = reading(rng, np.zeros((1, 2)), 0.0, np.zeros((5, WIDTH)), noise=0.0)
    centre = Centre.of(quiet)
    following = Recentring(centre, 100.0)
    for second in range(101):
        following.update(_at(quiet, float(second), 1.0))
    assert following.centre.views[0, 0] == pytest.approx(1 - np.exp(-1), abs=1e-6)
    before = following.centre.views[0, 0]
    following.update(_at(quiet, 5000.0, 1.0))
    assert following.centre.views[0, 0] - before < 0.02
    following.reset()
    assert np.array_equal(following.centre.views, centre.views)


def _at(window: Reading, t: float, offset: float) -> Reading:
    return Reading(window.channels, np.array([t]), window.views + offset, window.band_db, window.mean)


# Folds and intervals


def test_folds_leave_out_each_trial_and_each_pair() -> None:
    folds = Folds(5)
    assert len(folds) == 1 + 5 + 10
    for i in range(5):
        for j in range(5):
            left = ~folds.used[folds.without[i, j]]
            assert set(np.flatnonzero(left)) == {i, j}


def test_intervals_hold_on_trials_that_come_after() -> None:
    rng = np.random.default_rng(1)
    population = np.quantile(np.abs(rng.normal(0, 0.5, 5000)), np.linspace(0.025, 0.975, 39))
    inside = []
    for _ in range(400):
        errors = np.abs(rng.normal(0, 0.5, 9))
        own = pool([np.array([error]) for error in errors[:8]], population)
        inside.append([errors[8] <= own.half_width(level) for level in (0.68, 0.9)])
    held = np.mean(inside, axis=0)
    assert held == pytest.approx([0.68, 0.9], abs=0.05)


def test_a_level_that_fails_is_raised_and_one_that_always_holds_is_lowered() -> None:
    level = Level(0.68)
    level.rated(inside=False)
    assert level.asked > 0.68
    for _ in range(5):
        level.rated(inside=True)
    assert level.asked < 0.68


# On a simulated person, through the frozen network


def test_the_frozen_network_reads_windows_whatever_electrodes_were_good(model: Model) -> None:
    person = SimulatedPerson(9, CHANNELS, 250.0)
    eeg = person.generate(250 * 12)
    eeg[1, 1500:] = 0.0
    windows = condition_recording(eeg, 250.0, model.spec)
    seen = read(model, windows, CHANNELS, 250.0)
    assert len(seen) == sum(window.valid for window in windows)
    assert np.isnan(seen.band_db[-1, 1]).all()
    assert np.isfinite(seen.views).all()
    one = read(model, [window for window in windows if window.valid][-1:], CHANNELS, 250.0)
    np.testing.assert_allclose(one.views[0], seen.views[-1], atol=1e-5)


def test_a_predictor_says_the_same_at_once_and_window_by_window() -> None:
    person = session(10)
    result = calibrate(person, HEAD, draws=0)
    features = result.scales(result.centre.remove(person.trials[0]))
    together = predict(result.predictors, features)
    alone = [
        predict(result.predictors, result.scales(result.centre.remove(person.trials[0][slice(k, k + 1)])))[0]
        for k in range(len(together))
    ]
    np.testing.assert_allclose(alone, together, atol=1e-6)


# Simulated people who sit through it


def test_a_simulated_session_holds_rest_trials_and_what_lies_between(model: Model) -> None:
    plan = Plan(trials=4, rest_s=12.0, trial_s=14.0, pause_s=4.0)
    seen = sit_through(11, CHANNELS, model, plan)
    assert seen.rest.t.max() <= 12.0
    for k, trial in enumerate(seen.trials):
        assert plan.start(k) + 6 < trial.t.min() < trial.t.max() <= plan.start(k) + 14
    taken = [*seen.rest.t, *np.concatenate([trial.t for trial in seen.trials]), *seen.other.t]
    assert len(set(taken)) == len(taken)
    points, ratings = points_and_ratings(11, plan)
    assert sorted(map(tuple, np.sign(points).tolist())) == [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    assert np.array_equal(seen.ratings, ratings)


def test_an_absent_electrode_moves_the_centre_and_is_made_up_for(model: Model) -> None:
    plan = Plan(trials=4, rest_s=30.0, trial_s=10.0, pause_s=2.0)
    names = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")
    person = SimulatedPerson(12, names, 250.0)
    windows = condition_recording(person.generate(250 * 40), 250.0, model.spec)
    without = leave_out(model, windows, names)
    lost = person_without(windows, 4)
    truth = read(model, windows, names, 250.0)
    seen = read(model, lost, names, 250.0)
    wrong = Centre.of(truth).remove(seen).views.mean(0)
    right = Centre.of(truth, without).remove(seen).views.mean(0)
    assert np.linalg.norm(right) < 0.25 * np.linalg.norm(wrong)
    assert plan.seconds == 78.0


def person_without(windows: list[Window], row: int) -> list[Window]:
    """The same windows as if one electrode had been bad in all of them."""
    result = []
    for window in windows:
        if window.eeg is not None and row in window.good:
            kept = np.delete(window.eeg, window.good.index(row), axis=0)
            good = tuple(at for at in window.good if at != row)
            eeg = (kept - kept.mean(0)).astype(np.float32)
            result.append(Window(window.index, None, eeg, good, window.quality))
    return result


def test_the_populations_head_is_fitted_across_people(model: Model) -> None:
    people = [session(seed) for seed in range(30)]
    head = fit_head(people, "made up")
    weights = np.array(head.weights) / np.array(head.scale)[:, None]
    assert weights[0, 0] > 2 * np.abs(weights[2:]).max()
    assert weights[1, 1] > 2 * np.abs(weights[2:]).max()
    assert np.all(np.diff(head.residuals[0]) >= 0)


# The profile


@pytest.fixture(scope="module")
def profile(model: Model) -> Profile:
    person = session(13)
    calibration = calibrate(person, HEAD, draws=19, rich=False)
    return Profile.of(
        calibration,
        person.ratings,
        CHANNELS,
        model,
        user="ada",
        created="2026-11-20T12:00:00Z",
        simulated=True,
    )


def test_a_profile_goes_through_json_unchanged(profile: Profile) -> None:
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_a_profile_of_another_model_is_refused(profile: Profile, model: Model) -> None:
    other = replace(model, sha256="f" * 64)
    with pytest.raises(ModelError, match="belongs to the model"):
        profile.rows_in(other, CHANNELS)


def test_a_profile_serves_part_of_its_electrodes_and_no_others(profile: Profile, model: Model) -> None:
    assert profile.rows_in(model, ("C3", "Fp1", "Fp2")) == [1, 2, 0, None]
    for wrong in (("Fp1",), ("Fp1", "Fp2", "C3", "Oz")):
        with pytest.raises(ModelError, match="was made with Fp1, Fp2, C3, C4"):
            profile.rows_in(model, wrong)


def test_what_lies_out_of_range_is_said_and_not_followed(profile: Profile, model: Model) -> None:
    made_up = replace(model, info=model.info.model_copy(update={"centred": HEAD}))
    person = Personal(profile, made_up, CHANNELS)
    rest = session(13).rest
    for second in range(120):
        at = second % len(rest)
        person.read(float(second), rest.views[at] + 40.0, rest.band_db[at], rest.mean[at])
    assert person.out_of_range
    for second in range(120, 300):
        at = second % len(rest)
        person.read(float(second), rest.views[at], rest.band_db[at], rest.mean[at])
    assert not person.out_of_range
