"""How fast training goes on this machine, and what that makes of corpora of any size.

    python benchmarks/training_rate.py [--threads 1] [--repeats 3]

Training steps of the published size (forward, backward, AdamW) on windows of 10 s at 125 Hz, beside the same
network with its convolutions written the plain way (Conv1d, GroupNorm, GELU, adaptive pooling); the loss of a
joined batch; the plan of an epoch; random reads of a store. Times are those of the processor, as others may
use the machine; on a GPU, of the wall.
"""

import argparse
import copy
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

from emod_model.affect import N_REGIONS
from emod_model.features import assemble
from emod_model.montage import spatial_weights
from emod_model.montage.names import PUBLISHED_NAMES
from emod_model.network import EMOD, EMODConfig
from emod_model.network.encoder import ConvBranch
from emod_model.pretraining.loss import contrast, soft_weights
from emod_model.pretraining.sampling import RegionBalancedSampler
from emod_model.signal.spec import SignalSpec

SPEC = SignalSpec(window_s=10.0)
CORPORA = {
    **{"SEED-IV": 62, "SEED-VII": 62, "MPED": 62, "DEAP": 32, "MAHNOB-HCI": 32},
    **{"MDME": 18, "DREAMER": 14, "AMIGOS": 14},
}
WINDOWS = 79_070
EPOCHS = 100
# 20 h on four RTX 3090 for 100 epochs of 79,070 windows, as published
PUBLISHED_RATE = WINDOWS * EPOCHS / (20 * 3600 * 4)


class PlainBranch(nn.Module):
    """The convolution branch as it is usually written."""

    def __init__(self, branch: ConvBranch) -> None:
        super().__init__()
        self.conv, self.norm = copy.deepcopy(branch.conv), copy.deepcopy(branch.norm)

    def forward(self, x: Tensor, n_tokens: int) -> Tensor:
        """Map (B, C, N) to (B, C, n_tokens, d)."""
        batch, channels, samples = x.shape
        y = self.conv(x.reshape(batch * channels, 1, samples)).view(batch, channels, -1, samples)
        y = functional.gelu(self.norm(y.transpose(1, 2)))
        return functional.adaptive_avg_pool2d(y, (channels, n_tokens)).permute(0, 2, 3, 1)


