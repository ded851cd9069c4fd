"""Chooses where every tensor of a kernel lies, by cost.

Each operation can be computed in several *forms*: its result in some layout, its operands in those that this asks of
them. Where a producer's layout is not what a consumer asks for, a convert stands between the two, which is always
possible and has a price. So nothing fails for want of a layout. Here the forms are made and priced; a search takes the
cheapest (`placement_search.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ConditionOp, ForOp, IfOp, WhileOp, YieldOp
from xdsl.ir import Attribute, Operation, SSAValue

from nki_mlir.analysis.constants import constant_of
from nki_mlir.analysis.indices import enclosing_loops, trip_count
from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import Factor, Layout
from nki_mlir.dialects.pieces import Piece
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.ways import is_in_runs
from nki_mlir.errors import CompileError
from nki_mlir.passes.place_pieces import concatenations, slicings
from nki_mlir.passes.place_shapes import reshapings
from nki_mlir.passes.placement_search import Choice, Form, Search

MOST_LAYOUTS = 10
"""Layouts that are tried for one value."""


_IN_RUNS = 10.0
"""What it must save, in ns, that the rows of a product lie in runs: a group of those that are dealt out can be taken by
itself (split-sums)."""


def is_data(type_: Attribute) -> bool:
    """Numbers: what lives on chip. Integers that address memory (index) do not."""
    return isinstance(tile.element_of(type_), AnyFloat | IntegerType)


def is_placed(value: SSAValue) -> bool:
    """Whether the value becomes a tile (constants stay scalars until an operation needs them as tiles)."""
    return is_data(value.type) and constant_of(value) is None


class Placement:
    """Where all placed values of a function lie, and what each operation asks of its operands."""

    def __init__(self, func: FuncOp):
        self.func = func
        self.target = target_of(func)
        self.prices = Prices(self.target)
        self._images: dict[tuple[int, ...], dict[Layout, None]] = {}
        self._asked: dict[SSAValue, dict[Layout, None]] = {}
        self._made: dict[SSAValue, Choice] = {}
        self._stores: dict[Operation, Choice] = {}
        for op in operations(func):
            self._note_images(op)
        self._check_sizes()
        for op in reversed(operations(func)):
            self._add(op)
        choices = [*dict.fromkeys(reversed(self._made.values())), *self._stores.values()]
        self.search = Search(choices, self._made, cache(self._convert))
        self.search.solve()

    def layout(self, value: SSAValue) -> Layout:
        """Where a value lies."""
        return self._made[value].form.result

    def wanted(self, op: Operation, operand: SSAValue) -> Layout:
        """Where an operation wants an operand to lie."""
        choice = self._stores[op] if op in self._stores else self._made[op.results[0]]
        return next(layout for value, layout in choice.form.wants if value is operand)

    def stored(self, op: tile.WriteOp) -> Layout:
        """Where what an operation stores lies."""
        return self._stores[op].form.result if op in self._stores else self.usual(op.value)[0]

    def usual(self, value: SSAValue) -> tuple[Layout, ...]:
        """The layouts that are tried for a value whoever uses it."""
        shape = tile.shape_of(value)
        return (*usual_layouts(shape, self.target.memory.partitions), *self._images.get(shape, ()))

    def _note_images(self, op: Operation) -> None:
        """Layouts of one shape that are the usual ones of another, which it becomes where it lies, or is a piece of:
        whoever uses these values may take them."""
        values = (*op.results, *op.operands)
        match op:
            case tile.ReshapeOp():
                found = reshapings(self.usual(op.result), self.usual(op.source), self.target.memory.partitions)
            case tile.SliceOp():
                found = ((piece.layout, source) for source, piece in self._slicings(op))
            case tile.ConcatOp():
                found = ((layout, *pieces) for layout, pieces in self._concatenations(op))
            case _:
                return
        known = [self.usual(value) for value in values]
        for layouts in found:
            for value, layout, usual in zip(values, layouts, known, strict=True):
                images = self._images.setdefault(tile.shape_of(value), {})
                if layout not in usual and len(images) < MOST_LAYOUTS // 2:
                    images[layout] = None

    # The forms of each operation. Users come first, so that a producer can offer what they ask for.
    def _add(self, op: Operation) -> None:
        times = math.prod(trip_count(loop) or 1 for loop in enclosing_loops(op))
        if isinstance(op, ForOp):
            self._add_loop(op, times)
        elif isinstance(op, IfOp):
            self._add_branch(op, times)
        elif isinstance(op, WhileOp):
            self._add_while(op, times)
        elif isinstance(op, tile.WriteOp):
            if is_placed(op.value) or any(map(is_placed, op.indices)):
                forms = [self._moved(op, layout) for layout in self._reachable(op)]
                self._stores[op] = self._note(Choice(None, forms, times))
        elif len(op.results) == 1 and is_placed(op.results[0]) and not op.regions:
            forms = [form for form in self._forms(op, op.results[0]) if self._fits(form.result, op.results[0])]
            if not forms:
                raise self._too_large(op, op.results[0])
            follows = not isinstance(op, tile.ReduceOp)
            self._made[op.results[0]] = self._note(Choice(op.results[0], forms, times, follows))

    def _note(self, choice: Choice) -> Choice:
        for form in choice.forms:
            for value, layout in form.wants:
                asked = self._asked.setdefault(value, {})
                if len(asked) < MOST_LAYOUTS:
                    asked[layout] = None
        return choice

    def _add_loop(self, op: ForOp, times: int) -> None:
        """A variable lies alike before, in and after all iterations."""
        end = op.body.block.last_op
        assert isinstance(end, YieldOp)
        inside = op.body.block.args[1:]
        for init, arg, yielded, result in zip(op.iter_args, inside, end.operands, op.results, strict=True):
            self._add_variable(op, (arg, result), (init, yielded), times * (trip_count(op) or 1))

    def _add_branch(self, op: IfOp, times: int) -> None:
        """Both sides yield what lies alike."""
        ends = [block.last_op for region in (op.true_region, op.false_region) for block in region.blocks]
        for number, result in enumerate(op.results):
            self._add_variable(op, (result,), [end.operands[number] for end in ends if end is not None], times)

    def _add_while(self, op: WhileOp, times: int) -> None:
        """What goes round lies alike; so does what the condition hands on, after it and behind the loop."""
        condition, end = op.before_region.block.last_op, op.after_region.block.last_op
        assert isinstance(condition, ConditionOp) and isinstance(end, YieldOp)
        for handed, arg, result in zip(condition.args, op.after_region.block.args, op.results, strict=True):
            self._add_variable(op, (arg, result), (handed,), times)
        for init, arg, yielded in zip(op.arguments, op.before_region.block.args, end.operands, strict=True):
            self._add_variable(op, (arg,), (init, yielded), times)

    def _add_variable(self, op: Operation, values: Sequence[SSAValue], made_of: Sequence[SSAValue], times: int) -> None:
        """Values that stand for one variable, the first in a body, have one layout; so has what is given to it."""
        inside = values[0]
        if not is_data(inside.type):
            return
        asked = [layout for value in reversed(values) for layout in self._asked.get(value, ())]
        layouts = dict.fromkeys([*asked, *self._layouts(inside)])
        sources = [v for v in dict.fromkeys(made_of) if is_placed(v) and v is not inside]
        forms = [
            Form(layout, tuple((v, layout) for v in sources), 0.0) for layout in layouts if self._fits(layout, inside)
        ]
        if not forms:
            raise self._too_large(op, inside)
        choice = self._note(Choice(inside, forms, times, follows=True))
        self._made |= dict.fromkeys(values, choice)

    def _layouts(self, value: SSAValue) -> list[Layout]:
        """What users ask for, and the usual ones."""
        return list(dict.fromkeys([*self._asked.get(value, ()), *self.usual(value)]))[: 2 * MOST_LAYOUTS]

    def _fits(self, layout: Layout, value: SSAValue) -> bool:
        memory = self.target.memory
        bytes_ = layout.elements * dtype(tile.element_of(value)).bytes
        return layout.partitions <= memory.partitions and bytes_ <= memory.sbuf_usable_bytes

    def _check_sizes(self) -> None:
        """Names the first value that fits nowhere; forms are made from the last one on."""
        for op in self.func.walk():
            for value in filter(is_placed, op.results):
                if not any(self._fits(layout, value) for layout in self.usual(value)):
                    raise self._too_large(op, value)

    def _too_large(self, op: Operation, value: SSAValue) -> CompileError:
        available = self.target.memory.sbuf_usable_bytes
        if isinstance(op, tile.ReduceOp):
            axis, value = op.axis.value.data, op.source
            layouts = [x for x in self.usual(value) if x.is_free(axis)]
            because = f"; a reduction has all of dimension {axis} on one partition"
        elif isinstance(op, tile.SliceOp):
            value, layouts = op.source, [layout for layout, _ in self._slicings(op)]
            at = op.at.value.data
            because = f"; no layout on more partitions has places {at} to {at + op.size - 1} of it by themselves"
        elif isinstance(op, tile.ConcatOp):
            layouts = [layout for layout, _ in self._concatenations(op)]
            because = "; no layout on more partitions has each of its parts by itself"
        else:
            if isinstance(op, tile.LastOp):
                value = op.source
            layouts, because = self.usual(value), ""
            if isinstance(op, tile.LastOp | tile.ScanOp | tile.FlipOp):
                axis = op.axis.value.data
                layouts = [x for x in self.usual(value) if x.is_along(axis)]
                because = f"; {op.name} has all of dimension {axis} on one partition"
        name = f"'{value.name_hint}'" if value.name_hint is not None else "a tile"
        best = min(layouts, key=lambda x: x.elements)
        needed = best.elements * dtype(tile.element_of(value)).bytes
        where = "one partition" if best.partitions == 1 else f"each of {best.partitions} partitions"
        return CompileError.at(
            op,
            f"{name}, {list(tile.shape_of(value))} of {tile.element_of(value)}, needs {needed} bytes on {where}, and"
            f" sbuf has {available}{because}; use smaller blocks",
        )

    def _forms(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        rule = _RULES.get(type(op))
        if rule is not None:
            yield from rule(self, op, value)
            return
        operands = [v for v in op.operands if is_placed(v)]
        counts = any(isinstance(tile.element_of(v), IndexType) for v in op.operands)
        for layout in [x for x in self._layouts(value) if x.is_counted or not counts]:
            yield Form(layout, tuple((v, layout) for v in operands), self._compute(layout, value))

    def _read(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        assert isinstance(op, tile.ReadOp)
        yield from (self._moved(op, layout) for layout in self._reachable(op))

    def _reachable(self, op: AccessOp) -> Iterator[Layout]:
        """The layouts that a transfer can have: rows that an index tile names are whole on a partition each."""
        names = {dim for part in op.coordinates for key in part.elements for dim in key.dims}
        for layout in self._layouts(op.moved):
            if not op.indices or all(factor.dim in names for factor in layout.partition):
                yield layout

    def _moved(self, op: AccessOp, layout: Layout) -> Form:
        """A transfer of a tile that lies so, or one for each row that a partition has."""
        rows = row_layout(op, layout) if op.indices else Layout.flat(())
        wants = [(index, rows) for index in op.indices if is_placed(index)]
        if isinstance(op, tile.WriteOp) and is_placed(op.value):
            wants.append((op.value, layout))
        return Form(
            layout,
            tuple(wants),
            rows.elements * self._transfer(layout, _strides(op), op.moved, isinstance(op, tile.WriteOp)),
        )

    def _view(self, value: SSAValue, source: SSAValue, back: Callable[[Layout], Layout]) -> Iterator[Form]:
        """The same bytes under another shape."""
        for layout in self._layouts(value):
            yield Form(layout, ((source, back(layout)),) if is_placed(source) else (), 0.0)

    def _expand(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        assert isinstance(op, tile.ExpandDimsOp)
        axis = op.axis.value.data
        yield from self._view(value, op.source, lambda layout: layout.reduced(axis))

    def _permute(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        assert isinstance(op, tile.PermuteOp)
        order = op.order.get_values()
        back = [order.index(d) for d in range(len(order))]
        yield from self._view(value, op.source, lambda layout: layout.permuted(back))

    def _reshape(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        assert isinstance(op, tile.ReshapeOp)
        sources = self.usual(op.source)
        for result, source in reshapings(self._layouts(value), sources, self.target.memory.partitions):
            if self._fits(source, op.source):
                yield Form(result, ((op.source, source),) if is_placed(op.source) else (), 0.0)

    def _broadcast(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        assert isinstance(op, tile.BroadcastOp)
        pairs = zip(tile.shape_of(op.source), tile.shape_of(value), strict=True)
        axes = [d for d, (have, want) in enumerate(pairs) if have != want]
        yield from self._view(value, op.source, lambda layout: layout.unspread(axes))

    def _splat(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        assert isinstance(op, tile.SplatOp)
        rank = len(tile.shape_of(value))
        yield from self._view(value, op.value, lambda layout: _scalar(layout.unspread(range(rank))))

    def _reduce(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        assert isinstance(op, tile.ReduceOp)
        axis, shape = op.axis.value.data, tile.shape_of(op.source)
        sources = [s for s in self.usual(op.source) if s.is_free(axis)]
        sources += [grown(layout, axis, shape[axis]) for layout in self._asked.get(value, ())]
        for source in dict.fromkeys(sources):
            if self._fits(source, op.source):
                wants = ((op.source, source),) if is_placed(op.source) else ()
                yield Form(source.reduced(axis), wants, self._compute(source, op.source))

    def _along(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        """A scan, or a dimension backwards: it is one digit of the free dimension."""
        assert isinstance(op, tile.ScanOp | tile.FlipOp)
        axis, operands = op.axis.value.data, [v for v in op.operands if is_placed(v)]
        initial = op.initial if isinstance(op, tile.ScanOp) else None
        for layout in [x for x in self._layouts(value) if x.is_along(axis)]:
            wants = tuple((v, layout.reduced(axis) if v is initial else layout) for v in operands)
            yield Form(layout, wants, self._compute(layout, value))

    def _last(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        """A part of what is there."""
        assert isinstance(op, tile.LastOp)
        axis = op.axis.value.data
        for source in [x for x in self._layouts(op.source) if x.is_along(axis) and self._fits(x, op.source)]:
            yield Form(source.reduced(axis), ((op.source, source),) if is_placed(op.source) else (), 0.0)

    def _slice(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        """A part of what is there, or a copy of it."""
        assert isinstance(op, tile.SliceOp)
        for source, piece in self._slicings(op):
            if self._fits(source, op.source):
                price = 0.0 if piece.is_view else self._compute(piece.layout, value)
                yield Form(piece.layout, ((op.source, source),), price)

    def _concat(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        """A copy of all parts."""
        assert isinstance(op, tile.ConcatOp)
        for layout, pieces in self._concatenations(op):
            wants = zip(op.parts, pieces, strict=True)
            placed = dict.fromkeys((part, piece) for part, piece in wants if is_placed(part))
            yield Form(layout, tuple(placed), self._compute(layout, value))

    def _slicings(self, op: tile.SliceOp) -> Iterator[tuple[Layout, Piece]]:
        results, sources = self._asked.get(op.result, ()), self._layouts(op.source)
        return slicings(op, results, sources, self.target.memory.partitions)

    def _concatenations(self, op: tile.ConcatOp) -> Iterator[tuple[Layout, list[Layout]]]:
        return concatenations(op, self._layouts(op.result), self.target.memory.partitions)

    def _dot(self, op: Operation, value: SSAValue) -> Iterator[Form]:
        assert isinstance(op, tile.DotOp)
        if not op.is_plain:
            raise CompileError.at(op, "a product over other dimensions than [1] x [0]: run expand-products first")
        lanes = self.target.memory.partitions
        (rows, terms), columns = tile.shape_of(op.a), tile.shape_of(op.b)[1]
        operands = [(v, dealt(tile.shape_of(v), d, lanes)) for v, d in ((op.a, 1), (op.b, 0)) if is_placed(v)]
        element, begins = tile.element_of(op.a), op.acc is None or not is_placed(op.acc)
        for result, sizes in product_layouts((rows, columns), lanes, begins and terms <= lanes).items():
            wants = operands if op.acc is None or begins else [*operands, (op.acc, result)]
            price = self.prices.product(*sizes, terms, element) + self._compute(result, value)
            price += _IN_RUNS if any(is_in_runs(result, dim) for dim in (0, 1)) else 0.0
            yield Form(result, tuple(wants), price)

    # Prices.
    def _compute(self, layout: Layout, value: SSAValue) -> float:
        return self.prices.compute(layout, tile.element_of(value))

    def _transfer(self, layout: Layout, strides: Sequence[int], value: SSAValue, store: bool = False) -> float:
        return self.prices.transfer(layout, strides, tile.element_of(value), store)

    def _convert(self, have: Layout, want: Layout, element: Attribute) -> float:
        return self.prices.convert(have, want, element)[0]


_RULES: dict[type[Operation], Callable[[Placement, Operation, SSAValue], Iterator[Form]]] = {
    tile.ReadOp: Placement._read,
    tile.ExpandDimsOp: Placement._expand,
    tile.PermuteOp: Placement._permute,
    tile.ReshapeOp: Placement._reshape,
    tile.BroadcastOp: Placement._broadcast,
    tile.SplatOp: Placement._splat,
    tile.ReduceOp: Placement._reduce,
    tile.LastOp: Placement._last,
    tile.ScanOp: Placement._along,
    tile.FlipOp: Placement._along,
    tile.SliceOp: Placement._slice,
    tile.ConcatOp: Placement._concat,
    tile.DotOp: Placement._dot,
}
"""Where the result does not simply lie like the operands."""


@cache
def usual_layouts(shape: tuple[int, ...], lanes: int) -> tuple[Layout, ...]:
    """Each dimension on the partitions, in runs and dealt out, the first ones together where none of them is long
    enough, and everything on one partition."""
    spread: Iterable[Layout] = (
        Layout.lanes(shape, dim, lanes, blocked) for dim, n in enumerate(shape) if n > 1 for blocked in (True, False)
    )
    several = len([n for n in shape[:-1] if n > 1]) > 1 or math.prod(shape) <= lanes
    short = len(shape) > 1 and several and max(shape[:-1]) < lanes
    together = (Layout.spread(shape, lanes),) if short else ()
    return tuple(dict.fromkeys((*spread, *together, Layout.flat(shape))))


def _strides(op: AccessOp) -> tuple[int, ...]:
    return op.coordinates.strides(len(sizes_of(op.moved)))


def row_layout(op: AccessOp, layout: Layout) -> Layout:
    """How the index tile of an access lies where what it moves lies so: along the dimensions that it has."""
    names = {dim for part in op.coordinates for key in part.elements for dim in key.dims}
    for dim in reversed(range(len(layout.shape))):
        layout = layout if dim in names else layout.reduced(dim)
    return layout


def dealt(shape: Sequence[int], dim: int, lanes: int) -> Layout:
    """What a product takes and gives: dimension `dim` dealt out over the partitions."""
    return Layout.lanes(shape, dim, lanes, blocked=False)


def product_layouts(shape: tuple[int, int], lanes: int, in_runs: bool) -> dict[Layout, tuple[int, int]]:
    """Where a product may lie, with the columns of what is stationary and those of what moves: its rows are on the
    partitions where the left operand is stationary, else its columns. They are dealt out, or `in_runs`, which make long
    rows of memory of short ones that follow one another; that is for products of one step, since each piece has rows of
    all that is turned, and waits for it."""
    rows, columns = shape
    found: dict[Layout, tuple[int, int]] = {}
    for blocked in (False, True)[: 1 + in_runs]:
        turned, straight = (Layout.lanes(shape, dim, lanes, blocked) for dim in (1, 0))
        found |= {turned: (columns, rows)} | {straight: (rows, columns)} | found
    return found


def grown(layout: Layout, axis: int, size: int) -> Layout:
    """With one dimension more, `axis`, all of it free and the fastest."""
    grown = layout.expanded(axis)
    shape = (*layout.shape[:axis], size, *layout.shape[axis:])
    return Layout.of(shape, grown.partition, (*grown.free, Factor(axis, size)))


def _scalar(layout: Layout) -> Layout:
    """A layout of dimensions of size 1 without them."""
    return Layout.of((), layout.partition, layout.free)
