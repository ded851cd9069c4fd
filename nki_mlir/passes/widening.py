"""Several programs of a grid as one: each operation of a program's body, for some programs at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IndexType, IntegerAttr, TensorType, UnknownLoc, i64
from xdsl.dialects.scf import ForOp, IfOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from nki_mlir.analysis.accesses import positions, resolved
from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.elementwise import ELEMENTWISE
from nki_mlir.analysis.indices import modulo, quotient
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Element, Position, guard
from nki_mlir.dialects.expr import Counter, Expr, FloorDiv, Mod, Term
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.tile_builder import TileBuilder

_DIVISIONS = (arith.DivSIOp, arith.DivUIOp, arith.RemSIOp, arith.RemUIOp, arith.FloorDivSIOp)


class NotWidenable(Exception):
    """Why programs can't run together; the text names what stands against it."""


class Widening:
    """Runs programs, or iterations, together whose ids are the `width` from `width * first + start` on, out of `count`.
    What differs between them has a dimension more: `places` says which it is. That is the first, with `is_last` the
    last, and with `goes_on`, or where there are products, the one in front of that in which memory goes on from one
    program to the next. `varying` are the values that differ. A product or a reduction whose operands differ and whose
    result does not goes on over what runs together.

    `first` is the new id, `values` has the new values of old ones, and `carried` the place of what loops and branches
    carry, found out before; what it turns out to be is in `settled`."""

    def __init__(
        self,
        id_: SSAValue,
        count: int,
        width: int,
        varying: set[SSAValue],
        first: SSAValue,
        values: Mapping[SSAValue, SSAValue],
        carried: Mapping[SSAValue, int],
        is_last: bool = False,
        start: int = 0,
        goes_on: bool = False,
    ):
        self.id, self.count, self.width, self.varying, self.first = id_, count, width, varying, first
        self.values = dict(values)
        self.is_last, self.start = is_last, start
        self.carried, self.settled = carried, dict[SSAValue, int]()
        self.written = list[ForOp]()
        self.places: dict[SSAValue, int] = {id_: 0}
        products = [u.operation for v in varying for u in v.uses if isinstance(u.operation, tile.DotOp)]
        joined = [u.operation for v in varying for u in v.uses if self._is_joined(u.operation)]
        self.goes_on = goes_on or bool(products or joined)
        """Along a dimension that there is, rather than in front of all."""
        accesses = {u.operation for v in varying for u in v.uses if goes_on and isinstance(u.operation, AccessOp)}
        self.is_columns = (
            any(op.b in varying for op in products)
            or any(_axis(op) == len(tile.shape_of(op.source)) - 1 for op in joined if isinstance(op, tile.ReduceOp))
            or any(self._memory_place(op) == len(sizes_of(op.moved)) - 1 > 0 for op in accesses)
        )
        block = first.owner
        assert isinstance(block, Block)
        self.build = TileBuilder(Emitter.at_end(block, UnknownLoc()))

    def block(self, ops: Iterable[Operation], new: Block) -> None:
        """The operations, at the end of a block. Raises NotWidenable."""
        outer = self.build
        for op in ops:
            self.build = TileBuilder(Emitter.at_end(new, op.location))
            self._operation(op)
        self.build = outer

    def new_seams(self) -> list[tuple[SSAValue, int]]:
        """Where the new dimension of each tensor meets the one that it goes on in: a value, and the first of the two
        dimensions, which may be its last."""
        places = {value: place for value, place in self.places.items() if value in self.values}
        return [(self.values[value], place) for value, place in places.items() if tile.shape_of(value)]

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

    def _is_joined(self, op: Operation) -> bool:
        """Whether an operation makes one of what differs."""
        return isinstance(op, tile.DotOp | tile.ReduceOp) and op.result not in self.varying

    @property
    def _ids(self) -> Expr:
        """The ids of the programs that run together, but for their place."""
        return Expr.counter(self.first) * self.width + self.start

    def _differs(self, op: Operation) -> bool:
        """Whether an operation, or one inside it, is not the same for all programs that run together."""
        return any(not self.varying.isdisjoint((*inner.operands, *inner.results)) for inner in op.walk())

    # Values.
    def wide(self, value: SSAValue, place: int = 0) -> SSAValue:
        """A value with one element, or one tile, for each program, along dimension `place`."""
        if value is self.id:
            return self.build.positions(self._ids + Expr.counter(Position(0)), [0], [self.width])
        if value in self.varying:
            return self._moved(self.values[value], self.places[value], place)
        plain, shape = self.plain(value), tile.shape_of(value)
        wide = (*shape[:place], self.width, *shape[place:])
        match plain.owner:
            case tile.SplatOp(value=scalar):
                return self.build.splat(scalar, wide)
            case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense) if dense.is_splat():
                type_ = TensorType(dense.get_element_type(), wide)
                return self.build.emit.value(arith.ConstantOp(DenseIntOrFPElementsAttr(type_, dense.data)))
            case _ if not shape:
                return self.build.splat(plain, wide)
            case tile.BroadcastOp(source=source) if place < len(shape) and tile.shape_of(source)[place] == 1:
                return self.build.emit.value(tile.BroadcastOp(self._apart(source, place), wide))
            case _:
                return self.build.emit.value(tile.BroadcastOp(self._apart(plain, place), wide))

    def _apart(self, value: SSAValue, place: int) -> SSAValue:
        """A value with a dimension of size 1 in the place of the new one."""
        return self.build.emit.value(tile.ExpandDimsOp(value, place))

    def _moved(self, value: SSAValue, have: int, want: int) -> SSAValue:
        """A value with dimension `have` as dimension `want`."""
        if have == want:
            return value
        order = [dim for dim in range(len(tile.shape_of(value))) if dim != have]
        return self.build.emit.value(tile.PermuteOp(value, [*order[:want], have, *order[want:]]))

    def plain(self, value: SSAValue) -> SSAValue:
        """A value that all programs have in common."""
        assert value not in self.varying
        return self.values.get(value, value)

    def type_of(self, value: SSAValue, place: int) -> Attribute:
        shape = tile.shape_of(value)
        return tile.with_shape(tile.element_of(value), (*shape[:place], self.width, *shape[place:]))

    def _usual(self, rank: int) -> int:
        """The place where nothing else decides: the last, that of columns, or the first."""
        if self.is_last:
            return rank
        return max(rank - 1, 0) if self.is_columns else 0

    def _made(self, op: Operation, have: int, want: int, **properties: Attribute) -> list[SSAValue]:
        """The same operation on all operands with their new dimension."""
        self.places |= dict.fromkeys(op.results, want)
        made = type(op).create(
            operands=[self.wide(operand, have) for operand in op.operands],
            result_types=[self.type_of(result, want) for result in op.results],
            properties={**op.properties, **properties},
        )
        return list(self.build.emit.add(made).results)

    # Operations.
    def elementwise(self, op: Operation) -> list[SSAValue]:
        place = next(self.places[operand] for operand in op.operands if operand in self.varying)
        return self._made(op, place, place)

    def reshape(self, op: Operation) -> list[SSAValue]:
        have, want = (len(tile.shape_of(v)) if self.is_last else 0 for v in (op.operands[0], op.results[0]))
        return self._made(op, have, want)

    def division(self, op: Operation) -> list[SSAValue]:
        """Of program ids it is arithmetic on addresses, which costs nothing as long as they are scalars."""
        (result,) = op.results
        is_index = isinstance(tile.element_of(result), IndexType)
        if is_index and (not tile.shape_of(result) or constant_of(op.operands[1]) is None):
            raise NotWidenable("a division of program ids")
        return self.elementwise(op)

    def index_cast(self, op: Operation) -> list[SSAValue]:
        """Of scalars alone: of tensors it is `tile.cast`."""
        (result,) = op.results
        self.places[result] = 0
        return [self.build.emit.value(tile.CastOp(self.wide(op.operands[0]), result.type))]

    def along(self, op: Operation) -> list[SSAValue]:
        """An operation along an axis, which may move. A reduction that makes one of what differs goes on along the new
        dimension."""
        axis = _axis(op)
        place = next(self.places[operand] for operand in op.operands if operand in self.varying)
        if self._is_joined(op):
            return self._joined(op, axis, place)
        lost = isinstance(op, tile.ReduceOp | tile.LastOp) and axis < place
        return self._made(op, place, place - lost, axis=IntegerAttr(axis + (axis >= place), i64))

    def _joined(self, op: Operation, axis: int, place: int) -> list[SSAValue]:
        if axis != place:
            raise NotWidenable("a reduction along another dimension than the one that goes on")
        (source,) = op.operands
        shape = list(tile.shape_of(source))
        shape[axis] *= self.width
        copy = op.clone({source: self.build.reshape(self.values[source], shape)})
        return [self.build.emit.value(copy)]

    def scan(self, op: Operation) -> list[SSAValue]:
        """The initial element lacks the axis."""
        assert isinstance(op, tile.ScanOp)
        axis, initial = op.axis.value.data, op.initial
        full = [value for value in (op.source, op.scale) if value is not None]
        place = next((self.places[value] for value in full if value in self.varying), None)
        if place is None:
            assert initial is not None
            place = self.places[initial] + (self.places[initial] > axis)
        operands = [self.wide(value, place) for value in full]
        if initial is not None:
            initial = self.wide(initial, place - (axis < place))
        self.places[op.result] = place
        moved, scale, reverse = axis + (axis >= place), operands[1] if op.scale is not None else None, op.reverse
        return [
            self.build.emit.value(
                tile.ScanOp(op.kind.data.value, operands[0], moved, scale, reverse is not None, initial)
            )
        ]

    def expand(self, op: Operation) -> list[SSAValue]:
        """An axis is inserted in front of the new dimension, or behind it."""
        axis, place = _axis(op), self.places[op.operands[0]]
        before = axis < place or (axis == place and self._usual(len(tile.shape_of(op.results[0]))) > place)
        return self._made(op, place, place + before, axis=IntegerAttr(axis + (not before), i64))

    def permute(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, tile.PermuteOp)
        order, place = list(op.order.get_values()), self.places[op.source]
        want = order.index(place) if place < len(order) else place
        self.places[op.result] = want
        moved = [dim + (dim >= place) for dim in order]
        return [
            self.build.emit.value(tile.PermuteOp(self.values[op.source], [*moved[:want], place, *moved[want:]])),
        ]

    def splat(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, tile.SplatOp)
        value, shape = self.wide(op.value), tile.shape_of(op.result)
        place = self.places[op.result] = self._usual(len(shape))
        for axis in range(len(shape)):
            value = self.build.emit.value(tile.ExpandDimsOp(value, 0 if axis < place else axis + 1))
        wide = (*shape[:place], self.width, *shape[place:])
        return [self.build.emit.value(tile.BroadcastOp(value, wide))]

    def dot(self, op: Operation) -> list[SSAValue]:
        """Programs that share one operand of a product have more rows, or columns, of one product. Where they have none
        in common, and the sum of them all is asked for, they have more terms of one."""
        assert isinstance(op, tile.DotOp)
        differ = [operand in self.varying for operand in (op.a, op.b)]
        is_sum = op.result not in self.varying
        if not any(differ):
            return self._added(op)
        if all(differ) and not is_sum:
            raise NotWidenable("a product of two tiles that both differ between programs")
        operands, overs, batches = list[SSAValue](), list[list[int]](), list[list[int]]()
        for value, over, batch in zip((op.a, op.b), op.over, op.batch, strict=True):
            if value in self.varying:
                operand, place = self.values[value], self.places[value]
            elif is_sum:
                operand, place = self.wide(value, over[0]), over[0]
            else:
                operand, place = self.plain(value), len(tile.shape_of(value))
            operands.append(operand)
            overs.append([*([place] if is_sum else []), *(dim + (dim >= place) for dim in over)])
            batches.append([dim + (dim >= place) for dim in batch])
        if is_sum:
            acc = None if op.acc is None else self.plain(op.acc)
        else:
            a, b = (
                [d for d in range(len(tile.shape_of(value))) if d not in (*over, *batch)]
                for value, over, batch in zip(operands, overs, batches, strict=True)
            )
            free, value, before = (a, op.a, 0) if differ[0] else (b, op.b, len(a))
            place = self.places[op.result] = len(batches[0]) + before + free.index(self.places[value])
            acc = None if op.acc is None else self.wide(op.acc, place)
        lists = (overs[0], overs[1]), (batches[0], batches[1])
        made = tile.DotOp(operands[0], operands[1], acc, tile.element_of(op.result), *lists)
        return [self.build.emit.value(made)]

    def _added(self, op: tile.DotOp) -> list[SSAValue]:
        """A product that all have in common, added to what differs: one operand is there once for each."""
        assert op.acc is not None
        if op.batch[0]:
            raise NotWidenable("a product of batches that all programs have in common")
        place = self.places[op.result] = self.places[op.acc]
        rows = len(tile.shape_of(op.a)) - len(op.over[0])
        is_left = place < rows
        value, over = (op.a, op.over[0]) if is_left else (op.b, op.over[1])
        free = [dim for dim in range(len(tile.shape_of(value))) if dim not in over]
        own = [*free, len(tile.shape_of(value))][place - (0 if is_left else rows)]
        wide, moved = self.wide(value, own), [dim + (dim >= own) for dim in over]
        operands = (wide, self.plain(op.b)) if is_left else (self.plain(op.a), wide)
        overs = (moved, op.over[1]) if is_left else (op.over[0], moved)
        acc = self.wide(op.acc, place)
        return [self.build.emit.value(tile.DotOp(*operands, acc, tile.element_of(op.result), overs))]

    # Memory.
    def read(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, tile.ReadOp)
        place = self.places[op.result] = self._memory_place(op)
        coordinates, indices, mask = self._access(op, place)
        undefined = op.undefined if mask is not None or coordinates.bounded else None
        memory, type_ = self.plain(op.memory), self.type_of(op.result, place)
        return [self.build.emit.value(tile.ReadOp(memory, coordinates, type_, indices, mask, op.other, undefined))]

    def write(self, op: Operation) -> list[SSAValue]:
        assert isinstance(op, tile.WriteOp)
        place = self.places[op.value] if op.value in self.varying else self._memory_place(op)
        coordinates, indices, mask = self._access(op, place)
        self.build.emit.add(
            tile.WriteOp(self.wide(op.value, place), self.plain(op.memory), coordinates, indices, mask, op.atomic)
        )
        return []

    def _memory_place(self, op: AccessOp) -> int:
        """In front of the dimension that goes on from one program to the next, where products or reductions do."""
        if self.is_last:
            return len(sizes_of(op.moved))
        return going_on(op, self.id) if self.goes_on else 0

    def _access(self, op: AccessOp, place: int) -> tuple[Coordinates, list[SSAValue], SSAValue | None]:
        """Where the tile with its new dimension is in memory."""
        parts = list(resolved(op.over_values))
        if self.count % self.width:
            parts = self._bounded(parts, sizes_of(op.moved))
        moved = Coordinates(tuple(replace(part, position=self._position(part.position, op, place)) for part in parts))
        mask = None if op.mask is None else self.wide(op.mask, place)
        indices = [self.values[index] if index in self.varying else self.plain(index) for index in op.indices]
        return moved, indices, mask

    def _position(self, expr: Expr, op: AccessOp, place: int) -> Expr:
        """An expression with the id as a place of its own, and the others behind it one up."""
        result = Expr(expr.const)
        for term, coefficient in expr.terms:
            result = result + self._term(term, op, place) * coefficient
        return result

    def _term(self, term: Term, op: AccessOp, place: int) -> Expr:
        match term:
            case Counter(Position(dim)):
                return Expr.counter(Position(dim + (dim >= place)))
            case Counter(Element(number, dims)):
                moved = [None if dim is None else dim + (dim >= place) for dim in dims]
                if (index := op.indices[number]) in self.varying:
                    moved.insert(self.places[index], place)
                return Expr.counter(Element(number, tuple(moved)))
            case Counter(key) if key is self.id:
                return self._ids + Expr.counter(Position(place))
            case Counter(SSAValue() as key):
                if key in self.varying:
                    raise NotWidenable("an address that is no sum of multiples of program ids and loop counters")
                return Expr.counter(self.plain(key))
            case Mod(value, divisor):
                return modulo(self._divided(value, op, place), divisor)
            case FloorDiv(value, divisor):
                return quotient(self._divided(value, op, place), divisor)
            case _:
                raise NotWidenable("an address that is known at run time only")

    def _divided(self, expr: Expr, op: AccessOp, place: int) -> Expr:
        """A dividend that is the same for all programs."""
        moved = self._position(expr, op, place)
        if Position(place) in moved.counters():
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
        for start, argument, result in zip(op.iter_args, old.args[1:], op.results, strict=True):
            if argument in self.varying:
                place = self.places[start] if start in self.varying else self._usual(len(tile.shape_of(start)))
                self.places[argument] = self.places[result] = self.carried.get(argument, place)
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
        for result in op.results:
            self.places[result] = self.carried.get(result, self._usual(len(tile.shape_of(result))))
        types = [self.type_of(r, self.places[r]) if r in self.varying else r.type for r in op.results]
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
        self.block(list(old.ops)[:-1], new)

    def _leave(self, old: Block, new: Block, carried: Sequence[SSAValue]) -> None:
        end = old.last_op
        assert isinstance(end, YieldOp)
        outer, self.build = self.build, TileBuilder(Emitter.at_end(new, end.location))
        values = [self._as(value, like) for value, like in zip(end.operands, carried, strict=True)]
        self.settled |= {
            like: self.places[value]
            for value, like in zip(end.operands, carried, strict=True)
            if value in self.varying and like in self.varying
        }
        self.build.emit.add(YieldOp(*values))
        self.build = outer

    def _as(self, value: SSAValue, like: SSAValue) -> SSAValue:
        """A value for a variable that differs between programs, or does not."""
        return self.wide(value, self.places[like]) if like in self.varying else self.plain(value)


