"""Loops with bounds known at compile time, as `scf.for`.

Variables that the body changes are one of three things. `x += c` with a fixed `c`, where x is an integer or a pointer,
is *induction*: its value is written as a function of the counter, so that addresses stay affine. What is read before it
is written, or read after the loop, is *carried*: an argument of the loop's body. The rest is local to one iteration.

Whether a variable changes may depend on conditions that are known only by evaluating the body (`if HAS_BIAS:`). What is
written under an `if` only, and what is no number or tensor, is first taken to keep its value; if it turns out not to,
the body is compiled again, as it is if what was taken to change does not.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from xdsl.dialects import scf
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Attribute, Block, Region

from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.tile import element_of
from nki_mlir.errors import CompileError
from nki_mlir.frontend import analysis, operators
from nki_mlir.frontend.builder import broadcast_shape
from nki_mlir.frontend.builtin import Builtin
from nki_mlir.frontend.dtypes import of_type
from nki_mlir.frontend.observed import key
from nki_mlir.frontend.statements import Statements
from nki_mlir.frontend.values import Poison, Symbol, Value, describe, describe_type, is_runtime

_CARRIED = (Value, bool, int, float)
"""What a loop can carry."""

_PURE = (builtins.min, builtins.max, builtins.abs, builtins.int, builtins.len)


MAX_UNROLLED = 10_000
"""How many iterations the unrolled loops of a kernel may have together."""

MAX_TRIPS = 2**31 - 1
"""How many iterations a loop may have."""


def unroll(interpreter: Statements, node: ast.For, items: Iterable[Any]) -> Any:
    """Evaluates the body once for each item; the result is that of a `return`, if one was met."""
    b = interpreter.b
    for item in _each(items):
        b.unrolled += 1
        if b.unrolled > MAX_UNROLLED:
            raise CompileError(
                f"the unrolled loops of a kernel have at most {MAX_UNROLLED:,} iterations together, and this exceeds "
                "it; use tl.range, or nl.affine_range, which stay rolled"
            )
        interpreter.assign(node.target, item if is_runtime(item) else interpreter.usable(item, "an item of the loop"))
        returned = interpreter.block(node.body, again=True)
        if returned is not None:
            return returned
    return None


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


def _trips(items: range) -> int:
    count = max(0, -(-(items.stop - items.start) // items.step))
    if count > MAX_TRIPS:
        raise CompileError(f"a loop has at most {MAX_TRIPS:,} iterations, and this has {count:,}")
    return count


@dataclass
class _Induction:
    """A variable that is `start + iteration * step`."""

    name: str
    start: Any
    step: Any

    def at(self, loop: RolledLoop, iteration: Any) -> Any:
        b = loop.interpreter.b
        return operators.binary(b, "+", self.start, operators.binary(b, "*", iteration, self.step))


class RolledLoop:
    """One `for` statement over a range, being emitted."""

    def __init__(self, interpreter: Statements, node: ast.For, items: range):
        self.interpreter, self.node, self.items = interpreter, node, items
        if not isinstance(node.target, ast.Name):
            raise CompileError("the variable of a loop over a range must be one name")
        self.target = node.target.id
        self.written = analysis.assignments(node.body)
        self.before = dict(interpreter.env)
        self.trips = _trips(items)
        self.hints: dict[str, Attribute] = {}
        self.kept: set[str] = set()
        self.tried: set[str] = set()

    def emit(self) -> None:
        if not self.trips:
            return
        b = self.interpreter.b
        updates = self._inductions()
        inductions = [induction for _, induction in updates.values()]
        known = {self.target, *(i.name for i in inductions)}
        needed = analysis.exposed(self.node.body) | self.interpreter.live
        changing = [n for n in self.written if n in needed and n not in known and self._is_defined(n)]
        certain = analysis.unconditional(self.node.body)
        self.kept = {n for n in changing if n not in certain or not isinstance(self.before[n], _CARRIED)}
        printed = len(b.held)
        try:
            while not self._try(updates, [n for n in changing if n not in self.kept]):
                del b.held[printed:]
        finally:
            b.flush()
        for induction in inductions:
            self.interpreter.env[induction.name] = induction.at(self, self.trips)
        if self.target not in self.written:
            self.interpreter.env[self.target] = self.items[-1]

    def _is_defined(self, name: str) -> bool:
        return name in self.before and not isinstance(self.before[name], Poison)

    # Induction variables.
    def _inductions(self) -> dict[ast.stmt, tuple[analysis.Update, _Induction]]:
        found: dict[ast.stmt, tuple[analysis.Update, _Induction]] = {}
        for update in analysis.updates(self.node.body, self.target):
            if not self._is_defined(update.name) or not self._is_pure(update.amount):
                continue
            start = self.before[update.name]
            if not (operators.is_index(start) or (isinstance(start, Value) and start.is_pointer)):
                continue
            step = self.interpreter.eval(update.amount)
            if operators.is_index(step) and _keeps_shape(start, step):
                step = operators.unary(self.interpreter.b, "-", step) if update.negative else step
                found[update.statement] = update, _Induction(update.name, start, step)
        return found

    def _is_pure(self, node: ast.expr) -> bool:
        """Whether an expression may be computed in front of the loop: it calls nothing that reads memory."""
        for call in ast.walk(node):
            if isinstance(call, ast.Call):
                if not isinstance(call.func, ast.Name | ast.Attribute):
                    return False
                function = self.interpreter.eval(call.func)
                if not ((isinstance(function, Builtin) and not function.memory) or function in _PURE):
                    return False
        return True

    # The loop itself.
    def _try(self, updates: dict[ast.stmt, tuple[analysis.Update, _Induction]], carried: list[str]) -> bool:
        """Emits the loop. False, and nothing in place, if a variable that was taken to keep its value changed, and is
        then not in `kept` any more, or if one that starts as a Python number turned out to have another type, which is
        then in `hints`."""
        interpreter, b = self.interpreter, self.interpreter.b
        inits = [self._initial(name) for name in carried]
        block = Block(arg_types=[IndexType(), *(v.ssa.type for v in inits)])
        interpreter.env = dict(self.before)
        for name, argument in zip(carried, block.args[1:], strict=True):
            argument.name_hint = name
            interpreter.env[name] = Value(argument)
        with b.inside(block):
            counter = Value(block.args[0], Expr.counter(Symbol(self.trips)))
            self._body(counter, updates)
            results = [self._final(name, init) for name, init in zip(carried, inits, strict=True)]
            changed = {name for name in self.kept if not self._is_kept(name)}
            settled = self._unchanged(carried, results, block) - self.tried
            self.tried |= settled
            self.kept = self.kept - changed | settled
            if changed or settled or None in results:
                block.erase(safe_erase=False)
                return False
            b.add(scf.YieldOp(*(v.ssa for v in results if v is not None)))
        low, high, step = (b.index(n).ssa for n in (0, self.trips, 1))
        loop = b.add(scf.ForOp(low, high, step, [v.ssa for v in inits], Region(block)))
        self._after(dict(zip(carried, loop.results, strict=True)))
        return True

    @staticmethod
    def _unchanged(carried: list[str], results: list[Value | None], block: Block) -> set[str]:
        """The carried variables that end an iteration as they began it."""
        pairs = zip(carried, results, block.args[1:], strict=True)
        return {name for name, value, argument in pairs if value is not None and value.ssa is argument}

    def _is_kept(self, name: str) -> bool:
        before, now = self.before[name], self.interpreter.env[name]
        return now is before or (not is_runtime((before, now)) and key(now) == key(before))

    def _body(self, counter: Value, updates: dict[ast.stmt, tuple[analysis.Update, _Induction]]) -> None:
        interpreter, b = self.interpreter, self.interpreter.b
        variable = operators.binary(b, "*", counter, self.items.step)
        variable = operators.binary(b, "+", variable, self.items.start)
        interpreter.bind(self.target, variable)
        for _, induction in updates.values():
            interpreter.bind(induction.name, induction.at(self, counter))

        def update(statement: ast.stmt) -> None:
            induction = updates[statement][1]
            following = operators.binary(b, "+", counter, 1)
            interpreter.bind(induction.name, induction.at(self, following))

        outer, interpreter.in_loop = interpreter.in_loop, True
        interpreter.block(self.node.body, {statement: update for statement in updates}, again=True)
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

    def _final(self, name: str, init: Value) -> Value | None:
        """The variable at the end of an iteration; it must have the type that it starts with."""
        b, value = self.interpreter.b, self.interpreter.env[name]
        if isinstance(value, bool | int | float) and not init.shape and not init.is_pointer:
            value = b.typed(value, init.number)
        if isinstance(value, Value) and value.ssa.type == init.ssa.type:
            return value
        untyped = not isinstance(self.before[name], Value) and name not in self.hints
        if untyped and isinstance(value, Value) and not value.shape and not value.is_pointer:
            self.hints[name] = element_of(value.ssa)
            return None
        raise CompileError(self._mismatch(name, init, value), *self.interpreter.function.place(self.written[name][-1]))

    def _mismatch(self, name: str, init: Value, value: Any) -> str:
        cure = "its type and shape must stay the same"
        if isinstance(value, Value) and value.shape == init.shape and not init.is_pointer and not value.is_pointer:
            cure = f"convert it with .to({init.number})"
        elif isinstance(value, Value) and value.shape and not init.shape:
            cure = f"start it with that shape, e.g. tl.zeros({value.shape}, ...)"
        found = describe(value) if isinstance(value, Value) else f"{describe(value)} (a compile-time value)"
        return f"'{name}' is {describe_type(init.ssa.type)} before the loop and {found} after an iteration; {cure}"

    def _after(self, results: dict[str, Any]) -> None:
        """The variables after the loop."""
        env, inside = dict(self.before), self.interpreter.env
        for name in self.written:
            if name in results:
                env[name] = Value(results[name])
                results[name].name_hint = name
            elif name in self.kept or name not in inside:
                continue
            elif not is_runtime(inside[name]):
                env[name] = inside[name]
            elif name == self.target:
                env[name] = Poison(f"'{name}' is the variable of a loop that changes it; use another name in the loop")
            else:
                line = self.interpreter.function.place(self.written[name][0])[1]
                env[name] = Poison(
                    f"'{name}' is set only inside the loop (line {line}); give it a value before the loop"
                )
        self.interpreter.env = env


def _keeps_shape(start: Any, step: Any) -> bool:
    """Whether adding the step leaves the variable's shape as it is."""
    try:
        shape = start.shape if isinstance(start, Value) else ()
        return broadcast_shape(shape, step.shape if isinstance(step, Value) else ()) == shape
    except CompileError:
        return False
