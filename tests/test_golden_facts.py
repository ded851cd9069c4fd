"""What kernels come to, as numbers: partitions, instructions, bytes, sums in PSUM, time. A fall to one partition or a
move to another engine changes them. `python tests/test_golden_facts.py` prints the table as it is now."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).parent.parent
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "examples")]

import matmul
import nki_tensor_add
import numpy as np
import pytest
import softmax
import vector_add
from ml_dtypes import bfloat16
from numpy.typing import NDArray
from reference.builder import Kernel, Value
from test_scan_loops import recurrence
from xdsl.dialects.builtin import ModuleOp, f32

from nki_mlir.dialects.neuron_mem import AccumulatorOp, TileType
from nki_mlir.executor import RunResult, execute
from nki_mlir.passes.pipelines import lower_levels, set_target

BAND = 0.15
"""How far modelled time may be off."""


@dataclass(frozen=True)
class Facts:
    """`partitions`: how many tiles of the `neuron.mem` module span so many. `instructions`: executed, by engine, without
    semaphores. `moved`: bytes, by direction. `sums`: tiles that products accumulate in. `us`: modelled time."""

    partitions: Mapping[int, int]
    instructions: Mapping[str, int]
    moved: Mapping[str, int]
    sums: int
    us: float

    @classmethod
    def of(cls, module: ModuleOp, result: RunResult) -> Facts:
        tiles = Counter(
            value.type.layout.partitions
            for op in module.walk()
            for value in op.results
            if isinstance(value.type, TileType)
        )
        moved: Counter[str] = Counter()
        instructions: dict[str, int] = {}
        for unit in result.profile.units:
            moved.update(unit.nbytes)
            count = unit.count - unit.instructions.get("event_semaphore", 0)
            if not unit.name.startswith("dma ") and count:
                instructions[unit.name] = count
        sums = sum(isinstance(op, AccumulatorOp) for op in module.walk())
        return cls(dict(sorted(tiles.items())), instructions, dict(moved), sums, round(result.modelled_us, 1))


Array = NDArray[np.float32]
KERNELS: dict[str, Callable[[], Facts]] = {}


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def data(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


# The examples, as their main() runs them.
def _vector_add() -> Facts:
    n = 98_432
    arguments = (data(n), data(n), zeros(n), n)
    compiled = vector_add.add_kernel.compile(*arguments, BLOCK_SIZE=1024, grid=(97,))
    return Facts.of(compiled.module("neuron.mem"), compiled.run(*arguments, BLOCK_SIZE=1024))


def _nki_tensor_add() -> Facts:
    arguments = (data(256, 1024), data(256, 1024), zeros(256, 1024))
    compiled = nki_tensor_add.nki_tensor_add_kernel.compile(*arguments, grid=(2, 2))
    return Facts.of(compiled.module("neuron.mem"), compiled.run(*arguments))


def _softmax(rows: int, columns: int, block: int) -> Facts:
    arguments = (zeros(rows, columns), data(rows, columns), columns, columns, columns)
    compiled = softmax.softmax_kernel.compile(*arguments, BLOCK_SIZE=block, grid=(rows,))
    return Facts.of(compiled.module("neuron.mem"), compiled.run(*arguments, BLOCK_SIZE=block))


def _matmul(m: int, n: int, k: int, blocks: tuple[int, int, int]) -> Facts:
    arguments, meta = matmul.arguments(data(m, k), data(k, n), zeros(m, n)), matmul.meta(blocks)
    compiled = matmul.matmul_kernel.compile(*arguments, grid=matmul.grid(m, n, blocks), **meta)
    return Facts.of(compiled.module("neuron.mem"), compiled.run(*arguments, **meta))


def _row_major(target: str) -> Facts:
    """512^3 in bf16: A, which lies along its terms, is turned block by block."""
    a, b, c = (rows.astype(bfloat16) for rows in (data(512, 512), data(512, 512), zeros(512, 512)))
    arguments, meta = matmul.arguments(a, b, c), matmul.meta((128, 512, 128))
    meta["ACTIVATION"] = ""
    compiled = matmul.matmul_kernel.compile(
        *arguments, grid=matmul.grid(512, 512, (128, 512, 128)), target=target, **meta
    )
    return Facts.of(compiled.module("neuron.mem"), compiled.run(*arguments, **meta))


def _recurrence() -> Facts:
    """256 channels of 8 states each, in one scan a state for all of 128 iterations."""
    channels, length, states = 256, 128, 8
    shapes = (channels, length), (channels, length), (states, length), (channels, states), (channels, length)
    arguments = (*(data(*shape) for shape in shapes), zeros(channels, states), channels, length)
    meta = {"FORM": "scaled", "BLOCK": 128, "STATES": states, "TIME_FIRST": False, "LAST": True}
    compiled = recurrence.compile(*arguments, grid=(2,), **meta)
    return Facts.of(compiled.module("neuron.mem"), compiled.run(*arguments, **meta))


KERNELS["vector_add"] = _vector_add
KERNELS["nki_tensor_add"] = _nki_tensor_add
KERNELS["softmax"] = lambda: _softmax(1000, 781, 1024)
KERNELS["softmax 257x512"] = lambda: _softmax(257, 512, 512)
KERNELS["matmul 512x512x512"] = lambda: _matmul(512, 512, 512, (128, 128, 64))
KERNELS["matmul 200x136x72"] = lambda: _matmul(200, 136, 72, (128, 128, 64))
KERNELS["matmul 512x512x512 bf16"] = lambda: _row_major("trn1")
KERNELS["matmul 512x512x512 bf16 on trn2"] = lambda: _row_major("trn2")


KERNELS["recurrence"] = _recurrence


# Single tiles: `build(kernel, input tiles)` gives what is stored.
def _tiles(build: Callable[..., Value], out: tuple[int, ...], *inputs: tuple[int, ...]) -> Callable[[], Facts]:
    def run() -> Facts:
        k = Kernel((1,), [*((f32, shape) for shape in inputs), (f32, out)])
        zero = k.index(0)
        loaded = [
            k.read(memory, zero, tuple(int(np.prod(shape[d + 1 :])) for d in range(len(shape))), shape)
            for memory, shape in zip(k.args, inputs, strict=False)
        ]
        k.write(build(k, *loaded), k.args[-1], zero, tuple(int(np.prod(out[d + 1 :])) for d in range(len(out))))
        module = k.module()
        set_target(module, "trn1")
        levels = lower_levels(module)
        return Facts.of(levels["neuron.mem"], execute(levels["neuron.isa"], [*(data(*s) for s in inputs), zeros(*out)]))

    return run


def layernorm(k: Kernel, x: Value, weight: Value, bias: Value) -> Value:
    columns = x.shape[1]
    centred = x - x.reduce("sum", 1, keep=True) * (1.0 / columns)
    variance = (centred * centred).reduce("sum", 1, keep=True) * (1.0 / columns)
    return centred * k.unary("rsqrt", variance + 1e-5) * weight.row() + bias.row()


def where_mask(k: Kernel, x: Value) -> Value:
    return k.where((k.arange(x.shape[1]).row() < 300).broadcast(x.shape), x, -1.0)


def gelu_of_a_product(k: Kernel, a: Value, b: Value) -> Value:
    x = k.dot(a, b)
    inner = (x + x * x * x * 0.044715) * 0.7978845608
    return x * 0.5 * (k.unary("tanh", inner) + 1.0)


KERNELS["GELU of a product 256x512x128"] = _tiles(gelu_of_a_product, (256, 512), (256, 128), (128, 512))
KERNELS["layernorm 257x512"] = _tiles(layernorm, (257, 512), (257, 512), (512,), (512,))
KERNELS["column sum 512x200"] = _tiles(lambda k, x: x.reduce("sum", 0), (200,), (512, 200))
KERNELS["both sums 257x200"] = _tiles(
    lambda k, x: x - x.reduce("sum", 0, keep=True) - x.reduce("sum", 1, keep=True), (257, 200), (257, 200)
)
KERNELS["where 128x512"] = _tiles(where_mask, (128, 512), (128, 512))
KERNELS["dot 131x600x257"] = _tiles(lambda k, a, b: k.dot(a, b), (131, 600), (131, 257), (257, 600))
KERNELS["turned 257x130"] = _tiles(lambda k, x: k.unary("exp", x).T, (130, 257), (257, 130))
KERNELS["3-D 4x131x64"] = _tiles(lambda k, x: k.unary("exp", x).reduce("sum", 2), (4, 131), (4, 131, 64))
KERNELS["row on 1021x64"] = _tiles(lambda k, x, row: x + (row * 2.0).row(), (1021, 64), (1021, 64), (64,))

GOLDEN: dict[str, Facts] = {
    "vector_add": Facts(
        partitions={128: 3},
        instructions={"vector": 4, "gpsimd": 3, "sync": 6},
        moved={"sbuf to hbm": 393728, "hbm to sbuf": 787456},
        sums=0,
        us=12.3,
    ),
    "nki_tensor_add": Facts(
        partitions={128: 3},
        instructions={"vector": 4, "gpsimd": 4, "sync": 8},
        moved={"sbuf to hbm": 1048576, "hbm to sbuf": 2097152},
        sums=0,
        us=15.3,
    ),
    "softmax": Facts(
        partitions={125: 10},
        instructions={"vector": 24, "scalar": 9, "gpsimd": 8, "sync": 8},
        moved={"sbuf to hbm": 3124000, "hbm to sbuf": 3124000},
        sums=0,
        us=27.6,
    ),
    "softmax 257x512": Facts(
        partitions={128: 10},
        instructions={"vector": 10, "scalar": 4, "gpsimd": 3, "sync": 3},
        moved={"sbuf to hbm": 526336, "hbm to sbuf": 526336},
        sums=0,
        us=12.0,
    ),
    "matmul 512x512x512": Facts(
        partitions={128: 21},
        instructions={"tensor": 128, "vector": 21, "scalar": 12, "gpsimd": 5, "sync": 8},
        moved={"sbuf to hbm": 1048576, "hbm to sbuf": 2097152},
        sums=1,
        us=30.6,
    ),
    "matmul 200x136x72": Facts(
        partitions={72: 2, 100: 7, 128: 1},
        instructions={"tensor": 4, "vector": 24, "scalar": 1, "gpsimd": 1, "sync": 3},
        moved={"sbuf to hbm": 108800, "hbm to sbuf": 96768},
        sums=1,
        us=7.7,
    ),
    "matmul 512x512x512 bf16": Facts(
        partitions={128: 14},
        instructions={"tensor": 64, "vector": 5, "scalar": 8, "gpsimd": 5, "sync": 4},
        moved={"sbuf to hbm": 524288, "hbm to sbuf": 1048576},
        sums=1,
        us=14.1,
    ),
    "matmul 512x512x512 bf16 on trn2": Facts(
        partitions={128: 22},
        instructions={"tensor": 48, "vector": 1, "scalar": 5, "gpsimd": 4, "sync": 3},
        moved={"sbuf to hbm": 524288, "hbm to sbuf": 1048576},
        sums=1,
        us=12.4,
    ),
    "recurrence": Facts(
        partitions={128: 20},
        instructions={"vector": 42, "gpsimd": 4, "sync": 7},
        moved={"sbuf to hbm": 139264, "hbm to sbuf": 794624},
        sums=0,
        us=26.4,
    ),
    "GELU of a product 256x512x128": Facts(
        partitions={128: 10},
        instructions={"tensor": 4, "vector": 34, "scalar": 3, "gpsimd": 1, "sync": 2},
        moved={"sbuf to hbm": 524288, "hbm to sbuf": 393216},
        sums=1,
        us=12.3,
    ),
    "layernorm 257x512": Facts(
        partitions={86: 22},
        instructions={"vector": 18, "scalar": 5, "gpsimd": 2, "sync": 4},
        moved={"sbuf to hbm": 526336, "hbm to sbuf": 878592},
        sums=0,
        us=22.7,
    ),
    "column sum 512x200": Facts(
        partitions={1: 7, 128: 2},
        instructions={"tensor": 8, "vector": 1, "scalar": 1, "gpsimd": 1, "sync": 1},
        moved={"sbuf to hbm": 800, "hbm to sbuf": 409600},
        sums=1,
        us=6.2,
    ),
    "both sums 257x200": Facts(
        partitions={1: 5, 128: 11},
        instructions={"tensor": 6, "vector": 12, "scalar": 1, "gpsimd": 2, "sync": 2},
        moved={"sbuf to hbm": 205600, "hbm to sbuf": 205600},
        sums=1,
        us=9.3,
    ),
    "where 128x512": Facts(
        partitions={128: 3},
        instructions={"vector": 1, "gpsimd": 1, "sync": 1},
        moved={"sbuf to hbm": 262144, "hbm to sbuf": 262144},
        sums=0,
        us=5.0,
    ),
    "dot 131x600x257": Facts(
        partitions={66: 1, 128: 16},
        instructions={"tensor": 48, "vector": 5, "scalar": 8, "gpsimd": 3, "sync": 5},
        moved={"sbuf to hbm": 314400, "hbm to sbuf": 751468},
        sums=1,
        us=13.6,
    ),
    "turned 257x130": Facts(
        partitions={65: 1, 86: 3},
        instructions={"tensor": 24, "vector": 4, "scalar": 6, "gpsimd": 2, "sync": 2},
        moved={"sbuf to hbm": 133640, "hbm to sbuf": 133640},
        sums=0,
        us=7.4,
    ),
    "3-D 4x131x64": Facts(
        partitions={4: 1, 128: 3},
        instructions={"vector": 7, "scalar": 3, "gpsimd": 1, "sync": 2},
        moved={"sbuf to hbm": 2096, "hbm to sbuf": 134144},
        sums=0,
        us=5.3,
    ),
    "row on 1021x64": Facts(
        partitions={128: 6},
        instructions={"vector": 3, "gpsimd": 2, "sync": 3},
        moved={"sbuf to hbm": 261376, "hbm to sbuf": 294144},
        sums=0,
        us=6.8,
    ),
}


def test_every_kernel_has_facts() -> None:
    assert list(GOLDEN) == list(KERNELS)


@pytest.mark.parametrize("name", KERNELS)
def test_facts(name: str) -> None:
    found, golden = KERNELS[name](), GOLDEN[name]
    for field in fields(Facts):
        if field.name != "us":
            assert getattr(found, field.name) == getattr(golden, field.name), f"{name}: {field.name}"
    assert found.us == pytest.approx(golden.us, rel=BAND)


def main() -> None:
    print("GOLDEN: dict[str, Facts] = {")
    for name, measure in KERNELS.items():
        print(f'    "{name}": {measure()},'.replace("'", '"'))
    print("}")


if __name__ == "__main__":
    main()
