"""All of a module: a walk over it, what it was before a pass, and checks that xDSL's verifier leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Set

from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.utils.exceptions import VerifyException

from nki_mlir.analysis.operations import operations


class DominanceError(VerifyException):
    """An operand that is used before it is defined; `op` uses it."""

    def __init__(self, op: Operation, index: int):
        self.op = op
        super().__init__(f"'{op.name}': operand #{index} is used before its definition")


_ALONE = ("arith.", "math.", "tile.", "neuron.mem.", "neuron.engine.")
"""Dialects whose operations without regions verify by the target of the module, by attributes, operands and types of
their own, and by what makes their operands: the values of constants, the sources of views, where buffers start."""


_TARGET = "neuron.target"
"""The attribute by which a module names its target."""


class Verifier:
    """Verifies one module again and again, as passes change it. A module that is as it was when it last verified is not
    looked at again, and of one that changed no operation that verifies alone and whose operands are made as before."""

    def __init__(self) -> None:
        self._known: dict[Operation, tuple[object, ...]] = {}
        self._target: Attribute | None = None

    def verify(self, module: Operation) -> None:
        """The target that it names, what xDSL's verifier checks, then dominance."""
        known, self._known = self._known, {}
        found = snapshot(module)
        if list(found.items()) != list(known.items()):
            target = module.attributes.get(_TARGET)
            same = {op for op, state in found.items() if known.get(op) == state} if target == self._target else set()
            self._target = target
            _verify(module, same)
        self._known = found


def snapshot(module: Operation) -> dict[Operation, tuple[object, ...]]:
    """All that there is of a module but for names and locations: its operations in order, each with what it has. As
    operations, blocks and values are equal to themselves alone, snapshots with the same items are of one text."""
    return {op: _state(op) for op in operations(module)}


def _state(op: Operation) -> tuple[object, ...]:
    """Where it is, and all that it has."""
    operands = tuple(op.operands)
    types = [value.type for value in (*operands, *op.results)]
    blocks = [(block, block.arg_types) for region in op.regions for block in region.blocks]
    return op.parent, operands, types, dict(op.properties), dict(op.attributes), blocks, tuple(op.successors)


def _verify(module: Operation, same: Set[Operation]) -> None:
    if module.attributes.get(_TARGET) is not None:  # else the instruction table needn't be loaded
        from nki_mlir.dialects.table_ops import target_of

        target_of(module)
    _verify_changed(module, same)
    verify_dominance(module)


def _verify_changed(op: Operation, same: Set[Operation]) -> None:
    """Verifies an operation, what it holds first. An empty block lacks a terminator where one is asked for."""
    for region in op.regions:
        for block in region.blocks:
            if block.is_empty:
                block.verify()
            for inner in block.ops:
                _verify_changed(inner, same)
    if not _verifies_as_before(op, same):
        verify_one(op)


def _verifies_as_before(op: Operation, same: Set[Operation]) -> bool:
    """Whether an operation is as it was, and verifies alone, and what makes its operands is as it was."""
    if op not in same or op.regions or op.successors or op.next_op is None or not op.name.startswith(_ALONE):
        return False
    return all(value.owner in same or isinstance(value.owner, Block) for value in op.operands)


def verify_one(op: Operation) -> None:
    """Verifies an operation, not what it holds. `scf.while` of xDSL raises a plain Exception."""
    try:
        op.verify(verify_nested_ops=False)
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise VerifyException(str(error)) from None


def verify_module(module: Operation) -> None:
    """The target that a module names, what xDSL's verifier checks, then dominance."""
    _verify(module, frozenset())


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
