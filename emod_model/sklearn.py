"""EMOD as scikit-learn estimators: windows of EEG in, classes or ratings out."""

import copy
from collections.abc import Sequence
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import resample_poly
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn
from torch.nn import functional

from emod_model.checkpoint import Model, load_checkpoint, simulated_checkpoint
from emod_model.errors import ModelError, UsageError
from emod_model.features import Features, extract
from emod_model.montage import clean
from emod_model.network import EMOD

Array = npt.NDArray[np.float64]

_BATCH = 64
# EEG of less than this is in volts, not in microvolts.
_LEAST_UV = 0.05


class _EMOD(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share: windows to features, and a linear head on them."""

    def __init__(
        self,
        model: str | Path | Model | None = None,
        *,
        ch_names: Sequence[str] | None = None,
        sfreq: float | None = None,
        tune: Literal["head", "all"] = "head",
        C: float = 0.01,  # noqa: N803 (scikit-learn's name for it)
        epochs: int = 10,
        learning_rate: float = 3e-4,
        random_state: int | np.random.RandomState | None = 0,
    ):
        self.model = model
        self.ch_names = ch_names
        self.sfreq = sfreq
        self.tune = tune
        self.C = C
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def encode(self, X: npt.ArrayLike) -> Array:  # noqa: N803
        """Return the features of windows, which `fit` takes in their place, and after it `predict`.

        Parameters
        ----------
        X : array_like, shape (windows, channels, samples)
            Microvolts, filtered to the model's band.

        Returns
        -------
        numpy.ndarray, shape (windows, channels x 3 x features)
            Means over time of each channel's tokens: the backbone's, the temporal and the spectral branch's.
            After `fit` with tune="all", of the tuned network.

        Raises
        ------
        UsageError
            No electrodes named, an unknown one, or a signal in volts.
        ModelError
            Windows that the model cannot take.
        """
        windows = np.asarray(X, dtype=np.float64)
        model = self._load()
        network = self.network_ if hasattr(self, "network_") else model.network
        parts = []
        with torch.no_grad():
            for start in range(0, len(windows), _BATCH):
                features = self._features(windows[start : start + _BATCH], model)
                parts.append(_pooled(network, features).double().numpy())
        return np.concatenate(parts)

    def _load(self) -> Model:
        given = self.model or simulated_checkpoint()
        model = given if isinstance(given, Model) else load_checkpoint(given)
        if model.info.centring is not None:
            raise ModelError(
                f"{model.path} reads windows relative to their wearer's baseline, which an estimator does "
                "not know; take a model that reads them as they are"
            )
        return model

    def _names(self) -> list[str]:
        if self.ch_names is None:
            raise UsageError("windows of EEG need their electrodes; give ch_names, as epochs.ch_names")
        return [clean(name) for name in self.ch_names]

    def _features(self, windows: Array, model: Model) -> Features:
        """Bring windows to the model's rate, whole tokens and average reference, and extract its features."""
        spec = model.spec
        if windows.ndim != 3:
            raise ModelError(f"windows of shape {windows.shape} are not (windows, channels, samples)")
        rate = spec.sfreq if self.sfreq is None else float(self.sfreq)
        spread = np.median(windows.std(-1))
        if 0 < spread < _LEAST_UV:
            raise UsageError(
                f"a signal that varies by {spread:.2g} uV is in volts; give microvolts, "
                'as epochs.get_data(units="uV")'
            )
        if not rate > 0:
            raise UsageError(f"sfreq={rate:g} is no sampling rate; give that of the windows")
        if spec.spectrum == "log-power":
            if rate != spec.sfreq:
                ratio = Fraction(spec.sfreq / rate).limit_denominator(1000)
                windows = resample_poly(windows, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
                rate = spec.sfreq
            # the odd samples after the last whole token are left out
            n_tokens = floor((windows.shape[-1] + 0.5) * spec.tokens_per_s / rate)
            whole = round(n_tokens * rate / spec.tokens_per_s)
            windows = windows[..., :whole] if whole else windows
        windows = windows - windows.mean(-1, keepdims=True)
        if windows.shape[1] > 1:
            windows = windows - windows.mean(1, keepdims=True)
        return extract(torch.from_numpy(windows).float(), self._names(), rate, spec)

    def _fit(self, X: Array, y: Array, head: Any) -> None:  # noqa: N803
        """Fit the head on the frozen network's features; with tune="all", again on the tuned network's."""
        if not self.C > 0:
            raise UsageError(f"C={self.C:g} leaves no regularisation; give a number above 0")
        if self.tune not in {"head", "all"}:
            raise UsageError(f'tune="{self.tune}" is neither "head" nor "all"')
        self.head_: Pipeline = make_pipeline(StandardScaler(), head)
        if hasattr(self, "network_"):
            del self.network_
        if X.ndim == 2:
            if self.tune == "all":
                raise UsageError('tune="all" needs windows (windows, channels, samples), not their features')
            self.head_.fit(X, y)
            return
        self.head_.fit(self.encode(X), y)
        if self.tune == "all":
            self.network_: EMOD = self._tuned(X, y)
            self.head_.fit(self.encode(X), y)

    def _tuned(self, windows: Array, y: Array) -> EMOD:
        """Return a copy of the network, tuned together with the head that was fitted on its features."""
        model = self._load()
        network = copy.deepcopy(model.network).requires_grad_(True).eval()
        scaler, fitted = self.head_[0], self.head_[1]
        head = nn.Linear(fitted.n_features_in_, np.atleast_2d(fitted.coef_).shape[0])
        with torch.no_grad():
            head.weight.copy_(torch.from_numpy(np.atleast_2d(fitted.coef_)))
            head.bias.copy_(torch.from_numpy(np.atleast_1d(fitted.intercept_)))
        shift, scale = (torch.from_numpy(part).float() for part in (scaler.mean_, scaler.scale_))
        parameters = [*network.encoder.parameters(), *network.layers.parameters(), *head.parameters()]
        optimiser = torch.optim.AdamW(parameters, lr=self.learning_rate, weight_decay=1e-4)
        rng = check_random_state(self.random_state)
        target = self._target(y)
        for _ in range(self.epochs):
            order = rng.permutation(len(windows))
            for rows in np.array_split(order, max(1, round(len(order) / _BATCH))):
                features = _pooled(network, self._features(windows[rows], model))
                loss = self._loss(head((features - shift) / scale), target[rows])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(parameters, 1.0)
                optimiser.step()
        return network.requires_grad_(False)

    def _target(self, y: Array) -> Tensor:
        raise NotImplementedError

    def _loss(self, said: Tensor, target: Tensor) -> Tensor:
        raise NotImplementedError

    def _head_input(self, X: npt.ArrayLike) -> Array:  # noqa: N803
        """Check what is to be predicted on, and return its features."""
        check_is_fitted(self)
        checked: Array = validate_data(self, X, reset=False, allow_nd=True, dtype=np.float64)
        return checked if checked.ndim == 2 else self.encode(checked)


def _pooled(network: EMOD, features: Features) -> Tensor:
    """Return means over time of each channel's tokens (windows, channels x 3 x features)."""
    time, frequency = network.encoder.branches(features.temporal, features.spectral, features.n_tokens)
    parts = [network.tokens(*features), time, frequency]
    return torch.cat([part.mean(2) for part in parts], -1).flatten(1)


class EMODClassifier(ClassifierMixin, _EMOD):  # type: ignore[misc]
    """Classes from windows of EEG: EMOD's features and a logistic regression, balanced.

    X is (windows, channels, samples) in microvolts, filtered to the model's band (`model.spec.band_hz`); or
    (windows, features) as `encode` gave them, so that the network runs once for many fits.

    Parameters
    ----------
    model : path-like or Model, optional
        The checkpoint; the shipped one of simulated people by default.
    ch_names : sequence of str, optional
        Electrode of each channel; needed for windows.
    sfreq : float, optional
        Rate of the windows, Hz; the model's own by default. Others are resampled.
    tune : {"head", "all"}
        Fit the head on the frozen network, or tune the network together with it, which takes far longer.
    C : float
        Inverse strength of the head's regularisation.
    epochs : int
        Passes over the windows with tune="all".
    learning_rate : float
        Of AdamW, with tune="all".
    random_state : int, RandomState or None
        Order of the windows with tune="all"; nothing else is drawn.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The classes, in the order of `predict_proba`.
    head_ : sklearn.pipeline.Pipeline
        Scaler and logistic regression.
    """

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:  # noqa: N803
        """Fit to windows, or their features, and one class each."""
        windows, labels = validate_data(self, X, y, allow_nd=True, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_: npt.NDArray[Any] = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(
                f"one class ({self.classes_[0]!r}) cannot be told from another; give two or more"
            )
        self._fit(windows, labels, LogisticRegression(C=self.C, class_weight="balanced", max_iter=2000))
        return self

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:  # noqa: N803
        """Return the likeliest class of each window."""
        features = self._head_input(X)
        said: npt.NDArray[Any] = self.head_.predict(features)
        return said

    def predict_proba(self, X: npt.ArrayLike) -> Array:  # noqa: N803
        """Return the probability of each class (windows, classes), in the order of `classes_`."""
        features = self._head_input(X)
        said: Array = self.head_.predict_proba(features)
        return said

    def _target(self, y: Array) -> Tensor:
        return torch.from_numpy(np.searchsorted(self.classes_, y))

    def _loss(self, said: Tensor, target: Tensor) -> Tensor:
        # two classes are one logit in scikit-learn
        logits = torch.cat([torch.zeros_like(said), said], 1) if said.shape[1] == 1 else said
        return functional.cross_entropy(logits, target, label_smoothing=0.1)


class EMODRegressor(RegressorMixin, _EMOD):  # type: ignore[misc]
    """Ratings from windows of EEG: EMOD's features and a ridge regression.

    X is as for `EMODClassifier`; y is (windows,), or (windows, 2) for valence and arousal together.

    Parameters
    ----------
    model : path-like or Model, optional
        The checkpoint; the shipped one of simulated people by default.
    ch_names : sequence of str, optional
        Electrode of each channel; needed for windows.
    sfreq : float, optional
        Rate of the windows, Hz; the model's own by default. Others are resampled.
    tune : {"head", "all"}
        Fit the head on the frozen network, or tune the network together with it, which takes far longer.
    C : float
        Inverse strength of the head's regularisation.
    epochs : int
        Passes over the windows with tune="all".
    learning_rate : float
        Of AdamW, with tune="all".
    random_state : int, RandomState or None
        Order of the windows with tune="all"; nothing else is drawn.

    Attributes
    ----------
    head_ : sklearn.pipeline.Pipeline
        Scaler and ridge regression.
    """

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:  # noqa: N803
        """Fit to windows, or their features, and one or several ratings each."""
        windows, ratings = validate_data(
            self, X, y, allow_nd=True, multi_output=True, y_numeric=True, dtype=np.float64
        )
        self._fit(windows, ratings, Ridge(alpha=1 / self.C))
        return self

    def predict(self, X: npt.ArrayLike) -> Array:  # noqa: N803
        """Return the ratings of each window, in the shape of those that it was fitted on."""
        features = self._head_input(X)
        said: Array = self.head_.predict(features)
        return said

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _target(self, y: Array) -> Tensor:
        return torch.from_numpy(y.reshape(len(y), -1)).float()

    def _loss(self, said: Tensor, target: Tensor) -> Tensor:
        return functional.mse_loss(said, target)
