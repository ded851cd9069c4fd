"""The four kernels of `examples/`, from source to results, against NumPy; their `tile` text too; timing perturbed."""

from __future__ import annotations

import re
from pathlib import Path

import matmul
import ml_dtypes
import nki_tensor_add
import numpy as np
import pytest
import softmax
import vector_add

import nki_mlir

EXAMPLES = Path(__file__).parent.parent / "examples"
BF16 = np.dtype(ml_dtypes.bfloat16)
F32 = np.dtype(np.float32)
SEEDS = (None, 1, 2, 3)


def data(shape: int | tuple[int, ...], dtype: np.dtype, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [F32, BF16], ids=str)
@pytest.mark.parametrize("n", [98_432, 100_003, 1024, 1, 777])
def test_vector_add(n: int, dtype: np.dtype):
    x, y, out = data(n, dtype), data(n, dtype, 1), np.zeros(n, dtype)
    vector_add.add_kernel[lambda meta: (nki_mlir.cdiv(n, meta["BLOCK_SIZE"]),)](x, y, out, n, BLOCK_SIZE=1024)
    np.testing.assert_array_equal(out, x + y)


@pytest.mark.parametrize("seed", SEEDS)
def test_vector_add_in_place_under_perturbed_timing(seed: int | None):
    n = 5000
    x, y = data(n, F32), data(n, F32, 1)
    expected = x + y
    compiled = vector_add.add_kernel.compile(x, y, x, n, BLOCK_SIZE=512, grid=(10,))
    compiled.run(x, y, x, n, BLOCK_SIZE=512, seed=seed)
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("dtype", [F32, BF16], ids=str)
def test_nki_tensor_add(dtype: np.dtype):
    a, b, c = data((256, 2048), dtype), data((256, 2048), dtype, 1), np.zeros((256, 2048), dtype)
    nki_tensor_add.nki_tensor_add_kernel[(2, 4)](a, b, c)
    np.testing.assert_array_equal(c, a + b)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", [F32, BF16], ids=str)
@pytest.mark.parametrize("blocks", [(128, 128, 64), (64, 64, 32)], ids=str)
@pytest.mark.parametrize("sizes", [(512, 512, 512), (200, 136, 72)], ids=str)
def test_matmul(sizes: tuple[int, int, int], blocks: tuple[int, int, int], dtype: np.dtype, seed: int | None):
    m, n, k = sizes
    a, b, c = data((m, k), dtype), data((k, n), dtype, 1), np.zeros((m, n), dtype)
    arguments, meta = matmul.arguments(a, b, c), matmul.meta(blocks)
    compiled = matmul.matmul_kernel.compile(*arguments, grid=matmul.grid(m, n, blocks), **meta)
    compiled.run(*arguments, **meta, seed=seed)
    # Sums of k products in fp32, in another order; then one rounding to the output type.
    expected = matmul.reference(a, b)
    scale = np.abs(expected).max()
    tolerance = k * 2.0**-23 if dtype == F32 else 2.0**-7
    assert np.abs(c.astype(np.float32) - expected).max() <= tolerance * scale


@pytest.mark.parametrize("blocks", [(256, 1024, 256), (128, 512, 128), (32, 32, 16)], ids=str)
def test_matmul_blocks_larger_and_smaller_than_the_array(blocks: tuple[int, int, int]):
    m, n, k = 300, 1100, 270
    a, b, c = data((m, k), F32), data((k, n), F32, 1), np.zeros((m, n), F32)
    programs = matmul.grid(m, n, blocks)
    matmul.matmul_kernel[programs](*matmul.arguments(a, b, c), **matmul.meta(blocks))
    np.testing.assert_allclose(c, matmul.reference(a, b), rtol=0, atol=2e-4)


@pytest.mark.parametrize("layout", ["A", "B", "both"])
def test_matmul_of_transposed_arrays(layout: str):
    m, n, k = 96, 80, 64
    a = data((k, m), F32).T if layout in ("A", "both") else data((m, k), F32)
    b = data((n, k), F32, 1).T if layout in ("B", "both") else data((k, n), F32, 1)
    c = np.zeros((m, n), F32)
    blocks = (32, 64, 32)
    matmul.matmul_kernel[matmul.grid(m, n, blocks)](*matmul.arguments(a, b, c), **matmul.meta(blocks))
    np.testing.assert_allclose(c, matmul.reference(a, b), rtol=0, atol=1e-4)


