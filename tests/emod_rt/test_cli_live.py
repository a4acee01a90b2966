"""The whole path with the real program: processed, replayed and run live, the same samples say the same."""

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from emod_rt.cli import main
from tests.emod_rt.lsl_help import noise, outlet, unique, until
from tests.emod_rt.programs import EMOD_RT, run, start


@pytest.fixture(scope="module")
def cyton(shared_data, tmp_path_factory) -> Path:
    """The first 16 s of the real Cyton recording."""
    whole = next((shared_data / "openbci_cyton").glob("*.txt")).read_text().splitlines(keepends=True)
    path = tmp_path_factory.mktemp("cyton") / "cyton.txt"
    path.write_text("".join(whole[: 5 + 16 * 250]))
    return path


@pytest.fixture(scope="module")
def processed(cyton) -> list[dict]:
    done = run("process", str(cyton), "--chunk", "250", "--jsonl", "-")
    assert done.returncode == 0, done.stderr
    assert "zero is what the first 60 s are like" in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def without_latency(lines: list[dict]) -> list[dict]:
    stripped = [{k: v for k, v in line.items() if k != "latency_ms"} for line in lines[:-1]]
    return [*stripped, {k: v for k, v in lines[-1]["summary"].items() if k != "latency_ms"}]


def test_process_prints_the_contract(processed):
    assert len(processed) == 33
    assert list(processed[0]) == [
        "t", "index", "valence", "arousal", "valence_sd", "arousal_sd", "valid", "reason", "latency_ms",
    ]  # fmt: skip
    assert [line["index"] for line in processed[:-1]] == [125 * (k + 1) - 1 for k in range(32)]
    assert [line["reason"] for line in processed[:9]] == ["settling"] * 8 + [None]
    assert processed[8]["index"] / 250 < 5
    summary = processed[-1]["summary"]
    assert (summary["samples"], summary["lost"], summary["windows"]) == (4000, 0, 32)
    assert summary["valid"] == sum(line["valid"] for line in processed[:-1])


@pytest.mark.parametrize("chunk", ["1", "7"])
def test_chunking_changes_no_digit(cyton, processed, chunk):
    done = run("process", str(cyton), "--chunk", chunk, "--jsonl", "-")
    assert without_latency([json.loads(line) for line in done.stdout.splitlines()]) == without_latency(
        processed
    )


