"""recognize-functions: what programs write out becomes the machine's function of that."""

from __future__ import annotations

import math as numbers
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, ModuleOp, f32
from xdsl.ir import Operation, SSAValue
from xdsl.traits import is_side_effect_free

from nki_mlir.analysis.constants import constant_of, value_of
from nki_mlir.analysis.sampled import Match, functions_of
from nki_mlir.dialects import tile
from nki_mlir.dialects.alu import Function
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE

_GATES = {Function.SILU: 1.0, Function.GELU_APPRX_SIGMOID: 1.702}
"""Functions that are their argument times a sigmoid of it, by a factor."""


@dataclass(frozen=True)
class RecognizeFunctions(LevelPass):
    """Finds values that are computed of one fp32 value alone and are everywhere one of the machine's functions of it,
    in whatever way it is written (`analysis/sampled.py` says how it is compared, and how near it is):

        %c = x * x * x * 0.044715                      %f = tile.function gelu_apprx_tanh %x
        %t = tanh((x + %c) * 0.7978845608)      =>     %i = arith.addf %x, inf
        %y = 0.5 * x * (1 + %t)                        %y = arith.minimumf %i, %f

    tanh, sigmoid, softplus, SiLU, GELU and mish. At minus infinity the gated ones are NaN where they are written out,
    and 0 on the machine: the minimum makes it NaN again, unless the argument is known to be above. A SiLU is then a
    product with the machine's sigmoid, which costs no more and is NaN there by itself. Left alone: what is rounded to
    another type on the way, and what overflows to infinity or NaN where the function does not, such as
    log(1 + exp(x)) of large arguments.
    """

    name = "recognize-functions"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for value in [value for inner in func.walk() for value in _values(inner)]:
                for match in functions_of(value) if value.uses else []:
                    _replace(match, value)


def _values(op: Operation) -> list[SSAValue]:
    """The fp32 values that begin with an operation: its results, and the arguments of its blocks."""
    arguments = [a for region in op.regions for block in region.blocks for a in block.args]
    return [value for value in (*op.results, *arguments) if tile.element_of(value) == f32]


def _replace(match: Match, x: SSAValue) -> None:
    root = match.value.owner
    assert isinstance(root, Operation)
    if not match.value.uses or _is_gate_of(root, x):
        return
    made = _made(match, x, Emitter.before(root))
    made.name_hint = match.value.name_hint
    match.value.replace_all_uses_with(made)
    _erase(root)


def _made(match: Match, x: SSAValue, emit: Emitter) -> SSAValue:
    function = match.function
    if function is Function.TANH:
        return emit.value(math.TanhOp(x))
    if not match.limit or _is_above_minus_infinity(x):
        return emit.value(tile.FunctionOp(function, x))
    if (factor := _GATES.get(function)) is not None:
        inner = x if factor == 1 else emit.value(arith.MulfOp(x, _filled(factor, x, emit)))
        return emit.value(arith.MulfOp(x, emit.value(tile.FunctionOp(Function.SIGMOID, inner))))
    value = emit.value(tile.FunctionOp(function, x))
    return emit.value(arith.MinimumfOp(emit.value(arith.AddfOp(x, _filled(numbers.inf, x, emit))), value))


def _is_gate_of(op: Operation, x: SSAValue) -> bool:
    """Whether an operation is the product of a value that may be minus infinity with a sigmoid."""
    factors = [v.owner for v in op.operands if v is not x]
    return (
        isinstance(op, arith.MulfOp)
        and not _is_above_minus_infinity(x)
        and any(isinstance(gate, tile.FunctionOp) and gate.function.data is Function.SIGMOID for gate in factors)
    )


def _is_above_minus_infinity(x: SSAValue) -> bool:
    match x.owner:
        case math.AbsFOp() | math.ExpOp() | math.TanhOp() | math.ErfOp() | tile.FunctionOp():
            return True
        case arith.MaximumfOp() | arith.MaxnumfOp() as op:
            known = [constant_of(v) for v in op.operands]
            return any(number is not None and value_of(number) > -numbers.inf for number in known)
        case tile.CastOp() as op:
            return not isinstance(tile.element_of(op.source), AnyFloat)
        case _:
            return False


def _filled(number: float, like: SSAValue, emit: Emitter) -> SSAValue:
    shape, scalar = tile.shape_of(like), emit.float(number)
    return emit.value(tile.SplatOp(scalar, shape)) if shape else scalar


def _erase(op: Operation) -> None:
    """Erases an operation that nobody uses, and what only it used."""
    if any(result.uses for result in op.results) or not is_side_effect_free(op):
        return
    before = [v.owner for v in op.operands]
    op.detach()
    op.erase()
    for owner in dict.fromkeys(before):
        if isinstance(owner, Operation) and owner.parent is not None:
            _erase(owner)
