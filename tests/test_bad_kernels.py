"""Kernels with mistakes: each is one error with a message, the line and a caret, and nothing from inside the compiler.

`§` in a source stands in front of where the caret must point, and is removed before the source is used.
"""

from __future__ import annotations

import importlib.util
import itertools
import textwrap
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import nki_mlir

HEADER = """\
import nki_mlir
import nki_mlir.language as tl
import nki_mlir.nki as nki
import nki_mlir.nki.isa as nisa
import nki_mlir.nki.language as nl
import numpy as np
data = np.zeros(4, np.float32)
def plain(x):
    return x + 1
@nki_mlir.jit
def recursive(x):
    return recursive(x)
"""

_numbers = itertools.count()


def written(source: str, folder: Path) -> tuple[Path, tuple[int, int] | None]:
    """A source as a file, and the position of its mark."""
    path = folder / f"bad_{next(_numbers)}.py"
    text = HEADER + source
    at = text.find("§")
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    path.write_text(text.replace("§", ""), encoding="utf-8")
    return path, None if at < 0 else (line, column)


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(error: nki_mlir.CompileError, path: Path, place: tuple[int, int] | None, message: str) -> None:
    """The message, and where it points."""
    assert message in error.message
    assert place is not None and (error.file, error.line, error.column) == (str(path), *place), str(error)
    head, line, caret = str(error).splitlines()
    assert head.startswith(f"{path}:{place[0]}:{place[1]}: error: ")
    assert line[2:] == path.read_text(encoding="utf-8").splitlines()[place[0] - 1]
    assert caret == "  " + " " * (place[1] - 1) + "^"
    assert error.__cause__ is None and error.__suppress_context__
    frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    assert not any(str(Path("nki_mlir", "frontend")) in frame for frame in frames), "the compiler's frames are noise"


