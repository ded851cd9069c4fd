"""Whether the tests notice mistakes in the passes.

One at a time, in a copy of the tree, a line of a pass is changed as a slip of the pen would, and the tests that ought
to notice are run. A mutant that they fail on is *killed*; one that *survives* is a mistake that could be made unseen.

python benchmarks/mutants.py [--list] [--only NAME ...] [--jobs N]

A change of text that is not found exactly once in its file is an error: the table follows the code.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from mutants_table import MUTANTS, Mutant

ROOT = Path(__file__).parent.parent
COPIED = ("nki_mlir", "tests", "examples", "benchmarks", "pyproject.toml")
TIMEOUT = 240
"""Seconds that the tests of a mutant may take: one that never ends is killed too."""


def check(mutant: Mutant, root: Path) -> None:
    """Raises SystemExit where the table no longer fits the code."""
    found = (root / mutant.path).read_text().count(mutant.old)
    if found != 1:
        raise SystemExit(f"{mutant.name}: the text to change is {found} times in {mutant.path}")


def check_tests(mutants: Sequence[Mutant]) -> None:
    """Raises SystemExit where pytest does not find a test of one."""
    names = sorted({test for mutant in mutants for test in mutant.tests})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *names]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit("\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR")))


def copied(folder: Path) -> Path:
    """The tree, in a folder of its own."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def survives(mutant: Mutant, root: Path) -> bool:
    """Whether the mutant's tests pass on it. The tree is as before afterwards."""
    file = root / mutant.path
    text = file.read_text()
    file.write_text(text.replace(mutant.old, mutant.new))
    try:
        return passes(mutant.tests, root)
    finally:
        file.write_text(text)


def passes(tests: Sequence[str], root: Path) -> bool:
    """Whether the tests pass on the tree."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    try:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return False
    if done.returncode > 1:
        raise SystemExit(f"pytest could not run {' '.join(tests)}:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def run(mutants: Sequence[Mutant], jobs: int) -> list[Mutant]:
    """Tries the mutants, saying how each fared; the survivors."""
    survivors: list[Mutant] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        trees: Queue[Path] = Queue()
        for number in range(jobs):
            trees.put(copied(Path(folder, str(number))))

        def attempt(mutant: Mutant) -> None:
            tree, started = trees.get(), time.perf_counter()
            try:
                alive = survives(mutant, tree)
            finally:
                trees.put(tree)
            if alive:
                survivors.append(mutant)
            verdict = "SURVIVED" if alive else "killed"
            print(f"{verdict:8} {time.perf_counter() - started:6.1f} s  {mutant.name}", flush=True)

        list(pool.map(attempt, mutants))
    return survivors


def main() -> int:
    parser = argparse.ArgumentParser(description="Changes lines of the passes and runs the tests that should notice.")
    parser.add_argument("--list", action="store_true", help="Print the mutants and end")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="These, or those whose name starts so")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="How many are tried at once")
    args = parser.parse_args()
    chosen = [m for m in MUTANTS if not args.only or any(m.name.startswith(name) for name in args.only)]
    if not chosen:
        raise SystemExit("no mutant has such a name")
    for mutant in chosen:
        check(mutant, ROOT)
    if args.list:
        for mutant in chosen:
            print(f"{mutant.name:40} {mutant.path}: {mutant.old.strip().splitlines()[0]}")
        return 0
    check_tests(chosen)
    survivors = run(chosen, args.jobs)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
