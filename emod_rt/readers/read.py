"""One call for every format: what a file is, by its content and its extension."""

import gzip
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from emod_model.errors import EmodError, InputFileError, UsageError
from emod_rt.readers.csv_file import read_csv
from emod_rt.readers.labels import plain
from emod_rt.readers.mne_file import SUFFIXES, read_mne
from emod_rt.readers.openbci import is_openbci, read_openbci
from emod_rt.readers.recording import Raw, Recording, finish
from emod_rt.readers.table import decode
from emod_rt.readers.xdf_file import read_xdf

_MAGIC = (
    (b"XDF:", "XDF"),
    (b"\xffBIOSEMI", "BDF"),
    (b"0       ", "EDF"),
    (b"\x00\x00\x00\x64", "FIF"),
    (b"MATLAB 5.0 MAT-file", "EEGLAB"),
    (b"Brain Vision", "BrainVision"),
    (b"BrainVision", "BrainVision"),
)
_GZIP = b"\x1f\x8b"
_LARGEST = 4 * 2**30
# signals shrink to a fifth at best; what shrinks far more would only fill the memory
_SMALL, _MOST_TIMES = 2**26, 50
_EXTENSIONS = {kind: suffix for suffix, kind in SUFFIXES.items()} | {"XDF": ".xdf"}
_PARTS = {".eeg": "vhdr", ".vmrk": "vhdr", ".fdt": "set"}


def read_recording(
    path: str | Path, channels: Sequence[str] | None = None, rate: float | None = None
) -> Recording:
    """Read an EEG recording of any supported format.

    OpenBCI GUI text, CSV (Muse, Emotiv, Mind Monitor, plain numbers), EDF, BDF, FIF, BrainVision, EEGLAB and
    XDF; each but BrainVision also gzip-compressed.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    channels : sequence of str, optional
        Electrodes: one a data channel where the file names none, otherwise a selection by name and order.
    rate : float, optional
        Rate in Hz for a file that has neither a clock nor a declared rate.

    Returns
    -------
    Recording
        Microvolts as acquired, with the absolute index of every sample.

    Raises
    ------
    InputFileError
        Missing, empty, damaged, of no known format, or not EEG: one sentence that names the file.
    UsageError
        `channels` or `rate` do not fit the file.
    """
    path = Path(path)
    if rate is not None and not 1 <= rate <= 100_000:
        raise UsageError(f"a rate of {rate:g} Hz is no rate of an EEG; give it in Hz, for example rate=256")
    try:
        raw = _read(path, channels, rate)
        if rate is not None and abs(rate - raw.sfreq) > 0.01 * raw.sfreq:
            raise UsageError(f"rate={rate:g} contradicts the file's own {raw.sfreq:g} Hz; leave the rate out")
        return finish(raw, path, channels)
    except EmodError as error:
        # what a file says goes into sentences, never into the terminal's controls
        raise type(error)(f"{path}: {plain(str(error))}") from error
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror or error}); check that it is yours to read"
        ) from error
    except MemoryError as error:
        raise InputFileError(f"{path}: too large for the memory of this machine; split it") from error


def _read(path: Path, channels: Sequence[str] | None, rate: float | None) -> Raw:
    if path.is_dir():
        raise InputFileError("a folder, not a file; name one recording in it")
    if not path.exists():
        raise InputFileError("no such file; check the path")
    if not path.is_file():
        raise InputFileError("not a regular file; name a recording")
    if path.stat().st_size == 0:
        raise InputFileError("the file is empty; record or copy it again")
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(_GZIP):
        return _read_gzip(path, channels, rate)
    kind = _kind(head, path.name)
    if kind is not None:
        return _read_binary(path, kind)
    return _read_text(path.read_bytes(), channels, rate)


def _kind(head: bytes, name: str) -> str | None:
    """Return the format by content, None for text; refuse a name that says otherwise."""
    suffix = Path(name).suffix.lower()
    kind = next((kind for magic, kind in _MAGIC if head.lstrip(b"\xef\xbb\xbf").startswith(magic)), None)
    if suffix in _PARTS:
        raise InputFileError(f"only one part of a recording; name its .{_PARTS[suffix]} file")
    if kind is None and head.startswith(b"\x89HDF") and suffix == ".set":
        kind = "EEGLAB"
    claimed = SUFFIXES.get(suffix) or ("XDF" if suffix in (".xdf", ".xdfz") else None)
    if claimed is not None and kind != claimed:
        found = f"the content is {kind}" if kind else f"the content is not {claimed}"
        raise InputFileError(f"named {suffix}, but {found}; rename it or export it again")
    if kind is not None and kind != "XDF" and claimed is None:
        found = "MATLAB; if it is EEGLAB's," if kind == "EEGLAB" else f"{kind};"
        raise InputFileError(f"the content is {found} rename it to end in {_EXTENSIONS[kind]}")
    return kind


def _read_binary(path: Path, kind: str) -> Raw:
    return read_xdf(path) if kind == "XDF" else read_mne(path, kind)


def _read_text(blob: bytes, channels: Sequence[str] | None, rate: float | None) -> Raw:
    text = decode(blob)
    return read_openbci(text, rate) if is_openbci(text) else read_csv(text, channels, rate)


def _read_gzip(path: Path, channels: Sequence[str] | None, rate: float | None) -> Raw:
    try:
        most = min(_LARGEST, _SMALL + _MOST_TIMES * path.stat().st_size)
        with gzip.open(path) as file:
            blob = file.read(most + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputFileError("the gzip file is damaged or cut short; copy it again") from error
    if len(blob) > _LARGEST:
        raise InputFileError("more than 4 GiB once unpacked; unpack and split it")
    if len(blob) > most:
        raise InputFileError(
            f"more than {_MOST_TIMES} times its size once unpacked, which no signal is; "
            "record or export it again"
        )
    if not blob:
        raise InputFileError("the file is empty once unpacked; record or copy it again")
    inner = path.with_suffix("").name if path.suffix.lower() in (".gz", ".gzip") else path.name
    kind = _kind(blob[:64], inner)
    if kind is None:
        return _read_text(blob, channels, rate)
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / Path(inner).with_suffix(_EXTENSIONS[kind]).name
        unpacked.write_bytes(blob)
        return _read_binary(unpacked, kind)
