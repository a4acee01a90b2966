"""Whether a window can be opened, told before Qt ends the program."""

import importlib
import re
import subprocess

import pytest

from emod_rt import doctor, qt_probe

NO_DISPLAY = (
    "qt.qpa.xcb: could not connect to display :55\n"
    "qt.qpa.plugin: From 6.5.0, xcb-cursor0 or libxcb-cursor0 is needed to load the Qt xcb platform plugin.\n"
    'qt.qpa.plugin: Could not load the Qt platform plugin "xcb" in "" even though it was found.\n'
)
NO_CURSOR = NO_DISPLAY.split("\n", 1)[1]
NO_WAYLAND = (
    'qt.qpa.plugin: Could not load the Qt platform plugin "wayland" in "" even though it was found.\n'
)
NO_EGL = "ImportError: libEGL.so.1: cannot open shared object file: No such file or directory\n"
NO_QT = "ModuleNotFoundError: No module named 'PySide6'\n"


def test_a_platform_that_works_has_no_fault(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert qt_probe.window_fault() is None


def test_a_qt_that_ends_its_process_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "nonsense")
    fault = qt_probe.window_fault()
    assert fault.startswith("no window can be opened: Qt has no platform 'nonsense'; unset QT_QPA_PLATFORM")
    assert "\n" not in fault


def test_a_display_that_never_answers_is_given_up(monkeypatch):
    def hang(*_, timeout, **__):
        raise subprocess.TimeoutExpired("python", timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    assert "did not start within 15 s" in qt_probe.window_fault()


@pytest.mark.parametrize(
    ("stderr", "reason", "mend"),
    [
        (NO_DISPLAY, "the display ':55' does not answer", "check DISPLAY"),
        (NO_CURSOR, "most often libxcb-cursor0", "sudo apt-get install libegl1 .*libxcb-cursor0"),
        (NO_EGL, r"libEGL\.so\.1 cannot be loaded", "sudo apt-get install"),
        (NO_WAYLAND, "the wayland display does not answer", "--headless"),
        (NO_QT, "Qt for Python is missing", "pip install PySide6-Essentials"),
        ("", r"Qt ended \(status -6\)", "sudo apt-get install"),
        ("Traceback\n  x\nOSError: odd\n", "OSError: odd", "--headless"),
    ],
)
def test_each_fault_has_its_reason_and_its_mend(stderr, reason, mend):
    fault = qt_probe.explain(stderr, -6)
    pattern = f"^no window can be opened: .*{reason}.*; .*{mend}"
    assert re.search(pattern, fault), fault
    if stderr == NO_DISPLAY:
        assert "apt-get" not in fault


def test_the_doctor_tries_a_window_where_there_is_a_display():
    fault = qt_probe.explain(NO_CURSOR, -6)
    check = doctor.check_qt(True, lambda: fault)
    assert (check.state, f"{check.found}; {check.mend}") == ("warn", fault)
    assert doctor.check_qt(False, lambda: fault).state == "ok"
    assert doctor.check_qt(True, lambda: None).state == "ok"


def test_the_doctor_needs_no_package_that_only_tests_use():
    assert "mne-lsl" not in doctor.PACKAGES


def test_a_qt_library_that_is_missing_is_the_doctors_to_tell(monkeypatch):
    def missing(name):
        raise ImportError(NO_EGL.removeprefix("ImportError: ").strip())

    monkeypatch.setattr(importlib, "import_module", missing)
    check = doctor.check_qt(True, lambda: None)
    assert "libEGL.so.1" in check.found
    assert "libegl1" in check.mend
