"""Pickles: arrays come through as Python 2 and 3 wrote them, and nothing else ever runs."""

import builtins
import importlib
import os
import pickle
import struct
import sys

import numpy as np
import pytest

from emod_model.corpora import open_corpus
from emod_model.corpora.safe_pickle import load_arrays
from emod_model.errors import InputFileError
from tests.emod_model.corpora import made

ARRAYS = [
    np.arange(24.0).reshape(2, 3, 4),
    np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
    np.arange(5, dtype=np.float32)[::-1],
    np.zeros((0, 4)),
    np.array(3.5),
]


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def refusal(path, blob: bytes) -> str:
    path.write_bytes(blob)
    with pytest.raises(InputFileError) as error:
        load_arrays(path)
    said = str(error.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    return said


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("array", ARRAYS, ids=["f8", "fortran >i2", "f4", "empty", "scalar"])
def test_an_array_of_any_protocol_comes_through_as_it_was(tmp_path, protocol, array):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(array, protocol))
    read = load_arrays(path)
    assert isinstance(read, np.ndarray)
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_a_dict_as_python_2_wrote_it_comes_through_and_pickle_itself_agrees(tmp_path):
    data, labels = made.noise((2, 3, 70_000)), np.array([[1.5, 9.0]])
    blob = made.python2_pickle(data=data, labels=labels)
    path = tmp_path / "s01.dat"
    path.write_bytes(blob)
    read, known = load_arrays(path), pickle.loads(blob, encoding="latin1")
    assert sorted(read) == sorted(known) == ["data", "labels"]
    for name, array in (("data", data), ("labels", labels)):
        np.testing.assert_array_equal(read[name], array)
        np.testing.assert_array_equal(known[name], array)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("call", "named"),
    [
        ((os.system, "touch {}"), f"{os.system.__module__}.system"),
        ((eval, "open({!r}, 'w')"), "eval"),
        ((exec, "open({!r}, 'w')"), "exec"),
        ((builtins.getattr, os, "system"), "getattr"),
        ((importlib.import_module, "os"), "importlib.import_module"),
        ((np.load, "{}", None, True), "load"),
        ((np.fromfile, "{}"), "fromfile"),
    ],
    ids=["os.system", "eval", "exec", "getattr", "import", "numpy.load", "numpy.fromfile"],
)
def test_a_function_is_refused_by_its_name_and_never_called(tmp_path, protocol, call, named):
    told = tmp_path / "ran"
    arguments = [item.format(told) if isinstance(item, str) else item for item in call[1:] if item is not os]
    said = refusal(tmp_path / "a.pkl", pickle.dumps(Calls(call[0], *arguments), protocol))
    assert named in said
    assert "arrays alone" in said
    assert not told.exists()


def test_a_function_hidden_behind_good_arrays_is_refused_before_anything_is_built(tmp_path):
    blob = pickle.dumps([np.ones(3), Calls(os.system, f"touch {tmp_path / 'ran'}")])
    assert "system" in refusal(tmp_path / "a.pkl", blob)
    assert not (tmp_path / "ran").exists()


def test_an_array_of_objects_is_refused_even_where_they_are_arrays(tmp_path):
    held = np.empty(2, dtype=object)
    held[:] = [np.ones(2), np.ones(3)]
    assert "numpy dtype O" in refusal(tmp_path / "a.pkl", pickle.dumps(held))
    hostile = np.empty(1, dtype=object)
    hostile[0] = Calls(os.system, f"touch {tmp_path / 'ran'}")
    refusal(tmp_path / "a.pkl", pickle.dumps(hostile))
    assert not (tmp_path / "ran").exists()


def test_containers_named_again_and_again_are_not_unfolded(tmp_path):
    bomb: list = [1.0]
    for _ in range(3):
        bomb = [bomb] * 900
    assert "things within its containers" in refusal(tmp_path / "a.pkl", pickle.dumps(bomb))


@pytest.mark.parametrize(
    "thing",
    [np.zeros(2, [("a", "f8")]), np.array(["text"]), np.ma.array([1.0]), np.matrix([[1.0]]), {1, 2}, object],
    ids=["records", "texts", "masked", "matrix", "set", "class"],
)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_what_is_no_plain_array_is_refused(tmp_path, thing):
    assert "the pickle holds" in refusal(tmp_path / "a.pkl", pickle.dumps(thing))


@pytest.mark.parametrize(
    "blob",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 50) + b"x.",
        b"\x80\x02T" + struct.pack("<i", 2**31 - 1) + b"x.",
        b"\x80\x04\x95" + struct.pack("<Q", 1 << 50) + b"N.",
        b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b".",
        b"\x80\x02" + b"(" * 20_000 + b"N.",
        b"\x80\x02" + b"]" * 4_000 + b"a" * 3_999 + b".",
        made.python2_pickle(data=np.ones(4)).replace(b"M\x04\x00t", b"J\xff\xff\xff\x7ft"),
    ],
    ids=["bytes", "string", "frame", "memo", "marks", "depth", "shape"],
)
def test_a_claim_of_huge_lengths_takes_no_memory(tmp_path, blob):
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refusal(tmp_path / "a.pkl", blob)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000 * (1024 if sys.platform == "darwin" else 1)


def test_numpy_s_stand_ins_cannot_be_changed_by_a_pickle(tmp_path):
    """BUILD sets attributes of whatever lies on the stack, here of numpy's own constructor."""
    blob = b"\x80\x02cnumpy\ndtype\n}U\x04makeNsb."
    assert "change of numpy" in refusal(tmp_path / "a.pkl", blob)
    assert refusal(tmp_path / "a.pkl", b"\x80\x02cnumpy\nndarray\n(K\x02tR.")
    good = tmp_path / "b.pkl"
    good.write_bytes(pickle.dumps(np.ones(2)))
    np.testing.assert_array_equal(load_arrays(good), np.ones(2))


def test_a_cut_or_garbled_pickle_is_one_sentence(tmp_path):
    blob = made.python2_pickle(data=np.ones((2, 3)), labels=np.ones(4))
    for length in [*range(0, len(blob), 11), len(blob) - 1]:
        refusal(tmp_path / "a.pkl", blob[:length])
    rng = np.random.default_rng(0)
    for _ in range(80):
        garbled = bytearray(blob)
        for at in rng.integers(0, len(blob), 3):
            garbled[at] = rng.integers(256)
        (tmp_path / "a.pkl").write_bytes(garbled)
        try:
            load_arrays(tmp_path / "a.pkl")
        except InputFileError as error:
            assert str(error).startswith(str(tmp_path / "a.pkl"))  # noqa: PT017 - others must not come
    assert "cannot be read" in refusal_of_nothing(tmp_path / "absent.pkl")


def refusal_of_nothing(path) -> str:
    with pytest.raises(InputFileError) as error:
        load_arrays(path)
    return str(error.value)


@pytest.mark.parametrize("name", ["deap", "faced"])
def test_a_hostile_corpus_is_refused_by_its_loader(tmp_path, name):
    if name == "deap":
        made.deap(tmp_path, trials=1)
        victim = tmp_path / "data_preprocessed_python" / "s01.dat"
    else:
        made.faced(tmp_path, samples=20)
        victim = tmp_path / "Processed_data" / "sub000.pkl"
    victim.write_bytes(pickle.dumps(Calls(os.system, f"touch {tmp_path / 'ran'}")))
    corpus = open_corpus(name, tmp_path)
    with pytest.raises(InputFileError, match=r"system, and arrays alone are read"):
        next(corpus.trials(corpus.subjects()[0]))
    assert not (tmp_path / "ran").exists()
