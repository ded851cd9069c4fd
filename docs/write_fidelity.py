"""Writes the tables of `fidelity.md`: `python docs/write_fidelity.py`.

It runs all cases of benchmarks/fidelity, which takes minutes, records their figures, and fills in the tables.
`--leave-out` also runs them without each source in turn; else the figures of that are those recorded before. `--only ID
...` runs some cases, `--tables` none. The text between the tables is written by hand.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from fidelity.cases import CASES, Values  # noqa: E402
from fidelity.entries import SOURCES  # noqa: E402
from fidelity.report import LeftOut, Result, changes_without, judged, leave_out, modelled  # noqa: E402
from fidelity.rows import ROWS  # noqa: E402
from fidelity.tables import tables  # noqa: E402

PAGE = ROOT / "docs" / "fidelity.md"
RECORD = ROOT / "benchmarks" / "fidelity" / "modelled.json"
TABLE = re.compile(r"(<!-- table (?P<name>[\w ]+) -->\n).*?(\n<!-- end -->)", re.DOTALL)
DIGITS = 6
"""What is kept of a figure."""

Figures = Mapping[str, Mapping[str, Values]]


@dataclass(frozen=True)
class Record:
    """The figures of all cases, and what leaving a source out does."""

    figures: Figures
    left_out: Mapping[str, LeftOut]

    @property
    def results(self) -> list[Result]:
        return judged(self.figures)

    def write(self) -> None:
        left_out = {source: asdict(one) for source, one in self.left_out.items()}
        lines = [f'"figures": {_lines(self.figures)}', f'"left_out": {_lines(left_out)}']
        RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _lines(entries: Mapping[str, object]) -> str:
    """As JSON, an entry a line."""
    return "{\n" + ",\n".join(f'  "{name}": {json.dumps(entry)}' for name, entry in entries.items()) + "\n}"


def recorded() -> Record:
    read = json.loads(RECORD.read_text(encoding="utf-8"))
    figures = {id_: {key: tuple(v) for key, v in found.items()} for id_, found in read["figures"].items()}
    left_out = {
        source: LeftOut({name: (was, now) for name, (was, now) in one["changes"].items()}, one["mean_error"])
        for source, one in read["left_out"].items()
    }
    return Record(figures, left_out)


def rounded(figures: Figures) -> dict[str, dict[str, Values]]:
    """Of the figures that rows have, what is recorded."""
    keys = {(row.id, row.key) for row in ROWS}
    return {
        id_: {key: tuple(map(_rounded, v)) for key, v in found.items() if (id_, key) in keys and v is not None}
        for id_, found in figures.items()
    }


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def filled(text: str, record: Record) -> str:
    """A page with its tables as the record has them."""
    found = tables(record.results, record.left_out)
    return TABLE.sub(lambda table: f"{table[1]}\n{found[table['name']]}\n{table[3]}", text)


def _without(source: str, processes: int) -> LeftOut:
    """What leaving a source out does; nothing runs where no constant changes."""
    if not changes_without(source):
        return LeftOut({}, None)
    found = leave_out(source, processes)
    return LeftOut(found.changes, None if found.mean_error is None else _rounded(found.mean_error))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", nargs="+", choices=list(CASES), metavar="ID", help="these cases instead of all")
    which.add_argument("--tables", action="store_true", help="no case: the tables from what is recorded")
    parser.add_argument("--leave-out", action="store_true", help="all cases without their source, too")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="2, if it is not given")
    arguments = parser.parse_args()
    record = recorded() if RECORD.exists() else Record({}, {})
    ids = [] if arguments.tables else arguments.only or list(CASES)
    fresh = rounded(modelled(ids, arguments.processes)) if ids else {}
    figures = {id_: found for id_ in CASES if (found := fresh.get(id_) or record.figures.get(id_))}
    left_out = record.left_out
    if arguments.leave_out:
        left_out = {source: _without(source, arguments.processes) for source in SOURCES}
    record = Record(figures, left_out)
    record.write()
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), record), encoding="utf-8")


if __name__ == "__main__":
    main()