TRITON = {
    # Syntax.
    "while": ("while §N > 0:\n    pass", "this loop never ends"),
    "break": ("for i in range(4):\n    §break", "'break' is not supported"),
    "continue": ("for i in range(4):\n    §continue", "'continue' is not supported"),
    "lambda": ("f = §lambda v: v", "a lambda is not supported"),
    "comprehension": ("f = §[i for i in range(4)]", "a comprehension is not supported"),
    "dict": ("f = §{1: 2}", "a dict is not supported"),
    "walrus": ("f = (§y := 2)", "':=' is not supported"),
    "nested function": ("§def f(): pass", "a nested function is not supported"),
    "with": ("§with data: pass", "'with' is not supported"),
    "try": ("§try:\n    pass\nexcept ValueError:\n    pass", "'try' is not supported"),
    "import": ("§import math", "'import' is not supported"),
    "for else": ("for i in range(4):\n    pass\nelse:\n    §pass", "'else' of a loop"),
    "return in a loop": ("for i in range(4):\n    §return", "'return' inside a loop"),
    "loop over a tensor": ("for i in §offsets:\n    pass", "a loop runs over a range or a tuple, got index[8]"),
    "loop over a number": ("for i in §N:\n    pass", "a loop runs over a range or a tuple"),
    "matmul operator": ("y = §x @ x", "'@' is not supported; use tl.dot"),
    "attribute target": ("§x.y = 1", "can't be assigned to"),
    "two stars": ("f = tl.zeros(**§data)", "'**' in a call"),
    # Control flow that depends on data.
    "ternary of a mask": ("y = 1 if §mask else 2", "the condition of an 'if' is one number, got bool[8]"),
    "ternary of two types": ("y = §1 if pid > 1 else 2.5", "this is index on one side of this 'if' and float32 on the"),
    "ternary of a text": ("y = §1 if pid > 1 else 'a'", "this is int 1 or str 'a', by a condition that is known only"),
    "run-time step": ("for i in §tl.range(0, 8, pid):\n    pass", "step must be an integer known at compile time"),
    "and": ("y = (§x) and mask", "'and' takes compile-time values, and bools in a Triton kernel, got float32[8]"),
    "or": ("y = mask or §pid", "got index; compare it with 0, and combine masks with '&', '|' and '~'"),
    "not": ("y = not §tl.load(x_ptr)", "'not' takes compile-time values, and bools in a Triton kernel"),
    "chained comparison": ("y = §0 < offsets < 4", "write (a < b) & (b < c)"),
    "bool": ("y = §bool(pid)", "bool() works on compile-time values only"),
    # Names.
    "undefined name": ("y = §nowhere + 1", "name 'nowhere' is not defined"),
    "read before set": ("y = §later\nlater = 1", "'later' is read before it is set"),
    "set in a loop": ("for i in range(2):\n    y = tl.load(x_ptr)\nz = §y", "'y' is set only inside the loop"),
    "unknown function": ("y = §tl.does_not_exist(1)", "tl has no 'does_not_exist'"),
    "run-time if of a tensor": ("if §mask:\n    pass", "the condition of an 'if' is one number"),
    "unsupported math": ("y = §tl.math.cosh(x)", "tl.math.cosh is not supported yet"),
    "unsupported assembly": ("y = §tl.inline_asm_elementwise('', '', [x], tl.int32, 1)", "is not supported yet"),
    "unknown power": ("y = §tl.math.pow(x, x)", "tl.math.pow of two values that the program computes"),
    "unsupported method": ("y = §x.sort(0)", "tl.sort is not supported yet"),
    "unknown attribute": ("y = §x.stride", "a tensor has no attribute 'stride'"),
    "array of the module": ("y = §data", "'data' is an array outside the kernel; pass it as an argument"),
    "plain function": ("y = §plain(x)", "'plain' is a plain Python function; decorate it with jit"),
    "plain function that raises": ("y = §int('a')", "int: ValueError: invalid literal"),
    "print": ("§print(N)", "print is not supported in a kernel; tl.static_print"),
    "not callable": ("y = §N(1)", "can't be called"),
    "type of two": ("y = §tl.float32(1, 2)", "float32(x) converts one number or tensor, got 2"),
    # Calls.
    "unknown keyword": ("y = §tl.load(x_ptr, masked=mask)", "tl.load: got an unexpected keyword argument 'masked'"),
    "missing argument": ("§tl.store(x_ptr)", "tl.store: missing a required argument: 'value'"),
    "helper's arguments": ("y = §recursive()", "recursive: missing a required argument: 'x'"),
    "boundary check": ("y = §tl.load(x_ptr, boundary_check=(0,))", "belong to block pointers; use mask and other"),
    "boundary check of a store": ("§tl.store(x_ptr, 1.0, boundary_check=(0,))", "belongs to block pointers; use mask"),
    "transposed dot": ("y = §tl.dot(x, x, trans_a='yes')", "trans_a is True or False, got str 'yes'"),
    "range by keywords": ("for i in §range(start=0, stop=4):\n    pass", "range: TypeError: range() takes no keyword"),
    "unknown range option": ("for i in §tl.range(4, stages=2):\n    pass", "tl.range has no option 'stages'"),
    # Shapes.
    "broadcast": ("y = §offsets + tl.arange(0, 4)", "shapes (8,) and (4,) do not broadcast together"),
    "mask": (
        "y = §tl.load(x_ptr + offsets, mask=tl.arange(0, 4) < 2)",
        "a mask of shape (4,) does not fit an access of",
    ),
    "mask type": ("y = §tl.load(x_ptr + offsets, mask=offsets)", "a mask is a bool tensor"),
    "other without mask": ("y = §tl.load(x_ptr + offsets, other=0.0)", "tl.load has 'other' but no 'mask'"),
    "value too large": ("§tl.store(x_ptr, x)", "a tensor of shape (8,) does not broadcast to ()"),
    "arange size": ("y = §tl.arange(0, 100)", "the size of tl.arange must be a power of two, got 100 - 0 = 100"),
    "arange bounds": (
        "y = §tl.arange(0, pid)",
        "the bounds of tl.arange must be compile-time integers (constexpr), got index",
    ),
    "dot": ("y = §tl.dot(x[:, None], x[:, None])", "shapes (8, 1) and (8, 1) do not multiply"),
    "dot rank": ("y = §tl.dot(x, x)", "a matrix product takes two- or three-dimensional tensors, got float32[8]"),
    "dot types": (
        "y = §tl.dot(x[:, None], x[None, :].to(tl.bfloat16))",
        "must have one type, got float32 and bfloat16",
    ),
    "dot acc": ("y = §tl.dot(x[:, None], x[None, :], acc=x)", "acc must be a float32 tensor of shape (8, 8)"),
    "dot of integers": ("y = §tl.dot(offsets[:, None], offsets[None, :])", "the machine multiplies matrices of floats"),
    "reshape": ("y = §tl.reshape(x, (4, 3))", "float32[8] has 8 elements; shape (4, 3) has 12"),
    "transpose": ("y = §tl.trans(x)", "tl.trans exchanges the last two dimensions, got float32[8]"),
    "order": ("y = §tl.permute(x[:, None], 0, 0)", "(0, 0) is no order of the 2 dimensions of float32[8, 1]"),
    "permute of a number": ("y = §tl.permute(1, 0)", "tl.permute takes a tensor, got int 1"),
    "axis": ("y = §tl.sum(x, axis=1)", "axis 1 is outside the 1 dimensions"),
    "grid axis": ("y = §tl.program_id(3)", "a grid has the axes 0, 1 and 2, got 3"),
    "subscript": ("y = §x[0]", "can be indexed with ':' and None only"),
    "shape": ("y = §tl.zeros((pid,), tl.float32)", "a shape is made of positive integers known at compile time"),
    "unpack": ("§a, b = 1, 2, 3", "3 values for 2 names"),
    "unpack a number": ("§a, b = N", "can't be unpacked"),
    # Types.
    "no pointer": ("y = §tl.load(N)", "tl.load needs a pointer: an array argument, plus offsets; got int 8"),
    "pointer plus float": ("y = §x_ptr + 1.5", "a pointer moves by integers, got float 1.5"),
    "pointer times": ("y = §x_ptr * 2", "'*' is not defined for pointer to float32"),
    "pointers": ("y = §x_ptr + x_ptr", "'+' is not defined for pointer to float32 and pointer to float32"),
    "none": ("y = §x + None", "expected a number or a tensor, got None"),
    "float remainder": ("y = §x % 2.0", "'%' is not supported on float32 values"),
    "float and": ("y = §x & x", "'&' is not supported on float32 values"),
    "bool quotient": ("y = §mask // mask", "'//' is not defined on bool tensors"),
    "negative bool": ("y = §-mask", "'-' is not defined for bool[8]; convert it first, or use '~'"),
    "power": ("y = §x**2", "'**' is not supported on values known only at run time"),
    "float64": ("y = §x.to(tl.float64)", "float64 is not supported: the machine has no 64-bit elements; use float32"),
    "float8": ("y = §x.to(tl.float8e4nv)", "not e4m3fn; use float8e5 instead"),
    "dtype": ("y = §x.to(3)", "expected a dtype, got int 3"),
    "argument of a list": (
        "y = §tl.cast([1], tl.float32)",
        "tl.cast: argument 'input': expected a number or a tensor, got a list",
    ),
    "argument of None": (
        "y = §tl.maximum(x, None)",
        "tl.maximum: argument 'y': expected a number or a tensor, got None",
    ),
    "dtype argument": ("y = §tl.zeros((8,), x)", "tl.zeros: argument 'dtype': expected a dtype, got float32[8]"),
    "value argument": (
        "§tl.store(x_ptr, 'a')",
        "tl.store: argument 'value': expected a number or a tensor, got str 'a'",
    ),
    "float shape": (
        "y = §tl.zeros((8.0,), tl.float32)",
        "a shape is made of positive integers known at compile time, got float",
    ),
    "float bound": (
        "for i in §range(8.0):\n    pass",
        "the bounds of a loop are integers, got float 8.0",
    ),
    "infinity as an integer": ("y = §tl.cast(float('inf'), tl.int32)", "inf can't be converted to int32"),
    "bitcast": ("y = §x.to(tl.int16, bitcast=True)", "between types of one size, 8, 16 or 32 bits; got float32[8]"),
    "bitcast of a number": ("y = §tl.cast(1.0, tl.int32, bitcast=True)", "expected a tensor of numbers, got float 1.0"),
    "bits of floats": ("y = §tl.xor_sum(x)", "tl.xor_sum combines integers, got float32[8]"),
    "split": ("y = §tl.split(x)", "whose last dimension has size 2, got float32[8]"),
    "join": ("y = §tl.join(x, offsets)", "tl.join takes two tensors of one type, got float32[8] and int32[8]"),
    "squeeze": ("y = §tl.squeeze(x, 0)", "dimension 0 of float32[8] is none"),
    "scan of a number": ("y = §tl.cumsum(1.0)", "tl.cumsum takes a tensor of numbers, got float 1.0"),
    "combine": ("y = §tl.reduce(x, 0, tl.exp)", "tl.exp: too many positional arguments"),
    "combine by no function": (
        "y = §tl.reduce(x, 0, 3)",
        "a combine function is a function decorated with jit, got int 3",
    ),
    "combine differences": (
        "y = §tl.reduce(x, 0, tl.fdiv)",
        "the combine function fdiv is not supported: it must be a sum",
    ),
    "reduce several": (
        "y = §tl.reduce((x, x), 0, tl.maximum)",
        "tl.reduce of several tensors at once is not supported",
    ),
    "scan several": ("y = §tl.associative_scan((x, x[:, None]), 0, tl.maximum)", "takes tensors of one shape"),
    "where is the largest": (
        "y = §tl.max(x[:, None], return_indices=True, keep_dims=True)",
        "can't keep them; give an axis",
    ),
    "number out of range": ("y = §x.to(tl.int8) + 1000", "1000 is out of range for int8"),
    "division by zero": ("y = §N // 0", "'//' on int 8 and int 0: integer division or modulo by zero"),
    "assert": ("§assert N == 3, f'N is {N}'", "assertion failed: N is 8"),
    "static_assert": ("§tl.static_assert(N == 3, 'no')", "assertion failed: no"),
    "static_assert at run time": ("§tl.static_assert(pid == 3)", "checks what is known at compile time"),
    "return": ("return §x", "a Triton kernel returns nothing, but this returns float32[8]"),
    "constexpr": ("§y: tl.constexpr = pid", "a constexpr must be known"),
    # Loops.
    "type changes in a loop": (
        "acc = tl.zeros((8,), tl.float32)\nfor i in range(4):\n    §acc = (acc + x).to(tl.bfloat16)",
        "'acc' is float32[8] before the loop and bfloat16[8] after an iteration; convert it with .to(float32)",
    ),
    "shape changes in a loop": (
        "acc = 0.0\nfor i in range(4):\n    §acc += x",
        "'acc' is float32 before the loop and float32[8] after an iteration; start it with that shape",
    ),
    "none before a loop": (
        "acc = None\nfor i in range(4):\n    §acc = x if acc is None else acc + x\ny = acc",
        "'acc' is None before the loop and changes in it",
    ),
}


