"""EEG from real LSL streams on this machine."""

import threading
import time

import numpy as np
import pytest

from emod_model.errors import SourceError, UsageError
from emod_rt import liblsl
from emod_rt.sources.lsl import LSLSource
from emod_rt.sources.lsl_layout import read_layout
from emod_rt.sources.lsl_query import parse_query
from emod_rt.sources.lsl_rate import RateCheck
from tests.emod_rt.doubles import ManualClock
from tests.emod_rt.lsl_help import LABELS, noise, outlet, unique, until

WAIT = 30.0


def open_while_sending(source, out, data, stamps, wait_s=WAIT):
    """Open `source`; send everything as soon as it listens."""

    def send():
        if out.wait_for_consumers(WAIT):
            out.push_chunk(data, stamps.tolist())

    sender = threading.Thread(target=send)
    sender.start()
    try:
        return source.open(wait_s)
    finally:
        sender.join()


def collect(source, samples):
    """Read until `samples` have come; (index, data)."""
    index, data, times = [], [], []

    def enough():
        for chunk in source.read(0.05):
            index.append(np.arange(chunk.first_index, chunk.first_index + chunk.times.size))
            data.append(chunk.data)
            times.append(chunk.times)
        return sum(i.size for i in index) >= samples

    until(enough)
    return np.concatenate(index), np.concatenate(data, axis=1), np.concatenate(times)


def grid(index, sfreq=250.0):
    return liblsl.load().local_clock() + np.asarray(index) / sfreq


def test_samples_arrive_as_sent_with_losses_in_their_place():
    name = unique("exact")
    out, sent = outlet(name), noise(1000)
    true = np.delete(np.arange(1100), np.r_[5, 30:36, 400, 600:692])
    stamps = grid(true)
    source = LSLSource(name)
    info = open_while_sending(source, out, sent, stamps)
    index, data, times = collect(source, 1000)
    source.close()
    assert (info.name, info.sfreq, info.channels, info.notes) == (f"lsl:{name}", 250.0, LABELS, ())
    np.testing.assert_array_equal(index, true)
    np.testing.assert_array_equal(data, sent.T)
    assert data.dtype == np.float32
    np.testing.assert_allclose(times, stamps, rtol=0, atol=2e-3)


def test_units_and_channels_that_are_not_electrodes_are_settled_with_a_note():
    name = unique("volts")
    out = outlet(name, ("EEG Fp1", "T3", "X1", "O2"), ("EEG", "EEG", "ACC", ""), "volts", fmt="double64")
    sent = noise(400).astype(np.float64)
    source = LSLSource(f"name={name},type=EEG")
    info = open_while_sending(source, out, sent * 1e-6, grid(np.arange(400)))
    _, data, _ = collect(source, 400)
    source.close()
    assert info.channels == ("Fp1", "T7", "O2")
    assert any("X1" in note for note in info.notes)
    np.testing.assert_allclose(data, sent.T[[0, 1, 3]], rtol=1e-5)


def test_an_undeclared_unit_is_settled_from_the_first_second():
    name = unique("nounit")
    out, sent = outlet(name, units=None), noise(300)
    source = LSLSource(name)
    info = open_while_sending(source, out, sent * 1e-6, grid(np.arange(300)))
    _, data, _ = collect(source, 300)
    source.close()
    assert any("read as V" in note for note in info.notes)
    np.testing.assert_allclose(data, sent.T, rtol=1e-4)


def test_a_sender_that_comes_back_goes_on_after_a_hole_of_the_time_it_was_away():
    name = unique("return")
    out, source = outlet(name), LSLSource(name)
    begin = liblsl.load().local_clock()
    open_while_sending(source, out, noise(500), begin + np.arange(500) / 250)
    index, _, _ = collect(source, 500)
    del out
    assert source.read(0.05) == []
    again = outlet(name)
    until(lambda: not source.read(0.05) and again.have_consumers())
    # other phase of the grid: a sender that starts anew does not meet the old one
    later = begin + 3500 / 250 + 0.0013 + np.arange(100) / 250
    again.push_chunk(noise(100), later.tolist())
    back, _, _ = collect(source, 100)
    source.close()
    assert index[-1] == 499
    np.testing.assert_array_equal(back, 3500 + np.arange(100))


