"""Kernels that do with a value what it can't do: each is one error with a message, the line and a caret."""

from __future__ import annotations

import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from test_bad_kernels import check, imported, written

import nki_mlir

HEADER = """
class Odd:
    def __bool__(self):
        raise ValueError("neither")
    def __iter__(self):
        raise ValueError("no items")
    @property
    def bad(self):
        raise ValueError("not now")
odd = Odd()
outer = [1]
table = {1: 2}
def items():
    yield 1
    raise ValueError("no more")
def exponential(x):
    return tl.exp(x)
@nki_mlir.jit
def either(p, x):
    if p:
        return x
    return "x"
"""

TRITON = {
    # Expressions.
    "complex number": ("y = §2j", "a complex is not supported in a kernel"),
    "bytes": ("y = §b'a'", "a bytes is not supported in a kernel"),
    "star of a number": ("y = tl.zeros(§*N)", "'*' unpacks a tuple, got int 8"),
    "truth": ("y = §1 if odd else 2", "the truth of an Odd: ValueError: neither"),
    "truth of an and": ("y = §odd and N", "the truth of an Odd: ValueError: neither"),
    "in": ("y = §x in (1, 2)", "float32[8] and a tuple can't be compared: one is not known here"),
    "comparison of tuples": ("y = §(x, 1) == (x, 2)", "can't be compared: one is not known here"),
    "comparison": ("y = §N < 'a'", "'<' not supported between instances of 'int' and 'str'"),
    "in a number": ("y = §1 in N", "argument of type 'int' is not iterable"),
    "item of a tuple": ("y = §(1, 2)[pid]", "can be indexed only with compile-time values"),
    "item of a number": ("y = §N[0]", "TypeError: 'int' object is not subscriptable"),
    "item that is not there": ("y = §(1, 2)[2]", "IndexError: tuple index out of range"),
    "attribute that raises": ("y = §odd.bad", "reading 'bad' of an Odd raised ValueError: not now"),
    "operator": ("y = §N + 'a'", "'+' on int 8 and str 'a': unsupported operand type(s)"),
    "unary operator": ("y = §-'a'", "'-' on str 'a': bad operand type for unary -"),
    "division by zero": ("y = §offsets // 0", "'//': integer division of index[8] by zero"),
    "remainder by zero": ("y = §tl.load(i_ptr + offsets) % 0", "'%': integer division of int32[8] by zero"),
    "item of a pointer": ("y = §x_ptr[offsets]", "a pointer has no elements; what it points to is read by tl.load("),
    "item of a pointer set": ("§x_ptr[0] = x", "what a pointer points to is written by tl.store(pointer + offsets, "),
    "print of a tensor": ("§print(x)", "print is not supported in a kernel; tl.static_print prints while compiling"),
    "negative pointer": ("y = §-x_ptr", "'-' is not defined for pointer to float32"),
    "not of floats": ("y = §~x", "'~' is not defined for float32[8]"),
    "large power": ("y = §N ** (N ** 20)", "the result of '**' is too large"),
    # Python's functions.
    "keyword of min": ("y = §min(pid, 2, key=N)", "min: got an unexpected keyword argument 'key'"),
    "arguments of abs": ("y = §abs(pid, 2)", "abs: too many positional arguments"),
    "arguments of len": ("y = §len(x, x)", "len: too many positional arguments"),
    "abs of a pointer": ("y = §abs(x_ptr)", "abs: expected a number or a tensor, got pointer to float32"),
    "length of a number": ("y = §len(pid)", "index has no length"),
    "float of a pointer": ("y = §float(x_ptr)", "float() takes a number or a tensor, got pointer to float32"),
    "min of one": ("y = §min(x)", "min and max take two or more numbers; use tl.min or tl.max to reduce a tensor"),
    "range of four": ("for i in §range(0, pid, 1, 2):\n    pass", "range takes one to three integers, got 4"),
    "range of a tensor": ("for i in §range(x):\n    pass", "the bounds of a loop are integers, got float32[8]"),
    "step of a run-time range": (
        "for i in §range(0, pid, pid):\n    pass",
        "is an integer known at compile time, not 0",
    ),
    "step 0": ("for i in §tl.static_range(0, 8, 0):\n    pass", "tl.static_range: step must not be 0"),
    "step 0 of range": ("for i in §range(0, 8, 0):\n    pass", "range: ValueError: range() arg 3 must not be zero"),
    "tuple of a number": ("y = §tuple(x)", "tuple() takes a tuple or a list, got float32[8]"),
    "sorted": ("y = §sorted((1, 'a'))", "sorted: TypeError: '<' not supported between instances of 'str' and 'int'"),
    "emitting in a plain function": ("y = §exponential(2.0)", "'exponential' is a plain Python function; decorate it"),
    # Statements.
    "augmented attribute": ("§x.y += 1", "'x.y' can't be assigned to"),
    "starred target": ("§a, *b = 1, 2, 3", "'*' in the target of an assignment is not supported; use a slice"),
    "element of a tuple": ("t = (1, 2)\n§t[0] = 3", "the elements of a tuple can't be assigned to in a kernel"),
    "two names for a number": (
        "§for i, j in range(4):\n    pass",
        "the variable of a loop over a range must be one name",
    ),
    "loop that raises": ("§for i in items():\n    pass", "the items of the loop raised ValueError: no more"),
    "loop over what raises": ("for i in §odd:\n    pass", "an Odd can't be looped over: ValueError: no items"),
    "loop of too many": (
        "§for i in tl.static_range(100000):\n    pass",
        "the unrolled loops of a kernel have at most",
    ),
    "long loop": (
        "§for i in range(2**31):\n    pass",
        "a loop has at most 2,147,483,647 iterations, and this has 2,147,",
    ),
    "else of while": ("while pid < 0:\n    pass\nelse:\n    §pass", "'else' of a loop is not supported"),
    # Lists.
    "pop of none": ("l = []\n§l.pop()", "'pop' of a list: IndexError: pop from empty list"),
    "item set at run time": ("l = [1]\n§l[pid] = 2", "a list can be indexed only with compile-time values"),
    "item set that is not there": ("l = [1]\n§l[1] = 2", "IndexError: list assignment index out of range"),
    "index of a tensor": ("l = [x]\ny = §l.index(x)", "'index' of a list works on compile-time values only"),
    "change of a list from outside": ("§outer.append(2)", "'append' changes a list that comes from outside the kernel"),
    "change of a dict": ("§table.pop(1)", "'pop' changes a dict that comes from outside the kernel"),
    "change in a rolled loop": (
        "l = []\nfor i in range(4):\n    §l.append(i)",
        "'append' changes a list that was made outside of this loop, which is not unrolled; use tl.static_range",
    ),
    "long list": ("l = §[0] * 20000", "a list or tuple in a kernel has at most 10,000 items, and this has 20,000"),
    "items that raise": ("l = []\n§l.extend(odd)", "'extend': ValueError: no items"),
    # Functions of tl.
    "sum of int64": ("y = §tl.sum(tl.load(w_ptr + offsets))", "sum of int64 data is not supported: no engine has it;"),
    "flip of int64": (
        "y = §tl.flip(tl.load(w_ptr + offsets))",
        "tl.flip of int64 data is not supported: no engine has it; convert it to int32 first",
    ),
    "sum of a number": ("y = §tl.sum(1.0)", "sum reduces a tensor, got float 1.0"),
    "long product of bytes": (
        "y = §tl.dot(tl.zeros((16, 2048), tl.int8), tl.zeros((2048, 16), tl.int8))",
        "products of int8 and int8 are summed exactly up to 1024 terms, and these have 2048; use smaller blocks",
    ),
    "product in integers": (
        "y = §tl.dot(x[:, None], x[None, :], out_dtype=tl.int32)",
        "the machine multiplies matrices of floats; out_dtype is int32",
    ),
    "too many indices": ("y = §x[:, :]", "too many indices for float32[8]"),
    "infinite other": (
        "y = §tl.load(i_ptr + offsets, mask=mask, other=float('inf'))",
        "other=inf has no value in int32, which the pointer points to; give an integer, such as the smallest",
    ),
    "atomic bits of floats": ("§tl.atomic_and(x_ptr, 1.0)", "and is for integers; elements are f32"),
    "random of int64": ("y = §tl.rand(1, tl.load(w_ptr + offsets))", "of loaded int64 numbers is not supported;"),
    "random of floats": ("y = §tl.rand(1, x)", "is made of integers, got float32[8]"),
    "rounds": ("y = §tl.rand(1, offsets, pid)", "n_rounds is an integer from 1 to"),
    "rounding": (
        "y = §x.to(tl.bfloat16, fp_downcast_rounding='rtz')",
        "fp_downcast_rounding='rtz' is not supported; the machine rounds to nearest even",
    ),
    "pointer as a number": ("y = §x_ptr.to(tl.float32)", "pointer to float32 can't be converted to float32"),
    "transpose of a vector": ("y = §tl.dot(x, x, trans_a=True)", "a transpose takes a two-dimensional tensor, got"),
    "zeros like a number": ("y = §tl.zeros_like(1)", "tl.zeros_like takes a tensor, got int 1"),
    "cast to a pointer": ("y = §x.to(tl.pointer_type(tl.float32))", "can't be converted to a pointer"),
    "no integer type": ("y = §tl.core.get_int_dtype(12, True)", "there is no integer type of 12 bits"),
    "nan": ("y = §tl.maximum(x, 1.0, propagate_nan=1)", "propagate_nan is tl.PropagateNan.NONE or tl.PropagateNan.ALL"),
    "power of a negative base": ("y = §tl.math.pow(-2.0, x)", "the base -2.0, known at compile time, must be positive"),
    "infinite power": ("y = §tl.math.pow(x, float('inf'))", "tl.math.pow takes finite numbers, got inf"),
    "high power": ("y = §tl.math.pow(x, 1000.0)", "an integer exponent is at most"),
    "square root": ("y = §tl.sqrt(-1.0)", "sqrt of float -1.0: "),
    "indices of 65 bits": ("y = §tl.arange(0, 2**63)", "indices have 64 bits, and those from 0 to 9223372036854775808"),
    "expanded number": ("y = §tl.expand_dims(1, 0)", "expand_dims takes a tensor, got int 1"),
    "reshaped number": ("y = §tl.reshape(1, (1,))", "a reshape takes a tensor, got int 1"),
}