@pytest.mark.parametrize("name", TRITON)
def test_triton(name: str, tmp_path: Path) -> None:
    body, message = TRITON[name]
    start = "pid = tl.program_id(0)\noffsets = tl.arange(0, 8)\nmask = offsets < N\nx = tl.load(x_ptr + offsets)\n"
    source = "@nki_mlir.jit\ndef kernel(x_ptr, N: tl.constexpr):\n" + textwrap.indent(start + body + "\n", "    ")
    path, place = written(source, tmp_path)
    with pytest.raises(nki_mlir.CompileError) as raised:
        imported(path).kernel.trace(np.zeros(8, np.float32), 8, grid=(4,))
    check(raised.value, path, place, message)


NKI = {
    "partitions": (
        "t = §nl.load(a[nl.arange(200)[:, None], nl.arange(4)[None, :]])",
        "the first dimension of a tile lies on the partitions, of which there are 128; it is 200 here",
    ),
    "partitions of a slice": ("t = §nl.load(a[0:256, 0:4])", "of which there are 128; it is 256 here"),
    "partitions of a store": (
        "§nl.store(a, value=0.0)",
        "nl.store: the first dimension of a tile lies on the partitions",
    ),
    "out of range": (
        "i = 200 + nl.program_id(0) * 128\nt = §nl.load(a[i + nl.arange(128)[:, None], nl.arange(4)[None, :]])",
        "the index of dimension 0 reaches 200..455, but the array has 256 elements there (0..255); restrain it with mask=",
    ),
    "out of range slice": (
        "t = §nl.load(a[0:128, 2:10])",
        "the index of dimension 1 reaches 2..9, but the array has 4",
    ),
    "out of range integer": ("t = §nl.load(a[300, 0:4])", "the index of dimension 0 is 300"),
    "one dimension": ("t = §nl.load(a[0, 0:4])", "a tile has at least two dimensions, and this index gives 1"),
    "too many indices": ("t = §nl.load(a[0:128, 0:4, 0])", "3 indices for an array of 2 dimensions"),
    "index type": ("t = §nl.load(a[1.5, 0:4])", "an array is indexed with integers, slices and index tiles, got float"),
    "mixed index": ("t = §nl.load(a[nl.arange(128)[:, None], 0:4])", "index tiles and slices can't be mixed"),
    "empty slice": ("t = §nl.load(a[10:10, 0:4])", "this slice is empty"),
    "length of a slice": ("t = §nl.load(a[0 : nl.program_id(0), 0:4])", "the length of a slice must be known"),
    "not an array": ("t = §nl.load(5)", "nl.load takes an array in HBM or a part of one, array[...]; got int 5"),
    "array not loaded": ("t = §a[0:128, 0:4] + 1.0", "expected a number or a tensor, got an array float32[256, 4]"),
    "assigned to": ("§a[0:128, 0:4] = 0.0", "an array in HBM is written with nl.store(array[...], value)"),
    "part of a tile": ("t = nl.load(a[0:128, 0:4])\n§t[0:4, 0:4] = 0.0", "only a whole tile can be assigned to"),
    "slice of a tile": ("t = nl.load(a[0:128, 0:4])\nu = §t[0:64, :]", "a tensor on the chip can be indexed with ':'"),
    "mismatch": ("t = §nl.load(a[0:128, 0:4]) + nl.load(a[0:64, 0:4])", "shapes (128, 4) and (64, 4) do not broadcast"),
    "two names": (
        "t = nl.load(a[0:128, 0:4])\nu = t\n§t += 1.0",
        "'t' and 'u' are one tile, which changes in place; copy it with nl.copy",
    ),
    "sbuf": (
        "t = §nl.zeros((128, 4), nl.float32, buffer=nl.psum)",
        "explicit on-chip buffers (nl.psum) are not supported",
    ),
    "ndarray on the chip": (
        "t = §nl.ndarray((128, 4), nl.float32, buffer=nl.sbuf)",
        "explicit on-chip buffers (nl.sbuf)",
    ),
    "ndarray without buffer": ("t = §nl.ndarray((128, 4), nl.float32)", "nl.ndarray makes arrays in HBM only"),
    "ndarray in a loop": (
        "for i in nl.affine_range(2):\n    t = §nl.ndarray((128, 4), nl.float32, buffer=nl.hbm)",
        "an array in HBM is made outside of loops",
    ),
    "wide zeros": ("t = §nl.zeros((256, 4), nl.float32)", "the first dimension of a tile is at most 128"),
    "nisa": ("t = §nisa.activation(nl.exp, a)", "nisa.activation is not supported yet"),
    "unsupported": ("t = §nl.softmax(a, axis=1)", "nl.softmax is not supported yet"),
    "unknown": ("t = §nl.nothing", "nl has no 'nothing'"),
    "grid axis": ("t = §nl.program_id(2)", "axis 2 is outside the grid (2,) of 1 dimension(s)"),
    "returned tile": (
        "return §nl.load(a[0:128, 0:4])",
        "a kernel returns arrays in HBM, but this returns a tile on the chip",
    ),
    "matmul": (
        "t = §nl.matmul(nl.load(a[0:128, 0:4]), nl.load(a[0:8, 0:4]))",
        "shapes (128, 4) and (8, 4) do not multiply",
    ),
    "mgrid": ("t = §nl.mgrid[5]", "nl.mgrid takes slices"),
    "array reshape": ("t = §a.reshape((3, 3))", "can't be reshaped to (3, 3): it has 1024 elements"),
    "array attribute": ("t = §a.strides", "an array in HBM has no attribute 'strides'"),
}


