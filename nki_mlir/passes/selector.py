"""What the handlers of select-instructions share: the walk, where each tile lies, constants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple, TypeAlias, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerAttr, IntegerType, i1
from xdsl.ir import Attribute, Block, Operation, SSAValue

from nki_mlir.analysis.constants import wrapped
from nki_mlir.analysis.indices import expr_of, is_known_early
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.layout import LayoutError
from nki_mlir.dialects.neuron_engine import EmptyOp, ViewOp, instruction_op, view_of
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.select_matmul import Accumulation
from nki_mlir.passes.storage import Contents, Storage, by_banks, rectangles, stored_type
from nki_mlir.passes.terms import Terms
from nki_mlir.targets import Target

Handler: TypeAlias = "Callable[[Selector, Operation, Emitter], None]"


QUEUES = 4
"""Rings of an engine that its transfers take in turn: one ring takes about one transfer per microsecond."""


class Fill(NamedTuple):
    """A constant, and what it stands for where that is no value of the program's: the field of memset."""

    value: Attribute
    stands_for: str | None = None


class Selector:
    """Rewrites operations in order, each by the handler of its class; `stored` says where each tile is, `places` of
    which place a value is the contents, `terms` which terms products leave out, `transfers` how many an engine has so
    far, `labels` what each tile is called, `current` the label of what is being made, `tables` which precomputed
    numbers there are, `guard` on what depends whether what an emitter inserts runs, `banked` are the places of what is
    computed bank by bank of PSUM. `ahead` are the contents of what inserts will give, where what is inserted is made in
    its place; `kept` those of tiles that the next instruction writes over which have other readers."""

    def __init__(
        self,
        handlers: Mapping[type[Operation], Handler],
        accumulations: Mapping[mem.MatmulOp, Accumulation],
        terms: Terms,
        labels: Mapping[SSAValue, str],
        target: Target,
    ):
        self.handlers, self.accumulations, self.terms, self.labels = handlers, accumulations, terms, labels
        self.target, self.limits = target, target.limits
        self.guard: tuple[Emitter, SSAValue] | None = None
        self.current = ""
        self.stored: dict[SSAValue, Storage] = {}
        self.places: dict[SSAValue, Contents] = {}
        self.tables: dict[tuple[object, ...], Storage] = {}
        self.banked: set[Contents] = set()
        self.ahead: dict[mem.InsertOp, Contents] = {}
        self.kept: dict[SSAValue, Contents] = {}
        self.transfers: Counter[Engine] = Counter()

    def block(self, block: Block) -> None:
        old: list[Operation] = []
        for op in list(block.ops):
            handler = self.handlers.get(type(op))
            if handler is not None:
                self.current = self.labels.get(op.results[0], "") if op.results else ""
                emit = Emitter.before(op)
                try:
                    with self.guarded(self._guard_ahead(op, emit), emit):
                        handler(self, op, emit)
                except LayoutError as reason:
                    raise CompileError.at(
                        op, f"{op.name} has no instruction for tiles that lie like {_layouts(op)}: {reason}"
                    ) from None
                if op.name.startswith("neuron.mem."):
                    old.append(op)
            elif op.regions or _uses_tiles(op):
                raise CompileError.at(op, f"{op.name} is not an operation of neuron.mem; it has no instruction")
        for op in reversed(old):
            op.detach()
            op.erase()

    def hold(self, value: SSAValue) -> Storage:
        """A place that holds a value."""
        storage = Storage.of(value)
        self.places[value] = storage.contents
        return storage

    def empty(self, type_: mem.TileType, label: str, emit: Emitter) -> Storage:
        """A new place that nobody wrote to."""
        return self.hold(emit.value(EmptyOp(type_, label)))

    def result(self, made: Operation | SSAValue, emit: Emitter) -> Storage:
        """A new place for an operation's result, or the one that it is inserted at."""
        value = made.results[0] if isinstance(made, Operation) else made
        self.stored[value] = self._inserted(value) or self.empty(mem.tile_type(value), self.labels[value], emit)
        return self.stored[value]

    def _inserted(self, value: SSAValue) -> Storage | None:
        """Where a value goes that is made for an insert alone, right behind it."""
        user = value.get_user_of_unique_use()
        if not isinstance(user, mem.InsertOp) or user.piece is not value:
            return None
        if not isinstance(value.owner, Operation) or user.parent is not value.owner.parent:
            return None
        tile, piece = self.stored.get(user.tile), user.over_values
        if tile is None or not tile.is_whole or tile.contents.value in self.kept or not piece.is_view:
            return None
        if not all(_is_before(scalar, value.owner) for scalar in user.scalars):
            return None
        if user.guard is not None and self.guard is None:
            return None
        self.ahead[user] = self.written_over(tile.contents.value)
        return replace(tile, contents=self.ahead[user]).piece(piece)

    def guard_of(self, op: mem.InsertOp, emit: Emitter) -> SSAValue | None:
        """An index that is above 0 where something is inserted; None where it always is."""
        return None if op.condition is None else emit.expr(op.condition)

    def _guard_ahead(self, op: Operation, emit: Emitter) -> SSAValue | None:
        """Of a load that is all valid, for an insert alone: it is needed only where that is done."""
        if not isinstance(op, mem.LoadOp) or op.is_partial or op.indices:
            return None
        user = op.result.get_user_of_unique_use()
        if not isinstance(user, mem.InsertOp) or user.piece is not op.result or user.parent is not op.parent:
            return None
        return self.guard_of(user, emit) if all(_is_before(scalar, op) for scalar in user.scalars) else None

    def written_over(self, value: SSAValue) -> Contents:
        """Contents that begin as a tile, which may have other readers."""
        self.kept.setdefault(value, self.places[value])
        self.places[value] = Contents(value)
        return self.places[value]

    def temporary(self, type_: mem.TileType, emit: Emitter) -> Storage:
        """A place for what is on the way to the present operation's result."""
        return self.empty(type_, f"{self.current} (temporary)" if self.current else "temporary", emit)

    def whole(self, value: SSAValue, emit: Emitter) -> SSAValue:
        """A tile as one value of its type, for loops and ifs: what its place holds, or a copy of what is a part or a
        repetition of that."""
        storage, type_ = self.stored[value], mem.tile_type(value)
        if not storage.is_whole or storage.type != type_:
            copy = self.temporary(type_, emit)
            self.over(emit, "tensor_copy", {"dst": copy, "src": storage})
            storage = copy
        return storage.contents.value

    @contextmanager
    def guarded(self, guard: SSAValue | None, emit: Emitter) -> Iterator[None]:
        """What `emit` inserts runs in those iterations only in which the guard, an index, is above 0. A dimension of
        one that it limits is part of each view, so that there is room for fewer others."""
        if guard is None:
            yield
            return
        outer = self.guard, self.limits
        self.guard = emit, guard
        self.limits = replace(self.limits, free_dims=self.limits.free_dims - 1, dma_dims=self.limits.dma_dims - 1)
        yield
        self.guard, self.limits = outer

    def _guarded(self, emit: Emitter, value: SSAValue | None) -> SSAValue | None:
        if self.guard is None or self.guard[0] is not emit or value is None or not isinstance(value.owner, ViewOp):
            return value
        view, access = value.owner, value.owner.access
        limits = (*view.limited, (len(access.counts), self.guard[1]))
        return emit.value(ViewOp(view.source, replace(access, dims=(*access.dims, (1, 1))), view.offset, limits))

    def emit(
        self,
        emit: Emitter,
        name: str,
        operands: Mapping[str, SSAValue | None],
        engine: Engine | None = None,
        **fields: object,
    ) -> Operation:
        reached = {operand: self._guarded(emit, value) for operand, value in operands.items()}
        op = emit.add(instruction_op(name, engine, reached, fields))
        read = [view.source for value in op.operands if (view := view_of(value)) is not None]
        assert all(v in self.places for v in read if isinstance(v.type, mem.TileType)), "a view of what was overwritten"
        written = [view.source for view in op.written() if isinstance(view.source.type, mem.TileType)]
        for before, after in zip(written, op.tiles, strict=True):
            self.places[after] = self.places.pop(before)
            self.places[after].value = after
            if before in self.kept:
                self.places[before] = self.kept.pop(before)
        return op

    def over(
        self,
        emit: Emitter,
        name: str,
        tiles: Mapping[str, Storage],
        columns: Mapping[str, Storage | SSAValue] | None = None,
        engine: Engine | None = None,
        **fields: object,
    ) -> None:
        """An instruction for each rectangle of the first of the tiles. What is `banked` is computed bank by bank of
        PSUM: each is ready, and free for the next product, by itself. `columns` are operands of one element for each
        partition, or constants."""
        banked = [n for n, tile in enumerate(tiles.values()) if tile.contents in self.banked]
        walks = rectangles(self.limits.free_dims, *tiles.values())
        if banked:
            self.banked.add(next(iter(tiles.values())).contents)
            walks = (one for walk in walks for one in by_banks(walk, banked[-1], self.limits.moving_free))
        for walk in walks:
            operands: dict[str, SSAValue | None] = {
                operand: tile.view(emit, walk, number) for number, (operand, tile) in enumerate(tiles.items())
            }
            for operand, column in (columns or {}).items():
                one = isinstance(column, Storage)
                operands[operand] = column.column(emit, walk.partitions(0)) if one else column
            self.emit(emit, name, operands, engine, **fields)

    def transfer(
        self,
        emit: Emitter,
        dst: SSAValue,
        src: SSAValue,
        engine: Engine,
        dge_mode: str | None = None,
        rows: SSAValue | None = None,
        skips: bool = False,
        in_turn: bool = True,
    ) -> Operation:
        """`rows` names the rows of the side in HBM; with `skips`, those that are none are left out. Queues share the
        DMA engines alike, so they are taken in turn only where order does not matter: a queue keeps it."""
        queue = self.transfers[engine] % QUEUES if in_turn else 0
        self.transfers[engine] += in_turn
        operands = {"dst": dst, "src": src, "vector_offset": rows}
        oob_mode = "skip" if skips else None
        return self.emit(emit, "dma_copy", operands, engine, queue=queue, dge_mode=dge_mode, oob_mode=oob_mode)

    def by_register(self, offset: SSAValue, engine: Engine) -> tuple[Engine, str | None]:
        """Which engine triggers a transfer, and who makes its descriptors: GpSimd, or the hardware where it can, if an
        offset is known at run time only."""
        if is_known_early(expr_of(offset)):
            return engine, None
        if self.target.features.hardware_descriptors and engine is Engine.SYNC:
            return engine, "hwdge"
        return Engine.GPSIMD, "swdge"

    def memset(self, storage: Storage, value: Attribute | Fill, emit: Emitter) -> None:
        """Sets all of a tile to a constant; padding too, where it is all that its place holds."""
        fill = value if isinstance(value, Fill) else Fill(value)
        number = number_for(fill.value, storage.type.element_type)
        if not storage.is_whole:
            self.over(emit, "memset", {"dst": storage}, value=number, stands_for=fill.stands_for)
            return
        layout = storage.type.layout
        view = storage.view_from(emit, 0, layout.partitions, ((1, layout.elements),))
        self.emit(emit, "memset", {"dst": view}, value=number, stands_for=fill.stands_for)


