"""Does this machine have what it takes: each check a small function, each failure with its mend."""

import importlib
import os
import platform
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from emod_model.errors import EmodError
from emod_rt import qt_probe

State = Literal["ok", "warn", "fail"]
PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "safetensors",
    "pydantic",
    "pylsl",
    "pyxdf",
    "mne",
    "brainflow",
    "PySide6-Essentials",
    "pyqtgraph",
)
_OLDEST_PYTHON = (3, 11)
_LOOK_S = 0.01  # how soon an answer is seen


@dataclass(frozen=True)
class Check:
    """One row of the doctor's table.

    Attributes
    ----------
    name : str
        What was looked at.
    state : str
        "ok", "warn" (something will not work), "fail" (nothing will).
    found : str
        What was found.
    mend : str or None
        What to do; None when all is well.
    """

    name: str
    state: State
    found: str
    mend: str | None = None


def check_python(version: tuple[int, int, int] = sys.version_info[:3]) -> Check:
    """See whether Python is new enough."""
    found = ".".join(str(part) for part in version)
    if version[:2] < _OLDEST_PYTHON:
        return Check("python", "fail", found, "install Python 3.11 or newer")
    return Check("python", "ok", f"{found} on {platform.system()} {platform.machine()}")


def check_packages(names: Sequence[str] = PACKAGES) -> Check:
    """See whether every package is installed."""
    versions, missing = [], []
    for name in names:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", "fail", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Check("packages", "ok", ", ".join(versions))


def check_liblsl() -> Check:
    """Load the LSL library."""
    from emod_rt import liblsl

    try:
        version = liblsl.load().library_version()
    except EmodError as problem:
        return Check("liblsl", "fail", str(problem), "pip install --force-reinstall pylsl")
    return Check("liblsl", "ok", f"version {version / 100:.2f}")


def check_multicast(wait_s: float = 5.0) -> Check:
    """Announce a stream on this machine and find it from this machine."""
    from emod_rt import liblsl
    from emod_rt.sources.lsl_search import Search

    try:
        pylsl = liblsl.load()
    except EmodError as problem:
        return Check("lsl discovery", "fail", str(problem), "see liblsl")
    name = f"emod-doctor-{uuid.uuid4().hex}"
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Test", 1, 0.0, "float32", name))
    began = time.monotonic()
    with Search(f"name='{name}'") as search:
        while not (found := search.results()) and time.monotonic() < began + wait_s:
            time.sleep(_LOOK_S)
    took = time.monotonic() - began
    del outlet
    if not found:
        return Check(
            "lsl discovery",
            "fail",
            f"a stream announced here was not found within {wait_s:g} s",
            "allow Python through the firewall (UDP and TCP 16571-16604), leave the VPN, or set KnownPeers",
        )
    return Check("lsl discovery", "ok", f"a stream announced here was found after {took * 1e3:.0f} ms")


def check_brainflow() -> Check:
    """Load BrainFlow and its library."""
    from emod_rt.sources.brainflow_board import load

    try:
        version = load().BoardShim.get_version()
    except EmodError as problem:
        return Check("brainflow", "warn", str(problem), "without it headsets come in over LSL only")
    return Check("brainflow", "ok", f"version {version}")


def check_serial(ports: Sequence[Path] | None = None, usable: Callable[[Path], bool] | None = None) -> Check:
    """See whether this user may open the serial dongles."""
    if ports is None:
        ports = [
            port for shape in ("ttyUSB*", "ttyACM*", "cu.usb*") for port in sorted(Path("/dev").glob(shape))
        ]
    allowed = usable or (lambda port: os.access(port, os.R_OK | os.W_OK))
    if not ports:
        return Check("serial ports", "ok", "no serial dongle is plugged in")
    names = ", ".join(str(port) for port in ports)
    closed = [str(port) for port in ports if not allowed(port)]
    if closed:
        return Check(
            "serial ports",
            "warn",
            f"{names}; you may not open {', '.join(closed)}",
            "sudo usermod -aG dialout $USER, then log in again",
        )
    return Check("serial ports", "ok", names)


def check_folder(name: str, folder: Path) -> Check:
    """See whether a folder, or the nearest one above it that exists, can be written to."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Check(name, "ok", str(folder.absolute()))
    return Check(
        name, "warn", f"{there} cannot be written to", f"chmod u+w {there}, or choose another folder"
    )


def user_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the user's own data on this system."""
    if platform.system() == "Windows":
        return Path(environ.get("LOCALAPPDATA", "~")).expanduser() / "emod-rt"
    if platform.system() == "Darwin":
        return Path("~/Library/Application Support/emod-rt").expanduser()
    return Path(environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "emod-rt"


def check_model() -> Check:
    """Load the shipped model."""
    from emod_model.checkpoint import default_checkpoint, load_checkpoint

    try:
        model = load_checkpoint(default_checkpoint())
    except EmodError as problem:
        return Check("model", "fail", str(problem), "reinstall emod-rt, or name a model with --model FILE")
    label = ", trained on simulated signals" if model.simulated else ""
    label += f", {' and '.join(model.unvalidated)} not validated on people" if model.unvalidated else ""
    return Check("model", "ok", f"{model.name} ({model.sha256[:12]}{label})")


def check_qt(display: bool = True, window_fault: Callable[[], str | None] = qt_probe.window_fault) -> Check:
    """Load Qt and the plots, and with a display see whether a window can be opened on it."""
    try:
        # PySide6 first: pyqtgraph takes the binding that is loaded
        for name in ("PySide6.QtWidgets", "pyqtgraph"):
            importlib.import_module(name)
    except ImportError as problem:
        return Check("qt", "warn", *qt_probe.explain(f"ImportError: {problem}", 1).split("; ", 1))
    if display and (fault := window_fault()) is not None:
        return Check("qt", "warn", *fault.split("; ", 1))
    return Check("qt", "ok", f"PySide6 {metadata.version('PySide6-Essentials')}")


def check_display(environ: Mapping[str, str] = os.environ, system: str = platform.system()) -> Check:
    """See whether there is a screen for the dashboard."""
    if system != "Linux":
        return Check("display", "ok", system)
    for name in ("WAYLAND_DISPLAY", "DISPLAY", "QT_QPA_PLATFORM"):
        if environ.get(name):
            return Check("display", "ok", f"{name}={environ[name]}")
    return Check(
        "display", "warn", "no DISPLAY or WAYLAND_DISPLAY", "use --headless, or log in at the screen"
    )


def examine() -> list[Check]:
    """Run every check.

    Returns
    -------
    list of Check
        In the order in which they should be mended.
    """
    display = check_display()
    return [
        check_python(),
        check_packages(),
        check_liblsl(),
        check_multicast(),
        check_brainflow(),
        check_serial(),
        check_folder("recordings", Path("recordings")),
        check_folder("user data", user_folder()),
        check_model(),
        check_qt(display.state == "ok"),
        display,
    ]
