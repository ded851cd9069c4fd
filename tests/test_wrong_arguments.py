"""Every function of the kernel languages with arguments of every type: it works, or it is a CompileError."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from xdsl.dialects.builtin import MemRefType, f32, i32
from xdsl.ir import Block
from xdsl.utils.exceptions import VerifyException

import nki_mlir
import nki_mlir.language as tl
import nki_mlir.nki as nki
import nki_mlir.nki.language as nl
from nki_mlir.dialects import tile
from nki_mlir.frontend.attributes import attribute
from nki_mlir.frontend.builder import Builder
from nki_mlir.frontend.builtin import Builtin
from nki_mlir.frontend.calls import _EMITTERS
from nki_mlir.frontend.dtypes import boolean, float32, int32, uint8
from nki_mlir.frontend.observed import Observations
from nki_mlir.frontend.operators import PYTHON, binary, unary
from nki_mlir.frontend.values import ArgFloat, ArgInt, BlockPointer, Described, Descriptor, HbmArray, Value, View


@nki_mlir.jit
def triton_kernel():
    pass


@nki.jit
def nki_kernel():
    pass


def builder(kernel: Any) -> Builder:
    body = Block(arg_types=[MemRefType(f32, (128, 8)), MemRefType(i32, (128, 8))])
    return Builder(kernel.kernel_function, (4,), body, Observations())


def values(b: Builder) -> dict[str, Any]:
    """Objects of all the types that a kernel's variables hold, and that Python has."""
    base = b.value(tile.BaseOp(b.entry.args[0]))
    index = b.arange(0, 8)
    array = HbmArray(0, b.entry.args[0], (128, 8), float32)
    tensor = b.broadcast(b.constant(1.0, float32), (8,))
    matrix = b.broadcast(b.constant(1.0, float32), (8, 8))
    pointers = binary(b, "+", base, index)
    runtime = {
        "pointer": base,
        "pointers": pointers,
        "index": index,
        "program id": b.program_id(0),
        "tensor": tensor,
        "matrix": matrix,
        "integers": b.cast(tensor, int32),
        "bytes": b.cast(tensor, uint8),
        "mask": b.cast(tensor, boolean),
        "number": b.constant(1.0, float32),
        "array": array,
        "view": View(array, (slice(0, 8), slice(0, 8))),
        "odd view": View(array, ("a", None)),
        "block pointer": BlockPointer(Described(base, (8,), (1,), (8,)), (b.program_id(0),)),
        "descriptor": Descriptor(Described(base, (128, 8), (8, 1), (8, 8)), "zero"),
    }
    return runtime | {
        "list": [1],
        "list of a tensor": [tensor, 2],
        "empty": (),
        "tuple": (8, 8),
        "nested": ((1, "a"), None),
        "text": "text",
        "none": None,
        "dtype": tl.float32,
        "missing dtype": tl.float64,
        "pointer type": tl.pointer_type(tl.float32),
        "function": len,
        "builtin": tl.load,
        "object": object(),
        "type": int,
        "dict": {1: 2},
        "slice": slice(1, 2),
        "slice of tensors": slice(index, tensor),
        "ellipsis": ...,
        "range": range(3),
        "buffer": nl.shared_hbm,
        "chip": nl.sbuf,
        "true": True,
        "0": 0,
        "1": 1,
        "8": 8,
        "-1": -1,
        "2.5": 2.5,
        "nan": float("nan"),
        "inf": float("inf"),
        "huge": 10**400,
        "wide": 2**63,
        "argument": ArgInt(8),
        "float argument": ArgFloat(0.5),
        "complex": 1j,
        "bytes object": b"b",
    }


PARAMETERS: dict[str, list[str]] = {}
"""The names of a function's parameters."""


def functions() -> dict[str, tuple[Any, Callable[..., Any]]]:
    """All that can be called with values: by name, which kernel calls it, and how."""
    found: dict[str, tuple[Any, Callable[..., Any]]] = {}
    for kernel, namespaces in ((triton_kernel, (tl, tl.math)), (nki_kernel, (nl,))):
        for namespace in namespaces:
            for name in namespace.__all__:
                function = getattr(namespace, name)
                if isinstance(function, Builtin):
                    found[f"{namespace.__name__}.{name}"] = kernel, _call(function)
                    PARAMETERS[f"{namespace.__name__}.{name}"] = [
                        p.name for p in function.signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD
                    ]
    for symbol in PYTHON:
        found[f"operator {symbol}"] = nki_kernel, _operator(symbol)
    for symbol in "-+~":
        found[f"unary {symbol}"] = nki_kernel, _unary(symbol)
    for function, emitter in _EMITTERS.items():
        found[function.__name__] = triton_kernel, emitter
    return found


