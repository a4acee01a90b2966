"""Our live verdicts beside PREP's and MNE's offline ones, on real recordings and on faults put into them.

    python benchmarks/quality_peers.py [--channels channels.csv]

Reads every recording of ../shared/data (or of EMOD_SHARED_DATA). Thresholds were chosen on the part called
"chosen on"; what is reported on is the rest, other people throughout but for the Insight, which has only one.
PREP (pyprep, without RANSAC, which needs more electrodes than most of these have) and MNE's local outlier
factor judge a whole recording, mains removed first as PREP asks; ours judges windows of 3 s, and calls a
channel bad here when it is left out of more than 2 % of them (on the part "chosen on", where 1, 2, 3 and 5 %
were tried, that agreed best with PREP). "eegmat as Cyton" is eegmat's eight Cyton electrodes alone.
"rank" is Spearman's between our mean likeness to the neighbours and PREP's share of unlike windows, minus
one at best.
"""

import argparse
import csv
import json
import logging
import os
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import mne
import numpy as np
import numpy.typing as npt
from pyprep import NoisyChannels
from rich.console import Console
from rich.table import Table
from scipy import signal, stats

from emod_model.montage import CYTON
from emod_model.signal.quality import ChannelQuality
from emod_model.signal.spec import SignalSpec
from emod_model.signal.windows import Windower
from emod_rt.readers.read import read_recording

