"""What must precede what in a function of `neuron.engine`, before there are streams: its instructions as the steps of
`program_order`, over addresses that stand for its buffers until `allocate` gives them theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, cast

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, SSAValue

from nki_mlir.analysis.dependences import Dependences
from nki_mlir.analysis.indices import constant, enclosing_loops, trip_count
from nki_mlir.analysis.limits import boxes_of, left_of
from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.program_order import MOST_ELEMENTS, Loop, Spans, Step, in_order
from nki_mlir.dialects.access import Access, Space
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import BY_NAME
from nki_mlir.dialects.instructions.dma import INDEX_OPERANDS
from nki_mlir.dialects.instructions.tensor import LOADED
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp
from nki_mlir.dialects.neuron_engine_views import distance, extent
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import ALIASES, arg_names
from nki_mlir.errors import CompileError


@dataclass(eq=False)
class EngineStep(Step):
    """An operation of `neuron.engine`, or half of a matmul. `part` is the instruction of the machine that it is."""

    part: str = ""

    @property
    def name(self) -> str:
        return self.part

    @cached_property
    def is_dma(self) -> bool:
        return cast(EngineInstruction, self.op).instruction.is_transfer

    @cached_property
    def is_matmul(self) -> bool:
        return BY_NAME[self.part].array == "multiply"


def dependences_of(func: FuncOp) -> Dependences:
    """Which instruction must have completed before which, and how many iterations before. After `allocate` these are
    the edges that semaphores will carry. Before, two buffers have no byte in common; the slots of one come round with
    its depth.

    Loops have constant bounds. Raises CompileError, also for other control flow.
    """
    return Dependences(list[Step](steps_of_function(func)), aliases_of(func))


def steps_of_function(func: FuncOp) -> list[EngineStep]:
    """All instructions in program order. A matmul is two, as on the machine: a load of weights and a product. What
    limits cut in some iterations is a step for each extent."""
    collection = _Collection(func)
    collection.block(func.body.block, ())
    return in_order(collection.steps)


def aliases_of(func: FuncOp) -> dict[str, int]:
    """The arguments that may share memory with others, with the number of their group."""
    names, groups = arg_names(func), func.attributes.get(ALIASES)
    numbers = [int(n) for n in groups.get_values()] if isinstance(groups, DenseArrayBase) else []
    return {name: n for name, n in zip(names, numbers, strict=False) if numbers.count(n) > 1}


class Place(NamedTuple):
    """Where a step stands: its number, its loops, and in which iterations of them."""

    order: int
    loops: tuple[Loop, ...]
    spans: Spans


@dataclass
class _Collection:
    """`values` gives each loop's counter as an expression of its iteration, `bases` where each buffer begins; `nest`
    has the loops around, `order` is the number of instructions so far."""

    func: FuncOp
    steps: list[EngineStep] = field(default_factory=list)
    loops: int = 0
    order: int = 0
    nest: list[ForOp] = field(default_factory=list)
    values: dict[SSAValue, Expr] = field(default_factory=dict)
    depths: dict[SSAValue, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names, self.bases = arg_names(self.func), _bases(self.func)

    def block(self, block: Block, loops: tuple[Loop, ...]) -> None:
        for op in block.ops:
            if isinstance(op, ForOp):
                self.loop(op, loops)
            elif isinstance(op, EngineInstruction):
                self.instruction(op, loops)
            elif op.regions:
                raise CompileError.at(op, f"{op.name} is control flow whose order is not known")

    def loop(self, op: ForOp, loops: tuple[Loop, ...]) -> None:
        trips, low, step = trip_count(op), constant(op.lb), constant(op.step)
        if trips is None or low is None or step is None:
            raise CompileError.at(op, "order is known of loops with constant bounds; this one's are not")
        if trips == 0:
            return
        counter, number = op.body.block.args[0], self.loops
        self.loops += 1
        self.values[counter], self.depths[counter] = Expr.counter(len(loops)) * step + low, len(loops)
        self.nest.append(op)
        self.block(op.body.block, (*loops, Loop(number, trips)))
        self.nest.pop()

    def instruction(self, op: EngineInstruction, loops: tuple[Loop, ...]) -> None:
        for spans, ranges in boxes_of(op, self.nest):
            if (found := left_of(op, ranges)) is None:
                continue
            accesses = {name: self.access(view, *found[name]) for name, view in op.views().items()}
            if parts := op.instruction.expands_to:
                loaded = {name: access for name, access in accesses.items() if name in LOADED}
                self.add(op, parts[0], loaded, Place(self.order, loops, spans))
                accesses = {name: access for name, access in accesses.items() if name not in LOADED}
                self.add(op, parts[1], accesses, Place(self.order + 1, loops, spans))
            else:
                self.add(op, op.instruction.name, accesses, Place(self.order, loops, spans))
        self.order += len(op.instruction.expands_to) or 1

    def add(self, op: EngineInstruction, part: str, accesses: Mapping[str, Access], place: Place) -> None:
        order, loops, spans = place
        transfers = op.instruction.is_transfer
        step = EngineStep(op, op.engine.data, order, loops, transfers=transfers, spans=spans, part=part)
        indirect = any(name in accesses for name in INDEX_OPERANDS)
        for name, access in accesses.items():
            operand = op.instruction.operand(name)
            touched = _anywhere(access) if indirect and not access.on_chip else access
            if operand.role == "dst":
                step.writes.append(touched)
            if operand.role != "dst" or operand.partial or "dst_rmw_op" in op.properties:
                step.reads.append(touched)
        self.steps.append(step)

    def access(self, view: ViewOp, access: Access, offset: Expr) -> Access:
        """With its address, or as all of its tensor or slot where its offset is known at run time only."""
        source = view.source
        known = all(key in self.values for key in offset.counters())
        address = offset.substitute(dict(self.values)) * access.itemsize
        if isinstance(source.owner, Block):
            named = replace(access, tensor=self.names[self.func.body.block.args.index(source)])
            return replace(named, address=address) if known else _anywhere(named)
        alloc = source.owner
        if not isinstance(alloc, AllocOp):
            raise CompileError.at(view, "a view names an argument of the kernel or an allocation")
        start = self.slot(alloc) + self.bases[alloc]
        if known:
            return replace(access, address=start + address)
        return replace(access, address=start, dims=((1, max(1, alloc.buffer.bytes // access.itemsize)),))

    def slot(self, alloc: AllocOp) -> Expr:
        """The offset of the slot that an iteration uses: its number in the enclosing nest, mod the depth."""
        iteration = Expr(0)
        for loop in enclosing_loops(alloc):
            counter = Expr.counter(self.depths[loop.body.block.args[0]])
            iteration = iteration * (trip_count(loop) or 0) + counter
        return iteration.mod(alloc.depth.value.data) * distance(alloc, target_of(alloc))


def _anywhere(access: Access) -> Access:
    """What a side may touch whose place in its tensor is known at run time only."""
    return replace(access, address=Expr(0), dims=((1, MOST_ELEMENTS),))


def _bases(func: FuncOp) -> dict[AllocOp, int]:
    """The addresses of buffers; of those that have none yet, places of their own behind all others."""
    allocs = [op for op in operations(func) if isinstance(op, AllocOp)]
    sizes = {a: extent(a, target_of(a)) for a in allocs}
    found = {a: a.address.value.data for a in allocs if a.address is not None}
    ends = dict.fromkeys(Space, 0)
    for alloc, base in found.items():
        ends[alloc.buffer.space] = max(ends[alloc.buffer.space], base + sizes[alloc])
    for alloc in allocs:
        if alloc not in found:
            found[alloc] = ends[alloc.buffer.space]
            ends[alloc.buffer.space] += sizes[alloc]
    return found
