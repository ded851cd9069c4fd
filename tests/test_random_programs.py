"""Random `neuron.engine` programs, lowered: the semaphores keep program order whatever the timing, the checks find
nothing wrong, and they find what is wrong once a wait is gone."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache

import pytest
from engine_programs import Array, program
from engine_reference import Reference
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from nki_mlir import execute, pipeline
from nki_mlir.dialects.neuron_isa import SequencerOp
from nki_mlir.errors import ExecutionError


@cache
def lowered(seed: int) -> ModuleOp:
    depth = random.Random(seed).choice((1, 2, 3))
    return pipeline(f"multi-buffer{{depth={depth}}},allocate,engine-to-isa")(program(seed).module)


@cache
def wanted(seed: int) -> bytes:
    """What program order leaves in the arrays."""
    arrays = program(seed).arrays()
    Reference(program(seed).module, arrays)
    return contents(arrays)


def contents(arrays: list[Array]) -> bytes:
    return b"".join(a.tobytes() for a in arrays)


def run(
    number: int, checks: bool = False, seed: int | None = None, delays: Mapping[Operation, float] | None = None
) -> bytes:
    """What program `number` leaves in its arrays."""
    arrays = program(number).arrays()
    execute(lowered(number), arrays, checks=checks, seed=seed, delays=delays)
    return contents(arrays)


@pytest.mark.parametrize("seed", range(40))
def test_program_order_is_kept(seed: int) -> None:
    assert run(seed, checks=True) == wanted(seed)
    for timing in range(3):
        assert run(seed, seed=timing) == wanted(seed)


@pytest.mark.parametrize("seed", range(20))
def test_waits_that_matter_are_missed(seed: int) -> None:
    """Without one of its waits a program is reported, or does as before in every order that is tried."""
    waits = [op for op in lowered(seed).walk() if isinstance(op, SequencerOp) and op.wait is not None]
    for op in random.Random(seed).sample(waits, min(6, len(waits))):
        wait = op.properties.pop("wait")
        try:
            if found(seed):
                continue
            for timing in range(4):
                assert run(seed, seed=timing) == wanted(seed), str(op)
            steps = [late for late in lowered(seed).walk() if isinstance(late, SequencerOp)]
            for late in random.Random(seed).sample(steps, min(8, len(steps))):
                assert run(seed, delays={late: 1e7}) == wanted(seed), str(op)
        finally:
            op.properties["wait"] = wait


def found(seed: int) -> str:
    """The kind of what the checks report."""
    try:
        run(seed, checks=True)
    except ExecutionError as error:
        return error.kind
    return ""
