"""What each pass makes of a module: a folder with one numbered `.mlir` file a pass, and one page that shows, pass by
pass, which lines changed and which line of the source each of them comes from."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.printer import Printer

from nki_mlir.errors import ExecutionError, Position, nearest_position, position
from nki_mlir.passes.pipelines import build, run, set_target
from nki_mlir.tools.outputs import text_writer, write_files

if TYPE_CHECKING:
    from jinja2 import Template

PAGE = "passes.html"
AROUND = 3
"""How many lines without a change are shown on either side of one."""


class Line(NamedTuple):
    """A line of a module's text, and where in the source what stands there comes from."""

    text: str
    position: Position | None

    @property
    def key(self) -> str:
        """What it says, whatever the numbers of its values are."""
        return re.sub(r"%\d+", "%", self.text)


class Row(NamedTuple):
    """A line of a comparison; `sign` is `+`, `-`, or a space, and `~` stands for lines that are left out."""

    sign: str
    text: str
    position: Position | None = None


@dataclass
class Snapshot:
    """A module behind a pass, or as it came in."""

    name: str
    seconds: float
    lines: list[Line]
    operations: int

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines) + "\n"


class _LinePrinter(Printer):
    """Remembers on which line each operation begins."""

    def __init__(self, stream: StringIO):
        super().__init__(stream=stream)
        self.starts: dict[int, Operation] = {}

    def print_op(self, op: Operation) -> None:
        self.starts.setdefault(self._current_line, op)
        super().print_op(op)


def lines_of(module: ModuleOp) -> list[Line]:
    """The text of a module, line by line. A line on which no operation begins belongs to none."""
    stream = StringIO()
    printer = _LinePrinter(stream)
    printer.print_op(module)
    starts = printer.starts
    return [
        Line(text, nearest_position(starts[number]) if number in starts else None)
        for number, text in enumerate(stream.getvalue().splitlines())
    ]


@dataclass
class PassReport:
    """Collects a module behind each pass, to be written as files. `source` is the text that it was made from, and its
    name in positions."""

    source_name: str
    source: str
    steps: list[Snapshot] = field(default_factory=list)
    _since: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        _template()

    def add(self, name: str, module: ModuleOp) -> None:
        """The module as it is now, behind pass `name`: what was done since the last call took its time."""
        seconds = time.perf_counter() - self._since
        self.steps.append(Snapshot(name, seconds, lines_of(module), sum(1 for _ in module.walk())))
        self._since = time.perf_counter()

    def after(self, one: ModulePass, module: ModuleOp) -> None:
        """The same, as `run` of the pipelines wants it."""
        self.add(one.name, module)

    def write(self, folder: Path) -> None:
        """`00-input.mlir`, `01-<first pass>.mlir`, … and the page. Makes the folder; what is in it already stays, but
        for files of these names. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        width = max(2, len(str(len(self.steps) - 1)))
        texts = [(f"{number:0{width}}-{step.name}.mlir", step.text) for number, step in enumerate(self.steps)]
        texts.append((PAGE, self.page()))
        write_files([(folder / name, text_writer(text)) for name, text in texts])

    def page(self) -> str:
        """The page, which needs nothing but itself."""
        times: dict[str, float] = {}
        for step in self.steps[1:]:
            times[step.name] = times.get(step.name, 0.0) + step.seconds
        return _template().render(
            source_name=self.source_name,
            source=self.source.splitlines(),
            first=self.steps[0],
            steps=[(step, list(_compared(before.lines, step.lines))) for before, step in pairwise(self.steps)],
            times=sorted(times.items(), key=lambda one: -one[1]),
            total=sum(times.values()),
        )


def report_passes(
    module: ModuleOp, folder: str | Path, passes: str = "lower-to-isa", target: str | None = None
) -> None:
    """Lowers a copy of a module, such as `kernel.trace(…).module`, and writes into `folder` what each pass made of it.
    The source is the file that its first operation with a place is from. Raises CompileError where the module is
    refused, ExecutionError where the folder is none, OSError where it can't be written."""
    check_folder(Path(folder))
    module = module.clone()
    set_target(module, target)
    name = next((found[0] for op in module.walk() if (found := position(op))), "module")
    source = Path(name)
    text = source.read_text(encoding="utf-8", errors="replace") if source.is_file() else str(module)
    report = PassReport(name, text)
    report.add("input", module)
    run(build(passes), module, after=report.after)
    report.write(Path(folder))


def check_folder(folder: Path) -> None:
    """Raises ExecutionError where something else than a folder is in its place."""
    if folder.exists() and not folder.is_dir():
        raise ExecutionError(f"can't write into {folder}: it is no folder")


def _compared(before: Sequence[Line], after: Sequence[Line]) -> Iterator[Row]:
    """What changed, with a few lines around it."""
    matcher = SequenceMatcher(None, [line.key for line in before], [line.key for line in after])
    end = 0
    for group in matcher.get_grouped_opcodes(AROUND):
        left_out = group[0][3] - end
        if left_out:
            yield Row("~", f"{left_out} lines")
        for kind, i0, i1, j0, j1 in group:
            if kind == "equal":
                yield from (Row(" ", *line) for line in after[j0:j1])
            else:
                yield from (Row("-", *line) for line in before[i0:i1])
                yield from (Row("+", *line) for line in after[j0:j1])
        end = group[-1][4]
    if 0 < end < len(after):
        yield Row("~", f"{len(after) - end} lines")


def _template() -> Template:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ModuleNotFoundError:
        raise ExecutionError("a report of passes needs jinja2: pip install 'nki-mlir[report]'") from None
    environment = Environment(
        loader=PackageLoader("nki_mlir.tools", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("pass_report.html")
