"""The whole of a model as one graph: conditioned microvolts and electrodes in, estimates out."""

import math
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from emod_model.checkpoint import Model
from emod_model.features.spectrum import FLOOR_UV2_HZ, FRAME_S, basis
from emod_model.montage import spatial_weights
from emod_model.montage.names import ALIASES, table
from emod_model.network.encoder import ConvBranch, PowerBranch, token_means

ELECTRODES: tuple[str, ...] = (*sorted(table()), *ALIASES)
"""Every electrode that an exported model knows; its place in here is what the graph is given."""


def _group_mean(planes: Tensor) -> Tensor:
    """Return the mean (B, 1, groups, 1, 1) of planes (B, C, groups, filters, N).

    One dimension after another: a runtime that adds a million numbers up in a row loses the fourth digit.
    """
    return planes.mean(4, keepdim=True).mean(3, keepdim=True).mean(1, keepdim=True)


class PlainBranch(nn.Module):
    """`ConvBranch` as the layers it stands for: what other runtimes have fast kernels for."""

    def __init__(self, branch: ConvBranch):
        super().__init__()
        self.conv = branch.conv
        self.weight, self.bias = branch.norm.weight, branch.norm.bias
        self.n_groups, self.eps = branch.n_groups, branch.norm.eps

    def forward(self, x: Tensor, n_tokens: int) -> Tensor:
        """Map (B, C, N) to (B, C, n_tokens, d)."""
        batch, channels, samples = x.shape
        planes = self.conv(x.reshape(batch * channels, 1, samples))
        features = planes.shape[1]
        planes = planes.reshape(batch, channels, self.n_groups, features // self.n_groups, samples)
        centred = planes - _group_mean(planes)
        variance = _group_mean(centred * centred)
        planes = (centred * torch.rsqrt(variance + self.eps)).reshape(batch, channels, features, samples)
        planes = functional.gelu(planes * self.weight[:, None] + self.bias[:, None])
        return torch.matmul(token_means(n_tokens, samples, x), planes.transpose(2, 3))


class _Body(nn.Module):
    """Features and network in one, for any number of windows, channels and samples.

    Parameters
    ----------
    model : Model
        What is exported.
    by_matrix : bool
        Take the published spectrum by a matrix of cosines: ONNX Runtime's own Fourier transform is off by
        more than 1e-4 where the length is no power of two.
    """

    spatial: Tensor
    waves: Tensor

    def __init__(self, model: Model, *, by_matrix: bool = False):
        super().__init__()
        self.by_matrix = by_matrix
        spec, network, config = model.spec, model.network, model.info.network
        self.published = spec.spectrum == "real-part"
        self.scale = 1.0 if self.published else spec.scale_uv
        # Samples a token, or a second where the spectrum is the published one, as a fraction: the number of
        # tokens follows from integers alone, so that no runtime can round it elsewhere.
        unit = Fraction(spec.sfreq) if self.published else Fraction(spec.sfreq) / spec.tokens_per_s
        unit = unit.limit_denominator(10_000)
        self.top, self.bottom = unit.numerator, unit.denominator
        self.tokens_a_unit = spec.tokens_per_s if self.published else 1
        self.floor = FLOOR_UV2_HZ
        self.frame = round(FRAME_S * spec.sfreq)
        self.temporal = PlainBranch(network.encoder.temporal)
        branch = network.encoder.spectral
        self.spectral = branch if isinstance(branch, PowerBranch) else PlainBranch(branch)
        self.encoder, self.layers = network.encoder, network.layers
        self.projection, self.affect, self.classes = network.projection, network.affect, network.classes
        self.gives_affect, self.gives_classes = model.info.affect_trained, config.n_classes > 0
        rows = [spatial_weights([name], old_rows=spec.electrode_rows == "published") for name in ELECTRODES]
        self.register_buffer("spatial", torch.from_numpy(np.concatenate(rows)))
        self.register_buffer("waves", basis(self.frame, spec.sfreq).float())

    def _read(
        self, temporal: Tensor, spectrum: Tensor, electrodes: Tensor, n_tokens: int
    ) -> dict[str, Tensor]:
        """Return what the network makes of features."""
        time, frequency = self.temporal(temporal, n_tokens), self.spectral(spectrum, n_tokens)
        spatial = self.spatial[electrodes].unsqueeze(0).expand(temporal.shape[0], -1, -1)
        x = self.encoder.fuse(time, frequency, spatial)
        for layer in self.layers:
            x = layer(x)
        found = {"tokens": x, "embedding": self.projection(x)}
        if self.gives_affect:
            found["affect"], found["affect_sd"] = self.affect(x)
        if self.classes is not None:
            found["logits"] = self.classes(x)
        return found

    def _tokens(self, samples: int) -> int:
        """Return the time tokens of a window, to the nearest sample as `token_count` has it."""
        if self.published:
            return (2 * samples + 1) * self.bottom // (2 * self.top) * self.tokens_a_unit
        return (2 * samples * self.bottom + self.top) // (2 * self.top)

    def _real_part(self, eeg: Tensor) -> Tensor:
        """Return the published spectrum, as `features.real_part_spectrum` does."""
        if not self.by_matrix:
            spectrum: Tensor = torch.fft.rfft(eeg, dim=-1, norm="forward").real
            return spectrum
        samples = eeg.shape[2]
        sample = torch.arange(samples, device=eeg.device)
        bins = torch.arange(samples // 2 + 1, device=eeg.device)
        # Whole turns taken off in integers, so that no cosine is asked of a large angle.
        steps = sample[:, None] * bins
        steps = steps - torch.div(steps, samples, rounding_mode="floor") * samples
        return torch.matmul(eeg, (steps.to(eeg.dtype) * (2 * math.pi / samples)).cos()) / samples

    def _spectra(self, eeg: Tensor, n_tokens: int) -> Tensor:
        """Return cosine and sine parts around every token, as `features.spectra` does from one second on.

        Shape (batch, channels, n_tokens, 2, bins).
        """
        batch, channels, samples = eeg.shape
        token = torch.arange(n_tokens, device=eeg.device)
        doubled = (2 * token + 1) * samples + n_tokens * (1 - self.frame)
        start = torch.div(doubled, 2 * n_tokens, rounding_mode="floor")
        # The upper edge first: a window shorter than a frame then asks for samples that are not there.
        start = start.clamp(max=samples - self.frame).clamp(min=0)
        index = (start[:, None] + torch.arange(self.frame, device=eeg.device)).reshape(-1)
        frames = eeg.index_select(2, index).reshape(batch, channels, n_tokens, self.frame)
        return torch.matmul(frames, self.waves).reshape(
            batch, channels, n_tokens, 2, self.waves.shape[1] // 2
        )

    def _log(self, parts: Tensor) -> Tensor:
        """Return the log power of spectra."""
        return (parts**2).sum(3).clamp(min=self.floor).log()


class Graph(_Body):
    """A model that reads windows as they are."""

    def forward(self, eeg: Tensor, electrodes: Tensor) -> dict[str, Tensor]:
        """Return what the model makes of windows.

        Parameters
        ----------
        eeg : torch.Tensor, shape (batch, channels, samples)
            Microvolts, conditioned as the model's signal specification says.
        electrodes : torch.Tensor of int64, shape (channels,)
            Where the electrode of each channel stands in `ELECTRODES`.

        Returns
        -------
        dict of str to torch.Tensor
            "tokens" (batch, channels, time tokens, features), "embedding" (batch, features) of unit length;
            "affect" and "affect_sd" (batch, 2), valence then arousal, where they were trained; "logits"
            (batch, classes) where the model tells classes apart.
        """
        n_tokens = self._tokens(eeg.shape[2])
        spectrum = self._real_part(eeg) if self.published else self._log(self._spectra(eeg, n_tokens))
        return self._read(eeg / self.scale, spectrum, electrodes, n_tokens)


class CentredGraph(_Body):
    """A model that takes the wearer's baseline off; what does so is given with the windows."""

    def forward(self, eeg: Tensor, electrodes: Tensor, maps: Tensor, scale: Tensor) -> dict[str, Tensor]:
        """Return what the model makes of windows of one wearer.

        Parameters
        ----------
        eeg, electrodes
            As for `Graph`.
        maps : torch.Tensor, shape (bins, channels, channels)
            Applied to the spectra of each bin, see `emod_model.centring.Removal`.
        scale : torch.Tensor, shape (channels,)
            Microvolts that become 1 in the temporal branch.

        Returns
        -------
        dict of str to torch.Tensor
            As for `Graph`.
        """
        batch, channels, samples = eeg.shape
        n_tokens = self._tokens(samples)
        parts = self._spectra(eeg, n_tokens)
        bins = parts.shape[4]
        by_bin = parts.permute(0, 4, 1, 2, 3).reshape(batch, bins, channels, 2 * n_tokens)
        mapped = torch.matmul(maps, by_bin).reshape(batch, bins, channels, n_tokens, 2)
        spectrum = self._log(mapped.permute(0, 2, 3, 4, 1))
        return self._read(eeg / scale[:, None], spectrum, electrodes, n_tokens)
