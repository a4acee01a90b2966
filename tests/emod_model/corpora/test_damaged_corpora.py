"""Files that are cut, empty, absent or garbled: one sentence that names the file, never a traceback."""

import os
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emod_model.corpora import open_corpus
from emod_model.errors import InputFileError
from tests.emod_model.corpora import made
from tests.emod_model.corpora.small import TINY

OPTIONAL = {"participant_ratings.csv", "label.mat", "After_remarks.mat"}
# what is written again and again should be small
LARGE = 4_000_000


def read(name: str, folder: Path) -> int:
    """How many trials there are."""
    corpus = open_corpus(name, folder)
    return sum(1 for subject in corpus.subjects() for _ in corpus.trials(subject))


def files(name: str, folder: Path) -> list[Path]:
    corpus = open_corpus(name, folder)
    return sorted({path for subject in corpus.subjects() for path in corpus.files(subject)})


def sentence(error: InputFileError) -> str:
    said = str(error)
    assert "\n" not in said
    assert "Traceback" not in said
    assert not said.endswith(".")
    return said


@pytest.fixture(scope="module", params=sorted(TINY))
def whole(request, tmp_path_factory) -> Iterator[tuple[str, Path, int]]:
    folder = tmp_path_factory.mktemp(request.param)
    TINY[request.param](folder)
    yield request.param, folder, read(request.param, folder)
    shutil.rmtree(folder)


def test_a_file_cut_anywhere_is_named_or_the_missing_trials_are(whole):
    name, folder, count = whole
    for path in files(name, folder):
        blob, size = path.read_bytes(), path.stat().st_size
        try:
            lengths = {0, 1, 7, 100, 130, size // 3, size - 1000, size - 1}
            for length in {size // 2} if size > LARGE else lengths:
                os.truncate(path, max(length, 0))
                try:
                    left = read(name, folder)
                except InputFileError as error:
                    assert path.name in sentence(error)  # noqa: PT017 - others must not come
                else:
                    # a table may end after a whole row, a BDF's or CNT's last byte may be no sample
                    assert left <= count
                    assert left < count or length >= size - 1000
                path.write_bytes(blob)
        finally:
            path.write_bytes(blob)
    assert read(name, folder) == count


def test_a_garbled_file_is_named_or_gives_other_numbers(whole):
    name, folder, _ = whole
    rng = np.random.default_rng(0)
    for path in files(name, folder):
        blob = path.read_bytes()
        try:
            for _ in range(1 if len(blob) > LARGE else 6):
                # headers are at the beginning
                with path.open("r+b") as file:
                    for at in rng.integers(0, min(len(blob), 1500), 4):
                        file.seek(int(at))
                        file.write(rng.bytes(1))
                try:
                    read(name, folder)
                except InputFileError as error:
                    sentence(error)
                path.write_bytes(blob)
        finally:
            path.write_bytes(blob)


def test_a_folder_where_a_file_should_be_is_one_sentence_or_a_missing_file(whole):
    name, folder, count = whole
    for path in files(name, folder):
        aside = path.with_name("aside")
        path.rename(aside)
        path.mkdir()
        try:
            left = read(name, folder)
        except InputFileError as error:
            sentence(error)
        else:
            assert left < count or path.name in OPTIONAL
        finally:
            path.rmdir()
            aside.rename(path)


def test_one_person_is_in_memory_at_a_time_and_one_trial_of_the_large_corpora(tmp_path):
    made.seed(tmp_path, [f"{n}_20131027" for n in range(1, 4)], trials=4, seconds=10)
    one_trial = 62 * 2201 * 8
    corpus = open_corpus("seed", tmp_path)
    tracemalloc.start()
    try:
        for subject in corpus.subjects():
            for trial in corpus.trials(subject):
                del trial
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * one_trial
