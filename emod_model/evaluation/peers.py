"""Other people's networks on the same windows: braindecode's, from scratch, one training loop for all."""

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from emod_model.errors import UsageError
from emod_model.evaluation.linear import Kind, scored
from emod_model.evaluation.protocols import Split
from emod_model.evaluation.recorded import Windows
from emod_model.evaluation.table import Array, Rows, WindowTable

if TYPE_CHECKING:
    import torch

RATES: dict[str, float] = {"EEGNet": 1e-3, "EEGConformer": 2e-4, "LaBraM": 5e-4, "CBraMod": 1e-4}
"""Learning rate of each network, as its authors used it."""
_NO_ELECTRODE = {"A2-A1": "A2"}
_WEIGHT_DECAY = 1e-2
_LARGEST_NORM = 1.0


@dataclass(frozen=True)
class Budget:
    """How long a network is trained: the same for all.

    Attributes
    ----------
    epochs : int
        At most.
    patience : int
        Epochs without a better AUROC on the people chosen on, after which it ends.
    batch : int
        Windows.
    bf16 : bool
        Products in bfloat16, weights and sums in single precision: twice as fast where the processor has it.
    """

    epochs: int = 20
    patience: int = 5
    batch: int = 32
    bf16: bool = False


@dataclass(frozen=True, eq=False)
class Trained:
    """What a network said of the windows of a split.

    Attributes
    ----------
    test, validate : numpy.ndarray of int
        Rows that count.
    test_score, validate_score : numpy.ndarray
        Logits at the epoch that was chosen: (rows,) of the second of two classes, (rows, classes) of more.
    epochs, best : int
        Trained, and the one chosen, from 1.
    seconds : float
        Of processor.
    parameters : int
    """

    test: Rows
    validate: Rows
    test_score: Array
    validate_score: Array
    epochs: int
    best: int
    seconds: float
    parameters: int


def build(
    name: str, windows: Windows, outputs: int = 1
) -> tuple["torch.nn.Module", Callable[["torch.Tensor"], "torch.Tensor"]]:
    """Return a network with fresh weights, and what maps windows (n, channels, samples) to logits.

    Parameters
    ----------
    name : str
        A key of `RATES`.
    windows : Windows
        Channels, rate and length count.
    outputs : int
        Logits: (n,) of one, (n, outputs) of more.

    Raises
    ------
    UsageError
        An unknown network, or braindecode is not installed.
    """
    if name not in RATES:
        raise UsageError(f"{name!r} is no network known here; name some of {', '.join(RATES)}")
    with _importing():
        try:
            from braindecode import models
        except ImportError as error:
            raise UsageError(f"braindecode cannot be used ({error}); install emod-rt[peers]") from error
        shape: dict[str, Any] = {
            "n_chans": len(windows.channels),
            "n_outputs": outputs,
            "n_times": windows.eeg.shape[-1],
            "sfreq": windows.sfreq,
        }
        made = {"EEGNet": "EEGNet", "EEGConformer": "EEGConformer", "LaBraM": "Labram", "CBraMod": "CBraMod"}
        network: torch.nn.Module = getattr(models, made[name])(**shape)
    # the one network that reads electrode names has no row for a difference of ears
    names = [_NO_ELECTRODE.get(channel, channel) for channel in windows.channels]
    more = {"ch_names": names} if name == "LaBraM" else {}

    def logits(x: "torch.Tensor") -> "torch.Tensor":
        result: torch.Tensor = network(x, **more)
        return result.reshape((len(x), outputs) if outputs > 1 else len(x))

    return network, logits


