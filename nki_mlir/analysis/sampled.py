"""What is computed of one fp32 value alone, step by step, and which function of the machine that is: it is evaluated at
points all over the range, in fp64 and as the machine does it, and compared.

Written out, a function may differ from the machine's by `CLOSE`, relative to the larger of 1 and the argument, where
both are exact: by the digits of its constants. By `ROUNDED` it may where each step rounds to fp32. Infinities and NaN
are the same, but for two cases: an intermediate result of arguments beyond half of the largest fp32 number may
overflow, and at minus infinity what is written out may be NaN (minus infinity times 0), which `Match.limit` tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from xdsl.dialects import arith
from xdsl.dialects import math as xmath
from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.constants import constant_of, value_of
from nki_mlir.dialects import tile
from nki_mlir.dialects.alu import Function
from nki_mlir.dialects.tile import Predicate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CLOSE = 2.0**-22
ROUNDED = 2.0**-20
_LARGEST = (2 - 2**-23) * 2.0**127
"""The largest fp32 number."""

_SETTLED = 1000.0
"""From here on, either way, functions that have a limit are there."""

_MOST_STEPS = 48
"""Longer computations are no function written out."""


def _each(function: Callable[[float], float]) -> Callable[[Any], Any]:
    """A function of Python's, of every element."""

    def of(x: Any) -> Any:
        import numpy as np

        return np.vectorize(function, otypes=[float])(x)

    return of


def _numpy(name: str) -> Callable[..., Any]:
    def of(*operands: Any) -> Any:
        import numpy as np

        return getattr(np, name)(*operands)

    return of


_exp, _log, _tanh, _erf = _numpy("exp"), _numpy("log"), _numpy("tanh"), _each(math.erf)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + _exp(-x))


def _softplus(x: Any) -> Any:
    return _numpy("logaddexp")(0.0, x)


def _gated(gate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """x times a gate that closes towards minus infinity."""

    def of(x: Any) -> Any:
        import numpy as np

        return np.where(np.isneginf(x), 0.0, x * gate(x))

    return of


FUNCTIONS: Mapping[Function, Callable[[Any], Any]] = {
    Function.SIGMOID: _sigmoid,
    Function.TANH: _tanh,
    Function.SOFTPLUS: _softplus,
    Function.SILU: _gated(_sigmoid),
    Function.GELU: _gated(lambda x: 0.5 * (1 + _erf(x * math.sqrt(0.5)))),
    Function.GELU_APPRX_TANH: _gated(lambda x: 0.5 * (1 + _tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))),
    Function.GELU_APPRX_SIGMOID: _gated(lambda x: _sigmoid(1.702 * x)),
    Function.MISH: _gated(lambda x: _tanh(_softplus(x))),
}
"""Those of the machine that programs write out."""

_ELEMENTARY: Mapping[type[Operation], Callable[..., Any]] = {
    xmath.ExpOp: _exp,
    xmath.LogOp: _log,
    xmath.TanhOp: _tanh,
    xmath.ErfOp: _erf,
}

_STEPS: Mapping[type[Operation], Callable[..., Any]] = {
    **_ELEMENTARY,
    arith.AddfOp: _numpy("add"),
    arith.SubfOp: _numpy("subtract"),
    arith.MulfOp: _numpy("multiply"),
    arith.DivfOp: _numpy("divide"),
    arith.NegfOp: _numpy("negative"),
    arith.MaximumfOp: _numpy("maximum"),
    arith.MinimumfOp: _numpy("minimum"),
    arith.MaxnumfOp: _numpy("fmax"),
    arith.MinnumfOp: _numpy("fmin"),
    xmath.AbsFOp: _numpy("abs"),
    tile.SelectOp: _numpy("where"),
}
"""What steps compute; operands in their order."""

_COMPARED = {
    Predicate.LT: _numpy("less"),
    Predicate.LE: _numpy("less_equal"),
    Predicate.GT: _numpy("greater"),
    Predicate.GE: _numpy("greater_equal"),
}

_ENDS = (arith.AddfOp, arith.SubfOp, arith.MulfOp, arith.DivfOp, xmath.LogOp, tile.SelectOp)
"""The last steps of a function that is written out."""


@dataclass(frozen=True)
class Match:
    """A value that is a function of another. With `limit`, it is NaN at minus infinity, where the function is not."""

    value: SSAValue
    function: Function
    limit: bool


def functions_of(x: SSAValue) -> list[Match]:
    """What is computed of a value and is a function of it, in an order in which operands come first."""
    steps = _steps_of(x)
    if not any(type(op) in _ELEMENTARY or isinstance(op, tile.FunctionOp) for op in steps):
        return []
    import numpy as np

    points = _points([number for op in steps for number in _thresholds(op, x)])
    with np.errstate(all="ignore"):
        exact, rounded = (_evaluated(steps, x, points, to) for to in (np.float64, np.float32))
        found = [
            _match(op.results[0], points, exact[op.results[0]], rounded[op.results[0]])
            for op in steps
            if isinstance(op, _ENDS)
        ]
    return [match for match in found if match is not None]


