"""The network: the published sizes and equations, any montage, any window length, eager or compiled."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional

from emod_model.features import Features
from emod_model.network import EMOD, EMODConfig, backbone_parameters, script
from emod_model.network.attention import AxialLayer, TimeAttention
from emod_model.network.encoder import ConvBranch, token_means

Array = npt.NDArray[np.float64]

SMALL = EMODConfig(d_model=16, n_layers=2, n_heads=4, d_feedforward=24, n_groups=2)
SMALL_PUBLISHED = SMALL.model_copy(update={"temporal_axis": "published", "spectrum": "real-part"})
PUBLISHED = EMODConfig(temporal_axis="published", spectrum="real-part")
SHAPES = [(1, 1, 1), (2, 3, 15), (3, 8, 7), (1, 12, 50)]


@pytest.fixture(autouse=True)
def repeatable() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def disturbed(network: nn.Module) -> nn.Module:
    """Move every parameter off its initial value, so that none can be forgotten unnoticed."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return network.eval()


def network_of(config: EMODConfig) -> EMOD:
    network = disturbed(EMOD(config))
    assert isinstance(network, EMOD)
    return network


def random_features(config: EMODConfig, batch: int, channels: int, tokens: int) -> Features:
    samples = 25 * tokens
    temporal = torch.randn(batch, channels, samples)
    log_power = config.spectrum == "log-power"
    spectral = torch.randn(batch, channels, *((tokens, config.n_bins) if log_power else (samples // 2 + 1,)))
    spatial = torch.rand(batch, channels, config.table_rows).softmax(-1)
    return Features(temporal, spectral, spatial, tokens)


# What was published


def test_the_published_network_has_the_published_size() -> None:
    network = EMOD(PUBLISHED)
    assert backbone_parameters(network) == 845_384
    head = sum(p.numel() for p in network.projection.parameters())
    assert backbone_parameters(network) + head == 977_866


def test_the_default_differs_from_it_in_the_spectral_branch_alone() -> None:
    convolution = 128 * 25 + 128 + 2 * 128
    linear = 45 * 128 + 128
    assert backbone_parameters(EMOD(EMODConfig())) == 845_384 - convolution + linear


# The equations, against loops in float64 that share no code with the network


def numbers(tensor: Tensor) -> Array:
    return tensor.detach().numpy().astype(np.float64)


def naive_linear(x: Array, layer: nn.Linear) -> Array:
    weight, bias = numbers(layer.weight), numbers(layer.bias)
    return np.array([sum(w * v for w, v in zip(row, x, strict=True)) for row in weight]) + bias


def naive_norm(x: Array, layer: nn.LayerNorm) -> Array:
    centred = x - x.mean()
    return numbers(layer.weight) * centred / math.sqrt((x**2).mean() - x.mean() ** 2 + layer.eps) + numbers(
        layer.bias
    )


def naive_attention(
    rows: list[Array], qkv: nn.Linear, proj: nn.Linear, n_heads: int, offsets: Array | None
) -> list[Array]:
    """Attend over a list of vectors; `offsets` is the relative table, its middle row offset 0."""
    d = len(rows[0])
    size = d // n_heads
    mapped = [naive_linear(row, qkv) for row in rows]
    outputs = []
    for i in range(len(rows)):
        heads = []
        for head in range(n_heads):
            part = slice(head * size, (head + 1) * size)
            query = mapped[i][:d][part]
            logits = []
            for j in range(len(rows)):
                logit = query @ mapped[j][d : 2 * d][part] / math.sqrt(size)
                if offsets is not None:
                    logit += query @ offsets[i - j + len(offsets) // 2]
                logits.append(math.exp(logit))
            values = [mapped[j][2 * d :][part] for j in range(len(rows))]
            heads.append(sum(w / sum(logits) * v for w, v in zip(logits, values, strict=True)))
        outputs.append(naive_linear(np.concatenate(heads), proj))
    return outputs


def naive_layer(x: Array, layer: AxialLayer) -> Array:
    """One axial layer on tokens (channels, time, features)."""
    channels, tokens, _ = x.shape
    height, width = layer.height_attn, layer.width_attn
    x = x.copy()
    for t in range(tokens):
        rows = [naive_norm(x[c, t], layer.norm_height) for c in range(channels)]
        x[:, t] += naive_attention(rows, height.qkv, height.proj, height.n_heads, None)
    for c in range(channels):
        rows = [naive_norm(x[c, t], layer.norm_width) for t in range(tokens)]
        table = numbers(width.rel_pos_embed.rel_embed)
        x[c] += naive_attention(rows, width.qkv, width.proj, width.n_heads, table)
    first, last = layer.ffn[0], layer.ffn[3]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    for c in range(channels):
        for t in range(tokens):
            hidden = naive_linear(naive_norm(x[c, t], layer.norm_ffn), first)
            gelu = np.array([h * (1 + math.erf(h / math.sqrt(2))) / 2 for h in hidden])
            x[c, t] += naive_linear(gelu, last)
    return x


@pytest.mark.parametrize(("channels", "tokens"), [(1, 1), (3, 5), (5, 2)])
def test_an_axial_layer_is_channels_then_time_then_feedforward(channels: int, tokens: int) -> None:
    layer = disturbed(AxialLayer(SMALL).double())
    assert isinstance(layer, AxialLayer)
    x = torch.randn(2, channels, tokens, SMALL.d_model, dtype=torch.float64)
    expected = np.stack([naive_layer(numbers(window), layer) for window in x])
    np.testing.assert_allclose(numbers(layer(x)), expected, atol=1e-10)


@pytest.mark.parametrize("tokens", [1, 6, 16, 50])
def test_published_time_attention_reads_the_transposed_memory_as_tokens(tokens: int) -> None:
    attention = disturbed(TimeAttention(SMALL_PUBLISHED).double())
    assert isinstance(attention, TimeAttention)
    d = SMALL.d_model
    x = torch.randn(1, 2, tokens, d, dtype=torch.float64)
    got = numbers(attention(x))
    table = numbers(attention.rel_pos_embed.rel_embed)
    for channel in range(2):
        window = numbers(x[0, channel])
        memory = [window[t, f] for f in range(d) for t in range(tokens)]
        rows = [np.array(memory[k * d : (k + 1) * d]) for k in range(tokens)]
        expected = naive_attention(rows, attention.qkv, attention.proj, attention.n_heads, table)
        np.testing.assert_allclose(got[0, channel], expected, atol=1e-10)


def test_the_published_axis_is_another_network_than_attention_over_time() -> None:
    published, true = TimeAttention(SMALL_PUBLISHED), TimeAttention(SMALL)
    true.load_state_dict(published.state_dict())
    x = torch.randn(1, 1, 5, SMALL.d_model)
    assert (published(x) - true(x)).abs().max() > 1e-2


@pytest.mark.parametrize(
    ("channels", "samples", "tokens"), [(1, 25, 1), (4, 375, 15), (3, 201, 10), (2, 13, 1)]
)
def test_the_folded_convolution_equals_convolution_groupnorm_gelu_pooling(
    channels: int, samples: int, tokens: int
) -> None:
    branch = disturbed(ConvBranch(SMALL))
    assert isinstance(branch, ConvBranch)
    x = torch.randn(2, channels, samples) * 3 + 1
    planes = functional.conv2d(
        x.unsqueeze(1), branch.conv.weight.unsqueeze(2), branch.conv.bias, padding="same"
    )
    expected = functional.adaptive_avg_pool2d(functional.gelu(branch.norm(planes)), (channels, tokens))
    torch.testing.assert_close(branch(x, tokens), expected.permute(0, 2, 3, 1), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(("samples", "tokens"), [(375, 15), (384, 15), (188, 15), (26, 2), (7, 7), (3, 5)])
def test_token_means_are_adaptive_average_pooling(samples: int, tokens: int) -> None:
    x = torch.randn(1, samples)
    expected = functional.adaptive_avg_pool1d(x, tokens)
    torch.testing.assert_close(x @ token_means(tokens, samples, x).T, expected)


# What it takes and gives


@pytest.mark.parametrize("config", [SMALL, SMALL_PUBLISHED], ids=["own", "published"])
@pytest.mark.parametrize(("batch", "channels", "tokens"), SHAPES)
def test_any_channel_count_and_window_length(
    config: EMODConfig, batch: int, channels: int, tokens: int
) -> None:
    network = network_of(config)
    features = random_features(config, batch, channels, tokens)
    mean, sd = network(*features)
    assert mean.shape == sd.shape == (batch, 2)
    assert mean.abs().max() <= 1
    assert sd.min() >= config.sd_floor
    out, embedding = network.encode(*features)
    assert out.shape == (batch, channels, tokens, config.d_model)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(batch))


def test_the_order_of_channels_does_not_matter() -> None:
    network = network_of(SMALL)
    features = random_features(SMALL, 2, 5, 4)
    order = torch.randperm(5)
    shuffled = Features(*(part[:, order] for part in features[:3]), features.n_tokens)
    torch.testing.assert_close(network(*shuffled)[0], network(*features)[0])


def test_which_electrode_it_was_does_matter() -> None:
    network = network_of(SMALL)
    features = random_features(SMALL, 1, 3, 4)
    moved = features._replace(spatial=features.spatial.roll(1, -1))
    assert (network(*moved)[0] - network(*features)[0]).abs().max() > 1e-4


def test_a_window_does_not_feel_the_others_of_its_batch() -> None:
    network = network_of(SMALL)
    features = random_features(SMALL, 3, 4, 5)
    alone = Features(*(part[1:2] for part in features[:3]), features.n_tokens)
    torch.testing.assert_close(network(*alone)[0], network(*features)[0][1:2])


def test_training_reaches_every_parameter() -> None:
    network = EMOD(SMALL).train()
    features = random_features(SMALL, 4, 3, 5)
    tokens = network.tokens(*features)
    mean, sd = network.affect(tokens)
    (mean.sum() + sd.sum() + (network.projection(tokens) * torch.randn(4, 16)).sum()).backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    # Softmax weights do not change when one number is added to all scores; the same for attention keys.
    assert [name for name in idle if "attn.bias" not in name] == []


def test_log_power_is_standardised_with_the_training_datas_statistics() -> None:
    network, plain = network_of(SMALL), EMOD(SMALL).eval()
    plain.load_state_dict(network.state_dict())
    mean, sd = torch.randn(45), torch.rand(45) + 0.5
    network.set_spectrum_statistics(mean, sd)
    features = random_features(SMALL, 1, 2, 3)
    scaled = features._replace(spectral=features.spectral * sd + mean)
    torch.testing.assert_close(network(*scaled)[0], plain(*features)[0], atol=1e-5, rtol=1e-4)


def test_statistics_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="sd above 0"):
        EMOD(SMALL).set_spectrum_statistics(torch.zeros(45), torch.zeros(45))
    with pytest.raises(ValueError, match="published spectrum has no statistics"):
        EMOD(SMALL_PUBLISHED).set_spectrum_statistics(torch.zeros(45), torch.ones(45))


@pytest.mark.parametrize("change", [{"n_heads": 5}, {"n_groups": 3}, {"kernel": 24}, {"depth": 3}])
def test_a_configuration_that_cannot_be_built_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        EMODConfig(**(SMALL.model_dump() | change))


# Compiled


@pytest.mark.parametrize("config", [EMODConfig(), PUBLISHED], ids=["own", "published"])
def test_one_compiled_network_serves_every_shape(config: EMODConfig) -> None:
    network = EMOD(config).eval()
    compiled = script(network)
    for shape in SHAPES:
        features = random_features(config, *shape)
        for got, expected in zip(compiled(*features), network(*features), strict=True):
            torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)
        for got, expected in zip(compiled.encode(*features), network.encode(*features), strict=True):
            torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)


def test_a_network_in_training_mode_is_not_compiled() -> None:
    with pytest.raises(ValueError, match="eval"):
        script(EMOD(SMALL).train())


# What a person's calibration is fitted on


def test_classes_come_as_logits_of_the_same_tokens_eager_or_compiled() -> None:
    network = network_of(SMALL.model_copy(update={"n_classes": 5}))
    features = random_features(SMALL, 2, 3, 7)
    tokens = network.tokens(*features)
    logits = network.logits(tokens)
    assert logits.shape == (2, 5)
    torch.testing.assert_close(script(network).logits(tokens), logits)
    with pytest.raises(RuntimeError, match="no classes"):
        network_of(SMALL).logits(tokens)


def test_views_come_with_the_very_estimate_that_forward_gives_eager_or_compiled() -> None:
    network = network_of(SMALL)
    features = random_features(SMALL, 2, 3, 5)
    places = functional.normalize(torch.randn(3, 3), dim=-1)
    mean, sd = network(*features)
    for kind in (network, script(network)):
        seen_mean, seen_sd, views = kind.views(*features, places)
        assert torch.equal(seen_mean, mean)
        assert torch.equal(seen_sd, sd)
        assert views.shape == (2, 5, SMALL.d_model)


def test_two_views_are_contrasts_over_the_head() -> None:
    network = network_of(SMALL)
    features = random_features(SMALL, 2, 3, 5)
    places = functional.normalize(torch.randn(3, 3), dim=-1)
    mirrored = places * torch.tensor([-1.0, 1.0, 1.0])
    views, other = network.views(*features, places)[2], network.views(*features, mirrored)[2]
    torch.testing.assert_close(other[:, 3], -views[:, 3])
    torch.testing.assert_close(other[:, [0, 1, 2, 4]], views[:, [0, 1, 2, 4]])
    by_hand = (network.tokens(*features).mean(2) * places[:, :1]).sum(1) / 3
    torch.testing.assert_close(views[:, 3], by_hand)
