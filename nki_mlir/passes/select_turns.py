"""Instructions that take a tile through the array of the Tensor engine, and those that shuffle partitions.

Elements are turned as bits where the array has a mode for that. Where it multiplies, an infinity or a NaN would spoil
all that it is added to; so an element goes through it as its words of two bytes, which are numbers:

    numbers = data as words                                         Vector, fp32
    sums = numbers, stationary, times an identity, moving           Tensor, two passes
    result as words = sums                                          Scalar
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple, cast

from xdsl.dialects.builtin import AnyFloat, FloatAttr
from xdsl.ir import Attribute, Operation, SSAValue

from nki_mlir.dialects.access import Engine, Space
from nki_mlir.dialects.instructions import Alu, Function
from nki_mlir.dialects.layout import Factor, Layout
from nki_mlir.dialects.neuron_mem import TileType
from nki_mlir.dialects.tile import enclosing_func
from nki_mlir.dialects.turns import BANKS, Passage, Turn, spreads, turns
from nki_mlir.dialects.ways import QUADRANT, Way, passage, shuffles
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.select_iota import emit_iota
from nki_mlir.passes.selector import Selector
from nki_mlir.passes.storage import Storage, collapse, narrowed

_IDENTITY, _ONES = "identity", "ones"
"""What is made once in a function, by the names of its tables."""


def shuffle(s: Selector, source: Storage, result: Storage, emit: Emitter) -> None:
    """Quadrants of the result, each from one of the source."""
    most = s.limits.free_dims
    for whole, first, start, height, mask in shuffles(result.type.sizes, source.elements, result.spots):
        for walk in narrowed(whole, lambda one: any(len(collapse(one.dims(n))) > most for n in (0, 1))):
            dst = result.view_from(emit, first, len(mask), collapse(walk.dims(0)), walk.starts[0].offset)
            src = source.view_from(emit, start, height, collapse(walk.dims(1)), walk.starts[1].offset)
            full = (*mask, *[0] * (QUADRANT - len(mask)))
            s.emit(emit, "nc_stream_shuffle", {"dst": dst, "src": src}, shuffle_mask=full)


def through_array(s: Selector, op: Operation, way: Way, source: Storage, result: Storage, emit: Emitter) -> None:
    """A convert by tensor, words or ones. What shares a bank of PSUM leaves it in one instruction; while it does, the
    array fills another bank."""
    through = passage(way, source.type.element_type, s.target)
    cut = spreads if way is Way.ONES else turns
    found = cut(result.type.sizes, source.elements, result.spots, through, s.limits)
    groups = [group for turn in found for group in through.groups(turn)]
    array = _Array(s, op, through, result.type.layout.partitions, way is Way.ONES, emit)
    slots = [array.slot(groups) for _ in groups[:BANKS]]
    for number, group in enumerate(groups):
        numbers, sums = slots[number % len(slots)]
        if numbers is None:
            array.turn_elements(group, source, sums)
        else:
            array.take_words(group, source, numbers)
            (array.spread if array.spreads else array.turn)(group, numbers, sums)
        array.leave(group, sums, result, through.leaves_by(number))


class _Slot(NamedTuple):
    """Where a group is on its way: its words, as numbers, and its sums in PSUM."""

    numbers: Storage | None
    sums: Storage


class _Array:
    """The instructions of one convert, whose result is on so many `lanes`: all of it, if it `spreads`."""

    def __init__(self, s: Selector, op: Operation, through: Passage, lanes: int, spreads: bool, emit: Emitter):
        self.s, self.op, self.through, self.emit = s, op, through, emit
        self.lanes, self.spreads = lanes, spreads

    def slot(self, groups: Sequence[Turn]) -> _Slot:
        """Room for any of the groups."""
        through = self.through
        height, numbers = max(g.height for g in groups), max(g.elements * through.words for g in groups)
        sums = max(g.number * g.height for g in groups) * through.words
        taken = self._room(through.data, height, numbers, Space.SBUF) if through.in_words else None
        return _Slot(taken, self._room(through.sums, self.lanes, sums, Space.PSUM))

    def _room(self, element: Attribute, lanes: int, elements: int, space: Space) -> Storage:
        layout = Layout.of((lanes, elements), [Factor(0, lanes)], [Factor(1, elements)])
        return self.s.temporary(TileType.of(space, layout, element), self.emit)

    def turn_elements(self, group: Turn, source: Storage, sums: Storage) -> None:
        """Block by block, whole elements."""
        data = source.part(self.through.data, 0)
        for number, start in enumerate(group.starts):
            operands = {
                "dst": sums.view_from(self.emit, 0, group.width, ((1, group.height),), number * group.height),
                "data": data.view_from(self.emit, 0, group.height, collapse(group.column_dims), start),
            }
            self.s.emit(self.emit, "nc_transpose", operands, Engine.TENSOR)

    def take_words(self, group: Turn, source: Storage, numbers: Storage) -> None:
        """Those of all elements, as numbers."""
        words, data = self.through.words, source.part(self.through.result, 0)
        operands = {
            "dst": numbers.view_from(self.emit, 0, group.height, ((1, group.elements * words),)),
            "src": data.view_from(self.emit, 0, group.height, collapse(group.read(words)), group.source * words),
        }
        self.s.emit(self.emit, "tensor_copy", operands, Engine.VECTOR)

    def turn(self, group: Turn, numbers: Storage, sums: Storage) -> None:
        """Word by word of each block."""
        words, height, width = self.through.words, group.height, group.width
        identity = self._identity().view_from(self.emit, 0, height, ((1, height),))
        for word, block in product(range(words), range(group.number)):
            first, taken = (block * words + word) * height, (word * group.number + block) * width
            data = numbers.view_from(self.emit, 0, height, ((1, width),), taken)
            dst = sums.view_from(self.emit, 0, width, ((1, height),), first)
            self._multiply(dst, data, identity, is_transpose=True)

    def spread(self, group: Turn, numbers: Storage, sums: Storage) -> None:
        """Word by word of all blocks, which are elements."""
        words, count = self.through.words, group.number
        ones = self._ones().view_from(self.emit, 0, 1, ((0, self.lanes),))
        for word in range(words):
            data = numbers.view_from(self.emit, 0, group.height, ((1, count),), word * count)
            dst = sums.view_from(self.emit, 0, self.lanes, ((words, count),), word)
            self._multiply(dst, ones, data, is_transpose=False)

    def _multiply(self, dst: SSAValue, stationary: SSAValue, moving: SSAValue, is_transpose: bool) -> None:
        operands: dict[str, SSAValue | None] = {"dst": dst, "stationary": stationary, "moving": moving}
        self.s.emit(self.emit, "nc_matmul", operands, is_transpose=is_transpose, **self.through.hints(not is_transpose))

    def leave(self, group: Turn, sums: Storage, result: Storage, by: Engine) -> None:
        """From PSUM to where the result is."""
        through, lanes = self.through, self.lanes if self.spreads else group.width
        words = result.part(through.result, 0)
        dst = words.view_from(self.emit, 0, lanes, collapse(group.written(through.words)), group.result * through.words)
        data = sums.view_from(self.emit, 0, lanes, ((1, group.number * group.height * through.words),))
        if through.as_bits:
            self.s.emit(self.emit, "tensor_copy", {"dst": dst, "src": data}, by)
        else:
            self.s.emit(self.emit, "activation", {"dst": dst, "data": data}, op=Function.COPY)

    def _identity(self) -> Storage:
        """As large as the array's rows; made once of a type."""
        size, element = self.s.limits.partitions, self.through.data
        found = self.s.tables.get((_IDENTITY, element))
        if found is None:
            layout, front = Layout.of((size, size), [Factor(0, size)], [Factor(1, size)]), self._front()
            found = self.s.empty(TileType.of(Space.SBUF, layout, element), "identity", front)
            self.s.tables[_IDENTITY, element] = found
            emit_iota(self.s, found, [1, -1], 0, front)
            zero = {"operand0": front.float(0.0)}
            self.s.over(front, "tensor_scalar", {"dst": found, "data": found}, zero, op0=Alu.EQUAL)
        return found

    def _ones(self) -> Storage:
        """One of them, which is read as often as need be; made once of a type."""
        element = self.through.data
        found = self.s.tables.get((_ONES, element))
        if found is None:
            type_, front = TileType.of(Space.SBUF, Layout.flat((1,)), element), self._front()
            found = self.s.tables[_ONES, element] = self.s.empty(type_, "ones", front)
            self.s.memset(found, FloatAttr(1.0, cast(AnyFloat, element)), front)
        return found

    def _front(self) -> Emitter:
        """In front of all loops."""
        func = enclosing_func(self.op)
        assert func is not None and func.body.block.first_op is not None
        return Emitter(Emitter.before(func.body.block.first_op).point, self.op.location)
