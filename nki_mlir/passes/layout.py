"""Chooses, for every tensor of a kernel, which of its dimensions lies on the partitions.

Values that one operation ties together form a component; fixing one value's layout fixes the others' through the links.
A component takes the first candidate that breaks no rule: data does not cross partitions except by DMA or matmul, a
reduction runs along the free dimensions, a matmul's contraction dimension is on the partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerType, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Attribute, Operation, SSAValue

from nki_mlir.dialects import tile
from nki_mlir.dialects.neuron_mem import partitions_for
from nki_mlir.errors import CompileError

Layout = int | None
"""The dimension on the partitions, or None: everything on one partition."""


def is_data(type_: Attribute) -> bool:
    """Tensors of numbers, and float scalars: what lives on chip. Integers that address memory (index) do not."""
    element = tile.element_of(type_)
    if isinstance(type_, TensorType):
        return isinstance(element, AnyFloat | IntegerType)
    return isinstance(element, AnyFloat)


def constant_source(value: SSAValue) -> arith.ConstantOp | None:
    """The scalar constant that every element of the value is, if it is one."""
    match value.owner:
        case arith.ConstantOp() as op if not isinstance(op.result.type, TensorType | IndexType):
            return op
        case tile.SplatOp() as op:
            return constant_source(op.value)
        case tile.ExpandDimsOp() | tile.BroadcastOp() | tile.TransOp() as op:
            return constant_source(op.source)
        case _:
            return None


def is_placed(value: SSAValue) -> bool:
    """Whether the value becomes a tile (constants stay scalars until an operation needs them as tiles)."""
    return is_data(value.type) and constant_source(value) is None


class Infeasible(Exception):
    """Why a candidate layout does not do; `op` is where."""

    def __init__(self, op: Operation, reason: str):
        self.op, self.reason = op, reason
        super().__init__(reason)


@dataclass(frozen=True)
class Link:
    """Two values of one component, and how the layout of each follows from the other's."""

    a: SSAValue
    b: SSAValue
    forward: Callable[[Layout], Layout]
    backward: Callable[[Layout], Layout]
    op: Operation


def _same(layout: Layout) -> Layout:
    return layout


def _swap(layout: Layout) -> Layout:
    return None if layout is None else 1 - layout


def links(op: Operation) -> Iterator[Link]:
    """The links that one operation makes."""
    match op:
        case tile.TransOp():
            yield Link(op.source, op.result, _swap, _swap, op)
        case tile.ExpandDimsOp():
            kept = 1 - op.axis.value.data
            yield Link(
                op.source,
                op.result,
                lambda source: None if source is None else kept,
                lambda result: 0 if result == kept else None,
                op,
            )
        case tile.ReduceOp():
            kept = 1 - op.axis.value.data if len(tile.shape_of(op.source)) == 2 else None
            yield Link(
                op.source,
                op.result,
                lambda source: 0 if kept is not None and source == kept else None,
                lambda result: kept if result == 0 else None,
                op,
            )
        case tile.SplatOp():
            if is_data(op.value.type):
                yield Link(op.value, op.result, lambda _: None, lambda _: None, op)
        case ForOp():
            terminator = op.body.block.last_op
            assert isinstance(terminator, YieldOp)
            groups = zip(op.iter_args, op.body.block.args[1:], terminator.operands, op.results, strict=True)
            for init, inside, yielded, result in groups:
                for other in (init, yielded, result):
                    yield Link(inside, other, _same, _same, op)
        case tile.DotOp():
            if op.acc is not None:
                yield Link(op.result, op.acc, _same, _same, op)
        case tile.ReadOp() | tile.WriteOp() | YieldOp():
            return
        case tile.CompareOp() if not is_data(op.lhs.type):
            return
        case _:
            values = [v for v in (*op.operands, *op.results) if is_data(v.type)]
            for other in values[1:]:
                yield Link(values[0], other, _same, _same, op)


def required(op: Operation) -> Iterator[tuple[SSAValue, Layout]]:
    """Layouts that an operation demands outright."""
    if isinstance(op, tile.DotOp):
        yield op.a, 1
        yield op.b, 0
        yield op.result, 0


def check(op: Operation, layouts: dict[SSAValue, Layout]) -> None:
    """Raises Infeasible where an operation can't work on tiles laid out so."""
    match op:
        case tile.ReduceOp() if op.source in layouts:
            axis, layout = op.axis.value.data, layouts[op.source]
            if layout == axis and partitions_for(tile.shape_of(op.source)[axis]) > 1:
                raise Infeasible(op, f"it reduces dimension {axis}, which would lie on the partitions")
        case tile.BroadcastOp() if op.source in layouts:
            _no_spread(op, tile.shape_of(op.source), tile.shape_of(op.result), layouts[op.source])
        case tile.SplatOp() if op.result in layouts and is_data(op.value.type):
            shape = tile.shape_of(op.result)
            _no_spread(op, (1,) * len(shape), shape, layouts[op.result])
        case tile.TransOp() if op.source in layouts and layouts[op.source] is None:
            raise Infeasible(op, "it transposes a matrix that lies on one partition")
        case _:
            return