@contextmanager
def _importing() -> Iterator[None]:
    """Let braindecode be imported: quietly, and where torchaudio's compiled part is of another torch.

    PyPI's torchaudio is built for CUDA and its compiled part does not load beside a torch without it. None of
    the networks used here needs that part.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if find_spec("torchaudio") is not None:
                import torchaudio  # noqa: F401
        except OSError:
            for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
                del sys.modules[name]
            part = ModuleType("torchaudio._extension")
            vars(part).update(
                _IS_TORCHAUDIO_EXT_AVAILABLE=False,
                _IS_ALIGN_AVAILABLE=False,
                fail_if_no_align=lambda made: made,
            )
            sys.modules[part.__name__] = part
        yield


def equalise(windows: Windows, table: WindowTable, kind: Kind) -> npt.NDArray[np.float32]:
    """Remove each person's baseline from the signal: every channel divided by its own spectrum at baseline.

    The counterpart, for networks that read the signal, of taking off the mean log power.

    Parameters
    ----------
    windows : Windows
    table : WindowTable
    kind : {"none", "causal", "transductive"}
        Baseline: nothing, the windows marked as rest, or all of the person's.

    Returns
    -------
    numpy.ndarray, shape (windows, channels, samples), float32
        With a baseline: of unit power density from 1 to 45 Hz where the person is as at baseline, and nothing
        outside that band.
    """
    if kind == "none":
        return windows.eeg
    from scipy.signal import welch

    freqs = np.fft.rfftfreq(windows.eeg.shape[-1], 1 / windows.sfreq)
    band = (freqs >= 1.0) & (freqs <= 45.0)
    result = np.empty_like(windows.eeg)
    for person in table.people:
        own = np.flatnonzero(table.subject == person)
        base = own[table.baseline[own]] if kind == "causal" else own
        at, density = welch(windows.eeg[base], windows.sfreq, nperseg=round(windows.sfreq), axis=-1)
        mean = density.mean(0)
        gain = np.stack([np.interp(freqs, at, 1 / np.sqrt(row + 1e-12)) for row in mean]) * band
        spectrum = np.fft.rfft(windows.eeg[own], axis=-1)
        result[own] = np.fft.irfft(spectrum * gain, windows.eeg.shape[-1], axis=-1)
    return result


def train(
    name: str, windows: Windows, table: WindowTable, split: Split, kind: Kind, budget: Budget, seed: int
) -> Trained:
    """Train a network on a split and let it judge.

    Parameters
    ----------
    name : str
        A key of `RATES`.
    windows : Windows
    table : WindowTable
    split : Split
        The epoch is chosen by AUROC on its validation windows; where there are none it is the last.
    kind : {"none", "causal", "transductive"}
    budget : Budget
    seed : int
        Of weights and batches.
    """
    import torch

    began = time.process_time()
    counts = scored(table, kind)
    rows, validate, test = (part[counts[part]] for part in (split.train, split.validate, split.test))
    eeg = equalise(windows, table, kind)
    x = torch.from_numpy(eeg / eeg[rows].std())
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network, logits = build(name, windows, 1 if table.binary else len(table.classes))
    optimiser = torch.optim.AdamW(network.parameters(), RATES[name], weight_decay=_WEIGHT_DECAY)
    best, best_epoch, epoch = -1.0, 0, 0
    said = np.zeros(len(test)), np.zeros(len(validate))
    for epoch in range(1, budget.epochs + 1):
        network.train()
        order = rng.permutation(_as_many(rows, table.label[rows], rng))
        for start in range(0, len(order) - 1, budget.batch):
            batch = order[start : start + budget.batch]
            optimiser.zero_grad()
            with _precision(budget):
                answer = logits(x[batch])
            _loss(answer.float(), torch.from_numpy(table.label[batch])).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_NORM)
            optimiser.step()
        chosen_on = _say(network, logits, x[validate], budget)
        auroc = _auroc(table.label[validate], chosen_on) if len(validate) else float(epoch)
        if auroc > best:
            best, best_epoch = auroc, epoch
            said = _say(network, logits, x[test], budget), chosen_on
        if epoch - best_epoch >= budget.patience:
            break
    size = sum(parameter.numel() for parameter in network.parameters())
    return Trained(test, validate, *said, epoch, best_epoch, time.process_time() - began, size)


def _precision(budget: Budget) -> "torch.autocast":
    import torch

    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=budget.bf16)


def _loss(logits: "torch.Tensor", label: "torch.Tensor") -> "torch.Tensor":
    from torch.nn import functional

    if logits.ndim == 1:
        return functional.binary_cross_entropy_with_logits(logits, (label == 1).float())
    return functional.cross_entropy(logits, label)


def _auroc(label: npt.NDArray[np.intp], score: Array) -> float:
    from scipy.special import softmax
    from sklearn.metrics import roc_auc_score

    if score.ndim == 1:
        return float(roc_auc_score(label, score))
    return float(roc_auc_score(label, softmax(score, axis=1), multi_class="ovr"))


def _as_many(rows: Rows, label: npt.NDArray[np.intp], rng: np.random.Generator) -> Rows:
    """Return an epoch's windows: all of the rarest class, and as many of each other, drawn anew."""
    classes = [rows[label == one] for one in np.unique(label)]
    fewest = min(map(len, classes))
    return np.concatenate([rng.choice(of_class, fewest, replace=False) for of_class in classes])


def _say(
    network: "torch.nn.Module",
    logits: Callable[["torch.Tensor"], "torch.Tensor"],
    x: "torch.Tensor",
    budget: Budget,
) -> Array:
    import torch

    network.eval()
    with torch.inference_mode(), _precision(budget):
        parts = [logits(part).double().numpy() for part in torch.split(x, 64) if len(part)]
    return np.concatenate(parts) if parts else np.zeros(0)