def test_matmul_uses_the_machine_as_it_should():
    """K on the partitions, accumulation in PSUM with a flag, out of PSUM through Scalar or Vector, all else by DMA."""
    a, b, c = data((512, 512), F32), data((512, 512), F32, 1), np.zeros((512, 512), F32)
    blocks = (128, 128, 64)
    compiled = matmul.matmul_kernel.compile(
        *matmul.arguments(a, b, c), grid=matmul.grid(512, 512, blocks), **matmul.meta(blocks)
    )
    text = compiled.ir("neuron.isa")
    assert re.search(r"load_stationary stationary <sbuf\[0:128\] at .*, \[1 x 128\], f32>", text)
    assert re.search(r"multiply_moving accumulate <1> dst <psum\[0:128\] .* moving <sbuf\[0:128\]", text)
    assert re.search(r"activation op copy dst <sbuf.* data <psum", text)
    assert not re.search(r"dma_copy .*<psum", text)
    assert text.count("neuron.isa.repeat") and "16 *" in text


def test_compile_time_does_not_grow_with_trip_counts():
    """A K loop of 304 steps and one of 112 give the same number of operations at every level."""
    sizes: list[list[int]] = []
    for k in (112 * 32, 304 * 32):
        a, b, c = data((64, k), F32), data((k, 64), F32, 1), np.zeros((64, 64), F32)
        compiled = matmul.matmul_kernel.compile(*matmul.arguments(a, b, c), grid=(1, 1), **matmul.meta((64, 64, 32)))
        levels = ("tile", "neuron.mem", "neuron.engine", "neuron.isa")
        sizes.append([sum(1 for _ in compiled.module(level).walk()) for level in levels])
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("rows", [1000, 3])
def test_softmax(rows: int):
    x, out = data((rows, 781), F32), np.zeros((rows, 781), F32)
    softmax.softmax_kernel[(rows,)](out, x, 781, 781, 781, BLOCK_SIZE=1024)
    np.testing.assert_allclose(out, softmax.softmax(x), rtol=1e-5, atol=1e-9)


TEXTS = {
    "vector_add": ([(98_432,), (98_432,)], (98_432,), lambda x, y: x + y),
    "nki_tensor_add": ([(256, 2048), (256, 2048)], (256, 2048), lambda a, b: a + b),
    "matmul": ([(200, 72), (72, 136)], (200, 136), matmul.reference),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_the_examples(name: str):
    shapes, out_shape, reference = TEXTS[name]
    module = nki_mlir.parse((EXAMPLES / f"{name}.mlir").read_text(), f"{name}.mlir")
    lowered = nki_mlir.pipeline("lower-to-isa")(module)
    arrays, out = [data(shape, F32, seed) for seed, shape in enumerate(shapes)], np.zeros(out_shape, F32)
    result = nki_mlir.execute(lowered, [*arrays, out])
    np.testing.assert_allclose(out, reference(*arrays), rtol=0, atol=1e-4)
    assert result.modelled_us > 0 and result.instructions > 0 and result.busy_us["vector"] > 0


def test_softmax_text():
    module = nki_mlir.parse((EXAMPLES / "softmax.mlir").read_text(), "softmax.mlir")
    x, out = data((1000, 781), F32), np.zeros((1000, 781), F32)
    nki_mlir.execute(nki_mlir.pipeline("lower-to-isa", target="trn1")(module), [out, x])
    np.testing.assert_allclose(out, softmax.softmax(x), rtol=1e-5, atol=1e-9)


def test_pipelines_are_cut_and_extended():
    module = nki_mlir.parse((EXAMPLES / "softmax.mlir").read_text())
    before = str(module)
    placed = nki_mlir.pipeline("lower-to-isa", stop_after="place")
    assert str(placed).endswith("place") and "neuron.mem.load" in str(placed(module))
    assert str(module) == before
    longer = placed + "canonicalize,cse"
    assert str(longer).endswith("place,canonicalize,cse") and "neuron.mem.load" in str(longer(module))
    with pytest.raises(nki_mlir.CompileError, match="no pass 'nothing'"):
        nki_mlir.pipeline("nothing")
    with pytest.raises(nki_mlir.CompileError, match="no target 'trn9'"):
        nki_mlir.pipeline("place", target="trn9")(module)


@pytest.mark.parametrize("target", ["trn1", "trn2", "trn3"])
def test_every_target_runs_the_kernels(target: str):
    x, y, out = data(3000, F32), data(3000, F32, 1), np.zeros(3000, F32)
    compiled = vector_add.add_kernel.compile(x, y, out, 3000, BLOCK_SIZE=1024, grid=(3,), target=target)
    assert compiled.run(x, y, out, 3000, BLOCK_SIZE=1024).modelled_us > 0
    np.testing.assert_array_equal(out, x + y)
