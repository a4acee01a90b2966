"""Training on simulated people: who is in which split, what a batch holds, and a whole run in small."""

from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from emod_model.checkpoint import load_checkpoint
from emod_model.features import extract
from emod_model.montage import CYTON, spatial_weights
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.simulate import SimulatedPerson
from emod_model.training import calibrated
from emod_model.training.batches import Windows
from emod_model.training.fit import SMALL, Recipe, fit, objective, widen
from emod_model.training.montages import CAPS, MUSE, WIDE
from emod_model.training.people import SPLITS, Take, nine_clips, people_of, record, record_people
from emod_model.training.predict import predict, smoothed
from emod_model.training.report import table
from emod_model.training.ridge import band_features, fit_ridge
from emod_model.training.start import start_at_bands_and_places
from emod_model.training.study import Run, Study

SPEC = SignalSpec()
TINY = EMODConfig(d_model=16, n_layers=1, n_heads=2, d_feedforward=16, dropout=0.0, pool_dropout=0.0)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def takes() -> list[Take]:
    return record_people(people_of("train", 6), WIDE, 30.0, SPEC, 1.5)


class TestPeople:
    def test_no_person_is_in_two_splits(self) -> None:
        splits = [set(people_of(name, 5000)) for name in SPLITS]
        assert len(set.union(*splits)) == sum(len(split) for split in splits)

    def test_windows_are_those_of_the_live_path_with_the_truth_of_their_span(self, takes: list[Take]) -> None:
        take = takes[0]
        n = len(take.target)
        assert n > 10
        assert take.eeg.shape == (n, len(WIDE), SPEC.window_samples)
        assert take.good.mean() > 0.9
        kept = take.eeg[0][take.good[0]]
        np.testing.assert_allclose(kept.mean(0), 0, atol=1e-3)
        assert np.abs(take.target).max() <= 1

    def test_a_recording_does_not_depend_on_the_processes(self) -> None:
        arguments = (people_of("test", 2), CYTON, 6.0, SPEC, 0.5)
        for one, other in zip(record_people(*arguments), record_people(*arguments, workers=2), strict=True):
            np.testing.assert_array_equal(one.eeg, other.eeg)
            np.testing.assert_array_equal(one.target, other.target)

    def test_the_target_is_the_mean_over_the_window(self) -> None:
        take = record(7, CYTON, 12.0, SPEC, 3.0, sfreq=250.0)
        person = SimulatedPerson(7, CYTON, 250.0)
        # settling takes 1.5 s, so the first window that counts ends after 6 s
        np.testing.assert_allclose(take.target[0], person.affect(np.arange(750, 1500)).mean(0), atol=1e-3)

    def test_training_people_go_through_every_ninth_of_the_plane_once(self) -> None:
        held = nine_clips(5)(np.arange(9) * 10.0 + 6.0)
        ninths = {tuple(point) for point in np.clip(np.floor((held + 1) * 1.5), 0, 2).tolist()}
        assert len(ninths) == 9
        assert not np.allclose(held, nine_clips(6)(np.arange(9) * 10.0 + 6.0))


class TestStart:
    def test_first_units_answer_to_a_band_at_a_place(self) -> None:
        torch.manual_seed(0)
        network = EMOD(SMALL).eval()
        start_at_bands_and_places(network, np.random.default_rng(0))
        active: list[torch.Tensor] = []
        network.layers[0].get_submodule("ffn.1").register_forward_hook(lambda *args: active.append(args[2]))
        rest = torch.zeros(1, 2, SPEC.window_tokens, 45)
        alpha = rest.clone()
        alpha[..., 7:12] = 2.0
        weights = torch.from_numpy(spatial_weights(("F7", "O2")))[None]
        temporal = torch.zeros(1, 2, SPEC.window_samples)
        for spectrum in (rest, alpha):
            network(temporal, spectrum, weights, SPEC.window_tokens)
        # units 32 to 47 are the bands at F7, the eighth of them at 10 Hz, the last at 40 Hz
        at_f7, at_o2 = active[0][0].mean(1)[:, 32:48]
        assert (at_f7 > 1).all()
        assert (at_o2.abs() < 0.2).all()
        change = (active[1] - active[0])[0, 0].mean(0)[32:48]
        assert change.argmax() in (6, 7, 8)
        assert change[7] > change[15] + 0.3


class TestBatches:
    def test_a_batch_is_what_the_live_path_would_extract(self, takes: list[Take]) -> None:
        windows = Windows(takes, SPEC)
        clean = np.flatnonzero(windows.good.all(1))[:4]
        batch = windows.batch(clean, MUSE, np.random.default_rng(0))
        rows = [WIDE.index(name) for name in MUSE]
        eeg = windows.eeg[clean][:, rows].astype(np.float32)
        expected = extract(torch.from_numpy(eeg - eeg.mean(1, keepdims=True)), MUSE, SPEC.sfreq, SPEC)
        # channels come in an order of their own: compared after sorting by electrode
        order = batch.features.spatial.argmax(-1).argsort(1)
        for ours, theirs in zip(batch.features[:3], expected[:3], strict=True):
            fixed = expected.spatial.argmax(-1).argsort(1)
            for window in range(4):
                torch.testing.assert_close(ours[window][order[window]], theirs[window][fixed[window]])
        assert batch.features.n_tokens == expected.n_tokens

    def test_bad_channels_are_never_drawn(self, takes: list[Take]) -> None:
        windows = Windows(takes, SPEC)
        windows.good[:, WIDE.index("O1")] = False
        windows.eeg[:, WIDE.index("O1")] = 0
        batch = windows.batch(np.arange(8), CYTON, np.random.default_rng(0))
        assert batch.features.temporal.shape[1] == len(CYTON) - 1
        assert (batch.features.temporal.std(-1) > 0).all()

    def test_every_cap_is_worn_in_training(self) -> None:
        assert all(set(cap) <= set(WIDE) for cap in CAPS)