def _steps_of(x: SSAValue) -> list[Operation]:
    """The operations that compute what depends on a value and on constants alone."""
    known, steps, waiting = {x}, list[Operation](), [x]
    while waiting and len(steps) <= _MOST_STEPS:
        for use in list(waiting.pop(0).uses):
            op = use.operation
            if (
                op not in steps
                and _is_step(op, x)
                and all(v in known or constant_of(v) is not None for v in op.operands)
            ):
                steps.append(op)
                known.add(op.results[0])
                waiting.append(op.results[0])
    return steps if len(steps) <= _MOST_STEPS else []


def _is_step(op: Operation, x: SSAValue) -> bool:
    if isinstance(op, tile.CompareOp):
        return op.predicate.data in _COMPARED and x in op.operands
    return type(op) in _STEPS or (isinstance(op, tile.FunctionOp) and op.function.data in FUNCTIONS)


def _thresholds(op: Operation, x: SSAValue) -> Iterator[float]:
    """What a value is compared with."""
    if isinstance(op, tile.CompareOp):
        numbers = [constant_of(v) for v in op.operands if v is not x]
        yield from (value_of(number) for number in numbers if number is not None)


@cache
def _grid() -> Sequence[float]:
    """Points at uneven distances: close ones where functions bend, far ones up to the largest number."""
    near = [(n + 0.37 * math.sin(n)) / 16 for n in range(1, 200)]
    small = [1.7**-n for n in range(4, 60)]
    large = [12.5 * 1.19**n for n in range(1, 20)] + [353.0 * 2.3**n for n in range(105)]
    return [x for x in (*small, *near, *large) if x <= _LARGEST]


def _points(thresholds: Sequence[float]) -> Array:
    """Arguments in fp32, thresholds and their neighbours among them, and what lies half way between two."""
    import numpy as np

    beside = np.array([t for t in thresholds if math.isfinite(t)], np.float32)
    ends = [np.nextafter(beside, np.float32(end)) for end in (np.inf, -np.inf)]
    grid = np.array(_grid(), np.float32)
    some = np.sort(np.concatenate([grid, -grid, np.array([0, _LARGEST, -_LARGEST], np.float32), beside, *ends]))
    some = some[np.append(True, some[1:] != some[:-1])]  # np.unique imports numpy.ma, which takes as long as a pass
    between = some[:-1] / 2 + some[1:] / 2
    special = np.array([np.inf, -np.inf, np.nan], np.float32)
    return np.concatenate([some, between.astype(np.float32), special]).astype(np.float64)


def _evaluated(steps: Sequence[Operation], x: SSAValue, points: Array, to: Any) -> dict[SSAValue, Array]:
    """What each step gives at some points, its result rounded to a type."""
    values: dict[SSAValue, Array] = {x: points}
    for op in steps:
        operands = [_operand(v, values) for v in op.operands]
        match op:
            case tile.CompareOp():
                made = _COMPARED[op.predicate.data](*operands)
            case tile.FunctionOp():
                made = FUNCTIONS[op.function.data](*operands).astype(to)
            case _:
                made = _STEPS[type(op)](*operands).astype(to)
        values[op.results[0]] = made if made.dtype == bool else made.astype("float64")
    return values


def _operand(value: SSAValue, values: Mapping[SSAValue, Array]) -> Any:
    if value in values:
        return values[value]
    number = constant_of(value)
    assert number is not None, "a step has operands that are known"
    return value_of(number)


def _match(value: SSAValue, points: Array, exact: Array, rounded: Array) -> Match | None:
    import numpy as np

    for function, of in FUNCTIONS.items():
        wanted, end = of(points), np.isneginf(points)
        limit = bool(np.isnan(exact[end]).all() and np.isfinite(wanted[end]).all())
        same = _is_close(points, exact, wanted, CLOSE) & (
            _is_close(points, rounded, wanted, ROUNDED) | _overflowed(points, rounded)
        )
        if (same | (end & limit)).all():
            return Match(value, function, limit)
    return None


def _is_close(points: Array, found: Array, wanted: Array, error: float) -> NDArray[np.bool_]:
    """Also zero where the function is: a small number that was added there matters to a logarithm or a division."""
    import numpy as np

    size = np.abs(points)
    near = np.isfinite(found) & (np.abs(found - wanted) <= error * np.maximum(1, size))
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    settled = (wanted == 0) & ((size == 0) | (size >= _SETTLED))
    return same | (near & np.isfinite(wanted) & ~settled)


def _overflowed(points: Array, found: Array) -> NDArray[np.bool_]:
    """Where an intermediate result may have been too large: it was twice the argument."""
    import numpy as np

    return np.isfinite(points) & (np.abs(points) > _LARGEST / 2) & np.isinf(found) & (found * points > 0)
