"""Loops over ranges, as `scf.for`, and the variables that loops carry.

What the body gives a value is *carried*, an argument of the loop's body, if it is read before it is written or read
after the loop; the rest is local to one iteration. That some of it is `start + i * step` is for the IR to find out.

Whether a variable changes may depend on conditions that are known only by evaluating the body (`if HAS_BIAS:`), and
which type a Python number has after an iteration too. Where that matters, a trial comes before the loop: its body is
evaluated with nothing kept and nothing printed, first with every variable that is written under an `if` only, or that
is no number or tensor, taken to keep its value; again with those carried that turn out not to; and so on. A loop inside
a trial needs none of its own.

A block pointer is its offsets, each a variable of its own (`parts`).
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from xdsl.dialects import scf
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValue

from nki_mlir.analysis.induction import step_of
from nki_mlir.analysis.number_ranges import Cycle
from nki_mlir.dialects.tile import element_of
from nki_mlir.errors import CompileError
from nki_mlir.frontend import analysis, functions, operators, parts
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.dtypes import INDEX, of_type
from nki_mlir.frontend.int64 import carried_fits, is_int64
from nki_mlir.frontend.observed import key
from nki_mlir.frontend.statements import Statements
from nki_mlir.frontend.values import BlockPointer, Poison, RunTimeRange, Value, describe, describe_type, is_runtime

_CARRIED = (Value, bool, int, float)
"""What a loop can carry."""

MAX_UNROLLED = 10_000
"""How many iterations the unrolled loops of a kernel may have together."""

MAX_TRIPS = 2**31 - 1
"""How many iterations a loop may have."""


def unroll(interpreter: Statements, node: ast.For, items: Iterable[Any]) -> Any:
    """Evaluates the body once for each item; the result is that of a `return`, if one was met."""
    b = interpreter.b
    for item in _each(items):
        count_unrolled(b)
        interpreter.assign(node.target, item if is_runtime(item) else interpreter.usable(item, "an item of the loop"))
        returned = interpreter.block(node.body, analysis.iteration(node))
        if returned is not None:
            return returned
    return None


def count_unrolled(b: Builder) -> None:
    """Notes one more iteration that is written out. Raises CompileError for one too many."""
    b.unrolled += 1
    if b.unrolled > MAX_UNROLLED:
        raise CompileError(
            f"the unrolled loops of a kernel have at most {MAX_UNROLLED:,} iterations together, and this exceeds "
            "it; use tl.range, or nl.affine_range, which stay rolled"
        )


def _each(items: Iterable[Any]) -> Iterator[Any]:
    """The items; what the iterator raises is an error of the kernel's."""
    iterator = iter(items)
    while True:
        try:
            item = next(iterator)
        except StopIteration:
            return
        except Exception as error:
            raise CompileError(f"the items of the loop raised {type(error).__name__}: {error}") from None
        yield item


def _is_integer(value: Value) -> bool:
    return not value.is_pointer and value.number.kind == "int"


def _is_index(value: Value) -> bool:
    return not value.is_pointer and value.number is INDEX


