"""reblock: programs that count through blocks of one long row do blocks at which quotients and remainders change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    TensorType,
    i64,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import Rewriter

from nki_mlir.analysis.common_dims import CommonDims, Dim
from nki_mlir.analysis.independence import are_independent
from nki_mlir.analysis.indices import IndexTensor, NotAffine, constant, divisor_of, expr_of, index_tensor
from nki_mlir.analysis.masks import conjuncts, guards
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Coordinate, Position
from nki_mlir.dialects.expr import Expr, FloorDiv, Mod
from nki_mlir.dialects.tile_programs import MOST_PROGRAMS, ProgramsOp
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.structure_accesses import structure_all

_MOST_LARGER = 8
"""Times as large as the kernel's a block may become."""

_ADDING = (
    tile.ArangeOp,
    tile.SplatOp,
    tile.ExpandDimsOp,
    tile.BroadcastOp,
    tile.PermuteOp,
    tile.BaseOp,
    tile.AddPtrOp,
    tile.CastOp,
    arith.IndexCastOp,
    arith.AddiOp,
    arith.SubiOp,
    arith.MuliOp,
)
_DIVISIONS = (arith.DivSIOp, arith.RemSIOp, arith.FloorDivSIOp, arith.ShRSIOp, arith.AndIOp)


@dataclass(frozen=True)
class Reblock(LevelPass):
    """Cuts a row that programs go through block by block where quotients and remainders of the place in it change:

        tile.programs (%i) in [1536] {                       tile.programs (%row) in [2048] anonymous {
          %x = 1024 * %i + arange 0 to 1024                    %x = 768 * %row + arange 0 to 768
          %column = arith.remsi %x, 768              =>        %column = arith.remsi %x, 768
          f(%x, %column) }                                     f(%x, %column) }

    so that these move in steps, or are the same, along a block: what was a gather is an access then. What quotients
    take apart further becomes axes of the grid. The row ends where stores end. Left alone: blocks whose elements depend
    on one another, or on anything of the program but their place in the row; places that are taken apart by numbers of
    which one does not divide the other; programs that touch what others write.
    """

    name = "reblock"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for programs in [inner for inner in operations(op) if isinstance(inner, ProgramsOp)]:
            while (made := _reblocked(programs)) is not None:
                programs = made


def _reblocked(programs: ProgramsOp) -> ProgramsOp | None:
    """The programs with blocks of another size along one axis; None where they stay."""
    digits = [found for op in programs.body.walk() if (found := _digit(op)) is not None]
    for axis, id_ in enumerate(programs.ids):
        mine = [digit for digit in digits if digit.row.id is id_]
        for row in dict.fromkeys(digit.row for digit in mine):
            plan = _plan(programs, axis, row, [digit for digit in mine if digit.row == row])
            made = None if plan is None else _rewritten(programs, axis, plan)
            if made is not None:
                return made
    return None


class _Row(NamedTuple):
    """Places `block * id + d`, with `d` along a dimension of `block` elements."""

    id: SSAValue
    block: int


class _Digit(NamedTuple):
    """`(place floordiv unit) mod size` of the place in a row, along a dimension; without a size, the quotient."""

    row: _Row
    dim: Dim
    unit: int
    size: int | None

    @property
    def ends(self) -> list[int]:
        """The numbers at whose multiples it changes otherwise than by a step."""
        return [self.unit] if self.size is None else [self.unit, self.unit * self.size]


def _digit(op: Operation) -> _Digit | None:
    """What a quotient or a remainder of indices takes of a place, where it is not affine in a program's ids."""
    if not isinstance(op, _DIVISIONS) or not tile.shape_of(op.result) or not _is_integer(op.result):
        return None
    try:
        place = index_tensor(op.result)
    except NotAffine:
        return _taken(op.result)
    return _taken(op.result) if any(isinstance(term, Mod | FloorDiv) for term, _ in place.offset.terms) else None


def _taken(value: SSAValue) -> _Digit | None:
    op = value.owner
    try:
        whole = _whole(value, index_tensor(value))
    except NotAffine:
        whole = None
    if whole is not None:
        return whole
    match op:
        case tile.ExpandDimsOp() | tile.BroadcastOp() | tile.CastOp():
            inner = _taken(op.source)
            return None if inner is None else inner._replace(dim=_outer(op, inner.dim, value))
        case arith.DivSIOp() | arith.FloorDivSIOp() | arith.RemSIOp() | arith.ShRSIOp() | arith.AndIOp():
            inner, by = _taken(op.lhs), divisor_of(op)
            if inner is None or by is None:
                return None
            return _divided(inner, by, isinstance(op, arith.RemSIOp | arith.AndIOp))
        case _:
            return None


