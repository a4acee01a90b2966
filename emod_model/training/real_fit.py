"""Fit a small EMOD to real arousal and simulated valence, relative to each person's rest."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from emod_model.network import EMOD, EMODConfig
from emod_model.training.fit import follow, update
from emod_model.training.real_people import Seen
from emod_model.training.start import start_at_bands_and_places

Array = npt.NDArray[np.float64]

REAL = EMODConfig(d_model=32, n_layers=1, n_heads=4, d_feedforward=85, dropout=0.2, pool_dropout=0.1)
"""A quarter of the published width and one layer of three: what 28 people can fill."""
AROUSED = 0.5
"""Arousal that stands for arithmetic; rest is as far below 0."""
REST_DRAWN, REST_PEOPLE = 6, 8
"""Windows of each person's rest in an update, and people, where a rest is taken off the embedding."""
_SHARPNESS = 4.0
"""Log odds of arithmetic for each unit of the answer before tanh: the target is odds of 9 to 1."""


@dataclass(frozen=True)
class Recipe:
    """How a network is fitted.

    Attributes
    ----------
    steps, batch : int
        Updates, and windows an update: half rest, half arithmetic, people drawn evenly.
    learning_rate, weight_decay, clip : float
        AdamW after a short warm-up, cosine to 2 %; norm that gradients are clipped at.
    average : float
        Decay of the running average of the weights, which is kept.
    mix : float
        Beta of mixing pairs of windows, of different people as a rule.
    noise : float
        Deviation of what is added to each window's log power, by bin and by channel.
    smooth : float
        What is taken off the certainty of labels.
    shares : tuple of float
        How often each judged cap is worn; the random ones share what is left.
    valence : float
        Weight of the simulated people's valence, where there are any.
    """

    steps: int = 250
    batch: int = 48
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    clip: float = 1.0
    average: float = 0.98
    mix: float = 0.4
    noise: float = 0.1
    smooth: float = 0.1
    shares: tuple[float, ...] = (0.34, 0.2, 0.16)
    valence: float = 0.5


