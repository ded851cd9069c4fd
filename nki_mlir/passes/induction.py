"""induction: what a loop carries and changes by a fixed step becomes an expression of the counter."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerType, ModuleOp, i1
from xdsl.dialects.scf import ForOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from nki_mlir.analysis.constants import limits
from nki_mlir.analysis.indices import DataDependent, IndexTensor, NotAffine, constant, index_tensor, no_data
from nki_mlir.analysis.induction import Addend, Carried, addends, depends_only_on, is_inside
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.normalize_loops import goes_on, normalize_all
from nki_mlir.passes.structure_accesses import pointers


@dataclass(frozen=True)
class Induction(LevelPass):
    """Finds carried integers and pointers (and tensors of them) that are `start + i * step`:

        %q = scf.for %i = 0 to 8 iter_args(%p = %start) {      scf.for %i = 0 to 8 {
          … %p …                                                 %p = tile.add_ptr %start, %i * %step
          %next = tile.add_ptr %p, %step                  =>     … %p …
          scf.yield %next }                                    }
                                                               %q = tile.add_ptr %start, 8 * %step

    The step may be of several parts, added by several statements, and is what the loop does not change. A value that
    each iteration sets anew from the counter is carried no more either: nobody reads it inside, or what it starts as is
    what iteration -1 would have set. Left alone: every other carried value; integers that come from data; integers too
    narrow for the number of iterations; what a loop carries that does not count from 0 by 1.
    """

    name = "induction"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        normalize_all(op, goes_on)
        while any([_resolve(loop) for loop in reversed(operations(op)) if isinstance(loop, ForOp)]):
            pass


def _resolve(loop: ForOp) -> bool:
    """Whether the loop carries less than before. Inner loops go first: what they leave is a sum then, too."""
    if (constant(loop.lb), constant(loop.step)) != (0, 1):
        return False
    for number in reversed(range(len(loop.iter_args))):
        carried = Carried(loop, number)
        if _is_number(carried) and (_add_up(carried) or _set_anew(carried)):
            _drop(carried)
            return True
    return False


def _is_number(carried: Carried) -> bool:
    element = tile.element_of(carried.start)
    return isinstance(element, IndexType | IntegerType | tile.PtrType) and element != i1


def _drop(carried: Carried) -> None:
    """Replaces the loop by one that does not carry a value which nobody uses any more."""
    loop, number = carried.loop, carried.number
    block = loop.body.block
    last = block.last_op
    assert last is not None
    last.operands = [v for n, v in enumerate(last.operands) if n != number]
    block.erase_arg(carried.argument)
    inits = [v for n, v in enumerate(loop.iter_args) if n != number]
    new = ForOp(loop.lb, loop.ub, loop.step, inits, loop.detach_region(loop.body))
    new.attributes.update(loop.attributes)
    Emitter.before(loop).add(new)
    old = [r for n, r in enumerate(loop.results) if n != number]
    for result, replacement in zip(old, new.results, strict=True):
        replacement.name_hint = result.name_hint
        result.replace_all_uses_with(replacement)
    loop.detach()
    loop.erase()


def _replace(carried: Carried, inside: SSAValue | None, after: SSAValue | None) -> None:
    """Gives the carried value's users, in the body and after it, what they use instead."""
    for value, instead in ((carried.argument, inside), (carried.result, after)):
        if instead is not None:
            instead.name_hint = value.name_hint or instead.name_hint
            value.replace_all_uses_with(instead)


def _inside(carried: Carried) -> Emitter:
    """At the start of the body, at the place in the source where the value changes."""
    first = carried.loop.body.block.first_op
    assert first is not None
    return Emitter(InsertPoint.before(first), _source(carried).location)


def _after(carried: Carried) -> Emitter:
    return Emitter(InsertPoint.after(carried.loop), _source(carried).location)


def _source(carried: Carried) -> Operation:
    owner = carried.yielded.owner
    return owner if isinstance(owner, Operation) else carried.loop


# What each iteration adds the same to.
def _add_up(carried: Carried) -> bool:
    loop, parts = carried.loop, addends(carried.yielded, carried.argument)
    if parts is None or not all(depends_only_on(loop, part.value) for part in parts):
        return False
    if not parts:
        _replace(carried, carried.start, carried.start)
        return True
    element = tile.element_of(carried.start)
    trips = constant(loop.ub)
    if isinstance(element, IntegerType) and (
        trips is None or trips > limits(element)[1] or _is_data([carried.start, *(part.value for part in parts)])
    ):
        return False
    _advance(carried, _sum(carried, parts, Emitter(InsertPoint.before(loop), _source(carried).location)))
    return True


def _trips(loop: ForOp, emit: Emitter) -> SSAValue:
    """The number of iterations of a loop that counts from 0."""
    trips = constant(loop.ub)
    return emit.value(arith.MaxSIOp(loop.ub, emit.index(0))) if trips is None else emit.index(trips)


