"""The timing of a run for people: as text, and as a trace for a viewer."""

from __future__ import annotations

from pathlib import Path

from nki_mlir.executor.perfetto import trace_text
from nki_mlir.executor.summary import overview, summary
from nki_mlir.executor.timing import Timing


class Profile(Timing):
    """Made of a run's `Recording`."""

    def overview(self, between: tuple[float, float] | None = None) -> str:
        """A line for the run and one for each unit; `between` are the ends of its range."""
        return overview(self, between)

    def summary(self) -> str:
        """All of it, to be read."""
        return summary(self)

    def to_perfetto(self, path: str | Path) -> None:
        """Writes the timeline as a Chrome trace-event file, which ui.perfetto.dev opens."""
        Path(path).write_text(trace_text(self), encoding="utf-8")
