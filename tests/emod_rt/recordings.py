"""Small recordings of every format, made for the reader tests."""

import gzip
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emod_rt.recording.streams import StreamDescription
from emod_rt.recording.xdf import XdfWriter
from emod_rt.sources.base import Metadata

NAMES = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")


def brainlike(
    channels: int = 6, seconds: float = 8.0, sfreq: float = 250.0, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Pink-ish noise and an alpha rhythm, about 20 µV."""
    rng = np.random.default_rng(seed)
    n = round(seconds * sfreq)
    slow = np.cumsum(rng.standard_normal((channels, n)), axis=1)
    slow -= np.linspace(0, 1, n) * slow[:, -1:]
    alpha = 10 * np.sin(2 * np.pi * 10 * np.arange(n) / sfreq)
    return 2 * slow + 5 * rng.standard_normal((channels, n)) + alpha


def write_csv(
    path: Path,
    times: npt.NDArray[np.float64] | None,
    data: npt.NDArray[np.float64],
    names: tuple[str, ...] = NAMES,
    time_name: str = "timestamps",
) -> Path:
    """Write a CSV with one column a channel."""
    head = [*([time_name] if times is not None else []), *names]
    columns = [
        *([np.array([f"{t:.6f}" for t in times])] if times is not None else []),
        *[np.array([f"{v:.3f}" for v in row]) for row in data],
    ]
    path.write_text(
        "\n".join([",".join(head), *[",".join(row) for row in zip(*columns, strict=True)]]) + "\n"
    )
    return path


def write_edf(
    path: Path,
    data: npt.NDArray[np.float64],
    names: tuple[str, ...] = NAMES,
    unit: str = "uV",
    sfreq: float = 250.0,
) -> Path:
    """Write an EDF or BDF by its extension."""
    import edfio

    make, signal = (edfio.Bdf, edfio.BdfSignal) if path.suffix == ".bdf" else (edfio.Edf, edfio.EdfSignal)
    make(
        [
            signal(row, sfreq, label=name, physical_dimension=unit)
            for row, name in zip(data, names, strict=True)
        ],
        annotations=[edfio.EdfAnnotation(2.0, None, "eyes closed")],
    ).write(path)
    return path


def write_fif(path: Path, data: npt.NDArray[np.float64], names: tuple[str, ...] = NAMES) -> Path:
    """Write an MNE Raw."""
    import mne

    raw = mne.io.RawArray(data * 1e-6, mne.create_info(list(names), 250.0, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([3.0], [0.0], ["start"]))
    raw.save(path, verbose="error")
    return path


def write_brainvision(path: Path, data: npt.NDArray[np.float64], names: tuple[str, ...] = NAMES) -> Path:
    """Write .vhdr, .vmrk and .eeg; returns the .vhdr."""
    path.with_suffix(".eeg").write_bytes((data.T / 0.1).round().astype("<i2").tobytes())
    path.with_suffix(".vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={path.stem}.eeg\n\n[Marker Infos]\nMk1=New Segment,,1,1,0,0\nMk2=Stimulus,S  7,501,1,0\n"
    )
    channels = "".join(f"Ch{at}={name},,0.1,µV\n" for at, name in enumerate(names, 1))
    path.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={path.stem}.eeg\nMarkerFile={path.stem}.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        f"NumberOfChannels={len(names)}\nSamplingInterval=4000\n\n[Binary Infos]\nBinaryFormat=INT_16\n\n"
        f"[Channel Infos]\n{channels}",
        encoding="utf-8",
    )
    return path


def write_set(
    path: Path,
    data: npt.NDArray[np.float64],
    names: tuple[str, ...] = NAMES,
    event: tuple[str, float, float] = ("blink", 501.0, 0.0),
) -> Path:
    """Write an EEGLAB file with the data inside."""
    from scipy.io import savemat

    locations = np.array(
        [(name, *np.zeros(3)) for name in names],
        dtype=[("labels", "O"), ("X", "f8"), ("Y", "f8"), ("Z", "f8")],
    )
    events = np.array([event], dtype=[("type", "O"), ("latency", "f8"), ("duration", "f8")])
    empty = np.array([])
    eeg = {
        "setname": "test", "nbchan": float(len(names)), "trials": 1.0, "pnts": float(data.shape[1]),
        "srate": 250.0, "xmin": 0.0, "xmax": (data.shape[1] - 1) / 250.0, "data": data.astype(np.float32),
        "chanlocs": locations, "event": events, "epoch": empty, "icawinv": empty, "icaweights": empty,
        "icasphere": empty, "comments": "", "ref": "common",
    }  # fmt: skip
    savemat(path, {"EEG": eeg}, appendmat=False)
    return path


def _desc(names: tuple[str, ...], unit: str, kind: str, simulated: bool) -> str:
    channels = "".join(
        f"<channel><label>{name}</label><unit>{unit}</unit><type>{kind}</type></channel>" for name in names
    )
    return f"<desc><channels>{channels}</channels><simulated>{str(simulated).lower()}</simulated></desc>"


def write_xdf(
    path: Path,
    times: npt.NDArray[np.float64],
    data: npt.NDArray[np.float64],
    names: tuple[str, ...] = NAMES,
    unit: str = "microvolts",
    sfreq: float = 250.0,
    streams: int = 1,
    kind: str = "EEG",
    simulated: bool = False,
) -> Path:
    """Write an XDF with EEG and a marker stream."""
    with XdfWriter(path) as writer:
        for number in range(streams):
            stream = writer.add_stream(
                StreamDescription(
                    Metadata(f"Headset {number}", kind, "x", _desc(names, unit, kind, simulated)),
                    sfreq, len(names), "float32",
                )
            )  # fmt: skip
            for first in range(0, times.size, 100):
                writer.samples(stream, times[first : first + 100], data[:, first : first + 100])
            writer.boundary()
    blob = bytearray(path.read_bytes())
    header = (
        b"<?xml version='1.0'?><info><name>Cues</name><type>Markers</type><channel_count>1</channel_count>"
        b"<nominal_srate>0</nominal_srate><channel_format>string</channel_format><desc/></info>"
    )
    text = b"happy film"
    sample = b"\x01\x01\x08" + struct.pack("<d", times[0] + 1.5) + b"\x01" + bytes([len(text)]) + text
    for tag, content in ((2, header), (3, sample)):
        body = struct.pack("<H", tag) + struct.pack("<I", 99) + content
        blob += b"\x04" + struct.pack("<I", len(body)) + body
    path.write_bytes(blob)
    return path


def write_openbci(
    path: Path,
    data: npt.NDArray[np.float64],
    counter: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64],
    version: int = 5,
    rate: float = 250.0,
) -> Path:
    """Write an OpenBCI GUI text of version 4 (no header line) or 5 and later."""
    count = len(data)
    kind = "EEG" if version < 5 else "EXG"
    lines = [f"%OpenBCI Raw {kind} Data", f"%Number of channels = {count}", f"%Sample Rate = {rate:g} Hz"]
    if version >= 5:
        columns = [
            "Sample Index",
            *[f"EXG Channel {at}" for at in range(count)],
            "Accel Channel 0",
            "Timestamp",
            "Marker Channel",
            "Timestamp (Formatted)",
        ]
        lines.append(", ".join(columns))
    for row in range(data.shape[1]):
        values = ", ".join(f"{value:.2f}" for value in data[:, row])
        if version >= 5:
            lines.append(
                f"{counter[row]}, {values}, 0.1, {times[row]:.6f}, {7.0 if row == 300 else 0.0}, 12:00:53.329"
            )
        else:
            lines.append(f"{counter[row]}, {values}, 0.10, 0.20, 0.30, 12:00:53.329, {times[row] * 1000:.0f}")
    path.write_text("\n".join(lines) + "\n")
    return path


ROWS = 2000
TIMES = 1e9 + np.arange(ROWS) / 250
DATA = brainlike()
EIGHT = brainlike(8)
COUNTER = np.arange(ROWS) % 256


def whole(kind: str, folder: Path) -> Path:
    """Write one small whole recording of a kind."""
    path = folder / f"whole{kind}"
    # no writer overwrites
    path.unlink(missing_ok=True)
    match kind:
        case ".csv":
            return write_csv(path, TIMES, DATA)
        case ".csv.gz":
            plain = write_csv(folder / "plain.csv", TIMES, DATA)
            path.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
            return path
        case ".edf" | ".bdf":
            return write_edf(path, DATA)
        case "_eeg.fif":
            return write_fif(path, DATA)
        case ".vhdr":
            return write_brainvision(path, DATA)
        case ".set":
            return write_set(path, DATA)
        case ".xdf":
            return write_xdf(path, TIMES, DATA)
        case _:
            return write_openbci(path, EIGHT, COUNTER, TIMES)