def _call(function: Builtin) -> Callable[..., Any]:
    return lambda b, *args, **kwargs: function.emit(b, args, kwargs)


def _operator(symbol: str) -> Callable[..., Any]:
    return lambda b, x=None, y=None, *rest: binary(b, symbol, x, y)


def _unary(symbol: str) -> Callable[..., Any]:
    return lambda b, x=None, *rest: unary(b, symbol, x)


FUNCTIONS = functions()


def attempt(b: Builder, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> bool:
    """Whether the call works; what it emits is erased again."""
    last = b.block.last_op
    try:
        function(b, *args, **kwargs)
        made = last.next_op if last is not None else b.block.first_op
        while made is not None:
            made.verify(verify_nested_ops=False)
            made = made.next_op
    except (nki_mlir.CompileError, VerifyException):
        return False
    finally:
        while b.block.last_op is not last and b.block.last_op is not None:
            b.block.erase_op(b.block.last_op, safe_erase=False)
    return True


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_arguments_work_or_are_a_compile_error(name: str) -> None:
    kernel, function = FUNCTIONS[name]
    b = builder(kernel)
    known = values(b)
    random_ = random.Random(name)
    emitter = name in {f.__name__ for f in _EMITTERS}
    for first in known:
        for _ in range(3):
            names = [first, *random_.choices(list(known), k=random_.randrange(4))]
            random_.shuffle(names)
            try:
                attempt(b, function, [known[n] for n in names], {})
            except Exception as error:
                # Python's own builtins may raise a TypeError, which `call` converts.
                if emitter and isinstance(error, TypeError):
                    continue
                pytest.fail(f"{name}({', '.join(names)}) raised {type(error).__name__}: {error}")


_REQUIRED = (
    "shape",
    "dtype",
    "value",
    "fill_value",
    "axis",
    "x",
    "y",
    "z",
    "input",
    "other",
    "acc",
    "div",
    "end",
    "desc",
)
_GOOD = {
    "dtype": "dtype",
    "shape": "tuple",
    "axis": "0",
    "mask": "none",
    "buffer": "none",
    "start": "0",
    "end": "8",
} | {
    "strides": "8",
    "block_shape": "8",
    "offsets": "0",
    "order": "0",
    "base": "pointer",
    "desc": "descriptor",
}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "." in name])
def test_any_value_of_any_one_argument(name: str) -> None:
    """Each parameter in turn takes each value; the others are what they should be, as far as a guess goes."""
    kernel, function = FUNCTIONS[name]
    parameters = PARAMETERS[name]
    b = builder(kernel)
    known = values(b)
    for at, parameter in enumerate(parameters):
        for guess in ("matrix", "view" if kernel is nki_kernel else "pointers"):
            others = [p for i, p in enumerate(parameters) if i < at or p in _REQUIRED]
            good = {p: known[_GOOD.get(p, guess)] for p in others}
            for value in known:
                try:
                    attempt(b, function, [], good | {parameter: known[value]})
                except Exception as error:
                    pytest.fail(f"{name}(…, {parameter}={value}), with {guess}, raised {type(error).__name__}: {error}")


@pytest.mark.parametrize("kernel", [triton_kernel, nki_kernel], ids=["triton", "nki"])
def test_attributes_of_anything(kernel: Any) -> None:
    names = "shape dtype T to astype value real append numerator __class__ reshape name body nothing".split()
    b = builder(kernel)
    for value in values(b).values():
        for name in names:
            with contextlib.suppress(nki_mlir.CompileError):
                attribute(b, value, name)


def test_what_is_right_is_not_refused() -> None:
    """The tests above would pass if everything were refused."""
    b = builder(triton_kernel)
    now = values(b)
    works = {
        "nki_mlir.language.load": ["pointers"],
        "nki_mlir.language.make_block_ptr": ["pointer", "8", "1", "program id", "8", "0"],
        "nki_mlir.language.advance": ["block pointer", "program id"],
        "nki_mlir.language.make_tensor_descriptor": ["pointer", "tuple", "tuple", "tuple"],
        "nki_mlir.language.load_tensor_descriptor": ["descriptor", "tuple"],
        "nki_mlir.language.math.pow": ["tensor", "2.5"],
        "nki_mlir.language.sum": ["tensor", "0"],
        "nki_mlir.language.dot": ["matrix", "matrix"],
        "nki_mlir.language.where": ["mask", "tensor", "2.5"],
        "operator +": ["tensor", "2.5"],
        "unary -": ["tensor"],
        "min": ["program id", "8"],
    }
    for name, args in works.items():
        assert attempt(b, FUNCTIONS[name][1], [now[a] for a in args], {}), name
    assert isinstance(now["tensor"], Value)
