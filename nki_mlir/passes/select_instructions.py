"""select-instructions: every operation on tiles becomes machine instructions on buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp, i1
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, IfOp, WhileOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.indices import constant
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Access, Dim, Engine, Space
from nki_mlir.dialects.dtypes import dtype, f32
from nki_mlir.dialects.instructions import Alu, Function
from nki_mlir.dialects.layout import Spot
from nki_mlir.dialects.neuron_engine import ScalarOp, ViewOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import Reduction, element_of
from nki_mlir.dialects.walks import Start, Walk, walks
from nki_mlir.dialects.ways import Way
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, check_arguments
from nki_mlir.passes.levels import MEM
from nki_mlir.passes.names import labels
from nki_mlir.passes.normalize_loops import normalize_all
from nki_mlir.passes.select_control import select_branch, select_loop, select_while
from nki_mlir.passes.select_elementwise import select_binary, select_choice
from nki_mlir.passes.select_integers import convert, is_integer, reduce_integers
from nki_mlir.passes.select_iota import emit_iota, select_iota
from nki_mlir.passes.select_matmul import accumulation, select_matmul
from nki_mlir.passes.select_movement import move_lanes, transfers, turn_blocks
from nki_mlir.passes.selector import Fill, Handler, Selector, constant_attr, zero_of
from nki_mlir.passes.storage import Storage, check_lanes, collapse, narrowed

LOADS, STORES = Engine.SYNC, Engine.GPSIMD
"""The sequencers that trigger DMA. They block in order, so loads and stores don't share one; SyncE and GpSimdE are
those that the guides suggest on trn1 (docs/hardware.md#advice-to-compilers)."""

REDUCING = {Reduction.MAX: Alu.MAXIMUM, Reduction.MIN: Alu.MINIMUM, Reduction.SUM: Alu.ADD}


@dataclass(frozen=True)
class SelectInstructions(LevelPass):
    """Gives every tile a buffer and every operation its instructions, in program order:

        %c = neuron.mem.binary add %a, %b      =>   %buf = neuron.engine.alloc "c"
                                                    neuron.engine.tensor_tensor vector op add dst … data1 … data2 …

    Broadcasts and relabelled shapes are views. A tile that a loop carries, or an if yields, is one buffer outside. A
    load that is not wholly valid fills the rest. Transfers of an engine take its first rings in turn; those whose
    address is known at run time only have descriptors made then. What no engine does exactly is rejected by name.
    """

    name = "select-instructions"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        normalize_all(op)
        for func in [inner for inner in op.walk() if isinstance(inner, FuncOp)]:
            check_arguments(func)
            accumulations = {m: accumulation(m) for m in func.walk() if isinstance(m, mem.MatmulOp)}
            Selector(HANDLERS, accumulations, labels(func), target_of(func)).block(func.body.block)


def _load(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.LoadOp)
    storage = s.result(op, emit)
    valid = _static_extents(op, op.valid)
    if valid is not None:
        stands_for = None if op.other else "unspecified" if op.undefined is None else "undefined"
        _pad(s, storage, valid, Fill(op.other or zero_of(storage.type.element_type), stands_for), emit)
    strides = op.strides.get_values()
    for chip, hbm in _pieces(s, storage, storage.spots, op.source, op.offset, strides, valid, emit):
        s.transfer(emit, chip, hbm, *s.by_register(op.offset, LOADS))


def _pad(s: Selector, storage: Storage, valid: list[int], fill: Fill, emit: Emitter) -> None:
    """Fills what a load leaves: the end of one free dimension where only that is short, else the whole tile (an
    instruction can't start on just any partition)."""
    type_ = storage.type
    short = [d for d, size in enumerate(type_.sizes) if valid[d] < size]
    digits = type_.layout.digits(short[0]) if len(short) == 1 else []
    if len(digits) != 1 or digits[0].on_partitions or min(valid) == 0:
        s.memset(storage, fill, emit)
        return
    first = valid[short[0]]
    s.memset(storage.slice(short[0], first, type_.sizes[short[0]] - first), fill, emit)


def _store(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.StoreOp)
    valid = _static_extents(op, op.valid)
    storage, strides = s.stored[op.value], op.strides.get_values()
    for chip, hbm in _pieces(s, storage, storage.elements, op.dest, op.offset, strides, valid, emit):
        s.transfer(emit, hbm, chip, *s.by_register(op.offset, STORES))


def _pieces(
    s: Selector,
    storage: Storage,
    spots: Sequence[Spot],
    memory: SSAValue,
    offset: SSAValue,
    strides: Sequence[int],
    valid: Sequence[int] | None,
    emit: Emitter,
) -> Iterator[tuple[SSAValue, SSAValue]]:
    """The transfers that move the valid part of a tile, as far as `spots` go; its dimension `d` has stride `strides[d]`
    in HBM."""
    sizes = storage.type.sizes
    addresses = tuple(Spot(d, 1, size, False, strides[d]) for d, size in enumerate(sizes))
    for whole in walks(sizes if valid is None else valid, spots, addresses, anywhere=True):
        for walk in transfers(whole, s.limits):
            hbm = _hbm_view(memory, offset, collapse(walk.dims(1)), walk.starts[1].offset, emit)
            yield storage.view(emit, walk, 0), hbm


def _static_extents(op: Operation, valid: Sequence[SSAValue]) -> list[int] | None:
    if not valid:
        return None
    extents = [constant(v) for v in valid]
    if any(e is None for e in extents):
        raise CompileError.at(op, "a valid extent is not a constant; run peel-tails first")
    return [e for e in extents if e is not None]


def _hbm_view(memory: SSAValue, offset: SSAValue, dims: Sequence[Dim], extra: int, emit: Emitter) -> SSAValue:
    if dtype(element_of(memory)).kind == "bool":
        raise CompileError.at(emit.location, "arrays of truth values (i1) are not supported in HBM; pass uint8")
    if extra:
        offset = emit.value(arith.AddiOp(offset, emit.index(extra)))
    return emit.value(ViewOp(memory, Access(Space.HBM, element_of(memory), tuple(dims)), offset))


def _fill(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.FillOp)
    s.memset(s.result(op, emit), constant_attr(op.value), emit)


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
        emit_iota(s, indices, strides, 0, emit)
        within = result if number == 0 else s.temporary(result.type, emit)
        limit = {"operand0": emit.float(float(extents[d]))}
        s.over(emit, "tensor_scalar", {"dst": within, "data": indices}, limit, op0=Alu.LESS)
        if number:
            both = {"dst": result, "data1": result, "data2": within}
            s.over(emit, "tensor_tensor", both, op=Alu.LOGICAL_AND)


def _unary(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.UnaryOp)
    source = s.stored[op.source]
    if dtype(source.type.element_type).kind != "float":
        raise CompileError.at(
            op, f"{op.function.data} of {source.type.element_type} is not supported; convert to a float"
        )
    s.over(emit, "activation", {"dst": s.result(op, emit), "data": source}, op=op.function.data)


def _convert(s: Selector, op: Operation, emit: Emitter) -> None:
    """What leaves PSUM goes through the Scalar engine, which leaves the Vector engine to the arithmetic that
    follows."""
    assert isinstance(op, mem.ConvertOp)
    if isinstance(op.source.owner, mem.AccumulatorOp):
        s.memset(s.result(op, emit), zero_of(f32), emit)  # a sum of no products; PSUM itself holds anything
        return
    source = s.stored[op.source]
    match op.by.data if op.by is not None else None:
        case Way.NOTHING:
            s.stored[op.result] = source.converted(mem.tile_type(op.result))
        case Way.COPY if source.type.is_psum:
            s.over(emit, "activation", {"dst": s.result(op, emit), "data": source}, op=Function.COPY)
        case Way.COPY:
            s.over(emit, "tensor_copy", {"dst": s.result(op, emit), "src": source})
        case Way.VECTOR:
            turn_blocks(s, source, s.result(op, emit), emit)
        case Way.DMA:
            move_lanes(s, source, s.result(op, emit), emit)
        case _:
            raise CompileError.at(op, "a convert has no way; run lower-converts first")


def _cast(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.CastOp)
    source, result = s.stored[op.source], s.result(op, emit)
    if result.type.element_type == i1 and source.type.element_type != i1:
        zero = {"operand0": emit.float(0.0)}
        s.over(emit, "tensor_scalar", {"dst": result, "data": source}, zero, op0=Alu.NOT_EQUAL)
    elif is_integer(source.type.element_type) and is_integer(result.type.element_type):
        convert(s, source, result, emit)
    else:
        s.over(emit, "tensor_copy", {"dst": result, "src": source})


def _reduce(s: Selector, op: Operation, emit: Emitter) -> None:
    """The reduced dimension is walked last. Where it is no one rectangle, the results of several are combined."""
    assert isinstance(op, mem.ReduceOp)
    source, alu, axis = s.stored[op.source], REDUCING[op.kind.data], op.axis.value.data
    element = source.type.element_type
    if is_integer(element) and (alu is Alu.ADD or dtype(element).bytes == 4):
        s.stored[op.result] = reduce_integers(s, alu, source, axis, mem.tile_type(op.result), emit)
        return
    result, done, partial = s.result(op, emit), set[Start](), None
    kept = tuple(spot._replace(dim=spot.dim + (spot.dim >= axis)) for spot in result.spots)
    spots = source.spots
    if not any(spot.dim == axis for spot in spots):
        spots = (*spots, Spot(axis, 1, source.type.sizes[axis], False, 0))  # one element, read over and over
    for whole in walks(source.type.sizes, kept, spots):
        check_lanes(whole)
        for walk in narrowed(whole, lambda one: len([*_reduced(one, axis)]) > s.limits.free_dims):
            data = source.view(emit, walk, 1, _reduced(walk, axis))
            dims = collapse(walk.dims(0, lambda dim: dim != axis))
            first = walk.starts[0] not in done
            done.add(walk.starts[0])
            if not first and partial is None:
                partial = s.temporary(result.type, emit)
            dst = (result if first or partial is None else partial).view(emit, walk, 0, dims)
            inner = len(collapse(walk.dims(1, lambda dim: dim == axis)))
            s.emit(emit, "tensor_reduce", {"dst": dst, "data": data}, op=alu, axes=inner)
            if not first:
                total = result.view(emit, walk, 0, dims)
                s.emit(emit, "tensor_tensor", {"dst": total, "data1": total, "data2": dst}, op=alu)


def _reduced(walk: Walk, axis: int) -> list[Dim]:
    """The dimensions of what is reduced, the axis last."""
    outer = [dim for dim in collapse(walk.dims(1, lambda dim: dim != axis)) if dim[1] != 1]
    return [*outer, *collapse(walk.dims(1, lambda dim: dim == axis))]


def _broadcast(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.BroadcastOp)
    s.stored[op.result] = s.stored[op.source].broadcast(mem.tile_type(op.result))


def _relabel(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.RelabelOp)
    s.stored[op.result] = s.stored[op.source].relabelled(mem.tile_type(op.result))


def _accumulator(s: Selector, op: Operation, emit: Emitter) -> None:
    s.result(op, emit)


def _matmul(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.MatmulOp)
    if not op.acc.has_one_use():
        raise CompileError.at(op, "the sum that a matmul adds to has another use; it is written in place")
    s.stored[op.result] = s.stored[op.acc]
    condition = s.accumulations[op].condition(op, emit)
    select_matmul(s.stored[op.lhs], s.stored[op.rhs], s.stored[op.acc], op, condition, emit)


def _scalar(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.ScalarOp)
    element = s.stored[op.source].view_from(emit, 0, 1, collapse(()))
    number = emit.value(ScalarOp.create(operands=[element], result_types=[IndexType()]))
    if op.result.type == i1:
        number = emit.value(arith.CmpiOp(number, emit.index(0), "ne"))
    op.result.replace_all_uses_with(number)


HANDLERS: Mapping[type[Operation], Handler] = {
    mem.LoadOp: _load,
    mem.StoreOp: _store,
    mem.FillOp: _fill,
    mem.IotaOp: select_iota,
    mem.MaskOp: _mask,
    mem.UnaryOp: _unary,
    mem.BinaryOp: select_binary,
    mem.SelectOp: select_choice,
    mem.CastOp: _cast,
    mem.BroadcastOp: _broadcast,
    mem.RelabelOp: _relabel,
    mem.ReduceOp: _reduce,
    mem.AccumulatorOp: _accumulator,
    mem.MatmulOp: _matmul,
    mem.ConvertOp: _convert,
    mem.ScalarOp: _scalar,
    ForOp: select_loop,
    IfOp: select_branch,
    WhileOp: select_while,
}
