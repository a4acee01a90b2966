"""Files that a grammar makes up: nearly right, wrong where parsers trust."""

import random
import struct
import warnings
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from emod_rt.recording.xdf import BOUNDARY_UUID, MAGIC, chunk

_WIDTHS = st.sampled_from([1, 4, 8])
_NUMBERS = st.sampled_from([
    "0", "-0", "1", "-1", "250", "1e9", "1e300", "-1e300", "1e-300", "nan", "inf", "-inf", "", "x", "0x10",
    "1_0", "\u0661\u0662", "1,5", "9" * 400, " 7 ", "1e", "--1", '"3"', "(4", "[1,2]", "\x00", "n/a", "True",
])  # fmt: skip
_RATES = st.sampled_from(["250", "250.0", "0", "-1", "nan", "inf", "1e300", "1e-300", "", "x", "100", "2048"])
_COUNTS = st.sampled_from(["1", "2", "6", "0", "-1", "10000000", "4294967297", "x", "", "1e3", "2000"])
_FORMATS = st.sampled_from(
    ["float32", "double64", "int8", "int16", "int32", "int64", "string", "float16", ""]
)
_LABELS = st.sampled_from(["Fp1", "C3", "C4", "T3", "T7", "ECG", "", "\u202e", "x" * 3000, "O1&amp;", "<b/>"])
_UNITS = st.sampled_from(["microvolts", "V", "", "furlongs", "uV"])


@st.composite
def _varlen(draw: st.DrawFn, value: int) -> bytes:
    width = draw(_WIDTHS)
    wrong = draw(st.sampled_from([0] * 40 + [1, -1, 10**7, 2**31]))
    return bytes([width]) + ((value + wrong) % 2 ** (8 * width)).to_bytes(width, "little")


@st.composite
def _xdf_header(draw: st.DrawFn) -> bytes:
    names = draw(st.lists(_LABELS, max_size=6))
    channels = "".join(
        f"<channel><label>{name}</label><unit>{draw(_UNITS)}</unit></channel>" for name in names
    )
    parts = [
        f"<name>{draw(_LABELS)}</name>",
        f"<type>{draw(st.sampled_from(['EEG', 'EEG', 'EEG', 'Markers', 'Affect', '']))}</type>",
        f"<channel_count>{draw(st.one_of(st.just(str(len(names))), _COUNTS))}</channel_count>",
        f"<nominal_srate>{draw(_RATES)}</nominal_srate>",
        f"<channel_format>{draw(_FORMATS)}</channel_format>",
        f"<desc><channels>{channels}</channels><simulated>true</simulated></desc>",
    ]
    if draw(st.integers(0, 9)) == 0:
        parts.pop(draw(st.integers(0, len(parts) - 1)))
    ends = draw(st.sampled_from(["</info>"] * 9 + ["", "</other>", "</info><x/>"]))
    return struct.pack("<I", draw(st.integers(0, 3))) + f"<info>{''.join(parts)}{ends}".encode()


@st.composite
def _xdf_samples(draw: st.DrawFn) -> bytes:
    count = draw(st.integers(0, 40))
    size = draw(st.sampled_from([1, 2, 4, 8, 16, 24, 48]))
    first = draw(st.sampled_from([0.0, 100.0, 1e9, -1e300, float("nan"), float("inf")]))
    body = struct.pack("<I", draw(st.integers(0, 3))) + draw(_varlen(count))
    noise = random.Random(draw(st.integers(0, 99)))
    for at in range(count):
        stamp = b"\x08" + struct.pack("<d", first + at / 250) if at % 10 == 0 or count % 2 else b"\x00"
        body += stamp + noise.randbytes(size)
    return body


