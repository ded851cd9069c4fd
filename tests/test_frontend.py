"""What the frontend emits for kernels in Triton's language."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.dialects import tile
from nki_mlir.errors import position
from nki_mlir.parsing import parse
from nki_mlir.passes.verify import verify_dominance

ROWS, COLUMNS = 8, 16
SCALE = 2.0
BLOCK = tl.constexpr(8)


def checked(kernel: Any, *args: Any, grid: Any = (1,), **meta: Any) -> ModuleOp:
    """The traced module, after what holds for every kernel: it verifies, survives text, and knows where it comes from."""
    module = kernel.trace(*args, grid=grid, **meta).module
    module.verify()
    verify_dominance(module)
    assert parse(str(module)).is_structurally_equivalent(module)
    for op in module.walk():
        place = position(op)
        assert place is not None and place[0] == __file__, op.name
    return module


def ops(module: ModuleOp, *names: str) -> list[Operation]:
    return [op for op in module.walk() if op.name in names]


def names(module: ModuleOp) -> list[str]:
    """The operations inside the kernel, in order, without constants and splats."""
    skipped = ("builtin.module", "func.func", "func.return", "arith.constant", "tile.splat")
    return [op.name for op in module.walk() if op.name not in skipped]


def the_kernel(module: ModuleOp) -> FuncOp:
    (func,) = (op for op in module.walk() if isinstance(op, FuncOp))
    return func


def array(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.zeros(shape, dtype)


@nki_mlir.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK_SIZE: tl.constexpr):
    pid = tl.program_id(axis=0)
    offsets = pid * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask, other=1.0)
    tl.store(out_ptr + offsets, x + y, mask=mask)


def test_vector_add() -> None:
    module = checked(add_kernel, array(100), array(100), array(100), 100, grid=(7,), BLOCK_SIZE=16)
    func = the_kernel(module)
    assert func.sym_name.data == "add_kernel"
    (programs,) = [op for op in func.walk() if isinstance(op, tile.ProgramsOp)]
    assert programs.grid == (7,)
    assert tile.arg_names(func) == ["x_ptr", "y_ptr", "out_ptr"]
    assert [str(a.type) for a in func.body.block.args] == ["memref<100xf32>"] * 3
    assert '"trn1"' in str(module.attributes["neuron.target"])
    first, second = ops(module, "tile.load")
    assert isinstance(first, tile.LoadOp) and first.mask is not None and first.other is None
    assert isinstance(second, tile.LoadOp) and second.other is not None
    assert not [op for op in module.walk() if op.name == "arith.constant" and "dense" in str(op)]


def test_names_in_the_ir_are_those_of_the_source() -> None:
    text = str(checked(add_kernel, array(100), array(100), array(100), 100, BLOCK_SIZE=16))
    for name in ("%x_ptr", "%pid", "%offsets", "%mask", "%x", "%y"):
        assert name in text


def test_positions_are_those_of_the_expression() -> None:
    module = checked(add_kernel, array(100), array(100), array(100), 100, BLOCK_SIZE=16)
    with open(__file__) as file:
        lines = file.read().splitlines()
    for op, text in ((ops(module, "tile.store")[0], "tl.store("), (ops(module, "arith.addf")[0], "x + y")):
        _, line, column = position(op) or ("", 0, 0)
        assert lines[line - 1][column - 1 :].startswith(text)


@nki_mlir.jit
def matmul_kernel(a_ptr, b_ptr, c_ptr, K, BLOCK_K: tl.constexpr, N: tl.constexpr):
    rows = tl.arange(0, N)
    ks = tl.arange(0, BLOCK_K)
    a_ptrs = a_ptr + rows[:, None] * K + ks[None, :]
    b_ptrs = b_ptr + ks[:, None] * N + rows[None, :]
    offset = 0
    acc = tl.zeros((N, N), dtype=tl.float32)
    for _ in range(0, tl.cdiv(K, BLOCK_K)):
        a = tl.load(a_ptrs, mask=ks[None, :] + offset < K)
        b = tl.load(b_ptrs)
        acc += tl.dot(a, b)
        a_ptrs += BLOCK_K
        b_ptrs = b_ptrs + BLOCK_K * N
        offset += BLOCK_K
    tl.store(c_ptr + rows[:, None] * N + rows[None, :], acc)


def carried(module: ModuleOp) -> list[list[str]]:
    """The types of what each loop carries."""
    loops = [op for op in ops(module, "scf.for") if isinstance(op, ForOp)]
    return [[str(value.type) for value in loop.iter_args] for loop in loops]


def test_a_loop_carries_what_it_changes() -> None:
    module = checked(matmul_kernel, array(8, 64), array(64, 8), array(8, 8), 64, BLOCK_K=16, N=8)
    pointers = ["tensor<8x16x!tile.ptr<f32>>", "tensor<16x8x!tile.ptr<f32>>"]
    assert carried(module) == [["tensor<8x8xf32>", *pointers, "index"]]


def test_pointers_that_advance_are_affine_in_the_counter() -> None:
    traced = checked(matmul_kernel, array(8, 64), array(64, 8), array(8, 8), 64, BLOCK_K=16, N=8)
    module = nki_mlir.pipeline("induction,dce")(traced)
    (loop,) = ops(module, "scf.for")
    assert isinstance(loop, ForOp)
    assert [str(a.type) for a in loop.iter_args] == ["tensor<8x8xf32>"], "only the accumulator is carried"
    body = [op.name for op in loop.body.block.ops]
    assert body.count("tile.add_ptr") == 2 and "tile.dot" in body and "arith.addf" in body
    assert body[-1] == "scf.yield"
    counter = loop.body.block.args[0]
    factors = [op for op in loop.body.block.ops if op.name == "arith.muli" and counter in op.operands]
    assert len(factors) == 3


@nki_mlir.jit
def induction_kernel(out_ptr, START: tl.constexpr, STEPS: tl.constexpr):
    at = START
    backwards = 100
    for i in range(STEPS):
        tl.store(out_ptr + at, 1.0)
        at += 3
        tl.store(out_ptr + at, 2.0)
        backwards -= 2
    tl.store(out_ptr + at, 3.0)
    tl.store(out_ptr + backwards, 4.0)


def test_a_variable_after_the_loop_is_start_plus_trips_times_step() -> None:
    text = str(checked(induction_kernel, array(200), START=5, STEPS=4))
    assert "arith.constant 17 : index" in text, "5 + 4 * 3"
    assert "arith.constant 92 : index" in text, "100 - 4 * 2"


def test_a_loop_without_iterations_vanishes() -> None:
    module = checked(induction_kernel, array(200), START=5, STEPS=0)
    assert not ops(module, "scf.for") and len(ops(module, "tile.store")) == 2


@nki_mlir.jit
def carried_kernel(x_ptr, out_ptr, N: tl.constexpr):
    offsets = tl.arange(0, N)
    highest = float("-inf")
    count = 0
    total = tl.zeros((N,), tl.float32)
    temporary = 1
    for i in tl.range(2, 10, 3, num_stages=2):
        temporary = tl.load(x_ptr + i * N + offsets)
        total = total * 0.5 + temporary
        highest = tl.maximum(highest, tl.max(temporary))
        count = count + tl.sum((temporary > 0).to(tl.int32))
    tl.store(out_ptr + offsets, total * highest + count)


def test_values_that_a_loop_carries() -> None:
    module = checked(carried_kernel, array(10, 16), array(16), N=16)
    (loop,) = ops(module, "scf.for")
    assert isinstance(loop, ForOp)
    assert sorted(str(a.type) for a in loop.iter_args) == ["f32", "i32", "tensor<16xf32>"]
    bounds = [str(v.owner) for v in (loop.lb, loop.ub, loop.step)]
    assert [" 0 :" in bounds[0], " 3 :" in bounds[1], " 1 :" in bounds[2]] == [True] * 3


@nki_mlir.jit
def unrolled_kernel(out_ptr, SHAPES: tl.constexpr):
    for i in tl.static_range(3):
        tl.store(out_ptr + i, float(i))
    for size in SHAPES:
        tl.store(out_ptr + size + tl.arange(0, size), tl.zeros([size], tl.float32))


def test_static_range_and_tuples_unroll() -> None:
    module = checked(unrolled_kernel, array(64), SHAPES=(2, 4))
    assert not ops(module, "scf.for")
    shapes = [tile.shape_of(op.operands[0]) for op in ops(module, "tile.store")]
    assert shapes == [(), (), (), (2,), (4,)]


@nki_mlir.jit
def helper_kernel(x, scale, FLAG: tl.constexpr):
    if FLAG:
        return x * scale
    return x + scale


@nki_mlir.jit
def pair(x):
    return x + 1.0, (x * 2.0, BLOCK)


@nki_mlir.jit
def calling_kernel(x_ptr, out_ptr, FLAG: tl.constexpr, unused=None):
    """A docstring."""
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets)
    x = helper_kernel(x, SCALE, FLAG=FLAG)
    more, (twice, size) = pair(x)
    x = more * twice * min(size, 4) * math.pow(2.0, 3) if unused is None else x
    assert (size == 8 and not FLAG) or FLAG, f"size is {size:02d}"
    tl.static_assert(size == 8, "size")
    x = tl.sigmoid(x) if FLAG else x
    if not FLAG or False:
        tl.store(out_ptr + offsets, x)
        return
    tl.store(out_ptr + offsets, -x)


def test_helpers_globals_branches_and_early_return() -> None:
    with_flag = names(checked(calling_kernel, array(8), array(8), FLAG=True))
    without = names(checked(calling_kernel, array(8), array(8), FLAG=False))
    assert with_flag.count("arith.mulf") == without.count("arith.mulf") + 1
    assert "math.exp" in with_flag and "math.exp" not in without
    assert with_flag.count("tile.store") == without.count("tile.store") == 1
    assert with_flag[-2:] == ["arith.negf", "tile.store"] or with_flag.count("arith.negf") == 2


def test_operations_in_a_helper_have_the_position_of_its_line() -> None:
    module = checked(calling_kernel, array(8), array(8), FLAG=True)
    helper_line = helper_kernel.fn.__code__.co_firstlineno
    lines = {(position(op) or ("", 0, 0))[1] for op in ops(module, "arith.mulf")}
    assert helper_line + 3 in lines


@nki_mlir.jit
def promotion_kernel(x_ptr, y_ptr, out_ptr, scale, CASE: tl.constexpr):
    i = tl.arange(0, 8)
    x, y = tl.load(x_ptr + i), tl.load(y_ptr + i)
    if CASE == "x + y":
        r = x + y
    elif CASE == "x / y":
        r = x / y
    elif CASE == "x + 1.5":
        r = x + 1.5
    elif CASE == "x + 1":
        r = x + 1
    elif CASE == "x / 2":
        r = x / 2
    elif CASE == "x * scale":
        r = x * scale
    elif CASE == "x + i":
        r = x + i
    elif CASE == "maximum":
        r = tl.maximum(x, 0.0)
    elif CASE == "sum":
        r = tl.sum(x, axis=0)
    else:
        r = tl.where(x > y, x, 0.0)
    tl.static_print(r.dtype)
    tl.store(out_ptr + i, r.to(tl.float32))


F32, F16, BF16 = np.float32, np.float16, ml_dtypes.bfloat16


@pytest.mark.parametrize(
    ("case", "x", "y", "expected"),
    [
        ("x + y", BF16, F32, "float32"),
        ("x + y", BF16, BF16, "bfloat16"),
        ("x + y", F16, F32, "float32"),
        ("x + y", F16, BF16, "float16"),
        ("x + y", np.int8, np.int32, "int32"),
        ("x + y", np.int8, np.uint8, "uint8"),
        ("x + y", np.int16, np.uint8, "int16"),
        ("x + y", np.int32, F16, "float16"),
        ("x + y", np.int32, BF16, "float32"),
        ("x / y", np.int32, np.int32, "float32"),
        ("x / y", BF16, BF16, "float32"),
        ("x + 1.5", BF16, BF16, "bfloat16"),
        ("x + 1.5", np.int32, BF16, "float32"),
        ("x + 1", np.int8, BF16, "int8"),
        ("x + 1", F16, BF16, "float16"),
        ("x / 2", F16, BF16, "float32"),
        ("x * scale", BF16, BF16, "float32"),
        ("x + i", np.int8, BF16, "int32"),
        ("x + i", np.int32, BF16, "int32"),
        ("x + i", BF16, BF16, "float32"),
        ("maximum", BF16, BF16, "float32"),
        ("sum", BF16, BF16, "float32"),
        ("sum", F16, F16, "float16"),
        ("sum", np.int8, F16, "int32"),
        ("where", BF16, BF16, "bfloat16"),
    ],
)
def test_promotion(case: str, x: Any, y: Any, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    checked(promotion_kernel, array(8, dtype=x), array(8, dtype=y), array(8), 0.5, CASE=case)
    assert capsys.readouterr().out.strip() == expected


@nki_mlir.jit
def functions_kernel(x_ptr, out_ptr, n, N: tl.constexpr):
    offsets = tl.arange(0, N)
    x = tl.load(x_ptr + offsets[:, None] * N + offsets[None, :], mask=offsets[:, None] < n)
    y = tl.exp(x) + tl.exp2(x) + tl.log(x) + tl.log2(x) + tl.sqrt(x) + tl.rsqrt(x) + tl.sin(x) + tl.abs(x)
    y += tl.sigmoid(x) + tl.erf(x) + tl.math.tanh(x) + tl.floor(x) + tl.ceil(x) + tl.extra.libdevice.fast_expf(x)
    y = tl.clamp(tl.fma(x, y, tl.fdiv(x, y)), -1.0, 1.0) + tl.minimum(x, y)
    y = y + tl.softmax(y, 1) + tl.trans(y) + y.T + tl.max(y, axis=1, keep_dims=True) + tl.min(y, 0)[None, :]
    y = y + tl.expand_dims(tl.sum(y, 1), 0) + tl.broadcast_to(tl.sum(y), (N, N)) + tl.full((N, N), 1, tl.float32)
    y = tl.reshape(y[:, None, :], (N, N)) + y.reshape(N, 1, N).reshape(N, N) + tl.zeros_like(y)
    y = tl.multiple_of(y, 8) + tl.max_contiguous(y, 8) + tl.where(offsets < n, 1, 0)
    tl.debug_barrier()
    tl.assume(n > 0)
    tl.device_assert(n > 0)
    low = y.to(tl.bfloat16)
    y = tl.dot(low, low, acc=y, input_precision="ieee") + tl.dot(low, low, out_dtype=tl.float16)
    mask = (offsets[:, None] < n) & ~(offsets[None, :] >= n) | (offsets[:, None] == 0)
    tl.store(out_ptr + offsets[:, None] * N + offsets[None, :], y, mask=mask, eviction_policy="evict_last")


def test_functions() -> None:
    module = checked(functions_kernel, array(8, 8), array(8, 8), 5, N=8)
    found = names(module)
    expected = (
        "math.exp math.log math.sqrt math.rsqrt math.sin math.absf math.erf math.tanh math.floor math.ceil arith.divf "
        "arith.maxnumf arith.minnumf arith.minimumf tile.permute tile.reduce tile.expand_dims tile.broadcast tile.select tile.compare "
        "tile.dot tile.cast arith.andi arith.ori arith.xori arith.negf tile.store"
    )
    assert set(expected.split()) <= set(found)
    with_acc = [op for op in ops(module, "tile.dot") if isinstance(op, tile.DotOp) and op.acc is not None]
    assert len(with_acc) == 1


@nki_mlir.jit
def integer_kernel(i_ptr, out_ptr, n, m):
    tl.static_assert(-7 // 2 == -4)
    tl.static_assert((0 - n) // m == -3)
    tl.static_assert((0 - n) % m == -1)
    pid = tl.program_id(0).to(tl.int64)
    tl.static_assert(tl.program_id(2) == 0 and tl.num_programs(0) == 3 and tl.num_programs(1) == 1)
    offsets = tl.arange(0, 8)
    loaded = tl.load(i_ptr + offsets)
    quotient = (offsets // 3 + offsets % 3) * 1 + 0
    size = min(n - pid * 2, m)
    wide = loaded.to(tl.int64) + quotient
    tl.store(out_ptr + wide + (pid << 2), (loaded // 2 + loaded % 2) * size)
    tl.store(out_ptr + offsets + 64, 1.5 * loaded)


def test_integers() -> None:
    module = checked(integer_kernel, array(8, dtype=np.int32), array(128, dtype=np.int32), 7, 2, grid=3)
    found = names(module)
    assert {"arith.divsi", "arith.remsi", "arith.minsi", "math.trunc"} <= set(found)
    casts = [(str(op.operands[0].type), str(op.results[0].type)) for op in ops(module, "tile.cast")]
    assert ("tensor<8xi32>", "tensor<8xindex>") in casts, "a loaded integer that addresses memory"
    assert ("index", "i32") in casts or ("tensor<8xindex>", "tensor<8xi32>") in casts
    assert ("tensor<8xf32>", "tensor<8xi32>") in casts, "a store converts to the element type"


@nki_mlir.jit
def number_kernel(out_ptr, VALUE: tl.constexpr, DTYPE: tl.constexpr):
    offsets = tl.arange(0, 4)
    tl.store(out_ptr + offsets, tl.full((4,), VALUE, DTYPE).to(tl.float32))


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (float("inf"), tl.float32, "0x7f800000 : f32"),
        (float("nan"), tl.float32, "0x7fc00000 : f32"),
        (-float("inf"), "bfloat16", "0xff80 : bf16"),
        (70000.0, tl.float16, "0x7c00 : f16"),
        (-0.0, tl.float32, "-0.000000e+00 : f32"),
        (3, np.dtype("int16"), "3 : i16"),
        (200, tl.uint8, "200 : index"),
    ],
)
def test_constants(value: float, dtype: Any, text: str) -> None:
    assert f"arith.constant {text}" in str(checked(number_kernel, array(4), VALUE=value, DTYPE=dtype))


@nki_mlir.jit
def other_kernel(x_ptr, out_ptr):
    offsets = tl.arange(0, 8)
    x = tl.load(x_ptr + offsets, mask=offsets < 5, other=offsets.to(tl.float32))
    first = tl.load(x_ptr)
    tl.store(out_ptr + offsets, x + first, mask=None)
    tl.store(out_ptr, first, mask=True)


def test_other_may_be_a_tensor_and_pointers_may_be_scalars() -> None:
    module = checked(other_kernel, array(8), array(8))
    loads = [op for op in ops(module, "tile.load") if isinstance(op, tile.LoadOp)]
    assert [tile.shape_of(op.result) for op in loads] == [(8,), ()]
    assert loads[0].other is None and len(ops(module, "tile.select")) == 1


@nki_mlir.jit
def unused_kernel(x_ptr, out_ptr):
    wasted = tl.arange(0, 8) * 3
    kept = tl.load(x_ptr)
    wasted += 1
    tl.store(out_ptr, kept)


def test_what_nothing_reads_is_not_emitted() -> None:
    kept = ["tile.programs", "tile.base", "tile.base", "tile.load", "tile.store"]
    assert names(checked(unused_kernel, array(8), array(8))) == kept


@nki_mlir.jit
def nested_kernel(x_ptr, out_ptr, N: tl.constexpr):
    offsets = tl.arange(0, N)
    row_ptr = x_ptr
    for _ in range(ROWS):
        total = tl.zeros((N,), tl.float32)
        column_ptr = row_ptr
        for _ in range(COLUMNS // N):
            part = tl.load(column_ptr + offsets)
            total += part
            column_ptr += N
        tl.store(out_ptr + offsets, total)
        part = total
        row_ptr += COLUMNS


def test_nested_loops() -> None:
    module = checked(nested_kernel, array(ROWS, COLUMNS), array(8), N=8)
    pointer, total = "!tile.ptr<f32>", "tensor<8xf32>"
    assert carried(module) == [[pointer], [total, pointer]]
    assert carried(nki_mlir.pipeline("induction")(module)) == [[], [total]]


@pytest.mark.parametrize("name", [name for name in tl.__all__ if hasattr(getattr(tl, name), "body")])
def test_every_function_has_a_signature_and_a_docstring_and_belongs_in_a_kernel(name: str) -> None:
    function = getattr(tl, name)
    assert function.__doc__ and "b" not in function.signature.parameters
    if name != "cdiv":
        with pytest.raises(nki_mlir.CompileError, match="only inside a kernel"):
            function(1)


@nki_mlir.jit
def compared_kernel(out_ptr, LIMIT: tl.constexpr, CASE: tl.constexpr):
    i = tl.arange(0, 8)
    if CASE == "<":
        mask = i < LIMIT
    elif CASE == "<=":
        mask = i <= LIMIT
    elif CASE == "reflected":
        mask = LIMIT > i
    else:
        mask = LIMIT >= i
    tl.store(out_ptr + i, 1.0, mask=mask)


@pytest.mark.parametrize("case", ["<", "<=", "reflected", "reflected="])
@pytest.mark.parametrize("limit", [4.5, 4.0, -0.5, 7.0, 100.5, float("inf")])
def test_an_index_compared_with_a_float(case: str, limit: float) -> None:
    out = np.zeros(8, np.float32)
    compiled = compared_kernel.compile(out, limit, case, grid=(1,))
    compiled.run(out, checks=False)  # a mask may leave out everything, which checks report
    i = np.arange(8)
    np.testing.assert_array_equal(out, i < limit if case in ("<", "reflected") else i <= limit)


@nki_mlir.jit
def exact_kernel(out_ptr, LIMIT: tl.constexpr):
    i = tl.arange(0, 8) + 2**24
    tl.store(out_ptr + i, 1.0, mask=i < LIMIT)


@pytest.mark.parametrize(("limit", "constant"), [(16777217.5, "16777217 : index"), (16777217.0, "16777217 : index")])
def test_a_comparison_with_a_float_does_not_round_the_index(limit: float, constant: str) -> None:
    module = checked(exact_kernel, array(2), LIMIT=limit)
    assert f"arith.constant {constant}" in str(module) and not ops(module, "tile.cast")


@nki_mlir.jit
def dtype_kernel(x_ptr, out_ptr, DTYPE: tl.constexpr):
    i = tl.arange(0, 8)
    x = tl.load(x_ptr + i).to(ml_dtypes.bfloat16)
    tl.static_assert(x.dtype == ml_dtypes.bfloat16 and x.dtype != np.float32)
    x = x.to(np.float16) + tl.zeros((8,), np.dtype("float16")) + tl.full((8,), 1, DTYPE)
    tl.store(out_ptr + i, x.to(np.float32))


@pytest.mark.parametrize("dtype", [np.float16, np.dtype("float16"), "float16", tl.float16], ids=str)
def test_types_of_other_libraries_are_dtypes(dtype: Any) -> None:
    module = checked(dtype_kernel, array(8), array(8), DTYPE=dtype)
    casts = [str(op.results[0].type) for op in ops(module, "tile.cast")]
    assert casts == ["tensor<8xbf16>", "tensor<8xf16>", "tensor<8xf32>"]
