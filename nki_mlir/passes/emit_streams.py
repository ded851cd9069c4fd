"""emit-streams: the kernel as one instruction stream per engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, MemRefType, ModuleOp, NoneAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from nki_mlir.analysis.indices import enclosing_loops, expr_of, trip_count
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.dtypes import DTYPES, is_dtype
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions.tensor import LOADED
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ViewOp, constant_float
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import ALIASES, BeginProgramOp, arg_names
from nki_mlir.errors import CompileError
from nki_mlir.passes.allocate import lifetimes
from nki_mlir.passes.level_pass import LevelPass, check_arguments
from nki_mlir.passes.levels import ENGINE, LEGAL
from nki_mlir.passes.multi_buffer import slot_bytes
from nki_mlir.passes.normalize_loops import counted

OpT = TypeVar("OpT", bound=Operation)


@dataclass(frozen=True)
class EmitStreams(LevelPass):
    """Deals the instructions out to their engines' streams; a loop becomes a repeat in each stream with work in it:

        for %i = 0 to 8 {                     stream sync { repeat 8 loop 0 { dma_copy … order 0 } }
          dma_copy sync …           =>        stream vector { repeat 8 loop 0 { tensor_scalar … order 1 } }
          tensor_scalar vector … }

    Views become physical access patterns: a buffer of `depth` slots is at `address + (iteration mod depth) * bytes`. A
    matmul becomes load_stationary and multiply_moving. Transfers carry the number of the program of the grid that they
    belong to, where there are several. `order` and `loop` keep what insert-semaphores needs to know of
    program order. The module's function gives way to the program.
    """

    name = "emit-streams"
    levels = (ENGINE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in [inner for inner in op.body.block.ops if isinstance(inner, FuncOp)]:
            program = _Emission(func).program()
            program.location = func.location
            op.body.block.insert_ops_before([program], func)
            func.detach()
            func.erase()


@dataclass
class _Stream:
    """The instructions of one engine so far: `open` is the block list that the next one goes to, one level a repeat."""

    levels: list[list[Operation]] = field(default_factory=lambda: [[]])


class _Emission:
    """`values` gives a loop's counter as an expression of its repeat's, which counts iterations."""

    def __init__(self, func: FuncOp):
        self.func = func
        self.names = arg_names(func)
        self.streams: dict[Engine, _Stream] = {engine: _Stream() for engine in Engine}
        self.order = 0
        self.loops = 0
        self.program_now: BeginProgramOp | None = None
        self.grid: Sequence[int] = ()
        self.values: dict[SSAValue, Expr] = {}

    def program(self) -> isa.ProgramOp:
        self.block(self.func.body.block, {})
        made: list[Operation] = []
        for engine, stream in self.streams.items():
            if stream.levels[0]:
                made.append(_at(isa.StreamOp(engine, stream.levels[0]), self.func))
        core = _at(isa.CoreOp(0, made), self.func)
        return isa.ProgramOp(self.func.sym_name.data, [*self.tensors(), *self.buffers(), core], self.grid)

    def tensors(self) -> list[Operation]:
        check_arguments(self.func, (MemRefType,))
        groups = self.func.attributes.get(ALIASES)
        numbers = list(groups.get_values()) if isinstance(groups, DenseArrayBase) else list(range(len(self.names)))
        ops: list[Operation] = []
        for name, argument, group in zip(self.names, self.func.body.block.args, numbers, strict=True):
            assert isinstance(argument.type, MemRefType)
            alias = group if numbers.count(group) > 1 else None
            ops.append(_at(_tensor(self.func, name, argument.type, cast(int | None, alias)), self.func))
        return ops

    def buffers(self) -> list[Operation]:
        ops: list[Operation] = []
        for life in lifetimes(self.func):
            alloc, buffer = life.alloc, life.alloc.buffer
            numbers = {
                "partitions": buffer.partitions,
                "address": life.address or 0,
                "bytes": buffer.bytes,
                "slots": alloc.depth.value.data,
                "first": life.first,
                "last": life.last,
            }
            stride = slot_bytes(alloc, target_of(alloc))
            if numbers["slots"] > 1 and stride != buffer.bytes:
                numbers["stride"] = stride
            label = alloc.label.data if alloc.label is not None else "buffer"
            ops.append(_at(isa.BufferOp.of(label, buffer.space.value, **numbers), alloc))
        return ops

    def block(self, block: Block, counters: Mapping[SSAValue, int]) -> None:
        """`counters` gives the repeat depth of each enclosing loop's counter."""
        for op in block.ops:
            if isinstance(op, ForOp):
                self.loop(op, counters)
            elif isinstance(op, EngineInstruction):
                self.instruction(op, counters)
            elif isinstance(op, BeginProgramOp):
                self.program_now, self.grid = op, op.grid.get_values()
            elif not LEGAL[ENGINE].allows(op.name) or isinstance(op, CallOp):
                raise CompileError.at(op, f"{op.name} is not an operation of {ENGINE} that a stream can hold")

    def loop(self, op: ForOp, counters: Mapping[SSAValue, int]) -> None:
        low, step, trips = counted(op)
        if op.iter_args:
            raise CompileError.at(op, "a loop of neuron.engine carries no values")
        if trips == 0:
            return
        number, self.loops = self.loops, self.loops + 1
        counter = op.body.block.args[0]
        self.values[counter] = Expr.counter(len(counters)) * step + low
        for stream in self.streams.values():
            stream.levels.append([])
        outer = self.program_now
        self.block(op.body.block, {**counters, counter: len(counters)})
        self.program_now = outer
        for stream in self.streams.values():
            body = stream.levels.pop()
            if body:
                stream.levels[-1].append(_at(isa.RepeatOp(trips, body, number), op))

    def instruction(self, op: EngineInstruction, counters: Mapping[SSAValue, int]) -> None:
        operands: dict[str, Access | float | None] = {}
        for operand in op.instruction.operands:
            value = op.operand_value(operand.name)
            if value is None:
                continue
            view = value.owner
            operands[operand.name] = self.access(view, counters) if isinstance(view, ViewOp) else constant_float(value)
        fields = dict(op.fields())
        for name in (f.name for f in op.instruction.fields if f.kind == "expr"):
            value = op.operand_value(name)
            fields[name] = None if value is None else isa.ExprAttr(self.expr(expr_of(value), counters, op))
        if parts := op.instruction.expands_to:
            loaded = {name: operands.pop(name) for name in LOADED if name in operands}
            self.add(op, parts[0], loaded, fields)
            self.add(op, parts[1], operands, fields)
        else:
            properties = {f.name: op.properties.get(f.name) for f in op.instruction.fields if f.kind != "expr"}
            made = self.add(op, op.instruction.name, operands, {**fields, **properties})
            if op.instruction.is_transfer and self.program_now is not None:
                number = self.expr(expr_of(self.program_now.number), counters, op)
                made.properties["program"] = isa.ExprAttr(number)

    def add(
        self, op: EngineInstruction, name: str, operands: dict[str, Access | float | None], fields: dict[str, object]
    ) -> isa.IsaInstruction:
        try:
            made = isa.instruction_op(name, operands, fields, order=self.order)
        except VerifyException as error:  # an address or a count that does not fit its field
            raise CompileError.at(op, f"{name}: {error}") from None
        self.order += 1
        self.streams[op.engine.data].levels[-1].append(_at(made, op))
        return made

    def access(self, view: ViewOp, counters: Mapping[SSAValue, int]) -> Access:
        offset = Expr(0) if view.offset is None else expr_of(view.offset)
        address = self.expr(offset, counters, view) * view.access.itemsize
        source = view.source
        if isinstance(source, BlockArgument) and source.block is self.func.body.block:
            return replace(view.access, address=address, tensor=self.names[source.index])
        alloc = source.owner
        if not isinstance(alloc, AllocOp):
            raise CompileError.at(view, "a view names an argument of the kernel or an allocation")
        if alloc.address is None:
            raise CompileError.at(alloc, "a buffer has no address; run allocate first")
        return replace(view.access, address=address + self.slot(alloc, counters) + alloc.address.value.data)

    def slot(self, alloc: AllocOp, counters: Mapping[SSAValue, int]) -> Expr:
        """The offset of the slot that this iteration uses: the iteration number of the enclosing nest, mod depth."""
        depth, iteration = alloc.depth.value.data, Expr(0)
        for loop in enclosing_loops(alloc):
            iteration = iteration * (trip_count(loop) or 0) + Expr.counter(counters[loop.body.block.args[0]])
        return iteration.mod(depth) * slot_bytes(alloc, target_of(alloc))

    def expr(self, expr: Expr, counters: Mapping[SSAValue, int], op: Operation) -> Expr:
        if not all(key in counters for key in expr.counters()):
            raise CompileError.at(op, "an offset depends on something that is not a loop counter")
        return expr.substitute({key: self.values[key] for key in counters})


def _tensor(func: FuncOp, name: str, type_: MemRefType, alias: int | None) -> isa.TensorOp:
    """An argument as the machine holds it, which is bytes: the dialects above allow more types than it has."""
    if type_.layout != NoneAttr() or type_.memory_space != NoneAttr():
        reason = "it is the whole of an array in HBM, row by row, without layout or memory space"
    elif any(size < 0 for size in type_.get_shape()):
        reason = "its shape must be known"
    elif not is_dtype(type_.element_type):
        reason = f"the machine has the element types {', '.join(d.name for d in DTYPES)}"
    else:
        return isa.TensorOp(name, type_, alias)
    raise CompileError.at(func, f"argument '{name}' is {type_}; {reason}")


def _at(op: OpT, source: Operation) -> OpT:
    op.location = source.location
    return op
