"""carried-indices: indices and pointers that a loop carries become 32-bit numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, ModuleOp, UnitAttr, i32
from xdsl.dialects.scf import ConditionOp, ForOp, WhileOp, YieldOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from nki_mlir.analysis.induction import Addend, addends
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.words import has_words, is_made_of, makes_number
from nki_mlir.dialects import tile
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder


@dataclass(frozen=True)
class CarriedIndices(LevelPass):
    """What a loop carries is data, and so are the indices among it that are no `start + i * step`: they become integers
    of 32 bits, pointers their distance from where they start.

        %q = scf.while (%p = %start) {             %d = scf.while (%n = 0 : i32) {
          scf.condition(%c) %p } do {                scf.condition(%c) %n } do {
          … %p …                            =>       %p = tile.add_ptr %start, %n … %p …
          %next = tile.add_ptr %p, %step             %next = %n + %step
          scf.yield %next }                          scf.yield %next : i32 }
                                                   %q = tile.add_ptr %start, %d

    A tensor all of whose elements move by the same is carried as one number. The conversion back to an index has the
    attribute `tile.carried` where no integers of data go into the index: what is made of it is taken to fit 32 bits as
    well. Left alone: pointers that are set anew in an iteration. Rejected: loaded integers of 64 bits.
    """

    name = "carried-indices"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for loop in reversed([found for found in operations(op) if isinstance(found, ForOp | WhileOp)]):
            _narrow(loop)


def _narrow(loop: ForOp | WhileOp) -> None:
    inits, columns = list(_inits(loop)), _columns(loop)
    found: dict[int, _Narrowed] = {}
    for number, (start, *arguments) in enumerate(columns):
        one = _Narrowed.of(loop, start, _end(loop).operands[number], arguments[-1])
        if one is not None:
            inits[number], found[number] = one.begin(), one
            _end(loop).operands[number] = one.rename(arguments, number)
    if found:
        _rebuild(loop, inits, found)


def _inits(loop: ForOp | WhileOp) -> Sequence[SSAValue]:
    return loop.iter_args if isinstance(loop, ForOp) else loop.arguments


def _blocks(loop: ForOp | WhileOp) -> list[Block]:
    return [loop.body.block] if isinstance(loop, ForOp) else [loop.before_region.block, loop.after_region.block]


def _end(loop: ForOp | WhileOp) -> YieldOp:
    end = _blocks(loop)[-1].last_op
    assert isinstance(end, YieldOp)
    return end


def _columns(loop: ForOp | WhileOp) -> list[tuple[SSAValue, ...]]:
    """What goes round: its start, and its names in the blocks. Of a while, if its condition hands on just what it is
    given."""
    blocks, inits = _blocks(loop), _inits(loop)
    if isinstance(loop, WhileOp):
        condition = blocks[0].last_op
        assert isinstance(condition, ConditionOp)
        if list(condition.args) != list(blocks[0].args):
            return []
    names = [block.args[len(block.args) - len(inits) :] for block in blocks]
    return list(zip(inits, *names, strict=True))


@dataclass(frozen=True)
class _Narrowed:
    """A variable that is to be carried as a number: itself or, where `moves` are given, what was added to its start.
    `is_index` says that no integers of data go into it, `shape` is that of the number."""

    loop: ForOp | WhileOp
    start: SSAValue
    moves: tuple[Addend, ...] | None
    is_index: bool
    shape: tuple[int, ...]

    @classmethod
    def of(cls, loop: ForOp | WhileOp, start: SSAValue, yielded: SSAValue, argument: SSAValue) -> _Narrowed | None:
        """None for what is no index and no pointer, and for a pointer that does not just move."""
        element, shape = tile.element_of(start), tile.shape_of(start)
        is_pointer = isinstance(element, tile.PtrType)
        if not is_pointer and not isinstance(element, IndexType):
            return None
        is_index = not is_pointer and not any(is_made_of(value, makes_number) for value in (start, yielded))
        found = addends(yielded, argument) if is_pointer or shape else None
        if found is None:
            return None if is_pointer else cls(loop, start, None, is_index, shape)
        uniform = all(isinstance(move.value.owner, tile.SplatOp) for move in found)
        return cls(loop, start, tuple(found), is_index, () if uniform else shape)

    def begin(self) -> SSAValue:
        """What the loop starts from."""
        build = TileBuilder(Emitter.before(self.loop))
        return self._number(self.start, build) if self.moves is None else build.number(0, i32, self.shape)

    def rename(self, arguments: Sequence[SSAValue], number: int) -> SSAValue:
        """Gives the variable's users in the body what they know it as; what an iteration makes of it, as a number."""
        carried: SSAValue | None = None
        for argument in arguments:
            assert isinstance(argument, BlockArgument)
            block = argument.block
            carried = block.insert_arg(tile.with_shape(i32, self.shape), argument.index)
            if isinstance(end := block.last_op, ConditionOp):
                end.operands[1 + number] = carried
            first = block.first_op
            assert first is not None
            emit = Emitter(InsertPoint.before(first), self.loop.location)
            argument.replace_all_uses_with(self.restored(carried, emit, argument.name_hint))
            block.erase_arg(argument)
        assert carried is not None
        return self._next(carried, _end(self.loop).operands[number], TileBuilder(Emitter.before(_end(self.loop))))

    def restored(self, number: SSAValue, emit: Emitter, name: str | None) -> SSAValue:
        """The variable, of the number that stands for it."""
        build, shape = TileBuilder(emit), tile.shape_of(self.start)
        value = build.cast(number, IndexType())
        if self.is_index and isinstance(value.owner, tile.CastOp):
            value.owner.attributes[tile.CARRIED] = UnitAttr()
        if self.moves is not None:
            amount = value if self.shape == shape else build.splat(value, shape)
            is_pointer = isinstance(tile.element_of(self.start), tile.PtrType)
            value = emit.value((tile.AddPtrOp if is_pointer else arith.AddiOp)(self.start, amount))
        value.name_hint = name
        return value

    def _next(self, number: SSAValue, yielded: SSAValue, build: TileBuilder) -> SSAValue:
        if self.moves is None:
            return self._number(yielded, build)
        total = build.cast(number, IndexType())
        for move in self.moves:
            value = move.value
            if self.shape != tile.shape_of(value):
                assert isinstance(value.owner, tile.SplatOp)
                value = value.owner.value
            value = build.cast(value, IndexType())
            total = build.subtract(total, value) if move.negative else build.add(total, value)
        return self._number(total, build)

    def _number(self, value: SSAValue, build: TileBuilder) -> SSAValue:
        if has_words(value):
            raise CompileError.at(
                self.loop,
                "a loop that carries an index or a sum of loaded int64 numbers is not supported; convert them to int32",
            )
        return build.cast(value, i32)


def _rebuild(loop: ForOp | WhileOp, inits: Sequence[SSAValue], found: Mapping[int, _Narrowed]) -> None:
    """The loop over the numbers, and the variables behind it."""
    regions = [loop.detach_region(region) for region in list(loop.regions)]
    new: Operation
    if isinstance(loop, ForOp):
        new = ForOp(loop.lb, loop.ub, loop.step, inits, *regions)
    else:
        new = WhileOp(inits, [value.type for value in inits], *regions)
    new.attributes.update(loop.attributes)
    emit = Emitter.before(loop)
    emit.add(new)
    for number, (old, result) in enumerate(zip(loop.results, new.results, strict=True)):
        if number not in found:
            result.name_hint = old.name_hint
            old.replace_all_uses_with(result)
        elif old.uses:
            old.replace_all_uses_with(found[number].restored(result, emit, old.name_hint))
    loop.detach()
    loop.erase()
