"""What bad recordings do to every reader and command: thousands of them, each in a process with limits.

    nice python benchmarks/bad_files.py [--flips 300] [--examples 1500] [--only .xdf]

For each format: cut at every 1/50 of its length, bytes flipped, replaced, zeroed, removed and repeated,
under every wrong extension, empty; NaN, non-monotonic time, duplicate channels, 0 Hz and 10 million claimed
channels or samples wherever the format can say so; then files that a grammar of XDF, OpenBCI text and CSV
makes up. Each is read by `read_recording` (XDF by `recover` too), and every twentieth of those that are
refused goes through the commands as a user types them. A file counts as a hang after 10 s of processor time
or a minute; the address space of the process is limited to 3 GB above what the libraries take, and the growth
of its resident memory is measured.

The table says how often each fault was tried, and how often it was read, refused in one sentence, or
anything else; anything else is printed, kept in `bad-files/`, and ends the program with exit code 1. No
parser of TOML exists in the program, so there is none to try.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import track  # noqa: E402
from rich.table import Table  # noqa: E402

from tests.emod_rt import damage, mutants, recordings  # noqa: E402

LIMIT_S = 10.0
WAIT_S = 60.0
LIMIT_BYTES = 3 * 2**30
COMMANDS = ("process", "replay", "export-recording", "recover", "run")


def read(path: Path) -> str | None:
    """Return what the reader says against a file; None when it reads it."""
    from emod_model.errors import InputFileError
    from emod_rt.readers import read_recording

    try:
        recording = read_recording(path)
    except InputFileError as error:
        return str(error)
    # whatever is read is a recording that everything behind it can rely on
    assert recording.data.shape == (len(recording.channels), recording.index.size), "shape"
    assert np.isfinite(recording.data).any(), "no value"
    assert recording.index[0] == 0, "first index"
    assert (np.diff(recording.index) > 0).all(), "index"
    assert np.isfinite(recording.times).all(), "times"
    assert (np.diff(recording.times) > 0).all(), "times stand still"
    assert all(note.isprintable() for note in recording.notes), "notes"
    return None


def recover(path: Path) -> str | None:
    from emod_model.errors import InputFileError
    from emod_rt.recording.recover import recover as recover_file

    try:
        found = recover_file(path)
    except InputFileError as error:
        return str(error)
    if found.path is not None:
        found.path.unlink()
    return None


def command(name: str, path: Path) -> str | None:
    """Run a command as its user does; return the last line on standard error, None when it did its work."""
    from emod_rt import cli

    words = {
        "process": ["process", str(path)],
        "replay": ["replay", str(path), "--wait", "0", "--speed", "20", "--stop", "0.5"],
        "export-recording": [
            "export-recording",
            str(path),
            "--to",
            "csv",
            "--out",
            str(path.parent / "out.csv"),
        ],
        "recover": ["recover", str(path)],
        "run": ["run", "--source", f"file:{path}", "--headless", "--duration", "0.5"],
    }[name]
    sys.argv = ["emod-rt", *words]
    err = io.StringIO()
    code: object = 0
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
    for left in path.parent.glob("*.recovered.xdf"):
        left.unlink()
    for left in path.parent.glob("out*"):
        left.unlink()
    said = [line for line in err.getvalue().splitlines() if line.startswith("emod-rt: ")]
    if code == 0:
        return None
    if code != 3 or len(said) != 1 or "Traceback" in err.getvalue():
        raise AssertionError(f"{name} ended with {code} and said: {err.getvalue()[-400:]}")
    return said[0].removeprefix("emod-rt: ")


def worker(pipe: Connection) -> None:
    """Try files as they are named, within the limits, until the pipe closes."""
    os.setpgrp()
    import mne  # noqa: F401
    import pyxdf  # noqa: F401
    import scipy.io  # noqa: F401
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("error", RuntimeWarning)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + LIMIT_BYTES, taken + LIMIT_BYTES))
    with contextlib.suppress(EOFError):
        while True:
            how, path = pipe.recv()
            before, began = memory(), time.process_time()
            try:
                said = {"read": read, "recover": recover}.get(how, lambda p, how=how: command(how, p))(path)
                bad = None if said is None else fault_of(said, path)
            except BaseException:  # noqa: BLE001 - it is what is looked for
                said, bad = None, "".join(traceback.format_exc())
            pipe.send((said, bad, memory() - before, time.process_time() - began))


def memory() -> int:
    """Return the largest resident memory so far, kB."""
    # a child's begins with its parent's: that of EEGLAB's trial process would say nothing
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fault_of(said: str, path: Path) -> str | None:
    """Say what is wrong with a sentence; None when nothing is."""
    if "\n" in said or str(path.parent) not in said or len(said) > 700 or said.endswith("."):
        return f"not one sentence that names the file: {said!r}"
    return None


class Child:
    """A process that tries files, and is replaced when it dies or hangs."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=worker, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def attempt(self, how: str, path: Path) -> tuple[str | None, str | None, int, float]:
        """Return sentence, complaint, growth of memory (kB) and processor time (s)."""
        self._pipe.send((how, path))
        try:
            if self._pipe.poll(WAIT_S):
                said, complaint, growth, seconds = self._pipe.recv()
                if how in ("read", "recover") and seconds > LIMIT_S and complaint is None:
                    complaint = f"a hang: {seconds:.0f} s of processor time"
                return said, complaint, growth, seconds
            complaint = f"a hang: nothing after {WAIT_S:g} s"
        except EOFError:
            self._process.join(10)
            complaint = f"the process died with {self._process.exitcode}"
        self.stop()
        self._start()
        return None, complaint, 0, WAIT_S

    def stop(self) -> None:
        """End the process and what it started."""
        if self._process.is_alive():
            # its own children, too
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.join(10)