def seconds(step: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the time of one step, the best of a few."""
    step()
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    times = []
    for _ in range(repeats):
        if device.type == "cuda":
            torch.cuda.synchronize()
        began = clock()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(clock() - began)
    return min(times)


def electrodes(count: int) -> list[str]:
    return [n for n in PUBLISHED_NAMES if n not in {"T3", "T4", "T5", "T6", "A1", "A2"}][:count]


def training_step(network: EMOD, channels: int, batch: int, device: torch.device) -> Callable[[], object]:
    """Return a step of pretraining on windows of so many channels."""
    network = network.to(device).train()
    eeg = 15 * torch.randn(batch, channels, SPEC.window_samples, device=device)
    spatial = torch.from_numpy(spatial_weights(electrodes(channels))).to(device).expand(batch, -1, -1)
    points = torch.rand(batch, 2, device=device) * 2 - 1
    optimiser = torch.optim.AdamW([*network.encoder.parameters(), *network.layers.parameters()])

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            with torch.autocast(device.type, enabled=False):
                features = assemble(eeg, spatial, SPEC)
            z = network.projection(network.tokens(*features))
        loss = contrast(z, soft_weights(points, points)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def rates(device: torch.device, repeats: int) -> list[dict[str, float]]:
    rows = []
    for channels in sorted(set(CORPORA.values())):
        batch = 36 if device.type == "cuda" else 4
        torch.manual_seed(0)
        ours = EMOD(EMODConfig())
        plain = copy.deepcopy(ours)
        plain.encoder.temporal = PlainBranch(ours.encoder.temporal)  # type: ignore[assignment]
        times = [
            seconds(training_step(network, channels, batch, device), device, repeats)
            for network in (ours, plain)
        ]
        rows.append(
            {"channels": channels, "windows_s": batch / times[0], "plain_windows_s": batch / times[1]}
        )
    return rows


def loss_costs(device: torch.device, repeats: int) -> list[dict[str, float]]:
    """Time the loss of 288 anchors in joined batches of more and more processes."""
    rows = []
    for processes in (1, 8, 64):
        n = 288 * processes
        z = functional.normalize(torch.randn(n, 128, device=device), dim=-1).requires_grad_()
        points = torch.rand(n, 2, device=device) * 2 - 1

        def step(z: Tensor = z, points: Tensor = points) -> None:
            contrast(z, soft_weights(points[:288], points)).mean().backward()

        rows.append({"processes": processes, "windows": n, "seconds": seconds(step, device, repeats)})
    return rows


def plan_costs() -> list[dict[str, float]]:
    rng = np.random.default_rng(0)
    rows = []
    for times in (1, 10, 100):
        each = WINDOWS * times // 8
        sampler = RegionBalancedSampler([rng.integers(0, N_REGIONS, each) for _ in range(8)])
        began = time.process_time()
        plan = sampler.epoch(0)
        rows.append({"times": times, "seconds": time.process_time() - began, "megabytes": plan.nbytes / 1e6})
    return rows


def read_costs(megabytes: int) -> dict[str, float]:
    """Read windows of 62 channels in random order from a file of windows, first from the disk, then again."""
    shape = (62, SPEC.window_samples)
    size = 4 * shape[0] * shape[1]
    count = megabytes * 2**20 // size
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windows"
        block = rng.standard_normal(shape).astype(np.float32).tobytes()
        with path.open("wb") as file:
            for _ in range(count):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        windows = np.memmap(path, np.float32, "r", shape=(count, *shape))
        order = rng.permutation(count)
        told = {}
        for name in ("disk", "memory"):
            began = time.perf_counter()
            for first in range(0, count, 36):
                windows[order[first : first + 36]].sum(dtype=np.float64)
            told[f"{name}_megabytes_s"] = count * size / (time.perf_counter() - began) / 1e6
        return told


def epoch_hours(rows: list[dict[str, float]]) -> float:
    """Return the hours of one epoch of today's corpora on this device, each corpus the same share."""
    rate = {row["channels"]: row["windows_s"] for row in rows}
    return WINDOWS * float(np.mean([1 / rate[channels] for channels in CORPORA.values()])) / 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=512, help="size of the file that reads are timed on")
    told = parser.parse_args()
    torch.set_num_threads(told.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = rates(device, told.repeats)
    losses, plans, reads = loss_costs(device, told.repeats), plan_costs(), read_costs(told.megabytes)
    console = Console()
    table = Table("channels", "windows / s", "plain", "ours / plain", title=f"training steps, {device.type}")
    for row in rows:
        ratio = row["windows_s"] / row["plain_windows_s"]
        table.add_row(
            f"{row['channels']:.0f}",
            f"{row['windows_s']:.2f}",
            f"{row['plain_windows_s']:.2f}",
            f"{ratio:.2f}",
        )
    console.print(table)
    hours = epoch_hours(rows)
    mean = WINDOWS / hours / 3600
    console.print(
        f"mix of the eight corpora: {mean:.2f} windows / s, {mean / PUBLISHED_RATE:.3f} of an RTX 3090 as "
        f"published ({PUBLISHED_RATE:.1f}); {EPOCHS} epochs of {WINDOWS:,} windows: {EPOCHS * hours:,.0f} h"
    )
    for row in losses:
        console.print(f"loss, 288 anchors of {row['windows']:,.0f} windows: {1000 * row['seconds']:.1f} ms")
    for row in plans:
        console.print(
            f"plan of an epoch, {row['times']} times the corpora: {row['seconds']:.2f} s, "
            f"{row['megabytes']:.0f} MB"
        )
    console.print(f"random reads: {json.dumps({k: round(v) for k, v in reads.items()})}")
    print(
        json.dumps(
            {
                "device": device.type,
                "threads": told.threads,
                "rates": rows,
                "mix_windows_s": mean,
                "published_rtx3090_windows_s": PUBLISHED_RATE,
                "loss": losses,
                "plan": plans,
                "reads": reads,
            }
        )
    )


if __name__ == "__main__":
    main()