def test_nothing_found_names_the_query_and_the_streams_there_are():
    there = unique("there")
    out = outlet(there)
    with pytest.raises(SourceError, match=r"lsl:absent.*" + there) as failure:
        LSLSource("absent").open(0.1)
    assert failure.value.exit_code == 4
    del out


def test_several_candidates_are_listed_with_the_way_to_choose():
    name = unique("twin")
    twins = [outlet(name, source_id=f"{name}-{k}") for k in "ab"]
    with pytest.raises(SourceError, match=f"2 streams.*{name}-.*choose one with lsl:source_id"):
        LSLSource(name).open(WAIT)
    source = LSLSource(f"source_id={name}-b")
    assert open_while_sending(source, twins[1], noise(300), grid(np.arange(300))).channels == LABELS
    source.close()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"sfreq": 0.0}, "irregular"),
        ({"fmt": "string"}, "text"),
        ({"labels": 1}, "1 channels"),
        ({"labels": 1025}, "1025 channels"),
    ],
)
def test_what_cannot_be_eeg_is_refused_with_the_reason(how, words):
    name = unique("odd")
    out = outlet(name, **how)
    with pytest.raises(SourceError, match=words):
        LSLSource(name).open(WAIT)
    del out


def test_a_sender_faster_than_it_says_is_refused():
    name = unique("fast")
    out, source = outlet(name), LSLSource(name)

    def follow():
        open_while_sending(source, out, noise(3000), grid(np.arange(3000), 500.0))
        collect(source, 3000)

    # in the opening already, or in a read soon after it
    with pytest.raises(SourceError, match="declares 250 Hz but sends 500"):
        follow()
    source.close()


def test_close_is_safe_at_any_time():
    source = LSLSource("nobody")
    source.close()
    with pytest.raises(SourceError):
        source.open(0.0)
    source.close()
    source.close()


def test_close_from_another_thread_ends_a_waiting_open_at_once():
    source, began = LSLSource("nobody"), time.monotonic()
    threading.Timer(0.2, source.close).start()
    with pytest.raises(SourceError, match="called off"):
        source.open(60.0)
    assert time.monotonic() - began < 3.0


@pytest.mark.parametrize("query", ["", "typ=EEG", "type=", "type=EEG,x"])
def test_a_query_that_cannot_be_understood_is_a_usage_error(query):
    with pytest.raises(UsageError):
        parse_query(query)


def xml(channels):
    inside = "".join(
        f"<channel><label>{label}</label><type>{kind}</type></channel>" for label, kind in channels
    )
    return f"<info><desc><channels>{inside}</channels></desc></info>"


def test_names_are_asked_for_when_the_stream_has_none():
    plain = xml([("ch1", "EEG"), ("ch2", "EEG"), ("AUX", "ACC")])
    with pytest.raises(UsageError, match=r"names no electrodes.*2 EEG channels"):
        read_layout(plain, 3, None)
    with pytest.raises(UsageError, match="names 3 electrodes"):
        read_layout(plain, 3, ["Fz", "Cz", "Pz"])
    layout = read_layout(plain, 3, ["fz", "CZ"])
    assert (layout.rows, layout.channels) == ((0, 1), ("Fz", "Cz"))
    assert any("left out" in note for note in layout.notes)


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><info>&b;</info>'


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("", "broken XML"),
        ("<info", "broken XML"),
        ("<info>&undefined;</info>", "broken XML"),
        ("<info>\ud800</info>", "broken XML"),
        ("<info>&#xD800;</info>", "broken XML"),
        ("<a>" * 100_000, "nested more than 100 deep"),
        ("<a>" * 100_000 + "</a>" * 100_000, "nested more than 100 deep"),
        (LAUGHS, "document type"),
        (LAUGHS.replace("DOCTYPE", "doctype"), "document type"),
        ("<info><desc>" + "<channel/>" * 500_000 + "</desc></info>", "5 MB long"),
        ("<info><desc>" + "x" * 4_000_000 + "</desc></info>", "4 MB long"),
    ],
)
def test_a_description_that_could_do_harm_is_refused_in_words(broken, words):
    began = time.process_time()
    with pytest.raises(SourceError, match=words):
        read_layout(broken, 2, ["Fz", "Cz"])
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("claimed", ["10000000", "-1", "nan", "1e99", ""])
def test_a_channel_count_that_only_the_description_claims_does_no_harm(claimed):
    named = xml([("Fp1", "EEG"), ("C3", "EEG")]).replace(
        "<info>", f"<info><channel_count>{claimed}</channel_count>"
    )
    assert read_layout(named, 2, None).channels == ("Fp1", "C3")


