"""How the pages of a calibration look, beside what they share with the dashboard."""

from gui import theme

GROUND = "#262626"  # without a hue, behind pictures
CROSS = "#B8B8B8"
WHISPER = "#8A8A8A"  # words on the ground that can be read and do not ask for it
TITLE, TEXT, PROMPT = 30, 18, 27  # pixel sizes of the type
WIDTH = 760  # of a block of text: some seventy letters a line


def stylesheet() -> str:
    """Return the Qt style sheet of the pages."""
    return f"""{theme.stylesheet()}
    QLabel {{ background: transparent; }}
    QLabel[role="headline"] {{ font-size: {TITLE}px; font-weight: 600; }}
    QLabel[role="text"] {{ font-size: {TEXT}px; color: {theme.DIM}; }}
    QLabel[role="prompt"] {{ font-size: {PROMPT}px; color: {theme.TEXT}; }}
    QLabel[role="count"] {{ font-size: {theme.READOUT}px; color: {theme.DIM}; }}
    QLabel[role="small"] {{ font-size: {theme.BODY}px; color: {theme.QUIET}; }}
    QLabel[role="question"] {{ font-size: {TEXT}px; font-weight: 600; }}
    QLabel[role="anchor"] {{ font-size: {theme.TITLE}px; color: {theme.DIM}; }}
    QLabel[role="verdict"] {{ font-size: {TEXT}px; font-weight: 600; }}
    QFrame#card QLabel[role="small"] {{ font-size: {theme.TITLE}px; color: {theme.DIM}; }}
    QFrame#scale {{ background: {theme.PANEL}; border: 1px solid {theme.LINE}; border-radius: 8px; }}
    QFrame#scale[lit="true"] {{ border: 1px solid {theme.NOW}; }}
    QPushButton {{ background: {theme.PANEL}; color: {theme.TEXT}; border: 2px solid {theme.FAINT};
        border-radius: 6px; padding: 9px 22px; font-size: {TEXT}px; }}
    QPushButton:hover {{ background: {theme.LINE}; }}
    QPushButton[primary="true"] {{ background: {theme.NOW}; color: {theme.INK}; border-color: {theme.NOW};
        font-weight: 600; }}
    QPushButton[primary="true"]:hover {{ background: #FFFFFF; }}
    QPushButton[primary="true"]:disabled {{ background: {theme.LINE}; color: {theme.QUIET};
        border-color: {theme.LINE}; }}
    QPushButton:focus {{ border-color: {theme.AROUSAL}; }}
    QProgressBar {{ background: {theme.LINE}; border: none; border-radius: 0; }}
    QProgressBar::chunk {{ background: {theme.MARKER}; }}
    QFrame#foot[quiet="true"] QProgressBar {{ background: #303030; }}
    QFrame#foot[quiet="true"] QProgressBar::chunk {{ background: #5A5A5A; }}
    QFrame#foot {{ background: {theme.BACKGROUND}; }}
    QFrame#foot QLabel {{ font-size: {theme.BODY}px; color: {theme.DIM}; }}
    QFrame#foot QLabel[loud="true"] {{ color: {theme.ALERT}; }}
    QFrame#foot QLabel[role="badge"] {{ color: {theme.INK}; font-size: {theme.SMALL}px; }}
    QFrame#foot QPushButton {{ background: transparent; color: {theme.DIM}; border: 1px solid {theme.LINE};
        border-radius: 4px; padding: 4px 10px; font-size: {theme.BODY}px; }}
    QFrame#foot QPushButton:hover {{ color: {theme.TEXT}; }}
    QFrame#foot QPushButton:focus {{ border-color: {theme.AROUSAL}; }}
    QFrame#foot[quiet="true"] {{ background: {GROUND}; }}
    QFrame#foot[quiet="true"] QLabel {{ color: {WHISPER}; }}
    QFrame#foot[quiet="true"] QPushButton {{ color: {WHISPER}; border-color: {GROUND}; }}
    QFrame#foot[quiet="true"] QPushButton:focus {{ border-color: {theme.FAINT}; }}
    """
