"""Markers and estimates as tables, with a description of every column."""

import csv
import json
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from emod_rt.estimate import AFFECT_CHANNELS
from emod_rt.export.continuous import Mark
from emod_rt.readers.affect import Affect
from emod_rt.readers.recording import Recording

NOT_THERE = "n/a"
EVENT_COLUMNS = ("onset", "duration", "trial_type", "sample", "stream", "channel")
EVENT_TEXTS: dict[str, dict[str, Any]] = {
    "onset": {"Description": "When it happened, from the first sample of the signal.", "Units": "s"},
    "duration": {"Description": "How long it lasts; 0 for a moment.", "Units": "s"},
    "trial_type": {
        "Description": "The marker's text. BAD_ACQ_SKIP: samples were lost here, and the signal holds the "
        "last value before. BAD_MISSING: the same where only these channels have no value.",
    },
    "sample": {"Description": "The nearest sample, the first one 0, lost ones counted."},
    "stream": {"Description": "Name of the marker stream it came from."},
    "channel": {"Description": "Channels that it is about; n/a for all.", "Delimiter": ","},
}
_AFFECT_TEXTS: dict[str, dict[str, Any]] = {
    "onset": {
        "Description": "End of the window that the estimate is of, from the first sample of the signal.",
        "Units": "s",
    },
    "duration": {"Description": "Not stated: n/a. Windows overlap and end at their onset."},
    "sample": {"Description": "The window's last sample, the first one of the signal 0, lost ones counted."},
    "valence": {"Description": "From -1, unpleasant, to 1, pleasant; n/a where the window is not valid."},
    "arousal": {"Description": "From -1, calm, to 1, excited; n/a where the window is not valid."},
    "valence_sd": {"Description": "Standard deviation of valence, in its unit."},
    "arousal_sd": {"Description": "Standard deviation of arousal, in its unit."},
    "valid": {"Description": "1 where the window carries a number, 0 where it does not."},
    "simulated": {
        "Description": "true: the model was trained on simulated signals, or the signal is simulated; "
        "these numbers then say nothing about a person."
    },
}


def generated_by() -> dict[str, str]:
    """Return what made the files, as BIDS writes it."""
    return {"Name": "emod-rt", "Version": version("emod-rt")}


def event_rows(marks: Iterable[Mark], sfreq: float) -> list[tuple[str, ...]]:
    """Return one row a mark, in `EVENT_COLUMNS`."""
    return [
        (
            _seconds(mark.onset),
            _seconds(mark.count / sfreq),
            mark.text or NOT_THERE,
            str(mark.sample),
            mark.stream or NOT_THERE,
            ",".join(mark.channels) or NOT_THERE,
        )
        for mark in marks
    ]


def affect_rows(affect: Affect, recording: Recording) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return columns and rows of the estimates along a recording."""
    columns = ["onset", "duration", "sample", *AFFECT_CHANNELS, "simulated"]
    simulated = str(affect.simulated or recording.simulated).lower()
    onsets = affect.times - float(recording.times[0])
    rows = [
        (
            _seconds(onset),
            NOT_THERE,
            str(round(onset * recording.sfreq)),
            *(_number(value) for value in values[:-1]),
            str(int(values[-1] == 1)),
            simulated,
        )
        for onset, values in zip(onsets.tolist(), affect.values, strict=True)
    ]
    return columns, rows


def affect_texts(affect: Affect, recording: Recording) -> dict[str, Any]:
    """Return the description that goes with `affect_rows`."""
    texts = dict(_AFFECT_TEXTS)
    for axis in affect.unvalidated:
        texts[axis] = {"Description": f"NOT VALIDATED ON PEOPLE. {texts[axis]['Description']}"}
    return {
        **texts,
        "Model": affect.model or NOT_THERE,
        "ModelSHA256": affect.model_sha256 or NOT_THERE,
        "Simulated": affect.simulated or recording.simulated,
        "NotValidatedOnPeople": list(affect.unvalidated),
        "GeneratedBy": [generated_by()],
    }


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table; parted by tabs when the name ends in .tsv, else by commas."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".tsv":
            # BIDS knows no quotes, and no cell holds a tab
            file.writelines("\t".join(row) + "\n" for row in (columns, *rows))
        else:
            csv.writer(file, lineterminator="\n").writerows((columns, *rows))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a description."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _seconds(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _number(value: np.float64) -> str:
    return repr(float(value)) if np.isfinite(value) else NOT_THERE
