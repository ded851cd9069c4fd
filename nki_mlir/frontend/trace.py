"""From a kernel and a call's arguments to a `tile` module."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    FileLineColLoc,
    IntAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.traits import is_side_effect_free
from xdsl.utils.exceptions import VerifyException

from nki_mlir.analysis.induction import carried_of
from nki_mlir.collection import rare_collection
from nki_mlir.dialects import tile
from nki_mlir.errors import CompileError, internal_errors
from nki_mlir.frontend.arrays import ArgumentBuffers
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.calls import inline
from nki_mlir.frontend.dtypes import DType
from nki_mlir.frontend.int64 import remove_marks
from nki_mlir.frontend.interpreter import Interpreter
from nki_mlir.frontend.observed import Observations
from nki_mlir.frontend.source import KernelFunction
from nki_mlir.frontend.values import ArgFloat, ArgInt, HbmArray, Value, describe
from nki_mlir.recursion import deep_recursion

TARGET = "neuron.target"


@dataclass(frozen=True)
class Output:
    """An array that an NKI kernel makes in HBM: an argument after the kernel's own. Zeros are its content where it is
    `filled`, else it has none until it is written."""

    name: str
    shape: tuple[int, ...]
    dtype: DType
    filled: bool


@dataclass(frozen=True)
class ReturnedArray:
    """An array that the kernel returns: which argument of the module, and seen with which shape."""

    argument: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Traced:
    """A kernel at the `tile` level. `written` are the arguments that it stores to."""

    module: ModuleOp
    outputs: tuple[Output, ...]
    returned: Any
    written: frozenset[int]


@deep_recursion()
@rare_collection()
def trace(
    function: KernelFunction,
    memory: ArgumentBuffers,
    constants: Mapping[str, Any],
    grid: Sequence[int],
    target: str,
    observed: Observations,
) -> Traced:
    """Compiles a kernel's source to `tile`; `observed` notes what it reads from outside itself. Raises CompileError at
    the position in the source."""
    with internal_errors(f"the frontend, kernel {function.name}", lambda: function.position):
        return _trace(function, memory, constants, grid, target, observed)


def _trace(
    function: KernelFunction,
    memory: ArgumentBuffers,
    constants: Mapping[str, Any],
    grid: Sequence[int],
    target: str,
    observed: Observations,
) -> Traced:
    types = [MemRefType(a.dtype.stored, a.data.shape) for a in memory.arrays]
    entry = Block(arg_types=types)
    for argument, name in zip(entry.args, memory.names, strict=True):
        argument.name_hint = name if name.isascii() else None
    b = Builder(function, grid, entry, observed)
    variables = _variables(b, memory, constants)
    interpreter = Interpreter(b, function, {name: variables[name] for name in function.signature.parameters})
    b.inline = lambda helper, arguments: inline(interpreter, helper, arguments, {})
    result = interpreter.run()
    try:
        returned = _returned(b.language.name, result)
    except CompileError as error:
        raise CompileError(error.message, *interpreter.end) from None
    remove_marks(b.block.walk())
    _drop_unused(b.block)
    written = _written(b.block)
    names = _names(b, memory)
    module = _module(b, function, memory, names, target)
    made = zip(names[len(memory.names) :], b.outputs, strict=True)
    outputs = tuple(Output(name, o.shape, o.dtype, o.filled) for name, o in made)
    return Traced(module, outputs, returned, written)


def _variables(b: Builder, memory: ArgumentBuffers, constants: Mapping[str, Any]) -> dict[str, Any]:
    """What each parameter holds when the kernel starts."""
    variables: dict[str, Any] = dict(constants)
    for name, slot in memory.slots.items():
        argument, array = b.entry.args[slot], memory.arrays[slot]
        if b.language.name == "nki":
            variables[name] = HbmArray(slot, argument, array.shape, array.dtype)
        else:
            variables[name] = b.value(tile.BaseOp(argument, array.dtype.pointee))
    return variables


def as_argument(value: Any, constexpr: bool) -> Any:
    """A compile-time argument of a Triton kernel: a number is typed unless it is a constexpr."""
    if constexpr or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return ArgInt(value)
    return ArgFloat(value) if isinstance(value, float) else value


def _returned(language: str, result: Any) -> Any:
    """The arrays that a kernel returns, in the tuples that hold them."""
    if result is None:
        return None
    if language != "nki":
        raise CompileError(f"a Triton kernel returns nothing, but this returns {describe(result)}")
    if isinstance(result, HbmArray):
        return ReturnedArray(result.argument, result.shape)
    if isinstance(result, tuple | list):
        return tuple(_returned(language, item) for item in result)
    what = "a tile on the chip" if isinstance(result, Value) else describe(result)
    raise CompileError(
        f"a kernel returns arrays in HBM, but this returns {what}; store it to an array made with "
        "nl.ndarray(..., buffer=nl.shared_hbm)"
    )


def _names(b: Builder, memory: ArgumentBuffers) -> list[str]:
    """What the module's arguments are called: parameters, then the arrays made, by the variables that held them first;
    a name that is taken gets a number."""
    names = list(memory.names)
    for array in b.outputs:
        wanted = array.memory.name_hint or f"output{array.argument}"
        numbered = (f"{wanted}_{n}" for n in itertools.count(1))
        names.append(wanted if wanted not in names else next(n for n in numbered if n not in names))
    return names


def _module(
    b: Builder, function: KernelFunction, memory: ArgumentBuffers, names: Sequence[str], target: str
) -> ModuleOp:
    """The kernel as a module. An empty grid has no programs: nothing stays of a body that is verified all the same."""
    entry, end = b.entry, ReturnOp()
    entry.add_ops([b.programs, end])
    func = FuncOp(function.name, ([a.type for a in entry.args], []), Region(entry))
    last = max(memory.groups, default=-1)
    groups = [*memory.groups, *range(last + 1, last + 1 + len(b.outputs))]
    func.attributes[tile.ARG_NAMES] = ArrayAttr([StringAttr(n) for n in names])
    func.attributes[tile.ALIASES] = DenseArrayBase.from_list(i64, groups)
    module = ModuleOp([func], {TARGET: StringAttr(target)})
    place = FileLineColLoc(StringAttr(b.file), IntAttr(b.line), IntAttr(b.column))
    for op in (module, func, b.programs, end):
        op.location = place
    _verify(b.programs.body.walk())
    if not all(b.grid):
        b.programs.detach()
        b.programs.erase()
    _verify((module, func, *entry.ops))
    return module


def _drop_unused(block: Block) -> None:
    """Erases operations without effect whose results nobody reads: what the kernel computed and did not use."""
    for op in reversed(list(block.ops)):
        for region in op.regions:
            for inner in region.blocks:
                _drop_unused(inner)
        if not op.regions and op.results and is_side_effect_free(op) and not any(r.uses for r in op.results):
            op.detach()
            op.erase()


def _written(body: Block) -> frozenset[int]:
    """The arguments that some store may reach."""
    found: set[int] = set()
    for op in (o for outer in body.ops for o in outer.walk()):
        if isinstance(op, tile.StoreOp):
            found |= _bases(op.ptr, set())
    return frozenset(found)


def _bases(pointer: SSAValue, seen: set[SSAValue]) -> set[int]:
    """The arguments that a pointer may point into."""
    if pointer in seen or not isinstance(tile.element_of(pointer), tile.PtrType):
        return set()
    seen.add(pointer)
    owner = pointer.owner
    if isinstance(owner, tile.BaseOp):
        return {owner.source.index} if isinstance(owner.source, BlockArgument) else set()
    carried = carried_of(pointer)
    if carried is not None:
        sources: Sequence[SSAValue] = (carried.start, carried.yielded)
    else:
        sources = owner.operands if isinstance(owner, Operation) else ()
    return set().union(*(_bases(source, seen) for source in sources))


def _verify(ops: Iterable[Operation]) -> None:
    """What the dialects forbid is an error at the operation's position."""
    for op in ops:
        try:
            op.verify(verify_nested_ops=False)
        except VerifyException as error:
            raise CompileError.at(op, f"{op.name}: {error}") from None