def files(kind: str, folder: Path, flips: int) -> Iterator[damage.Harmed]:
    """Yield every damaged file of a kind."""
    blob = recordings.whole(kind, folder).read_bytes()
    # each try of EEGLAB costs a process
    yield from damage.blind(kind, blob, 0, flips // 5 if kind == ".set" else flips)
    yield from damage.knowing(kind, folder)
    if kind in (".edf", ".bdf"):
        yield from damage.edf_claims(kind, blob)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--flips", type=int, default=300)
    options.add_argument("--examples", type=int, default=1500)
    options.add_argument("--only", help="one kind, as .xdf")
    given = options.parse_args()
    console, child = Console(stderr=True), Child()
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    kept, slowest, grown, number = Path("bad-files"), 0.0, 0, 0
    said: dict[str, str] = {}

    def attempt(how: str, reader: str, fault: str, path: Path) -> str | None:
        nonlocal slowest, grown, number
        sentence, complaint, growth, seconds = child.attempt(how, path)
        # the commands take up the model, too
        if how in ("read", "recover"):
            grown = max(grown, growth)
            slowest = max(slowest, seconds)
        row = counts[reader, fault]
        row["tried"] += 1
        if complaint is None:
            row["read" if sentence is None else "refused"] += 1
            if sentence is not None:
                said.setdefault(f"{reader} {fault}", sentence.replace(str(path.parent) + "/", ""))
        else:
            kind = (
                "hang" if complaint.startswith("a hang") else "died" if "died" in complaint else "traceback"
            )
            row[kind] += 1
            number += 1
            kept.mkdir(exist_ok=True)
            shutil.copy(path, kept / f"{number:03d}-{how}-{path.name}")
            console.print(
                f"[red]{reader} {fault} ({how}), kept as {number:03d}[/]: {complaint[-1500:]}", markup=True
            )
        return sentence

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kinds = [kind for kind in damage.KINDS if given.only in (None, kind)]
        refused = 0
        for kind in kinds:
            everything = list(files(kind, folder, given.flips))
            for harmed in track(everything, kind, console=console):
                # a BrainVision header names its parts
                path = folder / (harmed.name if kind != ".vhdr" else f"y{harmed.name}")
                path.write_bytes(harmed.blob)
                sentence = attempt("read", kind, harmed.fault, path)
                if kind == ".xdf":
                    attempt("recover", "recover", harmed.fault, path)
                if sentence is not None and len(harmed.blob) < 10**7:
                    refused += 1
                    if refused % 20 == 0:
                        attempt(COMMANDS[refused // 20 % 5], "commands", harmed.fault, path)
                path.unlink()
            if kind == ".vhdr":
                for part in ("whole.eeg", "whole.vmrk"):
                    blob = (folder / part).read_bytes()
                    for harmed in track(
                        list(damage.blind(kind, blob, 1, given.flips)), part, console=console
                    ):
                        if harmed.fault != "wrong extension":
                            (folder / part).write_bytes(harmed.blob)
                            attempt(
                                "read", part.replace("whole", ".vhdr + "), harmed.fault, folder / "whole.vhdr"
                            )
                    (folder / part).write_bytes(blob)
        for kind, make in mutants.GRAMMARS.items():
            if given.only not in (None, kind):
                continue
            for at, blob in enumerate(
                track(mutants.examples(make, given.examples), f"grammar {kind}", console=console)
            ):
                path = folder / f"m{at}{kind}"
                path.write_bytes(blob)
                attempt("read", kind, "made by grammar", path)
                if kind == ".xdf":
                    attempt("recover", "recover", "made by grammar", path)
                path.unlink()
    child.stop()
    report(counts, slowest, grown, said)
    sys.exit(bool(number))


def report(
    counts: dict[tuple[str, str], Counter[str]], slowest: float, grown: int, said: dict[str, str]
) -> None:
    outcomes = ("tried", "read", "refused", "traceback", "hang", "died")
    table = Table("reader", "fault", *outcomes)
    total: Counter[str] = Counter()
    for (reader, fault), row in counts.items():
        table.add_row(reader, fault, *(str(row[outcome]) for outcome in outcomes))
        total.update(row)
    Console().print(table)
    for where, sentence in said.items():
        print(f"{where}: {sentence}")
    print(
        json.dumps(
            {
                "benchmark": "bad_files",
                **{outcome: total[outcome] for outcome in outcomes},
                "slowest_s": round(slowest, 2),
                "largest_growth_mb": round(grown / 1024),
                "faults": {f"{reader} {fault}": dict(row) for (reader, fault), row in counts.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
