"""EDF, BDF, FIF, BrainVision and EEGLAB recordings, through MNE."""

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from emod_model.errors import InputFileError
from emod_rt.readers.before_mne import check_brainvision, refuse_broken_mat
from emod_rt.readers.edf import place_records, read_header
from emod_rt.readers.labels import left_out, split_labels, why
from emod_rt.readers.marks import LOST, MISSING, SIMULATED
from emod_rt.readers.recording import Raw

SUFFIXES = {".edf": "EDF", ".bdf": "BDF", ".fif": "FIF", ".vhdr": "BrainVision", ".set": "EEGLAB"}
_MAY_BE_EEG = ("eeg", "misc", "eog", "ecg", "emg", "bio")


class _Gap(NamedTuple):
    """A stretch that holds no signal: first sample, samples, nothing acquired at all, on which channels."""

    first: int
    samples: int
    lost: bool
    channels: tuple[str, ...]


def read_mne(path: Path, kind: str) -> Raw:
    """Read a file that MNE knows.

    Parameters
    ----------
    path : pathlib.Path
        The file, with its proper extension.
    kind : str
        A value of `SUFFIXES`.

    Raises
    ------
    InputFileError
        MNE cannot read it, it is cut short, or it holds no EEG.
    """
    if kind == "EEGLAB":
        refuse_broken_mat(path)
    if kind == "BrainVision":
        check_brainvision(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            raw = _load_edf(path, kind) if kind in ("EDF", "BDF") else _load(path, kind)
        except InputFileError:
            raise
        except Exception as error:  # MNE raises whatever a broken file makes it stumble on
            raise InputFileError(
                f"cannot be read as {kind} ({why(str(error))}); copy or export it again"
            ) from error
    warned = [str(item.message).splitlines()[0] for item in caught if item.category is RuntimeWarning]
    raw.notes.extend(dict.fromkeys(warned))
    return raw


def _load(path: Path, kind: str) -> Raw:
    import mne

    reader = {
        "FIF": mne.io.read_raw_fif,
        "BrainVision": mne.io.read_raw_brainvision,
        "EEGLAB": mne.io.read_raw_eeglab,
    }[kind]
    raw = reader(path, preload=True, verbose="error")
    # EEG is the type that many formats give to everything: names decide among what may be EEG
    at = [row for row, type_ in enumerate(raw.get_channel_types()) if type_ in _MAY_BE_EEG]
    labels, electrodes, kept = _choose([raw.ch_names[row] for row in at])
    values = raw.get_data(picks=[at[row] for row in kept]) * 1e6
    sfreq = float(raw.info["sfreq"])
    notes = [note] if (note := left_out(raw.ch_names, [at[row] for row in kept])) else []
    events, gaps = _events(raw)
    index, unknown = _place_pieces(values.shape[1], events, sfreq)
    if unknown:
        notes.append(f"{unknown} cuts of unknown length; each counts as one lost sample")
    end = index.size - 1
    markers = [(float(index[min(max(round(s * sfreq), 0), end)]) / sfreq, text) for s, _, text in events]
    simulated = SIMULATED in str(raw.info["description"] or "")
    if kind == "BrainVision":
        simulated = SIMULATED in path.read_text(encoding="utf-8", errors="replace")
    found = Raw(values, labels, electrodes, sfreq, index, unit="uV", markers=markers, notes=notes)
    found.simulated = simulated
    return _without_gaps(found, gaps)


def _load_edf(path: Path, kind: str) -> Raw:
    import mne

    header = read_header(path, kind)
    everything = [label for label in header.labels if not label.endswith("DF Annotations")]
    labels, electrodes, kept = _choose(everything)
    twice = sorted(label for label in set(labels) if header.labels.count(label) > 1)
    if twice:
        raise InputFileError(f"two signals are named {twice[0]!r}; rename one of them")
    rates = sorted({header.rate(label) for label in labels})
    if len(rates) > 1:
        raise InputFileError(
            f"its EEG channels have different rates ({', '.join(f'{rate:g}' for rate in rates)} Hz); "
            "export it at one rate"
        )
    reader = mne.io.read_raw_edf if kind == "EDF" else mne.io.read_raw_bdf
    # only these: MNE would bring all to the fastest signal's rate
    raw = reader(path, include=labels, preload=True, verbose="error")
    volts = raw.get_data()
    known = [header.microvolts(label, row) for label, row in zip(labels, volts, strict=True)]
    written = [header.as_written(label, row) for label, row in zip(labels, volts, strict=True)]
    told = all(row is not None for row in known)
    values = np.array(known if told else written, dtype=np.float64)
    sfreq = float(raw.info["sfreq"])
    notes = [note] if (note := left_out(everything, kept)) else []
    if not header.closed:
        notes.append("the recorder never closed the file; read as far as it goes")
    index = place_records(path, header, sfreq, values.shape[1])
    events, gaps = _events(raw)
    markers = [(onset, text) for onset, _, text in events]
    unit = "uV" if told else None
    found = Raw(values, labels, electrodes, sfreq, index, unit=unit, markers=markers, notes=notes)
    found.simulated = header.simulated
    return _without_gaps(found, gaps)


def _choose(labels: list[str]) -> tuple[list[str], list[str] | None, list[int]]:
    """Return label, electrode and position of the EEG channels."""
    kept, electrodes = split_labels(labels)
    if not kept:
        raise InputFileError(
            f"no EEG among its channels ({', '.join(labels[:8])}); give a recording that names its electrodes"
        )
    return [labels[at] for at in kept], electrodes, kept


def _events(raw: Any) -> tuple[list[tuple[float, float, str]], list[_Gap]]:
    """Return what the annotations mark: onset from the first sample (s), duration (s), text; and the gaps."""
    # onsets count from the first sample, unless the file has a date: then from where its clock began
    start = raw.first_time if raw.annotations.orig_time is not None else 0.0
    sfreq = float(raw.info["sfreq"])
    events: list[tuple[float, float, str]] = []
    gaps: list[_Gap] = []
    for note in raw.annotations:
        onset, text = float(note["onset"]) - start, str(note["description"])
        duration = float(np.nan_to_num(note["duration"]))
        kind = text.removeprefix("Bad Interval/").upper()
        if kind.startswith((LOST, MISSING)):
            # a FIF keeps times in 32 bits; ours also hold the sample itself
            said = (note.get("extras") or {}).get("sample")
            first = said if isinstance(said, int) else round(onset * sfreq)
            named = [channel] if (channel := text.partition("@@")[2]) else note.get("ch_names", ())
            gaps.append(_Gap(first, round(duration * sfreq), kind.startswith(LOST), tuple(named)))
        else:
            events.append((onset, duration, text))
    return events, gaps


def _without_gaps(raw: Raw, gaps: list[_Gap]) -> Raw:
    """Take back what was filled in: lost samples become holes, missing values NaN."""
    there = np.ones(raw.values.shape[1], dtype=bool)
    for gap in gaps:
        span = slice(max(gap.first, 0), max(gap.first + gap.samples, 0))
        if gap.lost:
            there[span] = False
        else:
            named = [at for at, label in enumerate(raw.labels) if not gap.channels or label in gap.channels]
            raw.values[named, span] = np.nan
    if not there.any():
        raise InputFileError("all of it is marked as not acquired; give a recording that holds a signal")
    raw.values, raw.index = raw.values[:, there], raw.index[there]
    first = raw.index[0]
    raw.index = raw.index - first
    raw.t0 += float(first) / raw.sfreq
    return raw


def _place_pieces(
    rows: int, events: list[tuple[float, float, str]], sfreq: float
) -> tuple[npt.NDArray[np.int64], int]:
    """Return the absolute index of each row, and how many cuts do not tell their length.

    EEGLAB and BrainVision join what was cut or paused and leave a mark.
    """
    ahead = np.ones(rows, dtype=np.int64)
    ahead[0] = 0
    unknown = 0
    for onset, duration, text in events:
        row = round(onset * sfreq)
        kind = text.lower()
        if kind.startswith(("boundary", "new segment", "edge boundary")) and 0 < row < ahead.size:
            lost = round(duration * sfreq) if kind == "boundary" else 0
            unknown += lost < 1
            ahead[row] = 1 + max(lost, 1)
    return np.cumsum(ahead), unknown
