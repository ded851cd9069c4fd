"""Compile time by the number of instructions: one kernel, its loop unrolled more and more often.

    python benchmarks/compile_time.py [--json F]

Straight-line code is the worst case: loops stay rolled, so that their trip counts cost nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

import nki_mlir
import nki_mlir.language as tl
from nki_mlir.passes.pipelines import build, run

BLOCK = 1024
COPIES = (36, 109, 427)
"""How often the body stands in the kernel: about 400, 1,200 and 4,700 instructions."""


@nki_mlir.jit
def unrolled(x_ptr, out_ptr, COPIES: tl.constexpr, BLOCK: tl.constexpr):
    for i in tl.static_range(COPIES):
        offsets = i * BLOCK + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + offsets)
        tl.store(out_ptr + offsets, tl.exp(x) * 2.0 + x)


def measure(copies: int) -> dict[str, float]:
    """Seconds of each pass, and the instructions that come out."""
    x = np.zeros(copies * BLOCK, np.float32)
    started = time.perf_counter()
    module = unrolled.trace(x, np.empty_like(x), COPIES=copies, BLOCK=BLOCK, grid=(1,)).module
    seconds = {"frontend": time.perf_counter() - started}
    for one in build("lower-to-isa"):
        started = time.perf_counter()
        run([one], module, verify=False)
        seconds[one.name] = seconds.get(one.name, 0.0) + time.perf_counter() - started
    count = sum(op.name.startswith("neuron.isa.") for op in module.walk())
    return {"instructions": count, "total": sum(seconds.values()), **seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    args = parser.parse_args()
    found = [measure(copies) for copies in COPIES]
    for one in found:
        slowest = sorted((k for k in one if k not in ("instructions", "total")), key=lambda k: -one[k])[:5]
        parts = ", ".join(f"{name} {one[name]:.2f}" for name in slowest)
        print(f"{one['instructions']:6.0f} operations of neuron.isa: {one['total']:.2f} s ({parts})")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
