"""Attention over channels and over time."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from emod_model.network.config import EMODConfig


def random_table(rows: int, size: int) -> Tensor:
    """Return vectors (rows, size) to begin to learn from, deviation 0.02."""
    table = torch.empty(rows, size)
    # Where only shapes are asked for, torch would import its compiler to draw nothing: seconds at each start.
    return table if table.is_meta else table.normal_().mul_(0.02)


class ChannelAttention(nn.Module):
    """Multi-head attention over the channels of each time step; takes and returns (B, C, T', d)."""

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.n_heads = config.n_heads
        self.d_head = config.d_head
        self.qkv = nn.Linear(config.d_model, 3 * config.d_model)
        self.proj = nn.Linear(config.d_model, config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Attend over dimension 1."""
        batch, channels, tokens, features = x.shape
        qkv = self.qkv(x).view(batch, channels, tokens, 3, self.n_heads, self.d_head)
        # (3, B, T', heads, C, head size), then one flat batch for the fused kernel.
        qkv = qkv.permute(3, 0, 2, 4, 1, 5).reshape(3, batch * tokens, self.n_heads, channels, self.d_head)
        mixed = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        mixed = mixed.view(batch, tokens, self.n_heads, channels, self.d_head).permute(0, 3, 1, 2, 4)
        out: Tensor = self.proj(mixed.reshape(batch, channels, tokens, features))
        return out


class RelativeOffsets(nn.Module):
    """A learned vector for every offset between a query's and a key's time token."""

    def __init__(self, max_tokens: int, d_head: int):
        super().__init__()
        self.max_tokens = max_tokens
        self.rel_embed = nn.Parameter(random_table(2 * max_tokens - 1, d_head))

    def forward(self, query: Tensor) -> Tensor:
        """Return the logits (N, heads, L, L) of query (N, heads, L, head size): query_i . table[i - j]."""
        n, heads, length, size = query.shape
        step = torch.arange(length, device=query.device)
        vectors = self.rel_embed[step[:, None] - step[None, :] + (self.max_tokens - 1)]
        # One product for each query position shares its L vectors over all windows and heads.
        by_step = query.permute(2, 0, 1, 3).reshape(length, n * heads, size)
        logits = torch.bmm(by_step, vectors.transpose(1, 2))
        return logits.view(length, n, heads, length).permute(1, 2, 0, 3)


class TimeAttention(nn.Module):
    """Multi-head attention over the time tokens of each channel; takes and returns (B, C, T', d).

    logit_ij = q_i . k_j / sqrt(head size) + q_i . table[i - j]: as in the released code, the scale applies to
    the content term alone.

    With `temporal_axis="published"`, the (T', d) matrix of a window and channel is transposed to (d, T') in
    memory and that memory is read as (T', d) again, never transposed back. Released weights were trained so.
    """

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.n_heads = config.n_heads
        self.d_head = config.d_head
        self.reinterpret = config.temporal_axis == "published"
        self.scale = config.d_head**-0.5
        self.qkv = nn.Linear(config.d_model, 3 * config.d_model)
        self.proj = nn.Linear(config.d_model, config.d_model)
        self.rel_pos_embed = RelativeOffsets(config.max_tokens, config.d_head)

    def forward(self, x: Tensor) -> Tensor:
        """Attend over dimension 2."""
        batch, channels, tokens, features = x.shape
        if self.reinterpret:
            x = x.transpose(2, 3).reshape(batch, channels, tokens, features)
        qkv = self.qkv(x).view(batch * channels, tokens, 3, self.n_heads, self.d_head).permute(2, 0, 3, 1, 4)
        query = qkv[0]
        logits = torch.matmul(query * self.scale, qkv[1].transpose(2, 3)) + self.rel_pos_embed(query)
        mixed = torch.matmul(logits.softmax(-1), qkv[2])
        out: Tensor = self.proj(mixed.transpose(1, 2).reshape(batch, channels, tokens, features))
        return out


class AxialLayer(nn.Module):
    """Attention over channels, attention over time, feed-forward: each after a LayerNorm, each added."""

    def __init__(self, config: EMODConfig):
        super().__init__()
        self.norm_height = nn.LayerNorm(config.d_model)
        self.height_attn = ChannelAttention(config)
        self.norm_width = nn.LayerNorm(config.d_model)
        self.width_attn = TimeAttention(config)
        self.norm_ffn = nn.LayerNorm(config.d_model)
        self.ffn = nn.Sequential(
            nn.Linear(config.d_model, config.d_feedforward),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.d_feedforward, config.d_model),
            nn.Dropout(config.dropout),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (B, C, T', d) to tokens of the same shape."""
        x = x + self.dropout(self.height_attn(self.norm_height(x)))
        x = x + self.dropout(self.width_attn(self.norm_width(x)))
        out: Tensor = x + self.ffn(self.norm_ffn(x))
        return out
