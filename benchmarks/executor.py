"""How fast the executor is: programs written at neuron.engine against NumPy on the same arrays, checks on against off,
instructions per second on tiny tiles, and peak memory against the arrays' own size.

python benchmarks/executor.py [--only PROGRAM] [--repeat N] [--json FILE]

Each figure is the best of some runs; a program and its NumPy version take turns, on the same threads. Results are
compared before anything is timed. Some machines preset OPENBLAS_CORETYPE, which can slow NumPy's BLAS down: run it as
`env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/executor.py`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from engine_builder import Kernel
from reporting import add_json, table, write_json
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.executor import RunResult, execute

Array = np.ndarray[Any, Any]
EPSILON = 1e-5


@dataclass(frozen=True)
class Program:
    """`arrays` are those of its tensors, `output` is one of them; `numpy` computes it from `inputs`, within `tolerance`
    of its largest element."""

    module: ModuleOp
    arrays: Sequence[Array]
    output: Array
    inputs: Sequence[Array]
    numpy: Callable[..., Array]
    tolerance: float

    def run(self, checks: bool = False) -> RunResult:
        return execute(self.module, self.arrays, checks=checks)


def matmul(size: int = 2048) -> Program:
    """bf16, both operands resident in SBUF, products of 128 x 512 summed in PSUM. NumPy gets them upcast to fp32."""
    k, kind, steps = Kernel("trn1"), "bfloat16", size // 128
    lhs, rhs, out = (k.tensor(name, (size, size), kind) for name in ("lhsT", "rhs", "out"))
    left, right = k.sbuf(steps * size, kind), k.sbuf(steps * size, kind)
    with k.loop(steps) as i:
        k.dma(left.cols(i * size, size), lhs.box(i * 128, 128, 0, size))
        k.dma(right.cols(i * size, size), rhs.box(i * 128, 128, 0, size), by="gpsimd")
    with k.loop(size // 128) as m, k.loop(size // 512) as n:
        product, result = k.psum(512, depth=2), k.sbuf(512, kind, depth=2)
        with k.loop(steps) as i:
            moving = right.cols(i * size + n * 512, 512)
            k.matmul(product, left.cols(i * size + m * 128, 128), moving, accumulate=i)
        k.op("activation", op="copy", dst=result, data=product)
        k.dma(out.box(m * 128, 128, n * 512, 512), result, by="scalar")
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size), np.float32).astype(ml_dtypes.bfloat16) for _ in range(2))
    product = np.zeros_like(a)
    upcast = a.T.astype(np.float32, order="C"), b.astype(np.float32)
    return Program(k.lower(), [a, b, product], product, upcast, np.matmul, 2**-8)


def layernorm(rows: int = 4096, columns: int = 4096) -> Program:
    """fp32, 128 rows at a time, one on each partition, on Vector, Scalar and GpSimd."""
    k = Kernel("trn1")
    x, y = k.tensor("x", (rows, columns)), k.tensor("y", (rows, columns))
    weight, bias = k.tensor("weight", (columns,)), k.tensor("bias", (columns,))
    gamma, beta, chunks = k.sbuf(columns), k.sbuf(columns), columns // 512
    for tile, tensor in ((gamma, weight), (beta, bias)):
        k.dma(tile, tensor.at(0, (0, 128), (1, columns)))
    with k.loop(rows // 128) as i:
        data, result = k.sbuf(columns, depth=2), k.sbuf(columns, depth=2)
        statistics, moments, scale = k.sbuf(6 * chunks, depth=2), k.sbuf(2, depth=2), k.sbuf(1, depth=2)
        k.dma(data, x.box(i * 128, 128, 0, columns))
        for c in range(chunks):
            k.op("bn_stats", dst=statistics.cols(6 * c, 6), data=data.cols(512 * c, 512))
        k.op("bn_aggr", dst=moments, data=statistics)
        mean, variance = moments.cols(0, 1), moments.cols(1, 1)
        k.op("tensor_scalar", "vector", op0="add", dst=scale, data=variance, operand0=EPSILON)
        k.op("activation", op="rsqrt", dst=scale, data=scale)
        normal = {"op0": "subtract", "operand0": mean, "op1": "multiply", "operand1": scale}
        k.op("tensor_scalar", "vector", dst=data, data=data, **normal)
        k.op("tensor_tensor", "vector", op="multiply", dst=result, data1=data, data2=gamma)
        k.op("tensor_tensor", "gpsimd", op="add", dst=result, data1=result, data2=beta)
        k.dma(y.box(i * 128, 128, 0, columns), result, by="scalar")
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape, np.float32) for shape in ((rows, columns), (columns,), (columns,))]
    data, scale, shift = arrays
    out = np.zeros_like(data)
    return Program(k.lower(), [data, out, scale, shift], out, (data, scale, shift), numpy_layernorm, 1e-5)


def numpy_layernorm(x: Array, weight: Array, bias: Array) -> Array:
    mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return (x - mean) / np.sqrt(variance + np.float32(EPSILON)) * weight + bias


def tiny(iterations: int = 5000) -> Program:
    """Two instructions on 16 x 8 elements in each iteration, one waiting for the other."""
    k = Kernel("trn1")
    x, y = k.tensor("x", (16, 8)), k.tensor("y", (16, 8))
    tile = k.sbuf(8, partitions=16)
    k.dma(tile, x.box(0, 16, 0, 8))
    with k.loop(iterations):
        between = k.sbuf(8, partitions=16, depth=2)
        k.op("tensor_scalar", "vector", op0="add", dst=between, data=tile, operand0=1.0)
        k.op("activation", op="copy", dst=tile, data=between)
    k.dma(y.box(0, 16, 0, 8), tile)
    given = np.random.default_rng(0).standard_normal((16, 8), np.float32)
    out = np.zeros_like(given)

    def added(x: Array) -> Array:
        for _ in range(iterations):
            x = x + np.float32(1)
        return x

    return Program(k.lower(), [given, out], out, (given,), added, 0.0)


PROGRAMS: dict[str, Callable[[], Program]] = {
    "matmul 2048 x 2048 x 2048, bf16": matmul,
    "layernorm 4096 x 4096, fp32": layernorm,
    "tiny tiles, 16 x 8": tiny,
}


def measure(name: str, repeat: int) -> dict[str, Any]:
    program = PROGRAMS[name]()
    result = program.run()
    wanted = program.numpy(*program.inputs)
    error = float(np.max(np.abs(program.output.astype(np.float32) - wanted)) / np.max(np.abs(wanted)))
    if not error <= program.tolerance:
        raise SystemExit(f"{name}: largest error {error:.2e}, tolerance {program.tolerance:.0e}")
    runs = (program.run, lambda: program.numpy(*program.inputs), lambda: program.run(checks=True))
    plain, reference, checked = best(runs, repeat)
    return {
        "program": name,
        "instructions": result.instructions,
        "error": float(f"{error:.1e}"),
        "executor ms": round(1000 * plain, 1),
        "NumPy ms": round(1000 * reference, 1),
        "executor / NumPy": round(plain / reference, 2),
        "checks on / off": round(checked / plain, 2),
        "instructions/s": round(result.instructions / plain),
        "peak MB": round((peak := memory(name)) / 1e6),
        "peak / arrays": round(peak / sum(array.nbytes for array in program.arrays), 2),
    }


def best(runs: Sequence[Callable[[], object]], repeat: int) -> list[float]:
    """The shortest time of each, in turns."""
    times = [[] for _ in runs]
    for _ in range(repeat):
        for run, found in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            found.append(time.perf_counter() - start)
    return [min(found) for found in times]


def memory(name: str) -> int:
    """`peak`, in a process of its own. Linux."""
    found = subprocess.run([sys.executable, __file__, "--memory", name], check=True, capture_output=True, text=True)
    return int(found.stdout)


def peak(program: Program) -> int:
    """Bytes of the arrays, and what a run adds at its peak to what is there before."""
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    program.run()
    return _status("VmHWM") - before + sum(array.nbytes for array in program.arrays)


def _status(key: str) -> int:
    """Bytes, of a line of this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def blas() -> str:
    try:
        import threadpoolctl
    except ImportError:
        return "unknown (threadpoolctl is not installed)"
    found = [
        f"{i['internal_api']} {i.get('architecture')}, {i['num_threads']} threads"
        for i in threadpoolctl.threadpool_info()
    ]
    return "; ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="PROGRAM", default="", help="those whose name begins with this")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="runs of which the best counts")
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    add_json(parser)
    arguments = parser.parse_args()
    if arguments.memory:
        print(peak(PROGRAMS[arguments.memory]()))
        return
    rows = [measure(name, arguments.repeat) for name in PROGRAMS if name.startswith(arguments.only)]
    print(table(rows, tuple(rows[0])))
    print(f"NumPy {np.__version__}, BLAS: {blas()}")
    write_json(arguments.json, rows)


if __name__ == "__main__":
    main()
