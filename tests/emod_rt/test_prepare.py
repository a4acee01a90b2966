"""`emod-rt prepare` from the command line: what it says, what it refuses, how it ends."""

import json
import signal
import sys
import time

import edfio
import numpy as np
import pytest

from emod_model.errors import InputFileError, UsageError
from emod_model.store import open_store
from emod_rt.cli.prepare import prepare
from tests.emod_rt.programs import run, start

NAMES = "Fp1 Fp2 F3 F4 F7 F8 T3 T4 C3 C4 T5 T6 P3 P4 O1 O2 Fz Cz Pz A2-A1"


def write_people(folder, people, seconds):
    """Write as many people as EEGMAT has them."""
    folder.mkdir()
    for person in range(people):
        rng = np.random.default_rng(person)
        for half in (1, 2):
            rows = 10 * rng.standard_normal((20, 250 * seconds))
            signals = [
                edfio.EdfSignal(row, 250, label=f"EEG {name}", physical_dimension="uV")
                for name, row in zip(NAMES.split(), rows, strict=True)
            ]
            edfio.Edf(signals).write(folder / f"Subject{person:02}_{half}.edf")
    return folder


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("eegmat") / "raw", 3, 8)


def test_a_corpus_becomes_a_store_and_the_second_time_nothing_is_done(raw, tmp_path):
    (raw / "Subject02_2.edf").rename(tmp_path / "kept.edf")
    store = tmp_path / "eegmat.h5"
    words = ("prepare", "eegmat", str(raw), str(store), "--window", "2", "--workers", "1")
    done = run(*words)
    (tmp_path / "kept.edf").rename(raw / "Subject02_2.edf")
    assert done.returncode == 0, done.stderr
    assert "Subject02_2.edf (arithmetic) is missing; only rest is read" in done.stderr
    assert "windows     15 of 2 s every 2 s" in done.stderr
    assert "arithmetic 6, rest 9" in done.stderr
    assert len(open_store(store)) == 15
    (raw / "Subject02_2.edf").rename(tmp_path / "kept.edf")
    again = run(*words, "--json")
    (tmp_path / "kept.edf").rename(raw / "Subject02_2.edf")
    said = json.loads(again.stdout)
    assert said["there_before"]
    assert said["manifest"]["counts"]["label"] == {"arithmetic": 6, "rest": 9}
    assert said["bytes"] == store.stat().st_size


def test_stopped_by_a_signal_it_says_how_far_it_is_and_goes_on_from_there(tmp_path):
    folder = write_people(tmp_path / "raw", 12, 60)
    store = tmp_path / "eegmat.h5"
    words = ("prepare", "eegmat", str(folder), str(store), "--hop", "0.1", "--workers", "1")
    program = start(*words)
    while not list(tmp_path.glob("eegmat.h5.parts/[0-9]*.json")):
        assert program.poll() is None, program.stderr.read()
        time.sleep(0.02)
    program.send_signal(signal.SIGTERM)
    _, said = program.communicate(timeout=100)
    assert program.returncode == 2
    assert "of 12 people done; the same command goes on from there" in said
    assert "Traceback" not in said
    assert not store.exists()


def refused(kind, words, match, tmp_path, **options):
    with pytest.raises(kind, match=match):
        prepare(*words, **options)
    assert not list(tmp_path.glob("store*"))


def test_what_cannot_be_done_is_refused_in_one_sentence_and_leaves_nothing(raw, tmp_path, monkeypatch):
    store = tmp_path / "store.h5"
    empty = tmp_path / "empty"
    empty.mkdir()
    good = ("eegmat", raw, store)
    refused(
        UsageError,
        ("emotions", raw, store),
        "no corpus known here; name one of amigos, bids, .*xdf",
        tmp_path,
    )
    refused(InputFileError, ("eegmat", empty, store), r"no SubjectNN_1\.edf", tmp_path)
    refused(InputFileError, ("xdf", empty, store), r"no calibration among 0 recordings", tmp_path)
    refused(InputFileError, ("eegmat", tmp_path / "none", store), "no such folder", tmp_path)
    refused(UsageError, good, "--workers 0 is not a number of processes", tmp_path, workers=0)
    refused(UsageError, good, "--window: window_s = 12.0: input should be less than", tmp_path, window=12.0)
    refused(UsageError, good, r"--window 0\.1 s is less than a token", tmp_path, window=0.1)
    refused(UsageError, good, r"--hop 0\.001 is less than a sample", tmp_path, hop=0.001)
    refused(UsageError, good, "--hop -1 is not a time", tmp_path, hop=-1.0)
    refused(
        UsageError,
        good,
        "--vocabulary goes with bids; eegmat has its own",
        tmp_path,
        vocabulary=raw / "v.toml",
    )
    refused(UsageError, good, "no Dask scheduler answers at nonsense://", tmp_path, cluster="nonsense://")
    monkeypatch.setitem(sys.modules, "distributed", None)
    refused(
        UsageError, good, r"--cluster needs Dask.*emod-rt\[cluster\]", tmp_path, cluster="tcp://localhost:1"
    )