def _trips(items: range) -> int:
    count = max(0, -(-(items.stop - items.start) // items.step))
    if count > MAX_TRIPS:
        raise CompileError(f"a loop has at most {MAX_TRIPS:,} iterations, and this has {count:,}")
    return count


class CarryingLoop(ABC):
    """A loop statement, being emitted; `body` are the statements that an iteration runs."""

    def __init__(self, interpreter: Statements, node: ast.For | ast.While):
        self.interpreter, self.node = interpreter, node
        self.before = parts.spread(interpreter.env)
        self.now: dict[str, Any] = {}
        self.written = parts.with_parts(analysis.assignments(node.body), self.before)
        self.hints: dict[str, Attribute] = {}
        self.changing = [n for n in self._needed() if self._is_defined(n)]
        certain = analysis.unconditional(node.body)
        carried = {n for n in self.changing if parts.owner(n) in certain and isinstance(self.before[n], _CARRIED)}
        self.kept = set(self.changing) - carried
        self.tried: set[str] = set()

    @abstractmethod
    def operation(self, carried: list[str], inits: list[Value]) -> tuple[Operation, Block]:
        """Emits the loop without what its body does; the body's last arguments are the variables carried."""

    @abstractmethod
    def start_body(self, block: Block) -> None:
        """What is evaluated in front of the statements of the body."""

    def emit_carrying(self) -> None:
        """Emits the loop, and leaves the variables as they are behind it."""
        failure, b = None, self.interpreter.b
        if b.in_trial:
            self._settle()
            return
        if self.kept or not all(isinstance(self.before[n], Value) for n in self.changing):
            failure = self._try_out()
        if not self._try():
            raise failure or AssertionError("a loop that changes otherwise than in its trial")

    def _needed(self) -> list[str]:
        """The variables written whose value from before is read, in the loop or after it. A block pointer that is made
        anew before it is read is one of the iteration's own."""
        bundles = {name for name, value in self.before.items() if isinstance(value, BlockPointer)}
        needed = analysis.exposed(analysis.iteration(self.node)) | (self.interpreter.live - bundles)
        return [name for name in self.written if parts.owner(name) in needed]

    def _is_defined(self, name: str) -> bool:
        return name in self.before and not isinstance(self.before[name], Poison)

    def _try_out(self) -> CompileError | None:
        """Settles `kept` and `hints`. What is wrong with the body is told when it is emitted, after what it prints."""
        in_loop = self.interpreter.in_loop
        with self.interpreter.b.trial():
            try:
                self._settle()
            except CompileError as error:
                return error
            finally:
                self.interpreter.in_loop = in_loop
        return None

    def _settle(self) -> None:
        while not self._try():
            pass

    def _try(self) -> bool:
        """Emits the loop. False if it is none yet: a variable that was taken to keep its value changed, and is then not
        in `kept` any more, or one that starts as a Python number turned out to have another type, which is then in
        `hints`, or not to change."""
        interpreter, b = self.interpreter, self.interpreter.b
        carried = [n for n in self.changing if n not in self.kept]
        inits = [self._initial(name) for name in carried]
        loop, block = self.operation(carried, inits)
        arguments = block.args[len(block.args) - len(carried) :]
        self.name(carried, arguments)
        with b.inside(block):
            self._body(block)
            self.now = parts.spread(interpreter.env)
            self._check_whole()
            cycles = zip(carried, inits, arguments, strict=True)
            values = [self._final(name, init, argument) for name, init, argument in cycles]
            ends = {n: (v, a) for n, v, a in zip(carried, values, arguments, strict=True)}
            if self._resettled(ends) or None in values:
                return False
            b.add(scf.YieldOp(*(v.ssa for v in values if v is not None)))
        self._after(dict(zip(carried, loop.results, strict=True)))
        return True

    def _resettled(self, ends: Mapping[str, tuple[Value | None, SSAValue]]) -> bool:
        """Whether `kept` loses what does change, or gains Python numbers that end an iteration as they began it. `ends`
        has both."""
        changed = {name for name in self.kept if not self._is_kept(name)}
        same = {n for n, (end, begin) in ends.items() if end is not None and end.ssa is begin}
        same = {n for n in same if not isinstance(self.before[n], Value)} - self.tried
        self.tried |= same
        self.kept = self.kept - changed | same
        return bool(changed or same)

    def _check_whole(self) -> None:
        """A block pointer that the loop keeps points to blocks of one array all the time."""
        for name in [n for n in self.kept if isinstance(self.before[n], BlockPointer)]:
            if not self._is_kept(name):
                raise CompileError(
                    f"'{name}' is {describe(self.before[name])} before the loop, and after an iteration "
                    f"{describe(self.now[name])} of another base, shape or strides; move it with tl.advance, or "
                    "make it in each iteration before it is used",
                    *self.interpreter.function.place(self.written[name][-1]),
                )

    def _is_kept(self, name: str) -> bool:
        before, now = self.before[name], self.now[name]
        if now is before:
            return True
        return (isinstance(before, BlockPointer) or not is_runtime((before, now))) and key(now) == key(before)

    def name(self, carried: Sequence[str], arguments: Sequence[SSAValue]) -> None:
        """The variables as they are where these are the values carried."""
        variables = dict(self.before)
        for name, argument in zip(carried, arguments, strict=True):
            argument.name_hint = name
            variables[name] = Value(argument)
        self.interpreter.env = parts.gathered(variables)

    def _body(self, block: Block) -> None:
        interpreter = self.interpreter
        self.start_body(block)
        outer, interpreter.in_loop = interpreter.in_loop, True
        interpreter.block(self.node.body, analysis.iteration(self.node))
        interpreter.in_loop = outer

    def _initial(self, name: str) -> Value:
        value = self.before[name]
        b = self.interpreter.b
        if isinstance(value, Value):
            return value
        if not isinstance(value, _CARRIED):
            place = self.interpreter.function.place(self.written[name][0])
            raise CompileError(
                f"'{name}' is {describe(value)} before the loop and changes in it; "
                "a variable that a loop carries must be a number or a tensor",
                *place,
            )
        hint = self.hints.get(name)
        return b.to_value(value) if hint is None else b.typed(value, of_type(hint))

    def _final(self, name: str, init: Value, argument: SSAValue) -> Value | None:
        """The variable at the end of an iteration; it must have the type that it starts with."""
        b, value = self.interpreter.b, self.now[name]
        if isinstance(value, bool | int | float) and not init.shape and not init.is_pointer:
            value = b.typed(value, init.number)
        untyped = not isinstance(self.before[name], Value) and name not in self.hints
        if isinstance(value, Value) and not untyped:
            value = b.cast(value, INDEX) if _is_index(init) and _is_integer(value) else functions.beside(b, value, init)
        if isinstance(value, Value) and value.ssa.type == init.ssa.type:
            self._check_width(name, init, argument, value)
            return value
        if untyped and isinstance(value, Value) and not value.shape and not value.is_pointer:
            self.hints[name] = element_of(value.ssa)
            return None
        raise CompileError(self._mismatch(name, init, value), *self.interpreter.function.place(self.written[name][-1]))

    def _check_width(self, name: str, init: Value, argument: SSAValue, value: Value) -> None:
        """An int64 that a loop carries has 32 bits there."""
        if self.interpreter.b.in_trial or not (is_int64(init) or is_int64(value)):
            return
        if not carried_fits(Cycle(init.ssa, argument, value.ssa, self.known_trips())):
            raise CompileError(
                f"'{name}' is an int64 that a loop carries, and may need more than 32 bits, which is not supported: no"
                " engine has it; convert what is added to it to int32, and start it with that type",
                *self.interpreter.function.place(self.written[name][-1]),
            )

    def known_trips(self) -> int | None:
        """The number of iterations; None where that is known at run time only."""
        return None

    def _mismatch(self, name: str, init: Value, value: Any) -> str:
        cure = "its type and shape must stay the same"
        if isinstance(value, Value) and value.shape == init.shape and not init.is_pointer and not value.is_pointer:
            cure = f"convert it with .to({init.number})"
        elif isinstance(value, Value) and value.shape and not init.shape:
            cure = f"start it with that shape, e.g. tl.zeros({value.shape}, ...)"
        found = describe(value) if isinstance(value, Value) else f"{describe(value)} (a compile-time value)"
        return f"'{name}' is {describe_type(init.ssa.type)} before the loop and {found} after an iteration; {cure}"

    def _after(self, results: dict[str, OpResult]) -> None:
        """The variables after the loop."""
        env, inside = dict(self.before), self.now
        for name in self.written:
            if name in results:
                env[name] = self.after(self.before[name], results[name])
                results[name].name_hint = name
            elif name in self.kept or name not in inside:
                continue
            elif not is_runtime(inside[name]):
                env[name] = inside[name]
            else:
                line = self.interpreter.function.place(self.written[name][0])[1]
                env[name] = Poison(
                    f"'{name}' is set only inside the loop (line {line}); give it a value before the loop"
                    if name not in self.before
                    else f"'{name}' is made anew in the loop (line {line}), and can't be read after it; make it again"
                )
        self.interpreter.env = parts.gathered(env)

    def after(self, start: Any, result: OpResult) -> Any:
        """What a loop leaves in a variable that started so."""
        return Value(result)


class RolledLoop(CarryingLoop):
    """One `for` statement over a range."""

    def __init__(self, interpreter: Statements, node: ast.For, items: range | RunTimeRange):
        if not isinstance(node.target, ast.Name):
            raise CompileError("the variable of a loop over a range must be one name")
        self.target, self.items = node.target.id, items
        self.trips = _trips(items) if isinstance(items, range) else items.trips
        super().__init__(interpreter, node)
        self.changing = [name for name in self.changing if name != self.target]
        self.kept.discard(self.target)

    def known_trips(self) -> int | None:
        return self.trips if isinstance(self.trips, int) else None

    def emit(self) -> None:
        if self.trips == 0:
            return
        self.emit_carrying()
        if isinstance(self.items, RunTimeRange):
            self.interpreter.env[self.target] = Poison(
                f"'{self.target}' is the variable of a loop with run-time bounds, and can't be read after it"
            )
        elif self.target not in self.written:
            self.interpreter.env[self.target] = self.items[-1]
        elif isinstance(self.interpreter.env.get(self.target), Poison):
            self.interpreter.env[self.target] = Poison(
                f"'{self.target}' is the variable of a loop that changes it; use another name in the loop"
            )

    def operation(self, carried: list[str], inits: list[Value]) -> tuple[Operation, Block]:
        b = self.interpreter.b
        block = Block(arg_types=[IndexType(), *(v.ssa.type for v in inits)])
        low, high, step = (b.index(n).ssa for n in (0, self.trips, 1))
        return b.add(scf.ForOp(low, high, step, [v.ssa for v in inits], Region(block))), block

    def start_body(self, block: Block) -> None:
        b = self.interpreter.b
        variable = operators.binary(b, "*", Value(block.args[0]), self.items.step)
        self.interpreter.bind(self.target, operators.binary(b, "+", variable, self.items.start))

    def after(self, start: Any, result: OpResult) -> Any:
        """A number that each iteration adds a number to stays one."""
        step = step_of(result)
        if not operators.is_index(start) or isinstance(start, Value) or step is None or isinstance(self.trips, Value):
            return Value(result)
        return operators.compute("+", start, self.trips * step)
