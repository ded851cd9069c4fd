"""xDSL's interpreter for the standard operations that `tile` and `neuron.mem` use, on arrays as on scalars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.dialects import arith, math, scf
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls
from xdsl.interpreters.func import FuncFunctions
from xdsl.interpreters.scf import ScfFunctions
from xdsl.ir import Operation
from xdsl.utils.exceptions import InterpretationError

from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.alu import Function as EngineFunction
from nki_mlir.dialects.coordinates import Coordinates, Position, Scalar
from nki_mlir.dialects.expr import Counter, Expr, FloorDiv, Mod
from nki_mlir.dialects.tile import element_of
from reference import elements
from reference.elements import Array, Function

ELEMENTWISE: dict[type[Operation], Function] = {
    arith.AddfOp: np.add,
    arith.SubfOp: np.subtract,
    arith.MulfOp: np.multiply,
    arith.DivfOp: np.divide,
    arith.NegfOp: np.negative,
    arith.MaximumfOp: np.maximum,
    arith.MinimumfOp: np.minimum,
    arith.MaxnumfOp: np.fmax,
    arith.MinnumfOp: np.fmin,
    arith.AddiOp: np.add,
    arith.SubiOp: np.subtract,
    arith.MuliOp: np.multiply,
    arith.DivSIOp: elements.divide,
    arith.RemSIOp: elements.remainder,
    arith.DivUIOp: np.floor_divide,
    arith.RemUIOp: np.mod,
    arith.FloorDivSIOp: np.floor_divide,
    arith.MaxSIOp: np.maximum,
    arith.MinSIOp: np.minimum,
    arith.MaxUIOp: np.maximum,
    arith.MinUIOp: np.minimum,
    arith.AndIOp: np.bitwise_and,
    arith.OrIOp: np.bitwise_or,
    arith.XOrIOp: np.bitwise_xor,
    arith.ShLIOp: np.left_shift,
    arith.ShRSIOp: np.right_shift,
    arith.ShRUIOp: np.right_shift,
    math.ExpOp: np.exp,
    math.LogOp: np.log,
    math.SqrtOp: np.sqrt,
    math.RsqrtOp: elements.rsqrt,
    math.SinOp: np.sin,
    math.CosOp: np.cos,
    math.FloorOp: np.floor,
    math.CeilOp: np.ceil,
    math.TruncOp: np.trunc,
    math.TanhOp: np.tanh,
    math.ErfOp: elements.erf,
    math.AbsFOp: np.abs,
    math.AbsIOp: np.abs,
    math.TruncOp: np.trunc,
}
"""Operation -> its function of fp32 or int64 operands; the unsigned ones are of unsigned types here."""

FUNCTIONS: dict[EngineFunction, Function] = {
    EngineFunction.EXP: np.exp,
    EngineFunction.LOG: np.log,
    EngineFunction.SQRT: np.sqrt,
    EngineFunction.RSQRT: elements.rsqrt,
    EngineFunction.SIN: np.sin,
    EngineFunction.TANH: np.tanh,
    EngineFunction.ERF: elements.erf,
    EngineFunction.ABS: np.abs,
    EngineFunction.SIGMOID: elements.sigmoid,
    EngineFunction.SOFTPLUS: elements.softplus,
    EngineFunction.SILU: elements.gated(elements.sigmoid),
    EngineFunction.GELU: elements.gated(lambda x: (1 + elements.erf(x / np.sqrt(np.float32(2)))) / 2),
    EngineFunction.GELU_APPRX_TANH: elements.gated(lambda x: elements.sigmoid(2 * elements.inside_gelu(x))),
    EngineFunction.GELU_APPRX_SIGMOID: elements.gated(lambda x: elements.sigmoid(1.702 * x)),
    EngineFunction.MISH: elements.gated(lambda x: np.tanh(elements.softplus(x))),
}
"""Functions of the machine, in other words than the executor's."""


def _elementwise(op_type: type[Operation], function: Function) -> Callable[..., Any]:
    @impl(op_type)
    def run(self: InterpreterFunctions, interpreter: Interpreter, op: Operation, args: PythonValues) -> PythonValues:
        return (elements.compute(function, element_of(op.results[0]), *map(np.asarray, args)),)

    return run


class _Arithmetic(InterpreterFunctions):
    @impl(arith.ConstantOp)
    def constant(self, interpreter: Interpreter, op: arith.ConstantOp, args: PythonValues) -> PythonValues:
        if not isinstance(op.value, DenseIntOrFPElementsAttr):
            return (elements.constant(op.value),)
        assert isinstance(op.result.type, TensorType)
        values: Array = np.asarray(op.value.get_values()).astype(elements.storage(op.result.type.element_type))
        shape = op.result.type.get_shape()
        return (np.broadcast_to(values.flat[0], shape) if op.value.is_splat() else values.reshape(shape),)

    @impl(arith.IndexCastOp)
    def index_cast(self, interpreter: Interpreter, op: arith.IndexCastOp, args: PythonValues) -> PythonValues:
        return (elements.convert(args[0], element_of(op.result)),)