def answer(
    network: EMOD, spectral: Tensor, spatial: Tensor, rest: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return what a network says without its temporal branch, which weighs nothing here.

    Parameters
    ----------
    network : EMOD
    spectral : torch.Tensor, shape (windows, channels, tokens, 45)
    spatial : torch.Tensor, shape (windows, channels, 72)
    rest : torch.Tensor, shape (windows, channels, 1, features), optional
        What is taken off the backbone's tokens: what they were like at rest.
    """
    out = _tokens(network, spectral, spatial)
    mean, sd = network.affect(out if rest is None else out - rest)
    return mean, sd


def _tokens(network: EMOD, spectral: Tensor, spatial: Tensor) -> Tensor:
    """Return the backbone's tokens (windows, channels, tokens, features)."""
    encoder = network.encoder
    frequency = encoder.spectral(spectral, spectral.shape[2])
    out: Tensor = encoder.fuse(torch.zeros_like(frequency), frequency, spatial)
    for layer in network.layers:
        out = layer(out)
    return out


def resting(
    network: EMOD, rest: Seen, who: npt.NDArray[np.intp], rng: np.random.Generator | None = None
) -> Tensor:
    """Return what the tokens of each window's wearer are like at rest.

    Parameters
    ----------
    network : EMOD
    rest : Seen
        Everyone's rest through the same cap.
    who : numpy.ndarray of int, shape (windows,)
        Whose the windows are.
    rng : numpy.random.Generator, optional
        Draws a few windows of each person's rest while training; all by default.

    Returns
    -------
    torch.Tensor, shape (windows, channels, 1, features)
    """
    people, of = np.unique(who, return_inverse=True)
    drawn = [np.flatnonzero(rest.who == person) for person in people]
    if rng is not None:
        drawn = [rng.choice(rows, REST_DRAWN, replace=False) for rows in drawn]
    spectral = rest.spectral[torch.from_numpy(np.concatenate(drawn))].float()
    tokens = _tokens(network, spectral, rest.spatial.expand(len(spectral), -1, -1)).mean(2, keepdim=True)
    means = [part.mean(0) for part in torch.split(tokens, [len(rows) for rows in drawn])]
    return torch.stack(means)[torch.from_numpy(of)]


def fit(
    real: Sequence[Seen],
    people: Sequence[int],
    config: EMODConfig,
    recipe: Recipe,
    seed: int,
    simulated: Sequence[Seen] = (),
    start: EMOD | None = None,
    rests: Sequence[Seen] = (),
) -> EMOD:
    """Fit a network to the windows of some people.

    Parameters
    ----------
    real : sequence of Seen
        One for each of the training caps, the same windows in each; rest and arithmetic.
    people : sequence of int
        Those that are learnt from.
    config : EMODConfig
    recipe : Recipe
    seed : int
        Of weights, batches and caps.
    simulated : sequence of Seen
        The same caps on simulated people, who teach valence.
    start : EMOD, optional
        Weights to start from, of the architecture `config`.
    rests : sequence of Seen
        Everyone's rest through the same caps, where it is taken off the embedding and not off the windows.

    Returns
    -------
    EMOD
        Running average of the weights, in evaluation mode; its temporal branch weighs nothing.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = _begun(config, start, real[0].spectral[torch.from_numpy(np.isin(real[0].who, people))], rng)
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    rows = [
        [np.flatnonzero((real[0].who == person) & (real[0].target == busy)) for busy in (0.0, 1.0)]
        for person in people
    ]
    for step in range(recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * _rate(step, recipe.steps)
        cap = _draw_cap(rng, len(real), recipe.shares)
        some = [rows[at] for at in rng.permutation(len(rows))[:REST_PEOPLE]] if rests else rows
        drawn = _draw_rows(some, recipe.batch, rng)
        loss = _arousal_loss(network, real[cap], drawn, recipe, rng, rests[cap] if rests else None)
        if simulated:
            loss = loss + recipe.valence * _valence_loss(network, simulated[cap], recipe, rng)
        update(network, optimiser, loss, recipe.clip)
        follow(average, network, min(recipe.average, 1 - 1 / (step + 1)))
    with torch.no_grad():
        average.encoder.fusion.weight[:, : config.d_model] = 0
    return average.requires_grad_(False)


def _begun(config: EMODConfig, start: EMOD | None, spectral: Tensor, rng: np.random.Generator) -> EMOD:
    """Return the network that is fitted, its input standardised by those learnt from."""
    network = EMOD(config) if start is None else copy.deepcopy(start).requires_grad_(True)
    if start is None:
        start_at_bands_and_places(network, rng)
    else:
        network.set_spectrum_statistics(torch.zeros(config.n_bins), torch.ones(config.n_bins))
    some = spectral[::4].float()
    network.set_spectrum_statistics(some.mean((0, 1, 2)), some.std((0, 1, 2)))
    return network.train()


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / 30) * (0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * step / steps))))


def _draw_cap(rng: np.random.Generator, n_caps: int, shares: Sequence[float]) -> int:
    left = (1 - sum(shares)) / (n_caps - len(shares)) if n_caps > len(shares) else 0.0
    share = np.array([*shares[:n_caps], *([left] * (n_caps - len(shares)))])
    return int(rng.choice(n_caps, p=share / share.sum()))


def _draw_rows(
    rows: list[list[npt.NDArray[np.intp]]], size: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Draw windows: people evenly, rest and arithmetic in turn."""
    who = rng.integers(0, len(rows), size)
    return np.array([rng.choice(rows[at][busy]) for at, busy in zip(who, np.arange(size) % 2, strict=True)])


def _arousal_loss(
    network: EMOD,
    seen: Seen,
    drawn: npt.NDArray[np.intp],
    recipe: Recipe,
    rng: np.random.Generator,
    rests: Seen | None,
) -> Tensor:
    spectral = seen.spectral[torch.from_numpy(drawn)].float()
    target = torch.from_numpy(seen.target[drawn]).float()
    n, channels, _, bins = spectral.shape
    spectral = spectral + recipe.noise * (torch.randn(n, 1, 1, bins) + torch.randn(n, channels, 1, 1))
    part = torch.from_numpy(rng.beta(recipe.mix, recipe.mix, n)).float()
    other = torch.from_numpy(rng.permutation(n))
    wide = part.view(-1, 1, 1, 1)
    spectral = wide * spectral + (1 - wide) * spectral[other]
    target = part * target + (1 - part) * target[other]
    rest = None
    if rests is not None:
        rest = resting(network, rests, seen.who[drawn], rng)
        rest = wide * rest + (1 - wide) * rest[other]
    mean, sd = answer(network, spectral, seen.spatial.expand(n, -1, -1), rest)
    return objective(mean[:, 1], sd[:, 1], target, recipe.smooth)


def objective(mean: Tensor, sd: Tensor, target: Tensor, smooth: float) -> Tensor:
    """Return the cross-entropy of arithmetic against rest, and the likelihood of how far the answer is off.

    Parameters
    ----------
    mean, sd : torch.Tensor, shape (windows,)
        Arousal.
    target : torch.Tensor, shape (windows,)
        1 for arithmetic, 0 for rest, between for mixtures.
    smooth : float
        Taken off the certainty of labels.
    """
    odds = _SHARPNESS * torch.atanh(mean.clamp(-0.999, 0.999))
    entropy = functional.binary_cross_entropy_with_logits(odds, target * (1 - 2 * smooth) + smooth)
    off = (AROUSED * (2 * target - 1) - mean.detach()) / sd
    return entropy + 0.2 * (0.5 * off**2 + sd.log()).mean()


def _valence_loss(network: EMOD, seen: Seen, recipe: Recipe, rng: np.random.Generator) -> Tensor:
    drawn = rng.integers(0, len(seen.target), recipe.batch)
    spectral = seen.spectral[torch.from_numpy(drawn)].float()
    truth = torch.from_numpy(seen.target[drawn]).float()
    mean, sd = (side[:, 0] for side in answer(network, spectral, seen.spatial.expand(len(drawn), -1, -1)))
    likelihood = (0.5 * ((truth - mean) / sd) ** 2 + sd.log()).mean()
    covariance = ((mean - mean.mean()) * (truth - truth.mean())).mean()
    spread = mean.var(correction=0) + truth.var(correction=0) + (mean.mean() - truth.mean()) ** 2
    return likelihood + 1 - 2 * covariance / spread


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network says of windows of 5 s.

    Attributes
    ----------
    who : numpy.ndarray of int, shape (windows,)
        Person.
    target : numpy.ndarray, shape (windows,)
    mean, sd : numpy.ndarray, shape (windows, 2)
        Valence and arousal.
    """

    who: npt.NDArray[np.intp]
    target: Array
    mean: Array
    sd: Array


def ask(network: EMOD, seen: Seen, people: Sequence[int], rests: Seen | None = None) -> Answers:
    """Let a network read some people's windows; those within each window of 5 s are averaged.

    Parameters
    ----------
    network : EMOD
    seen : Seen
    people : sequence of int
    rests : Seen, optional
        Everyone's rest through the same cap, where it is taken off the embedding.
    """
    rows = np.flatnonzero(np.isin(seen.who, people))
    means, sds = [], []
    with torch.inference_mode():
        for part in np.array_split(rows, max(1, len(rows) // 256)):
            spectral = seen.spectral[torch.from_numpy(part)].float()
            rest = None if rests is None else resting(network, rests, seen.who[part])
            mean, sd = answer(network, spectral, seen.spatial.expand(len(part), -1, -1), rest)
            means.append(mean)
            sds.append(sd)
    _, first, of = np.unique(seen.judged[rows], return_index=True, return_inverse=True)
    count = np.bincount(of)[:, None]

    def averaged(parts: list[Tensor]) -> Array:
        total = np.zeros((len(first), 2))
        np.add.at(total, of, torch.cat(parts).double().numpy())
        result: Array = total / count
        return result

    return Answers(seen.who[rows][first], seen.target[rows][first], averaged(means), averaged(sds))