def going_on(op: AccessOp, id_: SSAValue) -> int:
    """The dimension in which memory goes on from one value of an id to the next; the first where it does in none."""
    shape, coordinates = sizes_of(op.moved), resolved(op.over_values)
    step, strides = coordinates.address.coefficient(id_), coordinates.strides(len(shape))
    return next((dim for dim, size in enumerate(shape) if step and step == strides[dim] * size), 0)


def _axis(op: Operation) -> int:
    return cast("IntegerAttr", op.properties["axis"]).value.data


_Handler = Callable[[Widening, Operation], "list[SSAValue]"]

_HANDLERS: dict[type[Operation], _Handler] = {
    **dict.fromkeys(ELEMENTWISE, Widening.elementwise),
    **dict.fromkeys(_DIVISIONS, Widening.division),
    **dict.fromkeys((tile.ReduceOp, tile.LastOp, tile.FlipOp, tile.SliceOp, tile.ConcatOp), Widening.along),
    tile.ScanOp: Widening.scan,
    tile.ExpandDimsOp: Widening.expand,
    tile.BroadcastOp: Widening.elementwise,
    tile.ReshapeOp: Widening.reshape,
    arith.IndexCastOp: Widening.index_cast,
    tile.PermuteOp: Widening.permute,
    tile.SplatOp: Widening.splat,
    tile.DotOp: Widening.dot,
    tile.ReadOp: Widening.read,
    tile.WriteOp: Widening.write,
    ForOp: Widening.loop,
    IfOp: Widening.branch,
}
