"""Element-wise instructions, copies and selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.instructions import BITWISE as BITWISE_ALUS
from nki_mlir.dialects.instructions import Alu, Instance
from nki_mlir.dialects.instructions.elementwise import KEPT
from nki_mlir.executor import numerics
from nki_mlir.executor.meaning.common import (
    Masked,
    Meaning,
    Of,
    Stage,
    chain,
    filling,
    fp32,
    in_place,
    moved,
    operand_type,
    operator,
    store_as,
    word,
)
from nki_mlir.executor.numerics import Array
from nki_mlir.executor.operators import ARITHMETIC, BITWISE

_WORDS = {by_name("int32").type, by_name("uint32").type}
_NATIVE = {Alu.ADD, Alu.SUBTRACT, Alu.MULTIPLY}


def tensor_tensor(i: Instance) -> Meaning:
    alu = cast(Alu, i.fields["op"])
    types = {operand_type(i, name) for name in ("data1", "data2", "dst")}
    if alu in BITWISE_ALUS or (i.engine is Engine.GPSIMD and alu in _NATIVE and types <= _WORDS):
        op, a, b = BITWISE.get(alu) or ARITHMETIC[alu], word(i, "data1"), word(i, "data2")
        return Meaning(lambda *tiles: (op(a(tiles), b(tiles)),), bits=True)
    op, a, b, store = ARITHMETIC[alu], fp32(i, "data1"), fp32(i, "data2"), store_as(i)
    into = filling(chain(i, [Stage(op, ("data1", "data2"))]))
    return Meaning(lambda *tiles: (store(op(a(tiles), b(tiles))),), into=into)


def tensor_scalar(i: Instance) -> Meaning:
    """Also scalar_tensor_tensor, whose operand1 is a full tile and which is arithmetic only."""
    first, second = cast(Alu, i.fields["op0"]), cast("Alu | None", i.fields.get("op1"))
    bitwise = first in BITWISE_ALUS
    pick, store = (word, lambda array: array) if bitwise else (fp32, store_as(i))
    op0, a, b = operator(first, bool(i.fields.get("reverse0"))), pick(i, "data"), pick(i, "operand0")
    stages = [Stage(ARITHMETIC.get(first), _ordered("data", "operand0", bool(i.fields.get("reverse0"))))]
    if second is None:
        return Meaning(lambda *tiles: (store(op0(a(tiles), b(tiles))),), bitwise, into=filling(chain(i, stages)))
    stages.append(Stage(ARITHMETIC.get(second), _ordered(None, "operand1", bool(i.fields.get("reverse1")))))
    op1, c = in_place(operator(second, bool(i.fields.get("reverse1")))), pick(i, "operand1")
    into = filling(chain(i, stages))
    return Meaning(lambda *tiles: (store(op1(op0(a(tiles), b(tiles)), c(tiles))),), bitwise, into=into)


def _ordered(first: str | None, second: str, reverse: bool) -> tuple[str | None, ...]:
    return (second, first) if reverse else (first, second)


def tensor_copy(i: Instance) -> Meaning:
    """Bits where the types are equal; the Scalar engine of NeuronCore-v2 (which the table rejects) would not."""
    convert = numerics.converter(operand_type(i, "src"), operand_type(i, "dst"))
    if convert is None:
        return Meaning(lambda src: (src.copy(),), bits=True, into=moved)
    return Meaning(lambda src: (convert(src),), into=filling(chain(i, [Stage(np.positive, ("src",))])))


def tensor_copy_predicated(i: Instance) -> Meaning:
    test, type_ = np.equal if i.fields.get("reverse_pred") else np.not_equal, operand_type(i, "dst")
    if "src" in i.operands:
        return Meaning(lambda src, predicate: (Masked(src.copy(), test(predicate, 0)),), bits=True, masked=True)
    value = numerics.constant(cast(float, i.fields["value"]), type_).view(numerics.bits(type_))

    def compute(predicate: Array) -> Sequence[Masked]:
        return (Masked(np.broadcast_to(value, predicate.shape), test(predicate, 0)),)

    return Meaning(compute, bits=True, masked=True)


def nc_stream_shuffle(i: Instance) -> Meaning:
    """Rows of the source by the mask; partitions that it leaves as they are get row 0, under the output's mask."""
    mask, dst = np.array(i.fields["shuffle_mask"]), cast(Access, i.operands["dst"])
    rows = np.arange(dst.partitions)
    entries = mask[rows % len(mask)]
    kept = entries == KEPT
    taken = np.where(kept, 0, rows - rows % len(mask) + entries)
    if not kept.any():
        return Meaning(lambda src: (src[taken],), bits=True)

    def compute(src: Array) -> Sequence[Masked]:
        values = src[taken].reshape(len(taken), -1)
        return (Masked(values, np.broadcast_to(~kept[:, None], values.shape)),)

    return Meaning(compute, bits=True, masked=True)


def memset(i: Instance) -> Meaning:
    value = numerics.constant(cast(float, i.fields["value"]), operand_type(i, "dst"))
    return Meaning(lambda: (value,))


def reciprocal(i: Instance) -> Meaning:
    a, store, into = fp32(i, "data"), store_as(i), filling(chain(i, [Stage(np.reciprocal, ("data",))]))
    return Meaning(lambda *tiles: (store(np.reciprocal(a(tiles))),), into=into)


ELEMENTWISE: Mapping[str, Of] = {
    "tensor_tensor": tensor_tensor,
    "tensor_scalar": tensor_scalar,
    "scalar_tensor_tensor": tensor_scalar,
    "tensor_copy": tensor_copy,
    "tensor_copy_dynamic_src": tensor_copy,
    "tensor_copy_dynamic_dst": tensor_copy,
    "nc_stream_shuffle": nc_stream_shuffle,
    "tensor_copy_predicated": tensor_copy_predicated,
    "memset": memset,
    "reciprocal": reciprocal,
}