def test_replayed_over_lsl_and_run_live_nothing_is_lost_and_the_estimates_are_the_same(
    cyton, processed, tmp_path
):
    name = unique("cyton")
    replay = start("replay", str(cyton), "--name", name, "--speed", "2")
    done = run(
        "run", "--source", f"lsl:{name}", "--headless", "--duration", "16",
        "--jsonl", str(tmp_path / "live.jsonl"), "--record", str(tmp_path / "live.xdf"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    replay.communicate(timeout=120)
    assert replay.returncode == 0
    live = [json.loads(line) for line in (tmp_path / "live.jsonl").read_text().splitlines()]
    assert live[-1]["summary"]["lost"] == 0
    assert live[-1]["summary"]["samples"] == 4000
    assert live[-1]["summary"]["skipped"] == 0
    windows = [line for line in live[:-1] if line["reason"] != "stalled"]
    assert [line["index"] for line in windows] == [line["index"] for line in processed[:-1]]
    for ours, theirs in zip(windows, processed[:-1], strict=True):
        assert ours["reason"] == theirs["reason"]
        if ours["valid"]:
            for key in ("valence", "arousal", "valence_sd", "arousal_sd"):
                assert ours[key] == pytest.approx(theirs[key], abs=1e-5)
    recorded = run("process", str(tmp_path / "live.xdf"), "--jsonl", "-")
    again = [json.loads(line) for line in recorded.stdout.splitlines()]
    np.testing.assert_allclose(
        [line["valence"] or 9 for line in again[:-1]], [line["valence"] or 9 for line in windows], atol=1e-5
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_cleanly_with_its_summary(tmp_path, number):
    lines = tmp_path / "e.jsonl"
    program = start("run", "--source", "sim:3", "--headless", "--jsonl", str(lines))
    until(lambda: lines.exists() and len(lines.read_text().splitlines()) >= 2, 120)
    program.send_signal(number)
    _, err = program.communicate(timeout=120)
    assert program.returncode == 0, err
    assert "summary" in json.loads(lines.read_text().splitlines()[-1])


@pytest.mark.parametrize("words", [("record", "--out"), ("run", "--headless", "--record")], ids=" ".join)
def test_a_signal_at_the_very_moment_a_recording_is_made_leaves_one_that_is_whole(tmp_path, words):
    command, *options, out = words
    file = tmp_path / "s.xdf"
    program = start(command, "--source", "sim:3", *options, out, str(file))
    until(file.exists, 120)
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=120)
    assert program.returncode == 0, err
    assert "before it had begun" not in err
    streams, _ = pyxdf.load_xdf(file)
    assert all(stream["footer"] for stream in streams), "closed with footers"
    assert streams[0]["info"]["type"] == ["EEG"]


def test_a_sender_that_falls_silent_stops_the_estimates_within_a_second(tmp_path):
    name, lines = unique("silent"), tmp_path / "e.jsonl"
    sender = outlet(name)
    program = start("run", "--source", f"lsl:{name}", "--headless", "--jsonl", str(lines))
    until(sender.have_consumers, 120)
    signal_uv, began, sent = noise(1500), time.monotonic(), 0
    while sent < 1500:
        due = min(1500, int((time.monotonic() - began) * 250))
        if due > sent:
            sender.push_chunk(signal_uv[sent:due])
            sent = due
        time.sleep(0.02)
    until(lambda: "stalled" in lines.read_text(), 60)
    time.sleep(1.0)
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=120)
    assert program.returncode == 0, err
    *windows, summary = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [line["reason"] for line in windows].count("stalled") == 1
    assert windows[-1]["reason"] == "stalled"
    assert windows[-1]["valence"] is None
    assert windows[-1]["latency_ms"] <= 1000, "said within a second of the last sample"
    assert summary["summary"]["samples"] == 1500
    assert summary["summary"]["windows"] == len(windows)


def test_a_reader_that_leaves_ends_process_quietly(cyton):
    program = f"{shlex.quote(str(EMOD_RT))} process {shlex.quote(str(cyton))} --jsonl - 2>err"
    words = ["bash", "-c", f"{program} | head -2; exit ${{PIPESTATUS[0]}}"]
    done = subprocess.run(words, cwd=cyton.parent, text=True, capture_output=True, timeout=240)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in (cyton.parent / "err").read_text()


def test_a_signal_while_waiting_for_the_source_ends_at_once_and_cleanly(tmp_path):
    program = start("run", "--source", "lsl:nobody-here", "--headless", "--record", str(tmp_path / "s.xdf"))
    time.sleep(2.0)
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=120)
    assert program.returncode == 0, err
    assert "Traceback" not in err
    assert not (tmp_path / "s.xdf").exists()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["run", "--source", "lsl:nobody-here", "--headless", "--wait", "0.5"], 4, "nobody-here"),
        (["run", "--source", "magic:1", "--headless"], 2, "magic:1"),
        (["run", "--source", "sim:1", "--duration", "-3", "--headless"], 2, "-3"),
        (["run", "--headless"], 2, "--source"),
        (["run", "--source", "sim:1", "--wait", "-1", "--headless"], 2, "--wait -1"),
        (["replay", "fine.csv", "--start", "nan"], 2, "--start nan"),
        (["replay", "fine.csv", "--stop", "inf"], 2, "--stop inf"),
        (["process", "nothing.edf"], 3, "nothing.edf"),
        (["process", "empty.csv"], 3, "empty.csv"),
        (["process", "slow.csv"], 5, "50 Hz"),
        (["process", "fine.csv", "--model", "fine.csv"], 3, "fine.csv"),
        (["process", "fine.csv", "--channels", "Fp1,Nose"], 2, "Nose"),
        (["record", "--source", "sim:1", "--out", "fine.csv", "--duration", "1"], 2, "not overwritten"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_the_right_exit_code(
    tmp_path, monkeypatch, capsys, words, code, sentence
):
    rng = np.random.default_rng(0)
    (tmp_path / "empty.csv").write_text("")
    for name, rate in (("slow.csv", 50.0), ("fine.csv", 250.0)):
        rows = np.column_stack([np.arange(1000) / rate, rng.standard_normal((1000, 2)) * 20])
        np.savetxt(tmp_path / name, rows, delimiter=",", header="time,Fp1,Fp2", comments="", fmt="%.4f")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["emod-rt", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == code, said
    assert sentence in said
    assert (tmp_path / "fine.csv").read_text().startswith("time,Fp1,Fp2")


def test_help_answers_without_importing_what_is_heavy():
    probe = (
        "import sys; import emod_rt, emod_rt.cli; "
        "heavy = {'torch', 'mne', 'PySide6', 'lightning', 'scipy', 'pandas', 'matplotlib'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", probe], text=True).strip() == "[]"
