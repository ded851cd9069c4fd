"""The index of accesses leaves out no instruction whose order matters, and asks few of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from engine_programs import program
from xdsl.dialects.builtin import f32

from nki_mlir import parse, pipeline
from nki_mlir.analysis import dependences
from nki_mlir.analysis.access_index import AccessIndex
from nki_mlir.analysis.footprints import Footprint
from nki_mlir.analysis.overlap import Question, Touch
from nki_mlir.analysis.program_order import Step, common_loops, program_of
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa import INSTRUCTION_OPS, ProgramOp


def streams(text: str, passes: str = "multi-buffer{depth=2},allocate,emit-streams") -> list[Step]:
    module = pipeline(passes)(parse(text))
    programs = [op for op in module.body.block.ops if isinstance(op, ProgramOp)]
    return program_of(programs[0].cores()[0]).steps


def conflict(earlier: Step, later: Step) -> bool:
    """Whether they may touch common bytes, one of them writing."""
    pairs = [(a, b) for a in (*earlier.reads, *earlier.writes) for b in later.writes]
    pairs += [(a, b) for a in earlier.writes for b in later.reads]
    shared = len(common_loops(earlier, later))
    questions = [
        Question(Touch(a, earlier.loops, earlier.spans), Touch(b, later.loops, later.spans), shared)
        for a, b in pairs
        if a.space is b.space and a.tensor == b.tensor
    ]
    return any(q.may_meet() and (q.meets_at(0) or q.meets_later()) for q in questions)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_left_out_is_behind_a_write_that_conflicts_with_both(seed: int) -> None:
    steps = streams(program(seed).text)
    index = AccessIndex(steps, {})
    for number, later in enumerate(steps):
        found = index.before(later, number)
        near = [step for n, step in enumerate(steps) if found >> n & 1]
        for earlier in steps[:number]:
            if conflict(earlier, later) and earlier not in near:
                between = steps[steps.index(earlier) + 1 : number]
                assert any(
                    not step.loops and step in near and conflict(earlier, step) and conflict(step, later)
                    for step in between
                )


LINES = """
  neuron.engine.memset vector value 1.0 : f32 dst %a : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.tensor_copy vector dst %b : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %a : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>"""


def test_a_long_program_asks_few_pairs() -> None:
    """Each instruction overwrites what the one before read: it need not ask those before that."""
    text = f"""
func.func @long() attributes {{tile.arg_names = []}} {{
  %x = neuron.engine.alloc "x" : !neuron.engine.buffer<sbuf, 128 x 32>
  %y = neuron.engine.alloc "y" : !neuron.engine.buffer<sbuf, 128 x 32>
  %a = neuron.engine.view %x : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %b = neuron.engine.view %y : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>{LINES * 200}
  func.return
}}"""
    steps = streams(text, "allocate,emit-streams")
    index = AccessIndex(steps, {})
    assert len(steps) == 400
    assert max(index.before(step, number).bit_count() for number, step in enumerate(steps)) <= 3


TOGETHER = 50


def scattered(transfers: int) -> list[Step]:
    """Four elements at a time go from one array to one tile, where those of `TOGETHER` transfers take turns on one
    partition, and then from there to another array."""
    copy = INSTRUCTION_OPS["dma_copy"].create()
    steps: list[Step] = []
    for n in range(2 * transfers):
        dims = ((TOGETHER, 4),)
        group, turn = divmod(n % transfers, TOGETHER)
        chip = Access(Space.SBUF, f32, dims, group % 8, 1, Expr(4 * (4 * TOGETHER * (group // 8) + turn)))
        array = Access(
            Space.HBM, f32, dims, address=Expr(4 * (4 * TOGETHER * group + turn)), tensor="xy"[n // transfers]
        )
        src, dst = (array, chip) if n < transfers else (chip, array)
        steps.append(Step(copy, Engine.SYNC, n, (), [src], [dst], transfers=True))
    return steps


def work_of(steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How often two accesses, or two edges, are looked at together; and the edges."""
    count = 0

    def counting(original: Callable[..., bool]) -> Callable[..., bool]:
        def call(*args: Any) -> bool:
            nonlocal count
            count += 1
            return original(*args)

        return call

    with monkeypatch.context() as patch:
        for owner, name in ((Footprint, "meets"), (Question, "may_meet"), (dependences, "_implied")):
            patch.setattr(owner, name, counting(getattr(owner, name)))
        edges = dependences.Dependences(steps, {}).edges
    return count, len(edges)


def test_thousands_of_transfers_look_at_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    work, edges = work_of(scattered(2000), monkeypatch)
    assert edges == 2000
    assert work <= 8 * 4000