def _advance(carried: Carried, step: SSAValue) -> None:
    """Makes the value `start + i * step`, and `start + trips * step` after the loop."""
    inside, after = _inside(carried), _after(carried)
    value = _moved(carried.start, carried.loop.body.block.args[0], step, inside)
    used = bool(carried.result.uses)
    final = _moved(carried.start, _trips(carried.loop, after), step, after) if used else None
    _replace(carried, value, final)


def _is_data(values: list[SSAValue]) -> bool:
    try:
        for value in values:
            no_data(value)
    except DataDependent:
        return True
    return False


def _sum(carried: Carried, parts: list[Addend], emit: Emitter) -> SSAValue:
    """The step, in front of the loop; pointers move by index."""
    total: SSAValue | None = None
    copies: dict[SSAValue, SSAValue] = {}
    is_pointer = isinstance(tile.element_of(carried.start), tile.PtrType)
    for part in parts:
        value = _copied(carried.loop, part.value, copies, emit)
        if is_pointer and not isinstance(tile.element_of(value), IndexType):
            value = emit.value(tile.CastOp(value, IndexType()))
        if part.negative:
            total = emit.value(arith.SubiOp(_number(0, value.type, emit) if total is None else total, value))
        else:
            total = value if total is None else emit.value(arith.AddiOp(total, value))
    assert total is not None
    return total


def _number(number: int, type_: Attribute, emit: Emitter) -> SSAValue:
    """A number in every element; `arith.constant` has no unsigned integers."""
    element, shape = tile.element_of(type_), tile.shape_of(type_)
    value = emit.index(number)
    value = value if isinstance(element, IndexType) else emit.value(tile.CastOp(value, element))
    return emit.value(tile.SplatOp(value, shape)) if shape else value


def _moved(start: SSAValue, count: SSAValue, step: SSAValue, emit: Emitter) -> SSAValue:
    """`start + count * step`."""
    element, shape = tile.element_of(step), tile.shape_of(step)
    if element != count.type:
        count = emit.value(tile.CastOp(count, element))
    if isinstance(step.owner, tile.SplatOp):
        amount = emit.value(tile.SplatOp(emit.value(arith.MuliOp(count, step.owner.value)), shape))
    else:
        amount = emit.value(arith.MuliOp(emit.value(tile.SplatOp(count, shape)) if shape else count, step))
    if isinstance(tile.element_of(start), tile.PtrType):
        return emit.value(tile.AddPtrOp(start, amount))
    return emit.value(arith.AddiOp(start, amount))


# What each iteration sets anew.
def _set_anew(carried: Carried) -> bool:
    loop = carried.loop
    if not depends_only_on(loop, carried.yielded, counter=True):
        return False
    if carried.argument.uses:
        step = _continued(carried)
        if step is None:
            return False
        element = tile.element_of(carried.start)
        element = IndexType() if isinstance(element, tile.PtrType) else element
        in_front = Emitter(InsertPoint.before(loop), _source(carried).location)
        _advance(carried, _number(step, tile.with_shape(element, tile.shape_of(carried.start)), in_front))
    elif carried.result.uses:
        after, trips = _after(carried), constant(loop.ub)
        if trips is None:
            return False
        last: dict[SSAValue, SSAValue] = {loop.body.block.args[0]: after.index(trips - 1)}
        _replace(carried, None, _copied(loop, carried.yielded, last, after))
    return True


def _continued(carried: Carried) -> int | None:
    """The step of a value that is affine in the counter, if what it starts as is what an iteration before the first
    would have set; None otherwise."""
    counter = carried.loop.body.block.args[0]
    try:
        (memory, start), (other, later) = _form(carried.start), _form(carried.yielded)
    except NotAffine:
        return None
    step = later.offset.coefficient(counter)
    rest = later.offset - Expr.counter(counter) * step
    continues = counter not in rest.counters() and rest - step - start.offset == Expr(0)
    return step if memory is other and start.strides == later.strides and continues else None


def _form(value: SSAValue) -> tuple[SSAValue | None, IndexTensor]:
    """The memory, of a pointer, and the offset. Raises NotAffine."""
    return pointers(value) if isinstance(tile.element_of(value), tile.PtrType) else (None, index_tensor(value))


def _copied(loop: ForOp, value: SSAValue, copies: dict[SSAValue, SSAValue], emit: Emitter) -> SSAValue:
    """The value as computed where `emit` inserts, from `copies` of what the loop's body defines."""
    if value in copies:
        return copies[value]
    owner = value.owner
    if not isinstance(owner, Operation) or not is_inside(loop, owner):
        return value
    for operand in owner.operands:
        _copied(loop, operand, copies, emit)
    copy = emit.add(owner.clone(copies))
    copies[value] = copy.results[0]
    return copies[value]
