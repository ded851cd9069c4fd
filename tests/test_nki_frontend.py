"""What the frontend emits for kernels in NKI's language."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation

import nki_mlir
import nki_mlir.nki as nki
import nki_mlir.nki.language as nl
from nki_mlir.dialects import tile
from nki_mlir.errors import position
from nki_mlir.frontend.trace import ReturnedArray, Traced
from nki_mlir.parsing import parse


def traced(kernel: Any, *args: Any, grid: Any = None) -> Traced:
    result = kernel.trace(*args, grid=grid)
    result.module.verify()
    assert parse(str(result.module)).is_structurally_equivalent(result.module)
    assert all(position(op) is not None for op in result.module.walk())
    return result


def ops(module: ModuleOp, *names: str) -> list[Operation]:
    return [op for op in module.walk() if op.name in names]


def shapes(module: ModuleOp, name: str) -> list[tuple[int, ...]]:
    return [tile.shape_of(op.results[0] if op.results else op.operands[1]) for op in ops(module, name)]


def arg_names(module: ModuleOp) -> list[str]:
    (func,) = (op for op in module.walk() if isinstance(op, FuncOp))
    return tile.arg_names(func)


def array(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.zeros(shape, dtype)


@nki.jit
def add_kernel(a_input, b_input, c_output):
    offset_x = nl.program_id(0) * 128
    offset_y = nl.program_id(1) * 512
    ix = offset_x + nl.arange(128)[:, None]
    iy = offset_y + nl.arange(512)[None, :]
    a_tile = nl.load(a_input[ix, iy])
    b_tile = nl.load(b_input[ix, iy])
    nl.store(c_output[ix, iy], value=a_tile + b_tile)


def test_tensor_add() -> None:
    result = traced(add_kernel, array(256, 2048), array(256, 2048), array(256, 2048), grid=(2, 4))
    assert shapes(result.module, "tile.load") == [(128, 512)] * 2
    assert shapes(result.module, "tile.store") == [(128, 512)]
    assert result.written == {2} and result.returned is None
    assert arg_names(result.module) == ["a_input", "b_input", "c_output"]


@nki.jit(mode="simulation")
def returning_kernel(a, flag=True):
    result = nl.ndarray(a.shape, dtype=a.dtype, buffer=nl.shared_hbm)
    scratch = nl.ndarray((128, 4), dtype="bfloat16", buffer=nl.private_hbm)
    for i in nl.affine_range(a.shape[0] // 128):
        rows = nl.load(a[i * 128 : (i + 1) * 128, :])
        nl.store(result[nl.ds(i * 128, 128), 0 : a.shape[1]], nl.exp(rows))
        nl.store(scratch, nl.copy(rows[:, :], dtype=nl.bfloat16))
    if flag:
        return result, (scratch, a.reshape((a.shape[1], a.shape[0])))
    return result


def test_arrays_that_the_kernel_makes_and_returns() -> None:
    result = traced(returning_kernel, array(256, 4))
    assert arg_names(result.module) == ["a", "result", "scratch"]
    assert [(o.name, o.shape, o.dtype) for o in result.outputs] == [
        ("result", (256, 4), nl.float32),
        ("scratch", (128, 4), nl.bfloat16),
    ]
    assert result.returned == (
        ReturnedArray(1, (256, 4)),
        (ReturnedArray(2, (128, 4)), ReturnedArray(0, (4, 256))),
    )
    assert result.written == {1, 2}
    (loop,) = ops(result.module, "scf.for")
    assert isinstance(loop, ForOp) and not loop.iter_args


@nki.jit
def matmul_kernel(lhs_t, rhs, out):
    assert nl.tile_size.pmax == 128 and nl.tile_size.gemm_moving_fmax == 512 and nl.program_ndim() == 1
    acc = nl.zeros((128, 512), nl.float32)
    for k in nl.affine_range(lhs_t.shape[0] // nl.tile_size.pmax):
        mesh = nl.mgrid[0:128, 0:128]
        left = nl.load(lhs_t[k * 128 + mesh.p, mesh.x])
        ip, ix = nl.mgrid[0:128, 0:512]
        acc += nl.matmul(left, nl.load(rhs[k * 128 + ip, ix]), transpose_x=True)
    acc[...] = acc * 2.0
    acc[...] += 1.0
    nl.store(out[...], value=acc)


def test_matmul_accumulates_over_a_loop() -> None:
    module = traced(matmul_kernel, array(256, 128), array(256, 512), array(128, 512)).module
    (loop,) = ops(module, "scf.for")
    assert isinstance(loop, ForOp)
    assert [str(a.type) for a in loop.iter_args] == ["tensor<128x512xf32>"]
    assert {"tile.permute", "tile.dot"} <= {op.name for op in loop.body.block.ops}


def helper(x, weight):
    """No decorator: NKI evaluates ordinary functions while compiling."""
    return nl.multiply(x, weight.broadcast_to(x.shape))


@nki.jit
def functions_kernel(x_in, g_in, out, dtype):
    ix, iy = nl.arange(128)[:, None], nl.arange(64)[None, :]
    for i in nl.static_range(2):
        at = i * 128 + ix
        inside = at < x_in.shape[0]
        x = nl.load(x_in[at, iy], mask=inside, dtype=nl.float32)
        g = nl.load(g_in.reshape((1, 64))[0:1, iy_slice(0, 64)])
        square = nl.square(x)
        mean = nl.mean(square, axis=1) + nl.sum(square, axis=[1]) / x_in.shape[1]
        x = helper(nl.multiply(x, nl.rsqrt(mean + 1e-6)), g)
        x = nl.add(x, nl.gelu(x)) + nl.silu(x) + nl.relu(x) + nl.sigmoid(x) + nl.tanh(x) + nl.erf(x) + nl.sin(x)
        x = (
            nl.subtract(x, nl.negative(nl.abs(x)))
            + nl.reciprocal(nl.maximum(nl.sqrt(nl.abs(x)), 1.0))
            + nl.log(nl.exp(x))
        )
        x = nl.where(nl.logical_and(nl.greater(x, 0), inside), x, nl.minimum(x, nl.full((128, 64), 2, nl.float32)))
        x = nl.divide(x, nl.max(x, axis=1, keepdims=True, mask=inside)) + nl.min(x, axis=-1)
        x = x + nl.transpose(nl.transpose(x)) + nl.equal(x, 1.0) + nl.not_equal(x, 0)
        nl.store(out[at, iy], value=nl.static_cast(x, dtype), mask=inside & (iy < 60))


def iy_slice(start, stop):
    return slice(start, stop)


def test_functions() -> None:
    module = traced(functions_kernel, array(200, 64), array(64), array(200, 64), np.float32).module
    assert set(shapes(module, "tile.load")) == {(128, 64), (1, 64)}
    assert all(len(shape) >= 2 or shape == (128,) for shape in shapes(module, "tile.reduce"))
    expected = "math.rsqrt math.erf math.exp math.tanh math.sin math.log math.sqrt math.absf tile.permute tile.select"
    assert set(expected.split()) <= {op.name for op in module.walk()}


def test_a_store_rounds_to_nearest_as_the_machine_does() -> None:
    result = traced(rounding_kernel, array(128, 4), array(128, 4, dtype=np.int32))
    assert ops(result.module, "tile.cast") and not ops(result.module, "math.trunc")


@nki.jit
def rounding_kernel(a, out):
    nl.store(out, nl.load(a))


@nki.jit
def batched_kernel(a, out):
    for b in nl.sequential_range(a.shape[0]):
        tile_ = nl.load(a[b])
        part = nl.load(a[b, 0:4, -2:])
        nl.store(out[b, ::1, :], tile_)
        nl.store(out[-1, 0:4, 0:4:2], part)


def test_integers_and_slices_in_an_index() -> None:
    module = traced(batched_kernel, array(3, 8, 4), array(3, 8, 4)).module
    assert shapes(module, "tile.load") == [(8, 4), (4, 2)]
    assert shapes(module, "tile.store") == [(8, 4), (4, 2)]


def test_types_are_those_of_numpy_and_compare_with_them() -> None:
    assert nl.float32 == np.float32 == nl.float32 and nl.bool_ == np.dtype(bool)
    assert nl.int8 != np.int16 and nl.bfloat16 == "bfloat16"


@nki.jit
def renamed_kernel(a):
    before = a
    out = nl.ndarray(a.shape, a.dtype, buffer=nl.shared_hbm)
    nl.store(out, nl.load(before) * 2.0)
    first = out
    out = nl.ndarray(a.shape, np.float32, buffer=nl.shared_hbm)
    nl.store(out, nl.load(first) * 3.0)
    a = nl.ndarray(a.shape, a.dtype, buffer=nl.shared_hbm)
    nl.store(a, nl.load(before) * 5.0)
    é = nl.ndarray(a.shape, a.dtype, buffer=nl.shared_hbm)
    nl.store(é, nl.load(before) * 7.0)
    return first, out, a, é


def test_arrays_made_under_one_name_or_that_of_a_parameter() -> None:
    result = renamed_kernel.trace(np.ones((4, 4), np.float32))
    assert arg_names(result.module) == ["a", "out", "out_1", "a_1", "output4"]
    assert [o.name for o in result.outputs] == ["out", "out_1", "a_1", "output4"]
    arrays = renamed_kernel(np.ones((4, 4), np.float32))
    assert [float(array[3, 3]) for array in arrays] == [2, 6, 5, 7]


@pytest.mark.parametrize("name", [name for name in nl.__all__ if hasattr(getattr(nl, name), "body")])
def test_every_function_has_a_docstring_and_belongs_in_a_kernel(name: str) -> None:
    function = getattr(nl, name)
    assert function.__doc__
    with pytest.raises(nki_mlir.CompileError, match="only inside a kernel"):
        function(1)


@nki.jit
def empty_grid_kernel(x):
    out = nl.ndarray(x.shape, dtype=x.dtype, buffer=nl.shared_hbm)
    nl.store(out, nl.load(x))
    return out


def test_an_empty_grid_returns_what_nobody_wrote() -> None:
    assert not empty_grid_kernel[(0,)](np.ones((4, 4), np.float32)).any()


@nki.jit
def huge_array_kernel(x):
    out = nl.ndarray((2**24, 2**24), dtype=x.dtype, buffer=nl.shared_hbm)
    nl.store(out[0:4, 0:4], nl.load(x))
    return out


@nki.jit
def axis_given_twice_kernel(x):
    out = nl.ndarray((4, 1), dtype=x.dtype, buffer=nl.shared_hbm)
    nl.store(out, nl.sum(nl.load(x), axis=(1, 1), keepdims=True))
    return out


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (huge_array_kernel, "is too large: an array has at most 281474976710656 bytes"),
        (axis_given_twice_kernel, "stands twice in (1, 1)"),
    ],
)
def test_refused_arrays_and_axes(kernel: Any, message: str) -> None:
    with pytest.raises(nki_mlir.CompileError, match=re.escape(message)) as caught:
        kernel(np.ones((4, 4), np.float32))
    assert caught.value.file == __file__
