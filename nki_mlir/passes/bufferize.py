"""bufferize: tiles become buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ConditionOp, ForOp, IfOp, WhileOp, YieldOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.tile_spans import AFTER, AT, BEFORE, Places, Span, Times, tiles
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.layout import LayoutError
from nki_mlir.dialects.neuron_engine import (
    AllocOp,
    EmptyOp,
    EngineInstruction,
    ViewOp,
    instruction_op,
    view_of,
)
from nki_mlir.dialects.neuron_engine_views import buffer_of
from nki_mlir.dialects.neuron_mem_types import TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.walks import transfers, walks
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, check_arguments, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.select_movement import MOVES
from nki_mlir.passes.selector import QUEUES
from nki_mlir.passes.storage import Contents, Storage, rectangles
from nki_mlir.targets import Limits

_OF_TILES = EmptyOp | ViewOp | EngineInstruction | ForOp | IfOp | WhileOp | YieldOp | ConditionOp


@dataclass(frozen=True)
class Bufferize(LevelPass):
    """Gives tiles buffers, one to as many as can share it:

        %e = neuron.engine.empty "c"                        %c = neuron.engine.alloc "c"
        %v = neuron.engine.view %e                     =>   %v = neuron.engine.view %c
        %c = neuron.engine.memset … dst %v -> !tile         neuron.engine.memset … dst %v

    What an instruction writes to and what comes of it are one buffer. So are what a loop starts from, carries, and
    gives, and what both sides of an if yield; and an instruction that reads a tile for the last time, element by
    element, writes over it. Where a tile is still needed that would be written over, it is copied first; by transfers,
    where its partitions do not follow one another. A buffer stands in the innermost block that holds all that reaches
    it. What an engine makes beside something else, and nobody reads, has one for all of it, in front of everything: the
    engine writes there in order, and it takes no slots of what loops need.
    """

    name = "bufferize"
    levels = (ENGINE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            _check(func)
            _separate(func)
            plan = _Plan(func)
            _Rewriter(func, plan).run()


def _check(func: FuncOp) -> None:
    """Tiles are made, viewed and carried, and nothing else. Raises CompileError."""
    if any(isinstance(argument.type, TileType) for argument in func.body.block.args):
        check_arguments(func)
    for op in func.walk():
        if not isinstance(op, _OF_TILES) and tiles((*op.operands, *op.results)):
            raise CompileError.at(op, f"{op.name} is not an operation of {ENGINE}; it can't use or make a tile")


def _separate(func: FuncOp) -> None:
    """Gives each use of an empty tile one of its own, in front of it: there is nothing in it to share."""
    for empty in [op for op in operations(func) if isinstance(op, EmptyOp)]:
        for use in list(empty.result.uses):
            user, emit = use.operation, Emitter.before(use.operation)
            if isinstance(user, ViewOp):
                for inner in list(user.result.uses):
                    emit = Emitter.before(inner.operation)
                    own = emit.value(EmptyOp(tile_type(empty.result), _label(empty)))
                    inner.operation.operands[inner.index] = emit.value(
                        ViewOp(own, user.access, user.offset, user.limited)
                    )
                user.detach()
                user.erase()
            else:
                user.operands[use.index] = emit.value(EmptyOp(tile_type(empty.result), _label(empty)))
        empty.detach()
        empty.erase()


def _label(empty: EmptyOp) -> str | None:
    return None if empty.label is None else empty.label.data


class Copy(NamedTuple):
    """A tile that is copied to the place of another in front of an operation."""

    source: SSAValue
    to: SSAValue


class _Plan:
    """Which tiles share a place, and what is copied in front of which operation."""

    def __init__(self, func: FuncOp):
        self.times = Times(func)
        self.places = Places(self.times.spans)
        self.copies: dict[Operation, list[Copy]] = {}
        loops = [op for op in self.times.order if isinstance(op, ForOp | WhileOp)]
        for loop in loops:
            self._round(loop)
        instructions = [op for op in self.times.order if isinstance(op, EngineInstruction) and op.tiles]
        for op in instructions:
            self._written(op)
        for loop in loops:
            first = loop.body.block.args[1:] if isinstance(loop, ForOp) else loop.before_region.block.args
            self._hand(loop, loop.iter_args if isinstance(loop, ForOp) else loop.arguments, first)
        for op in self.times.order:
            self._ends(op)
        for op in instructions:
            self._in_place(op)

    def _round(self, loop: ForOp | WhileOp) -> None:
        """What a loop carries and what it gives in the end are one place."""
        inside = loop.body.block.args[1:] if isinstance(loop, ForOp) else loop.after_region.block.args
        for argument, result in zip(inside, loop.results, strict=True):
            if not isinstance(argument.type, TileType):
                raise CompileError.at(loop, f"{loop.name} of {ENGINE} carries tiles, not {argument.type}")
            joined = self.places.join(argument, result)
            assert joined, "a loop's result is made after the last use of what it carries"

    def _written(self, op: EngineInstruction) -> None:
        for view, tile in zip(_tile_views(op), op.tiles, strict=True):
            if self.places.join(view.source, tile):
                continue
            if tile_type(tile).is_psum:
                raise CompileError.at(op, "the sum in psum that this adds to has another use; it is written in place")
            self.copies.setdefault(op, []).append(Copy(view.source, tile))
            self.places.hold(tile, Span(self.times.of(op, BEFORE), self.times.of(op, AFTER)))

    def _ends(self, op: Operation) -> None:
        """What a body hands on goes where the next iteration, or the reader of the result, finds it."""
        match op:
            case ForOp():
                self._hand(op.body.block.last_op, tiles(_last(op.body.block).operands), op.body.block.args[1:])
            case WhileOp():
                before, after = op.before_region.block, op.after_region.block
                self._hand(before.last_op, tiles(_last(before).operands), after.args)
                self._hand(after.last_op, tiles(_last(after).operands), before.args)
            case IfOp():
                if any(not isinstance(result.type, TileType) for result in op.results):
                    raise CompileError.at(op, f"{op.name} of {ENGINE} yields tiles, not {op.results[0].type}")
                for region in (op.true_region, op.false_region):
                    for block in region.blocks:
                        self._hand(block.last_op, _last(block).operands, op.results)

    def _hand(self, at: Operation | None, values: Sequence[SSAValue], to: Sequence[SSAValue]) -> None:
        assert at is not None
        for value, place in zip(values, to, strict=True):
            if self.places.join(value, place):
                continue
            if tile_type(value).is_psum:
                raise CompileError.at(at, "a loop that carries sums in psum must add to each of them in place")
            self.copies.setdefault(at, []).append(Copy(value, place))
            self.places.hold(place, Span(self.times.of(at, BEFORE), self.times.of(at, AT)))

    def _in_place(self, op: EngineInstruction) -> None:
        """An instruction that makes a tile anew may write it over one that it reads for the last time: the fewer
        buffers there are, the more slots each can have, and who makes the next tile waits for none of this one."""
        views = _tile_views(op)
        if not views or not isinstance(views[0].source.owner, EmptyOp):
            return
        for operand in op.instruction.operands:
            read = view_of(op.operand_value(operand.name))
            if read is None or operand.role == "dst" or read.access != views[0].access:
                continue
            maker, alike = read.source.owner, read.source.type == op.tiles[0].type
            near = isinstance(maker, EngineInstruction) and maker.parent is op.parent
            if alike and near and self.places.join(read.source, op.tiles[0]):
                return


def _last(block: Block) -> Operation:
    assert block.last_op is not None
    return block.last_op


def _tile_views(op: EngineInstruction) -> list[ViewOp]:
    """The views of tiles that an instruction writes to, as many as it gives tiles."""
    return [view for view in op.written() if isinstance(view.source.type, TileType)]


class _Rewriter:
    """Carries out a plan."""

    def __init__(self, func: FuncOp, plan: _Plan):
        self.func, self.plan = func, plan
        self.buffers: dict[SSAValue, SSAValue] = {}
        self.rest: dict[Engine, list[SSAValue]] = {}

    def run(self) -> None:
        for root, members in self.plan.places.members.items():
            if (engine := _engine_of_rest(members)) is not None:
                self.rest.setdefault(engine, []).append(root)
            else:
                self.buffers[root] = self._allocate(members)
        for roots in self.rest.values():
            self.buffers |= dict.fromkeys(roots, self._allocate_rest(roots))
        for at, copies in self.plan.copies.items():
            self._copy(at, copies)
        for op in reversed(operations(self.func)):
            self._rewrite(op)

    def buffer(self, value: SSAValue) -> SSAValue:
        return self.buffers[self.plan.places.of(value)]

    def _allocate(self, members: list[SSAValue]) -> SSAValue:
        order = self.plan.times.order
        reach = (op for value in members for op in (_maker(value), *(use.operation for use in value.uses)) if op)
        first = min(reach, key=lambda op: order[op])
        emit = Emitter.before(first)
        tile = buffer_of(tile_type(members[0]))
        return emit.value(AllocOp(tile.space, tile.partitions, tile.bytes, _name(members, order)))

    def _allocate_rest(self, roots: Sequence[SSAValue]) -> SSAValue:
        """One place, in front of everything, for what an engine makes and nobody reads: it writes there in order."""
        made = [buffer_of(tile_type(root)) for root in roots]
        first = self.func.body.block.first_op
        assert first is not None
        emit = Emitter.before(first)
        emit.location = self.func.location
        partitions, size = max(one.partitions for one in made), max(one.bytes for one in made)
        return emit.value(AllocOp(made[0].space, partitions, size, "unread"))

    def _copy(self, at: Operation, copies: list[Copy]) -> None:
        """All at once: what lies where another is copied to goes by a place of its own."""
        emit, target = Emitter.before(at), target_of(at)
        places = {self.buffer(copy.to) for copy in copies}
        moves: list[tuple[SSAValue, SSAValue, TileType]] = []
        for copy in copies:
            source, type_ = self.buffer(copy.source), tile_type(copy.source)
            if source in places:
                held = buffer_of(type_)
                aside = emit.value(AllocOp(held.space, held.partitions, held.bytes, "copy"))
                _emit_copy(source, aside, type_, target.limits, emit)
                source = aside
            moves.append((source, self.buffer(copy.to), type_))
        for source, to, type_ in moves:
            _emit_copy(source, to, type_, target.limits, emit)
        if isinstance(at, EngineInstruction):
            self._redirect(at, {copy.source: copy.to for copy in copies}, emit)

    def _redirect(self, op: EngineInstruction, to: dict[SSAValue, SSAValue], emit: Emitter) -> None:
        """Makes an instruction write to the copies of what it wrote to."""
        given = [o for o in op.instruction.operands if op.operand_value(o.name) is not None]
        for place, operand in enumerate(given):
            view = view_of(op.operand_value(operand.name))
            if operand.role == "dst" and view is not None and view.source in to:
                op.operands[place] = emit.value(
                    ViewOp(self.buffer(to[view.source]), view.access, view.offset, view.limited)
                )

    def _rewrite(self, op: Operation) -> None:
        match op:
            case ViewOp() if isinstance(op.source.type, TileType):
                op.operands[0] = self.buffer(op.source)
            case EngineInstruction() if op.tiles and self._copies_itself(op):
                op.detach()
                op.erase(safe_erase=False)
            case EngineInstruction() if op.tiles:
                bare = type(op).create(operands=op.operands, properties=op.properties, attributes=op.attributes)
                self._replace(op, bare)
            case ForOp() if op.iter_args:
                _forget(op.body.block, 1, 0)
                region = op.detach_region(op.body)
                self._replace(op, ForOp(op.lb, op.ub, op.step, [], region))
            case WhileOp() if op.arguments or op.results:
                _forget(op.before_region.block, 0, 1)
                _forget(op.after_region.block, 0, 0)
                before, after = (op.detach_region(region) for region in list(op.regions))
                self._replace(op, WhileOp([], [], before, after))
            case IfOp() if op.results:
                for block in (b for region in op.regions for b in region.blocks):
                    _forget(block, 0, 0)
                true, false = (op.detach_region(region) for region in list(op.regions))
                self._replace(op, IfOp(op.cond, [], true, false))
            case EmptyOp():
                op.detach()
                op.erase(safe_erase=False)
            case _:
                pass

    def _copies_itself(self, op: EngineInstruction) -> bool:
        """Whether a copy finds what it copies where it would put it."""
        if not op.is_a("tensor_copy"):
            return False
        dst, src = (view_of(op.operand_value(name)) for name in ("dst", "src"))
        if dst is None or src is None or (dst.access, dst.offset) != (src.access, src.offset):
            return False
        tiles = all(isinstance(view.source.type, TileType) for view in (dst, src))  # no copy of it was made before
        return tiles and self.buffer(dst.source) is self.buffer(src.source)

    def _replace(self, op: Operation, bare: Operation) -> None:
        bare.attributes |= op.attributes
        Emitter.before(op).add(bare)
        op.detach()
        op.erase(safe_erase=False)


def _engine_of_rest(members: Sequence[SSAValue]) -> Engine | None:
    """The engine that makes, in SBUF, what nobody reads of what it makes together with something else."""
    made = [value for value in members if not isinstance(value.owner, EmptyOp)]
    op = made[0].owner if len(made) == 1 else None
    if not isinstance(op, EngineInstruction) or len(op.tiles) < 2 or made[0].uses or tile_type(made[0]).is_psum:
        return None
    return op.engine.data


def _maker(value: SSAValue) -> Operation | None:
    """The operation that first reaches the place of a value: none for an empty tile."""
    if isinstance(value.owner, Block):
        return value.owner.parent_op()
    return None if isinstance(value.owner, EmptyOp) else value.owner


def _name(members: Sequence[SSAValue], order: dict[Operation, int]) -> str | None:
    """What the first of the empty tiles is called, or an argument."""
    empties = [value.owner for value in members if isinstance(value.owner, EmptyOp)]
    if empties:
        return _label(min(empties, key=lambda empty: order[empty]))
    return next((value.name_hint for value in members if value.name_hint), None)


def _emit_copy(source: SSAValue, to: SSAValue, type_: TileType, limits: Limits, emit: Emitter) -> None:
    """By an engine, or by transfers where an engine would work on partitions between those of the tile."""
    dst, src = (Storage(Contents(buffer), type_, type_.layout.spots) for buffer in (to, source))
    try:
        found = list(rectangles(limits.free_dims, dst, src))
    except LayoutError:
        wholes = walks(type_.sizes, dst.spots, src.spots, anywhere=True)
        pieces = (walk for whole in wholes for walk in transfers(whole, limits.transfer_dims))
        for number, walk in enumerate(pieces):
            views = {"dst": dst.view(emit, walk, 0), "src": src.view(emit, walk, 1)}
            emit.add(instruction_op("dma_copy", MOVES, views, {"queue": number % QUEUES}))
        return
    for walk in found:
        views = {"dst": dst.view(emit, walk, 0), "src": src.view(emit, walk, 1)}
        emit.add(instruction_op("tensor_copy", None, views, {}))


def _forget(block: Block, arguments: int, operands: int) -> None:
    """Keeps the first arguments of a block, and the first operands of its end."""
    end = _last(block)
    end.operands = end.operands[:operands]
    for argument in reversed(block.args[arguments:]):
        block.erase_arg(argument, safe_erase=False)
