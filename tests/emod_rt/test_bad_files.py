"""Bad recordings: each is read as far as it is a recording, or refused in one sentence; nothing else happens.

The long version, with every 1/50 of the length and thousands of files, is benchmarks/bad_files.py.
"""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from emod_model.errors import InputFileError
from emod_rt import cli
from emod_rt.readers import read_recording
from tests.conftest import ROOT
from tests.emod_rt import damage, mutants, recordings
from tests.emod_rt.recordings import write_brainvision, write_csv

# each try of EEGLAB costs a process, and test_readers tries it with damage of every sort
QUICK = [kind for kind in damage.KINDS if kind != ".set"]


def outcome(path: Path) -> str | None:
    """The sentence against a file, or None when it is a recording that all else can rely on."""
    try:
        recording = read_recording(path)
    except InputFileError as error:
        said = str(error)
        assert said.startswith(f"{path}: ")
        assert said.isprintable()
        assert len(said) < 700
        assert not said.endswith(".")
        return said
    assert recording.data.shape == (len(recording.channels), recording.index.size)
    assert np.isfinite(recording.data).any()
    assert recording.index[0] == 0
    assert (np.diff(recording.index) > 0).all()
    assert (np.diff(recording.times) > 0).all()
    assert all(note.isprintable() for note in recording.notes)
    return None


@pytest.mark.parametrize("kind", damage.KINDS)
def test_faults_that_know_the_format_are_read_or_refused(tmp_path, kind):
    harmed = list(damage.knowing(kind, tmp_path))
    if kind in (".edf", ".bdf"):
        blob = (tmp_path / f"whole{kind}").read_bytes()
        harmed += list(damage.edf_claims(kind, blob))[:: 3 if kind == ".edf" else 9]
    # the largest, and most of those that cost a process, are in the long version
    small = [each for each in harmed if len(each.blob) < 2**22][:: 6 if kind == ".set" else 1]
    for each in small:
        path = tmp_path / f"y{each.name}"
        path.write_bytes(each.blob)
        outcome(path)
    assert small


@pytest.mark.parametrize("kind", QUICK)
def test_bytes_that_are_harmed_blindly_are_read_or_refused(tmp_path, kind):
    blob = recordings.whole(kind, tmp_path).read_bytes()
    for each in [each for each in damage.blind(kind, blob, 7, 6) if each.fault != "truncated"]:
        path = tmp_path / f"y{each.name}"
        path.write_bytes(each.blob)
        said = outcome(path)
        assert said is not None or each.fault != "empty"


@pytest.mark.parametrize(("kind", "make"), mutants.GRAMMARS.items())
def test_whatever_a_grammar_makes_up_is_read_or_refused(tmp_path_factory, kind, make):
    path = tmp_path_factory.mktemp("grammar") / f"x{kind}"
    seen = []

    @settings(max_examples=60, deadline=None)
    @given(make())
    def attempt(blob: bytes) -> None:
        path.write_bytes(blob)
        # what numpy or others would warn of is a fault of ours
        with warnings.catch_warnings(action="error"):
            seen.append(outcome(path))

    attempt()
    assert None in seen, "the grammar makes recordings too"


def test_numbers_that_claim_the_world_take_no_memory(tmp_path):
    """In a process that may have 1 GB above what the libraries take."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs Linux's account of memory")
    folder = tmp_path / "claims"
    folder.mkdir()
    for kind in (".xdf", ".txt", ".csv", "_eeg.fif"):
        for at, each in enumerate(damage.knowing(kind, tmp_path)):
            if each.fault == "10 million claimed" and len(each.blob) < 2**20:
                (folder / f"{at}{each.name}").write_bytes(each.blob)
    code = (
        "import sys, resource, mne, pyxdf, scipy.ndimage\n"
        "from pathlib import Path\n"
        "from emod_rt.readers import read_recording\n"
        "from emod_model.errors import InputFileError\n"
        "taken = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (taken + 2**30, taken + 2**30))\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    try:\n"
        "        read_recording(path)\n"
        "    except InputFileError as error:\n"
        "        assert 'memory' not in str(error), error\n"
        "print('done', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folder],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout.startswith("done"), done.stderr[-2000:]


def test_a_header_that_names_files_of_elsewhere_is_refused(tmp_path):
    secret = tmp_path / "secret.eeg"
    secret.write_bytes(bytes(24_000))
    (tmp_path / "sub").mkdir()
    path = write_brainvision(tmp_path / "sub" / "a.vhdr", recordings.DATA)
    text = path.read_text(encoding="utf-8")
    for part in ("../secret.eeg", str(secret), "..\\secret.eeg", "/dev/zero"):
        path.write_text(text.replace("DataFile=a.eeg", f"DataFile={part}"), encoding="utf-8")
        with pytest.raises(InputFileError, match=r"lies in another place; put the parts .* into one folder"):
            read_recording(path)


def test_what_a_file_says_never_reaches_the_terminals_controls(tmp_path):
    names = ("C3", "C4", "O1", "O2", "x\x1bJ", "y\u202e\x07")
    path = write_csv(tmp_path / "a.csv", recordings.TIMES, recordings.DATA, names)
    assert any("x?J, y??" in note for note in read_recording(path).notes)
    path.write_text(path.read_text().replace("C3,C4,O1,O2", "a,b,c,d"))
    with pytest.raises(InputFileError, match=r"x\?J, y\?\?"):
        read_recording(path)


@pytest.mark.parametrize(
    "words",
    [
        ["process"],
        ["replay", "--wait", "0"],
        ["export-recording", "--to", "csv", "--out", "out.csv"],
        ["recover"],
        ["run", "--headless", "--source"],
        ["record", "--out", "out.xdf", "--source"],
    ],
    ids=lambda words: words[0],
)
def test_every_command_ends_with_exit_code_3_and_one_sentence(tmp_path, monkeypatch, capsys, words):
    path = tmp_path / "bad.xdf"
    path.write_bytes(recordings.whole(".xdf", tmp_path).read_bytes()[:300])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["emod-rt", *words, f"file:{path}" if "--source" in words else str(path)]
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 3
    assert [line for line in capsys.readouterr().err.splitlines() if line.strip()] == [
        f"emod-rt: {path}{' holds' if words == ['recover'] else ':'} no whole stream header in its 300 bytes"
        + (", so nothing of it can be recovered" if words == ["recover"] else "")
        + "; look for another copy of the recording"
    ]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bad.xdf", "whole.xdf"]
