"""Instructions for a matmul, and whether it overwrites or accumulates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.arith import AddiOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, OpResult, SSAValue

from nki_mlir.analysis.indices import enclosing_loops, is_run_time
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_mem import AccumulatorOp, MatmulOp
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.storage import Storage

_RUN_TIME = (
    "a sum in psum can't be carried by run-time control flow, which may not write it; convert it, and add in sbuf"
)


def matmul_operands(
    lhs: Storage,
    rhs: Storage,
    acc: Storage,
    op: MatmulOp,
    accumulate: SSAValue | None,
    end: Expr | None,
    emit: Emitter,
) -> dict[str, SSAValue | None]:
    """Those of one nc_matmul: `lhs` is stationary (K x M), `rhs` moving (K x N). Terms from `end` on are left out."""
    if op.part is None and op.parts != (1, 1, 1):
        raise CompileError.at(op, f"a matmul of {list(op.parts)} pieces; run split-to-hardware-tiles first")
    m, n, k = op.piece
    limits = () if end is None else ((0, emit.expr(end - k.start)),)
    return {
        "dst": _rectangle(acc, 0, m, n, emit),
        "stationary": _rectangle(lhs, 1, k, m, emit, limits),
        "moving": _rectangle(rhs, 0, k, n, emit, limits),
        "accumulate": accumulate,
    }


def _rectangle(
    tile: Storage, dim: int, lanes: range, others: range, emit: Emitter, limits: Sequence[tuple[int, SSAValue]] = ()
) -> SSAValue:
    """Indices of `dim` that are one on each partition, by some of the other dimension."""
    free = [spot for spot in tile.elements if spot.dim == dim and not spot.on_partitions]
    group = sum(lanes.start // spot.step % spot.size * spot.stride for spot in free)
    step = next((spot.stride for spot in tile.elements if spot.dim == 1 - dim), 0)
    return tile.view_from(emit, 0, len(lanes), [(step * others.step, len(others))], group + others.start * step, limits)


def _piece(op: MatmulOp) -> tuple[int, ...]:
    """Which rows and columns of the sum a matmul writes."""
    return tuple(op.part.get_values()[:2]) if op.part is not None else (0, 0)


@dataclass(frozen=True)
class Accumulation:
    """When a matmul adds to what its piece holds: always, or in every iteration but the first of the loops at these
    depths (from the outermost, 0); never, where there are none."""

    always: bool
    depths: tuple[int, ...] = ()

    def condition(self, op: MatmulOp, emit: Emitter) -> SSAValue | None:
        """An index that is not zero where the matmul adds; None where it never does."""
        if self.always:
            return emit.index(1)
        counters = [enclosing_loops(op)[depth].body.block.args[0] for depth in self.depths]
        total: SSAValue | None = None
        for counter in counters:
            total = counter if total is None else emit.value(AddiOp(total, counter))
        return total


def accumulation(op: MatmulOp) -> Accumulation:
    """Follows the accumulator back: a matmul on the same piece before it in the chain, or a loop before it, has written
    the piece; a loop that carries it has, in every iteration but the first."""
    depths: list[int] = []
    value = op.acc
    while True:
        if isinstance(value.owner, Block):
            loop = value.owner.parent_op()
            if not isinstance(loop, ForOp) or is_run_time(loop):
                raise CompileError.at(op, _RUN_TIME)
            depths.append(len(enclosing_loops(loop)))
            value = loop.iter_args[value.owner.args.index(value) - 1]
            continue
        match value.owner:
            case AccumulatorOp():
                return Accumulation(False, tuple(depths))
            case MatmulOp() as previous:
                if _piece(previous) == _piece(op):
                    return Accumulation(True)
                value = previous.acc
            case ForOp() as loop:
                assert isinstance(value, OpResult)
                if is_run_time(loop):
                    raise CompileError.at(op, _RUN_TIME)
                if _writes(loop, value.index, _piece(op)):
                    return Accumulation(True)
                value = loop.iter_args[value.index]
            case other:
                raise CompileError.at(op, f"a matmul adds to an accumulator or another's sum, not to {other.name}")


def _writes(loop: ForOp, index: int, piece: tuple[int, ...]) -> bool:
    """Whether an iteration of the loop writes the piece of the accumulator that it carries as number `index`."""
    end = loop.body.block.last_op
    assert isinstance(end, YieldOp)
    value = end.operands[index]
    while not isinstance(value.owner, Block):
        match value.owner:
            case MatmulOp() as op:
                if _piece(op) == piece:
                    return True
                value = op.acc
            case ForOp() as inner:
                assert isinstance(value, OpResult)
                if _writes(inner, value.index, piece):
                    return True
                value = inner.iter_args[value.index]
            case _:
                return False
    return False
