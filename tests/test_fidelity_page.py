"""docs/fidelity.md says what the record of the benchmark says, and the record what the model does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import write_fidelity
from fidelity.cases import CASES, model
from fidelity.entries import ENTRIES, INSTRUCTION, KERNEL, KINDS, SOURCES
from fidelity.report import absolute, changes_without, summary
from fidelity.rows import ROWS
from fidelity.tables import tables

ROOT = Path(__file__).parent.parent
RECORD = write_fidelity.recorded()
SMALL_STREAMS = ("DM-CONST", "DM-PN-RD", "DM-PN-WR", "IN-T1-THR", "IN-T2-HAM", "IN-T2-ALIGN")


def test_the_tables_of_fidelity_are_those_of_the_record() -> None:
    text = write_fidelity.PAGE.read_text(encoding="utf-8")
    assert text == write_fidelity.filled(text, RECORD), "run python docs/write_fidelity.py"
    names = re.findall(r"^<!-- table (.*) -->$", text, re.MULTILINE)
    assert sorted(names) == sorted(tables(RECORD.results, RECORD.left_out))


def test_the_record_has_all_rows() -> None:
    assert list(RECORD.figures) == list(CASES)
    assert {(id_, key) for id_, found in RECORD.figures.items() for key in found} == {(r.id, r.key) for r in ROWS}


@pytest.mark.parametrize("id_", [*(i for i, e in ENTRIES.items() if e.kind == INSTRUCTION), "MB-TOY", *SMALL_STREAMS])
def test_the_record_is_what_the_model_says(id_: str) -> None:
    """Of cases that take less than a second; the others follow from the same constants."""
    figures = dict([model(id_)[:2]])
    assert write_fidelity.rounded(figures)[id_] == RECORD.figures[id_], "run python docs/write_fidelity.py"


@pytest.mark.parametrize("source", SOURCES)
def test_the_record_leaves_out_what_a_source_says_now(source: str) -> None:
    found = RECORD.left_out[source].changes
    assert found == changes_without(source), "run python docs/write_fidelity.py --leave-out"


def test_readme_has_the_errors_of_the_record() -> None:
    found = absolute(RECORD.results)
    errors = summary([r.error for r in found])
    by_kind = {kind: summary([r.error for r in found if r.row.entry.kind == kind]) for kind in KINDS}
    told = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert (
        f"Against {errors['rows']} published figures from real devices the mean error is {errors['mean']:.1f}%, half of it"
        f" at most {errors['median']:.1f}%: {by_kind[INSTRUCTION]['mean']:.0f}% of single instructions and packets,"
        f" {by_kind[KERNEL]['mean']:.0f}% of whole kernels"
    ) in told
