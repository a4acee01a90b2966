"""What stands for an electrode that the model has never met: each of the 19 is left out of the table in turn.

    python benchmarks/unseen_electrodes.py [--model FILE] [--people N]

Windows are real: EEGMAT's (../shared/data or EMOD_SHARED_DATA), rest and arithmetic, four spread over each
recording, through the live conditioning. One electrode's learned vector is then replaced by a stand-in:

- blend: what `spatial_weights` gives an electrode outside the table, made of the rows around it,
- nearest: the row of the nearest other electrode of the table,
- any row: that of another electrode at random (mean of ten),
- nothing: zeros.

"likeness" is the cosine between stand-in and the electrode's own vector, both less the mean of the 19.
"reading" is how far valence and arousal move, as a share of how far they vary over the windows; "view" the
same of the pooled tokens that a calibration is fitted on. All are means over the 19 electrodes.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from emod_model.checkpoint import Model, load_checkpoint, simulated_checkpoint
from emod_model.features import assemble
from emod_model.montage import PUBLISHED_NAMES, TABLE_ROWS, positions, published_id, spatial_weights
from emod_model.signal.windows import Windower
from emod_rt.readers.read import read_recording

Array = npt.NDArray[np.float64]
ROOT = Path(os.environ.get("EMOD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")) / "eegmat"
A_RECORDING = 4
RANDOM_ROWS = 10
# The ears are no place on the scalp, and T3 to T6 repeat others.
SCALP = tuple(name for name in PUBLISHED_NAMES if name not in {"A1", "A2", "T3", "T4", "T5", "T6"})


def windows(model: Model, people: int) -> tuple[Tensor, tuple[str, ...]]:
    """Return windows (windows, 19, samples) in which every electrode is good, and the electrodes."""
    found: list[npt.NDArray[np.float32]] = []
    names: tuple[str, ...] = ()
    for path in sorted(ROOT.glob("*.edf"))[: 2 * people]:
        recording = read_recording(path)
        names = recording.channels
        windower = Windower(model.spec, recording.sfreq, len(names), model.spec.window_s)
        whole = [
            w.eeg for w in windower.push(0, recording.data) if w.eeg is not None and len(w.good) == len(names)
        ]
        found += whole[:: max(1, len(whole) // A_RECORDING)][:A_RECORDING]
    return torch.from_numpy(np.stack(found)), names


def stand_ins(name: str, rng: np.random.Generator) -> Iterator[tuple[str, Array]]:
    """Yield kind and weights over the table (72,) of everything that may stand for `name`."""
    yield "blend", spatial_weights([name], leave_out_own=True)[0].astype(float)
    others = [other for other in SCALP if other != name.upper()]
    nearest = others[int(np.argmax(positions(others) @ positions([name])[0]))]
    some = rng.choice(others, RANDOM_ROWS, replace=False)
    for kind, other in (("nearest", nearest), *(("any row", str(each)) for each in some)):
        weights = np.zeros(TABLE_ROWS)
        weights[published_id(other) or 0] = 1.0
        yield kind, weights
    yield "nothing", np.zeros(TABLE_ROWS)


@torch.inference_mode()
def look(model: Model, eeg: Tensor, weights: npt.NDArray[np.float32]) -> tuple[Array, Array]:
    """Return readings (windows, 2) and views (windows, features) through these weights over the table."""
    spatial = torch.from_numpy(weights).expand(len(eeg), -1, -1)
    tokens = model.network.tokens(*assemble(eeg, spatial, model.spec))
    mean, _ = model.network.affect(tokens)
    return mean.double().numpy(), model.network.affect.pool(tokens).double().numpy()


def measure(model: Model, eeg: Tensor, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return the mean over the electrodes of every measure of every kind of stand-in."""
    rng = np.random.default_rng(0)
    own = spatial_weights(names)
    table = model.network.encoder.electrodes.double().numpy()
    centre = (own.astype(float) @ table).mean(0)
    reading, view = look(model, eeg, own)
    spread = reading.std(0)
    view_spread = np.sqrt(((view - view.mean(0)) ** 2).sum(1).mean())
    rows: dict[str, dict[str, list[float]]] = {}
    for at, name in enumerate(names):
        vector = own[at] @ table - centre
        for kind, weights in stand_ins(name, rng):
            other = weights @ table - (centre if kind != "nothing" else 0)
            changed = own.copy()
            changed[at] = weights
            new_reading, new_view = look(model, eeg, changed)
            moved = np.sqrt(((new_reading - reading) ** 2).mean(0)) / spread
            row = rows.setdefault(kind, {})
            length = np.linalg.norm(other) * np.linalg.norm(vector)
            row.setdefault("likeness", []).append(float(other @ vector / length) if length else 0.0)
            row.setdefault("valence", []).append(float(moved[0]))
            row.setdefault("arousal", []).append(float(moved[1]))
            change = np.sqrt(((new_view - view) ** 2).sum(1).mean()) / view_spread
            row.setdefault("view", []).append(float(change))
    return {kind: {name: float(np.mean(v)) for name, v in row.items()} for kind, row in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, default=simulated_checkpoint())
    parser.add_argument("--people", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = load_checkpoint(arguments.model)
    eeg, names = windows(model, arguments.people)
    found = measure(model, eeg, names)
    table = Table(box=None, title=f"{model.name}: {len(eeg)} windows of {arguments.people} people")
    for heading in ("stand-in", "likeness", "valence moves", "arousal moves", "view moves"):
        table.add_column(heading, justify="left" if heading == "stand-in" else "right")
    for kind, row in found.items():
        shares = (f"{100 * row[name]:.1f} %" for name in ("valence", "arousal", "view"))
        table.add_row(kind, f"{row['likeness']:.2f}", *shares)
    Console().print(table)
    print(json.dumps({"model": model.name, "windows": len(eeg), "electrodes": len(names)} | found))


if __name__ == "__main__":
    main()
