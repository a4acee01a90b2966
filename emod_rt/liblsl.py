"""The one door to liblsl: loads it, keeps its log off the terminal, says in words when it is missing."""

import ctypes
import functools
import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from emod_model.errors import SourceError

# what is ours unless the user's own configuration has such a section
_OURS = {
    # liblsl prints a broken connection as an error line although it recovers from it by itself
    "[log]": "level = -3\n",
    # a search in the background asks twice a second, not once
    "[tuning]": "ContinuousResolveInterval = 0\n",
}


def _user_config_files() -> Iterator[Path]:
    """Give the places where liblsl itself looks for a configuration, in its order."""
    if "LSLAPICFG" in os.environ:
        yield Path(os.environ["LSLAPICFG"])
    yield Path("lsl_api.cfg")
    yield Path("~/lsl_api/lsl_api.cfg").expanduser()
    yield Path("/etc/lsl_api/lsl_api.cfg")


def quiet_config() -> str:
    """Return the user's own liblsl configuration, quieter and quicker in searching unless it says otherwise.

    Configuration given as text replaces the file, so the file's text is passed on (its known peers and
    ports decide what is found on the network). No file is written.
    """
    text = ""
    for path in _user_config_files():
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace").rstrip() + "\n"
            break
    said = text.lower()
    return text + "".join(f"{name}\n{lines}" for name, lines in _OURS.items() if name not in said)


@functools.cache
def load() -> ModuleType:
    """Return the `pylsl` module, with liblsl's log turned down.

    Raises
    ------
    SourceError
        liblsl cannot be loaded.
    """
    try:
        pylsl = importlib.import_module("pylsl")
    except (ImportError, RuntimeError, OSError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise SourceError(
            f"the LSL library cannot be loaded ({reason}); reinstall it with "
            "'pip install --force-reinstall pylsl', or point PYLSL_LIB at a liblsl library"
        ) from problem
    if hasattr(pylsl, "set_config_content"):
        pylsl.set_config_content(quiet_config())
    return pylsl


def known(question: Callable[[float], Any]) -> Any:
    """Return what an inlet knows at this moment; None when it does not know yet, or no more.

    Parameters
    ----------
    question : callable
        A method of an inlet that takes a timeout.
    """
    util = load().util
    try:
        return question(0.0)
    except (util.TimeoutError, util.LostError):
        return None


def clock_offset(inlet: Any, timeout_s: float) -> float:
    """Return what to add to a sender's stamps to have them in this machine's clock, s; 0 on one machine.

    The clocks of two machines count from when each was started and never agree by chance. An offset within
    the doubt of its own measurement is that of one machine, and that doubt, milliseconds when the machine is
    busy, would only part what was stamped together.

    Parameters
    ----------
    inlet : pylsl.StreamInlet
        Connected or not.
    timeout_s : float
        How long the first measurement may take, s.

    Raises
    ------
    pylsl.util.TimeoutError, pylsl.util.LostError
        There is no measurement in time, or no sender.
    """
    # pylsl does not hand out the doubt
    ask = importlib.import_module("pylsl.lib").lib.lsl_time_correction_ex
    ask.restype = ctypes.c_double
    told, doubt, fault = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
    references = ctypes.byref(told), ctypes.byref(doubt)
    offset = ask(inlet.obj, *references, ctypes.c_double(timeout_s), ctypes.byref(fault))
    load().util.handle_error(fault)
    return 0.0 if abs(offset) <= doubt.value else float(offset)
