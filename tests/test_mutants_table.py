"""The mutants change lines that there are, and name tests that there are."""

from __future__ import annotations

from pathlib import Path

from mutants_table import MUTANTS

ROOT = Path(__file__).parent.parent


def test_each_mutant_changes_one_line() -> None:
    found = {one.name: (ROOT / one.path).read_text(encoding="utf-8").count(one.old) for one in MUTANTS}
    assert {name: count for name, count in found.items() if count != 1} == {}


def test_each_mutant_has_tests() -> None:
    files = {(one.name, test.partition("::")[0]) for one in MUTANTS for test in one.tests if not test.startswith("-")}
    assert [(name, file) for name, file in sorted(files) if not (ROOT / file).is_file()] == []
    assert all(one.tests for one in MUTANTS)


def test_names_are_their_own() -> None:
    names = [one.name for one in MUTANTS]
    assert sorted(set(names)) == sorted(names)
