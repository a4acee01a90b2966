"""EDF, BDF, FIF, BrainVision and EEGLAB recordings, through MNE."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from emod_model.errors import InputFileError
from emod_rt.readers.labels import left_out, split_labels
from emod_rt.readers.recording import Raw

SUFFIXES = {".edf": "EDF", ".bdf": "BDF", ".fif": "FIF", ".vhdr": "BrainVision", ".set": "EEGLAB"}


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
    if kind in ("EDF", "BDF"):
        _refuse_short_edf(path, kind)
    raw, said = _load(path, kind)
    types = raw.get_channel_types()
    # a channel typed EEG (the default of many formats) may still be an ECG by name, and the other way round
    at = [row for row, kind_ in enumerate(types) if kind_ in ("eeg", "misc", "eog", "ecg", "emg", "bio")]
    labels = [raw.ch_names[row] for row in at]
    chosen, electrodes = split_labels(labels)
    if not chosen:
        raise InputFileError(f"no EEG among its channels ({', '.join(raw.ch_names[:8])})")
    values = raw.get_data(picks=[at[row] for row in chosen]) * 1e6
    notes = list(said)
    kept = [at[row] for row in chosen]
    if note := left_out(raw.ch_names, kept):
        notes.append(note)
    markers = [
        (
            float(onset) - raw.first_time
            if raw.info["meas_date"] is not None and kind == "FIF"
            else float(onset),
            str(text),
        )
        for onset, text in zip(raw.annotations.onset, raw.annotations.description, strict=True)
    ]
    return Raw(
        values=values,
        labels=[labels[row] for row in chosen],
        electrodes=electrodes,
        sfreq=float(raw.info["sfreq"]),
        index=np.arange(values.shape[1], dtype=np.int64),
        unit="uV",
        markers=markers,
        notes=notes,
    )


def _load(path: Path, kind: str) -> tuple[Any, list[str]]:
    """Return MNE's Raw and what it warned of."""
    import mne

    reader = {
        "EDF": mne.io.read_raw_edf,
        "BDF": mne.io.read_raw_bdf,
        "FIF": mne.io.read_raw_fif,
        "BrainVision": mne.io.read_raw_brainvision,
        "EEGLAB": mne.io.read_raw_eeglab,
    }[kind]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            raw = reader(path, preload=True, verbose="error")
        except Exception as error:  # MNE raises whatever a broken file makes it stumble on
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputFileError(
                f"cannot be read as {kind} ({reason[:200].rstrip('.')}); it is damaged or incomplete"
            ) from error
    said = [str(item.message).splitlines()[0] for item in caught if issubclass(item.category, RuntimeWarning)]
    return raw, list(dict.fromkeys(said))


def _refuse_short_edf(path: Path, kind: str) -> None:
    """Refuse an EDF or BDF whose data end before its header says; MNE would read on without a word."""
    width = 2 if kind == "EDF" else 3
    with path.open("rb") as file:
        head = file.read(256)
        try:
            header_bytes, records, channels = int(head[184:192]), int(head[236:244]), int(head[252:256])
            rest = file.read(max(channels, 0) * 256)
            per_record = sum(int(rest[channels * 216 + 8 * at :][:8]) for at in range(channels))
        except ValueError as error:
            raise InputFileError(f"a damaged {kind} header; record or export the file again") from error
    expected = header_bytes + records * per_record * width
    size = path.stat().st_size
    if channels < 1 or per_record < 1 or records == 0 or size < header_bytes:
        raise InputFileError(f"{channels} channels and {records} data records; there is nothing to read")
    if records > 0 and size < expected:
        have = (size - header_bytes) // (per_record * width)
        raise InputFileError(
            f"cut short: {have} of {records} data records are there ({size} of {expected} bytes); "
            "copy it again"
        )
