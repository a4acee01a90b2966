"""EMOD trained on Muse's states: within a person on a recording that is left out, and on another person.

    python benchmarks/muse_emod.py [--data ../shared/data/muse_states] [--epochs 8] [--seeds 1]

EMOD in small, from scratch and from the weights of simulated people, under each kind of centring, on the
very windows of `emod-rt evaluate` as the live path conditions them. No epoch is chosen on anybody else, as of
three people none is to spare: the one is kept that tells what it learnt from best, nearly always the last.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import track

from emod_model.checkpoint import load_checkpoint, save_checkpoint, simulated_checkpoint
from emod_model.evaluation.figures import Judged, join, pooled
from emod_model.evaluation.linear import KINDS, Kind, scored
from emod_model.evaluation.protocols import Split, splits
from emod_model.evaluation.recorded import WINDOW_S, live_windows, table
from emod_model.evaluation.table import WindowTable
from emod_model.finetuning.config import Finetuning
from emod_model.finetuning.data import JudgedPlan, LabelledWindows
from emod_model.finetuning.ensemble import answer
from emod_model.finetuning.run import finetune
from emod_model.fitting.config import Relative
from emod_model.fitting.windows import features
from emod_model.fitting.worn import worn
from emod_model.network import EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_rt.evaluation.muse import material

SHARED = Path(os.environ.get("EMOD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SPEC = SignalSpec(window_s=WINDOW_S, tokens_per_s=2)
SMALL = EMODConfig(d_model=32, n_layers=1, n_heads=4, d_feedforward=85, pool_dropout=0.1)
PROTOCOLS = ("leave-trial-out", "leave-one-person-out")


@dataclass(frozen=True, eq=False)
class States:
    """The windows, as a store has them."""

    channels: tuple[str, ...]
    windows: npt.NDArray[np.float32]
    table: WindowTable
    corpus: str = "muse-states"
    spec: SignalSpec = SPEC
    hop_s: float = WINDOW_S

    def __post_init__(self) -> None:
        rows, none = self.table, np.full(len(self.table), np.nan)
        label = np.array(rows.classes)[rows.label]
        columns = {"subject": rows.subject, "session": rows.session, "trial": rows.trial, "label": label}
        columns |= {"start_s": rows.start_s, "baseline": rows.baseline, "valence": none, "arousal": none}
        columns["good"] = np.ones(self.windows.shape[:2], np.bool_)
        for name, column in columns.items():
            object.__setattr__(self, name, column)


def states(folder: Path) -> States:
    """Read the recordings and cut them as `evaluate` does."""
    found = material(folder)
    cut = live_windows(found.recorded, SPEC)
    eeg = np.nan_to_num(cut.eeg - cut.eeg.mean(1, keepdims=True))
    return States(cut.channels, eeg.astype(np.float32), table(found.recorded, found.classes))


def judge_fold(store: States, split: Split, kind: Kind, start: Path | None, settings: dict) -> Judged | None:
    """Train on what a split trains on, and judge what it judges."""
    counts = scored(store.table, kind)
    train, test = split.train[counts[split.train]], split.test[counts[split.test]]
    known = set(store.table.label[train].tolist())
    if not len(test) or len(known) < len(store.table.classes):
        return None
    relative = None if kind == "none" else Relative(kind=kind)
    with tempfile.TemporaryDirectory() as folder:
        told = Finetuning.model_validate(
            settings
            | {"out": Path(folder) / "run", "start": start, "network": None if start else SMALL}
            | {"centring": relative, "classes": store.table.classes}
        )
        model = load_checkpoint(finetune(told, store=store, rows=(train, train)))
    caps = worn(store, relative, SPEC.tokens_per_s)
    judged = LabelledWindows(store, test, model.info.labels.classes, caps)
    plan = JudgedPlan(judged)
    parts = [part for at in plan.epoch(0) for part in plan.read(at, np.random.default_rng(0))]
    score = np.concatenate([answer(model, features(p.seen, SPEC)).probabilities.numpy() for p in parts])
    truth = np.concatenate([part.label.numpy() for part in parts]).astype(np.intp)
    subject = store.table.subject[judged.rows]
    return Judged(subject, truth, score.argmax(1).astype(np.intp), score.astype(np.float64))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED / "muse_states")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    told = parser.parse_args()
    torch.set_num_threads(1)
    err = Console(stderr=True)
    store = states(told.data)
    settings = {"name": "muse", "licence": "MIT", "store": "unused", "epochs": told.epochs, "batch": 32}
    settings |= {"machine": {"accelerator": "cpu"}, "optimiser": {"learning_rate": 2e-3, "clip": 1.0}}
    rows: list[dict[str, object]] = []
    print("| protocol | EMOD | centring | seed | windows | balanced accuracy, AUROC |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        simulated = load_checkpoint(simulated_checkpoint())
        begun = Path(folder) / "simulated.safetensors"
        save_checkpoint(begun, simulated.network, simulated.info.model_copy(update={"signal": SPEC}))
        starts = {"from scratch": None, "from simulated people": begun}
        seeds = range(1, told.seeds + 1)
        for protocol, kind, (name, start), seed in product(PROTOCOLS, KINDS, starts.items(), seeds):
            judge = partial(judge_fold, store, kind=kind, start=start, settings=settings | {"seed": seed})
            folds = list(splits(protocol, store.table))
            what = f"{protocol}, {kind}, {name}, seed {seed}"
            done = [judge(split) for split in track(folds, what, console=err)]
            found = join([one for one in done if one is not None])
            figures = pooled(found)
            read = f"{figures['balanced_accuracy']:.3f}, {figures['auroc']:.3f}"
            print(f"| {protocol} | {name} | {kind} | {seed} | {len(found.truth)} | {read} |", flush=True)
            rows.append({"protocol": protocol, "start": name, "kind": kind, "seed": seed, **figures})
    print(json.dumps({"cpu_s": time.process_time(), "runs": rows}))


if __name__ == "__main__":
    main()
