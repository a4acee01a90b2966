"""Small corpora in the true layout of the big ones: names, keys, types, orientation, oddities."""

import pickle
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import edfio
import numpy as np
from scipy.io import savemat

from emod_model.corpora.caps import BIOSEMI_32, EPOC_14, NEUROSCAN_62
from emod_model.corpora.mdme import LENGTHS

UV = 20.0
"""Deviation of what is made, in microvolts."""


def noise(shape: Sequence[int], seed: int = 0, dtype: type = np.float64) -> np.ndarray:
    """Noise of the size of EEG, along the last axis."""
    return (UV * np.random.default_rng(seed).standard_normal(shape, np.float32)).astype(dtype)


def cells(values: Iterable[object], column: bool = False) -> np.ndarray:
    """A MATLAB cell array, a row unless said otherwise."""
    items = list(values)
    made = np.empty((len(items), 1) if column else (1, len(items)), dtype=object)
    for at, item in enumerate(items):
        made.flat[at] = item
    return made


def save(path: Path, **variables: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, variables)
    return path


# --- pickles as Python 2 wrote them: byte strings, numpy.core, protocol 2


def _short(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text


def _integer(value: int) -> bytes:
    return b"M" + struct.pack("<H", value) if value < 65536 else b"J" + struct.pack("<i", value)


def _array2(array: np.ndarray) -> bytes:
    """numpy.ndarray.__reduce__ by hand."""
    shape = b"(" + b"".join(_integer(size) for size in array.shape) + b"t"
    code = f"{array.dtype.kind}{array.dtype.itemsize}".encode()
    order = b"<" if array.dtype.itemsize > 1 else b"|"
    dtype = b"cnumpy\ndtype\n(" + _short(code) + b"K\x00K\x01tR"
    dtype += b"(K\x03" + _short(order) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    raw = np.ascontiguousarray(array).tobytes()
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85" + _short(b"b") + b"tR"
    return made + b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb"


def python2_pickle(**arrays: np.ndarray) -> bytes:
    """A dict of arrays, protocol 2."""
    items = b"".join(_short(name.encode()) + _array2(array) for name, array in arrays.items())
    return b"\x80\x02}(" + items + b"u."


# --- tables


def xls(rows: Sequence[Sequence[str | float]]) -> bytes:
    """An Excel sheet of the oldest kind (BIFF2), which xlrd reads as it does DEAP's."""
    made = struct.pack("<HHHH", 0x0009, 4, 2, 0x0010)
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            place = struct.pack("<HH3s", at, column, b"\0\0\0")
            if isinstance(cell, str):
                body = place + bytes([len(cell)]) + cell.encode()
                made += struct.pack("<HH", 0x0004, len(body)) + body
            else:
                body = place + struct.pack("<d", cell)
                made += struct.pack("<HH", 0x0003, len(body)) + body
    return made + struct.pack("<HH", 0x000A, 0)


DEAP_HEAD = (
    "Participant_id", "Trial", "Experiment_id", "Start_time", "Valence", "Arousal", "Dominance", "Liking",
    "Familiarity",
)  # fmt: skip


# --- the eleven


def deap(
    root: Path, people: int = 1, trials: int = 2, samples: int = 8064, reflected: Sequence[int] = ()
) -> np.ndarray:
    """Files s01.dat ...; returns the true ratings (people, trials, 4); `reflected` trials are 9 - x."""
    true = np.round(1 + 8 * np.random.default_rng(5).random((people, trials, 4)), 2)
    folder = root / "data_preprocessed_python"
    folder.mkdir(parents=True)
    for who in range(people):
        labels = true[who].copy()
        labels[list(reflected), :2] = 9 - labels[list(reflected), :2]
        data = noise((trials, 40, samples), who)
        (folder / f"s{who + 1:02d}.dat").write_bytes(python2_pickle(labels=labels, data=data))
    return true


def deap_rows(true: np.ndarray) -> list[list[str | float]]:
    """The official table: in the order of presentation, which is not the videos'."""
    rows: list[list[str | float]] = [list(DEAP_HEAD)]
    for who, rated in enumerate(true):
        order = np.random.default_rng(who).permutation(len(rated))
        for shown, video in enumerate(order):
            rows.append(
                [float(n) for n in (who + 1, shown + 1, video + 1, 123456)] + rated[video].tolist() + [3.0]
            )
    return rows


def deap_csv(root: Path, true: np.ndarray) -> Path:
    path = root / "metadata_csv" / "participant_ratings.csv"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(",".join(map(str, row)) for row in deap_rows(true)) + "\n")
    return path


