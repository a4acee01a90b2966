"""Stimuli: our own prompts, a folder with and without a manifest, and broken ones."""

from collections import Counter
from pathlib import Path

import pytest

from emod_model.errors import InputFileError
from emod_rt.calibration.prompts import PROMPTS
from emod_rt.calibration.scene import Stimulus
from emod_rt.calibration.stimuli import choose, quadrant, read_folder

NAMES = ["beach.jpg", "Storm.PNG", "song.mp3", "film.mp4", "wave.wav"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("not shown")
    return tmp_path


def test_our_prompts_are_four_of_each_quadrant_with_names_and_words_of_their_own() -> None:
    assert Counter(map(quadrant, PROMPTS)) == dict.fromkeys(
        [(True, True), (True, False), (False, True), (False, False)], 4
    )
    assert len({prompt.name for prompt in PROMPTS}) == len({prompt.text for prompt in PROMPTS}) == 16
    assert all(prompt.kind == "text" and prompt.path is None for prompt in PROMPTS)


@pytest.mark.parametrize("trials", [4, 8, 16, 32])
def test_every_four_trials_hold_one_of_each_quadrant_and_none_comes_again_before_all_have_come(
    trials: int,
) -> None:
    chosen = choose(PROMPTS, trials, seed=5)
    for first in range(0, trials, 4):
        assert len(set(map(quadrant, chosen[first : first + 4]))) == 4
    assert max(Counter(chosen).values()) == max(1, trials // 16)


def test_the_seed_alone_settles_the_order() -> None:
    assert choose(PROMPTS, 8, seed=1) == choose(PROMPTS, 8, seed=1)
    assert len({choose(PROMPTS, 8, seed=seed) for seed in range(20)}) == 20


def test_a_lopsided_folder_shows_all_it_has_and_begins_with_what_is_balanced() -> None:
    few = [*PROMPTS[:1], *PROMPTS[4:]]
    chosen = choose(few, 13, seed=2)
    assert len(set(chosen)) == 13
    assert len(set(map(quadrant, chosen[:4]))) == 4


def test_a_folder_without_a_manifest_gives_every_file_of_a_known_kind(folder: Path) -> None:
    stimuli = read_folder(folder)
    assert [(s.name, s.kind) for s in stimuli] == [
        ("Storm.PNG", "image"),
        ("beach.jpg", "image"),
        ("film.mp4", "film"),
        ("song.mp3", "sound"),
        ("wave.wav", "sound"),
    ]
    assert all(s.intended is None and s.path is not None and s.path.is_file() for s in stimuli)
    assert len(choose(stimuli, 8, seed=1)) == 8


MANIFESTS = {
    "plain": "file,valence,arousal\nbeach.jpg,8,2\nStorm.PNG,2,8.5\nsong.mp3,,\nfilm.mp4,1,9\n",
    "spreadsheet": "\ufefffile;valence;arousal\r\nbeach.jpg;8;2\r\nStorm.PNG;2;8,5\r\n"
    "song.mp3;;\r\nfilm.mp4;1;9\r\n;;\r\n",
    "order": "Arousal, File, Valence\n2, beach.jpg, 8\n8.5, Storm.PNG, 2\n, song.mp3,\n9, film.mp4, 1\n",
}


@pytest.mark.parametrize("text", MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_says_what_is_shown_and_what_it_is_meant_to_bring_about(folder: Path, text: str) -> None:
    (folder / "manifest.csv").write_bytes(text.encode())
    stimuli = read_folder(folder)
    assert [(s.name, s.intended) for s in stimuli] == [
        ("beach.jpg", (0.75, -0.75)),
        ("Storm.PNG", (-0.75, 0.875)),
        ("song.mp3", None),
        ("film.mp4", (-1.0, 1.0)),
    ]


HEAD = "file,valence,arousal\n"
BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", r"begins with ''; its first line must be file,valence,arousal"),
    "other columns": (b"name,v,a\nbeach.jpg,1,1\n", r"begins with 'name,v,a'"),
    "off the scale": (
        f"{HEAD}beach.jpg,10,2\n".encode(),
        r"line 2: the valence '10' is not on the scale; give 1",
    ),
    "no number": (f"{HEAD}beach.jpg,nice,2\n".encode(), r"the valence 'nice' is not on the scale"),
    "not finite": (f"{HEAD}beach.jpg,5,nan\n".encode(), r"the arousal 'nan' is not on the scale"),
    "one axis": (f"{HEAD}beach.jpg,5,\n".encode(), r"has one of valence and arousal; give both"),
    "missing file": (f"{HEAD}gone.jpg,5,5\n".encode(), r"there is no file 'gone.jpg'"),
    "twice": (f"{HEAD}beach.jpg,5,5\nbeach.jpg,5,5\n".encode(), r"line 3: 'beach.jpg' is listed twice"),
    "outside": (f"{HEAD}../beach.jpg,5,5\n".encode(), r"'../beach.jpg' does not lie in"),
    "absolute": (f"{HEAD}/etc/passwd,5,5\n".encode(), r"'/etc/passwd' does not lie in"),
    "windows": (f"{HEAD}C:\\x.jpg,5,5\n".encode(), r"does not lie in"),
    "controls": (f"{HEAD}\x1b[2Jx.jpg,5,5\n".encode(), r"'\\x1b\[2Jx.jpg' does not lie in"),
    "no name": (f"{HEAD},5,5\n".encode(), r"line 2: '' does not lie in"),
    "a text": (f"{HEAD}notes.txt,5,5\n".encode(), r"'notes.txt' is no image, sound or film that is known"),
    "too many columns": (f"{HEAD}beach.jpg,5,5,5\n".encode(), r"line 2: 4 columns, not 3"),
    "not text": (b"file,valence,arousal\n\xff\xfe,5,5\n", r"is not text in UTF-8; save it as CSV UTF-8"),
    "open quote": (f'{HEAD}"beach.jpg,5,5\n'.encode(), r"is no CSV"),
    "nul": (f"{HEAD}beach\0.jpg,5,5\n".encode(), r"does not lie in|is no CSV"),
    "too few": (f"{HEAD}beach.jpg,5,5\n".encode(), r"holds 1 stimuli, at least 4 are needed"),
    "huge": (b"file,valence,arousal\n" + b"x" * 2**20, r"has 1,048,597 bytes, too many"),
}


@pytest.mark.parametrize(("content", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_manifest_is_refused_in_one_sentence(folder: Path, content: bytes, said: str) -> None:
    (folder / "manifest.csv").write_bytes(content)
    with pytest.raises(InputFileError, match=said) as raised:
        read_folder(folder)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 3


def test_a_folder_that_is_none_or_holds_too_little_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"is no folder; give a folder of images"):
        read_folder(tmp_path / "gone")
    with pytest.raises(InputFileError, match=r"holds 0 stimuli, at least 4 are needed"):
        read_folder(tmp_path)
    (tmp_path / "manifest.csv").mkdir()
    with pytest.raises(InputFileError, match=r"manifest.csv is no file"):
        read_folder(tmp_path)


def test_what_nobody_knows_of_is_a_group_of_its_own() -> None:
    unknown = [Stimulus(f"u{n}", "image") for n in range(4)]
    chosen = choose([*PROMPTS, *unknown], 20, seed=4)
    for first in range(0, 20, 5):
        assert sum(s.intended is None for s in chosen[first : first + 5]) == 1