def kernel_of(body: str, folder: Path) -> tuple[Any, Path, tuple[int, int] | None]:
    start = "pid = tl.program_id(0)\noffsets = tl.arange(0, 8)\nmask = offsets < N\nx = tl.load(x_ptr + offsets)\n"
    source = f"{HEADER}\n@nki_mlir.jit\ndef kernel(x_ptr, i_ptr, w_ptr, N: tl.constexpr):\n"
    path, place = written(source + textwrap.indent(start + body + "\n", "    "), folder)
    return imported(path).kernel, path, place


def error_of(kernel: Any) -> nki_mlir.CompileError:
    with pytest.raises(nki_mlir.CompileError) as raised:
        kernel.trace(np.zeros(8, np.float32), np.zeros(8, np.int32), np.zeros(8, np.int64), 8, grid=(4,))
    return raised.value


@pytest.mark.parametrize("name", TRITON)
def test_triton(name: str, tmp_path: Path) -> None:
    body, message = TRITON[name]
    kernel, path, place = kernel_of(body, tmp_path)
    check(error_of(kernel), path, place, message)


NKI = {
    "None in an index": ("t = §nl.load(a[None, 0:4])", "None in the index of an array is not supported; reshape"),
    "step of a slice": ("t = §nl.load(a[0:128:0, 0:4])", "the step of a slice must be a positive integer known at"),
    "bound of a slice": ("t = §nl.load(a[0:1.5, 0:4])", "the bounds of a slice are integers, got float 1.5"),
    "empty arange": ("t = §nl.arange(4, 4)", "nl.arange(4, 4) is empty"),
    "arange of a number": (
        "t = §nl.arange(4.0)",
        "the bounds of nl.arange must be integers known at compile time, got",
    ),
    "size of a span": ("t = §nl.ds(0, 0)", "the size in nl.ds must be a positive integer known at compile time, got"),
    "start of a span": ("t = §nl.ds(1.5, 4)", "the start in nl.ds must be an integer, got float 1.5"),
    "full in HBM": ("t = §nl.full((128, 4), 1.0, nl.float32, buffer=nl.hbm)", "nl.full in HBM is not supported yet;"),
    "one dimension": ("t = §nl.zeros((128,), nl.float32)", "a tile has at least two dimensions, got the shape (128,)"),
    "buffer": ("t = §nl.zeros((128, 4), nl.float32, buffer=5)", "a buffer is nl.shared_hbm, nl.hbm or nl.private_hbm,"),
    "axis twice": ("t = §nl.sum(nl.load(a[0:128, 0:4]), axis=(1, 1))", "an axis stands twice in (1, 1)"),
    "masked mean": (
        "t = nl.load(a[0:128, 0:4])\nt = §nl.mean(t, axis=1, mask=t > 0)",
        "nl.mean with a mask is not supported yet",
    ),
    "copy of an array": ("t = §nl.copy(a)", "nl.copy takes a tile, got an array float32[256, 4]"),
    "large array": (
        "t = §nl.ndarray((2**40, 2**40), nl.float32, buffer=nl.shared_hbm)",
        "is too large: an array has at most",
    ),
}


