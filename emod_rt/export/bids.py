"""A recording as part of a BIDS-EEG dataset, new or grown."""

import json
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from emod_model.errors import UsageError
from emod_rt.export.bids_name import BidsName
from emod_rt.export.brainvision import write_brainvision
from emod_rt.export.continuous import fill
from emod_rt.export.mne_raw import NOBODY, began
from emod_rt.export.tables import (
    EVENT_COLUMNS,
    EVENT_TEXTS,
    NOT_THERE,
    affect_rows,
    affect_texts,
    event_rows,
    generated_by,
    write_json,
    write_table,
)
from emod_rt.readers.recording import Recording

_DERIVATIVE = Path("derivatives", "emod-rt")
_README = (
    "# EEG recordings\n\nEEG exported by emod-rt through MNE-BIDS: microvolts as acquired, no filter.\n"
    "Where samples were lost the last value before is held, and events.tsv marks the stretch BAD_ACQ_SKIP;\n"
    "BAD_MISSING marks single channels without a value. What is not known is n/a: nothing was guessed.\n"
)


def check_dataset(root: Path) -> None:
    """Refuse a folder that holds something else.

    Raises
    ------
    UsageError
        It is a file, or a folder with things in it that is no BIDS dataset.
    """
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; give the folder of a BIDS dataset, or a new one")
    if root.is_dir() and any(root.iterdir()) and not (root / "dataset_description.json").is_file():
        raise UsageError(
            f"{root} holds files but no dataset_description.json, so it is no BIDS dataset; give a new folder"
        )


def write_bids(recording: Recording, name: BidsName, root: Path, source: Path) -> list[str]:
    """Write a dataset of this one recording.

    Parameters
    ----------
    recording : Recording
        What to write.
    name : BidsName
        Its name.
    root : Path
        A new folder for the dataset.
    source : Path
        A folder for what is needed on the way.

    Returns
    -------
    list of str
        Notes on what the format cannot hold.
    """
    filled = fill(recording)
    write_brainvision(recording, filled, source / "signal.vhdr")
    _write_layout(recording, name, root, source / "signal.vhdr")
    _describe(root, _README, "EEG recordings", "raw")
    stem = root / name.folder / name.stem
    _correct_sidecar(stem, recording, filled.data.shape[1] / filled.sfreq)
    _correct_channels(Path(f"{stem}_channels.tsv"))
    marks = sorted((*filled.gaps, *filled.markers), key=lambda mark: mark.onset)
    if marks:
        write_table(Path(f"{stem}_events.tsv"), EVENT_COLUMNS, event_rows(marks, filled.sfreq))
        write_json(Path(f"{stem}_events.json"), EVENT_TEXTS)
    if recording.affect is not None:
        derivative = root / _DERIVATIVE
        title = "Valence and arousal estimated by emod-rt"
        _describe(
            derivative,
            f"# {title}\n\nOne row a window; the JSON beside says by which model.\n",
            title,
            "derivative",
        )
        stem = derivative / name.folder / f"{name.stem}_desc-affect_events"
        stem.parent.mkdir(parents=True)
        columns, rows = affect_rows(recording.affect, recording)
        write_table(Path(f"{stem}.tsv"), columns, rows)
        write_json(Path(f"{stem}.json"), affect_texts(recording.affect, recording))
    return []


def merge_tables(
    staged: Path, root: Path, merged: Path
) -> tuple[list[tuple[Path, Path]], list[tuple[Path, Path]]]:
    """Sort the files of a new dataset into those to add to another, and tables of it that grow.

    Parameters
    ----------
    staged, root : Path
        The new dataset and the one to add to.
    merged : Path
        A folder for the grown tables.

    Returns
    -------
    tuple of (list of (Path, Path), list of (Path, Path))
        File and new name of what is added; grown table and the table in whose place it goes.
    """
    added: list[tuple[Path, Path]] = []
    grown: list[tuple[Path, Path]] = []
    for file in sorted(path for path in staged.rglob("*") if path.is_file()):
        target = root / file.relative_to(staged)
        if file.name == "README" and any(target.parent.glob("README*")):
            continue
        if not target.exists():
            if file.suffix != ".lock":
                added.append((file, target))
        elif file.name == "participants.tsv" or file.name.endswith("_scans.tsv"):
            grown.append((_grow(target, file, merged / f"{len(grown)}.tsv"), target))
        elif file.parent == staged or file.parent == staged / _DERIVATIVE:
            continue  # the dataset's own description stays
        else:
            added.append((file, target))
    return added, grown


