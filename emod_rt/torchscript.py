"""The compiled network as an engine."""

import numpy as np
import numpy.typing as npt
import torch

from emod_model.centring import Removal, remove
from emod_model.checkpoint import Model
from emod_model.features import band_power_db, extract, log_power
from emod_model.montage import positions
from emod_rt.engine import Inference

_MOST_SETS = 1000


class TorchScriptEngine:
    """The compiled network on one thread.

    One window is little work: a second thread costs more than it brings and makes latency uneven.
    The optimising executor is off, since it recompiles while it runs and so changes the last bits.

    Parameters
    ----------
    model : Model
        The checkpoint.
    views : bool
        Give the network's views too, which a person's profile reads.

    Raises
    ------
    ModelError
        Weights whose valence and arousal were never trained.
    """

    def __init__(self, model: Model, *, views: bool = False) -> None:
        model.require_affect()
        torch.set_num_threads(1)
        self.spec = model.spec
        self.centring = model.info.centring
        self._network = model.script()
        self._views = views
        self._places: dict[tuple[str, ...], torch.Tensor] = {}

    def infer(
        self, eeg: npt.NDArray[np.float32], channels: tuple[str, ...], removal: Removal | None = None
    ) -> Inference:
        """Estimate one window, shape (channels, samples), conditioned as `spec` says, microvolts.

        A model with `centring` needs `removal`, which takes the person's baseline off.
        """
        with torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            window = torch.from_numpy(eeg)
            features = extract(window[None], channels, self.spec.sfreq, self.spec)
            # what a person looks at is the power as it is
            spectrum = features.spectral[0]
            if removal is not None:
                features = remove(features, window[None], self.spec, removal)
            views = None
            if self._views:
                mean, sd, views = self._network.views(*features, self._places_of(channels))
            else:
                mean, sd = self._network(*features)
            if self.spec.spectrum != "log-power":
                spectrum = log_power(window, self.spec.sfreq, features.n_tokens)
            bands = band_power_db(spectrum)
        return Inference(
            mean[0].double().numpy(),
            sd[0].double().numpy(),
            bands.double().numpy(),
            None if views is None else views[0].double().numpy(),
        )

    def _places_of(self, channels: tuple[str, ...]) -> torch.Tensor:
        """Return where the electrodes sit; bad ones come and go, so each set is kept."""
        if channels not in self._places:
            if len(self._places) >= _MOST_SETS:
                self._places.clear()
            self._places[channels] = torch.from_numpy(positions(channels)).float()
        return self._places[channels]

    def warm_up(self) -> None:
        """Run once on noise so that the first window of a session is not a slow one."""
        noise = np.random.default_rng(0).standard_normal((2, self.spec.window_samples))
        self.infer(noise.astype(np.float32), ("Fp1", "Fp2"))
