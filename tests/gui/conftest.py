"""The dashboard is tested without a display, and off-screen even where there is one."""

import os
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def window(qtbot) -> Iterator[object]:
    """A dashboard of 1280x800 on a screen that nobody sees."""
    from gui.dashboard import Dashboard

    shown = Dashboard()
    qtbot.addWidget(shown)
    shown.show()
    QCoreApplication.processEvents()
    return shown
