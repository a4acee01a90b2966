"""Colours, type and spacing of the dashboard, in one place."""

from PySide6.QtGui import QColor, QFont, QFontDatabase

BACKGROUND = "#11151B"
PANEL = "#181D25"
LINE = "#2B3440"
TEXT = "#E8ECF2"
DIM = "#A3AEBD"
FAINT = "#6C7888"
QUIET = "#8792A2"
INK = "#11151B"  # text on a bright ground

# Okabe-Ito: told apart with every common colour blindness
VALENCE = "#E69F00"
AROUSAL = "#56B4E9"
NOW = "#F4F6FA"
ALERT = "#F0E442"
FAILED = "#E8702A"
BADGE = "#CC79A7"
MARKER = "#35C69A"
RECORDING = "#FF5A52"

GAP = 12  # between cards, and inside them
SMALL, BODY, TITLE, READOUT = 11, 13, 15, 24  # pixel sizes of the type
LINE_HEIGHT = 52  # of the state line, and of what takes its place
HEAD, FOOT = 22, 38  # strips above and below the channel rows, shared by labels, traces and band powers

_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "Ubuntu", "DejaVu Sans")


def family() -> str:
    """Return the first preferred font family that this machine has (a missing one costs Qt a slow search)."""
    present = set(QFontDatabase.families())
    return next((name for name in _FAMILIES if name in present), QFont().defaultFamily())


def font(pixels: int, *, bold: bool = False) -> QFont:
    """Return the dashboard's font at one of its sizes."""
    made = QFont(family())
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return made


def colour(name: str, alpha: float = 1.0) -> QColor:
    """Return a palette colour with an opacity from 0 to 1."""
    made = QColor(name)
    made.setAlphaF(alpha)
    return made


def stylesheet() -> str:
    """Return the Qt style sheet of the window."""
    return f"""
    QWidget {{ background: {BACKGROUND}; color: {TEXT}; font-family: "{family()}"; font-size: {BODY}px; }}
    QFrame#card {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; }}
    QFrame#card QWidget {{ background: transparent; border: none; }}
    QLabel[role="title"] {{ font-size: {BODY}px; font-weight: 600; }}
    QLabel[role="caption"] {{ color: {DIM}; font-size: {SMALL}px; }}
    QLabel[role="value"] {{ font-size: {TITLE}px; }}
    QLabel[role="value"][alert="true"] {{ color: {ALERT}; font-weight: 600; }}
    QLabel[role="badge"] {{ background: {BADGE}; color: {INK}; border-radius: 4px; padding: 2px 8px;
        font-size: {SMALL}px; font-weight: 700; }}
    QFrame#card QLabel[role="worth"] {{ background: {ALERT}; color: {INK}; border-radius: 4px;
        padding: 3px 8px; font-size: {SMALL}px; font-weight: 700; }}
    QFrame#card QLabel[role="notice"] {{ background: {BACKGROUND}; border: 1px solid {FAINT};
        border-radius: 6px; padding: 10px 14px; font-size: {TITLE}px; }}
    QFrame#header {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; }}
    QFrame#header QLabel {{ background: transparent; font-size: {TITLE}px; }}
    QFrame#header QLabel[role="caption"] {{ font-size: {SMALL}px; }}
    QFrame#header QLabel#state {{ font-weight: 700; }}
    QFrame#header QLabel[role="badge"] {{ background: {BADGE}; font-size: {SMALL}px; }}
    QFrame#header[state="waiting"] {{ background: {AROUSAL}; border-color: {AROUSAL}; }}
    QFrame#header[state="stalled"] {{ background: {ALERT}; border-color: {ALERT}; }}
    QFrame#header[state="failed"] {{ background: {FAILED}; border-color: {FAILED}; }}
    QFrame#header[state="notice"] {{ background: {FAILED}; border-color: {FAILED}; }}
    QFrame#header QLabel[role="sentence"] {{ font-size: {BODY}px; }}
    QFrame#header QPushButton {{ background: {INK}; color: {TEXT}; border: none; border-radius: 4px;
        padding: 5px 12px; }}
    QFrame#header[loud="true"] QLabel {{ color: {INK}; }}
    QFrame#header[loud="true"] QLabel[role="badge"] {{ background: {INK}; color: {BADGE}; }}
    QFrame#card QLabel[role="value"][quiet="true"] {{ color: {DIM}; }}
    QFrame#card QLabel[role="dot"] {{ color: {RECORDING}; font-size: {TITLE}px; }}
    QFrame#entry {{ background: {PANEL}; border: 1px solid {MARKER}; border-radius: 6px; }}
    QFrame#entry QLabel {{ background: transparent; }}
    QFrame#entry QLabel[role="moment"] {{ color: {MARKER}; font-size: {TITLE}px; font-weight: 600; }}
    QFrame#entry QLineEdit {{ background: {BACKGROUND}; color: {TEXT}; border: 1px solid {LINE};
        border-radius: 4px; padding: 4px 8px; font-size: {TITLE}px; selection-background-color: {MARKER};
        selection-color: {INK}; }}
    QToolTip {{ background: {PANEL}; color: {TEXT}; border: 1px solid {FAINT}; }}
    """
