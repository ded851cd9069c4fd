"""What an index is, as an expression over program ids, is what its operations compute, whatever the ids are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.analysis.indices import expr_of
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.parsing import parse

GRID = (6, 5)

Tree = int | str | tuple[str, "Tree", "Tree"]

NUMBERS = st.sampled_from([0, 1, 2, 3, 4, 6, 8, 12, 128, -1, -5])
LEAVES = st.one_of(NUMBERS, st.sampled_from(["%i", "%j"]))
OPERATORS = st.sampled_from(["addi", "subi", "muli", "divsi", "remsi", "floordivsi", "minsi", "maxsi"])
TREES = st.recursive(LEAVES, lambda inner: st.tuples(OPERATORS, inner, inner), max_leaves=9)

COMPUTED = {
    "addi": lambda a, b: a + b,
    "subi": lambda a, b: a - b,
    "muli": lambda a, b: a * b,
    "divsi": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "remsi": lambda a, b: abs(a) % abs(b) * (-1 if a < 0 else 1),
    "floordivsi": lambda a, b: a // b,
    "minsi": min,
    "maxsi": max,
}


def value_of(tree: Tree, ids: dict[str, int]) -> int:
    """Raises ZeroDivisionError."""
    if isinstance(tree, tuple):
        name, left, right = tree
        return COMPUTED[name](value_of(left, ids), value_of(right, ids))
    return ids[tree] if isinstance(tree, str) else tree


def parsed(tree: Tree) -> tuple[ModuleOp, ProgramsOp, SSAValue]:
    """A module with programs that compute an index, and the index."""
    lines, names = list[str](), (f"%v{n}" for n in itertools.count())

    def name_of(tree: Tree) -> str:
        if isinstance(tree, str):
            return tree
        if isinstance(tree, int):
            text = f"arith.constant {tree} : index"
        else:
            text = f"arith.{tree[0]} {name_of(tree[1])}, {name_of(tree[2])} : index"
        lines.append(f"{(name := next(names))} = {text}")
        return name

    last = name_of(("addi", tree, 0))
    body = "\n".join([*lines, f"%x = tile.splat {last} : index -> tensor<2xindex>"])
    grid = ", ".join(map(str, GRID))
    text = f"func.func @f() {{ tile.programs (%i, %j) in [{grid}] {{ {body} }} func.return }}"
    module = parse(text)
    programs = next(op for op in module.walk() if isinstance(op, ProgramsOp))
    splat = programs.body.block.last_op
    assert splat is not None
    return module, programs, splat.operands[0]


@settings(deadline=None, max_examples=300)
@given(TREES)
@example(("divsi", ("addi", ("muli", ("addi", ("divsi", "%i", 4), 1), 512), 127), 128))
@example(("remsi", ("muli", ("remsi", "%i", 4), 6), 8))
def test_an_index_is_what_its_operations_compute(tree: Tree) -> None:
    _, programs, value = parsed(tree)
    found = expr_of(value)
    for ids in itertools.product(*map(range, GRID)):
        try:
            wanted = value_of(tree, dict(zip(("%i", "%j"), ids, strict=True)))
        except ZeroDivisionError:
            return
        known = found.substitute({id_: Expr(n) for id_, n in zip(programs.ids, ids, strict=True)})
        assert not known.is_const or known.const == wanted


@nki_mlir.jit
def products_of_groups(a, b, y, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    rows, columns = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    total = tl.zeros([BLOCK, BLOCK], dtype=tl.float32)
    for start in range(0, (pid // GROUP + 1) * GROUP * BLOCK, BLOCK):
        total += tl.dot(
            tl.load(a + (pid * BLOCK + rows) * BLOCK + columns), tl.load(b + (start + rows) * BLOCK + columns)
        )
    tl.store(y + (pid * BLOCK + rows) * BLOCK + columns, total)


@pytest.mark.parametrize("group", [2, 4])
def test_a_loop_runs_as_often_as_the_group_of_its_program_says(group: int) -> None:
    random = np.random.default_rng(0)
    a, b = (random.standard_normal((8, 32, 32)).astype(np.float32) for _ in range(2))
    y = np.zeros_like(a)
    products_of_groups[(8,)](a, b, y, GROUP=group, BLOCK=32)
    wanted = [a[pid] @ b[: (pid // group + 1) * group].sum(0) for pid in range(8)]
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-4)
