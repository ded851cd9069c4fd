"""Several programs of a grid as one: each operation of a program's body, for some programs at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IndexType, IntegerAttr, i64
from xdsl.dialects.scf import ForOp, IfOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from nki_mlir.analysis.accesses import positions, resolved
from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.independence import varying
from nki_mlir.analysis.indices import modulo, quotient
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Element, Position, guard
from nki_mlir.dialects.expr import Counter, Expr, FloorDiv, Mod, Term
from nki_mlir.dialects.tile_programs import ProgramsOp, groups_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.tile_builder import TileBuilder

ELEMENTWISE: tuple[type[Operation], ...] = (
    arith.AddfOp,
    arith.SubfOp,
    arith.MulfOp,
    arith.DivfOp,
    arith.NegfOp,
    arith.MaximumfOp,
    arith.MinimumfOp,
    arith.MaxnumfOp,
    arith.MinnumfOp,
    arith.AddiOp,
    arith.SubiOp,
    arith.MuliOp,
    arith.DivSIOp,
    arith.DivUIOp,
    arith.RemSIOp,
    arith.RemUIOp,
    arith.FloorDivSIOp,
    arith.AndIOp,
    arith.OrIOp,
    arith.XOrIOp,
    arith.ShLIOp,
    arith.ShRSIOp,
    arith.ShRUIOp,
    arith.MaxSIOp,
    arith.MaxUIOp,
    arith.MinSIOp,
    arith.MinUIOp,
    math.AbsFOp,
    math.AbsIOp,
    math.CeilOp,
    math.CosOp,
    math.ErfOp,
    math.ExpOp,
    math.FloorOp,
    math.LogOp,
    math.RsqrtOp,
    math.SinOp,
    math.SqrtOp,
    math.TanhOp,
    math.TruncOp,
    tile.CompareOp,
    tile.SelectOp,
    tile.CastOp,
    tile.BitcastOp,
)
"""What computes each element of its result from those at the same place of its operands."""

_DIVISIONS = (arith.DivSIOp, arith.DivUIOp, arith.RemSIOp, arith.RemUIOp, arith.FloorDivSIOp)

_PLACE = Position(0)
"""A program's place among those that run together: the first dimension of whatever differs between them."""


class NotWidenable(Exception):
    """Why programs can't run together; the text names what stands against it."""