def _is_before(value: SSAValue, op: Operation) -> bool:
    """Whether a value is there in front of an operation, as it is somewhere behind in its block."""
    maker = value.owner
    return isinstance(maker, Block) or maker.parent is not op.parent or maker.is_before_in_block(op)


def _layouts(op: Operation) -> str:
    """The layouts of what an operation uses and makes."""
    tiles = (v.type for v in (*op.operands, *op.results) if isinstance(v.type, mem.TileType))
    return " and ".join(dict.fromkeys(str(type_.layout) for type_ in tiles))


def _uses_tiles(op: Operation) -> bool:
    return any(isinstance(value.type, mem.TileType) for value in (*op.operands, *op.results))


def number_for(value: Attribute, element_type: Attribute) -> Attribute:
    """A constant as the number that memset takes for the element type."""
    if isinstance(value, FloatAttr):
        return value
    assert isinstance(value, IntegerAttr)
    type_ = cast(IntegerType, stored_type(element_type))
    data = int(bool(value.value.data)) if element_type == i1 else wrapped(value.value.data, type_)
    return IntegerAttr(data, type_)


def zero_of(element_type: Attribute) -> Attribute:
    if dtype(element_type).kind == "float":
        return FloatAttr(0.0, cast(AnyFloat, element_type))
    return IntegerAttr(0, cast(IntegerType, stored_type(element_type)))


def constant_attr(value: SSAValue) -> Attribute:
    owner = value.owner
    if not isinstance(owner, arith.ConstantOp):
        where = owner if isinstance(owner, Operation) else owner.parent_op()
        assert where is not None
        raise CompileError.at(where, "a scalar operand of a tile operation must be a constant")
    return owner.value
