"""Impedance is measured by the board's own current before the first sample, and leaves no trace."""

import itertools
import threading

import numpy as np
import numpy.typing as npt
import pytest
import pyxdf

from emod_model.errors import SourceError, UsageError
from emod_rt.session import Session
from emod_rt.sources.base import Chunk
from emod_rt.sources.brainflow import BrainFlowSource
from emod_rt.sources.impedance import impedance_kohm, in_one_sentence
from emod_rt.sources.uri import open_source
from tests.emod_rt.lsl_help import until
from tests.emod_rt.programs import run
from tests.peers.cyton import LEAD_OFF_HZ, SERIES_OHM, SFREQ, Cyton, CytonDaisy

OPEN = 1e9
OHM = (5e3, 20e3, 100e3, 500e3, OPEN)
FIVE = ("Fp1", "Fp2", "C3", "C4", "P7")


def head(
    channels: int, seconds: float = 60.0, seed: int = 0, sfreq: float = SFREQ
) -> npt.NDArray[np.float64]:
    """A person on a Cyton: rhythm, pink noise, 50 microvolts of mains, drift on tens of millivolts."""
    rng = np.random.default_rng(seed)
    n = round(seconds * sfreq)
    t = np.arange(n) / sfreq
    pink = np.fft.rfft(rng.normal(size=(channels, n)))
    pink[:, 1:] /= np.sqrt(np.arange(1, pink.shape[1]))
    pink[:, 0] = 0
    background = np.fft.irfft(pink, n)
    background *= 12 / background.std()
    rhythm = 10 * np.sin(2 * np.pi * 10 * t) + 50 * np.sin(2 * np.pi * 60 * t)
    return np.asarray(background + rhythm + 100 * t + rng.normal(0, 20_000, (channels, 1)))


def current(kohm: float, n: int = 250) -> npt.NDArray[np.float64]:
    """What 6 nA make of an electrode and the board's own resistor, microvolts."""
    return 6e-3 * (1000 * kohm + SERIES_OHM) * np.sin(2 * np.pi * LEAD_OFF_HZ / SFREQ * np.arange(n) + 0.7)


def amplitude_uv(chunks: list[Chunk]) -> npt.NDArray[np.float64]:
    """Amplitude at the current's frequency in the first second of a recording."""
    data = np.concatenate([chunk.data for chunk in chunks], axis=1)[:, :248].astype(np.float64)
    wave = np.exp(-2j * np.pi * LEAD_OFF_HZ / SFREQ * np.arange(248)) * np.hanning(248)
    return np.abs((data - data.mean(axis=1, keepdims=True)) @ wave) * 2 / np.hanning(248).sum()


@pytest.mark.parametrize("kohm", [0.0, 1.0, 5.0, 20.0, 100.0, 500.0])
def test_eeg_mains_and_drift_add_little_to_what_the_current_makes(kohm: float) -> None:
    errors = [
        impedance_kohm(head(1, 1.0, seed)[0] + current(kohm), np.arange(250.0), 1.0) for seed in range(20)
    ]
    assert np.abs(np.array(errors) - kohm).max() < 1


def test_a_lost_packet_shifts_nothing() -> None:
    kept = np.delete(np.arange(260), np.arange(100, 110))
    counts = (kept + 200) % 256.0
    found = impedance_kohm(current(20.0, 260)[kept], counts, 1.0)
    assert found == pytest.approx(20.0, rel=0.01)


@pytest.mark.parametrize(
    "signal", [np.zeros(250), np.full(250, -187_500.0), 6e6 * np.sin(np.arange(250) / 8)]
)
def test_a_silent_or_railed_electrode_is_open(signal: npt.NDArray[np.float64]) -> None:
    assert impedance_kohm(np.clip(signal, -187_500, 187_500), np.arange(250.0), 1.0) is None


def test_what_was_found_is_told_in_one_sentence() -> None:
    told = in_one_sentence(("Fp1", "C3", "P7"), (5.123, 1234.5, None))
    assert told == "impedance in kilo-ohm: Fp1 5.12, C3 1234, P7 open"


