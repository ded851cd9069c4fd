"""How many faults in machine code the executor's checks find.

One at a time, in programs that the compiler lowered, each wait and each update is dropped, each address shifted by one
element, each accumulate flag forced. The programs are the example kernels, compiled, and two written at neuron.engine.

python benchmarks/faults.py [--only NAME] [--sample N] [--paths] [--json FILE]

A fault is *caught* if a run with checks on ends in a report. It is *harmful* if some schedule changes a bit of an
output or never ends: runs without checks are tried in normal time and with the instructions concerned held back for a
second (those that a race report names, then one engine or queue after the other), and compared. A fault that no report
and no such run shows is *harmless*. For a dropped wait the reason is then looked for: other waits prove the same
completion (printed with --paths), which means that the compiler wrote one wait too many, or nothing that the wait kept
apart touches a common byte.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from hand_written import Program, layernorm, matmul
from kernel_set import Make, compiled_kernels
from reporting import add_json, table, write_json
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Operation

from nki_mlir.dialects.access import Access
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa import AccessAttr, ExprAttr, SequencerOp, StreamOp
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute
from nki_mlir.executor.checks.paths import Walk
from nki_mlir.executor.checks.races import unit_of
from nki_mlir.executor.reports import mnemonic
from nki_mlir.executor.trace import Trace

LONG = 1e9
"""Nanoseconds that a producer is held back: far longer than any kernel."""

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Fault:
    """One property of one instruction changed (`new` None drops it)."""

    kind: str
    op: SequencerOp
    name: str
    new: Attribute | None

    def __str__(self) -> str:
        return f"{self.kind}: {mnemonic(self.op)} {self.name}"

    def run(self, attempt: Callable[[], Any]) -> Any:
        """What `attempt` gives while the fault is in the program."""
        old = self.op.properties[self.name]
        if self.new is None:
            del self.op.properties[self.name]
        else:
            self.op.properties[self.name] = self.new
        try:
            return attempt()
        finally:
            self.op.properties[self.name] = old


def faults(module: ModuleOp) -> Iterator[Fault]:
    for op in module.walk():
        if not isinstance(op, SequencerOp):
            continue
        for name, attribute in list(op.properties.items()):
            match attribute:
                case _ if name == "wait":
                    yield Fault("wait dropped", op, name, None)
                case _ if name == "update":
                    yield Fault("update dropped", op, name, None)
                case AccessAttr(data=access) if access.address is not None:
                    yield Fault("address shifted", op, name, AccessAttr(_shifted(access)))
                case ExprAttr() if name == "accumulate":
                    for kind, value in (("always accumulates", 1), ("never accumulates", 0)):
                        if attribute.data != Expr(value):
                            yield Fault(kind, op, name, ExprAttr(Expr(value)))


def _shifted(access: Access) -> Access:
    assert access.address is not None
    return replace(access, address=access.address + access.itemsize)


@dataclass
class Verdict:
    """`caught` is the kind of the report, `harmful` what shows the harm, `why` why there is none."""

    fault: Fault
    caught: str
    harmful: str
    why: str = ""


class Subject:
    """A compiled kernel with inputs; `expected` are the bytes that its arrays have after a run."""

    def __init__(self, module: ModuleOp, arrays: Arrays):
        self.module, self.arrays = module, arrays
        self.inputs = [a.copy() for a in arrays]
        self.trace = Trace()
        self.expected = self._run(checks=True, trace=self.trace)

    def _run(self, **options: Any) -> bytes:
        for array, start in zip(self.arrays, self.inputs, strict=True):
            array[...] = start
        execute(self.module, self.arrays, **options)
        return b"".join(a.tobytes() for a in self.arrays)

    def judge(self, fault: Fault) -> Verdict:
        return fault.run(lambda: self._judge(fault))

    def _judge(self, fault: Fault) -> Verdict:
        caught, trace, suspects = "", Trace(), list[list[Operation]]()
        try:
            self._run(checks=True, trace=trace)
        except ExecutionError as error:
            caught = error.kind or "other"
            suspects = [[op] for f in error.findings for op in (f.earlier, f.later) if op is not None]
        harm = self._harm([[], *suspects, *self._units()])
        why = "" if caught or harm else self._why_not(fault, trace)
        return Verdict(fault, caught, harm, why)

    def _harm(self, delays: list[list[Operation]]) -> str:
        """What shows that a fault is harmful, if anything does."""
        for late in delays:
            try:
                output = self._run(checks=False, delays=dict.fromkeys(late, LONG))
            except ExecutionError as error:
                return error.kind or "other"
            if output != self.expected:
                return "wrong result, one producer late" if late else "wrong result"
        return ""

    def _units(self) -> list[list[Operation]]:
        """The instructions by engine or queue."""
        units: dict[str, dict[Operation, None]] = {}
        for unit, micro_op, _ in self.trace:
            if (op := micro_op.op) is not None:
                units.setdefault(unit_of(unit, micro_op), {})[op] = None
        return [list(ops) for ops in units.values()]

    def _why_not(self, fault: Fault, trace: Trace) -> str:
        if fault.kind == "update dropped":
            return "no wait counts it"
        if fault.kind != "wait dropped":
            return "the same bits come out"
        before, after = Walk(self.trace), Walk(trace)
        lost = False
        for stream, places in before.streams.items():
            for ordinal, position in enumerate(places):
                if self.trace[position][1].op is not fault.op:
                    continue
                event = before.taken[position].learned
                if event is None:
                    continue
                there = after.place(stream, ordinal)
                if after.relies(there, event):
                    return "redundant: " + "; ".join(after.why(there, event) or ["its own stream"])
                lost = True
        return "keeps apart nothing that touches a common byte" if lost else "redundant: earlier waits of its stream"


def subjects() -> dict[str, Callable[[], tuple[ModuleOp, Arrays]]]:
    """By name: lowered programs with their arrays."""

    def compiled(make: Make) -> tuple[ModuleOp, Arrays]:
        kernel, arguments, _ = make()
        return kernel.module("neuron.isa"), [a for a in arguments if isinstance(a, np.ndarray)]

    def written(make: Callable[..., Program], *sizes: int) -> tuple[ModuleOp, Arrays]:
        program = make(*sizes)
        return program.module, list(program.arrays)

    found = {name: partial(compiled, make) for name, make in compiled_kernels(small=True).items()}
    return {
        **found,
        "matmul 512 x 512 x 512, bf16, neuron.engine": partial(written, matmul, 512),
        "layernorm 384 x 1024, neuron.engine": partial(written, layernorm, 384, 1024),
    }


def inspect(name: str, module: ModuleOp, arrays: Arrays, sample: int | None, paths: bool) -> list[dict[str, Any]]:
    """A row for each kind of fault."""
    start = time.perf_counter()
    subject, found = Subject(module, arrays), list(faults(module))
    if sample is not None and len(found) > sample:
        found = random.Random(0).sample(found, sample)
    verdicts = [subject.judge(fault) for fault in found]
    rows = []
    for kind in dict.fromkeys(v.fault.kind for v in verdicts):
        some = [v for v in verdicts if v.fault.kind == kind]
        harmful = [v for v in some if v.harmful]
        missed = [v for v in harmful if not v.caught]
        rows.append(
            {
                "kernel": name,
                "fault": kind,
                "faults": len(some),
                "harmful": len(harmful),
                "caught": len(harmful) - len(missed),
                "missed": len(missed),
                "caught, no harm shown": sum(bool(v.caught) and not v.harmful for v in some),
                "harmless": sum(not v.caught and not v.harmful for v in some),
                "by": dict(Counter(v.caught for v in some if v.caught)),
                "why harmless": dict(Counter(v.why.split(":")[0] for v in some if v.why)),
                "seconds": round(time.perf_counter() - start, 1),
            }
        )
        for v in missed:
            print(f"  missed ({v.harmful}): {v.fault}  [{_stream(v.fault.op)}] {v.fault.op}")
        for v in some:
            if paths and v.why:
                print(f"  harmless: {v.fault}  [{_stream(v.fault.op)}]\n    {v.why}")
    return rows


def _stream(op: Operation) -> str:
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, StreamOp):
        parent = parent.parent_op()
    return parent.engine.data if parent is not None else "?"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", metavar="NAME", default="", help="programs whose name contains this")
    parser.add_argument("--sample", type=int, metavar="N", help="at most N faults of a kernel, drawn at random")
    parser.add_argument("--paths", action="store_true", help="print why each harmless fault is")
    add_json(parser)
    args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name, make in subjects().items():
        if args.only in name:
            rows += inspect(name, *make(), args.sample, args.paths)
    columns = ("kernel", "fault", "faults", "harmful", "caught", "missed", "caught, no harm shown", "harmless", "by")
    print(table(rows, columns))
    total, caught = (sum(row[key] for row in rows) for key in ("harmful", "caught"))
    print(f"caught {caught} of {total} harmful faults, {100 * caught / max(1, total):.1f} %")
    write_json(args.json, rows)


if __name__ == "__main__":
    main()
