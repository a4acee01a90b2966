"""Board names, parameters and errors of BrainFlow, in a person's words."""

import difflib
import functools
import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from emod_model.errors import SourceError, UsageError
from emod_rt.sources.base import Metadata

_NOT_A_DEVICE = ("NO_BOARD",)
# boards whose protocol counts packets in one byte
_ONE_BYTE = (
    "synthetic",
    "cyton",
    "cyton_daisy",
    "cyton_wifi",
    "cyton_daisy_wifi",
    "neuropawn_knight",
    "freeeeg32",
)
# numbered from 0 to 99 or from 100 to 199, by their compression
_PAIRS = ("ganglion", "ganglion_native")
_OPENBCI_SERIAL = ("cyton", "cyton_daisy")
_OPENBCI_UV = 4.5 / 24 / (2**23 - 1) * 1e6  # the converter's reference over its gain
_MAKERS = {
    "OpenBCI": ("cyton", "ganglion", "galea"),
    "InteraXon": ("muse",),
    "BrainBit": ("brainbit",),
    "g.tec": ("unicorn",),
    "Neurosity": ("notion", "crown"),
    "NeuroIDSS": ("freeeeg",),
    "NeuroPawn": ("neuropawn",),
    "ANT Neuro": ("ant_neuro",),
    "Mentalab": ("explore",),
}
_ADVICE = {
    "UNABLE_TO_OPEN_PORT_ERROR": "check the port's name, that the dongle is plugged in and no other program "
    "uses it, and on Linux that you belong to the group dialout",
    "PORT_ALREADY_OPEN_ERROR": "another program has the port open; close it",
    "SER_PORT_ERROR": "unplug the dongle and plug it in again",
    "BOARD_WRITE_ERROR": "the board does not take commands; switch it off and on",
    "INCOMMING_MSG_ERROR": "what it sends cannot be understood; check the board's name and its firmware",
    "INITIAL_MSG_ERROR": "the board does not greet; check its switch (PC, not BLE), its dongle's (GPIO 6) "
    "and its battery",
    "BOARD_NOT_READY_ERROR": "the board does not answer; check its switch, its battery, and its distance",
    "SYNC_TIMEOUT_ERROR": "no data came in time; check its switch, its battery, and its distance",
    "STREAM_THREAD_ERROR": "the board sent no data; switch it off and on",
    "INVALID_ARGUMENTS_ERROR": "a parameter that this board needs is missing or wrong, often serial_port "
    "or mac_address",
    "ANOTHER_BOARD_IS_CREATED_ERROR": "this board is in use already; close the other session",
    "UNSUPPORTED_BOARD_ERROR": "this BrainFlow does not support the board on this system",
    "GENERAL_ERROR": "check that the board is on and in reach, and that Bluetooth is on if it uses it",
}


@functools.cache
def load() -> Any:
    """Return the module `brainflow.board_shim`, with BrainFlow's log off.

    Raises
    ------
    SourceError
        BrainFlow cannot be loaded.
    """
    with warnings.catch_warnings():
        # brainflow 5 imports pkg_resources, which warns of its own end
        warnings.simplefilter("ignore")
        try:
            board_shim = importlib.import_module("brainflow.board_shim")
            # the first call loads the library itself
            board_shim.BoardShim.disable_board_logger()
        except (ImportError, OSError) as problem:
            raise SourceError(
                f"BrainFlow cannot be loaded ({problem}); "
                "reinstall it with 'pip install brainflow \"setuptools<81\"'"
            ) from problem
    return board_shim


@dataclass(frozen=True)
class Board:
    """One kind of headset.

    Attributes
    ----------
    id : int
        BrainFlow's number.
    name : str
        BrainFlow's name in lower case without "_board".
    sfreq : float
        Hz.
    eeg_rows : tuple of int
        Rows of BrainFlow's data that are EEG, microvolts.
    electrodes : tuple of str or None
        BrainFlow's names of them, None when it has none.
    count_row, time_row : int or None
        Packet number and read time.
    turn : int or None
        Numbers in one turn of the packet counter where the protocol says it.
    end_row : int or None
        Row of a packet's last byte, followed by those of the six before it; OpenBCI's serial boards alone.
    uv_per_count : float or None
        Microvolts a count of the same boards.
    halves : bool
        Samples are joined from two packets.
    pairs : bool
        Packets hold two samples.
    """

    id: int
    name: str
    sfreq: float
    eeg_rows: tuple[int, ...]
    electrodes: tuple[str, ...] | None
    count_row: int | None
    time_row: int | None
    turn: int | None
    end_row: int | None = None
    uv_per_count: float | None = None
    halves: bool = False
    pairs: bool = False


def short_name(full: str) -> str:
    """Return the name a person types: "CYTON_BOARD" -> "cyton"."""
    return full.lower().removesuffix("_board")


