"""place: every tensor becomes a tile with a place on chip, every movement an operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    FloatAttr,
    IndexType,
    ModuleOp,
    StringAttr,
    TensorType,
    f32,
    i1,
    i64,
)
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.scf import ForOp, IfOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects import tile
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.dtypes import is_number
from nki_mlir.dialects.instructions import Alu, AluAttr, Function, FunctionAttr
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.footprint import ONE_PARTITION, check_product, check_tile, one_partition_reason
from nki_mlir.passes.indices import NotAffine, extents, index_tensor
from nki_mlir.passes.layout import Infeasible, Layout, choose_layouts, constant_source, is_data, is_placed
from nki_mlir.passes.level_pass import LevelPass, check_arguments
from nki_mlir.passes.levels import LEGAL, TILE

BINARY: dict[type[Operation], Alu] = {
    arith.AddfOp: Alu.ADD,
    arith.SubfOp: Alu.SUBTRACT,
    arith.MulfOp: Alu.MULTIPLY,
    arith.DivfOp: Alu.DIVIDE,
    arith.MaximumfOp: Alu.MAXIMUM,
    arith.MinimumfOp: Alu.MINIMUM,
    arith.AddiOp: Alu.ADD,
    arith.SubiOp: Alu.SUBTRACT,
    arith.MuliOp: Alu.MULTIPLY,
    arith.AndIOp: Alu.BITWISE_AND,
    arith.OrIOp: Alu.BITWISE_OR,
    arith.XOrIOp: Alu.BITWISE_XOR,
}
ON_MASKS = {
    Alu.BITWISE_AND: Alu.LOGICAL_AND,
    Alu.BITWISE_OR: Alu.LOGICAL_OR,
    Alu.BITWISE_XOR: Alu.LOGICAL_XOR,
}
UNARY: dict[type[Operation], Function] = {
    math.ExpOp: Function.EXP,
    math.LogOp: Function.LOG,
    math.SqrtOp: Function.SQRT,
    math.RsqrtOp: Function.RSQRT,
    math.SinOp: Function.SIN,
    math.TanhOp: Function.TANH,
    math.ErfOp: Function.ERF,
    math.AbsFOp: Function.ABS,
}
MISSING: dict[type[Operation], str] = {
    math.TruncOp: "rounding towards zero (a float-to-integer conversion in Triton; the engines round to nearest)",
    math.FloorOp: "rounding down (floor)",
    math.CeilOp: "rounding up (ceil)",
    arith.DivSIOp: "integer division of tiles",
    arith.RemSIOp: "the integer remainder of tiles",
}
REFUSED: dict[type[Operation], str] = {IfOp: "run-time branches", CallOp: "calls"}
COMPARE = {
    tile.Predicate.EQ: Alu.EQUAL,
    tile.Predicate.NE: Alu.NOT_EQUAL,
    tile.Predicate.LT: Alu.LESS,
    tile.Predicate.LE: Alu.LESS_EQUAL,
    tile.Predicate.GT: Alu.GREATER,
    tile.Predicate.GE: Alu.GREATER_EQUAL,
}


@dataclass(frozen=True)
class Place(LevelPass):
    """Gives every tensor a place, chosen for the whole kernel at once (`layout.py`), and makes each operation one on
    tiles:

        %a = tile.read %x[%o] strides [1] : … -> tensor<1024xf32>
        %b = math.exp %a
          =>
        %a = neuron.mem.load %x[%o] strides [1] : … -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
        %b = neuron.mem.unary exp %a

    A `tile.dot` becomes a matmul into PSUM and a move out of it. A row that is only spread over partitions is loaded
    so. Rejected by name: what no layout fits, operations that the engines lack, element types that the machine lacks.
    """

    name = "place"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in [inner for inner in op.walk() if isinstance(inner, FuncOp)]:
            check_arguments(func)
            _refuse_foreign(func)
            _separate_dot_operands(func)
            _load_spread(func)
            causes: dict[SSAValue, Infeasible] = {}
            _Placer(choose_layouts(func, causes), causes).block(func.body.block)


def _refuse_foreign(func: FuncOp) -> None:
    """Branches, calls, and operations of no level that use tensors: `place` takes the tensors away from them."""
    for op in func.walk():
        if isinstance(op, IfOp | CallOp):
            raise CompileError.at(op, f"{REFUSED[type(op)]} ({op.name}) are not supported")
        touched = (*op.operands, *op.results)
        if not LEGAL[TILE].allows(op.name) and any(is_data(value.type) for value in touched):
            raise CompileError.at(op, f"{op.name} is not an operation of {TILE}; it can't use a tensor or a float")


def _separate_dot_operands(func: FuncOp) -> None:
    """A read that feeds a matmul and something else is made twice: the two want it laid out differently."""
    for op in [o for o in func.walk() if isinstance(o, tile.DotOp)]:
        for index, value in enumerate((op.a, op.b)):
            if isinstance(read := value.owner, tile.ReadOp) and not value.has_one_use():
                op.operands[index] = Emitter.before(read).value(read.clone())


def _load_spread(func: FuncOp) -> None:
    """Loads rows and single elements that are spread over partitions with a stride of 0 there."""
    for op in [o for o in func.walk() if isinstance(o, tile.BroadcastOp | tile.SplatOp)]:
        shape = tile.shape_of(op.result)
        source = op.source if isinstance(op, tile.BroadcastOp) else op.value
        if not is_placed(source) or (tile.shape_of(source) or (1,))[0] == shape[0] or shape[0] == 1:
            continue
        spread = _spread(source, shape, tuple(range(len(tile.shape_of(source)))))
        if spread is not None:
            op.result.replace_all_uses_with(spread)
            op.detach()
            op.erase()


def _spread(value: SSAValue, shape: tuple[int, ...], dims: tuple[int, ...]) -> SSAValue | None:
    """The value over `shape`, its own dimensions being `dims` of it, if it is a read (converted, perhaps)."""
    match value.owner:
        case tile.ReadOp() as op:
            emit = Emitter.before(op)
            strides = [0] * len(shape)
            valid = [emit.index(size) for size in shape] if op.valid else []
            sizes = tile.shape_of(value)
            for d, into in enumerate(dims):
                strides[into] = op.strides.get_values()[d] if sizes[d] > 1 else 0
                if op.valid and sizes[d] > 1:
                    valid[into] = op.valid[d]
                elif op.valid and sizes[d] == 1:
                    valid[into] = emit.value(arith.MuliOp(op.valid[d], valid[into]))
            type_ = TensorType(tile.element_of(value), shape)
            return emit.value(tile.ReadOp(op.source, op.offset, strides, valid, op.other, type_))
        case tile.CastOp() as op:
            inner = _spread(op.source, shape, dims)
            return None if inner is None else Emitter.before(op).value(tile.CastOp(inner, tile.element_of(value)))
        case tile.ExpandDimsOp() as op:
            axis = op.axis.value.data
            return _spread(op.source, shape, (*dims[:axis], *dims[axis + 1 :]))
        case _:
            return None


def _turned(type_: mem.TileType) -> mem.TileType:
    """The matrix with its other dimension on the partitions."""
    assert type_.partition_dim is not None
    return mem.TileType.of(type_.space.data, type_.sizes, 1 - type_.partition_dim, type_.element_type)


def _gathers(op: tile.ReadOp, type_: mem.TileType) -> bool:
    """Whether each partition's row would be gathered element by element, where the transpose is a load of whole rows:
    DMA moves single elements some 40 times slower than runs (hardware.md 6.5)."""
    if len(type_.sizes) != 2 or type_.partition_dim is None or type_.fold != 1 or _turned(type_).fold != 1:
        return False
    strides, free = op.strides.get_values(), 1 - type_.partition_dim
    return strides[type_.partition_dim] == 1 and strides[free] != 1 and min(type_.sizes) > 1


class _Placer:
    """Rewrites operations in order; `tiles` maps tensors to the tiles that stand for them."""

    def __init__(self, layouts: dict[SSAValue, Layout], causes: dict[SSAValue, Infeasible]):
        self.layouts, self.causes = layouts, causes
        self.tiles: dict[SSAValue, SSAValue] = {}

    def type_of(self, value: SSAValue, element: Attribute | None = None) -> mem.TileType:
        element = element or tile.element_of(value)
        return mem.TileType.of(Space.SBUF, tile.shape_of(value), self.layouts.get(value), element)

    def tile_of(self, value: SSAValue, like: mem.TileType, emit: Emitter) -> SSAValue:
        """The tile of a value; a constant is filled into one that lies like `like`."""
        if (scalar := self.scalar(value, emit)) is not None:
            return emit.value(mem.FillOp.create(operands=[scalar], result_types=[like.with_element(scalar.type)]))
        return self.tiles[value]

    def operand(self, value: SSAValue, emit: Emitter) -> SSAValue:
        """A constant as a scalar, anything else as its tile."""
        scalar = self.scalar(value, emit)
        return self.tiles[value] if scalar is None else scalar

    def scalar(self, value: SSAValue, emit: Emitter) -> SSAValue | None:
        source = constant_source(value)
        if source is None:
            return None
        return source.result

    def block(self, block: Block) -> None:
        old: list[Operation] = []
        for op in list(block.ops):
            if self.handles(op):
                self.rewrite(op)
                old.append(op)
        for op in reversed(old):
            op.detach()
            op.erase()

    def handles(self, op: Operation) -> bool:
        """Address arithmetic and constants stay; dead shape operations on addresses too (dce removes them)."""
        if isinstance(op, ForOp | tile.WriteOp):
            return True
        return not isinstance(op, arith.ConstantOp | YieldOp | ReturnOp) and any(is_placed(r) for r in op.results)

    def rewrite(self, op: Operation) -> None:
        emit = Emitter.before(op)
        if isinstance(op, ForOp):
            self.loop(op, emit)
        elif isinstance(op, tile.WriteOp):
            self.write(op, emit)
        else:
            result = self.compute(op, emit)
            result.name_hint = op.results[0].name_hint
            self.tiles[op.results[0]] = result
            self.note(op, result)

    def note(self, op: Operation, result: SSAValue) -> None:
        """Refuses what can't fit, and keeps why a tile lies on one partition, for the message if the kernel can't."""
        reason = one_partition_reason(mem.tile_type(result), self.causes.get(op.results[0]))
        check_tile(op, result, reason)
        if reason is not None and isinstance(result.owner, Operation):
            result.owner.attributes[ONE_PARTITION] = StringAttr(reason)

    def compute(self, op: Operation, emit: Emitter) -> SSAValue:
        result = op.results[0]
        if not is_number(tile.element_of(result)):
            raise CompileError.at(op, f"the machine has no numbers of type {tile.element_of(result)}")
        type_ = self.type_of(result)
        if type(op) in BINARY:
            return self.binary(op, BINARY[type(op)], type_, emit)
        if type(op) in UNARY:
            properties = {"function": FunctionAttr(UNARY[type(op)])}
            source = self.tiles[op.operands[0]]
            return emit.value(mem.UnaryOp.create(operands=[source], result_types=[type_], properties=properties))
        handler = self.HANDLERS.get(type(op))
        if handler is None:
            what = MISSING.get(type(op), f"{op.name} on tiles")
            raise CompileError.at(op, f"{what} is not supported: no engine has it")
        return handler(self, op, type_, emit)

    def binary(self, op: Operation, alu: Alu, type_: mem.TileType, emit: Emitter) -> SSAValue:
        if type_.element_type == i1:
            alu = ON_MASKS.get(alu, alu)
        operands = [self.operand(v, emit) for v in op.operands]
        return emit.value(mem.BinaryOp.create(operands=operands, result_types=[type_], properties={"op": AluAttr(alu)}))

    def negate(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        minus = emit.value(arith.ConstantOp(FloatAttr(-1.0, cast(AnyFloat, type_.element_type))))
        operands = [self.tiles[op.operands[0]], minus]
        properties = {"op": AluAttr(Alu.MULTIPLY)}
        return emit.value(mem.BinaryOp.create(operands=operands, result_types=[type_], properties=properties))

    def read(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.ReadOp)
        properties: dict[str, Attribute] = {"strides": op.strides}
        if op.other is not None:
            properties["other"] = op.other
        operands = [op.source, op.offset, *op.valid]
        loaded = _turned(type_) if _gathers(op, type_) else type_
        result = emit.value(mem.LoadOp.create(operands=operands, result_types=[loaded], properties=properties))
        if loaded != type_:
            result = emit.value(mem.TransposeOp.create(operands=[result], result_types=[type_]))
        return result

    def compare(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.CompareOp)
        if is_data(op.lhs.type):
            return self.binary(op, COMPARE[op.predicate.data], type_, emit)
        try:
            found = extents(op.result)
        except NotAffine as reason:
            raise CompileError.at(op, f"this mask is not supported as a value: it has {reason}") from None
        valid: list[SSAValue] = []
        for d, size in enumerate(type_.sizes):
            extent = emit.index(size)
            for part in (e for e in found if e.dim == d):
                extent = emit.value(
                    arith.MinSIOp(emit.value(arith.MaxSIOp(emit.expr(part.limit), emit.index(0))), extent)
                )
            valid.append(extent)
        return emit.value(mem.MaskOp.create(operands=valid, result_types=[type_]))

    def select(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.SelectOp)
        condition = self.tile_of(op.condition, type_.with_element(i1), emit)
        operands = [condition, self.operand(op.on_true, emit), self.operand(op.on_false, emit)]
        return emit.value(mem.SelectOp.create(operands=operands, result_types=[type_]))

    def convert(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.CastOp)
        if isinstance(tile.element_of(op.source), IndexType):
            return self.iota(op, type_, emit)
        source = self.tile_of(op.source, type_, emit)
        return emit.value(mem.CastOp.create(operands=[source], result_types=[type_]))

    def iota(self, op: tile.CastOp, type_: mem.TileType, emit: Emitter) -> SSAValue:
        try:
            place = index_tensor(op.source)
        except NotAffine as reason:
            raise CompileError.at(op, f"these indices are not supported as values: they have {reason}") from None
        properties = {"strides": DenseArrayBase.from_list(i64, place.strides)}
        operands = [emit.expr(place.offset)]
        return emit.value(mem.IotaOp.create(operands=operands, result_types=[type_], properties=properties))

    def spread(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """A broadcast, or the splat of a computed scalar."""
        source = self.tiles[op.operands[0]]
        from_type = mem.tile_type(source)
        ones = mem.TileType.of(Space.SBUF, (1,) * len(type_.sizes), type_.partition_dim, type_.element_type)
        if not from_type.sizes:
            source = emit.value(mem.RelabelOp.create(operands=[source], result_types=[ones]))
        return emit.value(mem.BroadcastOp.create(operands=[source], result_types=[type_]))

    def relabel(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        return emit.value(mem.RelabelOp.create(operands=[self.tiles[op.operands[0]]], result_types=[type_]))

    def reduce(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.ReduceOp)
        source = self.tiles[op.source]
        properties: dict[str, Attribute] = {"kind": op.kind, "axis": op.axis}
        return emit.value(mem.ReduceOp.create(operands=[source], result_types=[type_], properties=properties))

    def dot(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.DotOp)
        try:
            sums = mem.TileType.of(Space.PSUM, type_.sizes, 0, f32)
        except VerifyException:
            needed = type_.with_element(f32).bytes
            raise CompileError.at(
                op,
                f"the product, {list(type_.sizes)} in fp32, needs {needed} bytes on each of {type_.partitions}"
                f" partitions of PSUM, which has {mem.PSUM_BYTES}; use smaller blocks",
            ) from None
        inputs = [
            self.tile_of(v, mem.TileType.of(Space.SBUF, tile.shape_of(v), d, f32), emit)
            for v, d in ((op.a, 1), (op.b, 0))
        ]
        check_product(op, *inputs)
        empty = emit.value(mem.AccumulatorOp.create(result_types=[sums]))
        product = emit.value(mem.MatmulOp.create(operands=[*inputs, empty], result_types=[sums]))
        result = emit.value(mem.MoveOp.create(operands=[product], result_types=[sums.with_space(Space.SBUF)]))
        if type_.element_type != f32:
            result = emit.value(mem.CastOp.create(operands=[result], result_types=[type_]))
        if op.acc is None:
            return result
        operands = [self.operand(op.acc, emit), result]
        properties = {"op": AluAttr(Alu.ADD)}
        return emit.value(mem.BinaryOp.create(operands=operands, result_types=[type_], properties=properties))

    def write(self, op: tile.WriteOp, emit: Emitter) -> None:
        rank = len(tile.shape_of(op.value))
        like = mem.TileType.of(Space.SBUF, tile.shape_of(op.value), 0 if rank else None, tile.element_of(op.value))
        value = self.tile_of(op.value, like, emit)
        operands = [value, op.dest, op.offset, *op.valid]
        emit.add(mem.StoreOp.create(operands=operands, properties={"strides": op.strides}))

    def loop(self, op: ForOp, emit: Emitter) -> None:
        """Rebuilds a loop with tiles for the tensors that it carries; other carried values are rejected."""
        old = op.body.block
        types: list[Attribute] = []
        inits: list[SSAValue] = []
        for init, inside in zip(op.iter_args, old.args[1:], strict=True):
            if not is_data(inside.type):
                raise CompileError.at(
                    op, f"the loop carries a value of type {inside.type} that is not start + iteration * step"
                )
            types.append(self.type_of(inside))
            inits.append(self.tile_of(init, self.type_of(inside), emit))
        block = Block(arg_types=[old.args[0].type, *types])
        for before, after in zip(old.args, block.args, strict=True):
            after.name_hint = before.name_hint
        old.args[0].replace_all_uses_with(block.args[0])
        self.tiles |= dict(zip(old.args[1:], block.args[1:], strict=True))
        *body, end = list(old.ops)
        for inner in (*body, end):
            inner.detach()
            block.add_op(inner)
        new = emit.add(ForOp(op.lb, op.ub, op.step, inits, Region(block)))
        finish = Emitter.before(end)
        originals = list(end.operands)
        end.operands = []
        self.block(block)
        end.operands = [self.tile_of(v, cast(mem.TileType, t), finish) for v, t in zip(originals, types, strict=True)]
        for before, after in zip(op.results, new.results, strict=True):
            after.name_hint = before.name_hint
            self.tiles[before] = after

    HANDLERS: dict[type[Operation], Callable[[_Placer, Operation, mem.TileType, Emitter], SSAValue]] = {
        arith.NegfOp: negate,
        tile.ReadOp: read,
        tile.CompareOp: compare,
        tile.SelectOp: select,
        tile.CastOp: convert,
        tile.BroadcastOp: spread,
        tile.SplatOp: spread,
        tile.ExpandDimsOp: relabel,
        tile.TransOp: relabel,
        tile.ReduceOp: reduce,
        tile.DotOp: dot,
    }