def _outer(op: tile.ExpandDimsOp | tile.BroadcastOp | tile.CastOp, dim: Dim, value: SSAValue) -> Dim:
    moved = isinstance(op, tile.ExpandDimsOp) and dim[1] >= op.axis.value.data
    return value, dim[1] + moved


def _whole(value: SSAValue, place: IndexTensor) -> _Digit | None:
    """A place itself."""
    dims = [dim for dim, stride in enumerate(place.strides) if stride]
    if len(dims) != 1 or place.strides[dims[0]] != 1:
        return None
    counters, block = place.offset.counters(), tile.shape_of(value)[dims[0]]
    id_ = next(iter(counters), None)
    if not isinstance(id_, SSAValue) or place.offset != Expr.counter(id_) * block:
        return None
    return _Digit(_Row(id_, block), (value, dims[0]), 1, None)


def _divided(digit: _Digit, by: int, remains: bool) -> _Digit | None:
    """A digit's quotient or remainder; None where it is no digit."""
    unit, size = digit.unit, digit.size
    if size is not None and size % by and by % size:
        return None
    if remains:
        return digit._replace(size=by if size is None else min(size, by))
    if size is not None and size <= by:
        return None
    return digit._replace(unit=unit * by, size=None if size is None else size // by)


def _is_integer(value: SSAValue) -> bool:
    element = tile.element_of(value)
    return isinstance(element, IndexType | IntegerType) and element != IntegerType(1)


class _Plan(NamedTuple):
    """A block's new size, and the sizes of the axes that count blocks, from the outermost, with how many elements a
    step along each is; `shortened` are the dimensions of the old size."""

    row: _Row
    block: int
    axes: tuple[tuple[int, int], ...]
    shortened: tuple[Dim, ...]


def _plan(programs: ProgramsOp, axis: int, row: _Row, digits: Sequence[_Digit]) -> _Plan | None:
    func = programs.parent_op()
    assert isinstance(func, FuncOp)
    dims = CommonDims(func)
    name = dims.of(digits[0].dim)
    if any(dims.of(digit.dim) != name for digit in digits):
        return None
    found = _Elements.of(programs, row, dims, name)
    if found is None:
        return None
    end = found.end(programs.grid[axis] * row.block)
    ends = sorted({end_ for digit in digits for end_ in digit.ends if 1 < end_ < end})
    block = _block(row.block, ends[0]) if ends else None
    if block is None or any(b % a for a, b in pairwise(ends)):
        return None
    steps = sorted({block, *ends}, reverse=True)
    counts = [-(-end // steps[0]), *(a // b for a, b in pairwise(steps))]
    if counts[0] * steps[0] > programs.grid[axis] * row.block and not found.ends_everywhere(end):
        return None
    axes = [(count, step) for count, step in zip(counts, steps, strict=True) if count > 1] or [(1, block)]
    if math.prod(count for count, _ in axes) > MOST_PROGRAMS:
        return None
    return _Plan(row, block, tuple(axes), tuple(found.dims.items()))


def _block(old: int, end: int) -> int | None:
    """The size of blocks that divides a number, and is not far from what it was; None where there is none."""
    if end % old == 0:
        return old
    if end <= _MOST_LARGER * old:
        return end
    return next((size for size in range(old, old // 2, -1) if end % size == 0), None)


@dataclass
class _Elements:
    """Of programs of which each element depends on nothing but its place in a row: the dimension along it of each value
    that has one, and for each access the end of what it reaches of the row, if it has one."""

    dims: dict[SSAValue, int]
    loads: list[int | None]
    stores: list[int | None]

    @classmethod
    def of(cls, programs: ProgramsOp, row: _Row, dims: CommonDims, name: Dim) -> _Elements | None:
        """None where something depends on more."""
        made = cls({}, [], [])
        for value in _values(programs):
            along = [d for d in range(len(tile.shape_of(value))) if dims.of((value, d)) == name]
            if len(along) > 1:
                return None
            made.dims |= dict.fromkeys([value], along[0]) if along else {}
        if any(dims.of(need.dim) == name and not isinstance(need.op, tile.StoreOp) for need in dims.needs):
            return None
        ops = [op for op in programs.body.walk() if op is not programs]
        return made if all(made._takes(op, row) for op in ops) else None

    def end(self, count: int) -> int:
        """The end of what is stored of a row of so many elements."""
        return min(count, max((count if end is None else end for end in self.stores), default=count))

    def ends_everywhere(self, end: int) -> bool:
        """Whether nothing reaches what lies behind."""
        return all(one is not None and one <= end for one in (*self.loads, *self.stores))

    def _takes(self, op: Operation, row: _Row) -> bool:
        """Whether an operation depends on a program by the place of an element alone. What adds up and moves indices is
        looked into where they are used."""
        match op:
            case tile.AtomicOp() | tile.ReadOp() | tile.WriteOp():
                return False
            case tile.ScanOp() if self.dims.get(op.result) == op.axis.value.data:
                return False
            case tile.LoadOp() | tile.StoreOp():
                moved = op.result if isinstance(op, tile.LoadOp) else op.value
                if isinstance(op, tile.StoreOp) and (op.atomic is not None or moved not in self.dims):
                    return False
                end = self._end(op, moved, row)
                (self.loads if isinstance(op, tile.LoadOp) else self.stores).append(end)
            case _ if _is_looked_into(op):
                return True
            case _:
                pass
        return all(self._is_of_place(operand, row) for operand in op.operands)

    def _end(self, op: tile.LoadOp | tile.StoreOp, moved: SSAValue, row: _Row) -> int | None:
        """The end of what an access reaches of the row, if its mask says so; of none, nothing."""
        if moved not in self.dims:
            return 0
        place = Expr.counter(row.id) * row.block + Expr.counter(Position(self.dims[moved]))
        bounds = (bound for part in conjuncts(op.mask) for bound in _guards(part))
        return min((b.high for b in bounds if b.position - place == Expr(0) and b.high is not None), default=None)

    def _is_of_place(self, value: SSAValue, row: _Row) -> bool:
        """Whether a value moves with the program as it does along the dimension: once around for each block."""
        if not isinstance(tile.element_of(value), tile.PtrType) and not _is_integer(value):
            return True
        steps = self._steps(value, row)
        return steps is not None and steps[0] == steps[1] * row.block

    def _steps(self, value: SSAValue, row: _Row) -> tuple[int, int] | None:
        """By how much integers or pointers rise with the id, and along the dimension, of what is added up; what is
        computed otherwise is known to be of the place alone. None where it is not known."""
        op = value.owner
        match op:
            case tile.BaseOp():
                return 0, 0
            case tile.AddPtrOp() | arith.AddiOp() | arith.SubiOp() if _is_pointer(value) or tile.shape_of(value):
                left, right = (self._steps(operand, row) for operand in op.operands)
                sign = -1 if isinstance(op, arith.SubiOp) else 1
                return None if left is None or right is None else (left[0] + sign * right[0], left[1] + sign * right[1])
            case _ if not tile.shape_of(value):
                expr = expr_of(value) if not _is_pointer(value) else Expr(0)
                factor = expr.coefficient(row.id)
                return (factor, 0) if row.id not in (expr - Expr.counter(row.id) * factor).counters() else None
            case tile.ArangeOp():
                return 0, int(value in self.dims)
            case tile.SplatOp():
                return self._steps(op.value, row)
            case tile.ExpandDimsOp() | tile.BroadcastOp() | tile.PermuteOp():
                return self._steps(op.source, row)
            case tile.CastOp() if _is_integer(op.source):
                return self._steps(op.source, row)
            case arith.MuliOp():
                return self._product(op, row)
            case _:
                return 0, 0

    def _product(self, op: arith.MuliOp, row: _Row) -> tuple[int, int] | None:
        for one, other in (op.operands, op.operands[::-1]):
            factor = _factor(other)
            if factor is not None:
                steps = self._steps(one, row)
                return None if steps is None else (factor * steps[0], factor * steps[1])
        return (0, 0) if all(self._is_of_place(operand, row) for operand in op.operands) else None


def _guards(mask: SSAValue) -> list[Coordinate]:
    try:
        return guards(mask)
    except NotAffine:
        return []


def _is_pointer(value: SSAValue) -> bool:
    return isinstance(tile.element_of(value), tile.PtrType)


def _factor(value: SSAValue) -> int | None:
    try:
        place = index_tensor(value)
    except NotAffine:
        return None
    return place.offset.const if place.is_const else None


def _is_looked_into(op: Operation) -> bool:
    """Whether it moves or adds up integers or pointers, and is nothing to itself."""
    if not isinstance(op, _ADDING):
        return False
    (result,) = op.results
    return _is_pointer(result) or (_is_integer(result) and all(_is_integer(operand) for operand in op.operands))


def _values(programs: ProgramsOp) -> Iterator[SSAValue]:
    for op in programs.body.walk():
        yield from op.results
        yield from (a for region in op.regions for block in region.blocks for a in block.args)


def _rewritten(programs: ProgramsOp, axis: int, plan: _Plan) -> ProgramsOp | None:
    """The programs with the new blocks, in their place; None where another order of them may be another result."""
    products = _products(plan.row.id, plan.row.block)
    if products is None or not _is_any_order_right(programs, [axis]):
        return None
    copies: dict[SSAValue, SSAValue] = {}
    body = programs.clone(copies).detach_region(0)
    grid = (*programs.grid[:axis], *(count for count, _ in plan.axes), *programs.grid[axis + 1 :])
    ids = [body.block.insert_arg(IndexType(), axis + 1 + n) for n in range(len(plan.axes))]
    old = body.block.args[axis]
    for id_ in ids:
        id_.name_hint = old.name_hint
    first = sum((Expr.counter(id_) * step for id_, (_, step) in zip(ids, plan.axes, strict=True)), Expr(0))
    for value, factor in products.items():
        _replace(copies[value], first * factor)
    for value in _counting(old):
        assert isinstance(value.owner, Operation)
        value.owner.detach()
        value.owner.erase()
    body.block.erase_arg(old)
    for value, dim in plan.shortened:
        _shorten(copies[value], dim, plan.block)
    made = ProgramsOp(grid, body, anonymous=True)
    made.location = programs.location
    Emitter.before(programs).add(made)
    replaced = programs if _is_any_order_right(made, range(axis, axis + len(ids))) else made
    replaced.detach()
    replaced.erase()
    return made if replaced is programs else None


def _products(id_: SSAValue, block: int) -> dict[SSAValue, int] | None:
    """What is made of an id, each as a multiple of the place where its block starts; None for anything else."""
    found: dict[SSAValue, int] = {}
    for value in (id_, *_counting(id_)):
        for use in value.uses:
            op = use.operation
            if isinstance(op, tile.CastOp | arith.IndexCastOp) and not tile.shape_of(op.results[0]):
                continue
            other = constant(op.operands[1 - use.index]) if isinstance(op, arith.MuliOp) else None
            if other is None or other % block:
                return None
            found[op.results[0]] = other // block
    return found


def _counting(id_: SSAValue) -> list[SSAValue]:
    """An id in other types, the last one first."""
    found: list[SSAValue] = []
    for use in id_.uses:
        if isinstance(use.operation, tile.CastOp | arith.IndexCastOp) and not tile.shape_of(use.operation.results[0]):
            found = [*_counting(use.operation.results[0]), use.operation.results[0], *found]
    return found


def _replace(value: SSAValue, expr: Expr) -> None:
    assert isinstance(value.owner, Operation)
    emit = Emitter.before(value.owner)
    made = emit.expr(expr)
    if value.type != made.type:
        made = emit.value(tile.CastOp(made, value.type))
    made.name_hint = made.name_hint or value.name_hint
    value.replace_all_uses_with(made)
    value.owner.detach()
    value.owner.erase()


def _shorten(value: SSAValue, dim: int, size: int) -> None:
    """Gives a dimension of a value another size."""
    shape = tile.shape_of(value)
    type_ = TensorType(tile.element_of(value), (*shape[:dim], size, *shape[dim + 1 :]))
    match value.owner:
        case tile.ArangeOp() as op:
            op.properties["end"] = IntegerAttr(op.start.value.data + size, i64)
        case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense) as op:
            made = TensorType(dense.get_element_type(), type_.get_shape())
            op.properties["value"] = DenseIntOrFPElementsAttr(made, dense.data)
        case _:
            pass
    Rewriter.replace_value_with_new_type(value, type_)


def _is_any_order_right(programs: ProgramsOp, axes: Sequence[int]) -> bool:
    """Whether programs with different ids along these axes are independent; what their accesses are is not known of
    pointers, so that a copy is asked."""
    func = programs.parent_op()
    assert isinstance(func, FuncOp)
    trial = func.clone()
    copy = list(trial.body.block.ops)[list(func.body.block.ops).index(programs)]
    assert isinstance(copy, ProgramsOp)
    try:
        structure_all(copy)
    except CompileError:
        return False
    return all(are_independent(copy, axis) for axis in axes)
