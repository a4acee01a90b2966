"""What augmentation, averaged weights and ensembles are worth on people who were not trained on.

    emod-rt prepare eegmat ../shared/data/eegmat eegmat.h5 --model emod_model/weights/eegmat.safetensors
    python benchmarks/finetuning_worth.py eegmat.h5 [--epochs 10] [--seeds 3] [--shuffles 2]

EMOD in small, from scratch, tells rest from arithmetic, the first minute of rest taken off: trained on 24
people, the epoch chosen by 4, judged on 4 others; other people in every shuffle. Each addition is made alone
to the same run, then all together; the ensemble is of the seeds. Each person gives as many windows of rest as
of arithmetic.
"""

import argparse
import json
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from emod_model.checkpoint import load_checkpoint
from emod_model.finetuning.config import Finetuning
from emod_model.finetuning.data import LabelledWindows
from emod_model.finetuning.ensemble import Ensemble, answer
from emod_model.finetuning.judge import judge
from emod_model.finetuning.run import finetune
from emod_model.fitting.baselines import rests
from emod_model.fitting.config import Relative
from emod_model.fitting.worn import worn
from emod_model.network import EMODConfig
from emod_model.store import open_store

NETWORK = EMODConfig(d_model=32, n_layers=1, n_heads=4, d_feedforward=64, pool_dropout=0.1)
PLAIN = {"learning_rate": 1e-3, "clip": 1.0}
AVERAGED = {**PLAIN, "average": 0.99}
SHIFT, NOISE, FEWER = {"shift_s": 0.2}, {"noise": 0.1}, {"fewest_channels": 0.4}
VARIANTS: dict[str, tuple[dict[str, float], dict[str, float]]] = {
    "plain": ({}, PLAIN),
    "time jitter": (SHIFT, PLAIN),
    "noise": (NOISE, PLAIN),
    "channel dropout": (FEWER, PLAIN),
    "averaged weights": ({}, AVERAGED),
    "all of them": ({**SHIFT, **NOISE, **FEWER}, AVERAGED),
}
MEASURES = ("balanced_accuracy", "kappa")


def alike(subject: np.ndarray, label: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Tell which windows to take so that each person has as many of each class, spread over the recording."""
    taken = np.zeros_like(usable)
    for person in np.unique(subject):
        rows = [
            np.flatnonzero(usable & (subject == person) & (label == word))
            for word in np.unique(label[usable])
        ]
        fewest = min(map(len, rows))
        for of_class in rows:
            taken[of_class[np.linspace(0, len(of_class) - 1, fewest).round().astype(int)]] = True
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shuffles", type=int, default=2)
    told = parser.parse_args()
    torch.set_num_threads(1)
    console = Console(stderr=True)
    store = open_store(told.store)
    classes = tuple(sorted(set(store.label.tolist()) - {""}))
    began = time.process_time()
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for shuffle in range(told.shuffles):
            people = np.random.default_rng(shuffle).permutation(np.unique(store.subject))
            judging, choosing = people[:4], people[4:8]
            usable = alike(store.subject, store.label, ~rests(store) & (store.label != ""))
            rows = [
                np.flatnonzero(usable & np.isin(store.subject, who))
                for who in (people[8:], choosing, judging)
            ]
            caps = worn(store, Relative(), store.spec.tokens_per_s)
            judged = LabelledWindows(store, rows[2], classes, caps)
            for name, (augmentation, optimiser) in VARIANTS.items():
                models = []
                for seed in range(1, told.seeds + 1):
                    settings = Finetuning.model_validate(
                        {
                            "out": Path(folder) / f"{shuffle}-{name}-{seed}",
                            "name": name,
                            "licence": "ODC-By 1.0",
                            "store": told.store,
                            "network": NETWORK,
                            "classes": classes,
                            "batch": 32,
                            "seed": seed,
                            "epochs": told.epochs,
                            "augmentation": augmentation,
                            "centring": {},
                            "optimiser": optimiser,
                            "machine": {"accelerator": "cpu"},
                        }
                    )
                    path = finetune(settings, store=store, rows=(rows[0], rows[1]))
                    models.append(load_checkpoint(path))
                    figures = judge(partial(answer, models[-1]), judged)
                    found.setdefault(name, []).append(figures)
                    console.print(
                        f"{name}, shuffle {shuffle + 1}, seed {seed}: kappa {figures['kappa']:.3f}; "
                        f"{time.process_time() - began:.0f} s"
                    )
                found.setdefault(f"{name}, ensemble", []).append(judge(Ensemble(models), judged))
    table = Table("run", *(measure.replace("_", " ") for measure in MEASURES))
    summary = {}
    for name, rows_found in found.items():
        cells = []
        for measure in MEASURES:
            values = [figures[measure] for figures in rows_found]
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            summary[f"{name}/{measure}"] = (float(np.mean(values)), spread)
            cells.append(f"{np.mean(values):.3f} ± {spread:.3f}")
        table.add_row(name, *cells)
    Console().print(table)
    settings_told = {key: str(value) for key, value in vars(told).items()}
    print(json.dumps({"settings": settings_told, "cpu_s": time.process_time() - began, "mean_sd": summary}))


if __name__ == "__main__":
    main()
