"""What an operation costs, as passes ask, is what the executor takes for it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence

import pytest
import samples
from sample_programs import engine_module, isa_module, run_time_offsets
from samples import Sample
from xdsl.dialects.builtin import ModuleOp

from nki_mlir import pipeline
from nki_mlir.costs.operations import OperationCost
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import BY_NAME
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction
from nki_mlir.dialects.neuron_isa import IsaInstruction
from nki_mlir.executor import time_program
from nki_mlir.executor.recording import END, FREE, START
from nki_mlir.passes.region_costs import of_operation
from nki_mlir.targets import TARGETS

pytestmark = pytest.mark.usefixtures("warm")

ISA, ENGINE = "neuron.isa", "neuron.engine"
SAMPLES: list[Sample] = [
    s for m in pkgutil.iter_modules(samples.__path__) for s in importlib.import_module(f"samples.{m.name}").SAMPLES
]
IN_STREAMS = [(s, t) for s in SAMPLES for t in TARGETS[TARGETS.index(s.target) :] if ISA in BY_NAME[s.name].levels]
OVER_VIEWS = [s for s in SAMPLES if ENGINE in BY_NAME[s.name].levels and not (s.before or run_time_offsets(s))]
"""Alone, that is, and with the addresses that a lowering knows."""


def taken(module: ModuleOp, names: Sequence[str]) -> tuple[float, float]:
    """Of the last instruction of each of some names: for how long the last of them kept its engine, and from the start
    of the first to the completion of the last, its transfer included."""
    found: dict[str, list[float]] = {}
    for unit in time_program(module).recording.units:
        for what, times in zip(unit.what, unit.columns().T.tolist(), strict=True):
            if isinstance(what, IsaInstruction) and what.instruction.name in names and unit.core == 0:
                start, busy = times[START], times[FREE] - times[START]
                start, busy = (start, busy) if unit.queue is None else found[what.instruction.name][:2]
                found[what.instruction.name] = [start, busy, times[END]]
    return found[names[-1]][1], found[names[-1]][2] - found[names[0]][0]


def without_fills(module: ModuleOp) -> ModuleOp:
    """Without the memsets that write the memory first: an instruction completes after those before it."""
    for op in list(module.walk()):
        if isinstance(op, IsaInstruction) and op.update is not None and op.update.data.semaphore == Expr(0):
            op.detach()
        elif isinstance(op, IsaInstruction) and op.wait is not None and op.wait.data.semaphore == Expr(0):
            del op.properties["wait"]
        elif isinstance(op, AllocOp):
            for use in list(op.result.uses):
                first = next(iter(use.operation.results[0].uses)).operation
                if first.name == "neuron.engine.memset" and first is not last_of(module):
                    first.detach()
                    first.erase()
    return module


def last_of(module: ModuleOp) -> IsaInstruction | EngineInstruction:
    """Of the first core."""
    found = [op for op in module.walk() if isinstance(op, IsaInstruction | EngineInstruction)]
    return next(op for op in reversed(found) if isinstance(op, EngineInstruction) or op.core == 0)


def check(cost: OperationCost, busy: float, latency: float) -> None:
    assert cost.busy == pytest.approx(busy)
    assert cost.latency == pytest.approx(latency)


@pytest.mark.parametrize(("sample", "target"), IN_STREAMS, ids=[f"{t}-{s.name}-{s.engine}" for s, t in IN_STREAMS])
def test_an_instruction_of_a_stream(sample: Sample, target: str) -> None:
    module = without_fills(isa_module(sample, target))
    check(of_operation(last_of(module)), *taken(module, [sample.name]))


@pytest.mark.parametrize("sample", OVER_VIEWS, ids=lambda s: f"{s.name}-{s.engine}")
def test_an_instruction_over_views(sample: Sample) -> None:
    module = without_fills(engine_module(sample, sample.target))
    cost = of_operation(last_of(module))
    names = ("load_stationary", "multiply_moving") if "matmul" in sample.name else (sample.name,)
    check(cost, *taken(pipeline("allocate,engine-to-isa")(module), names))
