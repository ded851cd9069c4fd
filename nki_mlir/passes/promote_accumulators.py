"""promote-accumulators: `acc += dot` over a loop stays in PSUM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue

from nki_mlir.analysis.indices import is_run_time
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects.dtypes import f32
from nki_mlir.dialects.instructions import Alu
from nki_mlir.dialects.neuron_mem import AccumulatorOp, BinaryOp, ConvertOp, FillOp, MatmulOp, RelabelOp, tile_type
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import MEM
from nki_mlir.passes.normalize_loops import normalize_all


@dataclass(frozen=True)
class PromoteAccumulators(LevelPass):
    """Lets products accumulate where they are made:

        %a0 = fill 0                                    %p0 = accumulator
        %s = for iter_args(%a = %a0) {                  %p = for iter_args(%a = %p0) {
          %m = convert (matmul … acc (accumulator))   =>     yield (matmul … acc %a)
          yield (binary add %a, %m) }                   }
                                                        %s = convert %p

    and `0 + convert(product)` is `convert(product)`; of two products that are added, one after the other or to a third
    term, the second goes on where the first ends. What a `relabel` turns in between is turned behind the sum. Left
    alone: sums that start from anything but zero, or that the loop body also reads, and those of a loop that may not
    run at all; they stay additions in SBUF.
    """

    name = "promote-accumulators"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        normalize_all(op)  # a loop of no iterations would leave nothing in PSUM
        for inner in list(op.walk(reverse=True)):
            if isinstance(inner, ForOp) and not is_run_time(inner):
                _promote(inner)
        for inner in [i for i in operations(op) if isinstance(i, BinaryOp)]:
            _drop_zero(inner)
        for inner in [i for i in operations(op) if isinstance(i, BinaryOp)]:
            _join(inner)


def _erase(op: Operation) -> None:
    op.detach()
    op.erase()


def _is_zero(value: SSAValue) -> bool:
    owner = value.owner
    if isinstance(owner, FillOp):
        owner = owner.value.owner
    return isinstance(owner, ConstantOp) and isinstance(owner.value, FloatAttr) and owner.value.value.data == 0.0


def _promote(loop: ForOp) -> None:
    end = loop.body.block.last_op
    assert isinstance(end, YieldOp)
    wanted = [_chain(end.operands[i], arg) if _is_zero(init) else None for i, (init, arg) in enumerate(_carried(loop))]
    if any(wanted):
        _rebuild(loop, end, wanted)


def _carried(loop: ForOp) -> list[tuple[SSAValue, SSAValue]]:
    return list(zip(loop.iter_args, loop.body.block.args[1:], strict=True))


class _Product(NamedTuple):
    """A product on its way to SBUF: the first matmul of the sequence, which starts from an empty accumulator, the
    relabel of the sum if there is one, and the convert."""

    first: MatmulOp
    relabel: RelabelOp | None
    convert: ConvertOp

    @staticmethod
    def of(value: SSAValue) -> _Product | None:
        """None for any other value, and for one that has another use."""
        convert = value.owner
        if not isinstance(convert, ConvertOp) or not value.has_one_use():
            return None
        relabel = convert.source.owner if isinstance(convert.source.owner, RelabelOp) else None
        matmul = (relabel or convert).source.owner
        while isinstance(matmul, MatmulOp) and isinstance(matmul.acc.owner, MatmulOp):
            matmul = matmul.acc.owner
        if isinstance(matmul, MatmulOp) and isinstance(matmul.acc.owner, AccumulatorOp):
            return _Product(matmul, relabel, convert)
        return None

    @property
    def sum(self) -> SSAValue:
        """In PSUM, as the last matmul leaves it."""
        return (self.relabel or self.convert).source

    def lies_like(self, other: _Product) -> bool:
        """Whether two can be one sum."""
        turns = [None if one.relabel is None else one.relabel.properties for one in (self, other)]
        return self.sum.type == other.sum.type and turns[0] == turns[1]

    def begin_at(self, acc: SSAValue) -> None:
        """Adds to a sum in PSUM from the first term on."""
        empty = self.first.acc.owner
        assert isinstance(empty, AccumulatorOp)
        self.first.operands[2] = acc
        _erase(empty)

    def out(self, value: SSAValue, emit: Emitter) -> SSAValue:
        """What a sum in PSUM is behind the same relabel and convert."""
        for op in (self.relabel, self.convert):
            if op is not None:
                value = emit.value(
                    type(op).create(operands=[value], result_types=[op.result.type], properties=op.properties)
                )
        return value

    def erase(self) -> None:
        """Leaves the matmuls alone, whose sum goes elsewhere."""
        for op in (self.convert, self.relabel):
            if op is not None:
                _erase(op)


def _chain(value: SSAValue, start: SSAValue) -> list[BinaryOp] | None:
    """The additions of products that lead from `start` to `value`, last first, where each has no other use."""
    additions: list[BinaryOp] = []
    while value is not start:
        op = value.owner
        if not isinstance(op, BinaryOp) or op.op.data is not Alu.ADD or not value.has_one_use():
            return None
        found = next((rest for rest, term in _sides(op) if _Product.of(term) is not None), None)
        if found is None:
            return None
        additions.append(op)
        value = found
    products = [_term(addition) for addition in additions]
    alike = all(product.lies_like(products[0]) for product in products)
    return additions if additions and alike and start.has_one_use() else None


def _rebuild(loop: ForOp, end: YieldOp, chains: list[list[BinaryOp] | None]) -> None:
    """The loop again, carrying PSUM tiles where a chain was found."""
    emit = Emitter.before(loop)
    old = loop.body.block
    inits: list[SSAValue] = []
    for (init, _), chain in zip(_carried(loop), chains, strict=True):
        if chain:
            init = emit.value(AccumulatorOp.create(result_types=[_term(chain[0]).sum.type]))
        inits.append(init)
    block = Block(arg_types=[old.args[0].type, *(i.type for i in inits)])
    for before, after in zip(old.args, block.args, strict=True):
        after.name_hint = before.name_hint
    products = [_term(chain[0]) if chain else None for chain in chains]
    for i, chain in enumerate(chains):
        if chain:
            end.operands[i] = _accumulate(chain, old.args[i + 1], block.args[i + 1])
    for before, after in zip(old.args, block.args, strict=True):
        if before.uses:
            before.replace_all_uses_with(after)
    for op in list(old.ops):
        op.detach()
        block.add_op(op)
    new = emit.add(ForOp(loop.lb, loop.ub, loop.step, inits, Region(block)))
    for result, value, product in zip(loop.results, new.results, products, strict=True):
        value.name_hint = result.name_hint
        result.replace_all_uses_with(value if product is None else product.out(value, emit))
    for product in products:
        if product is not None:
            product.erase()
    _erase(loop)


def _term(addition: BinaryOp) -> _Product:
    """The side of an addition of a chain that is a product."""
    found = _Product.of(addition.rhs) or _Product.of(addition.lhs)
    assert found is not None
    return found


def _accumulate(chain: list[BinaryOp], start: SSAValue, acc: SSAValue) -> SSAValue:
    """Makes the products of a chain add to `acc`, one after another, and gives the last sum."""
    for addition in reversed(chain):
        product = _term(addition)
        product.begin_at(acc)
        acc = product.sum
        addition.result.replace_all_uses_with(acc)
        _erase(addition)
        if addition is not chain[0]:
            product.erase()
    return acc


def _join(op: BinaryOp) -> None:
    """The sum of two products, or of a product and of a sum that ends in one: the second goes on where the first
    ends."""
    for one, other in _sides(op):
        if (second := _Product.of(other)) is None:
            continue
        if (first := _before(one, second)) is not None:
            op.result.replace_all_uses_with(other)
            _erase(op)
            second.begin_at(first.sum)
            return first.erase()
        inner = one.owner
        if not isinstance(inner, BinaryOp) or not one.has_one_use():
            continue
        for rest, term in _sides(inner):
            if (first := _before(term, second)) is not None:
                one.replace_all_uses_with(rest)
                _erase(inner)
                second.begin_at(first.sum)
                return first.erase()


def _sides(op: BinaryOp) -> list[tuple[SSAValue, SSAValue]]:
    """The terms of an addition in both orders; none of anything else."""
    return [(op.lhs, op.rhs), (op.rhs, op.lhs)] if op.op.data is Alu.ADD else []


def _before(value: SSAValue, second: _Product) -> _Product | None:
    """The product that a value is, if another one can go on where it ends."""
    first = _Product.of(value)
    if first is None or not first.lies_like(second) or first.convert.parent is not second.first.parent:
        return None
    return first if first.convert.is_before_in_block(second.first) else None


def _drop_zero(op: BinaryOp) -> None:
    """`0 + convert(product)`: the product itself."""
    if tile_type(op.result).element_type != f32:
        return
    for zero, term in _sides(op):
        if _is_zero(zero) and _Product.of(term) is not None:
            op.result.replace_all_uses_with(term)
            _erase(op)
            return