@pytest.mark.parametrize("name", NKI)
def test_nki(name: str, tmp_path: Path) -> None:
    body, message = NKI[name]
    path, place = written("@nki.jit\ndef kernel(a):\n" + textwrap.indent(body + "\n", "    "), tmp_path)
    with pytest.raises(nki_mlir.CompileError) as raised:
        imported(path).kernel.trace(np.zeros((256, 4), np.float32), grid=2)
    check(raised.value, path, place, message)


def test_a_format_that_there_is_not(tmp_path: Path) -> None:
    """Where in a formatted string an expression stands is known from Python 3.12 on."""
    kernel, path, place = kernel_of("y = §f'{N:q}'", tmp_path)
    error = error_of(kernel)
    assert error.message.startswith("this can't be formatted: Unknown format code 'q'")
    assert place is not None and (error.file, error.line) == (str(path), place[0])


def test_what_is_nested_too_deeply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the room that long expressions have otherwise."""
    monkeypatch.setattr("nki_mlir.recursion.DEPTH", 0)
    kernel, path, place = kernel_of(f"§y = {'1 + ' * 700}x", tmp_path)
    error = error_of(kernel)
    assert error.message.startswith("this is nested too deeply: ")
    assert place is not None and (error.file, error.line) == (str(path), place[0])


def test_sides_that_return_different_things(tmp_path: Path) -> None:
    kernel, path, _ = kernel_of("y = either(pid > 0, x)", tmp_path)
    error = error_of(kernel)
    assert error.message.startswith("one side of this 'if' returns float32[8] and the other str 'x'; where a run-time")
    assert (error.file, error.line) == (str(path), path.read_text().splitlines().index("    if p:") + 1)


def test_what_is_no_plain_function(tmp_path: Path) -> None:
    path, _ = written("@nki_mlir.jit\nasync def kernel(x_ptr):\n    pass\n", tmp_path)
    with pytest.raises(nki_mlir.CompileError, match="'kernel' is not a plain function: a kernel is written with 'def'"):
        imported(path).kernel.trace(np.zeros(8, np.float32), grid=1)


def test_a_file_that_was_edited_in_between(tmp_path: Path) -> None:
    path, _ = written("def kernel(x_ptr):\n    pass\n", tmp_path)
    module = imported(path)
    path.write_text(path.read_text(encoding="utf-8").replace("kernel", "other"), encoding="utf-8")
    kernel: Any = nki_mlir.jit(module.kernel)
    with pytest.raises(nki_mlir.CompileError, match="was edited while 'kernel' was imported from it; import it again"):
        kernel.trace(np.zeros(8, np.float32), grid=1)


CPU = SimpleNamespace(type="cpu")
TENSORS = {
    "another device": ({"device": SimpleNamespace(type="cuda")}, "is on namespace(type='cuda'); pass x_ptr.cpu()"),
    "a gradient": ({"device": CPU, "requires_grad": True}, "requires grad; pass x_ptr.detach()"),
    "a sparse tensor": (
        {"device": CPU, "requires_grad": False, "layout": "torch.sparse_coo"},
        "has the layout torch.sparse_coo; pass x_ptr.to_dense()",
    ),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors_of_torch(name: str, tmp_path: Path) -> None:
    """What has the looks of one, as torch itself is not needed for it."""
    looks, message = TENSORS[name]
    tensor = type("Tensor", (), {"__module__": "torch", "data_ptr": None, **looks})()
    path, _ = written("@nki_mlir.jit\ndef kernel(x_ptr):\n    pass\n", tmp_path)
    with pytest.raises(nki_mlir.CompileError) as raised:
        imported(path).kernel.trace(tensor, grid=1)
    assert raised.value.message == f"argument 'x_ptr' {message}"
