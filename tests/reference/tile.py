"""The `tile` level: every program of the grid, one after another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from xdsl.dialects.builtin import ModuleOp, i1
from xdsl.dialects.func import FuncOp
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from nki_mlir.dialects import tile
from reference import elements, standard
from reference.elements import Array

UPDATES: dict[tile.Update, elements.Function] = {
    tile.Update.ADD: np.add,
    tile.Update.MAX: np.maximum,
    tile.Update.MIN: np.minimum,
    tile.Update.AND: np.bitwise_and,
    tile.Update.OR: np.bitwise_or,
    tile.Update.XOR: np.bitwise_xor,
    tile.Update.EXCHANGE: lambda old, value: value,
}
"""What an atomic operation leaves in memory."""


@dataclass(frozen=True)
class Pointers:
    """A pointer, or a tensor of them: a flat memory and the element that each points to."""

    memory: Array
    offsets: Array


@register_impls
class TileFunctions(InterpreterFunctions):
    """The operations of `tile`. Programs run by rising ids, the last axis of the grid fastest."""

    @impl(tile.ProgramsOp)
    def programs(self, interpreter: Interpreter, op: tile.ProgramsOp, args: PythonValues) -> PythonValues:
        for position in itertools.product(*map(range, op.grid)):
            interpreter.run_ssacfg_region(op.body, tuple(map(np.asarray, position)), "program")
        return ()

    @impl(tile.BeginProgramOp)
    def begin_program(self, interpreter: Interpreter, op: tile.BeginProgramOp, args: PythonValues) -> PythonValues:
        return ()

    @impl(tile.ArangeOp)
    def arange(self, interpreter: Interpreter, op: tile.ArangeOp, args: PythonValues) -> PythonValues:
        return (np.arange(op.start.value.data, op.end.value.data),)

    # Shapes, of tensors of pointers too.
    @impl(tile.SplatOp)
    def splat(self, interpreter: Interpreter, op: tile.SplatOp, args: PythonValues) -> PythonValues:
        return (_reshaped(args[0], lambda a: np.broadcast_to(a, tile.shape_of(op.result))),)

    @impl(tile.ExpandDimsOp)
    def expand_dims(self, interpreter: Interpreter, op: tile.ExpandDimsOp, args: PythonValues) -> PythonValues:
        return (_reshaped(args[0], lambda a: np.expand_dims(a, op.axis.value.data)),)

    @impl(tile.BroadcastOp)
    def broadcast(self, interpreter: Interpreter, op: tile.BroadcastOp, args: PythonValues) -> PythonValues:
        return (_reshaped(args[0], lambda a: np.broadcast_to(a, tile.shape_of(op.result))),)

    @impl(tile.PermuteOp)
    def permute(self, interpreter: Interpreter, op: tile.PermuteOp, args: PythonValues) -> PythonValues:
        return (_reshaped(args[0], lambda a: np.transpose(a, op.order.get_values())),)

    @impl(tile.ReshapeOp)
    def reshape(self, interpreter: Interpreter, op: tile.ReshapeOp, args: PythonValues) -> PythonValues:
        return (_reshaped(args[0], lambda a: np.reshape(a, tile.shape_of(op.result))),)

    # Memory.
    @impl(tile.BaseOp)
    def base(self, interpreter: Interpreter, op: tile.BaseOp, args: PythonValues) -> PythonValues:
        return (Pointers(args[0], np.asarray(0)),)

    @impl(tile.AddPtrOp)
    def add_ptr(self, interpreter: Interpreter, op: tile.AddPtrOp, args: PythonValues) -> PythonValues:
        pointers, offset = args
        return (Pointers(pointers.memory, pointers.offsets + offset),)

    @impl(tile.LoadOp)
    def load(self, interpreter: Interpreter, op: tile.LoadOp, args: PythonValues) -> PythonValues:
        given = iter(args[1:])
        mask = next(given) if op.mask is not None else np.True_
        other = next(given) if op.other is not None else None
        where = args[0].offsets
        found = standard.gather(args[0].memory, where, np.broadcast_to(mask, where.shape), other)
        return (found != 0 if tile.element_of(op.result) == i1 else found,)

    @impl(tile.StoreOp)
    def store(self, interpreter: Interpreter, op: tile.StoreOp, args: PythonValues) -> PythonValues:
        pointers, values, *masks = args
        mask = np.broadcast_to(masks[0] if masks else np.True_, values.shape)
        standard.scatter(pointers.memory, pointers.offsets, mask, values)
        return ()

    @impl(tile.AtomicOp)
    def atomic(self, interpreter: Interpreter, op: tile.AtomicOp, args: PythonValues) -> PythonValues:
        """Pointer after pointer: those that name one element see what the others left."""
        given = iter(args[2:])
        expected = next(given) if op.expected is not None else None
        memory, offsets = args[0].memory, args[0].offsets
        mask = np.broadcast_to(next(given) if op.mask is not None else np.True_, offsets.shape)
        old = np.zeros(offsets.shape, memory.dtype)
        for at in np.ndindex(offsets.shape):
            where, value = offsets[at], np.asarray(args[1])[at]
            standard.check(memory, where[mask[at]])
            if not mask[at]:
                continue
            old[at] = memory[where]
            if expected is None:
                memory[where] = elements.compute(UPDATES[op.kind.data], tile.element_of(op.value), old[at], value)
            elif old[at] == np.asarray(expected)[at]:
                memory[where] = value
        return (old,)

    @impl(tile.ReadOp)
    def read(self, interpreter: Interpreter, op: tile.ReadOp, args: PythonValues) -> PythonValues:
        where, inside = standard.accessed(op, args[1:], tile.shape_of(op.result))
        other = None if op.other is None else elements.constant(op.other)
        return (standard.gather(args[0], where, inside, other),)

    @impl(tile.WriteOp)
    def write(self, interpreter: Interpreter, op: tile.WriteOp, args: PythonValues) -> PythonValues:
        where, inside = standard.accessed(op, args[2:], tile.shape_of(op.value))
        standard.scatter(args[1], where, inside, args[0])
        return ()

    # Values.
    @impl(tile.CompareOp)
    def compare(self, interpreter: Interpreter, op: tile.CompareOp, args: PythonValues) -> PythonValues:
        function = elements.COMPARISONS[op.predicate.data.value]
        return (elements.compute(function, tile.element_of(op.result), *args),)

    @impl(tile.SelectOp)
    def select(self, interpreter: Interpreter, op: tile.SelectOp, args: PythonValues) -> PythonValues:
        return (np.where(*args),)

    @impl(tile.FunctionOp)
    def function(self, interpreter: Interpreter, op: tile.FunctionOp, args: PythonValues) -> PythonValues:
        return (elements.compute(standard.FUNCTIONS[op.function.data], tile.element_of(op.result), *args),)

    @impl(tile.CastOp)
    def cast(self, interpreter: Interpreter, op: tile.CastOp, args: PythonValues) -> PythonValues:
        return (elements.convert(np.asarray(args[0]), tile.element_of(op.result)),)

    @impl(tile.ReduceOp)
    def reduce(self, interpreter: Interpreter, op: tile.ReduceOp, args: PythonValues) -> PythonValues:
        return (elements.reduce(op.kind.data.value, args[0], op.axis.value.data, tile.element_of(op.result)),)

    @impl(tile.BitcastOp)
    def bitcast(self, interpreter: Interpreter, op: tile.BitcastOp, args: PythonValues) -> PythonValues:
        return (np.ascontiguousarray(args[0]).view(elements.storage(tile.element_of(op.result))),)

    @impl(tile.LastOp)
    def last(self, interpreter: Interpreter, op: tile.LastOp, args: PythonValues) -> PythonValues:
        return (np.take(args[0], -1, op.axis.value.data),)

    @impl(tile.ScanOp)
    def scan(self, interpreter: Interpreter, op: tile.ScanOp, args: PythonValues) -> PythonValues:
        source, *others = args
        scale = others.pop(0) if op.scale is not None else None
        initial = others.pop() if op.initial is not None else None
        kind, axis, reverse = op.kind.data.value, op.axis.value.data, op.reverse is not None
        return (elements.scan(kind, source, scale, initial, axis, reverse, tile.element_of(op.result)),)

    @impl(tile.FlipOp)
    def flip(self, interpreter: Interpreter, op: tile.FlipOp, args: PythonValues) -> PythonValues:
        return (np.flip(args[0], op.axis.value.data),)

    @impl(tile.SliceOp)
    def slice(self, interpreter: Interpreter, op: tile.SliceOp, args: PythonValues) -> PythonValues:
        places = range(op.at.value.data, op.at.value.data + op.size)
        return (_reshaped(args[0], lambda a: np.take(a, places, op.axis.value.data)),)

    @impl(tile.ConcatOp)
    def concat(self, interpreter: Interpreter, op: tile.ConcatOp, args: PythonValues) -> PythonValues:
        return (np.concatenate(args, op.axis.value.data),)

    @impl(tile.DotOp)
    def dot(self, interpreter: Interpreter, op: tile.DotOp, args: PythonValues) -> PythonValues:
        a, b, *acc = args
        product = elements.products(a, b, op.over, op.batch)
        if acc:
            product = product + elements.wide(acc[0])
        return (product.astype(elements.storage(tile.element_of(op.result))),)


def _reshaped(value: Array | Pointers, reshape: elements.Function) -> Array | Pointers:
    if isinstance(value, Pointers):
        return Pointers(value.memory, reshape(value.offsets))
    return reshape(value)


def run_tile(module: ModuleOp, arrays: Sequence[Array]) -> None:
    """Runs the one kernel of the module, in pointer or structured form, on its arguments (C-contiguous), in place."""
    func = next(op for op in module.ops if isinstance(op, FuncOp))
    interpreter = standard.interpreter_for(module, cast(InterpreterFunctions, TileFunctions()))
    interpreter.call_op(func, standard.memories(func, arrays))
