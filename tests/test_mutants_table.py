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


def test_the_tests_are_there() -> None:
    missing: list[tuple[str, str]] = []
    for one in MUTANTS:
        for file, _, test in (test.partition("::") for test in one.tests):
            if test and f"def {test.partition('[')[0]}(" not in (ROOT / file).read_text(encoding="utf-8"):
                missing.append((one.name, test))
    assert missing == []


def test_names_are_their_own() -> None:
    names = [one.name for one in MUTANTS]
    assert sorted(set(names)) == sorted(names)
