"""The three parts of the fuzzer, and the table of what came of them."""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import resource
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fuzz import corpus
from fuzz.checks import check
from fuzz.generator import generate
from fuzz.mutations import mutated_python, mutated_text
from fuzz.outcomes import FAULTS, Outcome, outcome
from fuzz.reduction import reduced
from fuzz.sources import define, forget
from reporting import add_json, table, write_json

SECONDS = 20.0
"""The time limit of one input."""
BYTES = 12 << 30
"""What the process may take: a mutant that asks for more is a raw MemoryError, and not the end of the machine."""

MESSAGES = 12
"""How many kinds of message are listed for a part."""
KINDS = ("right", "refused", "reported", "wrong", "raw", "slow")


@dataclass(frozen=True)
class Case:
    """One input: its text, and what is done with such a text."""

    part: str
    seed: int
    text: str
    attempt: Callable[[str], object]

    def outcome(self, text: str | None = None) -> Outcome:
        try:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return outcome(lambda: self.attempt(self.text if text is None else text), SECONDS)
        finally:
            forget()


def valid_kernel(seed: int) -> Case:
    kernel = generate(seed)
    return Case("kernels", seed, kernel.source, lambda source: check(kernel, source))


def mutant(seed: int) -> Case:
    rng = random.Random(seed)
    source, launch = corpus.mutant_base(rng, seed)
    return Case("mutants", seed, mutated_python(source, rng), lambda text: launch(define(text)))


def text(seed: int) -> Case:
    rng = random.Random(seed)
    return Case("text", seed, mutated_text(rng.choice(corpus.texts()), rng), run_text)


def run_text(text: str) -> None:
    """Parses, lowers and executes, as nki-run does."""
    from xdsl.utils.exceptions import VerifyException

    from nki_mlir import CompileError, execute, parse
    from nki_mlir.dialects.neuron_isa import ProgramOp
    from nki_mlir.passes.levels import level_of, remaining_pipeline, verify_level
    from nki_mlir.passes.pipelines import build, run, set_target
    from nki_mlir.tools.npy import bind

    module = parse(text, "<fuzz text>")
    set_target(module, None)
    try:
        verify_level(module, level_of(module))
    except VerifyException as error:
        raise CompileError(str(error)) from None
    run(build(remaining_pipeline(module)), module)
    programs = [op for op in module.body.block.ops if isinstance(op, ProgramOp)]
    if len(programs) == 1:
        execute(module, bind(programs[0], [], 0, 0))


PARTS: dict[str, Callable[[int], Case]] = {"kernels": valid_kernel, "mutants": mutant, "text": text}


def cases(part: str, count: int, seed: int) -> Iterator[tuple[Case, Outcome]]:
    """`count` inputs of a part, each with what came of it."""
    for number in range(count):
        case = PARTS[part](seed * 1_000_000 + number)
        yield case, case.outcome()


def _listed(part: str, details: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    """Every kind of fault, and the most frequent messages."""
    ranked = [(key, count) for key, count in details.most_common() if key[0] != "right"]
    faults = [(key, count) for key, count in ranked if key[0] in FAULTS]
    messages = [(key, count) for key, count in ranked if key[0] not in FAULTS][:MESSAGES]
    return [
        {"part": part, "outcome": kind, "count": count, "what": what} for (kind, what), count in [*faults, *messages]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/fuzz", description="Counts what comes of random input.")
    for part in PARTS:
        parser.add_argument(f"--{part}", type=int, default=2000, metavar="N", help=f"inputs of that part ({part})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="a small reproduction of each kind of fault")
    add_json(parser)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, resource.RLIM_INFINITY))
    rows: list[dict[str, Any]] = []
    faults: dict[tuple[str, str, str], Case] = {}
    listed: list[dict[str, Any]] = []
    for part in PARTS:
        start, kinds, details = time.perf_counter(), Counter[str](), Counter[tuple[str, str]]()
        for case, result in cases(part, getattr(arguments, part), arguments.seed):
            kinds[result.kind] += 1
            details[result.key] += 1
            if result.is_fault:
                faults.setdefault((part, *result.key), case)
        seconds = round(time.perf_counter() - start, 1)
        rows.append({"part": part, **{kind: kinds[kind] for kind in KINDS}, "seconds": seconds})
        listed += _listed(part, details)
    print(table(rows, tuple(rows[0])))
    print("\n" + table(listed, ("part", "outcome", "count", "what")))
    if arguments.show:
        for (_, kind, detail), case in faults.items():
            print(f"\n== {case.part}, seed {case.seed}: {kind} {detail}")
            small = reduced(case)
            print(case.outcome(small).text + "\n" + small)
    write_json(arguments.json, [*rows, *listed])
