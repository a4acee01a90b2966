"""The released network, written anew from reference facts, apart from the package.

It takes a state dict in the released layout and nothing of `emod_model`, with loops where they are clear, so
that what the package makes of the same numbers can be held against it.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

_NAMES = (
    "A1 A2 AF3 AF4 C1 C2 C3 C4 C5 C6 CB1 CB2 CP1 CP2 CP3 CP4 CP5 CP6 CPZ CZ F1 F2 F3 F4 F5 F6 F7 F8 FC1 FC2 "
    "FC3 FC4 FC5 FC6 FCZ FP1 FP2 FPZ FT7 FT8 FZ O1 O2 OZ P1 P2 P3 P4 P5 P6 P7 P8 PO3 PO4 PO5 PO6 PO7 PO8 POZ "
    "PZ T3 T4 T5 T6 T7 T8 TP7 TP8"
)
NAMES = _NAMES.split()
ROWS = {name: row for row, name in enumerate(NAMES, start=1)}

Weights = Mapping[str, Tensor]


def random_weights(
    *, older: bool, d: int = 128, layers: int = 3, offsets: int = 99, hidden: int = 512, seed: int = 0
) -> dict[str, Tensor]:
    """Numbers of every tensor of the released layout, none of them at a value that hides a mistake."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
        return shift + scale * torch.randn(*shape, generator=generator)

    weights: dict[str, Tensor] = {}

    def linear(name: str, into: int, out: int, *, bias: bool = True) -> None:
        weights[f"{name}.weight"] = draw(out, into, scale=into**-0.5)
        if bias:
            weights[f"{name}.bias"] = draw(out, scale=0.3)

    def norm(name: str, size: int) -> None:
        weights[f"{name}.weight"] = draw(size, scale=0.2, shift=1.0)
        weights[f"{name}.bias"] = draw(size, scale=0.2)

    for branch in ("time", "freq"):
        weights[f"embd.{branch}_tokenConv.0.weight"] = draw(d, 1, 1, 25, scale=0.2)
        weights[f"embd.{branch}_tokenConv.0.bias"] = draw(d, scale=0.2)
        norm(f"embd.{branch}_tokenConv.1", d)
    linear("embd.l.1", 2 * d, d)
    weights["pos_embeddings.weight"] = draw(72, d)
    for layer in range(layers):
        at = f"axial_transformer.layers.{layer}"
        for side in ("height", "width"):
            linear(f"{at}.{side}_attn.qkv", d, 3 * d)
            linear(f"{at}.{side}_attn.proj", d, d)
        weights[f"{at}.width_attn.rel_pos_embed.rel_embed"] = draw(offsets, 8)
        for part in ("height", "width", "ffn"):
            norm(f"{at}.norm_{part}", d)
        linear(f"{at}.ffn.0", d, hidden)
        linear(f"{at}.ffn.3", hidden, d)
    pools = ("attnpool_c", "attnpool_t") if older else ("projection_head.0", "projection_head.1")
    for pool in pools:
        linear(f"{pool}.attn", d, 1)
    first, batch, last = ("projection_head.0", "projection_head.1", "projection_head.3") if older else (
        "projection_head.3", "projection_head.4", "projection_head.6",
    )  # fmt: skip
    linear(first, d, 4 * d, bias=False)
    norm(batch, 4 * d)
    weights[f"{batch}.running_mean"] = draw(4 * d, scale=0.3)
    weights[f"{batch}.running_var"] = draw(4 * d).abs() + 0.3
    weights[f"{batch}.num_batches_tracked"] = torch.tensor(1234)
    linear(last, 4 * d, d)
    return weights


def gelu(x: Tensor) -> Tensor:
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def affine(w: Weights, name: str, x: Tensor) -> Tensor:
    y = x @ w[f"{name}.weight"].T
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def normed(w: Weights, name: str, x: Tensor) -> Tensor:
    spread = ((x - x.mean(-1, keepdim=True)) ** 2).mean(-1, keepdim=True)
    scaled = (x - x.mean(-1, keepdim=True)) / torch.sqrt(spread + 1e-5)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def branch_tokens(w: Weights, name: str, rows: Tensor, n_tokens: int) -> Tensor:
    """One window (channels, samples) through convolution, GroupNorm, GELU and pooling: (channels, T', d)."""
    kernel, bias = w[f"{name}.0.weight"][:, 0, 0], w[f"{name}.0.bias"]
    d, width = kernel.shape
    channels, samples = rows.shape
    half = width // 2
    padded = torch.zeros(channels, samples + 2 * half, dtype=rows.dtype)
    padded[:, half : half + samples] = rows
    planes = bias[:, None, None] + sum(
        kernel[:, tap, None, None] * padded[None, :, tap : tap + samples] for tap in range(width)
    )
    size = d // 4
    for group in range(4):
        part = planes[group * size : (group + 1) * size]
        part = (part - part.mean()) / torch.sqrt(part.var(unbiased=False) + 1e-5)
        planes[group * size : (group + 1) * size] = part
    planes = planes * w[f"{name}.1.weight"][:, None, None] + w[f"{name}.1.bias"][:, None, None]
    planes = gelu(planes)
    tokens = torch.empty(channels, n_tokens, d, dtype=rows.dtype)
    for k in range(n_tokens):
        start, stop = k * samples // n_tokens, -(-(k + 1) * samples // n_tokens)
        tokens[:, k] = planes[:, :, start:stop].mean(-1).T
    return tokens


