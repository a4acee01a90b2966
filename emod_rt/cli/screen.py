"""Where a running session is shown: the dashboard where there is a display, else the terminal."""

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live

from emod_model.errors import UsageError
from emod_rt.cli.report import Notices, live_table
from emod_rt.cli.typed import TypedMarkers

if TYPE_CHECKING:
    from emod_rt.session import Session
    from emod_rt.view import View

_REFRESH_S = 0.25


def has_display() -> bool:
    """Whether a window can be opened here."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def window_fault() -> str | None:
    """Return why no window can be opened here, in one sentence; None when one can."""
    if not has_display():
        return "There is no display here."
    from emod_rt.qt_probe import window_fault as probe

    return probe()


def screen(name: str) -> Any:
    """Return a function of the dashboard package, found by its entry point: imports point one way.

    Raises
    ------
    UsageError
        The package is not installed.
    """
    for entry in entry_points(group="emod_rt.screens", name=name):
        return entry.load()
    raise UsageError("the dashboard is not installed; install emod-rt anew, or use --headless")


def dashboard(session: "Session", screenshot: Path | None = None) -> None:
    """Show the session in a window until it is closed or the session ends."""
    screen("dashboard")(session, screenshot=screenshot)


def terminal(session: "Session", console: Console, notices: Notices) -> "View":
    """Show the session as a table, redrawn in place where the terminal can, printed once where it cannot.

    What goes wrong meanwhile is said above it, at once; below it markers are typed.

    Returns
    -------
    View
        The last picture of the session while it ran.
    """
    view = session.view()
    typed = TypedMarkers(session, console)

    def picture() -> Group:
        return Group(live_table(view), *typed.prompt())

    with Live(get_renderable=picture, console=console, refresh_per_second=4) as live:
        typed.changed = live.refresh
        with typed:
            while not session.join(_REFRESH_S):
                view = session.view()
                notices.tell(view.notices)
    if not console.is_terminal:
        # a table that was not drawn in place ends without a line break
        console.print()
    return view
