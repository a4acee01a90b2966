"""Recordings of every format, harmed in every way that the issue names, the same ones every time."""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.emod_rt.recordings import (
    COUNTER,
    DATA,
    EIGHT,
    ROWS,
    TIMES,
    whole,
    write_brainvision,
    write_csv,
    write_edf,
    write_fif,
    write_openbci,
    write_set,
    write_xdf,
)

KINDS = (".txt", ".csv", ".csv.gz", ".edf", ".bdf", "_eeg.fif", ".vhdr", ".set", ".xdf")
SUFFIXES = (".txt", ".csv", ".csv.gz", ".edf", ".bdf", ".fif", ".vhdr", ".set", ".xdf", ".xdfz", ".dat", "")


@dataclass(frozen=True)
class Harmed:
    """One damaged file.

    Attributes
    ----------
    fault : str
        What was done to it, in the issue's words.
    name : str
        What it is called.
    blob : bytes
        What is in it.
    """

    fault: str
    name: str
    blob: bytes


def blind(kind: str, blob: bytes, seed: int, tries: int) -> Iterator[Harmed]:
    """Yield what needs no knowledge of the format: cuts, flips, holes, blocks moved, wrong names, nothing.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    blob : bytes
        A whole file of it.
    seed : int
        Of what is harmed.
    tries : int
        Files with flipped bytes; of the other random faults a third each.
    """
    name, rng = f"x{kind}", np.random.default_rng([seed, KINDS.index(kind)])
    for part in range(50):
        yield Harmed("truncated", name, blob[: max(1, len(blob) * part // 50)])
    yield Harmed("empty", name, b"")
    for suffix in SUFFIXES:
        if suffix != kind.removeprefix("_eeg"):
            yield Harmed("wrong extension", f"x{suffix}", blob)
    for fault, harm, count in (
        ("bytes flipped", _flip, tries),
        ("bytes replaced", _replace, tries // 3),
        ("bytes zeroed", _zero, tries // 3),
        ("bytes removed", _remove, tries // 3),
        ("bytes repeated", _repeat, tries // 3),
    ):
        for at in range(count):
            # half of them where formats say what they are
            reach = min(len(blob), 2500) if at % 2 else len(blob)
            yield Harmed(fault, name, harm(bytearray(blob), reach, rng))


def _flip(blob: bytearray, reach: int, rng: np.random.Generator) -> bytes:
    for at in rng.integers(0, reach, int(rng.choice([1, 1, 3, 12]))):
        blob[at] ^= 1 << int(rng.integers(8))
    return bytes(blob)


def _replace(blob: bytearray, reach: int, rng: np.random.Generator) -> bytes:
    at, size = int(rng.integers(0, reach)), int(rng.integers(1, 300))
    blob[at : at + size] = rng.bytes(int(rng.integers(1, 300)))
    return bytes(blob)


def _zero(blob: bytearray, reach: int, rng: np.random.Generator) -> bytes:
    at, size = int(rng.integers(0, reach)), int(rng.integers(1, 600))
    blob[at : at + size] = bytes(len(blob[at : at + size]))
    return bytes(blob)


def _remove(blob: bytearray, reach: int, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, reach))
    del blob[at : at + int(rng.integers(1, 600))]
    return bytes(blob)


def _repeat(blob: bytearray, reach: int, rng: np.random.Generator) -> bytes:
    at, size = int(rng.integers(0, reach)), int(rng.integers(1, 600))
    blob[at:at] = blob[at : at + size] * int(rng.integers(1, 20))
    return bytes(blob)


def knowing(kind: str, folder: Path) -> Iterator[Harmed]:
    """Yield faults that only who knows the format can make: values, times, names, rates, claims."""
    for fault, make in _MADE.get(kind, []):
        (folder / f"made{kind}").unlink(missing_ok=True)
        path = make(folder / f"made{kind}")
        yield Harmed(fault, f"x{kind}", path.read_bytes())
    blob = whole(kind, folder).read_bytes()
    for fault, old, new in _PATCHES.get(kind, []):
        assert old in blob, (kind, fault, old)
        yield Harmed(fault, f"x{kind}", blob.replace(old, new, 1))
    if kind == ".csv.gz":
        yield Harmed("10 million claimed", f"x{kind}", _bomb())


def _bomb() -> bytes:
    """A gzip of 320 MB of zeros in 320 kB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(2**24)
    return b"".join(packer.compress(block) for _ in range(20)) + packer.flush()


def _times(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        times = change(TIMES.copy())
        match path.suffix:
            case ".csv":
                return write_csv(path, times, DATA)
            case ".xdf":
                return write_xdf(path, times, DATA)
            case _:
                return write_openbci(path, EIGHT, np.zeros(ROWS, dtype=np.int64), times)

    return make


def _values(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        match path.suffix:
            case ".csv":
                return write_csv(path, TIMES, change(DATA.copy()))
            case ".xdf":
                return write_xdf(path, TIMES, change(DATA.copy()))
            case ".fif":
                return write_fif(path, change(DATA.copy()))
            case ".set":
                return write_set(path, change(DATA.copy()))
            case _:
                return write_openbci(path, change(EIGHT.copy()), COUNTER, TIMES)

    return make


def _some(times: np.ndarray, at: slice | int, value: float) -> np.ndarray:
    times[at] = value
    return times


_TIMES = [
    ("non-monotonic time", lambda t: t[::-1]),
    ("non-monotonic time", lambda t: np.where(t > t[1000], t - 2, t)),
    ("non-monotonic time", lambda t: np.random.default_rng(0).permutation(t)),
    ("non-monotonic time", np.zeros_like),
    ("non-monotonic time", lambda t: _some(t, 700, t[0] - 1e9)),
    ("non-monotonic time", lambda t: _some(t, slice(900, None), 1e18)),
    ("non-monotonic time", lambda t: t - 2e9),
    ("NaN", lambda t: _some(t, 700, np.nan)),
    ("NaN", lambda t: t * np.nan),
    ("NaN", lambda t: _some(t, 700, np.inf)),
    ("0 Hz", lambda t: t[0] + np.arange(ROWS) * 1e300),
    ("0 Hz", lambda t: t[0] + np.arange(ROWS) * 1e5),
    ("0 Hz", lambda t: 1e-300 * np.arange(ROWS)),
]
_VALUES = [
    ("NaN", lambda d: d * np.nan),
    ("NaN", lambda d: d * np.inf),
    ("NaN", lambda d: np.where(np.arange(d.shape[1]) % 2, d, np.nan)),
    ("NaN", lambda d: np.vstack([d[:1] * np.nan, d[1:]])),
    ("NaN", lambda d: d * 1e30),
    ("NaN", lambda d: d * 0 + 5),
]
_TWICE = ("T3", "T7", "C3", "C4", "O1", "O2")
_SAME = ("C3",) * 6


def _text_columns(path: Path) -> Path:
    path.write_text("time," + ",".join(f"c{at}" for at in range(2_000_000)) + "\n" + "0," * 2_000_000 + "0\n")
    return path


def _wide_text(path: Path) -> Path:
    path.write_text("%OpenBCI Raw EXG Data\n%Sample Rate = 250 Hz\n" + "1, " * 3_000_000 + "1\n")
    return path


_MADE: dict[str, list[tuple[str, Callable[[Path], Path]]]] = {
    ".csv": [
        *[(fault, _times(change)) for fault, change in _TIMES],
        *[(fault, _values(change)) for fault, change in _VALUES],
        ("duplicate channels", lambda path: write_csv(path, TIMES, DATA, _TWICE)),
        ("duplicate channels", lambda path: write_csv(path, TIMES, DATA, _SAME)),
        ("10 million claimed", _text_columns),
    ],
    ".txt": [
        *[(fault, _times(change)) for fault, change in _TIMES],
        *[(fault, _values(change)) for fault, change in _VALUES],
        ("10 million claimed", _wide_text),
    ],
    ".xdf": [
        *[(fault, _times(change)) for fault, change in _TIMES],
        *[(fault, _values(change)) for fault, change in _VALUES],
        ("duplicate channels", lambda path: write_xdf(path, TIMES, DATA, _TWICE)),
        ("duplicate channels", lambda path: write_xdf(path, TIMES, DATA, _SAME)),
    ],
    "_eeg.fif": [
        *[(fault, _values(change)) for fault, change in _VALUES],
        ("duplicate channels", lambda path: write_fif(path, DATA, _TWICE)),
    ],
    ".set": [
        *[(fault, _values(change)) for fault, change in _VALUES],
        ("duplicate channels", lambda path: write_set(path, DATA, _TWICE)),
        ("duplicate channels", lambda path: write_set(path, DATA, _SAME)),
    ],
    ".edf": [
        ("duplicate channels", lambda path: write_edf(path, DATA, _TWICE)),
        ("duplicate channels", lambda path: write_edf(path, DATA, _SAME)),
    ],
    ".bdf": [("duplicate channels", lambda path: write_edf(path, DATA, _SAME))],
    ".vhdr": [
        ("duplicate channels", lambda path: write_brainvision(path, DATA, _TWICE)),
        ("duplicate channels", lambda path: write_brainvision(path, DATA, _SAME)),
    ],
}


def _header(count: str, rate: str) -> tuple[bytes, bytes]:
    return (
        f"<channel_count>{count}</channel_count>".encode(),
        f"<nominal_srate>{rate}</nominal_srate>".encode(),
    )


def _xdf_patches() -> Iterator[tuple[str, bytes, bytes]]:
    count, rate = _header("6", "250.0")
    for wrong in ("0", "-1", "nan", "inf", "1e308", "1e-308", "", "fast"):
        yield "0 Hz", rate, _header("6", wrong)[1]
    for wrong in ("10000000", "4294967296", "0", "-6", "six", "1e7", "9" * 5000):
        yield "10 million claimed", count, _header(wrong, "250.0")[0]
    yield "10 million claimed", b"<channel_format>float32<", b"<channel_format>string<"
    # the first chunk holds 100 samples of 6 floats, each with its time
    head = struct.pack("<IBI", 1, 4, 100)
    for claimed in (10_000_000, 2**32 - 1, 0, 99, 101):
        yield "10 million claimed", head, struct.pack("<IBI", 1, 4, claimed)
    yield "10 million claimed", head, struct.pack("<IBQ", 1, 8, 2**63)
    # the one marker
    one = struct.pack("<I", 99) + b"\x01\x01\x08"
    yield "10 million claimed", one, struct.pack("<I", 99) + b"\x04\xff\xff\xff\xff\x08"
    yield "10 million claimed", one, struct.pack("<I", 99) + b"\x04\x80\x96\x98\x00\x08"
    yield "10 million claimed", b"\x0ahappy film", b"\x08" + b"\xff" * 8 + b"happy film"
    bomb = b"".join(
        b'<!ENTITY a%d "%s">' % (at, b"&a%d;" % (at - 1) * 10 if at else b"x" * 10) for at in range(9)
    )
    yield (
        "10 million claimed",
        b"<?xml version='1.0'?><info>",
        b"<?xml version='1.0'?><!DOCTYPE info [" + bomb + b"]><info>&a8;",
    )


def _fif(kind: int, type_: int, code: str, value: float) -> bytes:
    """A tag of a FIF: what it is, type, size, where the next one is, value."""
    return struct.pack(">iiii", kind, type_, 4, 0) + struct.pack(code, value)


_PATCHES: dict[str, list[tuple[str, bytes, bytes]]] = {
    ".txt": [
        ("0 Hz", b"%Sample Rate = 250 Hz", b"%Sample Rate = 0 Hz"),
        ("0 Hz", b"%Sample Rate = 250 Hz", b"%Sample Rate = " + b"9" * 400 + b" Hz"),
        ("0 Hz", b"%Sample Rate = 250 Hz", b"%Sample Rate = 0.0000000001 Hz"),
        ("10 million claimed", b"%Number of channels = 8", b"%Number of channels = 10000000"),
        ("duplicate channels", b"EXG Channel 1", b"EXG Channel 0"),
    ],
    ".edf": [],
    ".bdf": [],
    "_eeg.fif": [
        *[
            ("0 Hz", _fif(201, 4, ">f", 250.0), _fif(201, 4, ">f", wrong))
            for wrong in (0.0, -250.0, float("nan"), float("inf"), 1e30, 1e-30)
        ],
        *[
            ("10 million claimed", _fif(200, 3, ">i", 6), _fif(200, 3, ">i", wrong))
            for wrong in (10_000_000, 2**31 - 1, 0, -1, 5, 7)
        ],
    ],
    ".vhdr": [
        *[
            ("0 Hz", b"SamplingInterval=4000", b"SamplingInterval=" + wrong)
            for wrong in (b"0", b"-4000", b"nan", b"inf", b"1e-300", b"", b"fast")
        ],
        *[
            ("10 million claimed", b"NumberOfChannels=6", b"NumberOfChannels=" + wrong)
            for wrong in (b"10000000", b"-1", b"0", b"", b"9" * 5000)
        ],
        ("wrong parts", b"whole.eeg", b"../../../../etc/passwd"),
        ("wrong parts", b"whole.eeg", b"absent.eeg"),
        ("wrong parts", b"whole.vmrk", b"/dev/zero"),
        ("wrong parts", b"whole.eeg", b"/dev/zero"),
        ("NaN", b"Ch1=Fp1,,0.1", b"Ch1=Fp1,,nan"),
        ("NaN", b"Ch1=Fp1,,0.1", b"Ch1=Fp1,,inf"),
    ],
    ".set": [
        *[
            ("0 Hz", struct.pack("<d", 250.0), struct.pack("<d", wrong))
            for wrong in (0.0, -250.0, float("nan"), float("inf"), 1e308)
        ],
        ("10 million claimed", struct.pack("<d", 2000.0), struct.pack("<d", 1e7)),
        ("10 million claimed", struct.pack("<d", 2000.0), struct.pack("<d", 1e308)),
        ("10 million claimed", struct.pack("<d", 6.0), struct.pack("<d", 1e7)),
        ("10 million claimed", struct.pack("<II", 6, 2000), struct.pack("<II", 10_000_000, 2000)),
        ("10 million claimed", struct.pack("<II", 6, 2000), struct.pack("<II", 2**31 - 1, 2**31 - 1)),
    ],
    ".xdf": list(_xdf_patches()),
}  # fmt: skip


def edf_claims(kind: str, blob: bytes) -> Iterator[Harmed]:
    """Yield EDF or BDF files whose header says the impossible, field by field."""
    signals = int(blob[252:256])
    # first byte and width of what the header says of the whole file
    fields = {"start": (184, 8), "records": (236, 8), "seconds": (244, 8), "signals": (252, 4)}
    # and of the first signal
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    for at, field in enumerate(
        ("label", "", "unit", "low", "high", "digital low", "digital high", "", "samples")
    ):
        if field:
            fields[field] = (256 + signals * sum(widths[:at]), widths[at])
    for field, (first, width) in fields.items():
        for wrong in ("0", "-1", "nan", "inf", "9" * width, "1e7", "", "x", "0.00001"):
            text = wrong[:width].ljust(width).encode()
            fault = "0 Hz" if field in ("seconds",) else "10 million claimed"
            yield Harmed(fault, f"x{kind}", blob[:first] + text + blob[first + width :])
