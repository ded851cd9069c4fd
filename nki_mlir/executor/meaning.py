"""What each instruction of the table computes, by name.

`MEANING[name](instance)` fixes one occurrence of an instruction and gives its `Meaning`: a pure function from the
arrays of its tile inputs (in the table's order, stored element types) to the arrays of its outputs. Inputs of full size
share one shape [P, ...]; columns are [P, 1, ...] of as many dimensions; operands of shape `own` are [P, free dimensions
as written]. Outputs are new arrays (or constants), of their region's element type and element count. Where `bits` is
set, all arrays are unsigned words: the instruction moves or combines bit patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from xdsl.ir import Attribute

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.alu import UNARY
from nki_mlir.dialects.dtypes import by_name, dtype
from nki_mlir.dialects.instructions import BITWISE as BITWISE_ALUS
from nki_mlir.dialects.instructions import COMPARISONS, Alu, Function, Instance
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import numerics
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.operators import ARITHMETIC, BITWISE, FUNCTIONS, REDUCTIONS, Binary


class Masked(NamedTuple):
    """An output of which only the elements under the mask are written."""

    values: Array
    mask: Array


Output = Array | Masked
Compute = Callable[..., Sequence[Any]]
"""Gives an Output for each output of the instruction."""


class Meaning(NamedTuple):
    compute: Compute
    bits: bool = False


Pick = Callable[[Sequence[Array]], Any]

_LOGICAL = {Alu.LOGICAL_AND, Alu.LOGICAL_OR, Alu.LOGICAL_XOR, Alu.LOGICAL_NOT}
_WORDS = {by_name("int32").type, by_name("uint32").type}
_NATIVE = {Alu.ADD, Alu.SUBTRACT, Alu.MULTIPLY}


def tile_names(i: Instance) -> list[str]:
    """The operands that are inputs from memory, in the order in which a meaning takes them."""
    return [o.name for o in i.instruction.operands if o.role == "src" and isinstance(i.operands.get(o.name), Access)]


def operand_type(i: Instance, name: str) -> Attribute:
    return cast(Access, i.operands[name]).element_type


def _fp32(i: Instance, name: str, default: float | None = None) -> Pick:
    """Takes an operand, widened, out of the inputs; a constant where it is no tile."""
    value = i.operands.get(name, default)
    if isinstance(value, Access):
        index, load = tile_names(i).index(name), numerics.loader(value.element_type)
        return lambda tiles: load(tiles[index])
    constant = np.float32(cast(float, value))
    return lambda tiles: constant


def _word(i: Instance, name: str) -> Pick:
    """As `_fp32` for bit patterns, which all have the width of the destination."""
    width, value = numerics.bits(operand_type(i, "dst")), i.operands[name]
    if isinstance(value, Access):
        index = tile_names(i).index(name)
        return lambda tiles: tiles[index]
    constant = np.asarray(int(value) & np.iinfo(width).max, width)
    return lambda tiles: constant


def _operator(alu: Alu, reverse: bool) -> Binary:
    """An operator whose result is a number that another one takes."""
    op = BITWISE.get(alu) or ARITHMETIC[alu]
    if alu in COMPARISONS or alu in _LOGICAL:
        found = op
        op = lambda a, b: found(a, b).astype(np.float32)  # noqa: E731
    if reverse and alu in UNARY:
        return lambda a, b: np.broadcast_to(op(b, a), np.broadcast_shapes(np.shape(a), np.shape(b)))
    return (lambda a, b: op(b, a)) if reverse else op


def _store(i: Instance, name: str = "dst") -> numerics.Convert:
    return numerics.storer(operand_type(i, name))


def tensor_tensor(i: Instance) -> Meaning:
    alu = cast(Alu, i.fields["op"])
    types = {operand_type(i, name) for name in ("data1", "data2", "dst")}
    if alu in BITWISE_ALUS or (i.engine is Engine.GPSIMD and alu in _NATIVE and types <= _WORDS):
        op, a, b = BITWISE.get(alu) or ARITHMETIC[alu], _word(i, "data1"), _word(i, "data2")
        return Meaning(lambda *tiles: (op(a(tiles), b(tiles)),), bits=True)
    op, a, b, store = ARITHMETIC[alu], _fp32(i, "data1"), _fp32(i, "data2"), _store(i)
    return Meaning(lambda *tiles: (store(op(a(tiles), b(tiles))),))


def tensor_scalar(i: Instance) -> Meaning:
    """Also scalar_tensor_tensor, whose operand1 is a full tile and which is arithmetic only."""
    first, second = cast(Alu, i.fields["op0"]), cast("Alu | None", i.fields.get("op1"))
    bitwise = first in BITWISE_ALUS
    pick, store = (_word, lambda array: array) if bitwise else (_fp32, _store(i))
    op0, a, b = _operator(first, bool(i.fields.get("reverse0"))), pick(i, "data"), pick(i, "operand0")
    if second is None:
        return Meaning(lambda *tiles: (store(op0(a(tiles), b(tiles))),), bitwise)
    op1, c = _operator(second, bool(i.fields.get("reverse1"))), pick(i, "operand1")
    return Meaning(lambda *tiles: (store(op1(op0(a(tiles), b(tiles)), c(tiles))),), bitwise)


def tensor_reduce(i: Instance) -> Meaning:
    alu, count = cast(Alu, i.fields["op"]), cast(int, i.fields["axes"])
    axes, reduce, negate = tuple(range(-count, 0)), REDUCTIONS[alu], bool(i.fields.get("negate"))
    if alu in BITWISE_ALUS:
        return Meaning(lambda data: (reduce(data, axes),), bits=True)
    a, store = _fp32(i, "data"), _store(i)
    return Meaning(lambda *tiles: (store(_negated(reduce(a(tiles), axes), negate)),))


def _negated(array: Array, negate: bool) -> Array:
    if not negate:
        return array
    return np.negative(array.astype(np.float32) if array.dtype == np.bool_ else array)


def tensor_copy(i: Instance) -> Meaning:
    """Bits where the types are equal; the Scalar engine of NeuronCore-v2 (which the table rejects) would not."""
    convert = numerics.converter(operand_type(i, "src"), operand_type(i, "dst"))
    if convert is None:
        return Meaning(lambda src: (src.copy(),), bits=True)
    return Meaning(lambda src: (convert(src),))


def tensor_copy_predicated(i: Instance) -> Meaning:
    test = np.equal if i.fields.get("reverse_pred") else np.not_equal
    return Meaning(lambda src, predicate: (Masked(src.copy(), test(predicate, 0)),), bits=True)


def memset(i: Instance) -> Meaning:
    value = numerics.constant(cast(float, i.fields["value"]), operand_type(i, "dst"))
    return Meaning(lambda: (value,))


def reciprocal(i: Instance) -> Meaning:
    a, store = _fp32(i, "data"), _store(i)
    return Meaning(lambda *tiles: (store(np.reciprocal(a(tiles))),))


def _activated(i: Instance) -> Callable[[Sequence[Array]], Array]:
    """op(data * scale + bias) in fp32, product and sum each rounded."""
    function, a = FUNCTIONS[cast(Function, i.fields["op"])], _fp32(i, "data")
    steps: list[tuple[Binary, Pick]] = []
    if i.operands.get("scale") is not None:
        steps.append((np.multiply, _fp32(i, "scale")))
    if i.operands.get("bias") is not None:
        steps.append((np.add, _fp32(i, "bias")))

    def compute(tiles: Sequence[Array]) -> Array:
        value = a(tiles)
        for op, operand in steps:
            value = op(value, operand(tiles))
        return function(value)

    return compute


def activation(i: Instance) -> Meaning:
    value, store = _activated(i), _store(i)
    return Meaning(lambda *tiles: (store(value(tiles)),))


def activation_reduce(i: Instance) -> Meaning:
    value, store, store_sum = _activated(i), _store(i), _store(i, "reduce_res")

    def compute(*tiles: Array) -> Sequence[Array]:
        result = value(tiles)
        total = np.add.reduce(result, axis=tuple(range(1, result.ndim)))
        return store(result), store_sum(total)

    return Meaning(compute)


def affine_values(i: Instance) -> Array:
    """offset + partition * channel_multiplier + sum of index * step over the pattern: int64 [P, N]. Partitions count
    from the first one of dst."""
    pattern, dst = cast("tuple[int, ...]", i.fields["pattern"]), cast(Access, i.operands["dst"])
    value = cast(int, i.fields["offset"]) + cast(int, i.fields["channel_multiplier"]) * np.arange(dst.partitions)
    for step, count in zip(pattern[::2], pattern[1::2], strict=True):
        value = value[..., None] + step * np.arange(count)
    return value.reshape(dst.partitions, -1)


def iota(i: Instance) -> Meaning:
    values = numerics.integer_storer(operand_type(i, "dst"))(affine_values(i))
    return Meaning(lambda: (values,))


def affine_select(i: Instance) -> Meaning:
    test = ARITHMETIC[cast(Alu, i.fields["cmp_op"])](affine_values(i), 0)
    source, target, otherwise = operand_type(i, "on_true_tile"), operand_type(i, "dst"), i.fields["on_false_value"]
    fill, convert = numerics.constant(cast(float, otherwise), target), numerics.converter(source, target)
    if convert is None:
        word = fill.view(numerics.bits(target))
        return Meaning(lambda tile: (np.where(test, tile.reshape(test.shape), word),), bits=True)
    return Meaning(lambda tile: (np.where(test, convert(tile).reshape(test.shape), fill),))


def nc_transpose(i: Instance) -> Meaning:
    """A bit copy, but on the Tensor engine of NeuronCore-v2, where it is a matmul with the identity: a NaN or infinity
    spoils its column, and -0 becomes 0."""
    type_ = operand_type(i, "data")
    if i.engine is not Engine.TENSOR or i.target.core != "v2":
        return Meaning(lambda data: (data.reshape(len(data), -1).T.copy(),), bits=True)
    load, store = numerics.loader(type_), _store(i)
    identity = np.eye(cast(Access, i.operands["data"]).partitions, dtype=np.float32)
    return Meaning(lambda data: (store(np.matmul(load(data).reshape(len(data), -1).T, identity)),))


def matmul_input(i: Instance, name: str) -> Callable[[Array], Array]:
    """fp32 [K, columns] of a matmul's input: tfloat32 rounds to 10 mantissa bits, the other types are exact in fp32."""
    type_ = operand_type(i, name)
    load, tf32 = numerics.loader(type_), dtype(type_).name == "tfloat32"

    def read(tile: Array) -> Array:
        value = load(tile).reshape(len(tile), -1)
        return numerics.round_tf32(value) if tf32 else value

    return read


