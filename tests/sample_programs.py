"""Programs around one `Sample`, at `neuron.isa` and at `neuron.engine`: what it reads is written first, as zeros."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from executor.machine_code import NUMPY
from samples import Sample
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    ArrayAttr,
    FloatAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    f32,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from nki_mlir.dialects import neuron_engine as engine
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import by_name, dtype
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions import BY_NAME
from nki_mlir.dialects.table_ops import TARGET
from nki_mlir.dialects.tile import ARG_NAMES

_WORD = by_name("uint32").type


def isa_module(sample: Sample, target: str) -> ModuleOp:
    """Vector writes the memory that the sample reads; then come what has to precede it, and the sample."""
    chain = [*sample.before, sample]
    fills = [
        isa.instruction_op("memset", {"dst": at}, {"value": 0}, update=isa.Update(Expr(0), 1))
        for at in dict.fromkeys(map(words, _on_chip(chain)))
    ]
    streams: dict[Engine, list[Operation]] = {Engine.VECTOR: list(fills)}
    for place, one in enumerate(chain):
        wait = isa.Wait(Expr(1), Expr(place)) if place else isa.Wait(Expr(0), Expr(len(fills)))
        made = isa.instruction_op(one.name, dict(one.operands), dict(one.fields), wait, isa.Update(Expr(1), 1))
        streams.setdefault(one.engine, []).append(made)
    cores = [isa.CoreOp(0, [isa.StreamOp(e, ops) for e, ops in streams.items()])]
    if sample.name == "sendrecv":
        cores.append(_partner(cores[0]))
    tensors = [isa.TensorOp(name, type_) for name, type_ in tensor_types(chain).items()]
    return _module(isa.ProgramOp("sample", [*tensors, *cores]), target)


def _partner(core: isa.CoreOp) -> isa.CoreOp:
    """The other core of the pair, which does the same on its own memory."""
    partner = isa.CoreOp(1, [stream.clone() for stream in core.items])
    for op in partner.walk():
        for name, value in op.properties.items():
            if isinstance(value, isa.AccessAttr):
                op.properties[name] = isa.AccessAttr(replace(value.data, core=1))
            elif name in ("send_to_rank", "recv_from_rank"):
                op.properties[name] = IntegerAttr(0, i64)
    return partner


def engine_module(sample: Sample, target: str) -> ModuleOp:
    """A buffer for each memory on chip, an argument for each tensor and for each address in a register."""
    chain = [*sample.before, sample]
    tensors = tensor_types(chain)
    indices = sum(run_time_offsets(s) for s in chain)
    block = Block(arg_types=[*tensors.values(), *[IndexType()] * indices])
    sources: dict[str, SSAValue] = dict(zip(tensors, block.args, strict=False))
    offsets = iter(block.args[len(tensors) :])
    for space in dict.fromkeys(a.space for a in _on_chip(chain)):
        ends = [a.free_elements * 4 + _start(a) for a in map(words, _on_chip(chain)) if a.space is space]
        block.add_ops(made := list(_buffer(space, max(ends))))
        sources[space] = made[0].results[0]
    for one in chain:
        values: dict[str, SSAValue | None] = {}
        for name, operand in one.operands.items():
            if isinstance(operand, Access):
                made = list(_view(operand, sources[operand.tensor or operand.space], offsets))
            else:
                made = [ConstantOp(FloatAttr(operand, f32))]
            block.add_ops(made)
            values[name] = made[-1].results[0]
        block.add_ops(_instruction(one, values))
    block.add_op(ReturnOp())
    func = FuncOp("sample", FunctionType.from_lists(block.arg_types, []), Region(block))
    func.attributes[ARG_NAMES] = ArrayAttr(StringAttr(n) for n in [*tensors, *(f"at{k}" for k in range(indices))])
    return _module(func, target)


def accesses(sample: Sample) -> Iterator[Access]:
    return (a for a in sample.operands.values() if isinstance(a, Access))


def run_time_offsets(sample: Sample) -> int:
    """How many of its addresses are in registers."""
    return sum(_varies(a) for a in accesses(sample))


def _on_chip(chain: Sequence[Sample]) -> list[Access]:
    return [a for s in chain for a in accesses(s) if a.on_chip]


def _start(access: Access) -> int:
    """The byte at which it starts, 0 in a register."""
    return access.address.const if access.address is not None else 0


def words(access: Access) -> Access:
    """The 4-byte words, on all partitions, that hold an access on chip."""
    low, high = access.extent
    first, last = (_start(access) + low) // 4, math.ceil((_start(access) + high) / 4)
    return Access(access.space, _WORD, ((1, last - first),), 0, 128, Expr(4 * first))


def tensor_types(chain: Sequence[Sample]) -> dict[str, MemRefType[Attribute]]:
    """The HBM tensors of some samples, as long as they need to be."""
    found: dict[str, MemRefType[Attribute]] = {}
    for access in (a for s in chain for a in accesses(s) if not a.on_chip):
        assert access.tensor is not None and access.address is not None
        size = (access.address.const + access.extent[1]) // access.itemsize
        kept = found.get(access.tensor)
        size = max(size, kept.get_shape()[0] if kept is not None else 0)
        found[access.tensor] = MemRefType(access.element_type, [size])
    return found


def arrays(sample: Sample) -> list[np.ndarray]:
    """Zeros for the tensors of the sample's programs."""
    types = tensor_types([*sample.before, sample]).values()
    return [np.zeros(t.get_shape(), NUMPY[dtype(t.element_type).name]) for t in types]


def _varies(access: Access) -> bool:
    return access.address is not None and not access.address.is_const


def _buffer(space: Space, size: int) -> Iterator[Operation]:
    """A buffer of `size` bytes on all partitions, all of them zero."""
    yield (alloc := engine.AllocOp(space, 128, size))
    yield (view := engine.ViewOp(alloc.result, Access(space, _WORD, ((1, size // 4),), 0, 128)))
    yield engine.instruction_op("memset", Engine.VECTOR, {"dst": view.result}, {"value": 0})


def _view(access: Access, source: SSAValue, offsets: Iterator[SSAValue]) -> Iterator[Operation]:
    assert access.address is not None
    if _varies(access):
        offset = next(offsets)
    else:
        yield (constant := ConstantOp.from_int_and_width(access.address.const // access.itemsize, IndexType()))
        offset = constant.result
    yield engine.ViewOp(source, replace(access, address=None, tensor=None), offset)


def _instruction(sample: Sample, values: dict[str, SSAValue | None]) -> Iterator[Operation]:
    """The instruction; fields that may vary with loops are index values."""
    fields = dict(sample.fields)
    for field in BY_NAME[sample.name].fields:
        if field.kind == "expr" and (value := fields.pop(field.name, None)) is not None:
            assert isinstance(value, isa.ExprAttr) and value.data.is_const
            yield (constant := ConstantOp.from_int_and_width(value.data.const, IndexType()))
            values[field.name] = constant.result
    yield engine.instruction_op(sample.name, sample.engine, values, fields)


def _module(op: Operation, target: str) -> ModuleOp:
    return ModuleOp([op], {TARGET: StringAttr(target)})