def _describe(root: Path, readme: str, title: str, kind: str) -> None:
    from mne_bids import make_dataset_description

    root.mkdir(parents=True, exist_ok=True)
    (root / "README").write_text(readme, encoding="utf-8")
    made = [generated_by()]
    make_dataset_description(
        path=root, name=title, dataset_type=kind, generated_by=made, overwrite=True, verbose="error"
    )
    path = root / "dataset_description.json"
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    # the people behind the data say who they are, or nobody does
    content.pop("Authors", None)
    if kind == "derivative":
        content["SourceDatasets"] = [{"URL": "../.."}]
    write_json(path, content)


def _write_layout(recording: Recording, name: BidsName, root: Path, vhdr: Path) -> None:
    import mne
    from mne_bids import BIDSPath, write_raw_bids

    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        raw = mne.io.read_raw_brainvision(vhdr, verbose="error")
        raw.set_annotations(None)
        raw.set_meas_date(began(recording))
        where = BIDSPath(
            subject=name.subject,
            session=name.session,
            task=name.task,
            run=name.run,
            root=root,
            datatype="eeg",
        )
        write_raw_bids(raw, where, readme=False, verbose="error")


def _correct_sidecar(stem: Path, recording: Recording, seconds: float) -> None:
    """Take back what MNE-BIDS reads out of the file format, and say what the recording says."""
    path = Path(f"{stem}_eeg.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    said = _said(recording)
    content.update(
        Manufacturer=said.get("manufacturer", NOT_THERE),
        EEGReference=said.get("reference", NOT_THERE),
        RecordingDuration=seconds,
        Simulated=recording.simulated,
        SourceNotes=list(recording.notes),
    )
    if recording.simulated:
        content["SubjectArtefactDescription"] = NOBODY
    write_json(path, content)


def _said(recording: Recording) -> dict[str, str]:
    """Return manufacturer and reference where the stream's description says them."""
    desc = "" if recording.metadata is None else recording.metadata.desc
    if not desc:
        return {}
    root = ET.fromstring(desc)
    found = {
        "manufacturer": root.findtext("acquisition/manufacturer") or root.findtext("manufacturer"),
        "reference": root.findtext("reference/label"),
    }
    return {key: value.strip() for key, value in found.items() if value and value.strip()}


def _correct_channels(path: Path) -> None:
    """Say n/a for filters and quality, which the file format's defaults know nothing about."""
    columns, rows = _read_table(path)
    unknown = {"low_cutoff", "high_cutoff", "status"}
    write_table(
        path,
        columns,
        [
            [NOT_THERE if key in unknown else cell for key, cell in zip(columns, row, strict=True)]
            for row in rows
        ],
    )


def _read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    columns, *rows = [line.split("\t") for line in lines if line]
    return columns, rows


def _grow(table: Path, more: Path, merged: Path) -> Path:
    """Write a table with the rows of another that it lacks, its own columns and rows as they are."""
    columns, rows = _read_table(table)
    new_columns, new_rows = _read_table(more)
    known = {row[0] for row in rows}
    for row in new_rows:
        if row[0] not in known:
            cells = dict(zip(new_columns, row, strict=True))
            rows.append([row[0], *(cells.get(column, NOT_THERE) for column in columns[1:])])
    write_table(merged, columns, rows)
    merged.chmod(table.stat().st_mode)
    return merged