_FOOTERS = st.sampled_from(
    [
        b"<info><sample_count>5</sample_count></info>",
        b"<info/>",
        b"<info><sample_count>x</sample_count></info>",
        b"",
    ]
)
_XDF_CHUNKS = st.one_of(
    st.just((1, b"<info><version>1.0</version></info>")),
    st.tuples(st.just(2), _xdf_header()),
    st.tuples(st.just(2), _xdf_header()),
    st.tuples(st.just(3), _xdf_samples()),
    st.tuples(st.just(3), _xdf_samples()),
    st.tuples(st.just(3), _xdf_samples()),
    st.builds(
        lambda number, a, b: (4, struct.pack("<Idd", number, a, b)),
        st.integers(0, 3),
        st.floats(),
        st.floats(),
    ),
    st.just((5, BOUNDARY_UUID)),
    st.builds(lambda number, text: (6, struct.pack("<I", number) + text), st.integers(0, 3), _FOOTERS),
    st.tuples(st.integers(0, 9), st.binary(max_size=40)),
)


@st.composite
def xdf(draw: st.DrawFn) -> bytes:
    """An XDF whose chunks nearly fit each other, often around a stream that is right."""
    contents = draw(st.lists(_XDF_CHUNKS, max_size=8))
    if draw(st.integers(0, 2)):
        labels = "".join(f"<channel><label>{name}</label></channel>" for name in ("C3", "C4", "O1"))
        header = (
            "<info><name>x</name><type>EEG</type><channel_count>3</channel_count>"
            f"<nominal_srate>{draw(st.sampled_from(['250', '250', '0', 'nan']))}</nominal_srate>"
            f"<channel_format>float32</channel_format><desc><channels>{labels}</channels></desc></info>"
        )
        contents.insert(0, (2, struct.pack("<I", 7) + header.encode()))
        noise = random.Random(draw(st.integers(0, 99)))
        for part in range(draw(st.integers(1, 6))):
            body = struct.pack("<I", 7) + draw(_varlen(40))
            for at in range(40):
                time = 100 + (40 * part + at) / 250
                stamp = b"\x08" + struct.pack("<d", time) if at % 10 == 0 else b"\x00"
                body += stamp + struct.pack("<3f", *(noise.gauss(0, 20) for _ in range(3)))
            contents.insert(draw(st.integers(part + 1, len(contents))), (3, body))
    whole = b"".join(chunk(tag, content) for tag, content in contents)
    return draw(_torn(MAGIC + chunk(1, b"<info><version>1.0</version></info>") + whole))


@st.composite
def _torn(draw: st.DrawFn, blob: bytes) -> bytes:
    """The same with a byte changed or an end missing, one time in six."""
    match draw(st.integers(0, 11)):
        case 0 if blob:
            at = draw(st.integers(0, len(blob) - 1))
            return blob[:at] + bytes([draw(st.integers(0, 255))]) + blob[at + 1 :]
        case 1:
            return blob[: draw(st.integers(0, len(blob)))]
    return blob


_CELLS = st.one_of(
    st.floats(-100, 100, width=32).map(lambda value: f"{value:.3f}"),
    st.floats(-100, 100, width=32).map(lambda value: f"{value:.3f}"),
    _NUMBERS,
)
HEADS = [
    *("time", "timestamps", "Timestamp", "COUNTER", "sample_index", "Fp1", "C3", "C4", "T3", "T7", "RAW_TP9"),
    *("marker", "Marker0", "status", "x", "", "EEG.AF3", "\u202e", "\x1b[2J", "ms", "LSL", '"a,b"', "("),
    "time (ms)",
]
_ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r", "\u2028", "\x0c"])
_SIGNS = st.sampled_from([",", ",", ";", "\t", " "])


