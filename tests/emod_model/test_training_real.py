"""Learning from real people: what is scored, what is taken off, and that a network learns it."""

import numpy as np
import pytest
import torch

from emod_model.centring import Centring, remove
from emod_model.checkpoint import load_checkpoint
from emod_model.corpora.eegmat import ELECTRODES
from emod_model.features import extract
from emod_model.network import EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.training.real_fit import Recipe, answer, ask, fit
from emod_model.training.real_people import Person, Stretch, removal_of, see, simulated_people
from emod_model.training.real_study import Candidate, RealStudy, judged, write

SPEC = SignalSpec(tokens_per_s=2)
CAP = ("P7", "F7", "F8", "P8")
TINY = EMODConfig(d_model=16, n_layers=1, n_heads=2, d_feedforward=32)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)


def person(seed: int) -> Person:
    """Noise as loud as the person; in arithmetic the frontal electrodes are twice as loud."""
    rng = np.random.default_rng(seed)
    loud = rng.uniform(5, 50, (len(ELECTRODES), 1))
    stretches = []
    for busy, seconds in ((0, 80), (1, 20)):
        eeg = loud * rng.standard_normal((len(ELECTRODES), round(seconds * SPEC.sfreq)))
        if busy:
            eeg[[ELECTRODES.index("F7"), ELECTRODES.index("F8")]] *= 2
        signal = torch.from_numpy(eeg.astype(np.float32))
        stretches.append(Stretch(signal, np.full(seconds, float(busy)), 0.0 if busy else 60.0))
    return Person(f"person {seed}", tuple(stretches))


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [person(seed) for seed in range(6)]


def test_the_first_minute_of_rest_is_never_scored(people: list[Person]) -> None:
    seen = see(people, CAP, "causal", Centring(), SPEC)
    # 20 s of rest and 20 s of arithmetic: eight windows of 5 s, three looks at each
    assert len(seen.target) == 6 * 8 * 3
    assert len(np.unique(seen.judged)) == 6 * 8
    assert seen.target.mean() == 0.5


def test_the_network_learns_from_what_it_will_get_live(people: list[Person]) -> None:
    seen = see(people[:1], CAP, "causal", Centring(), SPEC)
    rows = [ELECTRODES.index(name) for name in CAP]
    eeg = people[0].stretches[0].eeg[rows, round(60 * SPEC.sfreq) :][:, : SPEC.window_samples][None]
    eeg = eeg - eeg.mean(1, keepdim=True)
    removal = removal_of(people[0], rows, "causal", Centring(), SPEC)
    assert removal is not None
    live = remove(extract(eeg, CAP, SPEC.sfreq, SPEC), eeg, SPEC, removal)
    torch.testing.assert_close(seen.spectral[0].float(), live.spectral[0], atol=2e-2, rtol=1e-2)


def test_it_tells_arithmetic_of_people_it_has_not_met(people: list[Person], tmp_path) -> None:
    seen = [see(people, CAP, "causal", Centring(), SPEC)]
    recipe = Recipe(steps=60, batch=16, shares=(1.0,))
    network = fit(seen, range(5), TINY, recipe, seed=1)
    said = ask(network, seen[0], [5])
    right = (said.mean[:, 1] > 0) == (said.target > 0.5)
    assert right.mean() > 0.8
    again = fit(seen, range(5), TINY, recipe, seed=1)
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)

    # the temporal branch weighs nothing, whatever the signal
    spectral = seen[0].spectral[:3].float()
    spatial = seen[0].spatial.expand(3, -1, -1)
    whole = network(torch.randn(3, len(CAP), SPEC.window_samples), spectral, spatial, spectral.shape[2])
    torch.testing.assert_close(whole[0], answer(network, spectral, spatial)[0], atol=1e-6, rtol=0)

    study = RealStudy(tmp_path, config=TINY)
    names = [one.name for one in people]
    write(study, Candidate(1, network, {"19": judged(said, names)}, 0.4), tmp_path / "real.safetensors")
    model = load_checkpoint(tmp_path / "real.safetensors")
    assert model.info.centring == Centring()
    assert not model.simulated
    assert model.unvalidated == ("valence",)
    assert "Zyma et al. 2019" in model.card
    assert model.card.endswith("Valence: NOT VALIDATED ON PEOPLE.")


def test_simulated_people_rest_before_their_valence_is_asked() -> None:
    (one,) = simulated_people(0, 1, SPEC)
    (stretch,) = one.stretches
    assert np.abs(stretch.target[:59]).max() < 0.05
    assert np.ptp(stretch.target[60:]) > 0.8
    assert stretch.first_s == 60.0
