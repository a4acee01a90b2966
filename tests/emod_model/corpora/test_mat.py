"""MATLAB files: what scipy reads is what comes out, a part at a time, and damage is one sentence."""

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from emod_model.corpora.mat import MatFile
from emod_model.errors import InputFileError
from tests.emod_model.corpora import made

VARIABLES = {
    "a_f8": np.arange(12.0).reshape(3, 4),
    "b_f4": np.arange(6, dtype=np.float32).reshape(3, 2),
    "c_i2": np.array([[-3, 70, 700]], dtype=np.int16),
    "d_u1": np.array([[1], [5]], dtype=np.uint8),
    "e_cube": np.arange(24.0).reshape(2, 3, 4),
    "f_small": np.array([[7.0]]),
    "g_text": "Grüße",
    "h_empty": np.zeros((0, 3)),
}


@pytest.fixture(params=[False, True], ids=["plain", "packed"])
def packed(request) -> bool:
    return request.param


def test_numbers_and_texts_are_what_scipy_reads(tmp_path, packed):
    path = tmp_path / "a.mat"
    savemat(path, VARIABLES, do_compression=packed)
    mat, known = MatFile(path), loadmat(path)
    assert mat.names() == tuple(VARIABLES)
    for name, value in VARIABLES.items():
        read = mat.read(name)
        if isinstance(value, str):
            assert read == value == known[name][0]
            continue
        assert read.dtype == known[name].dtype == value.dtype
        np.testing.assert_array_equal(read, known[name])
        assert mat.count(name) == value.size


def test_cells_and_structs_can_be_read_in_part(tmp_path, packed):
    path = tmp_path / "a.mat"
    people = [
        {"name": f"p{n}", "eeg": made.cells([np.full((2, 3), n + k) for k in range(4)])} for n in range(3)
    ]
    savemat(path, {"top": {"Data": made.cells(people), "rate": 128.0}}, do_compression=packed)
    mat = MatFile(path)
    assert mat.count("top", "Data") == 3
    assert mat.count("top", "Data", 1, 0, "eeg") == 4
    (person,) = mat.read("top", "Data", 2)
    assert person["name"] == "p2"
    assert len(person["eeg"]) == 4
    np.testing.assert_array_equal(person["eeg"][1], np.full((2, 3), 3))
    np.testing.assert_array_equal(mat.read("top", "Data", 0, 0, "eeg", 3), np.full((2, 3), 3))
    assert mat.read("top", "rate") == 128
    for wrong in (("Data", 3), ("Data", -1), ("nothing",), ("rate", 0), (0, "nothing")):
        with pytest.raises(InputFileError, match=r"a\.mat: top has"):
            mat.read("top", *wrong)


def test_an_array_of_structs_is_read_by_its_places(tmp_path):
    path = tmp_path / "a.mat"
    record = np.empty((2, 1), dtype=[("score", object), ("vid", object)])
    for at in range(2):
        record["score"][at, 0], record["vid"][at, 0] = np.full((1, 3), at), at + 1
    savemat(path, {"r": record})
    mat = MatFile(path)
    assert [int(one["vid"][0, 0]) for one in mat.read("r")] == [1, 2]
    assert mat.read("r", 1, "vid") == 2
    assert mat.read("r", 1)[0]["score"].tolist() == [[1, 1, 1]]


def test_one_part_of_a_large_variable_takes_little_memory(tmp_path):
    import tracemalloc

    path = tmp_path / "a.mat"
    savemat(path, {"v": made.cells(np.full((1000, 100), n, float) for n in range(20))}, do_compression=True)
    mat = MatFile(path)
    tracemalloc.start()
    try:
        read = mat.read("v", 19)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (read == 19).all()
    # the whole variable is 16 MB, the part 0.8
    assert peak < 6e6


def test_a_file_of_version_7_3_has_its_axes_as_matlab_counts_them(tmp_path):
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["raw_eeg1"] = np.arange(6.0).reshape(3, 2)
        file.create_group("cell")
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    mat = MatFile(path)
    assert mat.read("raw_eeg1").shape == (2, 3)
    with pytest.raises(InputFileError, match=r"cell is no matrix of numbers; save it from MATLAB with -v7"):
        mat.read("cell")
    blob = path.read_bytes()
    for length in (600, len(blob) // 2, len(blob) - 1):
        path.write_bytes(blob[:length])
        with pytest.raises(InputFileError, match=r"a\.mat: "):
            MatFile(path).read("raw_eeg1")


def test_a_file_of_version_7_3_cannot_claim_what_it_does_not_have(tmp_path):
    path = tmp_path / "a.mat"
    (tmp_path / "secret").write_bytes(bytes(800))
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", shape=(1 << 40,), dtype="f8", chunks=(1024,))
        file.create_dataset("elsewhere", shape=(100,), dtype="f8", external=[(tmp_path / "secret", 0, 800)])
    mat = MatFile(path)
    for name in mat.names():
        with pytest.raises(InputFileError, match=rf"{name} claims \d+ bytes that are not in the file"):
            mat.read(name)


def test_a_cut_file_is_told_at_every_length(tmp_path, packed):
    path, cut = tmp_path / "a.mat", tmp_path / "cut.mat"
    savemat(path, {"x": np.arange(40.0), "s": {"f": made.cells(["one", np.ones(3)])}}, do_compression=packed)
    blob = path.read_bytes()
    first = 136 + int.from_bytes(blob[132:136], "little")
    for length in [0, 5, 127, *range(129, len(blob), 13), len(blob) - 1]:
        cut.write_bytes(blob[:length])
        with pytest.raises(InputFileError) as error:
            MatFile(cut)
        assert str(error.value).startswith(f"{cut}: is ")
        assert "cut short" in str(error.value) or length < 128
    # where a whole variable is missing, the rest is whole, and the loaders ask for what they need
    cut.write_bytes(blob[:first])
    assert MatFile(cut).names() == ("x",)


def test_a_garbled_file_is_one_sentence_or_other_numbers(tmp_path, packed):
    path, bad = tmp_path / "a.mat", tmp_path / "bad.mat"
    savemat(path, {"x": np.arange(40.0), "s": {"f": made.cells(["one", np.ones(3)])}}, do_compression=packed)
    rng = np.random.default_rng(1)
    for _ in range(80):
        blob = bytearray(path.read_bytes())
        for at in rng.integers(100, len(blob), 2):
            blob[at] = rng.integers(256)
        bad.write_bytes(blob)
        try:
            mat = MatFile(bad)
            for name in mat.names():
                mat.read(name)
        except InputFileError as error:
            assert str(error).startswith(f"{bad}: ")  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("blob", [b"", b"PK\x03\x04", b"x" * 500], ids=["empty", "zip", "text"])
def test_another_file_is_told(tmp_path, blob):
    path = tmp_path / "a.mat"
    path.write_bytes(blob)
    with pytest.raises(InputFileError, match=r"a\.mat: is no MATLAB file of version 5 to 7\.3"):
        MatFile(path)


def test_an_absent_file_or_variable_is_told(tmp_path):
    with pytest.raises(InputFileError, match=r"absent\.mat: cannot be read \(No such file"):
        MatFile(tmp_path / "absent.mat")
    path = made.save(tmp_path / "a.mat", x=1.0, y=2.0)
    with pytest.raises(InputFileError, match=r"a\.mat: has no variable 'z', of its variables x, y; take"):
        MatFile(path).read("z")
