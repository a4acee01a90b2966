"""What the dashboard says in words; no Qt here."""

from emod_model.signal.quality import ChannelQuality
from emod_rt.estimate import Estimate
from emod_rt.view import View, left_out

# with gel; the limits that clinics (10) and makers of EEG amplifiers (50) give
GOOD_KOHM, POOR_KOHM = 10.0, 50.0
_KOHM = "k\N{GREEK CAPITAL LETTER OMEGA}"


def reading(view: View) -> Estimate | None:
    """Return the estimate that may be shown as now, or None."""
    if view.state != "running" or not view.estimates or not view.estimates[-1].valid:
        return None
    return view.estimates[-1]


def last_reading(view: View) -> Estimate | None:
    """Return what an ended session read last, or None; to be drawn as past, never as now."""
    if view.state != "ended":
        return None
    return next((estimate for estimate in reversed(view.estimates) if estimate.valid), None)


def why_no_reading(view: View) -> str | None:
    """Return in one sentence why nothing can be read now, or None when there is a reading."""
    if view.state == "waiting":
        return message(view) or f"Waiting for {view.source}"
    if view.state == "failed":
        return message(view) or "The source has failed"
    if view.state == "ended":
        return "The session has ended" if last_reading(view) is None else None
    newest = view.estimates[-1] if view.estimates else None
    if view.state == "stalled" or (newest is not None and newest.reason == "stalled"):
        return message(view) or "No new samples"
    if newest is None:
        return "Settling, first reading in a moment"
    match newest.reason:
        case "settling":
            first = not any(estimate.valid for estimate in view.estimates)
            return f"Settling, {'first' if first else 'next'} reading in a moment"
        case "gap":
            return "Samples were lost, next reading after a whole window without a gap"
        case "bad-signal":
            named = left_out(view)
            return f"Signal too poor to read: {named}" if named else "Signal too poor to read"
    return None


def grade(verdict: ChannelQuality) -> str:
    """Return "good", "poor" or "bad", the three marks of a channel."""
    if not verdict.good:
        return "bad"
    return "good" if verdict.reason is None else "poor"


def quality_line(view: View) -> str:
    """Return one line on all channels, as "7 of 8 channels used, left out: T8 flat"."""
    if not view.channels:
        return "no signal yet"
    if not view.quality:
        return "signal quality after the first window"
    used = sum(verdict.good for verdict in view.quality)
    named = left_out(view)
    return f"{used} of {len(view.quality)} channels used" + (f", left out: {named}" if named else "")


def kohm(value: float) -> str:
    """Return an impedance as "7.4 kΩ"."""
    return f"{value:.1f} {_KOHM}" if value < 9.95 else f"{value:.0f} {_KOHM}"


def contact(value: float) -> str:
    """Return "good", "fair" or "poor" for an impedance in kilo-ohm."""
    return "good" if value <= GOOD_KOHM else "fair" if value <= POOR_KOHM else "poor"


def channel(view: View, row: int) -> str:
    """Return all that is known of one channel, a line each."""
    lines = [view.channels[row]]
    if row < len(view.quality):
        verdict = view.quality[row]
        used = {"good": "used", "poor": "used, but poor", "bad": "left out"}[grade(verdict)]
        lines.append(used + (f": {verdict.reason}" if verdict.reason else ""))
    value = view.impedance_kohm[row] if row < len(view.impedance_kohm) else None
    if value is not None:
        lines.append(f"impedance {kohm(value)}, {contact(value)}; measured before the first sample")
        limits = f"up to {GOOD_KOHM:g} {_KOHM} is good, above {POOR_KOHM:g} {_KOHM} poor"
        lines.append(f"{limits}; dry electrodes have more")
    return "\n".join(lines)


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, a true minus sign, and never a negative zero."""
    text = f"{value:+.{digits}f}"
    if float(text) == 0.0:
        return text[1:]
    return text.replace("-", "\N{MINUS SIGN}")


def duration(seconds: float) -> str:
    """Return seconds as m:ss, or h:mm:ss from an hour on."""
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def message(view: View) -> str:
    """Return the session's own sentence when it needs attention, without its full stop; else nothing."""
    loud = view.state in ("waiting", "stalled", "failed")
    return (view.message or "").removesuffix(".") if loud else ""
