"""What signals could be had right now: LSL streams on the network, boards that BrainFlow knows."""

import time
from typing import TypedDict

from emod_rt.sources.lsl_query import FORMATS
from emod_rt.sources.lsl_search import Search


class LslStream(TypedDict):
    """One stream on the network."""

    name: str
    type: str
    channels: int
    rate: float
    source_id: str
    host: str


class BrainFlowBoard(TypedDict):
    """One kind of headset."""

    board: str
    rate: float
    channels: int
    electrodes: list[str]


def lsl_streams(wait_s: float = 1.0) -> list[LslStream]:
    """Return the LSL streams that answer within `wait_s`, by name; what liblsl cannot make out is left out.

    Raises
    ------
    SourceError
        liblsl cannot be loaded.
    """
    with Search("true()") as search:
        time.sleep(wait_s)
        found = search.results()
    streams: list[LslStream] = [
        {
            "name": info.name(),
            "type": info.type(),
            "channels": info.channel_count(),
            "rate": info.nominal_srate(),
            "source_id": info.source_id(),
            "host": info.hostname(),
        }
        for info in found
        if info.channel_format() in FORMATS
    ]
    return sorted(streams, key=lambda stream: (stream["name"], stream["source_id"]))


def brainflow_boards() -> list[BrainFlowBoard]:
    """Return the boards with at least two EEG channels, by name.

    Raises
    ------
    SourceError
        BrainFlow cannot be loaded.
    """
    from emod_model.errors import SourceError
    from emod_rt.sources.brainflow_board import describe_board, load

    boards: list[BrainFlowBoard] = []
    for kind in load().BoardIds:
        try:
            board = describe_board(int(kind))
        except SourceError:
            # not an EEG headset, or not for this system
            continue
        electrodes = list(board.electrodes or ())
        boards.append(
            {
                "board": board.name,
                "rate": board.sfreq,
                "channels": len(board.eeg_rows),
                "electrodes": electrodes,
            }
        )
    return sorted(boards, key=lambda board: board["board"])
