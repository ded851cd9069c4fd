"""Checks of whole modules that xDSL's verifier leaves out."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.utils.exceptions import VerifyException


class DominanceError(VerifyException):
    """An operand that is used before it is defined; `op` uses it."""

    def __init__(self, op: Operation, index: int):
        self.op = op
        super().__init__(f"'{op.name}': operand #{index} is used before its definition")


def verify_module(module: Operation) -> None:
    """The target that it names, xDSL's verifier, then dominance."""
    if "neuron.target" in module.attributes:  # else the instruction table needn't be loaded
        from nki_mlir.dialects.table_ops import target_of

        target_of(module)
    module.verify()
    verify_dominance(module)


def verify_dominance(op: Operation) -> None:
    """Every operand inside `op` is defined before it is used.

    `Operation.verify` doesn't look: a use before its definition parses and verifies. Regions of one block, the rule
    in structured IR, are one walk with the set of visible values; only regions with several blocks need dominators.
    """
    visible: set[SSAValue] = set()
    for region in op.regions:
        _verify_region(region, visible)


def _verify_region(region: Region, visible: set[SSAValue]) -> None:
    blocks = list(region.blocks)
    if len(blocks) == 1:
        _verify_block(blocks[0], visible)
    elif blocks:
        _verify_graph(blocks, visible)


def _verify_block(block: Block, visible: set[SSAValue]) -> None:
    """`visible` grows while the walk is in the block and is as before after it, so that nothing is ever copied."""
    added: list[SSAValue] = list(block.args)
    visible.update(added)
    for op in block.ops:
        for index, operand in enumerate(op.operands):
            if operand not in visible:
                raise DominanceError(op, index)
        for region in op.regions:
            _verify_region(region, visible)
        added.extend(op.results)
        visible.update(op.results)
    visible.difference_update(added)


def _verify_graph(blocks: list[Block], visible: set[SSAValue]) -> None:
    """A block sees what its dominators define. One that can't be reached is dominated by every block."""
    dominators = _dominators(blocks[0])
    for block in blocks:
        others = dominators.get(block, set(blocks)) - {block}
        _verify_block(block, visible | _definitions(others))


def _definitions(blocks: Iterable[Block]) -> set[SSAValue]:
    found: set[SSAValue] = set()
    for block in blocks:
        found.update(block.args)
        for op in block.ops:
            found.update(op.results)
    return found


def _dominators(entry: Block) -> dict[Block, set[Block]]:
    """The blocks on every path to each block that can be reached."""
    predecessors = _predecessors(entry)
    dominators = {block: set(predecessors) for block in predecessors} | {entry: {entry}}
    changed = True
    while changed:
        changed = False
        for block in predecessors.keys() - {entry}:
            found = set.intersection(*(dominators[other] for other in predecessors[block])) | {block}
            changed |= found != dominators[block]
            dominators[block] = found
    return dominators


def _predecessors(entry: Block) -> dict[Block, list[Block]]:
    """For each block that can be reached, the ones that can and branch to it."""
    found: dict[Block, list[Block]] = {entry: []}
    todo = [entry]
    while todo:
        block = todo.pop()
        for successor in block.last_op.successors if block.last_op is not None else ():
            if successor not in found:
                found[successor] = []
                todo.append(successor)
            found[successor].append(block)
    return found