class TestFit:
    def test_objective_is_lowest_at_the_truth(self) -> None:
        target = torch.linspace(-1, 1, 40).reshape(20, 2)
        sd = torch.full_like(target, 0.3)
        right = objective(target.clone(), sd, target)
        assert objective(target + 0.2, sd, target) > right
        assert objective(0.5 * target, sd, target) > right
        assert objective(target.clone(), 4 * sd, target) > right

    def test_loss_falls_and_the_same_seed_gives_the_same_network(self, takes: list[Take]) -> None:
        validation = record_people(people_of("validation", 2), MUSE, 12.0, SPEC, 3.0)
        recipe = Recipe(steps=40, batch=16, judge_every=20)
        network, losses = fit(Windows(takes, SPEC), validation, TINY, recipe)
        assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.05
        again, _ = fit(Windows(takes, SPEC), validation, TINY, recipe)
        for one, other in zip(network.state_dict().values(), again.state_dict().values(), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)

    def test_widening_makes_two_thirds_of_the_truths_fall_within_one_sd(self, takes: list[Take]) -> None:
        torch.manual_seed(0)
        network = EMOD(TINY).eval()
        widen(network, takes, SPEC)
        mean, sd = (
            np.concatenate(side) for side in zip(*(predict(network, t, SPEC) for t in takes), strict=True)
        )
        held = np.abs(mean - np.concatenate([t.target for t in takes])) <= sd
        np.testing.assert_allclose(held.mean(0), 0.6827, atol=0.03)


def test_smoothing_is_causal_and_settles_with_its_time_constant() -> None:
    step = np.concatenate([np.zeros((5, 2)), np.ones((40, 2))])
    out, _ = smoothed(step, np.ones_like(step), hop_s=0.5)
    assert (out[:5] == 0).all()
    np.testing.assert_allclose(out[4 + 8], 1 - np.exp(-1), atol=1e-12)


def test_ridge_finds_a_planted_effect_and_leaves_missing_channels_out(takes: list[Take]) -> None:
    planted = []
    for take in takes:
        eeg = take.eeg.copy()
        channel = WIDE.index("O1")
        eeg[:, channel] *= np.exp(take.target[:, :1])
        planted.append(Take(take.seed, take.channels, eeg, take.good, take.target))
    ridge = fit_ridge(planted[:4], planted[4:], CYTON, SPEC)
    truth = np.concatenate([take.target[:, 0] for take in planted[4:]])
    features = np.concatenate([band_features(take, CYTON, SPEC) for take in planted[4:]])
    assert np.corrcoef(ridge(features)[:, 0], truth)[0, 1] > 0.6
    assert np.isfinite(ridge(np.full((1, features.shape[1]), np.nan))).all()


def test_a_whole_study_in_small(tmp_path: Path) -> None:
    study = Study(
        train=3,
        train_s=12,
        validation=1,
        validation_s=12,
        test=2,
        test_s=8,
        test_hop_s=1.0,
        config=TINY,
        recipe=Recipe(steps=4, batch=8, judge_every=2),
        workers=1,
    )
    path = tmp_path / "weights" / "tiny.safetensors"
    run = Run(study, Console(quiet=True))
    scores = run.train(path)
    model = load_checkpoint(path)
    assert model.simulated
    assert "simulated" in model.card
    assert len(model.info.figures) > 10
    assert len(scores) == 3 * 2 * 5
    assert table(scores).count("\n") == len(scores) + 1
    assert table(run.evaluate(path)) == table(scores)


def test_claims_of_calibration_are_counted_over_people_and_shuffles_with_their_interval() -> None:
    figures = dict.fromkeys(calibrated.METHODS, np.zeros((2, 2)))
    people = [
        calibrated.Person(
            estimates=figures,
            ratings=np.array([(0.5, -0.5), (-0.5, 0.5)]),
            by_candidate={n: {"rest": (0.5, 0.5)} for n in calibrated.AFTER},
            inside={n: np.full((2, 2), 0.7) for n in calibrated.AFTER},
            claims={
                "true": ((True, True),),
                "shuffled": ((False, first), (False, False)),
                "noise": ((False, False),),
            },
        )
        for first in (True, False)
    ]
    said = calibrated.table(people).splitlines()
    assert '- true: "better" for valence 2, for arousal 2, for either 2 of 2' in said[-3]
    assert "for either 1 of 4 (25.0 %, 95 % interval 4.6 to 69.9 %)" in said[-2]
    assert "for either 0 of 2 (0.0 %, 95 % interval 0.0 to 65.8 %)" in said[-1]