class Widening:
    """Runs programs whose ids along `axis` are `width * new id` to below `width * new id + width` together."""

    def __init__(self, programs: ProgramsOp, axis: int, width: int):
        self.old, self.id, self.width = programs, programs.ids[axis], width
        self.count = programs.grid[axis]
        self.varying = varying(programs, axis)
        widths = [size * width if n == axis else size for n, size in enumerate(programs.group)]
        kernel = programs.kernel_grid
        self.new = ProgramsOp(groups_of(kernel, widths), None, widths, kernel, programs.anonymous is not None)
        self.new.location = programs.location
        self.first = self.new.ids[axis]
        self.values: dict[SSAValue, SSAValue] = dict(zip(programs.ids, self.new.ids, strict=True))
        del self.values[self.id]
        for before, after in zip(programs.ids, self.new.ids, strict=True):
            after.name_hint = before.name_hint
        self.build = TileBuilder(Emitter.at_end(self.new.body.block, programs.location))

    def run(self) -> ProgramsOp:
        """The programs, which the caller inserts. Raises NotWidenable."""
        self._block(self.old.body.block, self.new.body.block)
        return self.new

    def _block(self, old: Block, new: Block) -> None:
        outer = self.build
        for op in old.ops:
            self.build = TileBuilder(Emitter.at_end(new, op.location))
            self._operation(op)
        self.build = outer

    def _operation(self, op: Operation) -> None:
        if not self._differs(op):
            copy = op.clone(self.values)
            self.build.emit.add(copy)
            return
        handler = _HANDLERS.get(type(op))
        if handler is None:
            raise NotWidenable(f"{op.name} of what differs between programs")
        results = handler(self, op)
        for before, after in zip(op.results, results, strict=True):
            after.name_hint = before.name_hint
            self.values[before] = after

    @property
    def _ids(self) -> Expr:
        """The ids of the programs that run together, by their place."""
        return Expr.counter(self.first) * self.width + Expr.counter(_PLACE)

    def _differs(self, op: Operation) -> bool:
        """Whether an operation, or one inside it, is not the same for all programs that run together."""
        return any(not self.varying.isdisjoint((*inner.operands, *inner.results)) for inner in op.walk())

    # Values.
    def wide(self, value: SSAValue) -> SSAValue:
        """A value with one element, or one tile, for each program."""
        if value is self.id:
            return self.build.positions(self._ids, [0], [self.width])
        if value in self.varying:
            return self.values[value]
        plain, shape = self.plain(value), tile.shape_of(value)
        if not shape:
            return self.build.splat(plain, [self.width])
        row = self.build.emit.value(tile.ExpandDimsOp(plain, 0))
        return self.build.emit.value(tile.BroadcastOp(row, (self.width, *shape)))

    def plain(self, value: SSAValue) -> SSAValue:
        """A value that all programs have in common."""
        assert value not in self.varying
        return self.values.get(value, value)

    def either(self, value: SSAValue) -> SSAValue:
        """A value as it is: of each program, or of all."""
        return self.wide(value) if value in self.varying else self.plain(value)

    def type_of(self, value: SSAValue) -> Attribute:
        return tile.with_shape(tile.element_of(value), (self.width, *tile.shape_of(value)))

    def _made(self, op: Operation, **properties: Attribute) -> list[SSAValue]:
        """The same operation on all operands with their new dimension."""
        made = type(op).create(
            operands=[self.wide(operand) for operand in op.operands],
            result_types=[self.type_of(result) for result in op.results],
            properties={**op.properties, **properties},
        )
        return list(self.build.emit.add(made).results)

    # Operations.
    def elementwise(self, op: Operation) -> list[SSAValue]:
        return self._made(op)

    def division(self, op: Operation) -> list[SSAValue]:
        """Of program ids it is arithmetic on addresses, which costs nothing as long as they are scalars."""
        (result,) = op.results
        is_index = isinstance(tile.element_of(result), IndexType)
        if is_index and (not tile.shape_of(result) or constant_of(op.operands[1]) is None):
            raise NotWidenable("a division of program ids")
        return self._made(op)

    def index_cast(self, op: Operation) -> list[SSAValue]:
        """Of scalars alone: of tensors it is `tile.cast`."""
        (result,) = op.results
        return [self.build.emit.value(tile.CastOp(self.wide(op.operands[0]), result.type))]

    def along(self, op: Operation) -> list[SSAValue]:
        """An operation along an axis, or one that inserts it, which moves by one."""
        axis = cast("IntegerAttr", op.properties["axis"]).value.data
        return self._made(op, axis=IntegerAttr(axis + 1, i64))

    def permute(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, tile.PermuteOp)
        order = [0, *(dim + 1 for dim in op.order.get_values())]
        return [self.build.emit.value(tile.PermuteOp(self.wide(op.source), order))]

    def splat(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, tile.SplatOp)
        value, shape = self.wide(op.value), tile.shape_of(op.result)
        for axis in range(len(shape)):
            value = self.build.emit.value(tile.ExpandDimsOp(value, axis + 1))
        return [self.build.emit.value(tile.BroadcastOp(value, (self.width, *shape)))]

    def dot(self, op: Operation) -> list[SSAValue]:
        """Programs that share one operand of a product have more rows, or columns, of one product."""
        assert isinstance(op, tile.DotOp)
        if op.a in self.varying and op.b in self.varying:
            raise NotWidenable("a product of two tiles that both differ between programs")
        (rows, columns), width = tile.shape_of(op.result), self.width
        if op.a in self.varying:
            a = self.build.reshape(self.wide(op.a), (width * rows, tile.shape_of(op.a)[1]))
            product = self._product(op, a, self.plain(op.b))
            product = self.build.reshape(product, (width, rows, columns))
        elif op.b in self.varying:
            b = self.build.emit.value(tile.PermuteOp(self.wide(op.b), (1, 0, 2)))
            product = self._product(
                op, self.plain(op.a), self.build.reshape(b, (tile.shape_of(op.b)[0], width * columns))
            )
            product = self.build.reshape(product, (rows, width, columns))
            product = self.build.emit.value(tile.PermuteOp(product, (1, 0, 2)))
        else:
            raise NotWidenable("a product to which what differs between programs is added")
        return [product if op.acc is None else self.build.emit.value(arith.AddfOp(self.wide(op.acc), product))]

    def _product(self, op: tile.DotOp, a: SSAValue, b: SSAValue) -> SSAValue:
        shape = (tile.shape_of(a)[0], tile.shape_of(b)[1])
        return self.build.emit.value(tile.DotOp(a, b, None, tile.with_shape(tile.element_of(op.result), shape)))

    # Memory.
    def read(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, tile.ReadOp)
        coordinates, indices, mask = self._access(op)
        undefined = op.undefined if mask is not None or coordinates.bounded else None
        memory, type_ = self.plain(op.memory), self.type_of(op.result)
        return [self.build.emit.value(tile.ReadOp(memory, coordinates, type_, indices, mask, op.other, undefined))]

    def write(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, tile.WriteOp)
        coordinates, indices, mask = self._access(op)
        self.build.emit.add(
            tile.WriteOp(self.wide(op.value), self.plain(op.memory), coordinates, indices, mask, op.atomic)
        )
        return []

    def _access(self, op: AccessOp) -> tuple[Coordinates, list[SSAValue], SSAValue | None]:
        """Where the tile with its new dimension is in memory."""
        parts = list(resolved(op.over_values))
        if self.count % self.width:
            parts = self._bounded(parts, sizes_of(op.moved))
        moved = Coordinates(tuple(replace(part, position=self._position(part.position, op)) for part in parts))
        mask = None if op.mask is None else self.wide(op.mask)
        return moved, [self.either(index) for index in op.indices], mask

    def _position(self, expr: Expr, op: AccessOp) -> Expr:
        """An expression with the id as a place of its own, and the others one up."""
        result = Expr(expr.const)
        for term, coefficient in expr.terms:
            result = result + self._term(term, op) * coefficient
        return result

    def _term(self, term: Term, op: AccessOp) -> Expr:
        match term:
            case Counter(Position(dim)):
                return Expr.counter(Position(dim + 1))
            case Counter(Element(number, dims)):
                moved = tuple(None if dim is None else dim + 1 for dim in dims)
                first = (0,) if op.indices[number] in self.varying else ()
                return Expr.counter(Element(number, (*first, *moved)))
            case Counter(key) if key is self.id:
                return self._ids
            case Counter(SSAValue() as key):
                if key in self.varying:
                    raise NotWidenable("an address that is no sum of multiples of program ids and loop counters")
                return Expr.counter(self.plain(key))
            case Mod(value, divisor):
                return modulo(self._divided(value, op), divisor)
            case FloorDiv(value, divisor):
                return quotient(self._divided(value, op), divisor)
            case _:
                raise NotWidenable("an address that is known at run time only")

    def _divided(self, expr: Expr, op: AccessOp) -> Expr:
        """A dividend that is the same for all programs."""
        moved = self._position(expr, op)
        if _PLACE in moved.counters():
            raise NotWidenable("a division of what differs between programs")
        return moved

    def _bounded(self, parts: list[Coordinate], shape: Sequence[int]) -> list[Coordinate]:
        """With nothing of programs that there are not: the last ids are fewer than the width."""
        for number, part in enumerate(parts):
            step = part.position.coefficient(self.id)
            if step > 0 and part.is_affine:
                rest = replace(part, position=part.position - Expr.counter(self.id) * step)
                low, high = positions(rest, shape)
                if 0 <= low and high < step and self.id not in rest.position.counters():
                    most = step * self.count
                    most = most if part.high is None else min(most, part.high)
                    return [*parts[:number], replace(part, high=most), *parts[number + 1 :]]
        if any(self.id in part.position.counters() for part in parts):
            return [*parts, guard(Expr.counter(self.id), None, self.count)]
        return parts

    # Control flow.
    def loop(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, ForOp)
        if not self.varying.isdisjoint((op.lb, op.ub, op.step)):
            raise NotWidenable("a loop that some programs run more often than others")
        old = op.body.block
        starts = [self._as(start, argument) for start, argument in zip(op.iter_args, old.args[1:], strict=True)]
        block = Block(arg_types=[old.args[0].type, *(start.type for start in starts)])
        made = ForOp(self.plain(op.lb), self.plain(op.ub), self.plain(op.step), starts, Region(block))
        self.build.emit.add(made)
        self._enter(old, block)
        self._leave(old, block, old.args[1:])
        return list(made.results)

    def branch(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, IfOp)
        if op.cond in self.varying:
            raise NotWidenable("a branch that some programs take and others don't")
        types = [self.type_of(r) if r in self.varying else r.type for r in op.results]
        first, second = (Region(Block()) if region.blocks else Region() for region in op.regions)
        made = self.build.emit.add(IfOp(self.plain(op.cond), types, first, second))
        for region, new in zip(op.regions, made.regions, strict=True):
            if region.blocks:
                self._enter(region.block, new.block)
                self._leave(region.block, new.block, op.results)
        return list(made.results)

    def _enter(self, old: Block, new: Block) -> None:
        """The body of a block, but for its end."""
        for before, after in zip(old.args, new.args, strict=True):
            after.name_hint = before.name_hint
            self.values[before] = after
        outer = self.build
        for op in list(old.ops)[:-1]:
            self.build = TileBuilder(Emitter.at_end(new, op.location))
            self._operation(op)
        self.build = outer

    def _leave(self, old: Block, new: Block, carried: Sequence[SSAValue]) -> None:
        end = old.last_op
        assert isinstance(end, YieldOp)
        outer, self.build = self.build, TileBuilder(Emitter.at_end(new, end.location))
        values = [self._as(value, like) for value, like in zip(end.operands, carried, strict=True)]
        self.build.emit.add(YieldOp(*values))
        self.build = outer

    def _as(self, value: SSAValue, like: SSAValue) -> SSAValue:
        """A value for a variable that differs between programs, or does not."""
        return self.wide(value) if like in self.varying else self.plain(value)


_Handler = Callable[[Widening, Operation], "list[SSAValue]"]

_HANDLERS: dict[type[Operation], _Handler] = {
    **dict.fromkeys(ELEMENTWISE, Widening.elementwise),
    **dict.fromkeys(_DIVISIONS, Widening.division),
    **dict.fromkeys((tile.ExpandDimsOp, tile.ReduceOp, tile.ScanOp, tile.FlipOp), Widening.along),
    **dict.fromkeys((tile.BroadcastOp, tile.ReshapeOp), Widening.elementwise),
    arith.IndexCastOp: Widening.index_cast,
    tile.PermuteOp: Widening.permute,
    tile.SplatOp: Widening.splat,
    tile.DotOp: Widening.dot,
    tile.ReadOp: Widening.read,
    tile.WriteOp: Widening.write,
    ForOp: Widening.loop,
    IfOp: Widening.branch,
}