@pytest.mark.parametrize("name", NKI)
def test_nki(name: str, tmp_path: Path) -> None:
    body, message = NKI[name]
    path, place = written("@nki.jit\ndef kernel(a):\n" + textwrap.indent(body + "\n", "    "), tmp_path)
    with pytest.raises(nki_mlir.CompileError) as raised:
        imported(path).kernel.trace(np.zeros((256, 4), np.float32), grid=2)
    check(raised.value, path, place, message)


def test_an_error_in_a_helper_points_into_the_helper(tmp_path: Path) -> None:
    source = """
if True:
    @nki_mlir.jit
    def helper(é, x):
        return é + §tl.nothing(x)

    @nki_mlir.jit
    def kernel(x_ptr):
        tl.store(x_ptr, helper(1, tl.load(x_ptr)))
"""
    path, place = written(source, tmp_path)
    with pytest.raises(nki_mlir.CompileError) as raised:
        imported(path).kernel.trace(np.zeros(8, np.float32), grid=1)
    check(raised.value, path, place, "tl has no 'nothing'")


def test_recursion_is_an_error_and_not_a_traceback(tmp_path: Path) -> None:
    path, _ = written("@nki_mlir.jit\ndef kernel(x_ptr):\n    y = recursive(x_ptr)\n", tmp_path)
    with pytest.raises(nki_mlir.CompileError, match="recursion is not supported"):
        imported(path).kernel.trace(np.zeros(8, np.float32), grid=1)


