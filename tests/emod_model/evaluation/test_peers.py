import importlib.util

import numpy as np
import pytest
import torch

from emod_model.errors import UsageError
from emod_model.evaluation.linear import band_power, centred
from emod_model.evaluation.peers import RATES, Budget, build, equalise, train
from emod_model.evaluation.protocols import choose_from_train, splits
from emod_model.evaluation.recorded import Recorded, Windows, plain_windows, table

needs_braindecode = pytest.mark.skipif(
    importlib.util.find_spec("braindecode") is None, reason="braindecode is not installed (emod-rt[peers])"
)
CHANNELS = ("Fp1", "T7", "A2-A1")


def made(people=4):
    """Return rest, and a task that is twice as large, of people who differ by far more than that."""
    rng = np.random.default_rng(0)
    recorded = []
    for person in range(people):
        size = 10.0 ** rng.uniform(0, 2)
        for label, seconds, more in (("rest", 75, 1.0), ("task", 15, 2.0)):
            eeg = more * rng.standard_normal((3, seconds * 200))
            recorded.append(
                Recorded(
                    f"p{person}",
                    label,
                    label,
                    (size * eeg).astype(np.float32),
                    200.0,
                    CHANNELS,
                    label == "rest",
                )
            )
    return plain_windows(recorded), table(recorded, ("rest", "task"))


def test_an_equalised_signal_has_the_powers_that_centring_would_give():
    windows, rows = made(2)
    whole = band_power(windows.eeg, 200.0)
    equal = band_power(equalise(windows, rows, "causal"), 200.0)
    wanted = centred(whole, rows, "causal")
    beta = slice(9, 12)
    task, rest = rows.label == 1, rows.label == 0
    for power in (equal, wanted):
        difference = power[task][:, beta].mean() - power[rest][:, beta].mean()
        assert difference == pytest.approx(2 * np.log(2), abs=0.05)
    people = [equal[rest & (rows.subject == person)][:, beta].mean() for person in rows.people]
    assert abs(people[0] - people[1]) < 0.1
    assert equalise(windows, rows, "none") is windows.eeg


@needs_braindecode
@pytest.mark.parametrize("name", sorted(RATES))
def test_every_network_maps_windows_of_any_montage_to_one_logit(name):
    torch.set_num_threads(1)
    windows = Windows(np.zeros((2, 3, 1000), np.float32), 200.0, CHANNELS)
    network, logits = build(name, windows)
    network.eval()
    with torch.inference_mode():
        assert logits(torch.from_numpy(windows.eeg)).shape == (2,)


@needs_braindecode
def test_a_network_is_trained_chosen_and_judged_on_people_of_its_own_and_again_alike():
    torch.set_num_threads(1)
    windows, rows = made()
    split = choose_from_train(next(splits("leave-one-person-out", rows)), rows, 1)
    once, again = (
        train("EEGNet", windows, rows, split, "causal", Budget(epochs=1, batch=8), seed=3) for _ in range(2)
    )
    assert set(rows.subject[once.test]) == {"p0"}
    assert set(rows.subject[once.validate]) == {"p1"}
    assert len(once.test_score) == 3 + 3  # the first minute of rest is not scored
    assert np.isfinite(once.test_score).all()
    np.testing.assert_array_equal(once.test_score, again.test_score)
    assert once.best == once.epochs == 1


@needs_braindecode
def test_of_three_classes_each_has_a_logit_and_without_people_to_choose_on_the_last_epoch_counts():
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    recorded = [
        Recorded(
            f"p{person}",
            f"{label} {number}",
            label,
            (20 * more * rng.standard_normal((3, 15 * 200))).astype(np.float32),
            200.0,
            CHANNELS,
            label == "low",
        )
        for person in range(2)
        for label, more in (("low", 1.0), ("middle", 4.0), ("high", 16.0))
        for number in range(3)
    ]
    rows = table(recorded, ("low", "middle", "high"))
    split = next(splits("leave-one-person-out", rows))
    told = train("EEGNet", plain_windows(recorded), rows, split, "none", Budget(epochs=3, batch=8), seed=0)
    assert told.test_score.shape == (27, 3)
    assert told.epochs == told.best == 3


def test_a_network_that_is_not_known_is_refused():
    with pytest.raises(UsageError, match="EEGNet"):
        build("BENDR", Windows(np.zeros((1, 3, 1000), np.float32), 200.0, CHANNELS))
