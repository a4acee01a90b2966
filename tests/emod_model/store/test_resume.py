"""A store is there whole or not at all, whatever happens on the way, and the same call goes on from there."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from emod_model.affect import Vocabulary
from emod_model.errors import InputFileError, UsageError
from emod_model.store import Recipe, open_store, write_store
from tests.emod_model.store.toy import RECIPE, SPEC, Toy

PEOPLE = 4
# prepares, says where it is, and waits there to be killed
CHILD = """
import sys, time
from pathlib import Path
from emod_model.store import write_store
from tests.emod_model.store.toy import RECIPE, Toy

where, raw, path = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])

def wait():
    print("here", flush=True)
    time.sleep(100)

class Slow(Toy):
    def trial(self, subject, number):
        if where == "person" and (subject, number) == ("p2", 1):
            wait()
        return super().trial(subject, number)

def progress(what, done, of):
    if (where, done) == (what, 2):
        wait()

write_store(Slow(raw, 4), raw, path, RECIPE, progress=progress)
"""


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "toy.h5"


@contextmanager
def no_file_larger_than(size):
    """As on a disk that is full: a write beyond it fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def left_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "raw")


@pytest.mark.parametrize(("where", "done"), [("person", 2), ("joining", 4)])
def test_killed_on_the_way_it_goes_on_to_the_same_bytes(raw, path, where, done):
    words = [sys.executable, "-c", CHILD, where, str(raw), str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "here\n"
        child.send_signal(signal.SIGKILL)
    assert not path.exists()
    found = write_store(Toy(raw, PEOPLE), raw, path, RECIPE)
    assert found.resumed == done
    whole = path.with_name("whole.h5")
    write_store(Toy(raw, PEOPLE), raw, whole, RECIPE)
    assert path.read_bytes() == whole.read_bytes()
    assert left_in(path.parent) == ["toy.h5", "whole.h5"]


class Broken(Toy):
    """Whoever is read after the first two ends the run."""

    def trial(self, subject, number):
        if subject == "p2":
            raise KeyboardInterrupt
        return super().trial(subject, number)


@pytest.fixture
def half(raw, path):
    """A run that was broken off after two people."""
    with pytest.raises(KeyboardInterrupt):
        write_store(Broken(raw, PEOPLE), raw, path, RECIPE)
    return path.with_name("toy.h5.parts")


def test_a_person_whose_files_changed_meanwhile_is_done_anew(raw, path, half):
    (raw / "p0.dat").write_text("recorded again")
    found = write_store(Toy(raw, 0), raw, path, RECIPE)
    assert found.resumed == 1
    assert {file.path: file.bytes for file in found.manifest.files}["p0.dat"] == len("recorded again")


def test_a_part_that_is_damaged_is_done_anew(raw, path, half):
    (half / "00001.json").write_text("{")
    assert write_store(Toy(raw, PEOPLE), raw, path, RECIPE).resumed == 1


def test_parts_of_other_settings_are_never_mixed_in(raw, path, half):
    other = Recipe(corpus="toy", signal=SPEC, hop_s=1.0)
    with pytest.raises(
        UsageError, match=r"toy\.h5\.parts holds what was begun .* with other settings; delete it"
    ):
        write_store(Toy(raw, PEOPLE), raw, path, other)
    assert write_store(Toy(raw, PEOPLE), raw, path, RECIPE).resumed == 2


def worded(raw, people, valence):
    corpus = Toy(raw, people)
    happy = {"word": "happy", "valence": valence, "arousal": 0.5, "source": "a pilot"}
    others = [happy | {"word": word} for word in ("sad", "neutral")]
    corpus.vocabulary = Vocabulary.model_validate({"name": "toy", "classes": [happy, *others]})
    return corpus


def test_labels_of_two_vocabularies_are_never_in_one_store(raw, path):
    made = write_store(worded(raw, PEOPLE, 0.5), raw, path, RECIPE).manifest
    assert write_store(worded(raw, PEOPLE, 0.5), raw, path, RECIPE).before
    with pytest.raises(UsageError, match=rf"of vocabulary {made.recipe.vocabulary} and not toy "):
        write_store(worded(raw, PEOPLE, -0.5), raw, path, RECIPE)
    with pytest.raises(UsageError, match=r"and not none; give it another name"):
        write_store(Toy(raw, PEOPLE), raw, path, RECIPE)


def test_two_runs_do_not_write_one_store(raw, path):
    said = []

    def second(what, done, of):
        if (what, done) == ("people", 1):
            with pytest.raises(UsageError, match="is being prepared by another run; wait for it"):
                write_store(Toy(raw, PEOPLE), raw, path, RECIPE)
            said.append(what)

    write_store(Toy(raw, PEOPLE), raw, path, RECIPE, progress=second)
    assert said == ["people"]
    assert len(open_store(path).manifest.counts.subject) == PEOPLE


@pytest.mark.parametrize("size", [20_000, 100_000])
def test_a_full_disk_is_one_sentence_and_with_room_it_goes_on(raw, path, size):
    with (
        no_file_larger_than(size),
        pytest.raises(UsageError, match=r"toy\.h5 cannot be written \(.*make room"),
    ):
        write_store(Toy(raw, PEOPLE), raw, path, RECIPE)
    assert not path.exists()
    write_store(Toy(raw, PEOPLE), raw, path, RECIPE)
    assert len(open_store(path)) == 8 * PEOPLE


def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_left(raw, path):
    path.write_text("a file")
    with pytest.raises(UsageError, match=r"cannot be written \(Not a directory\)"):
        write_store(Toy(raw), raw, path / "toy.h5", RECIPE)
    with pytest.raises(UsageError, match="is a folder; give the file to be"):
        write_store(Toy(raw), raw, raw.parent, RECIPE)
    with pytest.raises(UsageError, match="lies in the folder of the corpus"):
        write_store(Toy(raw), raw, raw / "toy.h5", RECIPE)
    assert left_in(path.parent) == ["toy.h5"]


def test_a_raw_file_that_cannot_be_read_is_named_and_nothing_is_left(raw, path):
    class Gone(Toy):
        def files(self, subject):
            return [self.folder / "gone.dat"]

    with pytest.raises(InputFileError, match=r"gone\.dat: cannot be read \(No such file"):
        write_store(Gone(raw), raw, path, RECIPE)
    assert left_in(path.parent) == []


def test_a_worker_that_dies_is_one_sentence_and_the_rest_is_kept(raw, path):
    with pytest.raises(
        UsageError, match="ended from outside, most likely for want of memory; with fewer --workers"
    ):
        write_store(Dying(raw, PEOPLE), raw, path, RECIPE, workers=2)
    assert not path.exists()
    write_store(Toy(raw, PEOPLE), raw, path, RECIPE, workers=1)
    assert len(open_store(path)) == 8 * PEOPLE


class Dying(Toy):
    def trial(self, subject, number):
        if subject == "p3":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().trial(subject, number)
