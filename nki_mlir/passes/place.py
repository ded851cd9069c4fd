"""place: every tensor becomes a tile with a place on chip, every movement an operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    AnyFloat,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    f32,
    i1,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects import tile
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.dtypes import dtype, is_number
from nki_mlir.dialects.instructions import Alu, Function, FunctionAttr
from nki_mlir.errors import CompileError
from nki_mlir.passes.constants import Number, constant_of, signless, value_of, wrapped
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.layout import Layout, choose_layouts, is_data, is_placed
from nki_mlir.passes.place_indices import COMPARE, binary, index_mask, index_numbers
from nki_mlir.passes.spread import spread_rows

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
    arith.ShLIOp: Alu.LEFT_SHIFT,
    arith.ShRUIOp: Alu.RIGHT_SHIFT,
    arith.MaxSIOp: Alu.MAXIMUM,
    arith.MaxUIOp: Alu.MAXIMUM,
    arith.MinSIOp: Alu.MINIMUM,
    arith.MinUIOp: Alu.MINIMUM,
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
    arith.DivUIOp: "integer division of tiles",
    arith.RemSIOp: "the integer remainder of tiles",
    arith.RemUIOp: "the integer remainder of tiles",
}


@dataclass(frozen=True)
class Place(ModulePass):
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

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for func in [inner for inner in op.walk() if isinstance(inner, FuncOp)]:
            _separate_dot_operands(func)
            spread_rows(func)
            _Placer(choose_layouts(func)).function(func)


def _separate_dot_operands(func: FuncOp) -> None:
    """A read that feeds a matmul and something else is made twice: the two want it laid out differently."""
    for op in [o for o in func.walk() if isinstance(o, tile.DotOp)]:
        for index, value in enumerate((op.a, op.b)):
            if isinstance(read := value.owner, tile.ReadOp) and not value.has_one_use():
                op.operands[index] = Emitter.before(read).value(read.clone())


def _integer(value: int, element_type: Attribute) -> Number:
    """An integer of an element type, its low bits."""
    if not isinstance(element_type, IntegerType):
        raise CompileError(f"{element_type} is no type of integers")
    return IntegerAttr(wrapped(value, element_type), element_type)


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

    def __init__(self, layouts: dict[SSAValue, Layout]):
        self.layouts = layouts
        self.tiles: dict[SSAValue, SSAValue] = {}
        self.old: dict[Operation, None] = {}

    def type_of(self, value: SSAValue, element: Attribute | None = None) -> mem.TileType:
        element = element or tile.element_of(value)
        return mem.TileType.of(Space.SBUF, tile.shape_of(value), self.layouts.get(value), element)

    def tile_of(self, value: SSAValue, like: mem.TileType, emit: Emitter) -> SSAValue:
        """The tile of a value; a constant is filled into one that lies like `like`."""
        if (scalar := self.scalar(value, emit)) is not None:
            filled = like.with_element(tile.element_of(value))
            return emit.value(mem.FillOp.create(operands=[scalar], result_types=[filled]))
        if value not in self.tiles:
            raise CompileError.at(emit.location, f"a {value.type} that is neither loaded nor computed is not supported")
        return self.tiles[value]

    def operand(self, value: SSAValue, emit: Emitter) -> SSAValue:
        """A constant as a scalar, anything else as its tile."""
        scalar = self.scalar(value, emit)
        return self.tile_of(value, self.type_of(value), emit) if scalar is None else scalar

    def scalar(self, value: SSAValue, emit: Emitter) -> SSAValue | None:
        number = constant_of(value)
        return None if number is None else emit.value(arith.ConstantOp(signless(number)))

    def function(self, func: FuncOp) -> None:
        """Rewrites all of it; what was rewritten goes, and indices that came from data with it."""
        self.block(func.body.block)
        for op in func.walk():
            if any(v.owner in self.old for v in op.operands):
                self.old[op] = None
        for op in self.old:
            op.operands = []
        for op in self.old:
            op.detach()
            op.erase()

    def block(self, block: Block) -> None:
        for op in list(block.ops):
            if self.handles(op):
                self.rewrite(op)
                self.old[op] = None

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

    def compute(self, op: Operation, emit: Emitter) -> SSAValue:
        result = op.results[0]
        if not is_number(tile.element_of(result)):
            raise CompileError.at(op, f"the machine has no numbers of type {tile.element_of(result)}")
        type_ = self.type_of(result)
        if type(op) in BINARY:
            return self.binary(op, BINARY[type(op)], type_, emit)
        if type(op) in UNARY:
            properties = {"function": FunctionAttr(UNARY[type(op)])}
            source = self.tile_of(op.operands[0], type_, emit)
            return emit.value(mem.UnaryOp.create(operands=[source], result_types=[type_], properties=properties))
        handler = self.HANDLERS.get(type(op))
        if handler is None:
            what = MISSING.get(type(op), f"{op.name} on tiles")
            raise CompileError.at(op, f"{what} is not supported: no engine has it")
        return handler(self, op, type_, emit)

    def binary(self, op: Operation, alu: Alu, type_: mem.TileType, emit: Emitter) -> SSAValue:
        if type_.element_type == i1:
            alu = ON_MASKS.get(alu, alu)
        left, right = (self.operand(v, emit) for v in op.operands)
        if not any(isinstance(v.type, mem.TileType) for v in (left, right)):
            left = self.tile_of(op.operands[0], type_, emit)
        return binary(alu, left, right, type_, emit)

    def shift_right(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """With the sign: the machine shifts bits. What was the sign bit is flipped and subtracted where it went."""
        count, element = constant_of(op.operands[1]), type_.element_type
        bits = dtype(element).bytes * 8
        by = self.operand(op.operands[1], emit)
        sign = 1 << (bits - 1 if count is None else bits - 1 - int(value_of(count)))
        where = emit.value(arith.ConstantOp(signless(_integer(sign, element))))
        if count is None:
            where = binary(Alu.RIGHT_SHIFT, where, by, type_, emit)
        shifted = binary(Alu.RIGHT_SHIFT, self.tile_of(op.operands[0], type_, emit), by, type_, emit)
        flipped = binary(Alu.BITWISE_XOR, shifted, where, type_, emit)
        return binary(Alu.SUBTRACT, flipped, where, type_, emit)

    def magnitude(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """Of integers; the smallest one stays what it is, as in C."""
        source = self.tile_of(op.operands[0], type_, emit)
        zero = emit.value(arith.ConstantOp(signless(_integer(0, type_.element_type))))
        return binary(Alu.MAXIMUM, source, binary(Alu.SUBTRACT, zero, source, type_, emit), type_, emit)

    def negate(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        minus = emit.value(arith.ConstantOp(FloatAttr(-1.0, cast(AnyFloat, type_.element_type))))
        return binary(Alu.MULTIPLY, self.tile_of(op.operands[0], type_, emit), minus, type_, emit)

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
        return index_mask(op, type_, self.tile_of, emit)

    def select(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.SelectOp)
        condition = self.tile_of(op.condition, type_.with_element(i1), emit)
        operands = [condition, self.operand(op.on_true, emit), self.operand(op.on_false, emit)]
        return emit.value(mem.SelectOp.create(operands=operands, result_types=[type_]))

    def convert(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.CastOp)
        if isinstance(tile.element_of(op.source), IndexType):
            return index_numbers(op, type_, self.tile_of, emit)
        source = self.tile_of(op.source, type_, emit)
        return emit.value(mem.CastOp.create(operands=[source], result_types=[type_]))

    def spread(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """A broadcast, or the splat of a computed scalar."""
        source = self.tile_of(op.operands[0], type_, emit)
        from_type = mem.tile_type(source)
        ones = mem.TileType.of(Space.SBUF, (1,) * len(type_.sizes), type_.partition_dim, type_.element_type)
        if not from_type.sizes:
            source = emit.value(mem.RelabelOp.create(operands=[source], result_types=[ones]))
        return emit.value(mem.BroadcastOp.create(operands=[source], result_types=[type_]))

    def relabel(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        return emit.value(
            mem.RelabelOp.create(operands=[self.tile_of(op.operands[0], type_, emit)], result_types=[type_])
        )

    def reduce(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.ReduceOp)
        shape, axis = tile.shape_of(op.source), op.axis.value.data
        dim = None if type_.partition_dim is None else type_.partition_dim + (axis <= type_.partition_dim)
        source = self.tile_of(op.source, mem.TileType.of(Space.SBUF, shape, dim, type_.element_type), emit)
        if shape[axis] == 1:
            return emit.value(mem.RelabelOp.create(operands=[source], result_types=[type_]))
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
        empty = emit.value(mem.AccumulatorOp.create(result_types=[sums]))
        product = emit.value(mem.MatmulOp.create(operands=[*inputs, empty], result_types=[sums]))
        result = emit.value(mem.MoveOp.create(operands=[product], result_types=[sums.with_space(Space.SBUF)]))
        if type_.element_type != f32:
            result = emit.value(mem.CastOp.create(operands=[result], result_types=[type_]))
        if op.acc is None:
            return result
        return binary(Alu.ADD, self.operand(op.acc, emit), result, type_, emit)

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
        arith.ShRSIOp: shift_right,
        math.AbsIOp: magnitude,
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
