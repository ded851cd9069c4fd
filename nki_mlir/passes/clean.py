"""clean: what is known is computed, what stands there twice stands there once, and what nobody reads goes."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriterListener,
    RewritePattern,
)
from xdsl.traits import ConstantLike, HasCanonicalizationPatternsTrait, HasFolder
from xdsl.transforms.canonicalize import CanonicalizationRewritePattern
from xdsl.transforms.common_subexpression_elimination import cse
from xdsl.transforms.dead_code_elimination import is_trivially_dead

from nki_mlir.dialects import LEVELS
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.verify import operations


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
        pattern = GreedyRewritePatternApplier([CanonicalizationRewritePattern()], ctx, folding_enabled=True)
        erase_dead(op)
        while _rewrite(op, pattern):
            erase_dead(op)
        cse(op)


def erase_dead(module: Operation) -> None:
    """Erases what has no effect and whose results nobody uses."""
    for op in reversed(operations(module)):
        if all(result.first_use is None for result in op.results) and is_trivially_dead(op) and op is not module:
            op.detach()
            op.erase()


def _rewrite(module: Operation, pattern: RewritePattern) -> bool:
    """Applies a pattern to each operation that there is, as often as it has something to do; whether it had."""
    gone, kinds = set[Operation](), dict[type[Operation], bool]()
    listener = PatternRewriterListener(operation_removal_handler=[lambda op: gone.update(operations(op))])
    changed = False
    for op in operations(module):
        kind = type(op)
        if kind not in kinds:
            kinds[kind] = _is_rewritten(kind)
        while kinds[kind] and op not in gone:
            rewriter = PatternRewriter(op)
            rewriter.extend_from_listener(listener)
            pattern.match_and_rewrite(op, rewriter)
            if not rewriter.has_done_action:
                break
            changed = True
    return changed


def _is_rewritten(kind: type[Operation]) -> bool:
    """Whether operations of a kind have patterns, or fold; constants fold to themselves."""
    folds = kind.has_trait(HasFolder, value_if_unregistered=False) and not kind.has_trait(ConstantLike)
    return folds or bool(kind.get_traits_of_type(HasCanonicalizationPatternsTrait))