F32 = np.zeros(8, np.float32)
LAUNCHES = {
    "too few": ("kernel.trace(F32, grid=1)", "kernel: missing argument 'n'"),
    "missing constexpr": ("kernel.trace(F32, 8, grid=1)", "kernel: missing constexpr argument 'BLOCK'"),
    "too many": (
        "kernel.trace(F32, 8, 8, 8, 8, grid=1)",
        "kernel: too many positional arguments; it is kernel(x_ptr, n, BLOCK)",
    ),
    "unknown": ("kernel.trace(F32, 8, BLOK=8, grid=1)", "kernel: got an unexpected keyword argument 'BLOK'"),
    "no grid": ("kernel.trace(F32, 8, BLOCK=8)", "kernel needs a grid"),
    "no grid in a call": ("kernel(F32, 8, BLOCK=8)", "launch the kernel with a grid: kernel[grid](...)"),
    "grid of four": ("kernel[1, 1, 1, 1](F32, 8, BLOCK=8)", "a grid has 1 to 3 axes, got 4"),
    "negative grid": ("kernel[(-1,)](F32, 8, BLOCK=8)", "a grid has 0 to 2^31 - 1 = 2147483647 programs along an axis"),
    "huge grid": ("kernel[(1, 2**63)](F32, 8, BLOCK=8)", "got 9223372036854775808 along axis 1"),
    "huge grid altogether": ("kernel[2**16, 2**15](F32, 8, BLOCK=8)", "programs, got 2147483648"),
    "float grid": ("kernel[8 / 2](F32, 8, BLOCK=8)", "a grid is 1 to 3 integers, got 4.0"),
    "grid function": (
        "kernel[lambda meta: meta['SIZE']](F32, 8, BLOCK=8)",
        "the grid function raised KeyError: 'SIZE'",
    ),
    "float64": (
        "kernel[1](F32.astype('f8'), 8, BLOCK=8)",
        "and the machine has no such elements; pass x_ptr.astype(numpy.float32)",
    ),
    "uint64": ("kernel[1](np.arange(4).astype('u8'), 8, BLOCK=8)", "elements of type uint64"),
    "complex": ("kernel[1](F32.astype('c8'), 8, BLOCK=8)", "elements of type complex64 are not supported"),
    "empty array": ("kernel[1](F32[:0], 8, BLOCK=8)", "argument 'x_ptr' has no elements: its shape is (0,)"),
    "negative strides": (
        "kernel[1](F32[::-1], 8, BLOCK=8)",
        "argument 'x_ptr' is not contiguous: shape (8,), strides (-1,)",
    ),
    "array as constexpr": ("kernel[1](F32, 8, F32)", "argument 'BLOCK' is a constexpr, but an array was passed"),
    "tuple of arrays": ("kernel[1]((F32, F32), 8, 8)", "argument 'x_ptr' is a tuple of arrays"),
    "target": (
        "kernel.compile(F32, 8, 8, grid=1, target='trn9')",
        "there is no target 'trn9'; there are trn1, trn2, trn3, inf2",
    ),
    "jit option": ("nki_mlir.jit(speed=11)", "jit has no option 'speed'"),
    "not a function": ("nki_mlir.jit(5)", "a kernel is a function written with 'def', got 5"),
    "autotune": ("nki_mlir.autotune([])", "autotune needs at least one Config"),
    "autotune below": (
        "nki_mlir.autotune([nki_mlir.Config({})])(plain)",
        "autotune decorates a kernel; put it above @jit",
    ),
    "autotune clash": ("tuned[1](F32, 8, BLOCK=8)", "'BLOCK' is set by autotune and can't be passed as well"),
    "heuristic": ("guessed[1](F32, 8)", "the heuristic for 'BLOCK' raised KeyError: 'm'"),
    "not contiguous": ("array_kernel(np.zeros((4, 4), np.float32).T)", "argument 'a' is not contiguous"),
    "no dimensions": ("array_kernel(np.zeros((), np.float32))", "argument 'a' has no dimensions; pass a number, or an"),
    "nki grid": ("array_kernel[nl.nc(2)](F32)", "nl.nc is not supported yet; give the grid as integers"),
    "outside": ("tl.load(F32)", "tl.load can be called only inside a kernel"),
}