def attend(w: Weights, name: str, rows: Tensor, table: Tensor | None) -> Tensor:
    """Attention among the rows of one matrix (length, d)."""
    length, d = rows.shape
    mapped = affine(w, f"{name}.qkv", rows)
    out = torch.empty_like(rows)
    if table is not None:
        middle = len(table) // 2
        vectors = torch.stack([table[i - j + middle] for i in range(length) for j in range(length)])
    for head in range(d // 8):
        part = slice(8 * head, 8 * head + 8)
        query, key, value = (mapped[:, block * d : (block + 1) * d][:, part] for block in range(3))
        logits = query @ key.T / math.sqrt(8)
        if table is not None:
            logits += (vectors * query.repeat_interleave(length, 0)).sum(-1).view(length, length)
        out[:, part] = torch.softmax(logits, -1) @ value
    return affine(w, f"{name}.proj", out)


def layer(w: Weights, at: str, x: Tensor) -> Tensor:
    """One layer on the tokens of a window (channels, T', d)."""
    channels, length, d = x.shape
    seen = normed(w, f"{at}.norm_height", x)
    x = x + torch.stack([attend(w, f"{at}.height_attn", seen[:, t], None) for t in range(length)], 1)
    seen = normed(w, f"{at}.norm_width", x)
    table = w[f"{at}.width_attn.rel_pos_embed.rel_embed"]
    moved = []
    for c in range(channels):
        # Feature after feature, each over all time steps: that memory, cut into rows of d, is what attends.
        memory = torch.cat([seen[c, :, feature] for feature in range(d)])
        rows = torch.stack([memory[k * d : (k + 1) * d] for k in range(length)])
        moved.append(attend(w, f"{at}.width_attn", rows, table))
    x = x + torch.stack(moved)
    seen = normed(w, f"{at}.norm_ffn", x)
    return x + affine(w, f"{at}.ffn.3", gelu(affine(w, f"{at}.ffn.0", seen)))


def embed(w: Weights, x: Tensor) -> Tensor:
    """Pool the tokens of a window over channels, then over time, and project them."""
    older = "attnpool_c.attn.weight" in w
    pools = ("attnpool_c", "attnpool_t") if older else ("projection_head.0", "projection_head.1")
    first, batch, last = (0, 1, 3) if older else (3, 4, 6)
    over_channels = torch.softmax(affine(w, f"{pools[0]}.attn", x), 0)
    x = (x * over_channels).sum(0)
    over_time = torch.softmax(affine(w, f"{pools[1]}.attn", x), 0)
    x = (x * over_time).sum(0)
    x = affine(w, f"projection_head.{first}", x)
    at = f"projection_head.{batch}"
    x = (x - w[f"{at}.running_mean"]) / torch.sqrt(w[f"{at}.running_var"] + 1e-5)
    x = affine(w, f"projection_head.{last}", gelu(x * w[f"{at}.weight"] + w[f"{at}.bias"]))
    return x / x.norm()


def encode(weights: Weights, eeg: Tensor, names: list[str], sfreq: int) -> tuple[Tensor, Tensor]:
    """Tokens (B, C, T', d) and embeddings (B, d) of windows (B, C, samples), in float64."""
    w = {key: value.double() for key, value in weights.items()}
    electrodes = torch.stack([w["pos_embeddings.weight"][ROWS[name.upper()]] for name in names])
    n_tokens = 5 * (eeg.shape[-1] // sfreq)
    n_layers = sum(key.endswith("norm_ffn.weight") for key in w)
    all_tokens, embeddings = [], []
    for window in eeg.double():
        spectrum = torch.fft.rfft(window).real / window.shape[-1]
        time = branch_tokens(w, "embd.time_tokenConv", window, n_tokens)
        frequency = branch_tokens(w, "embd.freq_tokenConv", spectrum, n_tokens)
        x = gelu(affine(w, "embd.l.1", torch.cat([time, frequency], -1))) + electrodes[:, None]
        for number in range(n_layers):
            x = layer(w, f"axial_transformer.layers.{number}", x)
        all_tokens.append(x)
        embeddings.append(embed(w, x))
    return torch.stack(all_tokens), torch.stack(embeddings)