Array = npt.NDArray[np.float64]
ROOT = Path(os.environ.get("EMOD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SPEC = SignalSpec()
CALLED_BAD = 0.02
CRITERIA = ("correlation", "hf_noise", "deviation", "flat", "dropout")
ONSET, FAULT_S = 0.4, 60.0  # a fault begins at this share of a stretch of this many seconds


@dataclass(frozen=True)
class Take:
    """One recording; lost samples are NaN."""

    folder: str
    name: str
    data: Array
    sfreq: float
    channels: tuple[str, ...]

    @property
    def reported(self) -> bool:
        """Whether no threshold was chosen on it."""
        if self.folder.startswith("eegmat"):
            return int(self.name[7:9]) % 2 == 1
        starts = {"insight_eyes": ("Closed",), "muse_states": ("S1", "S3"), "muse_lsl_p300": ("subject2",)}
        return self.folder != "openbci_cyton" and self.name.startswith(starts.get(self.folder, ("",)))


@dataclass(frozen=True)
class Row:
    """What is said of one channel of one recording."""

    take: Take
    channel: str
    windows: int
    bad: float
    bad_for: str
    poor: float
    poor_for: str
    likeness: float
    prep: frozenset[str]
    prep_unlike: float
    lof: bool | None


def takes() -> Iterator[Take]:
    for path in sorted(ROOT.rglob("*")):
        if path.suffix not in {".edf", ".csv", ".gz", ".txt"} or path.name == "index.csv":
            continue
        folder = path.relative_to(ROOT).parts[0]
        plain = folder == "muse_artifacts"
        names, rate = (("TP9", "AF7", "AF8", "TP10"), 220.0) if plain else (None, None)
        found = read_recording(path, names, rate)
        data = np.full((len(found.channels), int(found.index[-1]) + 1), np.nan)
        data[:, found.index] = found.data
        take = Take(folder, path.name, data, found.sfreq, found.channels)
        yield take
        if folder == "eegmat":
            rows = [take.channels.index(name) for name in CYTON]
            yield replace(take, folder="eegmat as Cyton", data=data[rows], channels=CYTON)


def ours(take: Take) -> tuple[list[int], list[tuple[ChannelQuality, ...]]]:
    """Return the last sample of every window that was judged, and the verdicts."""
    windower = Windower(SPEC, take.sfreq, len(take.channels), channels=take.channels)
    judged = [window for window in windower.push(0, take.data) if window.quality]
    return [window.index for window in judged], [window.quality for window in judged]


def as_mne(take: Take) -> mne.io.BaseRaw:
    kept = take.data[:, np.isfinite(take.data).all(axis=0)]
    info = mne.create_info(list(take.channels), take.sfreq, "eeg")
    return mne.io.RawArray(kept * 1e-6, info).notch_filter([50.0, 60.0])


def prep(raw: mne.io.BaseRaw) -> tuple[list[frozenset[str]], Array]:
    """Return PREP's criteria that each channel fails, and its share of windows unlike all others."""
    noisy = NoisyChannels(raw, random_state=0, ransac=False)
    noisy.find_all_bads()
    found = noisy.get_bads(as_dict=True)
    failed = [frozenset(c for c in CRITERIA if name in found[f"bad_by_{c}"]) for name in raw.ch_names]
    return failed, noisy._extra_info["bad_by_correlation"]["bad_window_fractions"]


def outliers(raw: mne.io.BaseRaw) -> set[str] | None:
    """Return MNE's local outliers; None with fewer than 8 channels to be an outlier of."""
    if len(raw.ch_names) < 8:
        return None
    band = raw.copy().filter(1.0, 45.0)
    neighbours = min(20, len(raw.ch_names) - 1)
    return set(mne.preprocessing.find_bad_channels_lof(band, n_neighbors=neighbours))


def most_common(reasons: list[str | None]) -> str:
    return str(Counter(reasons).most_common(1)[0][0]) if reasons else ""


def judge(take: Take) -> list[Row]:
    """Ask everybody about one recording."""
    raw = as_mne(take)
    failed, unlike = prep(raw)
    lof = outliers(raw)
    rows = []
    for at, verdicts in enumerate(zip(*ours(take)[1], strict=True)):
        bad = [verdict.reason for verdict in verdicts if not verdict.good]
        poor = [verdict.reason for verdict in verdicts if verdict.good and verdict.reason]
        likeness = [verdict.measured.likeness for verdict in verdicts]
        rows.append(
            Row(
                take,
                take.channels[at],
                len(verdicts),
                len(bad) / len(verdicts),
                most_common(bad),
                len(poor) / len(verdicts),
                most_common(poor),
                float(np.mean(likeness)),
                failed[at],
                float(unlike[at]),
                None if lof is None else take.channels[at] in lof,
            )
        )
    return rows


def verdicts(rows: list[Row]) -> list[dict[str, object]]:
    """Return one line a part and folder: what share of windows is left out, or poor, and mostly for what."""
    lines: list[dict[str, object]] = []
    for reported, folder in sorted({(row.take.reported, row.take.folder) for row in rows}):
        chosen = [row for row in rows if (row.take.reported, row.take.folder) == (reported, folder)]
        weights = [row.windows for row in chosen]
        lines.append(
            {
                "part": "reported" if reported else "chosen on",
                "folder": folder,
                "channels": len(chosen),
                "windows": sum(weights),
                "left out": float(np.average([row.bad for row in chosen], weights=weights)),
                "mostly for": most_common([row.bad_for for row in chosen if row.bad]),
                "poor": float(np.average([row.poor for row in chosen], weights=weights)),
                "poor mostly for": most_common([row.poor_for for row in chosen if row.poor]),
            }
        )
    return lines


def agreement(ours_bad: list[bool], theirs_bad: list[bool]) -> dict[str, float]:
    """Return sensitivity and specificity of ours with theirs as the truth, and Cohen's kappa."""
    a, b = np.array(ours_bad), np.array(theirs_bad)
    by_chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return {
        "channels": len(a),
        "ours_bad": int(a.sum()),
        "theirs_bad": int(b.sum()),
        "sensitivity": float(a[b].mean()) if b.any() else float("nan"),
        "specificity": float((~a[~b]).mean()) if (~b).any() else float("nan"),
        "kappa": float(((a == b).mean() - by_chance) / (1 - by_chance)) if by_chance < 1 else float("nan"),
    }


def compare(rows: list[Row]) -> list[dict[str, object]]:
    """Return one line a folder, part and criterion."""
    lines: list[dict[str, object]] = []
    for reported in (False, True):
        for folder in sorted({row.take.folder for row in rows}):
            chosen = [row for row in rows if (row.take.folder, row.take.reported) == (folder, reported)]
            if not chosen:
                continue
            part = {"part": "reported" if reported else "chosen on", "folder": folder}
            mine = [row.bad > CALLED_BAD for row in chosen]
            sides = {"PREP": [bool(row.prep) for row in chosen]}
            sides |= {f"PREP {c}": [c in row.prep for row in chosen] for c in CRITERIA[:2]}
            if chosen[0].lof is not None:
                sides["MNE LOF"] = [bool(row.lof) for row in chosen]
            likeness, unlike = [row.likeness for row in chosen], [row.prep_unlike for row in chosen]
            sides["PREP, 10 % of time"] = [share > 0.1 for share in unlike]
            rank = stats.spearmanr(likeness, unlike).statistic
            lines += [
                {**part, "against": name, **agreement(mine, side), "rank": float(rank)}
                for name, side in sides.items()
            ]
    return lines


# -- faults put into real recordings


def railed(x: Array, _sfreq: float, _rng: np.random.Generator) -> Array:
    return np.full_like(x, 187_500.0)


def flat(x: Array, _sfreq: float, rng: np.random.Generator) -> Array:
    return x[0] + rng.normal(0, 0.1, len(x))


def drift(x: Array, sfreq: float, _rng: np.random.Generator) -> Array:
    return x + 2000.0 * 10 * (signal.sawtooth(2 * np.pi * np.arange(len(x)) / sfreq / 20, 0.5) + 1) / 2


def mains(x: Array, sfreq: float, rng: np.random.Generator) -> Array:
    t = np.arange(len(x)) / sfreq
    nominal = rng.choice([50.0, 60.0])
    # wanders by 0.05 Hz within 10 s, as the grid does
    return x + 1000.0 * np.sin(
        2 * np.pi * (nominal * t + 0.05 * 10 / (2 * np.pi) * np.sin(2 * np.pi * t / 10))
    )


def muscle(x: Array, sfreq: float, rng: np.random.Generator) -> Array:
    top = min(100.0, 0.45 * sfreq)
    band = signal.butter(2, (20.0, top), "bandpass", fs=sfreq, output="sos")
    noise = signal.sosfilt(band, rng.normal(size=len(x)))
    return x + 40.0 * noise / noise.std()


def noise(x: Array, sfreq: float, rng: np.random.Generator) -> Array:
    """Pink noise in place of the signal, as strong as it was between 1 and 45 Hz."""
    band = signal.butter(2, (1.0, 45.0), "bandpass", fs=sfreq, output="sos")
    size = stats.median_abs_deviation(signal.sosfilt(band, x - x[0]), scale="normal")
    spectrum = np.fft.rfft(rng.normal(size=len(x)))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    pink = np.fft.irfft(spectrum, len(x))
    return x[0] + size * pink / signal.sosfilt(band, pink).std()


Fault = Callable[[Array, float, np.random.Generator], Array]
FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "railed": (railed, {"railed"}),
    "flat": (flat, {"flat"}),
    "drift, 2 mV/s": (drift, {"drift", "blink or movement"}),
    "mains, 1 mV": (mains, {"line noise"}),
    "muscle, 40 uV": (muscle, {"muscle"}),
    "noise": (noise, {"unlike neighbours"}),
}


def inject(take: Take, fault: Fault, seed: int) -> tuple[Take, int, int]:
    """Return a stretch with one channel faulty from its `ONSET` on, that channel, and the onset's sample."""
    rng = np.random.default_rng(seed)
    data = take.data.copy()
    row, onset = int(rng.integers(len(data))), round(ONSET * data.shape[1])
    data[row, onset:] = fault(np.nan_to_num(data[row, onset:]), take.sfreq, rng)
    return replace(take, data=data), row, onset


def try_fault(
    take: Take, name: str, seed: int, clean: list[tuple[ChannelQuality, ...]]
) -> dict[str, list[bool]]:
    """Say window by window what was found of a fault, and of the channels that have none."""
    fault, right = FAULTS[name]
    broken, row, onset = inject(take, fault, seed)
    ends, verdicts = ours(broken)
    failed = [bool(criteria) for criteria in prep(as_mne(broken))[0]]
    found: dict[str, list[bool]] = {"PREP": [failed[row]], "PREP on others": failed[:row] + failed[row + 1 :]}
    for key in ("shown", "named", "left out", "others wronged"):
        found[key] = []
    for end, after, before in zip(ends, verdicts, clean, strict=True):
        # a window counts once it holds nothing but the fault
        if end < onset + (SPEC.window_s + SPEC.settle_s) * take.sfreq:
            continue
        found["shown"].append(after[row].reason is not None)
        found["named"].append(after[row].reason in right)
        found["left out"].append(not after[row].good)
        others = [at for at in range(len(after)) if at != row]
        found["others wronged"] += [before[at].good and not after[at].good for at in others]
    return found


def faults(recordings: list[Take]) -> list[dict[str, object]]:
    """Return one line a fault and folder: shares of windows, and for PREP of recordings."""
    found: dict[tuple[str, str], dict[str, list[bool]]] = {}
    reported = [take for take in recordings if take.reported]
    for seed, take in enumerate(reported):
        stretch = replace(take, data=take.data[:, : round(FAULT_S * take.sfreq)])
        clean = ours(stretch)[1]
        for name in FAULTS:
            sums = found.setdefault((take.folder, name), {})
            for key, values in try_fault(stretch, name, seed, clean).items():
                sums.setdefault(key, []).extend(values)
    keys = ("shown", "named", "left out", "others wronged", "PREP", "PREP on others")
    return [
        {"folder": folder, "fault": name, "recordings": len(sums["PREP"])}
        | {key: float(np.mean(sums[key])) for key in keys}
        for (folder, name), sums in sorted(found.items())
    ]


def table(title: str, lines: list[dict[str, object]]) -> Table:
    result = Table(title=title)
    for key in lines[0]:
        result.add_column(
            key.replace("_", " "), justify="left" if isinstance(lines[0][key], str) else "right"
        )
    for line in lines:
        result.add_row(*(f"{v:.3f}" if isinstance(v, float) else str(v) for v in line.values()))
    return result


def write(path: str, rows: list[Row]) -> None:
    """Write one line a channel of a recording."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        says = ["windows", "bad", "bad for", "poor", "poor for", "likeness"]
        writer.writerow(
            ["folder", "recording", "reported", "channel", *says, "PREP", "PREP unlike", "MNE LOF"]
        )
        for row in rows:
            what = [row.take.folder, row.take.name, row.take.reported, row.channel, row.windows]
            us = [f"{row.bad:.4f}", row.bad_for, f"{row.poor:.4f}", row.poor_for, f"{row.likeness:.3f}"]
            writer.writerow([*what, *us, " ".join(sorted(row.prep)), f"{row.prep_unlike:.4f}", row.lof])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--channels", metavar="FILE", help="write every channel of every recording as CSV")
    arguments = parser.parse_args()
    mne.set_log_level("ERROR")
    logging.getLogger("pyprep").setLevel(logging.ERROR)
    # pyprep's z-scores divide by a spread of zero on four channels
    warnings.simplefilter("ignore", RuntimeWarning)
    began = time.monotonic()
    recordings = list(takes())
    rows = [row for take in recordings for row in judge(take)]
    if arguments.channels:
        write(arguments.channels, rows)
    judged, compared, injected = verdicts(rows), compare(rows), faults(recordings)
    console = Console(width=150)
    console.print(table("shares of channel windows", judged))
    console.print(table("channels called bad, by us and by others", compared))
    console.print(table("faults put into one channel of each recording not chosen on", injected))
    console.print(f"{len(recordings)} recordings, {time.monotonic() - began:.0f} s")
    print(
        json.dumps(
            {"benchmark": "quality_peers", "verdicts": judged, "agreement": compared, "faults": injected}
        )
    )


if __name__ == "__main__":
    main()
