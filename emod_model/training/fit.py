"""Fit a network to simulated people: objective, loop, choice of the best step, and honest deviations."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emod_model.metrics import ccc
from emod_model.montage import CYTON, DAISY
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.training.batches import Windows
from emod_model.training.montages import BIOSEMI, EMOTIV, MUSE, TEN_TWENTY
from emod_model.training.people import Take
from emod_model.training.predict import predict
from emod_model.training.start import start_at_bands_and_places

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """How a network is fitted.

    Attributes
    ----------
    steps : int
        Updates.
    batch : int
        Windows an update.
    learning_rate, weight_decay, clip : float
        AdamW after 5 % warm-up, cosine to 1 %; norm that gradients are clipped at.
    average : float
        Decay of the running average of the weights, which is what is judged and kept.
    judge_every : int
        Updates between looks at the validation people.
    seed : int
        Of weights, batches and channels.
    """

    steps: int = 1800
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    clip: float = 1.0
    average: float = 0.99
    judge_every: int = 200
    seed: int = 1


SMALL = EMODConfig(d_model=48, n_layers=2, n_heads=4, d_feedforward=128, dropout=0.0, pool_dropout=0.1)
"""Three eighths of the published width, two layers of three: trained in half an hour on two cores."""

# how often each cap is drawn, and the range of the part of its channels kept: small caps are hard and cheap
_CAPS = (
    (MUSE, 0.22, (1.0, 1.0)),
    (CYTON, 0.23, (0.6, 1.2)),
    (EMOTIV, 0.12, (0.4, 1.0)),
    (DAISY, 0.12, (0.4, 1.0)),
    (TEN_TWENTY, 0.21, (0.4, 1.2)),
    (BIOSEMI, 0.10, (0.2, 0.6)),
)
_BLEND = 0.1
_GAIN = 0.2


def objective(mean: Tensor, sd: Tensor, target: Tensor) -> Tensor:
    """Return Gaussian negative log-likelihood plus (1 - concordance), mean over both axes.

    Parameters
    ----------
    mean, sd, target : torch.Tensor, shape (batch, 2)
    """
    likelihood = 0.5 * ((target - mean) / sd) ** 2 + sd.log()
    covariance = ((mean - mean.mean(0)) * (target - target.mean(0))).mean(0)
    spread = mean.var(0, correction=0) + target.var(0, correction=0) + (mean.mean(0) - target.mean(0)) ** 2
    return likelihood.mean() + (1 - 2 * covariance / spread).mean()


def judge(network: EMOD, people: Sequence[Take], spec: SignalSpec) -> float:
    """Return the mean concordance of both axes over all windows of each cap, mean over the caps."""
    caps: dict[tuple[str, ...], list[Take]] = {}
    for take in people:
        caps.setdefault(take.channels, []).append(take)
    scores = []
    for takes in caps.values():
        estimate = np.concatenate([predict(network, take, spec)[0] for take in takes])
        truth = np.concatenate([take.target for take in takes])
        scores += [ccc(estimate[:, axis], truth[:, axis]) for axis in (0, 1)]
    return float(np.mean(scores))


def fit(
    windows: Windows,
    validation: Sequence[Take],
    config: EMODConfig,
    recipe: Recipe,
    progress: Callable[[int, float, float], None] = lambda *_: None,
) -> tuple[EMOD, list[float]]:
    """Fit a network from scratch.

    Parameters
    ----------
    windows : Windows
        Training people.
    validation : sequence of Take
        People of their own, on the caps that matter; the best step is theirs to choose.
    config : EMODConfig
        Architecture.
    recipe : Recipe
        How.
    progress : callable
        Called after each update with the step, its loss, and the best validation concordance so far.

    Returns
    -------
    network : EMOD
        Running average of the weights at the best step, in evaluation mode.
    losses : list of float
        One an update.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = EMOD(config)
    start_at_bands_and_places(network, rng)
    network.set_spectrum_statistics(*windows.spectrum_statistics(min(512, len(windows)), rng))
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, recipe.steps))
    best, best_state, losses = -np.inf, average.state_dict(), list[float]()
    network.train()
    for step in range(1, recipe.steps + 1):
        losses.append(_update(network, windows, optimiser, recipe, rng))
        schedule.step()
        follow(average, network, min(recipe.average, 1 - 1 / (step + 1)))
        if step % recipe.judge_every == 0 or step == recipe.steps:
            score = judge(average, validation, windows.spec)
            if score > best:
                best, best_state = score, copy.deepcopy(average.state_dict())
        progress(step, losses[-1], best)
    average.load_state_dict(best_state)
    return average.requires_grad_(False), losses


def _rate(step: int, steps: int) -> float:
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * (step - warm) / max(1, steps - warm))))


def _update(
    network: EMOD,
    windows: Windows,
    optimiser: torch.optim.Optimizer,
    recipe: Recipe,
    rng: np.random.Generator,
) -> float:
    cap, _, part = _CAPS[rng.choice(len(_CAPS), p=[share for _, share, _ in _CAPS])]
    index = rng.integers(0, len(windows), recipe.batch)
    drawn = windows.batch(index, cap, rng, keep=rng.uniform(*part), blend=_BLEND, gain=_GAIN)
    mean, sd = network(*drawn.features)
    loss = objective(mean, sd, drawn.target)
    update(network, optimiser, loss, recipe.clip)
    return loss.item()


def update(network: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor, clip: float) -> None:
    """Take one step down the gradient of a loss, clipped at a norm."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimiser.step()


def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move a running average of the weights towards a network of the same shape.

    Parameters
    ----------
    average : torch.nn.Module
        Changed in place; counters are copied.
    network : torch.nn.Module
        Where it moves to.
    decay : float
        Part of the average that stays.
    """
    with torch.no_grad():
        for slow, fast in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - decay)
            else:
                slow.copy_(fast)


def widen(network: EMOD, people: Sequence[Take], spec: SignalSpec) -> None:
    """Shift both deviations' last bias until 68.27 % of these people's truths lie within one of them.

    Parameters
    ----------
    network : EMOD
        Changed in place.
    people : sequence of Take
        Validation people: not those it was fitted to, nor those it is tested on.
    spec : SignalSpec
        What the takes were conditioned with.
    """
    estimates = [predict(network, take, spec) for take in people]
    error = np.abs(np.concatenate([e[0] for e in estimates]) - np.concatenate([t.target for t in people]))
    sd = np.concatenate([e[1] for e in estimates])
    for axis in (0, 1):
        widen_axis(network, axis, error[:, axis], sd[:, axis])


def widen_axis(network: EMOD, axis: int, error: Array, sd: Array) -> None:
    """Shift the last bias of one axis' deviation until 68.27 % of the errors lie within one of them.

    Parameters
    ----------
    network : EMOD
        Changed in place.
    axis : int
        0 valence, 1 arousal.
    error, sd : numpy.ndarray, shape (windows,)
        How far each estimate was off, without sign, and its deviation.
    """
    floor = network.affect.sd_floor
    raw = np.log(np.expm1(np.maximum(sd - floor, 1e-6)))
    low, high = -5.0, 5.0
    for _ in range(40):
        shift = (low + high) / 2
        held = (error <= np.log1p(np.exp(raw + shift)) + floor).mean()
        low, high = (shift, high) if held < 0.6827 else (low, shift)
    last = network.affect.mlp[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.bias[2 + axis] += (low + high) / 2
