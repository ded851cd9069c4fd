"""emit-streams: the kernel as one instruction stream per engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, MemRefType, ModuleOp, NoneAttr
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation

from nki_mlir.analysis.indices import is_run_time, trip_count
from nki_mlir.analysis.lifetimes import lifetimes
from nki_mlir.analysis.limits import parts_of, varying
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Engine
from nki_mlir.dialects.dtypes import DTYPES, is_dtype
from nki_mlir.dialects.neuron_engine import EngineInstruction
from nki_mlir.dialects.neuron_engine_views import distance
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import ALIASES, arg_names
from nki_mlir.errors import CompileError
from nki_mlir.passes.level_pass import LevelPass, check_arguments, functions
from nki_mlir.passes.levels import ENGINE
from nki_mlir.passes.loop_cuts import cut
from nki_mlir.passes.stream_writer import Places, Writer

OpT = TypeVar("OpT", bound=Operation)


@dataclass(frozen=True)
class EmitStreams(LevelPass):
    """Deals the instructions out to their engines' streams; a loop becomes a repeat in each stream with work in it:

        for %i = 0 to 8 {                     stream sync { repeat 8 loop 0 { dma_copy … order 0 } }
          dma_copy sync …           =>        stream vector { repeat 8 loop 0 { tensor_scalar … order 1 } }
          tensor_scalar vector … }

    A stream in which limits change an instruction has the loop in several repeats, for the iterations in which they are
    the same; the others keep one:

        for %i = 0 to 8 {                                  repeat 7 loop 0 first 0 of 8 { … [0:128] … }
          dma_copy sync … limit dim 0 1000 - 128 * %i  =>  repeat 1 loop 0 first 7 of 8 { … [0:104] … }

    Views become physical access patterns: a buffer of `depth` slots is at `address + (iteration mod depth) * stride`. A
    matmul becomes load_stationary and multiply_moving. Transfers carry the number of the program of the grid that they
    belong to, where there are several. `order` and `loop` keep what insert-semaphores needs to know of
    program order. The module's function gives way to the program.
    """

    name = "emit-streams"
    levels = (ENGINE,)
    buffers = True

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            _cut_around_control(func)
            op.body.block.insert_ops_before([_program(func)], func)
            func.detach()
            func.erase()

    def emit(self, module: ModuleOp) -> ModuleOp:
        """The programs of a module that it takes, as a module of their own; the other one stays as it was."""
        if any(_to_cut(func) is not None for func in functions(module)):
            module = module.clone()
        for func in functions(module):
            _cut_around_control(func)
        made = ModuleOp([_program(func) for func in functions(module)], dict(module.attributes), module.sym_name)
        return _at(made, module)


def _cut_around_control(func: FuncOp) -> None:
    """Run-time control flow has one text in each stream: a loop around it is cut in all of them, where limits change
    with its counter."""
    while (found := _to_cut(func)) is not None:
        loop, firsts = found
        cut(loop, firsts, as_loops=True)


def _to_cut(func: FuncOp) -> tuple[ForOp, list[int]] | None:
    """A loop around run-time control flow, and the iterations at which it has to be cut."""
    ops = operations(func)
    if not any(is_run_time(op) for op in ops):
        return None
    for loop in [op for op in ops if isinstance(op, ForOp) and trip_count(op)]:
        inner = operations(loop)
        if any(is_run_time(op) for op in inner):
            instructions = [varying(op) for op in inner if isinstance(op, EngineInstruction)]
            parts = parts_of(loop, instructions, {})
            if len(parts) > 1:
                return loop, [part.first for part in parts[1:]]
    return None


def _program(func: FuncOp) -> isa.ProgramOp:
    places = Places(func)
    texts = {engine: Writer(places, engine).text() for engine in places.by_first()}
    streams = [_at(isa.StreamOp(engine, texts[engine]), func) for engine in Engine if texts.get(engine)]
    core = _at(isa.CoreOp(0, streams), func)
    held = [*_tensors(func), *_buffers(func), core]
    return _at(isa.ProgramOp(func.sym_name.data, held, places.grid, places.widths), func)


def _tensors(func: FuncOp) -> list[Operation]:
    check_arguments(func, (MemRefType,))
    names, groups = arg_names(func), func.attributes.get(ALIASES)
    numbers = list(groups.get_values()) if isinstance(groups, DenseArrayBase) else list(range(len(names)))
    ops: list[Operation] = []
    for name, argument, group in zip(names, func.body.block.args, numbers, strict=True):
        assert isinstance(argument.type, MemRefType)
        alias = group if numbers.count(group) > 1 else None
        ops.append(_at(_tensor(func, name, argument.type, cast(int | None, alias)), func))
    return ops


def _buffers(func: FuncOp) -> list[Operation]:
    ops: list[Operation] = []
    for life in lifetimes(func):
        alloc, buffer = life.alloc, life.alloc.buffer
        numbers = {
            "partitions": buffer.partitions,
            "address": life.address or 0,
            "bytes": buffer.bytes,
            "slots": alloc.depth.value.data,
            "first": life.first,
            "last": life.last,
        }
        stride = distance(alloc, target_of(alloc))
        if numbers["slots"] > 1 and stride != buffer.bytes:
            numbers["stride"] = stride
        if alloc.first_partition:
            numbers["start"] = alloc.first_partition
        label = alloc.label.data if alloc.label is not None else "buffer"
        ops.append(_at(isa.BufferOp.of(label, buffer.space.value, **numbers), alloc))
    return ops


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
