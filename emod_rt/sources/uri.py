"""From the text of `--source` to a source."""

from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from emod_model.errors import UsageError
from emod_rt.clock import Clock, SystemClock
from emod_rt.sources.base import Source

FORMS = (
    "lsl:NAME, lsl:type=EEG,source_id=ID, brainflow:BOARD?serial_port=/dev/ttyUSB0, "
    "file:PATH, file:PATH?rate=256 or sim:SEED"
)


def open_source(
    text: str,
    channels: Sequence[str] | None = None,
    paced: bool = True,
    chunk: int | None = None,
    clock: Clock | None = None,
    impedance: Callable[[str], None] | None = None,
) -> Source:
    """Make the source that a text names, not yet open.

    Parameters
    ----------
    text : str
        "lsl:NAME", "lsl:type=EEG,source_id=ID", "brainflow:BOARD?serial_port=/dev/ttyUSB0", "file:PATH",
        "file:PATH?rate=256" or "sim:SEED".
    channels : sequence of str, optional
        Electrode names.
    paced : bool
        Files and simulated people at the speed of life, else as fast as they are read.
    chunk : int, optional
        Samples a chunk of a file.
    clock : Clock, optional
        The machine's own by default.
    impedance : callable, optional
        Has the impedance measured when the source is opened, and gets a sentence on how far it is.

    Raises
    ------
    UsageError
        The text names no source, or one that cannot measure impedance.
    """
    scheme, rest = _split(text)
    clock = clock or SystemClock()
    if chunk is not None and chunk < 1:
        raise UsageError(f"a chunk of {chunk} samples is none; give 1 or more")
    if impedance is not None and scheme in ("lsl", "file", "sim"):
        raise UsageError(
            f"{text!r} cannot measure impedance; leave --impedance out, or use brainflow:cyton or its Daisy"
        )
    match scheme:
        case "lsl":
            from emod_rt.sources.lsl import LSLSource

            return LSLSource(rest, channels=channels, clock=clock)
        case "brainflow":
            from emod_rt.sources.brainflow import BrainFlowSource

            board, _, query = rest.partition("?")
            parameters = _parameters(text, query)
            return BrainFlowSource(board, parameters, channels, clock, impedance=impedance)
        case "file":
            from emod_rt.sources.file import FileSource

            path, rate = file_and_rate(text, rest)
            return FileSource(path, channels, rate, paced=paced, chunk=chunk, clock=clock)
        case "sim":
            from emod_rt.sources.sim import SimSource

            return SimSource(_seed(text, rest), channels=channels, clock=clock, paced=paced)
    raise UsageError(f"{text!r} is no kind of source; use {FORMS}")


def _split(text: str) -> tuple[str, str]:
    """Return the kind of source and what it is called."""
    scheme, colon, rest = text.strip().partition(":")
    if not colon or not rest.strip():
        raise UsageError(f"{text!r} names no source; use {FORMS}")
    return scheme.lower(), rest.strip()


def _parameters(text: str, query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError as error:
        raise UsageError(
            f"{text!r} has a part after '?' that is not name=value&name=value; use {FORMS}"
        ) from error
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{text!r} gives {twice} twice; give it once")
    return dict(pairs)


def file_and_rate(text: str, rest: str) -> tuple[Path, float | None]:
    """Split off "?rate=220", unless a file of the literal name exists.

    Parameters
    ----------
    text : str
        What the user wrote, for the sentence of an error.
    rest : str
        PATH or PATH?rate=220.

    Returns
    -------
    tuple of (pathlib.Path, float or None)
        The file, and the rate in Hz if one is given.

    Raises
    ------
    UsageError
        Something other than a rate is given.
    """
    path, mark, query = rest.rpartition("?")
    if not mark or Path(rest).expanduser().exists():
        return Path(rest).expanduser(), None
    given = _parameters(text, query)
    unknown = sorted(set(given) - {"rate"})
    if unknown:
        raise UsageError(f"{text!r} sets {', '.join(unknown)}; a file takes only a rate, as in PATH?rate=256")
    try:
        rate = float(given.get("rate", ""))
    except ValueError as error:
        raise UsageError(f"{text!r} has no rate in Hz after '?'; give one, as in PATH?rate=256") from error
    return Path(path).expanduser(), rate


def _seed(text: str, rest: str) -> int:
    if not rest.isascii() or not rest.isdigit():
        raise UsageError(f"{text!r}: the seed of a simulated person is a whole number from 0, as in sim:7")
    return int(rest)
