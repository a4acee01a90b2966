"""Profiles on the disk: their owner's alone, never lost silently, refused in a sentence when not sound."""

import json
import os
import stat
import sys
import time

import pytest

from emod_model.checkpoint import load_checkpoint
from emod_model.errors import InputFileError, UsageError
from emod_rt.calibration import store
from emod_rt.cli import main
from tests.emod_rt.profiles import profile_for


@pytest.fixture(scope="module")
def ada(untrained):
    return profile_for(load_checkpoint(untrained))


@pytest.fixture(scope="module")
def bob(untrained):
    return profile_for(load_checkpoint(untrained), user="bob", worth=(0.0, 0.0), seed=2)


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOD_RT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path / "data"


def command(monkeypatch, capsys, *words) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["emod-rt", "profile", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_a_profile_comes_back_as_it_was_stored(ada):
    assert store.save(ada) is None
    assert store.load("ada") == ada
    assert store.users() == ["ada"]


def test_without_the_variable_profiles_lie_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("EMOD_RT_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert store.folder() == tmp_path / "emod-rt" / "profiles"
    assert store.folder().name == "profiles"


def test_nobody_else_may_read_a_profile(ada, data):
    before = os.umask(0)
    try:
        store.save(ada)
    finally:
        os.umask(before)
    assert stat.S_IMODE((data / "profiles").stat().st_mode) == 0o700
    assert stat.S_IMODE(store.path_of("ada").stat().st_mode) == 0o600


def test_a_folder_that_others_could_read_is_closed_again(ada, data):
    (data / "profiles").mkdir(parents=True, mode=0o755)
    store.save(ada)
    assert stat.S_IMODE((data / "profiles").stat().st_mode) == 0o700


def test_only_numbers_and_ratings_are_inside(ada):
    store.save(ada)
    found = json.loads(store.path_of("ada").read_text())

    def texts(value):
        if isinstance(value, dict):
            return [text for part in value.values() for text in texts(part)]
        if isinstance(value, list):
            return [text for part in value for text in texts(part)]
        return [value] if isinstance(value, str) else []

    words = {"ada", ada.created, ada.model, ada.model_sha256, *ada.channels, *ada.chosen}
    words |= {verdict.word for verdict in ada.verdicts} | {predictor.kind for predictor in ada.predictors}
    assert set(texts(found)) <= words
    # a trial is 45 s of EEG at the least: 8 trials x 4 channels x 5,625 samples would be megabytes
    assert store.path_of("ada").stat().st_size < 100_000


def test_every_earlier_profile_is_kept_aside(ada):
    first = ada.model_copy(update={"created": "2026-11-01T12:00:00Z"})
    second = ada.model_copy(update={"created": "2026-11-02T12:00:00Z"})
    store.save(first)
    assert store.save(second).name == "ada.previous-1.json"
    assert store.save(ada).name == "ada.previous-2.json"
    assert [store.read(path).created[:10] for path in store.aside("ada")] == ["2026-11-01", "2026-11-02"]
    assert store.load("ada") == ada
    assert store.users() == ["ada"]
    assert stat.S_IMODE(store.aside("ada")[0].stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_profile_whole(ada, monkeypatch, data):
    store.save(ada)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        store.save(ada.model_copy(update={"created": "2026-12-01T12:00:00Z"}))
    assert store.load("ada") == ada
    assert [path.name for path in (data / "profiles").iterdir()] == ["ada.json"]


@pytest.mark.parametrize(
    "user", ["", "../ada", "a/b", "a.b", ".ada", "-ada", "a" * 41, "ada\n", "a\\b", "~", "a b"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(user):
    with pytest.raises(UsageError, match="cannot be a user's name"):
        store.path_of(user)


def test_names_in_any_script_and_either_spelling_are_one_persons(ada):
    store.save(ada.model_copy(update={"user": "Zo\u00eb"}))
    assert store.load("Zoe\u0308").user == "Zo\u00eb"
    assert store.check_user("\u5c71\u7530-2") == "\u5c71\u7530-2"


# what is wrong with a file


def broken(text, at, value):
    """The same JSON with one thing replaced."""
    found = json.loads(text)
    *way, last = at
    part = found
    for key in way:
        part = part[key]
    part[last] = value
    return json.dumps(found)


CHANGES = {
    "a text for a number": (("span",), "wide"),
    "not a number": (("view_sd", 0, 0), float("nan")),
    "infinite": (("baseline", "mean", 1), float("inf")),
    "too large": (("baseline", "views", 2, 3), 1e300),
    "another number of electrodes": (("channels",), ["Fp1", "Fp2"]),
    "an electrode twice": (("channels",), ["Fp1", "Fp1", "C3", "C4"]),
    "no electrode": (("channels", 0), "\x1b[2J"),
    "a terminal's command": (("model",), "\x1b]0;owned\x07"),
    "markup": (("created",), "[red]now"),
    "a scale of zero": (("view_sd", 0, 0), 0.0),
    "a width below zero": (("half_widths", 0, 0), -1.0),
    "a row too short": (("baseline", "views", 0), [1.0]),
    "a rating off the scale": (("ratings", 0, 0), 3.0),
    "too few estimates": (("estimates",), [[0.0, 0.0]]),
    "another kind of predictor": (("predictors", 0), {"kind": "pickle"}),
    "weights of another size": (
        ("predictors", 0),
        {"kind": "ridge", "penalty": 1.0, "weights": [[0.0, 0.0]]},
    ),
    "another format": (("format",), 2),
    "something more": (("shell",), "rm"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_profile_with_an_impossible_part_is_refused_in_one_sentence(ada, what):
    store.save(ada)
    path = store.path_of("ada")
    path.write_text(broken(path.read_text(), *CHANGES[what]))
    with pytest.raises(InputFileError) as refused:
        store.load("ada")
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.isprintable()
    assert len(sentence) < 600
    assert "emod-rt profile delete" in sentence


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[" * 200_000,
        b"\xff\xfe\x00",
        b'{"user": "ada"}',
        b"\x80\x04\x95K\x01.",
        b'{"a":' * 5000,
    ],
    ids=["empty", "cut", "null", "deep", "bytes", "foreign", "pickle", "nested"],
)
def test_a_file_that_is_no_profile_is_refused_in_one_sentence(content, data):
    (data / "profiles").mkdir(parents=True)
    store.path_of("ada").write_bytes(content)
    with pytest.raises(InputFileError, match=r"ada\.json is no whole profile"):
        store.load("ada")


def test_a_profile_cut_anywhere_is_refused(ada):
    store.save(ada)
    path = store.path_of("ada")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, len(whole) // 25):
        path.write_bytes(whole[:length])
        with pytest.raises(InputFileError):
            store.load("ada")


def test_somebody_elses_profile_is_not_taken_for_ones_own(ada):
    store.save(ada)
    store.path_of("ada").rename(store.path_of("eve"))
    with pytest.raises(InputFileError, match="holds the profile of ada, not of eve"):
        store.load("eve")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
def test_what_is_no_file_is_refused_at_once_and_not_waited_for(data):
    (data / "profiles").mkdir(parents=True)
    os.mkfifo(store.path_of("pipe"))
    store.path_of("folder").mkdir()
    store.path_of("gone").symlink_to(data / "nowhere")
    for user in ("pipe", "folder", "gone"):
        with pytest.raises(InputFileError, match=f"{user}.json"):
            store.load(user)


def test_a_file_of_gigabytes_is_not_read(data):
    (data / "profiles").mkdir(parents=True)
    with store.path_of("ada").open("wb") as file:
        file.truncate(8 * 2**30)
    began = time.monotonic()
    with pytest.raises(InputFileError, match="too large"):
        store.load("ada")
    assert time.monotonic() - began < 5


# the commands


def test_list_names_everybody_with_what_it_is_worth(ada, bob, monkeypatch, capsys):
    store.save(ada)
    store.save(bob)
    store.path_of("carl").write_text("{")
    code, out, _ = command(monkeypatch, capsys, "list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert list(lines) == ["ada", "bob", "carl"]
    assert "better" in lines["ada"]
    assert "not shown" in lines["bob"]
    assert "SIMULATED" in lines["ada"]
    assert "damaged" in lines["carl"]


def test_list_as_json_is_one_array(ada, monkeypatch, capsys):
    assert json.loads(command(monkeypatch, capsys, "list", "--json")[1]) == []
    store.save(ada)
    (row,) = json.loads(command(monkeypatch, capsys, "list", "--json")[1])
    assert (row["user"], row["trials"], row["channels"]) == ("ada", 8, ["Fp1", "Fp2", "C3", "C4"])
    assert row["verdicts"] == {"valence": ada.verdicts[0].word, "arousal": ada.verdicts[1].word}


def test_show_says_the_verdict_in_words_and_what_it_belongs_to(ada, bob, monkeypatch, capsys):
    store.save(ada)
    store.save(bob)
    code, out, _ = command(monkeypatch, capsys, "show", "ada")
    said = " ".join(out.split())
    assert code == 0
    assert "Valence: shown to be better than always saying this person's average." in said
    for part in (
        "of 100 tries",
        "Fp1 Fp2 C3 C4",
        "untrained",
        ada.model_sha256[:12],
        "8 rated trials",
        "2026-11-20",
    ):
        assert part in said
    assert "More trials help most" not in said
    said = " ".join(command(monkeypatch, capsys, "show", "bob")[1].split())
    assert "Arousal: not shown to be better" in said
    assert "More trials help most" in said


def test_show_as_json_is_the_profile(ada, monkeypatch, capsys):
    store.save(ada)
    out = command(monkeypatch, capsys, "show", "ada", "--json")[1]
    assert type(ada).model_validate_json(out) == ada


def test_an_unknown_user_is_told_who_is_known(ada, bob, monkeypatch, capsys):
    store.save(ada)
    store.save(bob)
    for words in (("show", "eve"), ("delete", "eve"), ("export", "eve", "x.json")):
        code, _, err = command(monkeypatch, capsys, *words)
        assert code == 2
        assert "no profile of eve; there are those of ada, bob" in err


def test_a_damaged_profile_ends_show_with_code_3(ada, monkeypatch, capsys):
    store.save(ada)
    store.path_of("ada").write_text("{")
    for words in (("show", "ada"), ("export", "ada", "x.json")):
        code, _, err = command(monkeypatch, capsys, *words)
        assert code == 3
        assert len(err.splitlines()) == 1


def test_delete_takes_the_earlier_ones_along_and_works_on_damaged_files(ada, monkeypatch, capsys, data):
    store.save(ada)
    store.save(ada)
    store.path_of("ada").write_text("{")
    code, out, _ = command(monkeypatch, capsys, "delete", "ada")
    assert code == 0
    assert len(out.splitlines()) == 2
    assert list((data / "profiles").iterdir()) == []


def test_export_writes_a_new_file_and_overwrites_none(ada, monkeypatch, capsys, tmp_path):
    store.save(ada)
    file = tmp_path / "mine.json"
    code, out, _ = command(monkeypatch, capsys, "export", "ada", str(file))
    assert code == 0
    assert "no EEG" in out
    assert store.read(file) == ada
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, _, err = command(monkeypatch, capsys, "export", "ada", str(file))
    assert code == 2
    assert "not overwritten" in err
    code, _, err = command(monkeypatch, capsys, "export", "ada", str(tmp_path / "no" / "x.json"))
    assert code == 2
    assert "No such file" in err
