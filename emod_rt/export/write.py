"""One call for every format: the recording under a name that was free, whole or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emod_model.errors import UsageError
from emod_rt.placing import place, staging
from emod_rt.readers.recording import Recording

SUFFIXES = {"edf": (".edf", ".bdf"), "fif": (".fif",), "csv": (".csv",)}


@dataclass(frozen=True)
class Exported:
    """What came of an export.

    Attributes
    ----------
    path : pathlib.Path
        The file with the signal.
    files : tuple of pathlib.Path
        Every new file.
    notes : tuple of str
        One sentence each on what is not as in the recording.
    """

    path: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def export_recording(
    recording: Recording,
    to: str,
    path: str | Path,
    subject: str | None = None,
    session: str | None = None,
    task: str | None = None,
    advance: Callable[[float], None] = lambda _: None,
) -> Exported:
    """Write a recording in a format of others, readable by its owner only; nothing is overwritten.

    Parameters
    ----------
    recording : Recording
        From `read_recording`.
    to : str
        "bids", "edf", "fif" or "csv".
    path : path-like
        The dataset's folder for "bids", else the new file; folders that are missing are made. With "edf" a
        name that ends in .bdf keeps 24 bits.
    subject, session, task : str, optional
        For "bids"; by default from the file's own BIDS name.
    advance : callable, optional
        Called with the seconds of signal that are done, as far as they are known.

    Returns
    -------
    Exported
        The new files.

    Raises
    ------
    UsageError
        The path is taken, does not fit the format, or cannot be written.
    """
    path = Path(path)
    try:
        if to == "bids":
            return _to_bids(recording, path, subject, session, task)
        return _to_file(recording, to, path, advance)
    except FileExistsError as error:
        raise UsageError(
            f"{error.filename} is there already and is not overwritten; choose another name"
        ) from error
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror or error}); choose another place"
        ) from error


def _to_file(recording: Recording, to: str, path: Path, advance: Callable[[float], None]) -> Exported:
    if to not in SUFFIXES:
        raise UsageError(f"{to!r} is no format; give bids, edf, fif or csv")
    if path.suffix.lower() not in SUFFIXES[to]:
        raise UsageError(f"{path} does not end in {' or '.join(SUFFIXES[to])}; give it a name that does")
    if path.exists():
        raise FileExistsError(17, "exists", str(path))
    with staging(path.parent) as folder:
        part = folder / path.name
        notes = _write(recording, to, part, advance)
        if recording.affect is not None:
            _write_affect(recording, part)
        moves = [(file, path.parent / file.name) for file in sorted(folder.iterdir())]
        place(moves)
    return Exported(path, tuple(target for _, target in moves), tuple(notes))


def _write(recording: Recording, to: str, part: Path, advance: Callable[[float], None]) -> Sequence[str]:
    if to == "csv":
        from emod_rt.export.csv_table import write_csv

        return write_csv(recording, part, advance)
    if to == "fif":
        from emod_rt.export.fif import write_fif

        return write_fif(recording, part)
    from emod_rt.export.edf import write_edf

    return write_edf(recording, part)


def _write_affect(recording: Recording, part: Path) -> None:
    from emod_rt.export.tables import affect_rows, affect_texts, write_json, write_table

    assert recording.affect is not None
    table = part.with_name(f"{part.stem}_affect.csv")
    write_table(table, *affect_rows(recording.affect, recording))
    write_json(table.with_suffix(".json"), affect_texts(recording.affect, recording))


def _to_bids(
    recording: Recording, root: Path, subject: str | None, session: str | None, task: str | None
) -> Exported:
    from emod_rt.export.bids import check_dataset, merge_tables, write_bids
    from emod_rt.export.bids_name import free_name, name_for

    name = name_for(recording.path, subject, session, task)
    check_dataset(root)
    name, said = free_name(root, name)
    with staging(root if root.is_dir() else root.parent) as folder:
        dataset, merged = folder / "dataset", folder / "merged"
        merged.mkdir()
        notes = write_bids(recording, name, dataset, folder)
        moves, grown = merge_tables(dataset, root, merged)
        place(moves)
        for table, target in grown:
            table.replace(target)
    notes = [*notes, *([said] if said else [])]
    return Exported(
        root / name.folder / f"{name.stem}_eeg.vhdr", tuple(target for _, target in moves), tuple(notes)
    )
