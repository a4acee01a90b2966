"""What the commands say in the terminal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from emod_rt.calibration.verdict import badge
from emod_rt.estimate import Estimate
from emod_rt.sources.base import StreamInfo
from emod_rt.view import View, left_out, unvalidated

if TYPE_CHECKING:
    from emod_model.checkpoint import Model
    from emod_rt.calibration.person import Person

REASONS = {
    "settling": "settling",
    "gap": "samples were lost",
    "bad-signal": "too few good electrodes",
    "stalled": "no new samples",
}


def note(console: Console, info: StreamInfo, model: "Model", person: "Person | None" = None) -> None:
    """Say what was opened, what was settled on the way in, what the model is, and whose profile is used."""
    # a stream and its channels may be called anything, also what looks like markup
    console.print(
        f"{info.name}: {len(info.channels)} electrodes at {info.sfreq:g} Hz ({' '.join(info.channels)})",
        markup=False,
    )
    for sentence in info.notes:
        console.print(f"  note: {sentence}", style="yellow", markup=False)
    simulated = (
        "  [black on yellow] SIMULATED [/] trained on simulated signals, not on people"
        if model.simulated
        else ""
    )
    console.print(f"model {model.name}{simulated}")
    if person is None and model.unvalidated:
        console.print(Text("  ").append(f" {unvalidated(model.unvalidated)} ", style="black on yellow"))
    if model.info.centring is not None:
        first = f"{model.info.centring.first_s:g} s"
        console.print(f"  zero is what the first {first} are like; live, rest until they are over")
    if person is not None:
        _note_profile(console, person)


def _note_profile(console: Console, person: "Person") -> None:
    profile = person.profile
    said = Text(f"profile of {profile.user}, {profile.created[:10]}, {len(profile.ratings)} rated trials")
    if profile.simulated:
        said.append("  ").append(" SIMULATED ", style="black on yellow").append(
            " nobody's brain is behind it"
        )
    console.print(said, soft_wrap=True)
    for sentence in person.notes():
        console.print(Text(f"  note: {sentence}", style="yellow"), soft_wrap=True)


class Notices:
    """Says each sentence once.

    Parameters
    ----------
    console : Console
        Where.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[str] = set()

    def tell(self, sentences: Iterable[str]) -> None:
        """Say those that are new."""
        for sentence in sentences:
            if sentence not in self._said:
                self._said.add(sentence)
                # Text, not str: the names in it are never read as markup
                self._console.print(Text(sentence, style="yellow"), soft_wrap=True)


class _Progress(Progress):
    """A progress bar with lines below it."""

    below: Callable[[], Sequence[Text]] = tuple

    def get_renderables(self) -> Iterator[RenderableType]:
        """Yield the bar, then the lines."""
        yield self.make_tasks_table(self.tasks)
        yield from self.below()


def progress(console: Console, below: Callable[[], Sequence[Text]] = tuple) -> Progress:
    """Return a progress bar in seconds of signal, on standard error, with lines `below` it."""
    bar = _Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} s of signal"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    bar.below = below
    return bar


def summary_table(summary: dict[str, Any]) -> Table:
    """Return the summary as a table for people."""
    values = summary["summary"]
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for key in ("samples", "lost", "windows", "valid", "skipped"):
        table.add_row(key, f"{values[key]:,}")
    if values["gaps"]:
        shown = ", ".join(f"{count} at sample {first}" for first, count in values["gaps"][:5])
        more = len(values["gaps"]) - 5
        table.add_row("gaps", shown + (f" and {more} more" if more > 0 else ""))
    latency = values["latency_ms"]
    if latency["p50"] is not None:
        table.add_row("latency", f"p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms")
    return table


def live_table(view: View) -> Group:
    """Return the running session as a table: the newest readings, then the state."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("time", "valence", "arousal"):
        table.add_column(heading, justify="right" if heading == "time" else "left", no_wrap=True)
    newest = view.estimates[-1].t if view.estimates else 0.0
    for estimate in view.estimates[-8:]:
        since = f"{estimate.t - newest:+.1f} s"
        if estimate.valid:
            valence = _reading(estimate.valence, estimate.valence_sd)
            arousal = _reading(estimate.arousal, estimate.arousal_sd)
            table.add_row(since, valence, arousal)
        else:
            table.add_row(since, Text(_why(view, estimate), style="yellow"))
    latency = "" if view.latency_ms is None else f", latency p50 {view.latency_ms[0]:.0f} ms"
    simulated = " [SIMULATED]" if view.model_simulated else ""
    user = f"  profile {view.user}" if view.user else ""
    recording = f"  recording {view.recording}" if view.recording else ""
    state = Text(
        f"{view.source}  {view.state}  {view.elapsed_s:.0f} s, {view.lost} lost, {view.windows} windows, "
        f"{view.valid} valid{latency}  model {view.model}{simulated}{user}{recording}",
        style="dim",
    )
    message = [Text(view.message, style="bold yellow")] if view.message else []
    low = [Text(badge(view.low_confidence), style="bold yellow")] if view.low_confidence else []
    unheld = [Text(unvalidated(view.unvalidated), style="bold yellow")] if view.unvalidated else []
    return Group(table, *low, *unheld, *message, state)


def _why(view: View, estimate: Estimate) -> str:
    """Return why an estimate carries no number; of the newest also which electrodes."""
    reason = REASONS[estimate.reason or "settling"]
    named = left_out(view) if estimate is view.estimates[-1] and estimate.reason == "bad-signal" else ""
    return f"{reason}: {named}" if named else reason


def _reading(value: float | None, sd: float | None) -> Text:
    """Draw a value in [-1, 1] as a mark on a rule, with its number and standard deviation."""
    if value is None or sd is None:
        return Text("")
    place = round((max(-1.0, min(1.0, value)) + 1) * 7)
    rule = "".join("●" if i == place else ("┼" if i == 7 else "─") for i in range(15))
    return Text(f"{rule} {value:+.2f} ± {sd:.2f}", no_wrap=True)
