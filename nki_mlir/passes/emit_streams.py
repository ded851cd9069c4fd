"""emit-streams: the kernel as one instruction stream per engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, MemRefType, ModuleOp, NoneAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.scf import ForOp, IfOp, WhileOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from nki_mlir.analysis.indices import is_run_time, repeated_loops, trip_count
from nki_mlir.analysis.lifetimes import lifetimes, slot_bytes
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.dtypes import DTYPES, is_dtype
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions.tensor import LOADED
from nki_mlir.dialects.neuron_engine import ATOMIC, AllocOp, EngineInstruction, ScalarOp, ViewOp, constant_float
from nki_mlir.dialects.neuron_isa import Comparison
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import ALIASES, BeginProgramOp, arg_names
from nki_mlir.errors import CompileError
from nki_mlir.passes.level_pass import LevelPass, check_arguments
from nki_mlir.passes.levels import ENGINE, LEGAL
from nki_mlir.passes.needs import Needs, condition_of
from nki_mlir.passes.normalize_loops import counted, step_of
from nki_mlir.passes.stream import LESS, Stream, branch, is_computed, loop, loop_while

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
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in [inner for inner in op.body.block.ops if isinstance(inner, FuncOp)]:
            program = _Emission(func).program()
            program.location = func.location
            op.body.block.insert_ops_before([program], func)
            func.detach()
            func.erase()


class _Emission:
    """`order` numbers instructions, `loops` and `regions` loops and run-time control flow; `depths` gives the repeat
    depth of each enclosing loop's counter."""

    def __init__(self, func: FuncOp):
        self.func = func
        self.names = arg_names(func)
        self.needs = Needs(func)
        self.streams = {engine: Stream() for engine in Engine}
        self.order = self.loops = self.regions = 0
        self.program_now: BeginProgramOp | None = None
        self.grid: Sequence[int] = ()
        self.widths: Sequence[int] = ()
        self.depths: dict[SSAValue, int] = {}

    def program(self) -> isa.ProgramOp:
        self.block(self.func.body.block)
        made: list[Operation] = []
        for engine, stream in self.streams.items():
            if stream.levels[0]:
                made.append(_at(isa.StreamOp(engine, stream.levels[0]), self.func))
        core = _at(isa.CoreOp(0, made), self.func)
        return isa.ProgramOp(self.func.sym_name.data, [*self.tensors(), *self.buffers(), core], self.grid, self.widths)

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

    def block(self, block: Block) -> None:
        outer = self.program_now
        for op in block.ops:
            if isinstance(op, EngineInstruction):
                self.instruction(op)
            elif isinstance(op, BeginProgramOp):
                self.program_now, self.grid = op, op.grid.get_values()
                self.widths = op.widths.get_values() if op.widths is not None else ()
            elif isinstance(op, ScalarOp):
                self.scalar(op)
            elif is_run_time(op) or isinstance(op, ForOp):
                self.control(op)
            elif not LEGAL[ENGINE].allows(op.name) or isinstance(op, CallOp):
                raise CompileError.at(op, f"{op.name} is not an operation of {ENGINE} that a stream can hold")
            elif is_computed(op):
                for engine in self.needs.of(op.results[0]):
                    self.streams[engine].compute(op)
        self.program_now = outer

    def scalar(self, op: ScalarOp) -> None:
        """Every stream that needs it loads it."""
        if (view := op.view) is None:
            raise CompileError.at(op, "a scalar names a view of an allocation or of an argument of the kernel")
        for engine in self.needs.of(op.result):
            self.streams[engine].load(op.result, self.access(view, engine), self.order, op)
            self.order += 1

    def control(self, op: Operation) -> None:
        if op.results or (isinstance(op, WhileOp) and op.arguments):
            raise CompileError.at(op, f"{op.name} of {ENGINE} carries no values")
        match op:
            case IfOp():
                self.branch(op)
            case WhileOp():
                self.loop_while(op)
            case ForOp() if is_run_time(op):
                self.run_time_loop(op)
            case ForOp():
                self.loop(op)

    def loop(self, op: ForOp) -> None:
        low, step, trips = counted(op)
        if trips == 0:
            return
        number, self.loops = self.loops, self.loops + 1
        counter = op.body.block.args[0]
        depth = self.depths[counter] = len(self.depths)
        for stream in self.streams.values():
            stream.values[counter] = Expr.counter(depth) * step + low
            stream.open()
        self.block(op.body.block)
        del self.depths[counter]
        for stream in self.streams.values():
            body = stream.close()
            if body:
                stream.add(isa.RepeatOp(trips, body, number), op)

    # Run-time control flow.

    def region(self, op: Operation) -> tuple[int, list[Stream]]:
        """The number of a region, and the streams that take part in it."""
        number, self.regions = self.regions, self.regions + 1
        return number, [self.streams[engine] for engine in self.needs.parts[op]]

    def inside(self, block: Block, streams: Sequence[Stream]) -> None:
        for stream in streams:
            stream.open()
        self.block(block)

    def branch(self, op: IfOp) -> None:
        number, streams = self.region(op)
        conditions = [stream.operand(stream.value(op.cond, op), op) for stream in streams]
        sides: list[list[list[Operation]]] = []
        for region in (op.true_region, op.false_region):
            for block in region.blocks:
                self.inside(block, streams)
                sides.append([stream.close() for stream in streams])
        empty = [[] for _ in streams]
        for stream, condition, then, otherwise in zip(streams, conditions, *(*sides, empty)[:2], strict=True):
            stream.add(branch(Comparison.NE, condition, Expr(0), then, otherwise, number), op)

    def run_time_loop(self, op: ForOp) -> None:
        """Counts in a register, up to a number of iterations where it is the difference of a register and a constant;
        else for as long as it is below its bound."""
        number, streams = self.region(op)
        step, counter = step_of(op), op.body.block.args[0]
        bounds = [(stream.value(op.lb, op), stream.value(op.ub, op)) for stream in streams]
        if any(len((high - low).registers()) > 1 for low, high in bounds):
            self.loop_below(op, number, streams)
            return
        heads: list[tuple[int, Expr]] = []
        for stream, (low, high) in zip(streams, bounds, strict=True):
            trips = stream.operand(stream.flat((high - low + (step - 1)).floordiv(step), op), op)
            heads.append((stream.register(op), trips))
            stream.values[counter] = Expr.register(heads[-1][0]) * step + low
        self.inside(op.body.block, streams)
        for stream, (register, trips) in zip(streams, heads, strict=True):
            stream.add(loop(register, trips, stream.close(), number), op)

    def loop_below(self, op: ForOp, number: int, streams: Sequence[Stream]) -> None:
        counter, goes_on = op.body.block.args[0], list[int]()
        for stream in streams:
            low, high = (stream.operand(stream.value(value, op), op) for value in (op.lb, op.ub))
            stream.values[counter] = Expr.register(stream.move(low, op))
            stream.values[op.ub] = high
            goes_on.append(stream.register(op))
            stream.compare(LESS, stream.values[counter], high, op, goes_on[-1])
        self.inside(op.body.block, streams)
        for stream, register in zip(streams, goes_on, strict=True):
            counted, (count,) = stream.values[counter], stream.values[counter].registers()
            stream.alu(Alu.ADD, counted, Expr(step_of(op)), op, count)
            stream.compare(LESS, counted, stream.values[op.ub], op, register)
            stream.add(loop_while(register, stream.close(), number), op)

    def loop_while(self, op: WhileOp) -> None:
        """The condition is computed at the start of each iteration, whose rest is a branch."""
        number, streams = self.region(op)
        goes_on = [stream.move(Expr(1), op) for stream in streams]
        self.inside(op.before_region.block, streams)
        end = condition_of(op)
        for stream, register in zip(streams, goes_on, strict=True):
            stream.move(stream.operand(stream.value(end.condition, end), end), end, register)
        inner, self.regions = self.regions, self.regions + 1
        self.inside(op.after_region.block, streams)
        for stream, register in zip(streams, goes_on, strict=True):
            after = stream.close()
            stream.add(branch(Comparison.NE, Expr.register(register), Expr(0), after, [], inner), op)
            stream.add(loop_while(register, stream.close(), number), op)

    def instruction(self, op: EngineInstruction) -> None:
        operands: dict[str, Access | float | None] = {}
        stream = self.streams[op.engine.data]
        for operand in op.instruction.operands:
            value = op.operand_value(operand.name)
            if value is None:
                continue
            view = value.owner
            operands[operand.name] = (
                self.access(view, op.engine.data) if isinstance(view, ViewOp) else constant_float(value)
            )
        fields = dict(op.fields())
        for name in (f.name for f in op.instruction.fields if f.kind == "expr"):
            value = op.operand_value(name)
            fields[name] = None if value is None else isa.ExprAttr(stream.value(value, op))
        if parts := op.instruction.expands_to:
            loaded = {name: operands.pop(name) for name in LOADED if name in operands}
            self.add(op, parts[0], loaded, fields)
            self.add(op, parts[1], operands, fields)
        else:
            properties = {f.name: op.properties.get(f.name) for f in op.instruction.fields if f.kind != "expr"}
            made = self.add(op, op.instruction.name, operands, {**fields, **properties})
            if op.instruction.is_transfer and self.program_now is not None and ATOMIC not in op.attributes:
                made.properties["program"] = isa.ExprAttr(stream.value(self.program_now.number, op))

    def add(
        self, op: EngineInstruction, name: str, operands: dict[str, Access | float | None], fields: dict[str, object]
    ) -> isa.IsaInstruction:
        if (reason := _needs_descriptors(op, operands)) is not None:
            raise CompileError.at(op, reason)
        try:
            made = isa.instruction_op(name, operands, fields, order=self.order)
        except VerifyException as error:  # an address or a count that does not fit its field
            raise CompileError.at(op, f"{name}: {error}") from None
        self.order += 1
        return self.streams[op.engine.data].add(made, op)

    def access(self, view: ViewOp, engine: Engine) -> Access:
        offset = Expr(0) if view.offset is None else self.streams[engine].value(view.offset, view)
        address = offset * view.access.itemsize
        source = view.source
        if isinstance(source, BlockArgument) and source.block is self.func.body.block:
            return replace(view.access, address=address, tensor=self.names[source.index])
        alloc = source.owner
        if not isinstance(alloc, AllocOp):
            raise CompileError.at(view, "a view names an argument of the kernel or an allocation")
        if alloc.address is None:
            raise CompileError.at(alloc, "a buffer has no address; run allocate first")
        return replace(view.access, address=address + self.slot(alloc) + alloc.address.value.data)

    def slot(self, alloc: AllocOp) -> Expr:
        """The offset of the slot that this iteration uses: the iteration number of the enclosing nest, mod depth."""
        depth, iteration = alloc.depth.value.data, Expr(0)
        for outer in repeated_loops(alloc):
            iteration = iteration * (trip_count(outer) or 0) + Expr.counter(self.depths[outer.body.block.args[0]])
        return iteration.mod(depth) * slot_bytes(alloc, target_of(alloc))


def _needs_descriptors(op: EngineInstruction, operands: Mapping[str, Access | float | None]) -> str | None:
    """What is wrong with a transfer whose address is known at run time only: who makes its descriptors then?"""
    accesses = [access for access in operands.values() if isinstance(access, Access)]
    in_registers = any(access.address is not None and access.address.registers() for access in accesses)
    if not in_registers or not op.instruction.is_transfer or op.fields().get("dge_mode") in ("swdge", "hwdge"):
        return None
    hardware = ', or "hwdge" on sync or scalar' if target_of(op).features.hardware_descriptors else ""
    return f'an address of this transfer is known at run time only; it takes dge_mode "swdge" on gpsimd{hardware}'


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