def test_a_cyton_measures_each_electrode_and_then_streams_as_if_nothing_had_been() -> None:
    told: list[str] = []
    with Cyton(head(8), impedance_ohm=[*OHM, 0, 0, 0]) as board:
        source = BrainFlowSource("cyton", {"serial_port": board.port}, FIVE, impedance=told.append)
        info = source.open(10.0)
        chunks: list[Chunk] = []
        until(lambda: chunks.extend(source.read(0.1) or []) or sum(c.times.size for c in chunks) >= 250)
        assert board.lead_off == []
        source.close()
    assert info.impedance_kohm[:4] == pytest.approx([5, 20, 100, 500], rel=0.1)
    assert info.impedance_kohm[4] is None
    assert any(note.startswith("impedance in kilo-ohm: Fp1 ") and "P7 open" in note for note in info.notes)
    assert told[0] == "Measuring the impedance of Fp1, 1 of 5."
    assert len(told) == 5
    # 5 kilo-ohm would leave 43 microvolts
    assert amplitude_uv(chunks).max() < 3
    assert chunks[0].first_index == 0
    assert all(b.first_index == a.first_index + a.times.size for a, b in itertools.pairwise(chunks))


def test_a_daisy_measures_its_second_board_too() -> None:
    ohm = np.full(16, 50e3)
    ohm[9] = 20e3
    with CytonDaisy(head(16, sfreq=SFREQ / 2), impedance_ohm=ohm.tolist()) as board:
        given = {"serial_port": board.port}
        source = BrainFlowSource("cyton_daisy", given, ("Fp1", "F8"), impedance=lambda _: None)
        info = source.open(10.0)
        assert board.lead_off == []
        source.close()
    assert info.impedance_kohm == pytest.approx([50, 20], rel=0.1)


def test_a_recording_made_by_the_program_has_it_and_holds_no_sample_of_it(tmp_path) -> None:
    file = tmp_path / "raw.xdf"
    with Cyton(head(8), impedance_ohm=[5e3] * 8) as board:
        words = ("record", "--source", f"brainflow:cyton?serial_port={board.port}", "--channels", "Fp1,Fp2")
        done = run(*words, "--impedance", "--duration", "2", "--out", str(file))
        assert board.lead_off == []
    assert done.returncode == 0, done.stderr
    assert "impedance in kilo-ohm: Fp1 " in done.stderr
    eeg = pyxdf.load_xdf(file)[0][0]["time_series"].T
    assert eeg.shape[1] >= 500
    chunk = Chunk(0, eeg, np.arange(eeg.shape[1], dtype=float), 0.0)
    assert amplitude_uv([chunk]).max() < 3


def test_a_measurement_called_off_switches_the_current_off() -> None:
    flows = threading.Event()
    with Cyton(head(8), impedance_ohm=[5e3] * 8) as board:
        source = BrainFlowSource("cyton", {"serial_port": board.port}, impedance=lambda _: flows.set())
        thread = threading.Thread(
            target=lambda: flows.wait(10) and (until(lambda: board.lead_off), source.close())
        )
        thread.start()
        with pytest.raises(SourceError, match="called off"):
            source.open(10.0)
        thread.join()
        assert board.lead_off == []


class Stubborn(Cyton):
    """A board that does not answer when it is told to go back to its defaults."""

    def _obey_one(self, command: str) -> str:
        return "" if command == "d" and self.lead_off_used else super()._obey_one(command)

    @property
    def lead_off_used(self) -> bool:
        return self.slot > 0


def test_a_board_that_does_not_confirm_its_defaults_is_not_recorded_from() -> None:
    with Stubborn(head(8)) as board:
        given = {"serial_port": board.port}
        source = BrainFlowSource("cyton", given, ("Fp1", "Fp2"), impedance=lambda _: None)
        with pytest.raises(SourceError, match="does not confirm that its lead-off current is off"):
            source.open(10.0)


def test_a_board_that_goes_silent_meanwhile_is_named() -> None:
    with Cyton(head(8), out_of_reach=[range(100, 10**9)]) as board:
        given = {"serial_port": board.port}
        source = BrainFlowSource("cyton", given, ("Fp1", "Fp2"), impedance=lambda _: None)
        with pytest.raises(SourceError, match="went silent while its impedance was measured"):
            source.open(10.0)


@pytest.mark.parametrize("source", ["sim:3", "lsl:Cyton", "file:x.xdf", "brainflow:synthetic"])
def test_what_cannot_measure_says_so_before_anything_is_opened(source: str) -> None:
    with pytest.raises(UsageError, match="cannot measure impedance; leave --impedance out") as refused:
        open_source(source, impedance=lambda _: None)
    assert refused.value.exit_code == 2


def test_a_session_measures_only_for_a_source_by_name() -> None:
    with pytest.raises(UsageError, match="given by its name"):
        Session(open_source("sim:3"), impedance=True)
