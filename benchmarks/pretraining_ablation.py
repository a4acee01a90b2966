"""What pretraining is worth on simulated people: eight corpora a ninth with few labels.

    python benchmarks/pretraining_ablation.py [--people 24] [--steps 400] [--seeds 3]

Eight simulated corpora differ in electrodes, rate, people and labels (classes of their own words, ratings of
their own scales). EMOD in small is pretrained on them with the distance-aware contrast (soft), with positives
by class (hard) and with augmented views alone; each then starts a fine-tuning on a ninth corpus that is none
of them, of few people with two trials a class. From scratch is the same fine-tuning from random weights. Each
seed has its own people of the ninth corpus: some to learn from, some to choose the epoch, others to judge by.
Everyone rests first, and that rest is taken off (causal), as the shipped weights have it.
All begin with the weights that the shipped model's training began with (bands at places), since from plain
random ones a few hundred steps on two cores teach nothing.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table

from emod_model.affect import vocabulary
from emod_model.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from emod_model.finetuning.config import Finetuning
from emod_model.finetuning.data import LabelledWindows
from emod_model.finetuning.ensemble import answer
from emod_model.finetuning.judge import judge
from emod_model.finetuning.run import finetune
from emod_model.fitting.config import Relative
from emod_model.fitting.windows import StoredWindows, spectrum_statistics
from emod_model.fitting.worn import worn
from emod_model.montage import CYTON, DAISY
from emod_model.network import EMOD, EMODConfig
from emod_model.pretraining.config import Pretraining
from emod_model.pretraining.data import CorpusWindows
from emod_model.pretraining.run import pretrain
from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import Windower
from emod_model.simulate import SimulatedPerson, Trials
from emod_model.training.montages import EMOTIV, MUSE
from emod_model.training.start import start_at_bands_and_places

SPEC = SignalSpec(tokens_per_s=2)
NETWORK = EMODConfig(d_model=32, n_layers=1, n_heads=4, d_feedforward=85, dropout=0.1, pool_dropout=0.1)
TRIAL_S, RAMP_S = 9.0, 2.0
RESTS = 4
FRONT = ("Fp1", "Fp2", "AF3", "AF4", "F3", "F4", "F7", "F8", "FC5", "FC6", "C3", "C4")
BACK = ("Fz", "F3", "F4", "Cz", "C3", "C4", "P3", "P4", "Pz", "PO3", "O1", "O2")
NINTH = ("Fp1", "Fp2", "F3", "F4", "F7", "F8", "FC1", "FC2", "C3", "C4", "T7", "T8", "P3", "P4")
WORDS = ("anger", "neutral", "amusement", "joy", "tenderness")


@dataclass(frozen=True)
class Plan:
    """A corpus to simulate: classes of a vocabulary, or ratings on its scale."""

    name: str
    channels: tuple[str, ...]
    sfreq: float
    classes: tuple[str, ...] = ()
    whole: bool = False


CORPORA = (
    Plan("seed-iv", FRONT, 200.0, ("neutral", "sad", "fear", "happy")),
    Plan("seed-vii", BACK, 200.0, vocabulary("seed-vii").words),
    Plan("mped", (*FRONT, *BACK[-4:]), 500.0, vocabulary("mped").words),
    Plan("deap", (*CYTON, "F3", "F4"), 128.0),
    Plan("mahnob-hci", DAISY, 256.0, whole=True),
    Plan("dreamer", EMOTIV, 128.0, whole=True),
    Plan("amigos", MUSE, 128.0),
    Plan("mdme", CYTON, 300.0, whole=True),
)
TEST = Plan("faced", NINTH, 250.0, WORDS)


@dataclass(frozen=True, eq=False)
class Simulated:
    """Windows of simulated people, as a store has them."""

    corpus: str
    channels: tuple[str, ...]
    windows: npt.NDArray[np.float32]
    good: npt.NDArray[np.bool_]
    subject: npt.NDArray[np.str_]
    label: npt.NDArray[np.str_]
    valence: npt.NDArray[np.float64]
    arousal: npt.NDArray[np.float64]
    baseline: npt.NDArray[np.bool_]
    trial: npt.NDArray[np.str_]
    start_s: npt.NDArray[np.float64]
    hop_s: float = SPEC.window_s
    spec: SignalSpec = SPEC

    @property
    def session(self) -> npt.NDArray[np.str_]:
        """Everyone comes once."""
        return np.full(len(self.subject), "1")


def experience(plan: Plan, rng: np.random.Generator, trials: int) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Return what is felt in each trial, its word ("" where rated), and where its label or rating lies."""
    words = vocabulary(plan.name)
    if plan.classes:
        order = [w for _ in range(-(-trials // len(plan.classes))) for w in rng.permutation(plan.classes)]
        said = np.array([words.point(w) for w in order[:trials]])
        return np.clip(said + rng.normal(0, 0.1, said.shape), -1, 1), order[:trials], said
    felt = rng.uniform(-0.9, 0.9, (trials, 2))
    scale = words.ratings
    assert scale is not None
    half = (scale.high - scale.low) / 2
    rating = (felt + rng.normal(0, 0.15, felt.shape)) * half + scale.low + half
    rating = np.clip(np.round(rating) if plan.whole else rating, scale.low, scale.high)
    return felt, [""] * trials, scale.project(rating)


def simulate(plan: Plan, people: int, trials: int, seed: int) -> Simulated:
    """Let people rest, then sit through trials, cut as the live path does: two windows each."""
    windows, good, rows = [], [], []
    for person in range(people):
        rng = np.random.default_rng((seed, person))
        felt, words, said = experience(plan, rng, trials)
        felt = np.concatenate([np.zeros((RESTS, 2)), felt])
        words, said = [""] * RESTS + words, np.concatenate([np.full((RESTS, 2), np.nan), said])
        who = SimulatedPerson(
            seed * 10_000 + person, plan.channels, plan.sfreq, Trials(felt, TRIAL_S, RAMP_S)
        )
        windower = Windower(SPEC, plan.sfreq, len(plan.channels), SPEC.window_s, plan.channels)
        block = who.generate(round(len(felt) * TRIAL_S * plan.sfreq))
        for window in windower.push(0, block):
            trial, after = divmod((window.index + 1) / plan.sfreq - 1e-6, TRIAL_S)
            # the window that holds the change from one trial to the next is of neither
            if window.eeg is None or after < SPEC.window_s + 0.5:
                continue
            eeg = np.zeros((len(plan.channels), SPEC.window_samples), np.float32)
            eeg[list(window.good)] = window.eeg
            there = np.zeros(len(plan.channels), np.bool_)
            there[list(window.good)] = True
            windows.append(eeg)
            good.append(there)
            name = str(max(int(trial) - RESTS + 1, 0))
            rows.append((f"{person:03}", words[int(trial)], *said[int(trial)], name, trial * TRIAL_S + after))
    subject, label, valence, arousal, trial, ends = zip(*rows, strict=True)
    return Simulated(
        plan.name,
        plan.channels,
        np.stack(windows),
        np.stack(good),
        np.array(subject),
        np.array(label),
        np.array(valence, np.float64),
        np.array(arousal, np.float64),
        np.array(trial) == "0",
        np.array(trial),
        np.array(ends) - SPEC.window_s,
    )


def first_weights(path: Path, seed: int, stores: list[Simulated]) -> Path:
    """Write the weights that every run of a seed begins with."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = EMOD(NETWORK)
    start_at_bands_and_places(network, rng)
    corpora: list[StoredWindows] = [
        CorpusWindows(store, np.unique(store.subject).tolist()) for store in stores
    ]
    network.set_spectrum_statistics(*spectrum_statistics(corpora, SPEC, rng))
    info = CheckpointInfo(
        name="bands at places",
        network=NETWORK,
        signal=SPEC,
        training_data="nothing",
        licence="BSD-3-Clause",
        simulated=True,
        affect_trained=False,
    )
    save_checkpoint(path, network, info)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=32, help="of each pretraining corpus")
    parser.add_argument("--steps", type=int, default=300, help="of each pretraining")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=1, help="seed; what was tried out had 51")
    parser.add_argument("--few", type=int, default=16, help="people whose labels the fine-tuning has")
    parser.add_argument("--epochs", type=int, default=25, help="of each fine-tuning")
    parser.add_argument("--choosing", type=int, default=16, help="people who choose its best epoch")
    parser.add_argument("--tested", type=int, default=24, help="people it is judged on")
    told = parser.parse_args()
    torch.set_num_threads(1)
    console = Console(stderr=True)
    began = time.process_time()
    stores = [simulate(plan, told.people, 12, 1 + k) for k, plan in enumerate(CORPORA)]
    console.print(
        f"simulated {sum(len(s.windows) for s in stores):,} windows of {len(stores)} corpora; "
        f"{time.process_time() - began:.0f} s"
    )
    rows: list[dict[str, float | str]] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for seed in range(told.first, told.first + told.seeds):
            # two trials a class each
            everyone = told.few + told.choosing + told.tested
            ninth = simulate(TEST, everyone, 2 * len(WORDS), 90 + seed)
            number = ninth.subject.astype(int)
            train, chosen, tested = (
                np.flatnonzero((number >= low) & (number < high) & ~ninth.baseline)
                for low, high in pairwise((0, told.few, told.few + told.choosing, everyone))
            )
            judged = LabelledWindows(ninth, tested, WORDS, worn(ninth, Relative(), SPEC.tokens_per_s))
            begun = first_weights(place / f"begun-{seed}.safetensors", seed, stores)
            for variant in ("scratch", "augmentation", "hard", "soft"):
                start = begun
                if variant != "scratch":
                    run = Pretraining.model_validate(
                        {
                            "out": place / f"{variant}-{seed}",
                            "name": variant,
                            "licence": "BSD-3-Clause",
                            "simulated": True,
                            "stores": ["simulated"],
                            "seed": seed,
                            "epochs": 10,
                            "start": begun,
                            "loss": {"variant": variant},
                            "batches": {"rounds": 1, "an_epoch": max(1, told.steps // 10)},
                            "optimiser": {"learning_rate": 2e-3, "clip": 3.0},
                            "validation_people": 0.0,
                            "centring": {},
                            "machine": {"accelerator": "cpu"},
                        }
                    )
                    start = pretrain(run, stores=stores)
                tuned = Finetuning.model_validate(
                    {
                        "out": place / f"{variant}-{seed}-tuned",
                        "name": variant,
                        "licence": "BSD-3-Clause",
                        "simulated": True,
                        "store": "simulated",
                        "start": start,
                        "head": "both",
                        "classes": WORDS,
                        "seed": seed,
                        "epochs": told.epochs,
                        "batch": 32,
                        "dropout": 0.1,
                        "optimiser": {"learning_rate": 2e-3, "backbone": 0.5, "clip": 1.0, "average": 0.98},
                        "centring": {},
                        "machine": {"accelerator": "cpu"},
                    }
                )
                path = finetune(tuned, store=ninth, rows=(train, chosen))
                figures = judge(partial(answer, load_checkpoint(path)), judged)
                rows.append({"start": variant, "seed": seed, **figures})
                console.print(
                    f"{variant}, seed {seed}: kappa {figures['kappa']:.3f}, ccc {figures['ccc']:.3f}; "
                    f"{time.process_time() - began:.0f} s"
                )
    table = Table("start", "balanced accuracy", "kappa", "valence CCC", "arousal CCC")
    summary = {}
    for variant in ("scratch", "augmentation", "hard", "soft"):
        cells = []
        for name in ("balanced_accuracy", "kappa", "valence_ccc", "arousal_ccc"):
            values = [float(row[name]) for row in rows if row["start"] == variant]
            spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
            summary[f"{variant}/{name}"] = (float(np.mean(values)), float(spread))
            cells.append(f"{np.mean(values):.3f} ± {spread:.3f}")
        table.add_row(variant, *cells)
    Console().print(table)
    print(
        json.dumps(
            {"settings": vars(told), "cpu_s": time.process_time() - began, "runs": rows, "mean_sd": summary}
        )
    )


if __name__ == "__main__":
    main()
