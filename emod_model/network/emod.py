"""The whole network."""

import warnings

import torch
from torch import Tensor, nn

from emod_model.network.attention import AxialLayer
from emod_model.network.config import EMODConfig
from emod_model.network.encoder import PowerBranch, TripleDomainEncoder
from emod_model.network.heads import AffectHead, ClassHead, ProjectionHead


class EMOD(nn.Module):
    """Triple-domain encoder, axial transformer, and the heads for embedding, affect and classes.

    Takes any number of channels and 1 to `max_tokens` time tokens. Shapes: B windows, C channels, N samples,
    T' tokens, d features.

    Parameters
    ----------
    config : EMODConfig
        Architecture.
    """

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.encoder = TripleDomainEncoder(config)
        self.layers = nn.ModuleList([AxialLayer(config) for _ in range(config.n_layers)])
        self.projection = ProjectionHead(config)
        self.affect = AffectHead(config)
        self.classes = ClassHead(config) if config.n_classes else None

    @torch.jit.export
    def tokens(self, temporal: Tensor, spectral: Tensor, spatial: Tensor, n_tokens: int) -> Tensor:
        """Run the backbone.

        Parameters
        ----------
        temporal, spectral, spatial, n_tokens
            As in `emod_model.features.Features`.

        Returns
        -------
        torch.Tensor, shape (B, C, T', d)
            Feed it to `projection` and `affect` when both are wanted.
        """
        return self._transform(self.encoder(temporal, spectral, spatial, n_tokens))

    def _transform(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x

    @torch.jit.export
    def encode(
        self, temporal: Tensor, spectral: Tensor, spatial: Tensor, n_tokens: int
    ) -> tuple[Tensor, Tensor]:
        """Return tokens (B, C, T', d) and embeddings (B, d) of unit length."""
        tokens = self.tokens(temporal, spectral, spatial, n_tokens)
        return tokens, self.projection(tokens)

    def forward(
        self, temporal: Tensor, spectral: Tensor, spatial: Tensor, n_tokens: int
    ) -> tuple[Tensor, Tensor]:
        """Return mean (B, 2) in [-1, 1] and standard deviation (B, 2) of valence and arousal."""
        mean, sd = self.affect(self.tokens(temporal, spectral, spatial, n_tokens))
        return mean, sd

    @torch.jit.export
    def logits(self, tokens: Tensor) -> Tensor:
        """Return one logit a class (B, classes) of tokens (B, C, T', d).

        Raises
        ------
        RuntimeError
            The network has no classes.
        """
        if self.classes is None:
            raise RuntimeError("this network tells no classes apart")
        out: Tensor = self.classes(tokens)
        return out

    @torch.jit.export
    def views(
        self, temporal: Tensor, spectral: Tensor, spatial: Tensor, n_tokens: int, places: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean (B, 2), deviation (B, 2) and what a person's calibration is fitted on.

        Parameters
        ----------
        temporal, spectral, spatial, n_tokens
            As in `emod_model.features.Features`.
        places : torch.Tensor, shape (C, 3)
            Where the electrodes sit on the unit sphere, x right, y front.

        Returns
        -------
        mean, sd : torch.Tensor, shape (B, 2)
            As `forward` gives them.
        views : torch.Tensor, shape (B, 5, d)
            Of the time signal, of the spectrum, of both fused by the backbone; and the latter's contrasts
            right minus left and front minus back, which pooling over the electrodes would cancel.
        """
        time, frequency = self.encoder.branches(temporal, spectral, n_tokens)
        tokens = self._transform(self.encoder.fuse(time, frequency, spatial))
        mean, sd = self.affect(tokens)
        by_place = torch.matmul(places[:, :2].t() / places.size(0), tokens.mean(2))
        pooled = torch.stack([time.mean([1, 2]), frequency.mean([1, 2]), self.affect.pool(tokens)], 1)
        return mean, sd, torch.cat([pooled, by_place], 1)

    @torch.jit.unused
    def set_spectrum_statistics(self, mean: Tensor, sd: Tensor) -> None:
        """Set what standardises the log power.

        Parameters
        ----------
        mean, sd : torch.Tensor, shape (bins,)
            Over the windows, channels and tokens of the training data.

        Raises
        ------
        ValueError
            The network has no log-power branch, a wrong shape, or a deviation that is not above 0.
        """
        branch = self.encoder.spectral
        if not isinstance(branch, PowerBranch):
            raise ValueError("a network with the published spectrum has no statistics to set")
        if mean.shape != branch.mean.shape or sd.shape != branch.sd.shape or not bool((sd > 0).all()):
            raise ValueError(f"mean and sd must have shape {tuple(branch.mean.shape)}, sd above 0")
        branch.mean.copy_(mean)
        branch.sd.copy_(sd)


def backbone_parameters(network: EMOD) -> int:
    """Count the trained numbers of encoder and layers, without the heads."""
    return sum(p.numel() for part in (network.encoder, network.layers) for p in part.parameters())


def script(network: EMOD) -> torch.jit.ScriptModule:
    """Compile a network, in evaluation mode, to one TorchScript module for every montage and window length.

    Raises
    ------
    ValueError
        The network is in training mode.
    """
    if network.training:
        raise ValueError("call eval() first: a compiled network keeps its mode")
    with warnings.catch_warnings():
        # The advised successors need Python at run time; TorchScript is the format served here.
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is deprecated", DeprecationWarning)
        compiled: torch.jit.ScriptModule = torch.jit.script(network)
    return compiled
