"""braindecode's networks, from scratch, beside the linear model: one JSON line a run, resumed.

On EEGMAT the 20 channels as recorded, on a folder with an index.csv Muse's states; 200 Hz, windows of 5 s, no
pretrained weights. Under centring every channel is divided by the person's own spectrum at rest (causal, the
first minute, not scored) or over everything (transductive). A run that is in the file already is not made
again. The epoch is chosen on four of the people learnt from, or on the published validation people; leaving
out a person or a trial it is the last one.

    python benchmarks/peers_evaluation.py --networks EEGNet --kinds causal --out peers.jsonl [--seeds 0,1,2]
    python benchmarks/peers_evaluation.py --out peers.jsonl --table
"""

import argparse
import json
import os
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from emod_model.evaluation.figures import Judged

SHARED = Path(os.environ.get("EMOD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
PROTOCOLS = ("people-8", "eegmat", "leave-one-person-out", "leave-trial-out")
KEYS = ("protocol", "network", "kind", "fold", "seed")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED / "eegmat")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", default="EEGNet,EEGConformer,LaBraM,CBraMod")
    parser.add_argument("--kinds", default="none,causal,transductive")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="people-8")
    parser.add_argument("--folds", type=int, help="only the first so many")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--patience", type=int, default=5)
    parser.add_argument("--bf16", action="store_true", help="products in bfloat16")
    parser.add_argument("--table", action="store_true", help="print what the file holds, and train nothing")
    arguments = parser.parse_args()
    if not arguments.table:
        make(arguments)
    show(arguments.out)


def runs(path: Path) -> list[dict]:
    """Return what the file holds; a line that a kill cut short does not count."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def make(arguments: argparse.Namespace) -> None:
    """Train what is not in the file yet."""
    import torch

    from emod_model.evaluation import eegmat
    from emod_model.evaluation.peers import Budget, train
    from emod_model.evaluation.protocols import choose_from_train, splits
    from emod_model.evaluation.recorded import plain_windows, table
    from emod_model.evaluation.run import parted
    from emod_rt.evaluation import muse

    torch.set_num_threads(1)
    done = {tuple(run[key] for key in KEYS) for run in runs(arguments.out)}
    found = (muse if (arguments.data / muse.INDEX).exists() else eegmat).material(arguments.data)
    windows, rows = plain_windows(found.recorded), table(found.recorded, found.classes)
    if arguments.protocol in PROTOCOLS[:2]:
        folds = [choose_from_train(split, rows, 4) for split in splits(arguments.protocol, rows)]
    else:
        # as in `evaluate`: not those that judge a class which they learn nothing of
        folds = [split for part in parted(arguments.protocol, rows)[0].values() for split in part]
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    budget = Budget(epochs=arguments.epochs, patience=arguments.patience, bf16=arguments.bf16)
    wanted = product(
        seeds, arguments.networks.split(","), arguments.kinds.split(","), folds[: arguments.folds]
    )
    for seed, network, kind, split in wanted:
        key = (arguments.protocol, network, kind, split.name, seed)
        if key in done:
            continue
        run = train(network, windows, rows, split, kind, budget, seed)
        part = "test" if len(run.test) else "validate"
        at = run.test if len(run.test) else run.validate
        score = run.test_score if len(run.test) else run.validate_score
        told = dict(zip(KEYS, key, strict=True)) | {
            "part": part,
            "epochs": run.epochs,
            "best": run.best,
            "cpu_s": round(run.seconds, 1),
            "parameters": run.parameters,
            "subject": rows.subject[at].tolist(),
            "truth": rows.label[at].tolist(),
            "score": np.round(score, 5).tolist(),
        }
        with arguments.out.open("a", encoding="utf-8") as file:
            # a line that was cut short ends before this one begins
            broken = file.tell() and not arguments.out.read_bytes().endswith(b"\n")
            file.write(("\n" if broken else "") + json.dumps(told) + "\n")
        print(*key, f"{run.epochs} epochs, {run.seconds:.0f} s of processor", flush=True)


def said(subject: np.ndarray, truth: np.ndarray, score: np.ndarray) -> "Judged":
    """Return what logits of one class or of several say."""
    from emod_model.evaluation.figures import Judged, two_classes

    if score.ndim == 1:
        return two_classes(subject, truth, score, 0.0)
    return Judged(subject, truth, score.argmax(1), score)


def show(path: Path) -> None:
    """Print a table over all folds of each network and kind, and a JSON line."""
    from emod_model.evaluation.figures import by_person, join, summary

    grouped: dict[tuple, list[dict]] = {}
    for run in runs(path):
        group = tuple(run[key] for key in ("protocol", "part", "network", "kind", "seed"))
        grouped.setdefault(group, []).append(run)
    print(
        "| protocol | network | centring | seed | folds | people | balanced accuracy | over people | AUROC |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    figures = []
    for (protocol, part, network, kind, seed), folds in sorted(grouped.items()):
        judged = join(
            [said(np.array(run["subject"]), np.array(run["truth"]), np.array(run["score"])) for run in folds]
        )
        told = summary(judged, by_person(judged))
        people = len(set(judged.subject.tolist()))
        balanced, auroc = told["balanced_accuracy"], told["auroc"]
        low, high = balanced["interval"]
        print(
            f"| {protocol}, {part} | {network} | {kind} | {seed} | {len(folds)} | {people} "
            f"| {balanced['pooled']:.3f} ({low:.3f} to {high:.3f}) "
            f"| {balanced['mean']:.3f} ({balanced['sd']:.3f}) | {auroc['pooled']:.3f} |"
        )
        figures.append(
            {"protocol": protocol, "part": part, "network": network, "kind": kind, "seed": seed}
            | {"people": people, "cpu_s": round(sum(run["cpu_s"] for run in folds)), "figures": told}
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
