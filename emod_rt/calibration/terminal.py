"""A calibration in the terminal: draws scenes, turns keys into actions."""

import threading
from collections.abc import Callable

from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from emod_rt.calibration.scene import SCALES, Axis, Check, Scene
from emod_rt.calibration.sitting import Sitting
from emod_rt.clock import Clock

_REFRESH_S = 0.1
_WIDTH = 78
_CROSS = "\N{HEAVY GREEK CROSS}"
_ENTER = ("\r", "\n", " ")
_PICK: dict[str, Axis] = {"v": "valence", "a": "arousal"}


class Terminal:
    """Turns what is pressed into what is done.

    Parameters
    ----------
    sitting : Sitting
        The calibration.
    """

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self._picked: Axis | None = None

    def press(self, key: str, scene: Scene) -> Scene:
        """Do what a key stands for in a scene; return the scene that comes of it.

        Digits rate the axis that is asked for next; v and a pick one of them to be said anew.
        """
        if scene.kind == "rating" and key in _PICK:
            self._picked = _PICK[key]
            return scene
        if scene.kind == "rating" and key in tuple("123456789"):
            axis = self._picked or scene.axis or "arousal"
            self._picked = None
            return self._sitting.rate(axis, int(key))
        wanted = "space" if key in _ENTER else key.lower()
        for action in scene.actions:
            if action.key == wanted:
                self._picked = None
                return self._sitting.act(action.name)
        return scene


def run(
    sitting: Sitting,
    console: Console,
    pressed: Callable[[], list[str]],
    clock: Clock,
    stop: threading.Event,
) -> Scene:
    """Show a calibration until it is over.

    Parameters
    ----------
    sitting : Sitting
        The calibration.
    console : Console
        A terminal.
    pressed : callable
        Returns the keys since it was last called, at once.
    clock : Clock
        The session's.
    stop : threading.Event
        Set to break it off.

    Returns
    -------
    Scene
        The last: "done" or "aborted".
    """
    terminal = Terminal(sitting)
    scene = sitting.step()
    with Live(draw(scene), console=console, screen=True, auto_refresh=False) as live:
        while not scene.over:
            for key in pressed():
                scene = terminal.press(key, scene)
            scene = sitting.abort("ended by a signal") if stop.is_set() else sitting.step()
            live.update(draw(scene), refresh=True)
            clock.wait(_REFRESH_S, stop)
    return scene


def draw(scene: Scene) -> RenderableType:
    """Return a scene as lines for a terminal."""
    parts: list[RenderableType] = [Text(scene.title, style="bold"), Text("")]
    if scene.kind in ("rest", "stimulus"):
        parts += [Align.center(Text(_CROSS, style="bold")), Text("")]
    if scene.text:
        parts += [Text(scene.text), Text("")]
    if scene.stimulus is not None and scene.stimulus.text and scene.kind in ("ready", "stimulus"):
        parts += [Padding(Text(scene.stimulus.text, style="bold cyan"), (0, 4)), Text("")]
    if scene.kind == "rating":
        parts += [_scale(scene, "valence"), _scale(scene, "arousal")]
        parts.append(Text("1 to 9 answers; v or a picks a question to answer anew", style="dim"))
    if scene.countdown_s is not None and scene.length_s:
        done = scene.length_s - scene.countdown_s
        bar = ProgressBar(total=scene.length_s, completed=done, width=_WIDTH - 10)
        parts += [bar, Text(f"  {scene.countdown_s:.0f} s", style="dim")]
    parts.append(Text(""))
    if scene.warning:
        parts.append(Text(scene.warning, style="yellow"))
    keys = "   ".join(f"[{action.key}] {action.label}" for action in scene.actions)
    parts.append(Text(keys, style="green"))
    if not scene.over:
        parts.append(Text(_state(scene), style="dim"))
    # always as wide, so that nothing jumps from scene to scene
    block = Table.grid()
    block.add_column(width=_WIDTH)
    block.add_row(Group(*parts))
    return Align.center(block, vertical="middle")


def _scale(scene: Scene, axis: Axis) -> RenderableType:
    question, low, high = SCALES[axis]
    said = scene.valence if axis == "valence" else scene.arousal
    line = Text(f"{low:>16}  ")
    for value in range(1, 10):
        line.append(f" {value} ", style="bold reverse" if value == said else "")
        line.append(" ")
    line.append(f" {high}")
    asked = Text(question, style="bold" if scene.axis == axis else "")
    return Group(asked, line, Text(""))


def _state(scene: Scene) -> str:
    minutes, seconds = divmod(round(scene.left_s), 60)
    left = f"{scene.progress:.0%} done, about {minutes}:{seconds:02d} left"
    return f"{left}{_signal(scene.check)}"


def _signal(check: Check | None) -> str:
    """Return how much of the newest trial or rest can be read."""
    if check is None or not check.seen:
        return ""
    what = f"trial {check.trial}" if check.trial else "rest"
    return f"   signal in {what}: {check.valid} of {check.seen} windows valid"
