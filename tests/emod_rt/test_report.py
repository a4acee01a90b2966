"""What the terminal's table says."""

import dataclasses
import io

from rich.console import Console

from emod_rt.cli.report import Notices, live_table
from tests.gui.views import bad_channels, invalid, make_view


def shown(view) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(live_table(view))
    return console.file.getvalue()


def test_the_newest_window_without_a_number_names_the_electrodes_at_fault():
    said = shown(invalid(bad_channels(), "bad-signal", first=-3))
    assert said.count("too few good electrodes") == 3
    assert said.count("too few good electrodes: Fp1 too large; C4 flat") == 1


def test_the_recording_is_told_while_there_is_one():
    view = make_view()
    assert "recording" not in shown(view)
    assert "recording /data/s.xdf" in shown(dataclasses.replace(view, recording="/data/s.xdf"))


def test_each_notice_is_said_once_and_never_read_as_markup():
    console = Console(file=io.StringIO(), width=200)
    notices = Notices(console)
    for _ in range(3):
        notices.tell(("/data/[red]s.xdf takes no more data.",))
    assert console.file.getvalue() == "/data/[red]s.xdf takes no more data.\n"
