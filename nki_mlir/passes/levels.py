"""Which level a module is at, which operations a level may hold, and what of the lowering is left from there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import LEVELS
from nki_mlir.passes.stages import STAGES

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Attribute, Operation

TILE, MEM, ENGINE, ISA = LEVELS


@dataclass(frozen=True)
class Legal:
    """What a level may hold: whole dialects, single operations, whether values may be tensors, and what loops may carry
    and ifs yield: anything, where that is not limited, or only types of these names."""

    dialects: tuple[str, ...]
    ops: tuple[str, ...] = ()
    tensors: bool = False
    carried: tuple[str, ...] | None = ()

    def allows(self, name: str) -> bool:
        """Whether an operation of this name is legal."""
        return name in self.ops or name.rpartition(".")[0] in self.dialects


_CONTROL = ("scf.for", "scf.if", "scf.while", "scf.condition", "scf.yield")

LEGAL: dict[str, Legal] = {
    TILE: Legal(
        ("func", "arith", "math", TILE),
        ("builtin.module", *_CONTROL),
        tensors=True,
        carried=None,
    ),
    MEM: Legal(("func", "arith", MEM), ("builtin.module", *_CONTROL, "tile.begin_program"), carried=None),
    ENGINE: Legal(
        ("func", "arith", ENGINE), ("builtin.module", *_CONTROL, "tile.begin_program"), carried=(f"{MEM}.tile",)
    ),
    ISA: Legal((ISA,), ("builtin.module",)),
}
"""The table of legal operations. Below `tile`, `arith` is index arithmetic, conditions and scalar constants."""


def level_of(module: ModuleOp) -> str:
    """The lowest level that anything in the module belongs to; a module of standard dialects alone is at `tile`."""
    return level_among(operations(module))


def level_among(ops: Iterable[Operation]) -> str:
    """The lowest level that any of a module's operations belongs to."""
    dialects = {name.rpartition(".")[0] for name in {op.name for op in ops}}
    return next((level for level in reversed(LEVELS) if level in dialects), TILE)


def first_of(module: ModuleOp, level: str) -> Operation | None:
    """The first operation that makes a module one of the level: one of its dialect that no other level may hold; for
    `tile`, also a value that only `tile` has. None where nothing does, so that the module might be at any level."""
    others = [legal for other, legal in LEGAL.items() if other != level]
    for op in module.walk():
        mine = op.name.startswith(f"{level}.") and not any(legal.allows(op.name) for legal in others)
        if mine or (level == TILE and _wrong_type(op) is not None):
            return op
    return None


def verify_level(module: ModuleOp, level: str) -> None:
    """Every operation is legal at the level. Raises VerifyException."""
    legal = LEGAL[level]
    for op in operations(module):
        _verify_op(op, legal, level)


def _verify_op(op: Operation, legal: Legal, level: str) -> None:
    from xdsl.utils.exceptions import VerifyException

    if not legal.allows(op.name):
        raise VerifyException(f"{op.name} is not an operation of {level}")
    if legal.carried is not None and op.name in _CONTROL:
        carried = (*op.results, *(op.operands if op.name == "scf.while" else ()))
        wrong = next((value.type for value in carried if value.type.name not in legal.carried), None)
        if wrong is not None:
            raise VerifyException(f"a loop of {level} carries tiles alone, and an if yields no others, not {wrong}")
    if not legal.tensors and (type_ := _wrong_type(op)) is not None:
        raise VerifyException(f"{op.name}: {level} has no values of type {type_}")


def _wrong_type(op: Operation) -> Attribute | None:
    """The type of a value that only `tile` has: a tensor, or a scalar that is computed and no integer."""
    from xdsl.dialects.builtin import AnyFloat, TensorType

    values = [*op.results, *(a for r in op.regions for b in r.blocks for a in b.args)]
    wrong = TensorType | AnyFloat if op.name.startswith("arith.") and op.name != "arith.constant" else TensorType
    return next((value.type for value in values if isinstance(value.type, wrong)), None)


def remaining_pipeline(module: ModuleOp) -> str:
    """The spec of what is left of the lowering to `neuron.isa`; empty if the module is there."""
    level = level_of(module)
    if level == ISA:
        return ""
    stages = list(STAGES)[_FIRST_STAGE[level] :]
    return ",".join([*_PLACING, *stages] if level == ENGINE and _needs_addresses(module) else stages)


def passes_between(level: str, name: str) -> str:
    """The spec that takes a module of the level to where the pass `name` runs: whole stages, then single passes."""
    spec: list[str] = []
    for stage, text in list(STAGES.items())[_FIRST_STAGE[level] :]:
        passes = text.split(",")
        if name in passes:
            return ",".join([*spec, *passes[: passes.index(name)]])
        spec.append(stage)
    return ",".join(spec)


_FIRST_STAGE = {TILE: 0, MEM: 2, ENGINE: 3}
"""The number of the first stage of the lowering that a module of a level has not passed yet."""

_PLACING = ("bufferize", "multi-buffer", "allocate")
"""The end of `mem-to-engine`, for a module of `neuron.engine` whose tiles have no buffers yet, or whose buffers have no
addresses."""


def _needs_addresses(module: ModuleOp) -> bool:
    unplaced = (f"{ENGINE}.alloc", f"{ENGINE}.empty")
    return any(op.name in unplaced and "address" not in op.properties for op in operations(module))