def load_stationary(i: Instance) -> Meaning:
    """Its output is the state of the array: fp32 [M, K]."""
    read = matmul_input(i, "stationary")
    return Meaning(lambda tile: (np.array(read(tile).T, order="C"),))


def multiply_moving(i: Instance) -> Meaning:
    """Takes the loaded tile after its own input; its output is the product, fp32 [M, N]. Whether it overwrites or
    accumulates is decided where it is written."""
    read = matmul_input(i, "moving")
    return Meaning(lambda tile, stationary: (np.matmul(stationary, read(tile)),))


def dma_copy(i: Instance) -> Meaning:
    """The elements in row-major order of the source, in the shape that the source has."""
    convert = numerics.converter(operand_type(i, "src"), operand_type(i, "dst"))
    if convert is None:
        return Meaning(lambda src: (src.copy(),), bits=True)
    return Meaning(lambda src: (convert(src),))


MEANING: Mapping[str, Callable[[Instance], Meaning]] = {
    "tensor_tensor": tensor_tensor,
    "tensor_scalar": tensor_scalar,
    "scalar_tensor_tensor": tensor_scalar,
    "tensor_reduce": tensor_reduce,
    "tensor_copy": tensor_copy,
    "tensor_copy_predicated": tensor_copy_predicated,
    "memset": memset,
    "reciprocal": reciprocal,
    "activation": activation,
    "activation_reduce": activation_reduce,
    "iota": iota,
    "affine_select": affine_select,
    "nc_transpose": nc_transpose,
    "load_stationary": load_stationary,
    "multiply_moving": multiply_moving,
    "dma_copy": dma_copy,
}


def meaning(instance: Instance) -> Meaning:
    found = MEANING.get(instance.instruction.name)
    if found is None:
        raise ExecutionError(f"the executor does not know what {instance.instruction.name} computes")
    return found(instance)
