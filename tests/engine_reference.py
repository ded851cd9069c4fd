"""Runs a function of `neuron.engine` one instruction after the other, on NumPy arrays: what program order means.

Written for the instructions that `engine_programs` makes, apart from the executor: buffers have no addresses here, each
allocation is an array of its own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ConditionOp, ForOp, IfOp, WhileOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.dialects.alu import Alu, Function
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.neuron_engine import AllocOp, EngineInstruction, ScalarOp, ViewOp

Array = NDArray[Any]

TYPES = {
    "float32": np.dtype(np.float32),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "int32": np.dtype(np.int32),
}
ALU: dict[Alu, Callable[[Any, Any], Any]] = {
    Alu.ADD: np.add,
    Alu.SUBTRACT: np.subtract,
    Alu.MULTIPLY: np.multiply,
    Alu.MAXIMUM: np.maximum,
}
ARITH: dict[type[Operation], Callable[[int, int], int]] = {
    arith.AddiOp: lambda a, b: a + b,
    arith.MuliOp: lambda a, b: a * b,
    arith.SubiOp: lambda a, b: a - b,
    arith.MinSIOp: min,
    arith.MaxSIOp: max,
    arith.DivSIOp: lambda a, b: a // b,
    arith.RemSIOp: lambda a, b: a % b,
}
COMPARE = {0: operator.eq, 1: operator.ne, 2: operator.lt, 3: operator.le, 4: operator.gt, 5: operator.ge}
"""By the number of a predicate of `arith.cmpi`."""
GARBAGE = 0x7B


class Reference:
    """`values` holds integers for index values, bytes [partitions, row] or [bytes] for memories, arrays for views."""

    def __init__(self, module: ModuleOp, arrays: Sequence[Array]):
        func = next(op for op in module.body.ops if isinstance(op, FuncOp))
        self.values: dict[SSAValue, Any] = {}
        for argument, array in zip(func.body.block.args, arrays, strict=True):
            self.values[argument] = array.reshape(-1).view(np.uint8)
        with np.errstate(all="ignore"):
            self.block(func.body.block)

    def block(self, block: Block) -> None:
        for op in block.ops:
            match op:
                case arith.ConstantOp(value=IntegerAttr() | FloatAttr() as constant):
                    self.values[op.result] = constant.value.data
                case _ if type(op) in ARITH:
                    self.values[op.results[0]] = ARITH[type(op)](*(self.values[v] for v in op.operands))
                case AllocOp():
                    shape = (op.buffer.partitions, op.buffer.bytes)
                    self.values[op.result] = np.full(shape, GARBAGE, np.uint8)
                case ViewOp():
                    self.values[op.result] = self.view(op)
                case ForOp():
                    low, high, step = (self.values[v] for v in (op.lb, op.ub, op.step))
                    for counter in range(low, high, step):
                        self.values[op.body.block.args[0]] = counter
                        self.block(op.body.block)
                case ScalarOp():
                    self.values[op.result] = self.values[op.source].item()
                case arith.CmpiOp():
                    compare = COMPARE[op.predicate.value.data]
                    self.values[op.result] = compare(self.values[op.lhs], self.values[op.rhs])
                case IfOp():
                    for side in (op.true_region if self.values[op.cond] else op.false_region).blocks:
                        self.block(side)
                case WhileOp():
                    while self.goes_on(op):
                        self.block(op.after_region.block)
                case EngineInstruction():
                    if any(self.values[view.result].size == 0 for view in op.views().values()):
                        continue
                    getattr(self, op.instruction.name)(op)
                case _:
                    assert op.name in ("scf.yield", "scf.condition", "func.return"), op.name

    def goes_on(self, op: WhileOp) -> bool:
        self.block(op.before_region.block)
        end = op.before_region.block.last_op
        assert isinstance(end, ConditionOp)
        return self.values[end.condition]

    def view(self, op: ViewOp) -> Array:
        """The elements as a NumPy view of the memory's bytes: [P, …] on chip."""
        access = op.access.limited({dim: max(0, self.values[value]) for dim, value in op.limited})
        if 0 in access.counts:
            return np.empty(0)
        memory = self.values[op.source]
        type_ = TYPES[dtype(access.element_type).name]
        offset = (0 if op.offset is None else self.values[op.offset]) * type_.itemsize
        shape, strides = [c for _, c in access.dims], [s * type_.itemsize for s, _ in access.dims]
        if access.on_chip:
            row = memory.shape[1]
            assert 0 <= offset + access.extent[0] and offset + access.extent[1] <= row
            shape, strides = [access.partitions, *shape], [row, *strides]
            assert isinstance(op.source.owner, AllocOp)
            offset += (access.start - op.source.owner.first_partition) * row
        return np.ndarray(shape, type_, memory, offset, strides)

    def value(self, op: EngineInstruction, name: str) -> Any:
        value = op.operand_value(name)
        assert value is not None
        return self.values[value]

    def operand(self, op: EngineInstruction, name: str) -> Array:
        """An input in fp32, [P, elements]."""
        tile = self.value(op, name)
        return tile.reshape(len(tile), -1).astype(np.float32)

    def write(self, op: EngineInstruction, values: Any) -> None:
        dst = self.value(op, "dst")
        dst[...] = np.broadcast_to(values, (len(dst), dst.size // len(dst))).reshape(dst.shape).astype(dst.dtype)

    def memset(self, op: EngineInstruction) -> None:
        self.write(op, np.float32(op.fields()["value"]))

    def tensor_tensor(self, op: EngineInstruction) -> None:
        self.write(op, ALU[op.fields()["op"]](self.operand(op, "data1"), self.operand(op, "data2")))

    def tensor_scalar(self, op: EngineInstruction) -> None:
        self.write(op, ALU[op.fields()["op0"]](self.operand(op, "data"), self.operand(op, "operand0")))

    def tensor_copy(self, op: EngineInstruction) -> None:
        self.write(op, self.operand(op, "src"))

    def tensor_reduce(self, op: EngineInstruction) -> None:
        data = self.value(op, "data")
        self.write(op, data.max(axis=-1).reshape(len(data), -1))

    def activation(self, op: EngineInstruction) -> None:
        data = self.operand(op, "data")
        self.write(op, data * data if op.fields()["op"] is Function.SQUARE else data)

    def nc_matmul(self, op: EngineInstruction) -> None:
        product = self.operand(op, "stationary").T @ self.operand(op, "moving")
        accumulate = op.operand_value("accumulate")
        if accumulate is not None and self.values[accumulate]:
            product += self.operand(op, "dst")
        self.write(op, product)

    def dma_copy(self, op: EngineInstruction) -> None:
        dst, src = (self.value(op, name) for name in ("dst", "src"))
        moved = src.copy().reshape(dst.shape)
        dst[...] = (dst + moved if op.fields()["dst_rmw_op"] else moved).astype(dst.dtype)
