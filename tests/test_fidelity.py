"""The fidelity benchmark covers every published row, and its small cases run."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from fidelity.cases import CASES
from fidelity.entries import ENTRIES, KERNEL, KINDS, SOURCES, TAGS, TOOLS
from fidelity.report import without_source
from fidelity.rows import ABSOLUTE, BOUND, ORDERING, RATIO, ROWS, Row

from nki_mlir.targets import SOURCES as TARGET_SOURCES
from nki_mlir.targets import TARGETS
from nki_mlir.targets.evidence import evidence

ROOT = Path(__file__).parent.parent


def test_every_row_has_a_case() -> None:
    assert {row.id for row in ROWS} == set(CASES)


def test_rows() -> None:
    """As many as the published list has, and one more of CV-C1D, whose counts belong to it, and of AT-AT-MFU, which
    contradicts the other one; no figure twice."""
    assert Counter((row.judged, row.named) for row in ROWS) == {
        (ABSOLUTE, True): 160,
        (ABSOLUTE, False): 2,
        (RATIO, True): 20,
        (RATIO, False): 1,
        (ORDERING, True): 15,
        (BOUND, True): 6,
        (BOUND, False): 9,
    }
    assert len({(row.id, row.figure) for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.published and all(math.isfinite(value) for value in row.published), row
        assert (row.within is None) or row.judged == ORDERING, row


def test_entries() -> None:
    """Each has a kind, a source and a tool of the tables, and rows."""
    assert set(ENTRIES) == {row.id for row in ROWS}
    for id_, entry in ENTRIES.items():
        assert entry.kind in KINDS and entry.source in SOURCES and entry.tool in TOOLS, id_
    assert {tag for tags in TAGS.values() for tag in tags} <= set(TARGET_SOURCES)
    assert set(SOURCES) - set(TAGS) - {"samples", "blog", "autocomp", "skywalker"} <= set(TARGET_SOURCES)


@pytest.mark.parametrize("target", TARGETS)
def test_evidence_names_rows(target: str) -> None:
    """Of its own source; what only kernels show is marked."""
    for constant, estimates in evidence(target).items():
        for one in estimates:
            found = [ENTRIES[id_] for id_ in one.rows]
            only = bool(found) and all(e.kind == KERNEL for e in found) and one.source not in TAGS["doc"]
            traced = any(e.source.startswith("traces") or e.source == "convolutions" for e in found)
            others = any(e.source != one.source for e in estimates)
            assert one.kernel_only == (only and not traced and not others), (constant, one)


def test_leaving_a_source_out() -> None:
    lines = without_source("traces-24")
    assert lines[0] == "without traces-24:" and "  trn1 engine.vector.latency_ns: 213 -> 200" in lines
    assert "absolute rows of traces-24: mean error" in lines[-1]


def test_errors() -> None:
    """The mean over a row's values; 100% without a model, or with too few values."""
    row = Row("A", "trn1", ABSOLUTE, "10, 20 us", "us", (10, 20))
    assert row.error((11, 20)) == pytest.approx(5)
    assert row.error((8, 22)) == pytest.approx(15)
    assert row.error(None) == row.error((10,)) == 100


@pytest.mark.parametrize(
    "kind, within, value, holds",
    [
        (ORDERING, None, 1.01, True),
        (ORDERING, None, 1.0, False),
        (ORDERING, 0.02, 0.99, True),
        (ORDERING, 0.02, 1.03, False),
        (BOUND, None, 1.0, True),
        (BOUND, None, 1.01, False),
    ],
)
def test_verdicts(kind: str, within: float | None, value: float, holds: bool) -> None:
    row = Row("A", "trn1", kind, "", "", (1.0,), within)
    assert row.holds((value,)) is holds
    assert row.holds(None) is False


@pytest.mark.parametrize("id_", ["MB-TOY", "DM-CONST", "DM-PIPE1", "TR-KDA", "IN-ACT", "EW-NB-SILU", "AT-NB-BMMSM"])
def test_small_cases(id_: str) -> None:
    """Each gives all figures of its rows, of the right size, and keeps the published orderings."""
    figures = CASES[id_]()
    for row in [row for row in ROWS if row.id == id_]:
        value = figures[row.key]
        values = value if isinstance(value, tuple) else (value,)
        assert len(values) == len(row.published) and all(math.isfinite(v) and v > 0 for v in values)
        if row.judged == ORDERING:
            assert row.holds(values), row


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "rows.json"
    command = [sys.executable, ROOT / "benchmarks" / "fidelity", "--only", "IN-ACT", "DM-PIPE1", "--json", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (
        "absolute rows with a named device" in done.stdout
        and "source course-24" in done.stdout
        and "1 of 1 orderings" in done.stdout
    )
    rows = json.loads(out.read_text())["rows"]
    assert [row["id"] for row in rows] == ["DM-PIPE1"] * 3 + ["IN-ACT"]
    assert {"modelled", "error_percent"} <= set(rows[0])
