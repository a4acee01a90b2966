"""Can Qt open a window here; asked of a process of its own, since a Qt that cannot ends its process."""

import re
import subprocess
import sys

_TRY = "from PySide6.QtWidgets import QApplication; QApplication([])"
_TIMEOUT_S = 15.0
_LIBRARIES = (
    "libegl1 libgl1 libxkbcommon0 libxkbcommon-x11-0 libfontconfig1 libdbus-1-3 libglib2.0-0 "
    "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-render-util0 libxcb-shape0 "
    "libxcb-xinerama0 libxcb-xkb1"
)
_INSTALL = (
    "install the system libraries of Qt (Debian, Ubuntu: "
    f"sudo apt-get install {_LIBRARIES}), or use --headless"
)
# the first that fits is told: Qt names libxcb-cursor0 also when it is another library or the display itself
_KNOWN = (
    (
        r"No module named '(PySide6|shiboken6)",
        "Qt for Python is missing; pip install PySide6-Essentials, or use --headless",
    ),
    (
        r"could not connect to display *(\S*)",
        r"the display '\1' does not answer; log in at the screen, check DISPLAY, or use --headless",
    ),
    (r"(lib[\w.+-]+\.so[\w.]*): ", rf"\1 cannot be loaded; {_INSTALL}"),
    (
        r'plugin "xcb" in .* even though it was found',
        f"a library below Qt is missing, most often libxcb-cursor0; {_INSTALL}",
    ),
    (
        r'plugin "(wayland[\w-]*)" in .* even though it was found',
        r"the \1 display does not answer; unset QT_QPA_PLATFORM, check WAYLAND_DISPLAY, or use --headless",
    ),
    (
        r'Could not find the Qt platform plugin "([^"]*)"',
        r"Qt has no platform '\1'; unset QT_QPA_PLATFORM, or use --headless",
    ),
)


def window_fault() -> str | None:
    """Start Qt in a short process with this one's environment.

    Returns
    -------
    str or None
        None when a window can be opened; else one sentence with the reason and what to do.
    """
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _TRY], capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return (
            f"no window can be opened: Qt did not start within {_TIMEOUT_S:g} s; "
            "check that the display answers, or use --headless"
        )
    return None if tried.returncode == 0 else explain(tried.stderr, tried.returncode)


def explain(stderr: str, code: int) -> str:
    """Return one sentence for a Qt that did not start.

    Parameters
    ----------
    stderr : str
        What it said.
    code : int
        Its exit status.
    """
    for pattern, words in _KNOWN:
        if found := re.search(pattern, stderr):
            return f"no window can be opened: {found.expand(words)}"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    reason = next((line for line in lines if "Error" in line), lines[0] if lines else "Qt ended")
    return f"no window can be opened: {reason[:200]} (status {code}); {_INSTALL}"