@pytest.mark.parametrize("name", LAUNCHES)
def test_launches(name: str, tmp_path: Path) -> None:
    call, message = LAUNCHES[name]
    source = f"""
F32 = np.zeros(8, np.float32)
@nki_mlir.jit
def kernel(x_ptr, n, BLOCK: tl.constexpr):
    pass
tuned = nki_mlir.autotune([nki_mlir.Config({{"BLOCK": 8}}, num_warps=4)], key=["n"])(kernel)
guessed = nki_mlir.heuristics({{"BLOCK": lambda args: args["m"]}})(kernel)
@nki.jit
def array_kernel(a):
    pass
def launch():
    return §{call}
"""
    path, place = written(source, tmp_path)
    with pytest.raises(nki_mlir.CompileError) as raised:
        imported(path).launch()
    error = raised.value
    assert message in error.message
    if error.file is not None:
        assert (error.file, error.line) == (str(path), place and place[0])


def test_launch_errors_point_at_the_call(tmp_path: Path) -> None:
    source = "@nki_mlir.jit\ndef kernel(x_ptr, n):\n    pass\ndef launch():\n    return [1, §kernel[1](5)]\n"
    path, place = written(source, tmp_path)
    with pytest.raises(nki_mlir.CompileError) as raised:
        imported(path).launch()
    check(raised.value, path, place, "kernel: missing argument 'n'")


def test_a_kernel_whose_source_is_unknown() -> None:
    scope: dict[str, Any] = {}
    exec("def kernel(x_ptr):\n    pass\n", scope)
    kernel: Any = nki_mlir.jit(scope["kernel"])
    with pytest.raises(
        nki_mlir.CompileError, match="the source of 'kernel' can't be read; define the kernel in a file"
    ):
        kernel.trace(F32, grid=1)


def test_a_lambda_is_no_kernel() -> None:
    with pytest.raises(nki_mlir.CompileError, match="a kernel is a function written with 'def'"):
        nki_mlir.jit(lambda x: x)
