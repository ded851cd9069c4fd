"""The `neuron.mem` level: tiles as the logical arrays that they are, wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.coordinates import Position, Scalar
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_mem import TileType, tile_type
from reference import elements, standard
from reference.elements import Array, Function
from reference.tile import TileFunctions

OPERATORS: dict[Alu, Function] = {
    Alu.ADD: np.add,
    Alu.SUBTRACT: np.subtract,
    Alu.MULTIPLY: np.multiply,
    Alu.DIVIDE: np.divide,
    Alu.MAXIMUM: np.maximum,
    Alu.MINIMUM: np.minimum,
    Alu.BITWISE_AND: np.bitwise_and,
    Alu.BITWISE_OR: np.bitwise_or,
    Alu.BITWISE_XOR: np.bitwise_xor,
    Alu.LEFT_SHIFT: np.left_shift,
    Alu.RIGHT_SHIFT: np.right_shift,
    Alu.LOGICAL_AND: np.logical_and,
    Alu.LOGICAL_OR: np.logical_or,
    Alu.LOGICAL_XOR: np.logical_xor,
    Alu.EQUAL: np.equal,
    Alu.NOT_EQUAL: np.not_equal,
    Alu.LESS: np.less,
    Alu.LESS_EQUAL: np.less_equal,
    Alu.GREATER: np.greater,
    Alu.GREATER_EQUAL: np.greater_equal,
}


@register_impls
class MemFunctions(InterpreterFunctions):
    @impl(mem.LoadOp)
    def load(self, interpreter: Interpreter, op: mem.LoadOp, args: PythonValues) -> PythonValues:
        where, inside = standard.accessed(op, args[1:], tile_type(op.result).sizes)
        other = None if op.other is None else elements.constant(op.other)
        return (standard.gather(args[0], where, inside, other),)

    @impl(mem.StoreOp)
    def store(self, interpreter: Interpreter, op: mem.StoreOp, args: PythonValues) -> PythonValues:
        where, inside = standard.accessed(op, args[2:], tile_type(op.value).sizes)
        standard.scatter(args[1], where, inside, args[0])
        return ()

    @impl(mem.FillOp)
    def fill(self, interpreter: Interpreter, op: mem.FillOp, args: PythonValues) -> PythonValues:
        type_ = tile_type(op.result)
        return (np.full(type_.sizes, args[0]).astype(elements.storage(type_.element_type)),)

    @impl(mem.IotaOp)
    def iota(self, interpreter: Interpreter, op: mem.IotaOp, args: PythonValues) -> PythonValues:
        type_ = tile_type(op.result)
        values = standard.addresses(args[0], op.strides.get_values(), type_.sizes)
        return (elements.convert(values, type_.element_type),)

    @impl(mem.MaskOp)
    def mask(self, interpreter: Interpreter, op: mem.MaskOp, args: PythonValues) -> PythonValues:
        scalars = {Scalar(number): np.asarray(value, np.int64) for number, value in enumerate(args)}
        return (standard.placed(op.access.data, scalars, tile_type(op.result).sizes)[1],)

    @impl(mem.UnaryOp)
    def unary(self, interpreter: Interpreter, op: mem.UnaryOp, args: PythonValues) -> PythonValues:
        return (elements.compute(standard.FUNCTIONS[op.function.data], tile_type(op.result).element_type, *args),)

    @impl(mem.BinaryOp)
    def binary(self, interpreter: Interpreter, op: mem.BinaryOp, args: PythonValues) -> PythonValues:
        operand = next(v.type for v in op.operands if isinstance(v.type, TileType))
        args = tuple(np.asarray(a).astype(elements.storage(operand.element_type)) for a in args)
        if op.op.data is Alu.RIGHT_SHIFT:
            args = tuple(a.view(f"u{a.itemsize}") for a in args)
        return (elements.compute(OPERATORS[op.op.data], tile_type(op.result).element_type, *args),)

    @impl(mem.SelectOp)
    def select(self, interpreter: Interpreter, op: mem.SelectOp, args: PythonValues) -> PythonValues:
        return (np.where(*args).astype(elements.storage(tile_type(op.result).element_type)),)

    @impl(mem.CastOp)
    def cast(self, interpreter: Interpreter, op: mem.CastOp, args: PythonValues) -> PythonValues:
        return (elements.convert(args[0], tile_type(op.result).element_type),)

    @impl(mem.BroadcastOp)
    def broadcast(self, interpreter: Interpreter, op: mem.BroadcastOp, args: PythonValues) -> PythonValues:
        return (np.broadcast_to(args[0], tile_type(op.result).sizes),)

    @impl(mem.RelabelOp)
    def relabel(self, interpreter: Interpreter, op: mem.RelabelOp, args: PythonValues) -> PythonValues:
        array = args[0]
        if op.permute is not None:
            array = np.transpose(array, op.permute.get_values())
        if op.reshape is not None:
            array = np.reshape(array, op.reshape.get_values())
        return (array,)

    @impl(mem.ScalarOp)
    def scalar(self, interpreter: Interpreter, op: mem.ScalarOp, args: PythonValues) -> PythonValues:
        return (np.reshape(args[0], ()),)

    @impl(mem.ConvertOp)
    def convert(self, interpreter: Interpreter, op: mem.ConvertOp, args: PythonValues) -> PythonValues:
        return args

    @impl(mem.ReduceOp)
    def reduce(self, interpreter: Interpreter, op: mem.ReduceOp, args: PythonValues) -> PythonValues:
        type_ = tile_type(op.result).element_type
        return (elements.reduce(op.kind.data.value, args[0], op.axis.value.data, type_),)

    @impl(mem.BitcastOp)
    def bitcast(self, interpreter: Interpreter, op: mem.BitcastOp, args: PythonValues) -> PythonValues:
        return (np.ascontiguousarray(args[0]).view(elements.storage(tile_type(op.result).element_type)),)

    @impl(mem.LastOp)
    def last(self, interpreter: Interpreter, op: mem.LastOp, args: PythonValues) -> PythonValues:
        return (np.take(args[0], -1, op.axis.value.data),)

    @impl(mem.ScanOp)
    def scan(self, interpreter: Interpreter, op: mem.ScanOp, args: PythonValues) -> PythonValues:
        source, *others = args
        scale = others.pop(0) if op.scale is not None else None
        initial = others.pop() if op.initial is not None else None
        kind, axis, reverse = op.kind.data.value, op.axis.value.data, op.reverse is not None
        return (elements.scan(kind, source, scale, initial, axis, reverse, tile_type(op.result).element_type),)

    @impl(mem.FlipOp)
    def flip(self, interpreter: Interpreter, op: mem.FlipOp, args: PythonValues) -> PythonValues:
        return (np.flip(args[0], op.axis.value.data),)

    @impl(mem.EmptyOp)
    def empty(self, interpreter: Interpreter, op: mem.EmptyOp, args: PythonValues) -> PythonValues:
        type_ = tile_type(op.result)
        return (np.zeros(type_.sizes, elements.storage(type_.element_type)),)

    @impl(mem.SliceOp)
    def slice(self, interpreter: Interpreter, op: mem.SliceOp, args: PythonValues) -> PythonValues:
        tile, *scalars = args
        return (tile[places(op, scalars)].copy(),)

    @impl(mem.InsertOp)
    def insert(self, interpreter: Interpreter, op: mem.InsertOp, args: PythonValues) -> PythonValues:
        by_operand = dict(zip(op.operands, args, strict=True))
        result, scalars = by_operand[op.tile].copy(), [by_operand[value] for value in op.scalars]
        if op.guard is None or op.guard.data[0].substitute(named(scalars)).const > 0:
            result[places(op, scalars)] = by_operand[op.value]
        return (result,)

    @impl(mem.AccumulatorOp)
    def accumulator(self, interpreter: Interpreter, op: mem.AccumulatorOp, args: PythonValues) -> PythonValues:
        return (np.zeros(tile_type(op.result).sizes, np.float32),)

    @impl(mem.MatmulOp)
    def matmul(self, interpreter: Interpreter, op: mem.MatmulOp, args: PythonValues) -> PythonValues:
        lhs, rhs, acc = args
        if op.part is None:
            return (acc + elements.matmul(lhs, rhs),)
        rows, columns, terms = (slice(one.start, one.stop, one.step) for one in op.piece)
        result = acc.copy()
        result[rows, columns] += elements.matmul(lhs[rows, terms], rhs[terms, columns])
        return (result,)


def named(scalars: Sequence[int]) -> dict[Scalar, Expr]:
    return {Scalar(number): Expr(int(value)) for number, value in enumerate(scalars)}


def places(op: mem.SliceOp | mem.InsertOp, scalars: Sequence[int]) -> tuple[slice | int, ...]:
    """A piece as NumPy indexes it."""
    found: list[slice | int] = []
    shape = tile_type(op.piece).sizes
    for place in op.places.data:
        first = place.substitute(named(scalars))
        position = next((key for key in first.counters() if isinstance(key, Position)), None)
        assert position is not None or first.is_const
        found.append(first.const if position is None else slice(first.const, first.const + shape[position.dim]))
    return tuple(found)


def run_mem(module: ModuleOp, arrays: Sequence[Array]) -> None:
    """Runs the one function of a `neuron.mem` module on its arguments (C-contiguous), in place. What `place` leaves of
    the addresses of `tile`, for dce, is run too."""
    func = next(op for op in module.ops if isinstance(op, FuncOp))
    interpreter = standard.interpreter_for(module, TileFunctions(), MemFunctions())
    interpreter.call_op(func, standard.memories(func, arrays))
