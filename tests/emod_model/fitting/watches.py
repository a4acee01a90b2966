"""Who ends a run at a step."""

from itertools import count

from emod_model.fitting.loop import Watch


def stopped_after(steps: int) -> Watch:
    """Ask for the end once so many steps are done."""
    done = count(1)
    return Watch(stop=lambda: next(done) == steps)
