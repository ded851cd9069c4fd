"""Which operation a combine function is: the argument of `tl.reduce` and `tl.associative_scan`.

The function is evaluated on symbols, in a block that is thrown away; what it emits says what it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import Attribute, Block, Operation, SSAValue

from nki_mlir.dialects import tile
from nki_mlir.dialects.tile import Predicate
from nki_mlir.errors import CompileError
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin
from nki_mlir.frontend.source import KernelFunction
from nki_mlir.frontend.values import Value, describe

_KINDS: dict[type[Operation], str] = {
    arith.AddfOp: "sum",
    arith.AddiOp: "sum",
    arith.MulfOp: "product",
    arith.MuliOp: "product",
    arith.MaximumfOp: "max",
    arith.MaxnumfOp: "maxnum",
    arith.MaxSIOp: "max",
    arith.MaxUIOp: "max",
    arith.MinimumfOp: "min",
    arith.MinnumfOp: "minnum",
    arith.MinSIOp: "min",
    arith.MinUIOp: "min",
    arith.AndIOp: "and",
    arith.OrIOp: "or",
    arith.XOrIOp: "xor",
}
_LARGER = (Predicate.GT, Predicate.GE)
_SMALLER = (Predicate.LT, Predicate.LE)

RECURRENCE = "recurrence"
"""Of pairs: `(a1, b1), (a2, b2) -> (a1 * a2, a2 * b1 + b2)`."""


def kind_of(b: Builder, function: Any, elements: Sequence[Attribute]) -> str:
    """The kind of reduction that a function of two elements is, or RECURRENCE for two pairs of them. Raises
    CompileError for any other."""
    block = Block(arg_types=[*elements, *elements])
    with b.inside(block):
        found = _evaluated(b, function, [Value(argument) for argument in block.args])
    results = list(found) if isinstance(found, tuple | list) else [found]
    kind = None
    if len(results) == len(elements) and all(isinstance(r, Value) for r in results):
        made, given = [r.ssa for r in results], list(block.args)
        kind = _kind(made[0], *given) if len(elements) == 1 else RECURRENCE if _is_recurrence(made, given) else None
    if kind is None:
        raise CompileError(
            f"the combine function {getattr(function, '__name__', describe(function))} is not supported: it must be a"
            " sum, a product, a maximum, a minimum, or bits combined by &, | or ^; of pairs, in a scan,"
            " (a1 * a2, a2 * b1 + b2)"
        )
    return kind


def _evaluated(b: Builder, function: Any, arguments: list[Value]) -> Any:
    if isinstance(function, Builtin):
        return function.emit(b, tuple(arguments), {})
    inner = getattr(function, "kernel_function", None)
    if not isinstance(inner, KernelFunction):
        raise CompileError(f"a combine function is a function decorated with jit, got {describe(function)}")
    return b.inline(inner, arguments)


def _kind(result: SSAValue, left: SSAValue, right: SSAValue) -> str | None:
    match result.owner:
        case tile.SelectOp(condition=condition) as op if isinstance(condition.owner, tile.CompareOp):
            return _chosen(condition.owner, op, left, right)
        case Operation() as op if {*op.operands} == {left, right}:
            return _KINDS.get(type(op))
        case _:
            return None


def _chosen(compare: tile.CompareOp, op: tile.SelectOp, left: SSAValue, right: SSAValue) -> str | None:
    """`a if a > b else b`, in any order."""
    sides = (op.on_true, op.on_false)
    if {*sides} != {left, right} or {compare.lhs, compare.rhs} != {left, right}:
        return None
    wins = compare.predicate.data
    if wins not in _LARGER + _SMALLER:
        return None
    is_max = (wins in _LARGER) == (sides[0] is compare.lhs)
    suffix = "num" if isinstance(left.type, AnyFloat) else ""
    return ("max" if is_max else "min") + suffix


def _is_recurrence(made: Sequence[SSAValue], given: Sequence[SSAValue]) -> bool:
    if len(given) != 4:
        return False
    a1, b1, a2, b2 = given
    if not _is(made[0], arith.MulfOp, a1, a2) or not isinstance(total := made[1].owner, arith.AddfOp):
        return False
    terms = [term for term in total.operands if term is not b2]
    return len(terms) == 1 and _is(terms[0], arith.MulfOp, a2, b1)


def _is(value: SSAValue, kind: type[Operation], left: SSAValue, right: SSAValue) -> bool:
    return isinstance(value.owner, kind) and {*value.owner.operands} == {left, right}
