"""`emod-rt run`: a live session."""

from typing import TYPE_CHECKING, Annotated

import typer

from emod_rt.checks import channel_list, not_negative, positive
from emod_rt.cli.common import (
    Channels,
    Impedance,
    JsonlFile,
    ModelFile,
    NoReconnect,
    SessionLabel,
    Subject,
    Task,
    UserName,
    Wait,
    Waiting,
    ending,
)

if TYPE_CHECKING:
    from emod_rt.session import Session
    from emod_rt.view import View

SourceText = Annotated[
    str,
    typer.Option(
        "--source",
        metavar="SRC",
        help="lsl:NAME, lsl:type=EEG,source_id=..., brainflow:BOARD?serial_port=..., file:PATH or sim:SEED.",
    ),
]


def run(
    source: SourceText,
    channels: Channels = None,
    model: ModelFile = None,
    user: UserName = None,
    headless: Annotated[bool, typer.Option("--headless", help="No window; a table in the terminal.")] = False,
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="S", help="Seconds of signal.")
    ] = None,
    hop: Annotated[
        float | None, typer.Option("--hop", metavar="S", help="Seconds between estimates.")
    ] = None,
    jsonl: JsonlFile = None,
    lsl_out: Annotated[
        str | None, typer.Option("--lsl-out", metavar="NAME", help="Publish the estimates as an LSL stream.")
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            "--record",
            metavar="FILE|FOLDER",
            help="Record signal and markers: a new XDF file, or its folder.",
        ),
    ] = None,
    subject: Subject = None,
    session_label: SessionLabel = None,
    task: Task = None,
    wait: Wait = 30.0,
    no_reconnect: NoReconnect = False,
    impedance: Impedance = False,
) -> None:
    """Turn a live source into valence and arousal."""
    positive("--duration", duration)
    positive("--hop", hop)
    not_negative("--wait", wait)
    names = channel_list(channels)
    from emod_rt.recording.names import place
    from emod_rt.session import Session

    labels = (subject, session_label, task)
    wanted = record is not None or any(labels)
    session = Session(
        source,
        model,
        user=user,
        channels=names,
        hop_s=hop,
        duration_s=duration,
        wait_s=wait,
        jsonl=jsonl,
        lsl_out=lsl_out,
        record=place(record, *labels) if wanted else None,
        reconnect=not no_reconnect,
        impedance=impedance,
    )
    run_session(session, headless=headless)


def run_session(session: "Session", *, headless: bool) -> "View | None":
    """Run a session to its end on the screen there is, then say how it went.

    Returns
    -------
    View or None
        Without a window, the last picture while it ran.

    Raises
    ------
    EmodError
        The source was not found or lost, or does not fit the model.
    """
    from rich.console import Console

    from emod_rt.cli.report import Notices, note, summary_table
    from emod_rt.cli.screen import dashboard, terminal, window_fault

    err = Console(stderr=True, highlight=False)
    if not headless and (fault := window_fault()) is not None:
        err.print(f"{fault} Here is the table instead of the dashboard.", style="yellow")
        headless = True
    notices = Notices(err)
    view = None
    try:
        with ending(session.stop, lambda: session.begun):
            with err.status(Waiting(lambda: session.view().message or "")):
                session.start()
            if session.info is not None:
                note(err, session.info, session.model, session.person)
            if headless:
                view = terminal(session, err, notices)
            else:
                dashboard(session)
            session.join()
    finally:
        # a signal or a screen that fails must not leave threads behind, nor a device held
        session.stop()
        session.join()
    notices.tell(session.sink_notes())
    err.print(summary_table(session.summary()))
    if (recording := session.view().recording) is not None:
        err.print(f"Recorded in {recording}.", markup=False, soft_wrap=True)
    if session.error is not None:
        raise session.error
    return view
