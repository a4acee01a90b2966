"""The offset between two machines' LSL clocks: none on one machine, however busy it is."""

import subprocess
import sys

import pytest

from emod_rt import liblsl
from tests.emod_rt.lsl_help import outlet, unique

SENDER = """
import sys, pylsl
kept = pylsl.StreamOutlet(pylsl.StreamInfo(sys.argv[1], "Markers", 1, 0, "string", sys.argv[1]))
print("here", flush=True)
sys.stdin.read()
"""


def resolved(name):
    (info,) = liblsl.load().resolve_byprop("name", name, 1, 20)
    return info


def test_a_sender_on_this_machine_has_our_clock_exactly():
    name = unique("clock")
    with subprocess.Popen(
        [sys.executable, "-c", SENDER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as sender:
        sender.stdout.readline()
        inlets = [liblsl.load().StreamInlet(resolved(name)) for _ in range(5)]
        assert [liblsl.clock_offset(inlet, 10.0) for inlet in inlets] == [0.0] * 5
        sender.stdin.close()


def test_what_is_not_known_in_time_is_no_zero():
    name = unique("slow")
    kept = outlet(name)
    inlet = liblsl.load().StreamInlet(resolved(name))
    with pytest.raises(liblsl.load().util.TimeoutError):
        liblsl.clock_offset(inlet, 0.0)
    assert kept.channel_count == 4
