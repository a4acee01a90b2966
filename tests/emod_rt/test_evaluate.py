"""`emod-rt evaluate` on EEGMAT: whoever is in the folder, by the published protocol."""

import json
from pathlib import Path

import edfio
import numpy as np
import pytest
import torch

from emod_model.checkpoint import CheckpointInfo, save_checkpoint
from emod_model.errors import InputFileError, ModelError, UsageError
from emod_model.network import EMOD, EMODConfig
from emod_model.signal.spec import SignalSpec
from emod_model.store import write_store
from emod_rt.cli import app
from tests.emod_model.store.toy import RECIPE, Toy

ORDER = "Fp1 Fp2 F3 F4 F7 F8 T3 T4 C3 C4 T5 T6 P3 P4 O1 O2 Fz Cz Pz A2-A1"
NAMES = ORDER.split()
SFREQ = 125
REST_S, TASK_S = 72, 12


def write_person(folder: Path, number: int) -> None:
    """Write rest, and arithmetic in which every channel is twice as large."""
    rng = np.random.default_rng(number)
    for half, seconds, size in ((1, REST_S, 10.0), (2, TASK_S, 20.0)):
        data = size * rng.standard_normal((len(NAMES), seconds * SFREQ))
        signals = [
            edfio.EdfSignal(row, SFREQ, label=f"EEG {name}", physical_dimension="uV")
            for name, row in zip(NAMES, data, strict=True)
        ]
        edfio.Edf(signals).write(folder / f"Subject{number:02d}_{half}.edf")


def write_model(path: Path, **signal: float) -> Path:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = EMODConfig(d_model=8, n_layers=1, n_heads=2, d_feedforward=8, n_groups=2)
    info = CheckpointInfo(
        name="tiny",
        network=config,
        signal=SignalSpec(hop_s=1.0, **signal),
        training_data="nothing",
        licence="BSD-3-Clause",
        simulated=True,
    )
    save_checkpoint(path, EMOD(config).eval(), info)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="module")
