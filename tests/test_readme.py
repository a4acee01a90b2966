"""Every command in the README is run, in the README's order, by the real program."""

import json
import re
import shlex
import signal
import subprocess
import sys

import pytest

from emod_model.simulate import SimulatedPerson
from emod_model.training.sessions import Plan
from tests.conftest import ROOT
from tests.emod_rt.calibrations import sit_through
from tests.emod_rt.lsl_help import until
from tests.emod_rt.programs import environment, run, start
from tests.peers.cyton import Cyton

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the README's commands run, one after another."""
    return tmp_path_factory.mktemp("readme")


def of(start_of_command: str) -> list[str]:
    """Return the one README command that begins so, as words, without the program's name."""
    (command,) = [line for line in COMMANDS if line.startswith(start_of_command)]
    return shlex.split(command)[1:]


def test_every_command_has_a_test_below():
    source = (ROOT / "tests" / "test_readme.py").read_text(encoding="utf-8")
    tested = [prefix for _, prefix in re.findall(r"of\(([\"'])(.+?)\1\)", source)]
    assert [line for line in COMMANDS if not any(line.startswith(prefix) for prefix in tested)] == []


@pytest.mark.parametrize("words", [of("make demo"), of("make test")])
def test_the_two_commands_are_targets_of_the_makefile(words):
    plan = subprocess.run(
        ["make", "--dry-run", "--always-make", *words], cwd=ROOT, text=True, capture_output=True, check=True
    ).stdout
    assert "torch==" in plan, "it does its own set-up, torch first"
    assert plan.index("torch==") < plan.index("'.[dev]'")
    assert ("emod-rt demo" in plan) or ("pytest" in plan)


def test_the_demo_without_a_display_ends_with_a_picture(folder):
    done = run("demo", "--duration", "8", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "emod-demo.png").read_bytes().startswith(b"\x89PNG")
    assert "SIMULATED" in done.stderr
    assert "lost" in done.stderr


def test_doctor_and_devices(folder):
    done = run(*of("emod-rt doctor"), cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(*of("emod-rt devices"), cwd=folder).returncode == 0


def test_a_cyton_on_its_serial_port(folder):
    words = of('emod-rt run --source "brainflow:cyton')
    eeg = SimulatedPerson(5, ("Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"), 250.0).generate(2500)
    with Cyton(eeg) as board:
        words = [word.replace("/dev/ttyUSB0", board.port) for word in words]
        done = run(*words, "--headless", "--duration", "6", "--jsonl", "cyton.jsonl", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (folder / "cyton.jsonl").read_text().splitlines()]
    assert lines[-1]["summary"]["samples"] == 1500
    assert lines[-1]["summary"]["lost"] == 0
    assert any(line.get("valid") for line in lines)


def test_record_and_process(folder):
    recorded = run(*of("emod-rt run --source brainflow:synthetic"), cwd=folder)
    assert recorded.returncode == 0, recorded.stderr
    assert "Recorded in session.xdf." in recorded.stderr
    live = (folder / "estimates.jsonl").read_text().splitlines()
    done = run(*of("emod-rt process"), cwd=folder)
    assert done.returncode == 0, done.stderr
    again = (folder / "estimates.jsonl").read_text().splitlines()
    assert json.loads(live[-1])["summary"]["samples"] == json.loads(again[-1])["summary"]["samples"]


def test_a_replay_stands_in_for_a_headset(folder):
    replay = start(*of("emod-rt replay"), cwd=folder)
    program = start(*of("emod-rt run --source lsl:Cyton"), "--jsonl", "lsl.jsonl", cwd=folder)
    lines = folder / "lsl.jsonl"
    until(lambda: lines.exists() and '"valid": true' in lines.read_text(), 120)
    program.send_signal(signal.SIGINT)
    replay.send_signal(signal.SIGTERM)
    for each in (program, replay):
        _, err = each.communicate(timeout=120)
        assert each.returncode == 0, err


def test_record_without_a_model(folder):
    done = run(*of("emod-rt record --source sim:7 --subject"), cwd=folder)
    assert done.returncode == 0, done.stderr
    (named,) = folder.glob("recordings/sub-01/ses-01/eeg/*")
    assert named.name == "sub-01_ses-01_task-film_run-01_eeg.xdf"
    assert f"{named.relative_to(folder)}: 1,250 samples" in done.stderr
    done = run(*of("emod-rt record --source sim:7 --out"), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "1,250 samples, 0 lost" in done.stderr
    whole = run(*of("emod-rt recover"), cwd=folder)
    assert whole.returncode == 0, whole.stderr
    assert not (folder / "raw.recovered.xdf").exists(), "it was whole"


def test_a_calibration_wants_a_person_to_answer_or_a_recording_to_fit(folder, monkeypatch):
    monkeypatch.setenv("EMOD_RT_DATA", str(folder / "data"))
    nobody = run(*of("emod-rt calibrate --user ada --source"), cwd=folder)
    assert nobody.returncode == 2
    assert "no terminal in which a person could answer" in nobody.stderr
    words = of("emod-rt calibrate --user ada --from")
    recording = folder / words[-1]
    recording.parent.mkdir(parents=True)
    sit_through(recording, 3, Plan(trials=4, trial_s=12, rest_s=20, pause_s=4))
    done = run(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "always saying this person's average" in done.stderr
    # who is calibrated here needs no headset
    words = ["sim:7" if word == "lsl:Cyton" else word for word in of("emod-rt run --user ada")]
    done = run(*words, "--headless", "--duration", "5", cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "made"),
    [
        (of("emod-rt export-recording session.xdf --to bids"), "study/sub-01/eeg/sub-01_task-film_eeg.vhdr"),
        (of("emod-rt export-recording session.xdf --to edf"), "session.edf"),
    ],
)
def test_a_recording_for_other_programs(folder, words, made):
    done = run(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"{made}: 16 electrodes" in done.stderr
    assert (folder / made).stat().st_size > 0


def test_the_models_card_says_what_it_is(folder):
    done = run(*of("emod-rt model show"), cwd=folder)
    assert done.returncode == 0
    assert "NOT VALIDATED ON PEOPLE" in done.stdout


def test_the_python_example(folder):
    (example,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=folder,
        env=environment(),
        text=True,
        capture_output=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stdout.splitlines() if "stalled" not in line]) == 12


def test_the_json_line_shown_is_the_contract():
    (line,) = blocks("json")
    assert list(json.loads(line))[:2] == ["t", "index"]
    assert "latency_ms" in json.loads(line)


def test_links_and_pictures_are_there():
    targets = [t for t in re.findall(r"\]\(([^)]+)\)", TEXT) if not t.startswith("http")]
    assert [target for target in targets if not (ROOT / target).exists()] == []
