"""Heads: the embedding of pretraining, valence-arousal with its uncertainty, and classes."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from emod_model.network.config import EMODConfig


class AttentionPool(nn.Module):
    """Mean over one dimension, weighed by the softmax of one linear score."""

    def __init__(self, d_model: int, dim: int, dropout: float):
        super().__init__()
        self.dim = dim
        self.attn = nn.Linear(d_model, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Pool dimension `dim` of (..., d) away."""
        weights = self.dropout(self.attn(x).softmax(self.dim))
        pooled: Tensor = (x * weights).sum(self.dim)
        return pooled


class TokenPool(nn.Module):
    """Attention pooling over channels, then over time: (B, C, T', d) to (B, d)."""

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.channels = AttentionPool(config.d_model, 1, config.pool_dropout)
        self.time = AttentionPool(config.d_model, 1, config.pool_dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Pool the tokens."""
        out: Tensor = self.time(self.channels(tokens))
        return out


class ProjectionHead(nn.Module):
    """The pretraining head: pooled tokens to an embedding of unit length."""

    def __init__(self, config: EMODConfig):
        super().__init__()
        d = config.d_model
        self.pool = TokenPool(config)
        self.mlp = nn.Sequential(
            nn.Linear(d, 4 * d, bias=False), nn.BatchNorm1d(4 * d), nn.GELU(), nn.Linear(4 * d, d)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, C, T', d) to embeddings (B, d)."""
        return functional.normalize(self.mlp(self.pool(tokens)), dim=-1)


class AffectHead(nn.Module):
    """Pooled tokens to valence and arousal, each with a standard deviation."""

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.sd_floor = config.sd_floor
        self.pool = TokenPool(config)
        self.mlp = _two_layers(config, 4)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Map tokens (B, C, T', d) to mean (B, 2) in [-1, 1] and sd (B, 2) above the floor."""
        out = self.mlp(self.pool(tokens))
        return torch.tanh(out[:, :2]), functional.softplus(out[:, 2:]) + self.sd_floor


class ClassHead(nn.Module):
    """Pooled tokens to one logit a class."""

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.pool = TokenPool(config)
        self.mlp = _two_layers(config, config.n_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, C, T', d) to logits (B, classes)."""
        out: Tensor = self.mlp(self.pool(tokens))
        return out


def _two_layers(config: EMODConfig, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(config.d_model, config.d_model),
        nn.GELU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.d_model, outputs),
    )