def dreamer(root: Path, people: int = 2, clips: int = 18, rest_s: int = 61, film_s: int = 3) -> None:
    """DREAMER.mat: structs in cells in structs, time first, an offset of thousands of microvolts."""

    def signals(who: int, seconds: int, level: float, rate: int, rows: int) -> np.ndarray:
        made = [level + noise((seconds * rate, rows), 100 * who + clip) for clip in range(clips)]
        return cells(made, column=True)

    def person(who: int) -> dict[str, object]:
        rng = np.random.default_rng(who)
        scores = {
            f"Score{name}": rng.integers(1, 6, (clips, 1)).astype(np.uint8)
            for name in ("Valence", "Arousal", "Dominance")
        }
        eeg = {
            "baseline": signals(who, rest_s, 4150, 128, 14),
            "stimuli": signals(who + 50, film_s, 4300, 128, 14),
        }
        ecg = {"baseline": signals(who, 1, 0, 256, 2), "stimuli": signals(who, 1, 0, 256, 2)}
        return {"Age": "22", "Gender": "male", "EEG": eeg, "ECG": ecg} | scores

    save(
        root / "DREAMER.mat",
        DREAMER={
            "Data": cells(person(who) for who in range(people)),
            "EEG_SamplingRate": 128.0,
            "ECG_SamplingRate": 256.0,
            "EEG_Electrodes": cells(EPOC_14),
            "noOfSubjects": float(people),
            "noOfVideoSequences": float(clips),
            "Disclaimer": "While every care has been taken",
            "Provider": "University of the West of Scotland",
            "Version": "1.0.2",
            "Acknowledgement": "The authors would like to thank",
        },
    )


def amigos_file(
    path: Path, seed: int = 0, seconds: int = 7, scale: float = 1.0, **odd: Sequence[int]
) -> Path:
    """One person: `empty`, `nan` and `unrated` list the cells (from 0) that are so."""
    rng = np.random.default_rng(seed)
    data, rated = [], []
    for at in range(20):
        if at in odd.get("empty", ()):
            data.append(np.zeros((0, 0)))
            rated.append(np.zeros((0, 0)))
            continue
        trial = scale * noise((seconds * 128 + at, 17), 100 * seed + at)
        if at in odd.get("nan", ()):
            trial[5, 3] = np.nan
        ticks = np.eye(7)[at % 7][None] if at else np.ones((1, 7))
        scores = np.concatenate([1 + 8 * rng.random((1, 5)), ticks], axis=1)
        if at in odd.get("unrated", ()):
            scores[0, 1] = np.nan
        data.append(trial)
        rated.append(scores)
    names = [str(name) for name in (10, 13, 138, 18, 19, 20, 23, 30, 31, 34, 36, 4, 5, 58, 80, 9)]
    return save(
        path,
        VideoIDs=cells([*names, "N1", "P1", "B1", "U1"]),
        joined_data=cells(data),
        labels_ext_annotation=cells(np.zeros((3, 3)) for _ in range(20)),
        labels_selfassessment=cells(rated),
    )


def amigos(root: Path, people: int = 1, seconds: int = 7) -> None:
    """Half of the files in folders of their names."""
    for who in range(1, people + 1):
        name = f"Data_Preprocessed_P{who:02d}"
        folder = root / "data_preprocessed"
        amigos_file((folder / name if who % 2 else folder) / f"{name}.mat", who, seconds)


def seed_file(path: Path, trials: Sequence[int], prefix: str, seconds: int = 2, seed: int = 0) -> Path:
    """Variables in a shuffled order, each with one sample beyond whole seconds."""
    order = np.random.default_rng(seed).permutation(list(trials))
    made = {
        f"{prefix}_eeg{k}": noise((62, 200 * (seconds + int(k) % 2) + 1), 100 * seed + int(k)) for k in order
    }
    return save(path, **made)


SEED_LABELS = [1, 0, -1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 0, 1, -1]


