"""place: every tensor becomes a tile with a place on chip, every movement an operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    f32,
    i1,
    i32,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.scf import ForOp, IfOp, WhileOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint

from nki_mlir.analysis.accesses import is_interval, why_no_rows
from nki_mlir.analysis.constants import Number, constant_of, signless, value_of, wrapped
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects import tile
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import Alu, Function, FunctionAttr
from nki_mlir.dialects.layout import Factor, Layout
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.footprint import check_product
from nki_mlir.passes.level_pass import LevelPass, check_arguments, functions
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.place_foreign import check_dropped, refuse_foreign
from nki_mlir.passes.place_indices import COMPARE, binary, end_mask, index_mask, index_numbers
from nki_mlir.passes.place_pieces import place_concat, place_slice
from nki_mlir.passes.place_regions import carried, control, is_control, name, place_body, place_branch, place_while
from nki_mlir.passes.place_shapes import cut_reshapes
from nki_mlir.passes.placement import Placement, dealt, grown, is_data, is_placed, row_layout

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
    math.TruncOp: "rounding towards zero (expand-rounding makes it of rounding to nearest)",
    math.CosOp: "the cosine (expand-trigonometry makes it of the sine)",
    math.FloorOp: "rounding down (expand-rounding makes it of rounding to nearest)",
    math.CeilOp: "rounding up (expand-rounding makes it of rounding to nearest)",
    arith.DivSIOp: "integer division of tiles (expand-division makes comparisons of one by a constant)",
    arith.DivUIOp: "integer division of tiles (expand-division makes comparisons of one by a constant)",
    arith.RemSIOp: "the integer remainder of tiles (expand-division makes comparisons of one by a constant)",
    arith.RemUIOp: "the integer remainder of tiles (expand-division makes comparisons of one by a constant)",
    arith.MaxnumfOp: "a maximum that ignores NaN (expand-maxnum makes it of others)",
    arith.MinnumfOp: "a minimum that ignores NaN (expand-maxnum makes it of others)",
}


@dataclass(frozen=True)
class Place(LevelPass):
    """Gives every tensor a place, chosen for the whole kernel at once (`placement.py`), and makes each operation one on
    tiles:

        %a = tile.read %x[%o] strides [1] : … -> tensor<1024xf32>
        %b = math.exp %a
          =>
        %a = neuron.mem.load %x[%o] strides [1] : … -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
        %b = neuron.mem.unary exp %a

    Where an operation wants a value to lie otherwise than it does, a `convert` stands behind what makes the value; what
    only widens numbers is made for each reader, where that wants it, so that what is converted is narrow. A
    `tile.dot` becomes a matmul into PSUM and a convert out of it; where few terms make it, as many of its rows follow
    one another on a partition as it has pieces if that makes long rows of short ones that are stored. Rejected by name:
    what no layout fits into SBUF, operations that the engines lack, element types that the machine lacks.
    """

    name = "place"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            check_arguments(func)
            refuse_foreign(func)
            cut_reshapes(func)
            _widen_for_each(func)
            _Placer(Placement(func)).function(func)


def _widen_for_each(func: FuncOp) -> None:
    """Gives each reader of what only widens numbers one of its own, to lie as the reader wants it: what is moved is
    narrow then."""
    for op in [op for op in operations(func) if isinstance(op, tile.CastOp) and _widens(op)]:
        for use in list(op.result.uses)[1:]:
            copy = op.clone()
            copy.result.name_hint = op.result.name_hint
            use.operation.operands[use.index] = Emitter.before(op).value(copy)


def _widens(op: tile.CastOp) -> bool:
    before, after = tile.element_of(op.source), tile.element_of(op.result)
    floats = isinstance(before, AnyFloat) and isinstance(after, AnyFloat)
    return floats and dtype(before).bytes < dtype(after).bytes and is_placed(op.source)


def _integer(value: int, element_type: Attribute) -> Number:
    """An integer of an element type, its low bits."""
    type_ = cast(IntegerType, element_type)
    return IntegerAttr(wrapped(value, type_), type_)


class _Placer:
    """Rewrites operations in order; `tiles` maps tensors to the tiles that stand for them."""

    def __init__(self, placement: Placement):
        self.placement = placement
        self.tiles: dict[SSAValue, SSAValue] = {}
        self._converted: dict[tuple[SSAValue, Layout], SSAValue] = {}
        self.old: dict[Operation, None] = {}

    def type_of(self, value: SSAValue, layout: Layout | None = None) -> mem.TileType:
        return mem.TileType.of(Space.SBUF, layout or self.placement.layout(value), tile.element_of(value))

    def wanted(self, op: Operation, operand: SSAValue, emit: Emitter) -> SSAValue:
        """The tile of an operand, where the operation wants it."""
        if is_placed(operand):
            return self.tile_as(operand, self.placement.wanted(op, operand))
        return self.tile_of(operand, self.type_of(operand, self.placement.usual(operand)[0]), emit)

    def tile_as(self, value: SSAValue, layout: Layout) -> SSAValue:
        """The tile of a value in a layout; a convert stands behind what made the tile."""
        made = self.tiles[value]
        if mem.tile_type(made).layout == layout:
            return made
        found = self._converted.get((made, layout))
        if found is None:
            emit = _behind(made)
            type_ = mem.tile_type(made).with_layout(layout)
            found = emit.value(mem.ConvertOp.create(operands=[made], result_types=[type_]))
            found.name_hint = made.name_hint
            self._converted[made, layout] = found
        return found

    def tile_of(self, value: SSAValue, like: mem.TileType, emit: Emitter) -> SSAValue:
        """The tile of a value; a constant is filled into one that lies like `like`."""
        if (scalar := self.scalar(value, emit)) is not None:
            filled = like.with_element(tile.element_of(value))
            return emit.value(mem.FillOp.create(operands=[scalar], result_types=[filled]))
        return self.tile_as(value, like.layout)

    def full(self, value: SSAValue, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """The tile of a value; of a constant one element, read over and over."""
        if (scalar := self.scalar(value, emit)) is None:
            return self.tile_of(value, type_, emit)
        one = type_.with_layout(type_.layout.unspread(range(len(type_.sizes))))
        filled = emit.value(mem.FillOp.create(operands=[scalar], result_types=[one]))
        return emit.value(mem.BroadcastOp.create(operands=[filled], result_types=[type_]))

    def operand(self, value: SSAValue, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """A constant as a scalar, anything else as its tile."""
        scalar = self.scalar(value, emit)
        return self.tile_of(value, type_, emit) if scalar is None else scalar

    def scalar(self, value: SSAValue, emit: Emitter) -> SSAValue | None:
        number = constant_of(value)
        return None if number is None else emit.value(arith.ConstantOp(signless(number)))

    def function(self, func: FuncOp) -> None:
        """Rewrites all of it; what was rewritten goes, and indices that came from data with it."""
        self.block(func.body.block)
        for op in func.walk():
            if op not in self.old and any(v.owner in self.old for v in op.operands):
                check_dropped(op, self.old)
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
        if isinstance(op, ForOp | IfOp | WhileOp | tile.WriteOp) or is_control(op):
            return True
        if isinstance(op, arith.CmpiOp) and isinstance(op.lhs.type, IndexType):
            return False
        return not isinstance(op, arith.ConstantOp | YieldOp | ReturnOp) and any(is_placed(r) for r in op.results)

    def rewrite(self, op: Operation) -> None:
        emit = Emitter.before(op)
        if isinstance(op, ForOp):
            self.loop(op, emit)
        elif isinstance(op, IfOp):
            place_branch(self, op, emit)
        elif isinstance(op, WhileOp):
            place_while(self, op, emit)
        elif isinstance(op, tile.WriteOp):
            self.write(op, emit)
        elif is_control(op):
            op.results[0].replace_all_uses_with(control(self, op, emit))
        else:
            result = self.compute(op, emit)
            result.name_hint = op.results[0].name_hint
            self.tiles[op.results[0]] = result

    def compute(self, op: Operation, emit: Emitter) -> SSAValue:
        result = op.results[0]
        type_ = self.type_of(result)
        if type(op) in BINARY:
            return self.binary(op, BINARY[type(op)], type_, emit)
        function = op.function.data if isinstance(op, tile.FunctionOp) else UNARY.get(type(op))
        if function is not None:
            properties = {"function": FunctionAttr(function)}
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
        left, right = (self.operand(v, type_, emit) for v in op.operands)
        if not any(isinstance(v.type, mem.TileType) for v in (left, right)):
            left = self.tile_of(op.operands[0], type_, emit)
        return binary(alu, left, right, type_, emit)

    def shift_right(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """With the sign: the machine shifts bits. What was the sign bit is flipped and subtracted where it went."""
        count, element = constant_of(op.operands[1]), type_.element_type
        bits = dtype(element).bytes * 8
        by = self.operand(op.operands[1], type_, emit)
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
        indices = self.rows(op, type_, emit)
        return emit.value(mem.LoadOp(op.memory, op.over_values, type_, indices, None, op.other, op.undefined))

    def compare(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.CompareOp)
        if is_data(op.lhs.type):
            return self.binary(op, COMPARE[op.predicate.data], type_, emit)
        return index_mask(op, type_, self.tile_of, emit)

    def select(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.SelectOp)
        mask, condition = type_.with_element(i1), None
        if constant_of(op.on_true) is None and constant_of(op.on_false) is not None:
            condition = end_mask(op.condition, mask, emit)
        condition = condition or self.tile_of(op.condition, mask, emit)
        operands = [condition, *(self.operand(v, type_, emit) for v in (op.on_true, op.on_false))]
        return emit.value(mem.SelectOp.create(operands=operands, result_types=[type_]))

    def convert(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.CastOp)
        if isinstance(tile.element_of(op.source), IndexType):
            return index_numbers(op, type_, self.tile_of, emit)
        source = self.tile_of(op.source, type_, emit)
        return emit.value(mem.CastOp.create(operands=[source], result_types=[type_]))

    def bitcast(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.BitcastOp)
        source = self.tile_of(op.source, type_.with_element(tile.element_of(op.source)), emit)
        return emit.value(mem.BitcastOp.create(operands=[source], result_types=[type_]))

    def spread(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """A broadcast, or the splat of a computed scalar."""
        source = self.wanted(op, op.operands[0], emit)
        rank = len(type_.sizes)
        if not mem.tile_type(source).sizes:
            source = self.relabelled(source, emit, reshape=(1,) * rank)
        return emit.value(mem.BroadcastOp.create(operands=[source], result_types=[type_]))

    def relabelled(self, source: SSAValue, emit: Emitter, **steps: Sequence[int]) -> SSAValue:
        """Under another shape: `permute` or `reshape` as in neuron.mem.relabel."""
        properties = {name: DenseArrayBase.from_list(i64, dims) for name, dims in steps.items()}
        type_ = mem.tile_type(source).with_layout(mem.relabelled(mem.tile_type(source).layout, **steps))
        return emit.value(mem.RelabelOp.create(operands=[source], result_types=[type_], properties=properties))

    def reshape(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """New dimensions of size 1, too."""
        return self.relabelled(self.wanted(op, op.operands[0], emit), emit, reshape=type_.sizes)

    def permute(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.PermuteOp)
        return self.relabelled(self.wanted(op, op.source, emit), emit, permute=op.order.get_values())

    def reduce(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.ReduceOp)
        if op.kind.data.ignores_nan:
            raise CompileError.at(op, f"a reduction by {op.kind.data} is not supported: run expand-maxnum first")
        shape, axis = tile.shape_of(op.source), op.axis.value.data
        if is_placed(op.source):
            source = self.wanted(op, op.source, emit)
        else:
            source = self.tile_of(op.source, self.type_of(op.source, grown(type_.layout, axis, shape[axis])), emit)
        if shape[axis] == 1:
            return self.relabelled(source, emit, reshape=type_.sizes)
        properties: dict[str, Attribute] = {"kind": op.kind, "axis": op.axis}
        return emit.value(mem.ReduceOp.create(operands=[source], result_types=[type_], properties=properties))

    def last(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.LastOp)
        source = self.wanted(op, op.source, emit)
        return emit.value(mem.LastOp.create(operands=[source], result_types=[type_], properties=op.properties))

    def along(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        """A scan, or a dimension backwards."""
        assert isinstance(op, tile.ScanOp | tile.FlipOp)
        if isinstance(op, tile.ScanOp) and op.kind.data.ignores_nan:
            raise CompileError.at(op, f"a scan by {op.kind.data} is not supported: run expand-maxnum first")
        initial = op.initial if isinstance(op, tile.ScanOp) else None
        operands = [self.full(v, type_, emit) for v in op.operands if v is not initial]
        if initial is not None:
            operands.append(self.operand(initial, type_.with_layout(type_.layout.reduced(op.axis.value.data)), emit))
        kind = mem.ScanOp if isinstance(op, tile.ScanOp) else mem.FlipOp
        return emit.value(kind.create(operands=operands, result_types=[type_], properties=op.properties))

    def dot(self, op: Operation, type_: mem.TileType, emit: Emitter) -> SSAValue:
        assert isinstance(op, tile.DotOp)
        lanes = self.placement.target.memory.partitions
        inputs = [
            self.tile_of(v, self.type_of(v, dealt(tile.shape_of(v), d, lanes)), emit) for v, d in ((op.a, 1), (op.b, 0))
        ]
        rows = [dealt(type_.sizes, 0, lanes), Layout.lanes(type_.sizes, 0, lanes, blocked=True)]
        is_turned = type_.layout not in rows
        made = type_.with_element(f32)
        if is_turned:
            inputs = [self.relabelled(v, emit, permute=(1, 0)) for v in reversed(inputs)]
            made = made.with_layout(type_.layout.permuted((1, 0)))
        check_product(op, *inputs)
        sums = self.banked(op, made)
        empty = emit.value(mem.AccumulatorOp.create(result_types=[sums]))
        product = emit.value(mem.MatmulOp.create(operands=[*inputs, empty], result_types=[sums]))
        if is_turned:
            product = self.relabelled(product, emit, permute=(1, 0))
        result = emit.value(mem.ConvertOp.create(operands=[product], result_types=[type_.with_element(f32)]))
        if type_.element_type != f32:
            result = emit.value(mem.CastOp.create(operands=[result], result_types=[type_]))
        if op.acc is None:
            return result
        return binary(Alu.ADD, self.operand(op.acc, type_, emit), result, type_, emit)

    def banked(self, op: tile.DotOp, type_: mem.TileType) -> mem.TileType:
        """The product in PSUM: each row group begins where the columns of a piece don't cross a bank."""
        (rows, columns), lanes = type_.sizes, type_.layout.partitions
        memory = self.placement.target.memory
        bank = memory.psum_bank_bytes // dtype(f32).bytes
        pitch = -(-columns // bank) * bank if columns > bank else 1 << (columns - 1).bit_length()
        groups = Factor(0, -(-rows // lanes), lanes)
        if (digits := type_.layout.digits(0)) and not digits[0].on_partitions:
            groups = Factor(0, digits[0].size)
        free = (groups, Factor(1, pitch))
        sums = mem.TileType.of(Space.PSUM, Layout.of(type_.sizes, type_.layout.partition, free), f32)
        if sums.bytes > memory.psum_bytes:
            raise CompileError.at(
                op,
                f"the product, {rows} x {columns} in fp32, needs {sums.bytes} bytes on each of"
                f" {lanes} partitions of PSUM, which has {memory.psum_bytes}; use smaller blocks",
            )
        return sums

    def write(self, op: tile.WriteOp, emit: Emitter) -> None:
        value = self.tile_of(op.value, self.type_of(op.value, self.placement.stored(op)), emit)
        emit.add(
            mem.StoreOp(value, op.memory, op.over_values, self.rows(op, mem.tile_type(value), emit), None, op.atomic)
        )

    def rows(self, op: AccessOp, type_: mem.TileType, emit: Emitter) -> list[SSAValue]:
        """The index tile of an access, on the partitions of what it moves."""
        if op.mask is not None:
            raise CompileError.at(op, "an access has a mask that is no bound; run expand-accesses first")
        if any(not is_data(index.type) for index in op.indices):
            raise CompileError.at(op, "an access has an index tile that is no data; run expand-accesses first")
        if (reason := why_no_rows(op)) is not None:
            raise CompileError.at(op, f"{reason}; run expand-accesses first")
        if not all(is_interval(part) for part in op.over_values.bounded if not part.elements):
            raise CompileError.at(
                op,
                "an access has a bound on several dimensions, or on a counter of run time; run expand-accesses first",
            )
        if not op.indices:
            return []
        like = type_.with_element(i32).with_layout(row_layout(op, type_.layout))
        return [self.tile_of(index, like, emit) for index in op.indices]

    def loop(self, op: ForOp, emit: Emitter) -> None:
        """Rebuilds a loop with tiles for the tensors that it carries; other carried values are rejected."""
        old = op.body.block
        types, inits = carried(self, op, op.iter_args, old.args[1:], emit)
        block = Block(arg_types=[old.args[0].type, *types])
        new = emit.add(ForOp(op.lb, op.ub, op.step, inits, Region(block)))
        old.args[0].replace_all_uses_with(block.args[0])
        block.args[0].name_hint = old.args[0].name_hint
        name(self, old.args[1:], block.args[1:])
        place_body(self, old, block, types)
        name(self, op.results, new.results)

    HANDLERS: dict[type[Operation], Callable[[_Placer, Operation, mem.TileType, Emitter], SSAValue]] = {
        arith.NegfOp: negate,
        arith.ShRSIOp: shift_right,
        math.AbsIOp: magnitude,
        tile.ReadOp: read,
        tile.CompareOp: compare,
        tile.SelectOp: select,
        tile.CastOp: convert,
        tile.BitcastOp: bitcast,
        tile.BroadcastOp: spread,
        tile.SplatOp: spread,
        tile.ExpandDimsOp: reshape,
        tile.ReshapeOp: reshape,
        tile.PermuteOp: permute,
        tile.ReduceOp: reduce,
        tile.LastOp: last,
        tile.ScanOp: along,
        tile.FlipOp: along,
        tile.SliceOp: place_slice,
        tile.ConcatOp: place_concat,
        tile.DotOp: dot,
    }


def _behind(value: SSAValue) -> Emitter:
    """Right after what makes a value."""
    owner = value.owner
    if isinstance(owner, Block):
        first = owner.first_op
        assert first is not None
        return Emitter.before(first)
    return Emitter(InsertPoint.after(owner), owner.location)
