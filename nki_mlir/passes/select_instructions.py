"""select-instructions: every operation on tiles becomes machine instructions on buffers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i1
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Access, Dim, Engine, Space
from nki_mlir.dialects.dtypes import dtype, f32, i32
from nki_mlir.dialects.instructions import Alu, Function
from nki_mlir.dialects.neuron_engine import ViewOp
from nki_mlir.dialects.tile import Reduction, element_of
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.indices import constant
from nki_mlir.passes.level_pass import LevelPass, check_arguments
from nki_mlir.passes.levels import MEM
from nki_mlir.passes.names import labels
from nki_mlir.passes.normalize_loops import normalize_all
from nki_mlir.passes.select_elementwise import select_binary, select_choice
from nki_mlir.passes.select_matmul import accumulation, select_matmul
from nki_mlir.passes.selector import Handler, Selector, constant_attr, zero_of
from nki_mlir.passes.storage import Storage, collapse, free_position, pieces

LOADS, STORES = Engine.SYNC, Engine.GPSIMD
"""The sequencers that trigger DMA. They block in order, so loads and stores don't share one; SyncE and GpSimdE are
those that the guides suggest on trn1 (hardware.md 8.8)."""

REDUCING = {Reduction.MAX: Alu.MAXIMUM, Reduction.MIN: Alu.MINIMUM, Reduction.SUM: Alu.ADD}
EXACT_IN_FP32 = 2**24
BLOCK = 32


@dataclass(frozen=True)
class SelectInstructions(LevelPass):
    """Gives every tile a buffer and every operation its instructions, in program order:

        %c = neuron.mem.binary add %a, %b      =>   %buf = neuron.engine.alloc "c"
                                                    neuron.engine.tensor_tensor vector op add dst … data1 … data2 …

    Broadcasts and relabelled shapes are views. A tile that a loop carries is one buffer outside the loop. A load that
    is not wholly valid fills the rest. Transfers of an engine take its first rings in turn. What no engine does exactly
    is rejected by name.
    """

    name = "select-instructions"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        normalize_all(op)
        for func in [inner for inner in op.walk() if isinstance(inner, FuncOp)]:
            check_arguments(func)
            accumulations = {m: accumulation(m) for m in func.walk() if isinstance(m, mem.MatmulOp)}
            Selector(HANDLERS, accumulations, labels(func)).block(func.body.block)


def _load(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.LoadOp)
    storage = s.result(op, emit)
    valid = _static_extents(op, op.valid)
    if valid is not None:
        _pad(s, storage, valid, op.other or zero_of(storage.type.element_type), emit)
    for piece in pieces(storage, op.strides.get_values(), valid):
        chip = storage.view_from(emit, piece.start, piece.partitions, piece.chip, piece.chip_offset)
        hbm = _hbm_view(op.source, op.offset, piece.hbm, piece.hbm_offset, emit)
        s.transfer(emit, chip, hbm, LOADS)


def _pad(s: Selector, storage: Storage, valid: list[int], value: Attribute, emit: Emitter) -> None:
    """Fills what a load leaves: the end of one free dimension where only that is short, else the whole tile (an
    instruction can't start on just any partition)."""
    type_ = storage.type
    short = [d for d, size in enumerate(type_.sizes) if valid[d] < size]
    if len(short) != 1 or short[0] == type_.partition_dim or min(valid) == 0:
        s.memset(storage, value, emit)
        return
    position = free_position(type_, short[0])
    dims = storage.dims
    step, size = dims[position]
    dims[position] = (step, size - valid[short[0]])
    s.memset(storage, value, emit, storage.view(emit, dims, offset=step * valid[short[0]]))


def _store(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.StoreOp)
    storage = s.stored[op.value]
    for piece in pieces(storage, op.strides.get_values(), _static_extents(op, op.valid)):
        chip = storage.view_from(emit, piece.start, piece.partitions, piece.chip, piece.chip_offset)
        hbm = _hbm_view(op.dest, op.offset, piece.hbm, piece.hbm_offset, emit)
        s.transfer(emit, hbm, chip, STORES)


def _static_extents(op: Operation, valid: Sequence[SSAValue]) -> list[int] | None:
    if not valid:
        return None
    extents = [constant(v) for v in valid]
    if any(e is None for e in extents):
        raise CompileError.at(op, "a valid extent is not a constant; run peel-tails first")
    return [e for e in extents if e is not None]


def _hbm_view(memory: SSAValue, offset: SSAValue, dims: Sequence[Dim], extra: int, emit: Emitter) -> SSAValue:
    if dtype(element_of(memory)).kind == "bool":
        raise CompileError("arrays of truth values (i1) are not supported in HBM; pass uint8")
    if extra:
        offset = emit.value(arith.AddiOp(offset, emit.index(extra)))
    return emit.value(ViewOp(memory, Access(Space.HBM, element_of(memory), tuple(dims)), offset))


def _fill(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.FillOp)
    s.memset(s.result(op, emit), constant_attr(op.value), emit)


def _iota(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.IotaOp)
    offset = constant(op.offset)
    if offset is None:
        raise CompileError.at(op, "indices used as values may not change with a loop counter or a program id")
    _emit_iota(s, op, s.result(op, emit), list(op.strides.get_values()), offset, emit)


def _emit_iota(s: Selector, op: Operation, storage: Storage, strides: list[int], offset: int, emit: Emitter) -> None:
    type_ = storage.type
    highest = abs(offset) + sum(abs(stride) * (size - 1) for stride, size in zip(strides, type_.sizes, strict=True))
    if type_.element_type != i32 and highest >= EXACT_IN_FP32:
        raise CompileError.at(op, f"indices up to {highest} are not exact in fp32, which holds integers below 2^24")
    per_partition = 0 if type_.partition_dim is None else strides[type_.partition_dim]
    pattern: list[int] = []
    if type_.fold > 1:
        pattern += [per_partition, type_.fold]
    for d, size in enumerate(type_.sizes):
        if d != type_.partition_dim:
            pattern += [strides[d], size]
    s.emit(
        emit,
        "iota",
        {"dst": storage.view(emit)},
        pattern=tuple(pattern) or (0, 1),
        offset=offset,
        channel_multiplier=per_partition * type_.fold,
    )


def _mask(s: Selector, op: Operation, emit: Emitter) -> None:
    """All true, or the indices of each bounded dimension compared with its extent."""
    assert isinstance(op, mem.MaskOp)
    result = s.result(op, emit)
    extents = _static_extents(op, op.valid) or []
    bounded = [d for d, size in enumerate(result.type.sizes) if extents[d] < size]
    if not bounded:
        s.memset(result, IntegerAttr(1, i1), emit)
    for number, d in enumerate(bounded):
        indices = s.temporary(result.type.with_element(f32), emit)
        strides = [int(d == other) for other in range(len(result.type.sizes))]
        _emit_iota(s, op, indices, strides, 0, emit)
        within = result if number == 0 else s.temporary(result.type, emit)
        operands = {"dst": within.view(emit), "data": indices.view(emit), "operand0": emit.float(float(extents[d]))}
        s.emit(emit, "tensor_scalar", operands, op0=Alu.LESS)
        if number:
            both = {"dst": result.view(emit), "data1": result.view(emit), "data2": within.view(emit)}
            s.emit(emit, "tensor_tensor", both, op=Alu.LOGICAL_AND)


def _unary(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.UnaryOp)
    source = s.stored[op.source]
    if dtype(source.type.element_type).kind != "float":
        raise CompileError.at(
            op, f"{op.function.data} of {source.type.element_type} is not supported; convert to a float"
        )
    s.emit(emit, "activation", {"dst": s.result(op, emit).view(emit), "data": source.view(emit)}, op=op.function.data)


def _move(s: Selector, op: Operation, emit: Emitter) -> None:
    """PSUM leaves through the Scalar engine, which leaves the Vector engine to the arithmetic that follows."""
    assert isinstance(op, mem.MoveOp)
    if isinstance(op.source.owner, mem.AccumulatorOp):
        s.memset(s.result(op, emit), zero_of(f32), emit)  # a sum of no products; PSUM itself holds anything
        return
    source = s.stored[op.source]
    s.emit(emit, "activation", {"dst": s.result(op, emit).view(emit), "data": source.view(emit)}, op=Function.COPY)


def _cast(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.CastOp)
    source, result = s.stored[op.source], s.result(op, emit)
    narrow, wide = dtype(result.type.element_type), dtype(source.type.element_type)
    if wide.kind in ("int", "uint") and narrow.kind in ("int", "uint") and wide.bytes > narrow.bytes:
        raise CompileError.at(op, f"{wide.name} to {narrow.name} would saturate, not wrap; it is not supported")
    if result.type.element_type == i1 and source.type.element_type != i1:
        operands = {"dst": result.view(emit), "data": source.view(emit), "operand0": emit.float(0.0)}
        s.emit(emit, "tensor_scalar", operands, op0=Alu.NOT_EQUAL)
    else:
        s.emit(emit, "tensor_copy", {"dst": result.view(emit), "src": source.view(emit)})


def _reduce(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.ReduceOp)
    source, result = s.stored[op.source], s.result(op, emit)
    element = source.type.element_type
    if dtype(element).kind != "float":
        raise CompileError.at(op, f"reductions of {element} are not exact on the Vector engine, which sums in fp32")
    last = free_position(source.type, op.axis.value.data)
    kept = [dim for position, dim in enumerate(source.dims) if position != last]
    pattern = (*(d for d in collapse(kept) if d[1] != 1), source.dims[last])
    access = Access(source.type.space.data, element, pattern, 0, source.type.partitions)
    data = emit.value(ViewOp(source.buffer, access))
    s.emit(emit, "tensor_reduce", {"dst": result.view(emit), "data": data}, op=REDUCING[op.kind.data], axes=1)


def _broadcast(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.BroadcastOp)
    s.stored[op.result] = s.stored[op.source].broadcast(mem.tile_type(op.result))


def _relabel(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.RelabelOp)
    s.stored[op.result] = s.stored[op.source].relabelled(mem.tile_type(op.result))


def _transpose(s: Selector, op: Operation, emit: Emitter) -> None:
    """32 x 32 blocks on the Vector engine, which moves bits: a transpose by matmul would spread NaN and infinity."""
    assert isinstance(op, mem.TransposeOp)
    source, result = s.stored[op.source], s.result(op, emit)
    step = source.steps[0]
    for row in range(0, source.type.partitions, BLOCK):
        rows = min(BLOCK, source.type.partitions - row)
        for column in range(0, result.type.partitions, BLOCK):
            columns = min(BLOCK, result.type.partitions - column)
            data = source.view_from(emit, row, rows, [(step, columns)], column * step)
            dst = result.view_from(emit, column, columns, [(1, rows)], row)
            s.emit(emit, "nc_transpose", {"dst": dst, "data": data})


def _accumulator(s: Selector, op: Operation, emit: Emitter) -> None:
    s.result(op, emit)


def _matmul(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.MatmulOp)
    if not op.acc.has_one_use():
        raise CompileError.at(op, "the sum that a matmul adds to has another use; it is written in place")
    s.stored[op.result] = s.stored[op.acc]
    condition = s.accumulations[op].condition(op, emit)
    select_matmul(s.stored[op.lhs], s.stored[op.rhs], s.stored[op.acc], op, condition, emit)


def _loop(s: Selector, op: Operation, emit: Emitter) -> None:
    """The loop without carried values: each has a buffer, written at the end of an iteration."""
    assert isinstance(op, ForOp)
    old = op.body.block
    for init, inside, result in zip(op.iter_args, old.args[1:], op.results, strict=True):
        storage = s.stored[init]
        if storage.type.is_psum and not init.has_one_use():
            raise CompileError.at(op, "the sum that this loop adds to has another use; it is written in place")
        if not storage.type.is_psum and not _is_own(init, op):
            fresh = Storage.allocate(mem.tile_type(inside), inside.name_hint or s.labels[result], emit)
            s.emit(emit, "tensor_copy", {"dst": fresh.view(emit), "src": storage.view(emit)})
            storage = fresh
        s.stored[inside] = s.stored[result] = storage
    block = Block(arg_types=[old.args[0].type])
    block.args[0].name_hint = old.args[0].name_hint
    old.args[0].replace_all_uses_with(block.args[0])
    new = emit.add(ForOp(op.lb, op.ub, op.step, [], Region(block)))
    terminator = old.last_op
    assert isinstance(terminator, YieldOp) and new.body.block is block
    yielded = list(terminator.operands)
    terminator.operands = []
    for inner in list(block.ops):
        inner.detach()
        inner.erase()
    for inner in list(old.ops):
        inner.detach()
        block.add_op(inner)
    s.block(block)
    s.current = s.labels.get(op.results[0], "") if op.results else ""
    _write_back(s, yielded, list(old.args[1:]), Emitter.before(terminator))


def _is_own(init: SSAValue, loop: ForOp) -> bool:
    """Whether the loop may write into the initial value's buffer: it is made anew for it, and nothing else reads it."""
    made = init.owner
    return isinstance(made, mem.FillOp | mem.LoadOp) and made.parent is loop.parent and init.has_one_use()


def _write_back(s: Selector, yielded: list[SSAValue], arguments: list[SSAValue], emit: Emitter) -> None:
    """Copies what an iteration yields to the carried buffers; through temporaries where it is another carried value."""
    moves = [(s.stored[v], s.stored[a]) for v, a in zip(yielded, arguments, strict=True)]
    moves = [(src, dst) for src, dst in moves if src.buffer is not dst.buffer]
    if any(dst.type.is_psum for _, dst in moves):
        raise CompileError.at(emit.location, "a loop that carries sums in psum must add to each of them in place")
    carried = {s.stored[a].buffer for a in arguments}
    staged: list[tuple[Storage, Storage]] = []
    for src, dst in moves:
        if src.buffer in carried:
            copy = s.temporary(dst.type, emit)
            s.emit(emit, "tensor_copy", {"dst": copy.view(emit), "src": src.view(emit)})
            src = copy
        staged.append((src, dst))
    for src, dst in staged:
        s.emit(emit, "tensor_copy", {"dst": dst.view(emit), "src": src.view(emit)})


HANDLERS: Mapping[type[Operation], Handler] = {
    mem.LoadOp: _load,
    mem.StoreOp: _store,
    mem.FillOp: _fill,
    mem.IotaOp: _iota,
    mem.MaskOp: _mask,
    mem.UnaryOp: _unary,
    mem.BinaryOp: select_binary,
    mem.SelectOp: select_choice,
    mem.CastOp: _cast,
    mem.BroadcastOp: _broadcast,
    mem.RelabelOp: _relabel,
    mem.ReduceOp: _reduce,
    mem.TransposeOp: _transpose,
    mem.AccumulatorOp: _accumulator,
    mem.MatmulOp: _matmul,
    mem.MoveOp: _move,
    ForOp: _loop,
}