def seed(root: Path, files: Sequence[str] = ("1_20131027",), trials: int = 15, seconds: int = 2) -> None:
    folder = root / "Preprocessed_EEG"
    save(folder / "label.mat", label=np.array([SEED_LABELS], dtype=np.int16))
    (folder / "readme.txt").write_text("1. labels")
    for number, name in enumerate(files):
        seed_file(folder / f"{name}.mat", range(1, trials + 1), "djc", seconds, number)
        features = {f"de_LDS{k}": np.zeros((62, 4, 5)) for k in range(1, trials + 1)}
        save(root / "ExtractedFeatures" / f"{name}.mat", **features)


def seed_iv(root: Path, sessions: Sequence[int] = (1, 2, 3), trials: int = 24, seconds: int = 2) -> None:
    for session in sessions:
        path = root / "eeg_raw_data" / str(session) / f"1_2016051{session}.mat"
        seed_file(path, range(1, trials + 1), "cz", seconds, session)


def seed_vii(root: Path, clips: Sequence[int] = range(1, 81), seconds: int = 1) -> None:
    order = np.random.default_rng(3).permutation(list(clips))
    made = {str(k): noise((62, 200 * seconds), int(k)) for k in order}
    save(root / "EEG_preprocessed" / "1.mat", **made)


SEED_V_LABELS = (*NEUROSCAN_62[:32], "M1", *NEUROSCAN_62[32:41], "M2", *NEUROSCAN_62[41:], "VEO", "HEO")


def cnt(
    path: Path,
    data: np.ndarray,
    labels: Sequence[str],
    sfreq: int,
    calibration: float = 1.0,
    baseline: int = 0,
) -> Path:
    """Neuroscan's header by hand, samples (channels, n) int32 one after the other, an event table behind."""
    head = bytearray(900)
    head[:12] = b"Version 3.0\0"
    struct.pack_into("<H", head, 370, len(labels))
    struct.pack_into("<H", head, 376, sfreq)
    struct.pack_into("<i", head, 864, data.shape[1])
    struct.pack_into("<i", head, 886, 900 + 75 * len(labels) + data.size * 4)
    for at, label in enumerate(labels):
        block = bytearray(75)
        struct.pack_into("<ff", block, 19, np.sin(at / 9), np.cos(at / 9))
        block[: len(label)] = label.upper().encode()
        struct.pack_into("<h", block, 47, baseline)
        struct.pack_into("<f", block, 59, 2.048)
        struct.pack_into("<f", block, 71, calibration)
        head += block
    path.parent.mkdir(parents=True, exist_ok=True)
    table = struct.pack("<BII", 1, 0, 0)
    path.write_bytes(bytes(head) + np.ascontiguousarray(data.T, "<i4").tobytes() + table)
    return path


def seed_v(
    root: Path, names: Sequence[str] = ("1_1_20180804",), sfreq: int = 4, seconds: int = 3360, seed: int = 0
) -> None:
    for number, name in enumerate(names):
        # the raw number of a row begins with the row, so that rows are known again
        data = noise((66, seconds * sfreq), seed + number, np.float32) * 100
        data += 1_000_000 * np.arange(66, dtype=np.float32)[:, None]
        cnt(root / "EEG_raw" / f"{name}.cnt", data.astype(np.int32), SEED_V_LABELS, sfreq)


def faced(root: Path, samples: int = 500, people: Sequence[int] = (0,), dtype: type = np.float64) -> None:
    """A bare array as Python 3 pickles it, and remarks in the order of presentation."""
    for who in people:
        path = root / "Processed_data" / f"sub{who:03d}.pkl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(noise((28, 32, samples), who, dtype)))
        order = np.random.default_rng(who).permutation(28) + 1
        record = np.empty((28, 1), dtype=[(name, object) for name in ("score", "trial", "vid")])
        for at, clip in enumerate(order):
            scores = np.full((1, 12), 0.5)
            # what a clip was rated can be told from the clip
            scores[0, 8], scores[0, 9] = 0.1 * clip, 0.2 * clip
            record["score"][at, 0], record["trial"][at, 0], record["vid"][at, 0] = scores, at + 1, int(clip)
        save(root / "Data" / f"sub{who:03d}" / "After_remarks.mat", After_remark=record)


