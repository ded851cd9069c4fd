"""Which errors of the compiler and which rules of its verifiers fire in some test, and which in none.

    python benchmarks/errors_fired.py [TEST ...]

Runs the tests, by default those that are about errors, and lists each `raise` of the package that none of them came to,
those of its parsers included.
What tests run in processes of their own does not count.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

ROOT = Path(__file__).parent.parent
PARTS = ("dialects", "analysis", "passes", "frontend", "language", "nki")
ERRORS = ("VerifyException", "CompileError", "ExecutionError")
TESTS = (
    "tests/filecheck",
    "tests/test_wrong_input.py",
    "tests/test_bad_kernels.py",
    "tests/test_bad_blocks.py",
    "tests/test_bad_values.py",
    "tests/test_levels.py",
    "tests/test_memory_messages.py",
    "tests/test_engine_order.py::test_what_has_no_order",
    "tests/test_grids.py::test_attributes_of_text_that_say_nothing_valid",
    "tests/test_outside_kernels.py",
    "tests/test_run_time_control.py::test_what_is_refused",
    "tests/test_run_time_control.py::test_too_many_registers",
    "tests/test_run_time_control.py::test_too_many_registers_for_regions",
    "tests/test_shared_semaphores.py::test_too_few",
)


class Site(NamedTuple):
    """A `raise`, or the call of a parser's `raise_error`, from its first line to its last."""

    path: Path
    first: int
    last: int


def sites() -> Iterator[Site]:
    """Where the package raises one of `ERRORS`."""
    for part in PARTS:
        for path in sorted((ROOT / "nki_mlir" / part).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if _is_error(node):
                    yield Site(path, node.lineno, node.end_lineno or node.lineno)


def _is_error(node: ast.AST) -> TypeGuard[ast.stmt]:
    if isinstance(node, ast.Raise):
        return isinstance(node.exc, ast.Call) and _kind(node.exc.func) in ERRORS
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "raise_error"


def _kind(function: ast.expr) -> str:
    """`CompileError` of `CompileError` and of `CompileError.at`."""
    function = function.value if isinstance(function, ast.Attribute) else function
    return function.id if isinstance(function, ast.Name) else ""


def fired(tests: list[str]) -> set[tuple[str, int]]:
    """Files and lines that made an error in these tests."""
    with tempfile.TemporaryDirectory() as folder:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "ERRORS_FIRED": folder, "PYTHONPATH": paths}
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "fired", "-p", "no:cacheprovider", *tests]
        subprocess.run(command, cwd=ROOT, env=environment, check=False, stdout=sys.stderr)
        lines = [line for file in Path(folder).iterdir() for line in file.read_text(encoding="utf-8").splitlines()]
    pairs = (line.rsplit(":", 1) for line in lines)
    return {(path, int(line)) for path, line in pairs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", default=list(TESTS), metavar="TEST")
    made = fired(parser.parse_args().tests)
    lines: dict[str, set[int]] = {}
    for path, line in made:
        lines.setdefault(path, set()).add(line)
    all_, missed = Counter[str](), Counter[str]()
    for site in sites():
        part = site.path.relative_to(ROOT / "nki_mlir").parts[0]
        all_[part] += 1
        if not any(site.first <= line <= site.last for line in lines.get(str(site.path), ())):
            missed[part] += 1
            print(f"{site.path.relative_to(ROOT)}:{site.first}")
    for part in PARTS:
        print(f"{part}: {all_[part] - missed[part]} of {all_[part]} fire")


if __name__ == "__main__":
    main()