def find_board(name: str) -> int:
    """Return BrainFlow's number of a board.

    Raises
    ------
    UsageError
        No such board; the sentence lists the nearest names.
    """
    known = {
        short_name(board.name): int(board) for board in load().BoardIds if board.name not in _NOT_A_DEVICE
    }
    wanted = short_name(name.strip().replace("-", "_").replace(" ", "_"))
    if wanted in known:
        return known[wanted]
    near = (
        difflib.get_close_matches(wanted, known, 4, 0.4)
        or [key for key in known if wanted and wanted in key][:4]
    )
    hint = f" (did you mean {', '.join(near)}?)" if near else ""
    raise UsageError(f"BrainFlow knows no board {name!r}{hint}; choose one that 'emod-rt devices' lists")


def describe_board(board_id: int) -> Board:
    """Return what BrainFlow's descriptor says of a board.

    Raises
    ------
    SourceError
        It has no EEG.
    """
    shim = load()
    full = shim.BoardIds(board_id).name
    try:
        told = shim.BoardShim.get_board_descr(board_id)
    except shim.BrainFlowError as problem:
        raise in_words(full, problem) from problem
    rows, rate = told.get("eeg_channels", []), told.get("sampling_rate", 0)
    if len(rows) < 2 or not rate:
        raise SourceError(
            f"brainflow:{short_name(full)} has {len(rows)} EEG channels; choose a board with at least 2"
        )
    names = told.get("eeg_names")
    openbci = short_name(full) in _OPENBCI_SERIAL
    return Board(
        id=board_id,
        name=short_name(full),
        sfreq=float(rate),
        eeg_rows=tuple(rows),
        electrodes=tuple(names.split(",")) if names else None,
        count_row=told.get("package_num_channel"),
        time_row=told.get("timestamp_channel"),
        turn=256 if short_name(full) in _ONE_BYTE else 200 if short_name(full) in _PAIRS else None,
        end_row=told["other_channels"][0] if openbci else None,
        uv_per_count=_OPENBCI_UV if openbci else None,
        halves=short_name(full) == "cyton_daisy",
        pairs=short_name(full) in _PAIRS,
    )


def described_by(board_id: int, master_board: int) -> int:
    """Return the board whose channels are meant: playback and streaming stand for another one.

    Raises
    ------
    UsageError
        Playback or streaming without master_board.
    """
    boards = load().BoardIds
    if board_id not in (boards.PLAYBACK_FILE_BOARD.value, boards.STREAMING_BOARD.value):
        return board_id
    if master_board == boards.NO_BOARD.value:
        name = short_name(boards(board_id).name)
        raise UsageError(f"brainflow:{name} stands for another board; say which, as in master_board=cyton")
    return master_board


def input_params(params: Mapping[str, str]) -> Any:
    """Return BrainFlowInputParams.

    Raises
    ------
    UsageError
        A parameter that BrainFlow does not have, or text where a number belongs.
    """
    result = load().BrainFlowInputParams()
    allowed = vars(result)
    for key, value in params.items():
        if key not in allowed:
            raise UsageError(f"BrainFlow has no parameter {key!r}; give one of {', '.join(sorted(allowed))}")
        if key == "master_board":
            setattr(result, key, find_board(value))
        elif isinstance(allowed[key], int):
            if not value.isdecimal():
                raise UsageError(f"{key}={value!r} must be a whole number, as in {key}=5")
            setattr(result, key, int(value))
        else:
            setattr(result, key, value)
    return result


def metadata_of(board: Board, params: Any) -> Metadata:
    """Return what a board is called where streams have names.

    Parameters
    ----------
    board : Board
        The board.
    params : BrainFlowInputParams
        How it is reached: its serial number, address or port tells it from others of its kind.
    """
    where = next(
        (
            text
            for key in ("serial_number", "mac_address", "ip_address", "serial_port", "file")
            if (text := str(getattr(params, key, "")))
        ),
        "",
    )
    desc = ET.Element("desc")
    acquisition = ET.SubElement(desc, "acquisition")
    maker = next((maker for maker, boards in _MAKERS.items() if board.name.startswith(boards)), None)
    if maker is not None:
        ET.SubElement(acquisition, "manufacturer").text = maker
    ET.SubElement(acquisition, "model").text = board.name
    name = f"brainflow:{board.name}"
    return Metadata(name, "EEG", f"{name}:{where}" if where else name, ET.tostring(desc, encoding="unicode"))


def in_words(board: str, problem: Any) -> SourceError:
    """Return BrainFlow's error as a sentence that says what to check."""
    shim = load()
    try:
        code = shim.BrainFlowExitCodes(problem.exit_code).name
    except (AttributeError, ValueError):
        code = "GENERAL_ERROR"
    advice = _ADVICE.get(code, _ADVICE["GENERAL_ERROR"])
    return SourceError(f"brainflow:{short_name(board)} could not be used ({code}): {advice}")
