"""The dimensions that tensors of a function have in common, place for place, and who needs what of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, IfOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.classes import Classes
from nki_mlir.analysis.elementwise import ELEMENTWISE
from nki_mlir.analysis.tails import first_left_out, neutral, tail_of
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp

Dim = tuple[SSAValue, int]
"""A dimension of a value."""


class Need(NamedTuple):
    """An operation needs the places of a dimension below `end`; what is behind them makes no difference to it."""

    dim: Dim
    end: int
    op: Operation


class CommonDims(Classes[Dim]):
    """The dimensions of a function's tensors: those of one class have one size, and what is at a place of one depends
    on no place behind it, but for what is in `needs`."""

    def __init__(self, func: FuncOp):
        super().__init__()
        self.needs: list[Need] = []
        self._onwards: dict[Dim, list[Dim]] = {}
        for op in func.walk():
            self.needs += (Need(dim, end, op) for dim, end in self._note(op))

    def reached(self, dim: Dim) -> set[Dim]:
        """What depends on a dimension, place for place."""
        found, left = {dim}, [dim]
        while left:
            new = set(self._onwards.get(left.pop(), [])) - found
            found |= new
            left += new
        return found

    def _link(self, source: Dim, target: Dim) -> None:
        """The second has what the first has, or what is computed of it."""
        self.unite(source, target)
        self._onwards.setdefault(source, []).append(target)

    def _alike(self, sources: Sequence[SSAValue], target: SSAValue) -> None:
        for source in sources:
            if tile.shape_of(source):
                for dim in range(len(tile.shape_of(target))):
                    self._link((source, dim), (target, dim))

    def _note(self, op: Operation) -> list[tuple[Dim, int]]:
        """Links the dimensions that an operation has in common; gives what it needs of others."""
        match op:
            case _ if type(op) in ELEMENTWISE:
                self._alike(op.operands, op.results[0])
            case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense) if dense.is_splat():
                pass
            case tile.SplatOp() | tile.ArangeOp():
                pass
            case tile.BroadcastOp():
                for dim, (have, want) in enumerate(
                    zip(tile.shape_of(op.source), tile.shape_of(op.result), strict=True)
                ):
                    if have == want:
                        self._link((op.source, dim), (op.result, dim))
            case tile.ExpandDimsOp():
                for dim in range(len(tile.shape_of(op.source))):
                    self._link((op.source, dim), (op.result, dim + (dim >= op.axis.value.data)))
            case tile.PermuteOp():
                for dim, old in enumerate(op.order.get_values()):
                    self._link((op.source, old), (op.result, dim))
            case tile.ReduceOp():
                return self._reduce(op)
            case tile.DotOp():
                return list(self._dot(op))
            case tile.LastOp():
                axis = op.axis.value.data
                self._without(axis, op.source, op.result)
                return [((op.source, axis), tile.shape_of(op.source)[axis])]
            case tile.SliceOp() | tile.ConcatOp():
                return self._pieces(op)
            case tile.ScanOp() if op.reverse is None:
                self._alike([value for value in (op.source, op.scale) if value is not None], op.result)
                for dim in range(len(tile.shape_of(op.initial)) if op.initial is not None else 0):
                    self._link((op.operands[-1], dim), (op.result, dim + (dim >= op.axis.value.data)))
            case AccessOp():
                return self._access(op)
            case tile.AddPtrOp():
                self._alike(op.operands, op.result)
            case tile.LoadOp():
                self._alike(op.operands, op.result)
            case tile.StoreOp():
                self._alike(op.operands[1:], op.ptr)
                return list(_all(op.ptr))
            case ForOp():
                end = op.body.block.last_op
                assert end is not None
                for first, inside, last, result in zip(
                    op.iter_args, op.body.block.args[1:], end.operands, op.results, strict=True
                ):
                    self._alike([first, last], inside)
                    self._alike([inside], result)
            case IfOp():
                for number, result in enumerate(op.results):
                    ends = (region.block.last_op for region in op.regions)
                    self._alike([end.operands[number] for end in ends if end is not None], result)
            case _ if op.name != "scf.yield":
                inside = (a for region in op.regions for block in region.blocks for a in block.args)
                return [whole for value in (*op.operands, *op.results, *inside) for whole in _all(value)]
            case _:
                pass
        return []

    def _without(self, axis: int, source: SSAValue, target: SSAValue) -> None:
        """The second lacks a dimension of the first."""
        for dim in range(len(tile.shape_of(target))):
            self._link((source, dim + (dim >= axis)), (target, dim))

    def _pieces(self, op: tile.SliceOp | tile.ConcatOp) -> list[tuple[Dim, int]]:
        """Of the dimension that is cut, or goes on, all is needed that the result has, and of parts in it what is
        behind them, too; the others are common."""
        axis, result = op.axis.value.data, op.result
        for dim in range(len(tile.shape_of(result))):
            for source in op.operands if dim != axis else ():
                self._link((source, dim), (result, dim))
        first = op.at.value.data if isinstance(op, tile.SliceOp) else 0
        ends = [min(tile.shape_of(v)[axis], first + tile.shape_of(result)[axis]) for v in op.operands]
        needs = [((source, axis), end) for source, end in zip(op.operands, ends, strict=True)]
        return needs if isinstance(op, tile.SliceOp) else [*needs, ((result, axis), tile.shape_of(result)[axis])]

    def _reduce(self, op: tile.ReduceOp) -> list[tuple[Dim, int]]:
        axis, shape = op.axis.value.data, tile.shape_of(op.source)
        self._without(axis, op.source, op.result)
        tail = tail_of(op.source, axis)
        unchanged = tail is not None and tail.value == neutral(op)
        return [((op.source, axis), tail.start if tail is not None and unchanged else shape[axis])]

    def _dot(self, op: tile.DotOp) -> Iterator[tuple[Dim, int]]:
        """Common dimensions of the factors, then those of one of them, make up the result; all terms are needed but
        those of which both factors are zero."""
        if op.acc is not None:
            self._alike([op.acc], op.result)
        place = len(op.batch[0])
        for value, over, batch in zip((op.a, op.b), op.over, op.batch, strict=True):
            for dim in range(len(tile.shape_of(value))):
                if dim in over:
                    continue
                if dim in batch:
                    self._link((value, dim), (op.result, batch.index(dim)))
                else:
                    self._link((value, dim), (op.result, place))
                    place += 1
        for dims in zip(*op.over, strict=True):
            one, other = zip((op.a, op.b), dims, strict=True)
            self.unite(one, other)
            end = max(_end_of_terms(*one), _end_of_terms(*other))
            yield one, end
            yield other, end

    def _access(self, op: AccessOp) -> list[tuple[Dim, int]]:
        """A store needs what it does not leave out, a load nothing. Index tiles and masks are read where it is."""
        shape = tile.shape_of(op.moved)
        for key in (key for part in op.coordinates for key in part.elements):
            for dim, of in enumerate(key.dims):
                if of is not None:
                    self._link((op.indices[key.number], dim), (op.moved, of))
        if op.mask is not None:
            self._alike([op.mask], op.moved)
        if isinstance(op, tile.ReadOp):
            return []
        ends = (first_left_out(op.over_values, shape, dim) for dim in range(len(shape)))
        return [((op.moved, dim), shape[dim] if end is None else end) for dim, end in enumerate(ends)]


def _end_of_terms(factor: SSAValue, dim: int) -> int:
    """From where on a factor is known to be zero along a dimension."""
    tail = tail_of(factor, dim)
    return tile.shape_of(factor)[dim] if tail is None or tail.value else tail.start


def _all(value: SSAValue) -> list[tuple[Dim, int]]:
    return [((value, dim), size) for dim, size in enumerate(tile.shape_of(value))]