_METHODS = {f"run_{op.name}": _elementwise(op, function) for op, function in ELEMENTWISE.items()}
ArithmeticFunctions = register_impls(type("ArithmeticFunctions", (_Arithmetic,), _METHODS))


@register_impls
class LoopFunctions(ScfFunctions):
    """Structured control flow, of which only the loop computes with scalars."""

    @impl(scf.ForOp)
    def run_for(self, interpreter: Interpreter, op: scf.ForOp, args: PythonValues) -> PythonValues:
        low, high, step, *carried = args
        for i in range(int(low), int(high), int(step)):
            carried = interpreter.run_ssacfg_region(op.body, (np.asarray(i), *carried), "for_loop")
        return tuple(carried)


def interpreter_for(module: Any, *functions: InterpreterFunctions) -> Interpreter:
    """An interpreter that knows the standard operations and those given."""
    interpreter = Interpreter(module)
    for one in (FuncFunctions(), LoopFunctions(), ArithmeticFunctions(), *functions):
        interpreter.register_implementations(one)
    return interpreter


# Structured accesses, which both levels have.


def memories(func: FuncOp, arrays: Sequence[Array]) -> tuple[Array, ...]:
    """The arrays, flat, as elements of the function's arguments: those of 64 bits may be words there."""
    types = [elements.storage(element_of(argument)) for argument in func.body.block.args]
    return tuple(a.reshape(-1).view(type_) for a, type_ in zip(arrays, types, strict=True))


def addresses(offset: Array, strides: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    """`offset + sum(i[d] * strides[d])` for every element of the shape."""
    result = np.full(shape, int(offset), np.int64)
    for axis, (size, stride) in enumerate(zip(shape, strides, strict=True)):
        along = [1] * len(shape)
        along[axis] = size
        result += np.arange(size).reshape(along) * stride
    return result


def accessed(op: AccessOp, args: PythonValues, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Which elements of a flat memory an access moves, and where it is within its bounds and its mask. `args` are the
    operands behind the memory."""
    scalars, rest = args[: len(op.scalars)], args[len(op.scalars) :]
    values: dict[Any, Array] = {Scalar(n): np.asarray(s, np.int64) for n, s in enumerate(scalars)}
    where, inside = placed(op.coordinates, values, shape, rest[: len(op.indices)])
    return where, inside & rest[-1] if op.mask is not None else inside


def placed(
    coordinates: Coordinates, values: dict[Any, Array], shape: tuple[int, ...], indices: PythonValues = ()
) -> tuple[Array, Array]:
    """The address of each element of the shape, and where all coordinates are within their bounds."""
    places = {Position(d): a for d, a in enumerate(np.indices(shape, np.int64))}
    where, inside = np.zeros(shape, np.int64), np.ones(shape, np.bool_)
    for part in coordinates:
        known = {**places, **values}
        for key in part.elements:
            at = tuple(np.zeros(shape, np.int64) if d is None else places[Position(d)] for d in key.dims)
            known[key] = np.asarray(indices[key.number]).astype(np.int64)[at]
        position = np.broadcast_to(_value(part.position, known), shape)
        where = where + position * part.stride
        inside = inside & (True if part.low is None else position >= part.low)
        inside = inside & (True if part.high is None else position < part.high)
    return where, inside


def _value(expr: Expr, values: dict[Any, Array]) -> Any:
    total: Any = expr.const
    for term, coefficient in expr.terms:
        match term:
            case Counter(key):
                part = values[key]
            case Mod(value, divisor):
                part = _value(value, values) % divisor
            case FloorDiv(value, divisor):
                part = _value(value, values) // divisor
            case _:
                raise InterpretationError(f"{term} belongs to neuron.isa")
        total = total + part * coefficient
    return total


def gather(memory: Array, where: Array, mask: Array, other: Array | None) -> Array:
    """The elements of a flat memory at `where`; `other`, zero by default, where the mask is false."""
    check(memory, where[mask])
    result = np.full(where.shape, 0 if other is None else other, memory.dtype)
    result[mask] = memory[where[mask]]
    return result


def scatter(memory: Array, where: Array, mask: Array, values: Array) -> None:
    check(memory, where[mask])
    memory[where[mask]] = values[mask]


def check(memory: Array, where: Array) -> None:
    if where.size and not (0 <= where.min() and where.max() < memory.size):
        raise InterpretationError(f"an access of elements {where.min()}..{where.max()} of {memory.size}")
