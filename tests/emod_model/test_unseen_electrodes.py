"""An electrode that the table lacks: shown on the shipped weights by leaving each electrode out of it."""

import numpy as np
import pytest
import torch

from emod_model.checkpoint import Model, load_checkpoint, simulated_checkpoint
from emod_model.features import assemble
from emod_model.montage import spatial_weights
from emod_model.simulate import SimulatedPerson
from emod_model.training.montages import TEN_TWENTY


@pytest.fixture(scope="module")
def model() -> Model:
    torch.set_num_threads(1)
    return load_checkpoint(simulated_checkpoint())


OWN = spatial_weights(TEN_TWENTY)
BLEND = spatial_weights(TEN_TWENTY, leave_out_own=True)
# Another electrode's row, far away as often as near.
OTHER = np.roll(OWN, 7, axis=0)


def test_the_blend_is_like_the_vector_that_was_learnt_and_another_row_is_not(model: Model) -> None:
    table = model.network.encoder.electrodes.double().numpy()
    learnt = OWN @ table - (OWN @ table).mean(0)

    def likeness(weights: np.ndarray) -> float:
        vectors = weights @ table - (OWN @ table).mean(0)
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(learnt, axis=1)
        return float(((vectors * learnt).sum(1) / lengths).mean())

    assert likeness(BLEND) > 0.7
    assert abs(likeness(OTHER)) < 0.3


def test_a_reading_moves_least_when_the_blend_stands_in(model: Model) -> None:
    spec = model.spec
    samples = spec.window_samples
    eeg = SimulatedPerson(7, TEN_TWENTY, spec.sfreq).generate(4 * samples)
    windows = torch.from_numpy(eeg.astype(np.float32)).unflatten(1, (4, samples)).transpose(0, 1)
    windows = windows - windows.mean(-1, keepdim=True)
    windows = (windows - windows.mean(1, keepdim=True)).contiguous()

    def view(weights: np.ndarray) -> torch.Tensor:
        spatial = torch.from_numpy(weights.astype(np.float32)).expand(4, -1, -1)
        with torch.no_grad():
            return model.network.affect.pool(model.network.tokens(*assemble(windows, spatial, spec)))

    seen = view(OWN)

    def moved(stand_in: np.ndarray) -> float:
        changes = []
        for electrode in range(0, len(TEN_TWENTY), 3):
            weights = OWN.copy()
            weights[electrode] = stand_in[electrode]
            changes.append(float((view(weights) - seen).norm()))
        return sum(changes)

    assert moved(BLEND) < 0.6 * moved(np.zeros_like(OWN))
    assert moved(BLEND) < 0.4 * moved(OTHER)
