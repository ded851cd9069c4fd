"""clean: what is known is computed, what stands there twice stands there once, and what nobody reads goes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriterListener,
    RewritePattern,
)
from xdsl.traits import (
    ConstantLike,
    EffectInstance,
    HasCanonicalizationPatternsTrait,
    HasFolder,
    IsolatedFromAbove,
    IsTerminator,
    MemoryEffect,
    MemoryEffectKind,
    NoMemoryEffect,
    OpTrait,
    get_effects,
)
from xdsl.transforms.canonicalization_patterns.scf import RehoistConstInLoops
from xdsl.transforms.common_subexpression_elimination import OperationInfo, has_other_side_effecting_op_in_between
from xdsl.transforms.dead_code_elimination import is_trivially_dead

from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import LEVELS
from nki_mlir.passes.level_pass import LevelPass


@dataclass(frozen=True)
class Clean(LevelPass):
    """Leaves what xDSL's canonicalize and cse leave, and dce after them:

        %0 = arith.constant 2 : index
        %1 = arith.constant 3 : index               %0 = arith.constant 6 : index
        %2 = arith.muli %0, %1                =>    %1 = neuron.engine.view %buffer at %0
        %3 = neuron.engine.view %buffer at %2
        %4 = neuron.engine.view %buffer at %2

    Only operations that fold, or have patterns, are asked; and what is dead is found on one way back through the
    module, users first. Nothing more is dead when equal operations have become one: what is left has the same operands.
    """

    name = "clean"
    levels = LEVELS

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        patterns = cache(partial(_pattern_of, ctx))
        erase_dead(op)
        while _rewrite(op, patterns):
            erase_dead(op)
        _merge_equal(op, {})


_NONE = frozenset[EffectInstance]()


def erase_dead(module: Operation) -> None:
    """Erases what has no effect and whose results nobody uses. What holds something that has one isn't asked."""
    lasting: set[Operation] = {module}
    for op in reversed(operations(module)):
        if op in lasting or any(result.first_use is not None for result in op.results):
            continue
        if is_trivially_dead(op):
            op.detach()
            op.erase()
        elif not _ends(op):
            holder = op.parent_op()
            while holder is not None and holder not in lasting:
                lasting.add(holder)
                holder = holder.parent_op()


def _rewrite(module: Operation, pattern_of: Callable[[type[Operation]], RewritePattern | None]) -> bool:
    """Applies to each operation that there is what its kind has, as often as that does something; whether any did."""
    gone = set[Operation]()
    listener = PatternRewriterListener(operation_removal_handler=[lambda op: gone.update(operations(op))])
    changed = False
    for op in operations(module):
        pattern = pattern_of(type(op))
        while pattern is not None and op not in gone:
            rewriter = PatternRewriter(op)
            rewriter.extend_from_listener(listener)
            pattern.match_and_rewrite(op, rewriter)
            if not rewriter.has_done_action:
                break
            changed = True
    return changed


def _pattern_of(ctx: Context, kind: type[Operation]) -> RewritePattern | None:
    """Folds operations of a kind, or applies their patterns; None where there are none. Constants do not fold."""
    patterns, folds = _rules_of(kind)
    if not patterns and not folds:
        return None
    return GreedyRewritePatternApplier([*patterns], ctx, folding_enabled=folds, dce_enabled=False)


@cache
def _rules_of(kind: type[Operation]) -> tuple[Sequence[RewritePattern], bool]:
    """The patterns of a kind of operation, and whether it folds."""
    traits = kind.get_traits_of_type(HasCanonicalizationPatternsTrait)
    found = [pattern for trait in traits for pattern in trait.get_patterns(kind)]
    patterns = [_HoistConstants() if isinstance(pattern, RehoistConstInLoops) else pattern for pattern in found]
    return patterns, kind.has_trait(HasFolder, value_if_unregistered=False) and not kind.has_trait(ConstantLike)


class _HoistConstants(RewritePattern):
    """Moves the constants of a loop in front of it, as xDSL's pattern does, which copies them: that takes as long as
    all other work on a loop that has hundreds."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        for inner in [inner for block in op.regions[0].blocks for inner in block.ops]:
            if _has(type(inner), ConstantLike):
                inner.detach()
                rewriter.insert(inner)


def _merge_equal(holder: Operation, known: dict[Hashable, Operation]) -> None:
    """Puts the first of equal operations in the place of those that see it. `known` are those outside. What only reads
    memory is equal to what stands in its block with no write in between."""
    if _has(type(holder), IsolatedFromAbove):
        known = {}
    for block in [region.block for region in holder.regions if len(region.blocks) == 1]:
        seen = dict(known)
        for op in block.ops:
            if op.regions:
                _merge_equal(op, seen)
            effects = _NONE if _is_pure(type(op)) else get_effects(op)
            if effects is None or any(effect.kind is not MemoryEffectKind.READ for effect in effects):
                continue
            if _ends(op):
                continue
            key = OperationInfo(op) if op.regions else _key(op)
            first = seen.setdefault(key, op)
            if first is op:
                continue
            if not effects or (first.parent is block and not has_other_side_effecting_op_in_between(first, op)):
                for result, other in zip(op.results, first.results, strict=True):
                    result.replace_all_uses_with(other)
                op.detach()
                op.erase()
            else:
                seen[key] = op


def _key(op: Operation) -> Hashable:
    """Equal for operations without regions that give the same."""
    properties, attributes = frozenset(op.properties.items()), frozenset(op.attributes.items())
    return op.name, tuple(op.operands), op.results.types, properties, attributes


@cache
def _is_pure(kind: type[Operation]) -> bool:
    """Whether no operation of a kind has an effect, whatever it holds."""
    effects = kind.get_traits_of_type(MemoryEffect)
    return bool(effects) and all(isinstance(effect, NoMemoryEffect) for effect in effects)


def _ends(op: Operation) -> bool:
    """Whether it is the terminator of its block."""
    return op.next_op is None and _has(type(op), IsTerminator)


@cache
def _has(kind: type[Operation], trait: type[OpTrait]) -> bool:
    return kind.has_trait(trait)
