"""split-sums: products of more rows than the array gives at once are made, and used, some rows after the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, ModuleOp, i64
from xdsl.ir import Attribute, Operation, SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.coordinates import Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_mem import (
    AccumulatorOp,
    BinaryOp,
    CastOp,
    ConvertOp,
    EmptyOp,
    InsertOp,
    MatmulOp,
    ReduceOp,
    RelabelOp,
    SelectOp,
    SliceOp,
    TileType,
    UnaryOp,
    tile_type,
)
from nki_mlir.dialects.pieces import piece_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import MEM


@dataclass(frozen=True)
class SplitSums(LevelPass):
    """Makes products of more than 128 rows for 128 rows at a time, with what is computed of these until a product, or
    a reduction along the columns, takes them:

        %s = matmul %a, %b … : psum 512 x 1024        %s0 = matmul (slice %a), %b … : psum 128 x 1024
        %c = convert %s : sbuf 512 x 1024         =>  %m0 = reduce max (convert %s0) axis 1
        %m = reduce max %c axis 1                     %t0 = insert %m0 into %empty [d0]      … and three more

    so that one is computed with while the array makes the next one, in the banks that are free again. Left alone: sums
    that go on over a loop, or are taken by anything else.
    """

    name = "split-sums"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for begin in [inner for inner in operations(op) if isinstance(inner, AccumulatorOp)]:
            sums = _Sums.of(begin)
            flow = None if sums is None else _Flow.of(sums.result)
            if sums is not None and flow is not None and (place := flow.place()) is not None:
                _Splitting(sums, flow).run(place)


class _Sums(NamedTuple):
    """A product, in pieces of what the array takes, and where it begins."""

    begin: AccumulatorOp
    matmuls: Sequence[MatmulOp]

    @staticmethod
    def of(begin: AccumulatorOp) -> _Sums | None:
        """None where it is of no more rows than there are lanes, or these lie in runs, or it goes on elsewhere."""
        value, found = begin.result, list[MatmulOp]()
        while (user := value.get_user_of_unique_use()) is not None and isinstance(user, MatmulOp):
            if user.acc is not value or user.parent is not begin.parent:
                return None
            found.append(user)
            value = user.result
        type_ = tile_type(begin.result)
        lanes, rows = type_.layout.partitions, type_.sizes[0]
        is_of_groups = bool(found) and rows > lanes and rows % lanes == 0 and not found[0].is_in_runs
        return _Sums(begin, found) if is_of_groups else None

    @property
    def result(self) -> SSAValue:
        return self.matmuls[-1].result

    @property
    def groups(self) -> int:
        type_ = tile_type(self.result)
        return type_.sizes[0] // type_.layout.partitions


@dataclass
class _Flow:
    """The operations that compute with `value`, for some rows at a time, in order; `dims` are the dimensions of values
    that the rows are, `ends` the values that something else takes."""

    value: SSAValue
    ops: list[Operation]
    dims: dict[SSAValue, int]
    ends: list[SSAValue]

    @staticmethod
    def of(value: SSAValue) -> _Flow | None:
        """None where no product, and no reduction, takes what comes out."""
        flow, is_taken = _Flow(value, [], {value: 0}, []), False
        block = value.owner.parent if isinstance(value.owner, Operation) else None
        todo = [value]
        while todo:
            one = todo.pop()
            users = list(dict.fromkeys(use.operation for use in one.uses))
            goes_on = all(user.parent is block and flow._takes(user, one) for user in users)
            if not goes_on or not users or (isinstance(one.owner, ReduceOp)):
                if tile_type(one).is_psum:
                    return None
                flow.ends.append(one)
                is_taken |= isinstance(one.owner, ReduceOp) or any(map(_is_multiplied, users))
                continue
            for user in users:
                if user not in flow.ops:
                    flow.ops.append(user)
                    flow.dims[user.results[0]] = flow._dim(user, flow.dims[one])
                    todo.append(user.results[0])
        flow.ops = list(_behind(value, flow.ops))
        return flow if is_taken and flow.ops else None

    def place(self) -> Operation | None:
        """The operation before which all of them can be: the last, or what takes an end before that. None where a
        number is computed too late for it."""
        block, last = self.ops[-1].parent, self.ops[-1]
        assert block is not None
        takers = (block.find_ancestor_op_in_block(use.operation) for end in self.ends for use in end.uses)
        place = next(_behind(self.value, (last, *(op for op in takers if op is not None))))
        others = {operand.owner for op in self.ops for operand in op.operands if operand not in self.dims}
        op = place
        while op is not last:
            op = op.next_op
            assert op is not None
            if op in others:
                return None
        return place

    def _takes(self, op: Operation, value: SSAValue) -> bool:
        """Whether an operation can compute with some rows of a value at a time."""
        dim = self.dims[value]
        match op:
            case ConvertOp() | UnaryOp() | CastOp():
                return True
            case RelabelOp(permute=permute, reshape=None):
                return permute is not None and tile_type(value).is_psum
            case BinaryOp() | SelectOp():
                return all(
                    operand in self.dims or not isinstance(operand.type, TileType) for operand in op.operands
                ) and all(self.dims.get(operand, dim) == dim for operand in op.operands)
            case ReduceOp():
                return op.axis.value.data != dim
            case _:
                return False

    def _dim(self, op: Operation, dim: int) -> int:
        match op:
            case RelabelOp(permute=DenseArrayBase() as permute):
                return list(permute.get_values()).index(dim)
            case ReduceOp():
                return dim - (op.axis.value.data < dim)
            case _:
                return dim


def _behind(value: SSAValue, ops: Iterable[Operation]) -> Iterator[Operation]:
    """Operations of the block of one that makes a value, all of them behind it, in order."""
    left, op = set(ops), value.owner
    while left:
        assert isinstance(op, Operation) and op.next_op is not None
        op = op.next_op
        if op in left:
            left.remove(op)
            yield op


def _is_multiplied(op: Operation) -> bool:
    """Whether an operation is a product, or what a product takes a value as."""
    if isinstance(op, RelabelOp):
        return any(_is_multiplied(use.operation) for use in op.result.uses)
    return isinstance(op, MatmulOp)


class _Splitting:
    """Makes all anew, group by group, in front of what takes it first."""

    def __init__(self, sums: _Sums, flow: _Flow):
        self.sums, self.flow = sums, flow
        self.lanes = tile_type(sums.result).layout.partitions

    def run(self, place: Operation) -> None:
        emit = Emitter.before(place)
        wholes: dict[SSAValue, SSAValue] = {
            end: emit.value(EmptyOp.create(result_types=[end.type])) for end in self.flow.ends
        }
        for group in range(self.sums.groups):
            values = {self.sums.result: self._product(group, emit)}
            for op in self.flow.ops:
                emit.location = op.location
                values[op.results[0]] = self._piece(op, values, group, emit)
            for end in wholes:
                places = self._places(end, group)
                wholes[end] = emit.value(InsertOp(values[end], wholes[end], [], places))
        for end, whole in wholes.items():
            whole.name_hint = end.name_hint
            end.replace_all_uses_with(whole)
        for op in (*reversed(self.flow.ops), *reversed(self.sums.matmuls), self.sums.begin):
            op.detach()
            op.erase()

    def _type(self, value: SSAValue) -> TileType:
        """That of the rows of a group."""
        type_, dim = tile_type(value), self.flow.dims[value]
        sizes = [self.lanes if d == dim else size for d, size in enumerate(type_.sizes)]
        return type_.with_layout(piece_of(type_.layout, self._places(value, 0), sizes).layout)

    def _places(self, value: SSAValue, group: int) -> list[Expr]:
        dim = self.flow.dims[value]
        places = [Expr.counter(Position(d)) for d in range(len(tile_type(value).sizes))]
        places[dim] = places[dim] + group * self.lanes
        return places

    def _product(self, group: int, emit: Emitter) -> SSAValue:
        """The pieces of a product that are rows of a group."""
        type_ = self._type(self.sums.result)
        emit.location = self.sums.begin.location
        acc, rows = emit.value(AccumulatorOp.create(result_types=[type_])), dict[SSAValue, SSAValue]()
        for op in self.sums.matmuls:
            assert op.part is not None
            number, column, term = op.part.get_values()
            if number == group:
                emit.location = op.location
                if op.lhs not in rows:
                    rows[op.lhs] = self._rows(op.lhs, group, emit)
                part: dict[str, Attribute] = {"part": DenseArrayBase.from_list(i64, [0, column, term])}
                operands = [rows[op.lhs], op.rhs, acc]
                made = emit.add(MatmulOp.create(operands=operands, result_types=[type_], properties=part))
                if made.parts == (1, 1, 1):
                    del made.properties["part"]
                acc = made.result
        return acc

    def _rows(self, value: SSAValue, group: int, emit: Emitter) -> SSAValue:
        type_ = tile_type(value)
        sizes, places = (self.lanes, type_.sizes[1]), [Expr.counter(Position(d)) for d in range(2)]
        places[0] = places[0] + group * self.lanes
        piece = type_.with_layout(piece_of(type_.layout, places, sizes).layout)
        return emit.value(SliceOp(value, [], places, piece))

    def _piece(self, op: Operation, values: Mapping[SSAValue, SSAValue], group: int, emit: Emitter) -> SSAValue:
        operands = [values.get(operand, operand) for operand in op.operands]
        types = [self._type(op.results[0])]
        made = emit.value(type(op).create(operands=operands, result_types=types, properties=op.properties))
        made.name_hint = op.results[0].name_hint
        return made
