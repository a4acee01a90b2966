"""Triple-domain encoder: signal, spectrum and electrode become one vector a channel and time token."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emod_model.network.config import EMODConfig


class ConvBranch(nn.Module):
    """Convolution along a row of samples, GroupNorm over channels and samples together, GELU, mean a token."""

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.conv = nn.Conv1d(1, config.d_model, config.kernel, padding=config.kernel // 2)
        self.norm = nn.GroupNorm(config.n_groups, config.d_model)

    def forward(self, x: Tensor, n_tokens: int) -> Tensor:
        """Map (B, C, N) to (B, C, n_tokens, d)."""
        batch, channels, samples = x.shape
        y = self.conv(x.reshape(batch * channels, 1, samples))
        y = y.view(batch, channels, -1, samples).transpose(1, 2)
        y = F.gelu(self.norm(y))
        pooled = F.adaptive_avg_pool2d(y, (channels, n_tokens))
        return pooled.permute(0, 2, 3, 1)


class PowerBranch(nn.Module):
    """Log power standardised bin by bin with the training data's mean and deviation, then linear."""

    mean: Tensor
    sd: Tensor

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.register_buffer("mean", torch.zeros(config.n_bins))
        self.register_buffer("sd", torch.ones(config.n_bins))
        self.linear = nn.Linear(config.n_bins, config.d_model)

    def forward(self, x: Tensor, n_tokens: int) -> Tensor:
        """Map (B, C, n_tokens, bins) to (B, C, n_tokens, d)."""
        assert x.size(2) == n_tokens, "as many spectra as time tokens"
        out: Tensor = self.linear((x - self.mean) / self.sd)
        return out


class TripleDomainEncoder(nn.Module):
    """Temporal and spectral tokens fused by a linear layer, plus the electrode's vector."""

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.temporal = ConvBranch(config)
        self.spectral = PowerBranch(config) if config.spectrum == "log-power" else ConvBranch(config)
        self.fusion = nn.Linear(2 * config.d_model, config.d_model)
        self.electrodes = nn.Parameter(torch.randn(config.table_rows, config.d_model) * 0.02)

    def forward(self, temporal: Tensor, spectral: Tensor, spatial: Tensor, n_tokens: int) -> Tensor:
        """Map the three features to tokens (B, C, n_tokens, d)."""
        both = torch.cat([self.temporal(temporal, n_tokens), self.spectral(spectral, n_tokens)], dim=-1)
        return F.gelu(self.fusion(both)) + torch.matmul(spatial, self.electrodes).unsqueeze(2)