@pytest.mark.parametrize("odd", ["&#1;", "&#x1F;", "&#00;", "\x01", "&#x0b;"])
def test_control_characters_in_a_description_are_left_out(odd):
    named = xml([(f"Fp1{odd}", "EEG"), ("C&#51;", "EEG"), (f"O{odd}2", "EEG")])
    assert read_layout(named, 3, None).channels == ("Fp1", "C3", "O2")


def test_an_endless_label_does_not_fill_the_screen():
    layout = read_layout(xml([("Fp1", "EEG"), ("C3", "EEG"), ("x" * 100_000, "EEG")]), 3, None)
    assert all(len(note) < 200 for note in layout.notes)


@pytest.mark.parametrize("name", ["My Amp", "O'Brien", 'the "big" amp', "Kopfhörer 脑电", "a&b <c>"])
def test_a_stream_of_any_name_is_found(name):
    name = f"{name} {unique('')}"
    out, source = outlet(name), LSLSource(name)
    info = open_while_sending(source, out, noise(300), grid(np.arange(300)))
    source.close()
    assert info.name == f"lsl:{name}"


@pytest.mark.parametrize(("unit", "factor"), [("millivolts", 1e-3), ("V", 1e-6), ("nanovolts", 1e3)])
def test_a_declared_unit_holds_also_on_top_of_an_electrode_offset(unit, factor):
    name = unique("unit")
    out, source = outlet(name, units=unit, fmt="double64"), LSLSource(name)
    sent = noise(300).astype(np.float64) + 40_000.0
    info = open_while_sending(source, out, sent * factor, grid(np.arange(300)))
    _, data, _ = collect(source, 300)
    source.close()
    assert info.notes == ()
    np.testing.assert_allclose(data, sent.T, atol=0.01)


def test_names_choose_when_the_stream_has_its_own():
    named = xml([("Fp1", "EEG"), ("C3", "EEG"), ("O2", "EEG")])
    layout = read_layout(named, 3, ["O2", "Fp1"])
    assert (layout.rows, layout.channels) == ((2, 0), ("O2", "Fp1"))
    with pytest.raises(UsageError, match="Pz"):
        read_layout(named, 3, ["O2", "Pz"])
    with pytest.raises(SourceError, match="too few"):
        read_layout(named, 3, ["O2"])


def test_liblsl_is_quiet_and_keeps_the_users_own_configuration(tmp_path, monkeypatch):
    own = tmp_path / "lsl_api.cfg"
    own.write_text("[lab]\nKnownPeers = {10.0.0.7}\n")
    monkeypatch.setenv("LSLAPICFG", str(own))
    text = liblsl.quiet_config()
    assert "10.0.0.7" in text
    assert "level = -3" in text
    own.write_text("[log]\nlevel = 2\n[tuning]\nContinuousResolveInterval = 5\n")
    assert liblsl.quiet_config() == own.read_text()


def test_reading_never_waits_longer_than_asked():
    name = unique("silent")
    out, source = outlet(name), LSLSource(name)
    open_while_sending(source, out, noise(300), grid(np.arange(300)))
    collect(source, 300)
    before = time.monotonic()
    assert source.read(0.1) == []
    assert time.monotonic() - before < 1.0
    source.close()


