"""What is there, and whether this machine is fit."""

import json

import pytest
from typer.testing import CliRunner

from emod_model.errors import ModelError, SourceError
from emod_rt import devices, doctor
from emod_rt.cli import app
from tests.emod_rt.lsl_help import outlet, unique

runner = CliRunner()


def test_devices_lists_a_stream_and_the_boards_as_json():
    name = unique("listed")
    out = outlet(name)
    result = runner.invoke(app, ["devices", "--json"])
    del out
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    stream = next(stream for stream in told["lsl"] if stream["name"] == name)
    assert (stream["type"], stream["channels"], stream["rate"], stream["source_id"]) == (
        "EEG",
        4,
        250.0,
        name,
    )
    assert stream["host"]
    cyton = next(board for board in told["brainflow"] if board["board"] == "cyton")
    assert (cyton["rate"], cyton["channels"], cyton["electrodes"][:2]) == (250.0, 8, ["Fp1", "Fp2"])


def test_devices_says_when_no_stream_is_there(monkeypatch):
    monkeypatch.setattr(devices, "lsl_streams", lambda wait: [])
    result = runner.invoke(app, ["devices"])
    assert result.exit_code == 0
    assert "No LSL stream" in result.stdout
    assert "cyton_daisy" in result.stdout


def test_this_machine_finds_its_own_streams_and_loads_the_libraries():
    checks = [doctor.check_python(), doctor.check_packages(), doctor.check_liblsl(), doctor.check_brainflow()]
    assert [check.state for check in checks] == ["ok"] * 4
    found = doctor.check_multicast()
    assert found.state == "ok"
    assert "ms" in found.found


def test_each_failure_comes_with_its_mend(tmp_path, monkeypatch):
    assert doctor.check_python((3, 9, 1)).mend == "install Python 3.11 or newer"
    missing = doctor.check_packages(["numpy", "no-such-package"])
    assert (missing.state, missing.mend) == ("fail", "pip install no-such-package")
    port = tmp_path / "ttyUSB0"
    closed = doctor.check_serial([port], usable=lambda _: False)
    assert closed.state == "warn"
    assert "dialout" in closed.mend
    assert doctor.check_serial([port], usable=lambda _: True).state == "ok"
    assert doctor.check_serial([]).state == "ok"
    assert doctor.check_display({}, "Linux").state == "warn"
    assert doctor.check_display({"DISPLAY": ":0"}, "Linux").state == "ok"


def test_a_folder_is_judged_by_the_nearest_that_exists(tmp_path):
    assert doctor.check_folder("recordings", tmp_path / "a" / "b").state == "ok"
    file = tmp_path / "file"
    file.write_text("")
    refused = doctor.check_folder("recordings", file / "below")
    assert refused.state == "warn"
    assert str(file) in refused.found


def test_a_library_or_model_that_does_not_load_is_told_in_words(monkeypatch):
    def broken(*_):
        raise SourceError("the LSL library cannot be loaded")

    monkeypatch.setattr("emod_rt.liblsl.load", broken)
    assert doctor.check_liblsl().state == "fail"
    assert doctor.check_multicast().state == "fail"

    def damaged(_):
        raise ModelError("x.safetensors is damaged")

    monkeypatch.setattr("emod_model.checkpoint.load_checkpoint", damaged)
    assert doctor.check_model().found == "x.safetensors is damaged"


@pytest.mark.parametrize(("worst", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_the_exit_code_is_1_only_when_something_essential_fails(monkeypatch, worst, code):
    rows = [doctor.Check("a", "ok", "fine"), doctor.Check("b", worst, "found [x]", "mend it")]
    monkeypatch.setattr(doctor, "examine", lambda: rows)
    result = runner.invoke(app, ["doctor"])
    assert result.exit_code == code
    assert "mend it" in result.stdout
    assert "[x]" in result.stdout
    told = json.loads(runner.invoke(app, ["doctor", "--json"]).stdout)
    assert told["healthy"] is (code == 0)
    assert [check["state"] for check in told["checks"]] == ["ok", worst]