def judged_alone(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    for number in (32, 35):
        write_person(folder, number)
    return folder


@pytest.fixture(scope="module")
def all_parts(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("parts")
    for number in (0, 1, 28, 32):
        write_person(folder, number)
    return folder


def told(capsys, *arguments: object) -> dict:
    app([str(word) for word in ("evaluate", *arguments, "--json")], standalone_mode=False)
    return json.loads(capsys.readouterr().out)


def test_a_folder_that_holds_only_those_to_be_judged_is_judged(capsys, judged_alone, model, tmp_path):
    page = tmp_path / "report.html"
    found = told(capsys, "eegmat", "--data", judged_alone, "--model", model, "--report", page)
    assert found["judged"] == "test"
    assert found["classes"] == ["rest", "arithmetic"]
    part = found["parts"]["test"]
    assert part["people"] == ["Subject32", "Subject35"]
    assert set(part["methods"]) == {"EMOD", "no EEG: majority"}
    assert "no fitted baselines" in found["notes"][0]
    emod = part["methods"]["EMOD"]
    assert set(emod) == {"none", "causal", "transductive"}
    # 14 windows of rest and 2 of arithmetic each; causal centring keeps the first 12 for itself
    assert [emod[kind]["windows"] for kind in emod] == [32, 8, 32]
    for figures in emod.values():
        assert set(figures["people"]) == {"Subject32", "Subject35"}
        assert set(figures["pooled"]) == {"balanced_accuracy", "kappa", "weighted_f1", "auroc", "auc_pr"}
        assert np.sum(figures["confusion"]) == figures["windows"]
        assert figures["fitted_on_people"] == 0
    assert part["methods"]["no EEG: majority"]["none"]["pooled"]["balanced_accuracy"] == 0.5
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/png") == 2
    assert "SIMULATED" in html
    assert "http" not in html.replace("http-equiv", "")


def test_linear_models_learn_from_the_first_people_and_are_judged_on_the_last(capsys, all_parts, model):
    found = told(capsys, "eegmat", "--data", all_parts, "--model", model, "--channels", "Fp1,Fp2,C3,C4")
    assert {part: len(each["people"]) for part, each in found["parts"].items()} == {
        "test": 1,
        "validate": 1,
        "train": 2,
        "everyone": 4,
    }
    assert found["model"]["channels"] == ["Fp1", "Fp2", "C3", "C4"]
    methods = found["parts"]["test"]["methods"]
    for title, kinds in methods.items():
        if title.startswith("linear"):
            # an amplitude that doubles cannot be missed
            assert kinds["causal"]["pooled"]["auroc"] == 1.0, title
            assert kinds["causal"]["fitted_on_people"] == 2
    assert sum(title.startswith("linear") for title in methods) == 8
    assert "EMOD frozen, linear head" in methods
    assert not any(title.startswith("linear") for title in found["parts"]["everyone"]["methods"])


def write_muse(folder: Path) -> None:
    """Write two people with a recording of each state, the confused one louder."""
    rows = ["file,subject,label"]
    for person in ("S1", "S2"):
        for state, seconds in (("control", 66), ("confused", 11), ("understanding", 11)):
            rng = np.random.default_rng(len(rows))
            n = seconds * 256
            eeg = (30 if state == "confused" else 10) * rng.standard_normal((n, 4))
            name = f"{person}_{state}_1.csv"
            rows.append(f"{name},{person},{state}")
            lines = ["timestamps,TP9,AF7,AF8,TP10,Right AUX"]
            lines += [
                f"{1000 + at / 256:.3f}," + ",".join(f"{value:.3f}" for value in row) + ",0.000"
                for at, row in enumerate(eeg)
            ]
            (folder / name).write_text("\n".join(lines) + "\n")
    (folder / "index.csv").write_text("\n".join(rows) + "\n")


def test_muse_recordings_are_judged_as_their_index_lists_them(capsys, model, tmp_path):
    write_muse(tmp_path)
    found = told(capsys, "leave-one-person-out", "--data", tmp_path, "--model", model)
    assert found["classes"] == ["control", "confused", "understanding"]
    methods = found["parts"]["test"]["methods"]
    # three states: arousal alone names none of them
    assert set(methods) == {
        "EMOD frozen, linear head",
        "linear, 4 electrodes",
        "linear, 4 electrodes, live path",
        "linear, 4 electrodes as recorded",
        "linear, 4 electrodes as recorded, live path",
        "no EEG: majority",
    }
    # 13 windows of control, of which the first 12 are the rest, and 2 of each other state
    assert [methods["linear, 4 electrodes"][kind]["windows"] for kind in ("none", "causal")] == [34, 10]
    confused = np.array(methods["linear, 4 electrodes, live path"]["causal"]["confusion"])[1]
    assert confused.tolist() == [0, 4, 0]
    with pytest.raises(UsageError, match="no fold of leave-trial-out"):
        told(capsys, "leave-trial-out", "--data", tmp_path, "--model", model)
    (tmp_path / "index.csv").write_text("file,subject,label\nS1_control_1.csv,S1,asleep\n")
    with pytest.raises(InputFileError, match="asleep"):
        told(capsys, "leave-one-person-out", "--data", tmp_path, "--model", model)


def test_a_store_is_judged_and_shown(capsys, model, tmp_path, monkeypatch):
    raw, path, page = tmp_path / "raw", tmp_path / "toy.h5", tmp_path / "toy.html"
    raw.mkdir()
    write_store(Toy(raw, people=3, trials=3), raw, path, RECIPE)
    monkeypatch.setenv("COLUMNS", "160")
    words = ["evaluate", "leave-one-person-out", str(path), "--model", str(model), "--report", str(page)]
    app(words, standalone_mode=False)
    out = capsys.readouterr().out
    for line in ("3 people, happy against neutral against sad", "no EEG: stimulus mean", "CCC"):
        assert line in out
    assert "Valence and arousal against ratings" in page.read_text(encoding="utf-8")


def test_it_has_to_be_told_what_to_judge_on(judged_alone):
    for words in (["evaluate", "eegmat"], ["evaluate", "eegmat", "a.h5", "--data", str(judged_alone)]):
        with pytest.raises(UsageError, match="one of the two"):
            app(words, standalone_mode=False)


def test_a_table_is_printed_for_people(capsys, judged_alone, model, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    app(["evaluate", "eegmat", "--data", str(judged_alone), "--model", str(model)], standalone_mode=False)
    out = capsys.readouterr().out
    for words in ("2 people", "SIMULATED", "transductive", "Subject35", "no EEG: majority", "AUC-PR"):
        assert words in out


def test_what_cannot_be_judged_is_refused_with_its_exit_code(tmp_path, judged_alone, model):
    empty, half = tmp_path / "empty", tmp_path / "half"
    for folder in (empty, half):
        folder.mkdir()
    write_person(half, 33)
    (half / "Subject33_2.edf").unlink()
    longer = write_model(tmp_path / "long.safetensors", window_s=6.0)
    for arguments, error, words in (
        (("eegmat", "--data", tmp_path / "none", "--model", model), InputFileError, "no such folder"),
        (("eegmat", "--data", empty, "--model", model), InputFileError, "SubjectNN_1"),
        (("eegmat", "--data", half, "--model", model), InputFileError, "Subject33 has only one"),
        (("eegmat", "--data", judged_alone, "--model", longer), ModelError, "6 s"),
        (("eegmatt", "--data", judged_alone, "--model", model), UsageError, "leave-one-person-out"),
        (("faced", "--data", judged_alone, "--model", model), UsageError, "2 people are too few"),
        (
            ("eegmat", "--data", judged_alone, "--model", model, "--channels", "Fp1,AF7"),
            UsageError,
            "AF7 is not recorded here",
        ),
    ):
        with pytest.raises(error, match=words):
            app([str(word) for word in ("evaluate", *arguments)], standalone_mode=False)
    assert (InputFileError.exit_code, ModelError.exit_code, UsageError.exit_code) == (3, 5, 2)
