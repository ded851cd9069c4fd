"""select-instructions: every operation on tiles becomes machine instructions on buffers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, ModuleOp, i1
from xdsl.dialects.scf import ConditionOp, ForOp, IfOp, WhileOp, YieldOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.access import Dim
from nki_mlir.dialects.dtypes import dtype, f32
from nki_mlir.dialects.instructions import BITWISE, Alu, Function
from nki_mlir.dialects.layout import LayoutError, Spot
from nki_mlir.dialects.neuron_engine import ScalarOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.walks import Start, Walk, walks
from nki_mlir.dialects.ways import Way
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, check_arguments, functions
from nki_mlir.passes.levels import MEM
from nki_mlir.passes.names import labels
from nki_mlir.passes.normalize_loops import normalize_all
from nki_mlir.passes.select_control import select_branch, select_end, select_loop, select_while
from nki_mlir.passes.select_elementwise import select_binary, select_choice
from nki_mlir.passes.select_integers import WIDENING, convert, is_integer, reduce_integers
from nki_mlir.passes.select_iota import select_iota
from nki_mlir.passes.select_masks import select_mask
from nki_mlir.passes.select_matmul import accumulation, matmul_operands
from nki_mlir.passes.select_movement import move_lanes, turn_blocks
from nki_mlir.passes.select_pieces import select_empty, select_insert, select_slice
from nki_mlir.passes.select_scans import COMBINING, select_flip, select_last, select_scan
from nki_mlir.passes.select_transfers import select_load, select_store
from nki_mlir.passes.select_turns import shuffle, through_array
from nki_mlir.passes.selector import Handler, Selector, constant_attr, zero_of
from nki_mlir.passes.storage import check_lanes, collapse, narrowed
from nki_mlir.passes.terms import Terms

_READ_PSUM = (mem.UnaryOp, mem.BinaryOp, mem.CastOp)
"""Operations whose instructions read PSUM as well as SBUF."""

_FEW = 2
"""More readers would keep the banks from the next product for long."""


@dataclass(frozen=True)
class SelectInstructions(LevelPass):
    """Gives every operation its instructions, in program order, as values:

        %c = neuron.mem.binary add %a, %b   =>   %e = neuron.engine.empty "c"
                                                 %v = neuron.engine.view %e
                                                 %c = neuron.engine.tensor_tensor vector op add dst %v data1 … data2 …

    Broadcasts and relabelled shapes are views. Loops and ifs carry and yield tiles as before. A load that is not wholly
    valid fills the rest. Transfers of an engine take its first rings in turn; those whose address is known at run time
    only have descriptors made then. What no engine does exactly is rejected by name.
    """

    name = "select-instructions"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        normalize_all(op)
        for func in functions(op):
            check_arguments(func)
            accumulations = {m: accumulation(m) for m in operations(func) if isinstance(m, mem.MatmulOp)}
            terms = Terms(func, accumulations)
            Selector(HANDLERS, accumulations, terms, labels(func), target_of(func)).block(func.body.block)


def _fill(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.FillOp)
    s.memset(s.result(op, emit), constant_attr(op.value), emit)


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
    if source.type.is_psum and not _is_reduced(op.result):
        s.banked.add(source.contents)
    match op.by.data if op.by is not None else None:
        case Way.NOTHING:
            s.stored[op.result] = source.converted(mem.tile_type(op.result))
        case Way.COPY if source.type.is_psum and _is_read_there(op):
            s.stored[op.result] = source
        case Way.COPY if source.type.is_psum:
            s.over(emit, "activation", {"dst": s.result(op, emit), "data": source}, op=Function.COPY)
        case Way.COPY:
            s.over(emit, "tensor_copy", {"dst": s.result(op, emit), "src": source})
        case Way.VECTOR:
            turn_blocks(s, source, s.result(op, emit), emit)
        case Way.SHUFFLE:
            shuffle(s, source, s.result(op, emit), emit)
        case Way.TENSOR | Way.WORDS | Way.ONES as way:
            through_array(s, op, way, source, s.result(op, emit), emit)
        case Way.DMA:
            move_lanes(s, source, s.result(op, emit), emit)
        case _:
            raise CompileError.at(op, "a convert has no way; run lower-converts first")


def _is_reduced(value: SSAValue) -> bool:
    """Whether something reads whole rows of a tile, or of what is computed of it: banks are not ready by themselves."""
    readers = {use.operation for use in value.uses}
    if any(isinstance(reader, mem.ReduceOp) for reader in readers):
        return True
    return any(_is_reduced(reader.results[0]) for reader in readers if isinstance(reader, (*_READ_PSUM, mem.SelectOp)))


def _is_read_there(op: mem.ConvertOp) -> bool:
    """Whether a sum that leaves PSUM is left there for the few instructions that read it, of which the Scalar engine,
    which would copy it, has one. Where the Vector engine has them all, it goes on with a copy: there is but one port to
    PSUM for the two (docs/hardware.md#ports)."""
    readers = [use.operation for use in op.result.uses]
    layout = mem.tile_type(op.source).layout
    return (
        layout == mem.tile_type(op.result).layout
        and layout.elements > 1
        and op.source.has_one_use()
        and len(readers) <= _FEW
        and all(isinstance(reader, _READ_PSUM) and reader.parent is op.parent for reader in readers)
        and any(isinstance(reader, mem.UnaryOp | mem.CastOp) for reader in readers)
    )


def _cast(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.CastOp)
    source, result = s.stored[op.source], s.result(op, emit)
    if result.type.element_type == i1 and source.type.element_type != i1:
        zero = {"operand0": emit.float(0.0)}
        s.over(emit, "tensor_scalar", {"dst": result, "data": source}, zero, op0=Alu.NOT_EQUAL)
    elif is_integer(source.type.element_type) and is_integer(result.type.element_type):
        convert(s, source, result, emit)
    elif source.type.is_psum:
        s.over(emit, "activation", {"dst": result, "data": source}, op=Function.COPY)
    else:
        s.over(emit, "tensor_copy", {"dst": result, "src": source})


def _bitcast(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.BitcastOp)
    s.stored[op.result] = s.stored[op.source].part(mem.tile_type(op.result).element_type, 0)


def _reduce(s: Selector, op: Operation, emit: Emitter) -> None:
    """The reduced dimension is walked last. Where it is no one rectangle, the results of several are combined."""
    assert isinstance(op, mem.ReduceOp)
    source, alu, axis = s.stored[op.source], COMBINING[op.kind.data], op.axis.value.data
    element = source.type.element_type
    if is_integer(element) and alu not in BITWISE and (alu in WIDENING or dtype(element).bytes == 4):
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
            into = result if first or partial is None else partial
            inner = len(collapse(walk.dims(1, lambda dim: dim == axis)))
            s.emit(emit, "tensor_reduce", {"dst": into.view(emit, walk, 0, dims), "data": data}, op=alu, axes=inner)
            if not first:
                total, more = result.view(emit, walk, 0, dims), into.view(emit, walk, 0, dims)
                s.emit(emit, "tensor_tensor", {"dst": total, "data1": total, "data2": more}, op=alu)


def _reduced(walk: Walk, axis: int) -> list[Dim]:
    """The dimensions of what is reduced, the axis last."""
    outer = [dim for dim in collapse(walk.dims(1, lambda dim: dim != axis)) if dim[1] != 1]
    return [*outer, *collapse(walk.dims(1, lambda dim: dim == axis))]


def _broadcast(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.BroadcastOp)
    s.stored[op.result] = s.stored[op.source].broadcast(mem.tile_type(op.result))


def _relabel(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.RelabelOp)
    source = s.stored[op.source]
    try:
        s.stored[op.result] = source.relabelled(mem.tile_type(op.result))
    except LayoutError:
        stored = s.temporary(source.type, emit)
        s.over(emit, "tensor_copy", {"dst": stored, "src": source})
        s.stored[op.result] = stored.relabelled(mem.tile_type(op.result))


def _accumulator(s: Selector, op: Operation, emit: Emitter) -> None:
    s.result(op, emit)


def _matmul(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.MatmulOp)
    s.stored[op.result] = s.stored[op.acc]
    condition = s.accumulations[op].condition(op, emit)
    lhs, rhs, acc = (s.stored[value] for value in (op.lhs, op.rhs, op.acc))
    operands = matmul_operands(lhs, rhs, acc, op, condition, s.terms.ends.get(op), emit)
    s.emit(emit, "nc_matmul", operands)


def _scalar(s: Selector, op: Operation, emit: Emitter) -> None:
    assert isinstance(op, mem.ScalarOp)
    element = s.stored[op.source].view_from(emit, 0, 1, collapse(()))
    number = emit.value(ScalarOp.create(operands=[element], result_types=[IndexType()]))
    if op.result.type == i1:
        number = emit.value(arith.CmpiOp(number, emit.index(0), "ne"))
    op.result.replace_all_uses_with(number)


HANDLERS: Mapping[type[Operation], Handler] = {
    mem.LoadOp: select_load,
    mem.StoreOp: select_store,
    mem.FillOp: _fill,
    mem.IotaOp: select_iota,
    mem.MaskOp: select_mask,
    mem.UnaryOp: _unary,
    mem.BinaryOp: select_binary,
    mem.SelectOp: select_choice,
    mem.CastOp: _cast,
    mem.BitcastOp: _bitcast,
    mem.BroadcastOp: _broadcast,
    mem.RelabelOp: _relabel,
    mem.ReduceOp: _reduce,
    mem.LastOp: select_last,
    mem.ScanOp: select_scan,
    mem.FlipOp: select_flip,
    mem.EmptyOp: select_empty,
    mem.SliceOp: select_slice,
    mem.InsertOp: select_insert,
    mem.AccumulatorOp: _accumulator,
    mem.MatmulOp: _matmul,
    mem.ConvertOp: _convert,
    mem.ScalarOp: _scalar,
    ForOp: select_loop,
    IfOp: select_branch,
    WhileOp: select_while,
    YieldOp: select_end,
    ConditionOp: select_end,
}