def bdf(
    path: Path, seconds: int, sfreq: int, on_off: Sequence[int], seed: int = 0, plus: bool = False
) -> Path:
    """BioSemi's rows: 32 electrodes, eight EXG, six others, and Status with its upper byte in use.

    As BDF+ the six others are slower, and a row of annotations comes last.
    """
    data = noise((32, seconds * sfreq), seed)
    others = [f"EXG{n}" for n in range(1, 9)] + ["GSR1", "GSR2", "Erg1", "Erg2", "Resp", "Temp"]
    signals = [
        edfio.BdfSignal(row, sfreq, label=label, physical_dimension="uV", physical_range=(-262144, 262143))
        for label, row in zip(BIOSEMI_32, data, strict=True)
    ]
    for label in others:
        rate = sfreq // 8 if plus and not label.startswith("EXG") else sfreq
        rest, span = np.zeros(seconds * rate), (-262144, 262143)
        signals.append(edfio.BdfSignal(rest, rate, label=label, physical_dimension="uV", physical_range=span))
    status = np.full(seconds * sfreq, 0x100000, dtype=float)
    for at in on_off:
        status[at : at + sfreq // 8] += 16
    signals.append(
        edfio.BdfSignal(
            status, sfreq, label="Status", physical_dimension="Boolean",
            physical_range=(-8388608, 8388607),
        )
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    edfio.Bdf(signals, annotations=[edfio.EdfAnnotation(0.5, None, "begun")] if plus else None).write(path)
    return path


MAHNOB_XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<session xmlns="" cutLenSec="{seconds}" cutNr="1" {felt} '
    'isStim="1" mediaFile="{clip}" sessionId="{id}">\n  <subject gender="f" id="{who}"/>\n'
    '  <track filename="Part_{who}_S_Trial1_emotion.bdf" type="Physiological"/>\n</session>\n'
)
FELT = 'feltArsl="7" feltCtrl="5" feltEmo="4" feltPred="5" feltVlnc="2"'


def mahnob_session(
    root: Path,
    number: int,
    who: int = 1,
    felt: str = FELT,
    clip: str = "69.avi",
    sfreq: int = 256,
    rest_s: int = 3,
    film_s: int = 4,
    events: Sequence[int] | None = None,
) -> Path:
    folder = root / "Sessions" / str(number)
    on_off = (rest_s * sfreq, (rest_s + film_s) * sfreq) if events is None else events
    name = f"Part_{who}_S_Trial{number % 20}_emotion.bdf"
    bdf(folder / name, 2 * rest_s + film_s, sfreq, on_off, number)
    xml = MAHNOB_XML.format(seconds=film_s, felt=felt, clip=clip, id=number, who=who)
    (folder / "session.xml").write_text(xml)
    return folder


def mahnob_hci(root: Path, rest_s: int = 3, film_s: int = 4) -> None:
    mahnob_session(root, 2, rest_s=rest_s, film_s=film_s)
    mahnob_session(root, 4, clip="111.avi", felt=FELT.replace('"7"', '"3"'), rest_s=rest_s, film_s=film_s)


MPED_LABELS = [
    0, 2, 1, 4, 3, 5, 6, 7, 8, 1, 2, 3, 8, 6, 7, 4, 5, 0, 1, 5, 6, 2, 2, 1, 8, 7, 6, 4, 4, 3, 5, 3, 7, 8,
]  # fmt: skip


def mped(root: Path, samples: int = 1000, trials: Sequence[int] = range(1, 35), labels=MPED_LABELS) -> None:
    """Two files a person; of 66 rows the 33rd and 43rd are mastoids and the last two are no electrodes."""
    folder = root / "raw_EEG_signals"
    save(folder / "raw_EEG_Label.mat", eeg_label=np.array([labels], dtype=np.uint8))

    def trial(number: int) -> np.ndarray:
        made = noise((66, samples), number)
        made[[32, 42]] = 7777.0
        return made

    for suffix, span in (("d", range(1, 18)), ("dd", range(18, 35))):
        made = {f"raw_eeg{k}": trial(k) for k in reversed(span) if k in trials}
        if made:
            save(folder / "liuwei" / f"liuwei_{suffix}.mat", **made)


def mdme(root: Path, rows: int = 18, missing: Sequence[int] = (), extra: int = 0) -> None:
    """Every trial one after the other; ratings in the order of presentation, with dominance behind."""
    folder = root / "raw_data" / "1"
    save(folder / "datas.mat", eeg_datas=noise((rows, sum(LENGTHS) + extra), 1, np.float32))
    order = [trial for trial in np.random.default_rng(2).permutation(32) if trial not in missing]
    lines = [f"{trial},{1 + trial % 9},{9 - trial % 9},5" for trial in order]
    (folder / "1").mkdir()
    (folder / "1" / "Arousal_Valence.csv").write_text("\n".join(lines) + "\n")
