"""The live path over a file, as fast as it goes."""

from collections.abc import Callable, Iterator

from emod_rt.calibration.person import Person
from emod_rt.clock import Clock
from emod_rt.engine import Engine
from emod_rt.estimate import Estimate
from emod_rt.pipeline import Pipeline
from emod_rt.sources.base import Source
from emod_rt.tally import Tally


class OfflineRun:
    """Iterate over a file's estimates; no window is ever skipped.

    Parameters
    ----------
    source : Source
        Unpaced; opened here.
    engine : Engine
        The model.
    clock : Clock
        For latency.
    person : callable, optional
        Makes, of the source's electrodes, the person whose profile is used; the engine must give views then.

    Raises
    ------
    EmodError
        The file cannot be read or does not fit the model.
    """

    def __init__(
        self,
        source: Source,
        engine: Engine,
        clock: Clock,
        person: Callable[[tuple[str, ...]], Person] | None = None,
    ) -> None:
        self._source = source
        self._stopped = False
        try:
            self.info = source.open(0.0)
            self.person = None if person is None else person(self.info.channels)
            self._pipeline = Pipeline(engine, self.info, clock, person=self.person)
        except BaseException:
            source.close()
            raise

    def stop(self) -> None:
        """Ask the run to end early; safe in a signal handler."""
        self._stopped = True

    @property
    def tally(self) -> Tally:
        """Counters so far."""
        return self._pipeline.tally

    def __iter__(self) -> Iterator[Estimate]:
        """Yield each window's estimate in order."""
        try:
            while not self._stopped and (chunks := self._source.read(0.0)) is not None:
                yield from self._pipeline.push(chunks)
        finally:
            self._source.close()
