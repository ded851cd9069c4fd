"""What every pass of ours asks of the module that it is given, before it touches it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, IndexType, MemRefType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import LEVELS
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import ALIASES, ARG_NAMES, arg_names
from nki_mlir.errors import CompileError
from nki_mlir.passes.levels import first_of, level_among, passes_between, remaining_pipeline


class LevelPass(ModulePass):
    """A pass over modules of the levels `levels`; `lower` is its work. One of `neuron.engine` that needs `buffers`
    takes no tiles that are values.

    A module of another level, a function that is no kernel's body and a target that there is not are one error each,
    whichever pass comes first. A module that holds nothing of any level is taken by every pass.
    """

    levels: ClassVar[tuple[str, ...]]
    buffers: ClassVar[bool] = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Checks the module, then does the work."""
        ops = operations(op)
        found = level_among(ops)
        if found not in self.levels:
            _check_level(self.name, self.levels, op, found)
        if self.buffers and (value := _first_tile(ops)) is not None:
            raise CompileError.at(
                value, f"{self.name} takes buffers, and there are tiles that have none: run bufferize first"
            )
        target_of(op)
        for func in [inner for inner in ops if type(inner) is FuncOp]:
            _check_body(func)
            _check_attributes(func)
        self.lower(ctx, op)

    @abstractmethod
    def lower(self, ctx: Context, op: ModuleOp) -> None:
        """What the pass does to a module of one of its levels."""


def functions(module: ModuleOp) -> list[FuncOp]:
    """The kernels of a module: a function stands in it and in nothing else, or no pass takes it."""
    return [op for op in module.body.block.ops if isinstance(op, FuncOp)]


def _check_level(name: str, levels: tuple[str, ...], module: ModuleOp, found: str) -> None:
    """Raises CompileError where anything makes the module one of `found`, which is none of the levels that a pass
    takes, saying what leads there."""
    where = first_of(module, found)
    if where is None:
        return
    takes = " or ".join(levels)
    if LEVELS.index(found) < LEVELS.index(levels[0]):
        todo = f"this module is at {found}: run {passes_between(found, name)} first"
    else:
        left = remaining_pipeline(module)
        rest = f"what is left of its lowering is {left}" if left else "nothing of its lowering is left"
        todo = f"this module is at {found} already: {rest}"
    raise CompileError.at(where, f"{name} takes {takes}; {todo}")


def _first_tile(ops: Iterable[Operation]) -> Operation | None:
    """The first operation that makes or carries a tile that is a value."""
    for op in ops:
        values: Sequence[SSAValue] = op.results
        if op.regions and not isinstance(op, FuncOp):
            values = [*values, *(a for r in op.regions for b in r.blocks for a in b.args)]
        for value in values:
            if type(value.type) is TileType:
                return op
    return None


def _check_body(func: FuncOp) -> None:
    """A kernel is a function of the module itself, with one block that ends by returning nothing."""
    name = func.sym_name.data
    if not func.body.blocks:
        raise CompileError.at(
            func, f"function @{name} has no body; a kernel has one, and other functions can't be called"
        )
    if len(func.body.blocks) > 1:
        raise CompileError.at(
            func, f"function @{name} has {len(func.body.blocks)} blocks; a kernel has one, and its control flow is scf"
        )
    if not isinstance(func.parent_op(), ModuleOp) or func.parent_op() is not func.get_toplevel_object():
        raise CompileError.at(func, f"function @{name} stands inside another operation; a kernel stands in the module")
    end = func.body.block.last_op
    if not isinstance(end, ReturnOp) or end.operands:
        raise CompileError.at(end or func, f"function @{name} returns values; a kernel writes its results to memory")


def _check_attributes(func: FuncOp) -> None:
    """The names and aliases of the arguments, where a function states them."""
    name, arguments = func.sym_name.data, len(func.body.block.args)
    if len(arg_names(func)) != arguments:
        raise CompileError.at(func, f"{ARG_NAMES} of @{name}: it must be {arguments} strings, one an argument")
    aliases = func.attributes.get(ALIASES)
    if aliases is None:
        return
    numbers = aliases.get_values() if isinstance(aliases, DenseArrayBase) else ()
    if len(numbers) != arguments or not all(isinstance(number, int) for number in numbers):
        raise CompileError.at(func, f"{ALIASES} of @{name}: it must be {arguments} integers, one an argument")


def check_arguments(func: FuncOp, allowed: tuple[type[Attribute], ...] = (MemRefType, IndexType)) -> None:
    """Raises CompileError for an argument that is no memory. An index may still be one in front of the last level: it
    is refused where it is used, if it is."""
    for name, argument in zip(arg_names(func), func.body.block.args, strict=False):
        if not isinstance(argument.type, allowed):
            what = f"argument '{argument.name_hint or name}' is {argument.type}"
            raise CompileError.at(func, f"{what}; a kernel's arguments are memrefs, and scalars are constants")
