"""Compile time, modelled time and busiest units of the four example kernels, and nki-opt's start-up beside xdsl-opt's.

python benchmarks/kernels.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "examples"))


def compiled_kernels() -> dict[str, Callable[[], tuple[Any, tuple[Any, ...], dict[str, Any]]]]:
    """For each kernel, a function that compiles it and gives it with its arguments."""
    import matmul
    import nki_tensor_add
    import softmax
    import vector_add

    rng = np.random.default_rng(0)

    def data(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    def of(kernel: Any, grid: tuple[int, ...], arguments: tuple[Any, ...], **meta: Any) -> Any:
        return lambda: (kernel.compile(*arguments, grid=grid, **meta), arguments, meta)

    def product(m: int, n: int, k: int, blocks: tuple[int, int, int]) -> Any:
        arguments = matmul.arguments(data(m, k), data(k, n), data(m, n))
        return of(matmul.matmul_kernel, matmul.grid(m, n, blocks), arguments, **matmul.meta(blocks))

    x = data(98_432)
    rows = data(1000, 781)
    square = data(256, 2048)
    few = data(100)
    return {
        "warm-up": of(vector_add.add_kernel, (1,), (few, few.copy(), few.copy(), few.size), BLOCK_SIZE=128),
        "vector add, 98,432": of(vector_add.add_kernel, (97,), (x, x.copy(), x.copy(), x.size), BLOCK_SIZE=1024),
        "NKI tensor add, 256 x 2048": of(
            nki_tensor_add.nki_tensor_add_kernel, (2, 4), (square, square.copy(), square.copy())
        ),
        "softmax, 1000 x 781": of(softmax.softmax_kernel, (1000,), (rows.copy(), rows, 781, 781, 781), BLOCK_SIZE=1024),
        "matmul, 512 x 512 x 512, blocks 128 x 128 x 64": product(512, 512, 512, (128, 128, 64)),
        "matmul, 200 x 136 x 72, blocks 64 x 64 x 32": product(200, 136, 72, (64, 64, 32)),
    }


def measure(name: str, compile_: Callable[[], tuple[Any, tuple[Any, ...], dict[str, Any]]]) -> dict[str, Any]:
    start = time.perf_counter()
    compiled, arguments, meta = compile_()
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    result = compiled.run(*arguments, **meta)
    busiest = sorted(result.busy_us.items(), key=lambda item: -item[1])[:2]
    return {
        "kernel": name,
        "compile_s": round(seconds, 3),
        "execute_s": round(time.perf_counter() - start, 3),
        "modelled_us": round(result.modelled_us, 1),
        "instructions": result.instructions,
        "busiest": ", ".join(f"{unit} {100 * us / result.modelled_us:.0f}%" for unit, us in busiest),
    }


def start_up(tool: str, runs: int = 7) -> float:
    """The shortest of some runs on an empty module, in ms."""
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        file.write("builtin.module {}\n")
        file.flush()
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            subprocess.run([Path(sys.executable).with_name(tool), file.name], check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - start)
    return round(1000 * min(times), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    arguments = parser.parse_args()
    kernels = compiled_kernels()
    measure("imports", kernels.pop("warm-up"))
    rows = [measure(name, compile_) for name, compile_ in kernels.items()]
    print(f"{'kernel':48} {'compile s':>9} {'execute s':>9} {'modelled us':>11} {'instr.':>7}  busiest units")
    for r in rows:
        print(
            f"{r['kernel']:48} {r['compile_s']:9} {r['execute_s']:9} {r['modelled_us']:11} {r['instructions']:7}"
            f"  {r['busiest']}"
        )
    tools = {tool: start_up(tool) for tool in ("nki-opt", "xdsl-opt")}
    for tool, ms in tools.items():
        print(f"{tool} on an empty module: {ms} ms")
    if arguments.json:
        arguments.json.write_text(json.dumps({"kernels": rows, "start_up_ms": tools}, indent=1))


if __name__ == "__main__":
    main()