def _no_spread(op: Operation, src: tuple[int, ...], dst: tuple[int, ...], layout: Layout) -> None:
    if layout is not None and src[layout] != dst[layout]:
        raise Infeasible(op, f"it would spread one value over {dst[layout]} rows, across partitions")


@dataclass
class Component:
    values: list[SSAValue]
    ops: list[Operation]


def choose_layouts(func: FuncOp, causes: dict[SSAValue, Infeasible] | None = None) -> dict[SSAValue, Layout]:
    """A layout for every placed value of the function. Raises CompileError where no layout does.

    `causes` receives, for values that lie on one partition, what forbids the first layout that would spread them.
    """
    operations = list(func.walk())
    made = [link for op in operations for link in links(op) if is_placed(link.a) and is_placed(link.b)]
    neighbours: dict[SSAValue, list[tuple[SSAValue, Callable[[Layout], Layout]]]] = {}
    for link in made:
        neighbours.setdefault(link.a, []).append((link.b, link.forward))
        neighbours.setdefault(link.b, []).append((link.a, link.backward))
    demands: dict[SSAValue, list[Layout]] = {}
    for op in operations:
        for value, layout in required(op):
            demands.setdefault(value, []).append(layout)
    layouts: dict[SSAValue, Layout] = {}
    for op in operations:
        for value in (*op.results, *(a for r in op.regions for b in r.blocks for a in b.args)):
            if is_placed(value) and value not in layouts:
                layouts |= _solve(_component(value, neighbours), neighbours, demands, {} if causes is None else causes)
    return layouts


def _component(
    root: SSAValue, neighbours: dict[SSAValue, list[tuple[SSAValue, Callable[[Layout], Layout]]]]
) -> list[SSAValue]:
    seen = {root: None}
    pending = [root]
    while pending:
        for other, _ in neighbours.get(pending.pop(), []):
            if other not in seen:
                seen[other] = None
                pending.append(other)
    return list(seen)


def _solve(
    values: list[SSAValue],
    neighbours: dict[SSAValue, list[tuple[SSAValue, Callable[[Layout], Layout]]]],
    demands: dict[SSAValue, list[Layout]],
    causes: dict[SSAValue, Infeasible],
) -> dict[SSAValue, Layout]:
    root = max(values, key=lambda v: (v in demands, len(tile.shape_of(v))))
    rank = len(tile.shape_of(root))
    users = {
        op: None for v in values for op in (v.owner, *(use.operation for use in v.uses)) if isinstance(op, Operation)
    }
    if rank > 2:
        op = next(iter(users))
        raise CompileError.at(op, f"tensors of {rank} dimensions are not supported; at most two")
    first: Infeasible | None = None
    for candidate in (*range(rank), None):
        try:
            layouts = _spread(root, candidate, neighbours)
            for value in values:
                if any(layouts[value] != wanted for wanted in demands.get(value, [])):
                    raise Infeasible(
                        _where(value), "a matmul needs this operand with another dimension on the partitions"
                    )
            for op in users:
                check(op, layouts)
            if candidate is None and first is not None:
                causes.update(dict.fromkeys(values, _reduction(users) or first))
            return layouts
        except Infeasible as reason:
            first = first or reason
    assert first is not None
    raise CompileError.at(first.op, f"no placement on the partitions does for this operation: {first.reason}")


def _reduction(users: Iterable[Operation]) -> Infeasible | None:
    """A reduction of a row over its only dimension, which keeps the row, and all that is computed with it, together."""
    for op in users:
        if isinstance(op, tile.ReduceOp) and len(tile.shape_of(op.source)) == 1:
            return Infeasible(op, "it is reduced over its only dimension, or computed with what is")
    return None


def _where(value: SSAValue) -> Operation:
    if isinstance(value.owner, Operation):
        return value.owner
    parent = value.owner.parent_op()
    assert parent is not None
    return parent


def _spread(
    root: SSAValue,
    layout: Layout,
    neighbours: dict[SSAValue, list[tuple[SSAValue, Callable[[Layout], Layout]]]],
) -> dict[SSAValue, Layout]:
    layouts = {root: layout}
    pending = [root]
    while pending:
        value = pending.pop()
        for other, follow in neighbours.get(value, []):
            wanted = follow(layouts[value])
            if other not in layouts:
                layouts[other] = wanted
                pending.append(other)
            elif layouts[other] != wanted and not (wanted is None and _indifferent(other, layouts[other])):
                raise Infeasible(_where(other), "values that it combines would lie on different partitions")
    return layouts


def _indifferent(value: SSAValue, layout: Layout) -> bool:
    """Whether the layout puts everything on one partition anyway."""
    return layout is None or tile.shape_of(value)[layout] == 1