class DeafInlet:
    """A sender that a firewall hides: announced, and every question to it runs into its timeout."""

    def __init__(self, clock):
        self._clock = clock
        self.closed = 0

    def info(self, timeout):
        self._clock.time += timeout
        raise liblsl.load().util.TimeoutError("the operation failed due to a timeout.")

    def close_stream(self):
        self.closed += 1


def test_a_sender_that_is_announced_and_does_not_answer_is_told_in_words(monkeypatch):
    name = unique("deaf")
    out, clock = outlet(name), ManualClock()
    inlet = DeafInlet(clock)
    monkeypatch.setattr(liblsl.load(), "StreamInlet", lambda *a, **k: inlet)
    with pytest.raises(SourceError, match=r"announced but does not answer.*firewall") as failure:
        LSLSource(name, clock=clock).open(WAIT)
    del out
    assert failure.value.exit_code == 4
    assert inlet.closed == 1
    assert 4.5 < clock.time - 100.0 < 5.5


def test_close_from_another_thread_ends_the_wait_for_an_answer(monkeypatch):
    name = unique("deaf")
    out = outlet(name)
    source = LSLSource(name)

    class Deaf(DeafInlet):
        def info(self, timeout):
            source.close()
            super().info(timeout)

    inlet = Deaf(ManualClock())
    monkeypatch.setattr(liblsl.load(), "StreamInlet", lambda *a, **k: inlet)
    with pytest.raises(SourceError, match="called off"):
        source.open(60.0)
    del out
    assert inlet.closed == 1


def test_close_from_another_thread_ends_the_wait_for_the_first_second():
    name = unique("mute")
    out, source = outlet(name), LSLSource(name)

    def close_once_connected():
        out.wait_for_consumers(WAIT)
        source.close()

    closer, began = threading.Thread(target=close_once_connected), time.monotonic()
    closer.start()
    with pytest.raises(SourceError, match="called off"):
        source.open(60.0)
    closer.join()
    assert time.monotonic() - began < 5.0
    assert source.read(0.0) is None


def test_close_before_open_is_not_forgotten():
    source = LSLSource("nobody")
    source.close()
    with pytest.raises(SourceError, match="called off"):
        source.open(60.0)


@pytest.mark.parametrize("block_s", [0.5, 1.0, 3.0])
def test_a_sender_of_blocks_stamped_now_is_not_called_too_fast(block_s):
    check, per_block = RateCheck(250.0), round(250 * block_s)
    now = 100.0 + block_s * np.arange(20)
    for begin in now:
        stamps = begin + 1e-5 * np.arange(per_block)
        # the network may cut a block anywhere
        assert [check.too_fast(part) for part in np.split(stamps, [per_block // 3])] == [None, None]


@pytest.mark.parametrize("block", [1, 8, 500])
def test_a_rate_is_judged_by_the_samples_after_the_first_batch(block):
    check = RateCheck(250.0)
    stamps = 100.0 + np.arange(4000) / 300.0
    told = [check.too_fast(stamps[at : at + block]) for at in range(0, 4000, block)]
    assert [rate for rate in told if rate is not None] == [pytest.approx(300.0)]


def test_samples_sent_one_by_one_are_handed_on_together_and_soon():
    name = unique("single")
    out, source = outlet(name, sfreq=1000.0), LSLSource(name)
    open_while_sending(source, out, noise(1000), grid(np.arange(1000), 1000.0))
    collect(source, 1000)
    now, chunks = liblsl.load().local_clock, []
    gone = threading.Event()

    def send():
        begin = now()
        for at in range(300):
            time.sleep(max(0.0, begin + at * 1e-3 - now()))
            out.push_sample([0.0] * 4, begin + at * 1e-3)
        gone.set()

    sender = threading.Thread(target=send)
    sender.start()
    while not gone.is_set() or sum(chunk.times.size for chunk in chunks) < 300:
        chunks += source.read(0.05)
    sender.join()
    source.close()
    assert sum(chunk.times.size for chunk in chunks) == 300
    assert len(chunks) <= 100
