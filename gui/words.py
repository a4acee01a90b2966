"""What the dashboard says in words; no Qt here."""

from emod_model.signal.quality import ChannelQuality
from emod_rt.estimate import Estimate
from emod_rt.view import View

_NAMED = 4  # channels named in one sentence before "and n more"


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
            named = bad_channels(view)
            return f"Signal too poor to read: {named}" if named else "Signal too poor to read"
    return None


def bad_channels(view: View) -> str:
    """Return the channels left out with their reasons, as "T8 flat, Fp1 too large"; empty when none is."""
    bad = [
        f"{name} {verdict.reason or 'bad'}"
        for name, verdict in zip(view.channels, view.quality, strict=False)
        if not verdict.good
    ]
    more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    return ", ".join(bad[:_NAMED]) + more


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
    left_out = bad_channels(view)
    return f"{used} of {len(view.quality)} channels used" + (f", left out: {left_out}" if left_out else "")


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