@st.composite
def _rows(draw: st.DrawFn, width: int, times: str | None) -> list[list[str]]:
    """Rows of noise, some of whose cells or lengths are wrong."""
    count = draw(st.sampled_from([*[300] * 9, 40, 9, 8, 7, 1, 0]))
    noise = random.Random(draw(st.integers(0, 99)))
    steps = [(0.0, 1 / 250), (1e9, 1 / 256), (5.0, 1 / 128), (1e12, 4.0), (0.0, 0.0), (5.0, -0.004)]
    start, step = draw(st.sampled_from(steps))
    rows = [[f"{noise.gauss(0, 20):.3f}" for _ in range(width)] for _ in range(count)]
    for at, row in enumerate(rows):
        if times and row:
            row[0] = {"time": f"{start + at * step:.6f}", "counter": str(at % 128)}[times]
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 2, 4]))):
        if rows and width:
            row = rows[draw(st.integers(0, count - 1))]
            match draw(st.integers(0, 3)):
                case 0 if row:
                    row.pop()
                case 1:
                    row.append(draw(_CELLS))
                case _ if row:
                    row[draw(st.integers(0, len(row) - 1))] = draw(_CELLS)
    return rows


@st.composite
def table(draw: st.DrawFn) -> bytes:
    """A CSV whose header, cells and lines nearly fit each other."""
    sign, end = draw(_SIGNS), draw(_ENDS)
    times = draw(st.sampled_from(["time", "time", "counter", None]))
    head = [{"time": "time", "counter": "COUNTER"}[times]] if times else []
    head += draw(st.lists(st.sampled_from(["Fp1", "C3", "C4", "Cz", "O1", "O2"]), unique=True, max_size=6))
    for name in draw(st.sampled_from([*[[]] * 40, *[[each] for each in HEADS]])):
        head.insert(draw(st.integers(0, len(head))), name)
    head = head or ["x"]
    lines = [sign.join(row) for row in draw(_rows(len(head), times))]
    if draw(st.integers(0, 9)):
        lines.insert(0, sign.join(head))
    for _ in range(draw(st.integers(0, 2))):
        lines.insert(
            0, draw(st.sampled_from(["% unit: uV", "# unit = V", "%", "title: x,rate:3", "", "1,2,3"]))
        )
    codec = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    return draw(_torn(end.join(lines).encode(codec, "replace")))


@st.composite
def openbci(draw: st.DrawFn) -> bytes:
    """An OpenBCI GUI text whose comments, header and rows nearly fit each other."""
    width = draw(st.sampled_from([*[8] * 9, 0, 1, 7, 16]))
    count = draw(st.sampled_from([str(width)] * 8 + ["0", "-1", "10000000", "x", ""]))
    rate = draw(st.sampled_from(["250"] * 8 + ["0", "-1", "1e300", "", "x", "0.00001", "9" * 400]))
    lines = [
        "%OpenBCI Raw EXG Data",
        f"%Number of channels = {count}",
        f"%Sample Rate = {rate} Hz",
    ]
    if draw(st.integers(0, 9)) == 0:
        lines.pop(draw(st.integers(0, 2)))
    tail = draw(st.sampled_from([["Timestamp"], ["Timestamp", "Marker Channel"], ["Marker"], []]))
    head = ["Sample Index", *(f"EXG Channel {at}" for at in range(width)), *tail]
    if draw(st.booleans()):
        lines.append(", ".join(head))
    for at, row in enumerate(draw(_rows(len(head), "counter"))):
        if "Timestamp" in tail and len(row) > width + 1 and draw(st.integers(0, 50)):
            row[width + 1] = f"{1e9 + at / 250:.6f}"
        lines.append(", ".join(row))
    return draw(_torn("\n".join(lines).encode("utf-8", "replace")))


GRAMMARS = {".xdf": xdf, ".csv": table, ".txt": openbci}


def examples(make: object, count: int) -> Iterator[bytes]:
    """Yield files of a grammar, the same ones every time."""
    found: list[bytes] = []

    @settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(make())  # type: ignore[operator]
    def collect(blob: bytes) -> None:
        found.append(blob)

    with warnings.catch_warnings(action="ignore"):
        collect()
    yield from found
