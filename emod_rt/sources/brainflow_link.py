"""The connection to a board: made, watched, given up and made again, while nobody waits.

BrainFlow reports neither an unplugged dongle nor a board that was switched off: its reads just bring nothing.
So silence is looked into: is the port still there, does it still take a command.
"""

import threading
from pathlib import Path
from typing import Any

from emod_model.errors import SourceError
from emod_rt.clock import Clock
from emod_rt.sources.brainflow_board import in_words, load

_READY_S = 0.05
_AGAIN_S = 0.1
# a board that was switched off and on waits for its command to stream; one that streams counts anew after it
_START = {"cyton": "b", "cyton_daisy": "b"}
_ASK_S = 1.8  # of silence before it is told to stream again, for a stumbling radio is back by itself
_ASK_AGAIN_S = 1.0
_RENEW_S = 3.0  # of silence before a board without such a command is connected to again
# no device stands behind them: connecting again would begin another story
_NEVER_AGAIN = ("playback_file", "streaming_board", "streaming")
_HOPELESS = ("INVALID_ARGUMENTS_ERROR", "UNSUPPORTED_BOARD_ERROR", "ANOTHER_BOARD_IS_CREATED_ERROR")


class Link:
    """One board, through as many BrainFlow sessions as it takes.

    Parameters
    ----------
    board_id : int
        BrainFlow's number.
    params : BrainFlowInputParams
        How to reach it.
    name : str
        What a person calls the board.
    buffer : int
        Samples that BrainFlow keeps.
    clock : Clock
        Time.
    called_off : threading.Event
        Set when the board is no longer wanted.

    Attributes
    ----------
    shim : BoardShim or None
        The streaming session; None while there is none.
    """

    def __init__(
        self, board_id: int, params: Any, name: str, buffer: int, clock: Clock, called_off: threading.Event
    ) -> None:
        self._params, self._name, self._buffer = params, name, buffer
        self._clock = clock
        self._called_off = called_off
        self._port: tuple[int, int] | None = None
        self._asked = 0.0
        self._done: threading.Event | None = None
        # one for all sessions: at the end of its life BrainFlow's own releases whoever has the board by then
        self._only = load().BoardShim(board_id, params)
        self._new: list[Any] = []
        self.shim: Any = None

    @property
    def lasting(self) -> bool:
        """Whether silence can end."""
        return self._name not in _NEVER_AGAIN

    def open(self, wait_s: float) -> None:
        """Connect, trying again for `wait_s` seconds.

        Raises
        ------
        SourceError
            The board cannot be reached, or the wait was called off.
        """
        deadline = self._clock.now() + wait_s
        while True:
            faults: list[Any] = []
            ready = self._begin(None, faults, once=True)
            while not ready.wait(_READY_S):
                self.go_on()
            if self._take_over():
                return
            self.go_on()
            problem = in_words(self._name, faults[0])
            hopeless = any(code in str(problem) for code in _HOPELESS)
            if hopeless or self._clock.now() + _AGAIN_S >= deadline:
                raise problem from faults[0]
            self._clock.wait(_AGAIN_S, self._called_off)
            self.go_on()

    def go_on(self) -> None:
        """Return unless the board is no longer wanted.

        Raises
        ------
        SourceError
            It is not.
        """
        if self._called_off.is_set():
            raise SourceError(
                f"the wait for brainflow:{self._name} was called off; start again when it is ready"
            )

    def look(self, quiet_s: float) -> bool:
        """See to a board that has been quiet for so long; return whether its count may have started anew."""
        if self.shim is None or not self.lasting:
            return False
        if self._port is not None and _identity(self._params.serial_port) != self._port:
            self.renew()
            return True
        command = _START.get(self._name)
        if command is None:
            if quiet_s >= _RENEW_S:
                self.renew()
            return quiet_s >= _RENEW_S
        if quiet_s < _ASK_S or self._clock.now() < self._asked + _ASK_AGAIN_S:
            return False
        self._asked = self._clock.now()
        try:
            self.shim.config_board(command)
        except load().BrainFlowError:
            # the port is there but not the one that was opened
            self.renew()
        return True

    def renew(self) -> None:
        """Give the session up and connect again, for as long as it takes, in a thread of its own."""
        old, self.shim = self.shim, None
        self._done = self._begin(old, [], once=False)

    def returned(self) -> bool:
        """Return True once when the board is connected again."""
        if self.shim is not None or self._done is None or not self._done.is_set():
            return False
        self._done = None
        return self._take_over()

    def release(self) -> None:
        """Let go of the board; one that is being connected to is released when that is done."""
        for shim in (self.shim, self._claim()):
            if shim is not None:
                release(shim)
        self.shim = None
        self._only.is_prepared = lambda: False

    def _take_over(self) -> bool:
        self.shim = self._claim()
        self._port = _identity(self._params.serial_port)
        return self.shim is not None

    def _claim(self) -> Any:
        """Return what was connected to, to one of those who ask; None to the others."""
        try:
            return self._new.pop()
        except IndexError:
            return None

    def _begin(self, old: Any, faults: list[Any], once: bool) -> threading.Event:
        """Connect in a thread: a search over Bluetooth takes long, and BrainFlow cannot be interrupted."""
        module = load()
        ready = threading.Event()

        def connect() -> None:
            if old is not None:
                release(old)
            while not self._called_off.is_set():
                try:
                    self._only.prepare_session()
                    self._only.start_stream(self._buffer)
                except module.BrainFlowError as problem:
                    release(self._only)
                    faults.append(problem)
                    if not once:
                        self._clock.wait(_AGAIN_S, self._called_off)
                        continue
                else:
                    self._new.append(self._only)
                break
            ready.set()
            if self._called_off.is_set() and (unwanted := self._claim()) is not None:
                # nobody waits any more
                release(unwanted)

        threading.Thread(target=connect, name="emod-brainflow", daemon=True).start()
        return ready


def release(shim: Any) -> None:
    """Stop a board and let go of it, whatever state it is in."""
    module = load()
    for step in (shim.stop_stream, shim.release_session):
        try:
            step()
        except module.BrainFlowError as problem:
            # a board that never started, or is gone, has nothing more to give back
            module.BoardShim.log_message(module.LogLevels.LEVEL_DEBUG.value, str(problem))


def _identity(port: str) -> tuple[int, int] | None:
    """Return what tells a port from one plugged in later under the same name; None where there is none."""
    try:
        found = Path(port).stat() if port else None
    except OSError:
        return None
    return None if found is None else (found.st_ino, found.st_rdev)
