"""Every copying instruction and memset against NumPy, on images of the memories as in `test_instructions`."""

from __future__ import annotations

import numpy as np
import pytest
from executor.cases import ANY, INTEGERS, Layout, check, layouts, quick, seeds, space_of, types
from executor.machine_code import WIDTH, Array, narrow, program, single, widen
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, f32, i64

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.expr import Expr
from nki_mlir.executor import execute
from nki_mlir.targets import load

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@quick
@given(st.data(), layouts(), types, types, st.sampled_from([Engine.VECTOR, Engine.GPSIMD]), seeds)
def test_tensor_copy(data: st.DataObject, at: Layout, to: str, source: str, engine: Engine, seed: int) -> None:
    operands = {
        "dst": at.full(to, True, space_of(at.draw, engine)),
        "src": at.full(source, space=space_of(at.draw, engine)),
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        if to == source:
            return {"dst": tiles["src"]}
        return {"dst": narrow(widen(tiles["src"]), operands["dst"].element_type)}

    check("tensor_copy", engine, operands, {}, seed, expected)


@pytest.mark.parametrize("kind", ANY)
def test_copies_of_one_type_move_bits(kind: str) -> None:
    """NaN payloads, denormals and every other pattern included; by tensor_copy and by DMA (the images themselves)."""
    bytes_ = by_name(kind).bytes
    src, dst = (Access(Space.SBUF, by_name(kind).type, ((1, 512 // bytes_),), 0, 128, Expr(at)) for at in (0, 512))
    sbuf = np.random.default_rng(1).integers(0, 256, (128, WIDTH), np.uint8)
    wanted = sbuf.copy()
    wanted[:, 512:1024] = wanted[:, :512]
    single("tensor_copy", Engine.VECTOR, {"dst": dst, "src": src}, {}, sbuf, np.zeros((128, WIDTH), np.uint8))
    np.testing.assert_array_equal(sbuf, wanted)


@quick
@given(st.data(), layouts(), types, st.sampled_from(["uint8", "uint16", "uint32"]), st.booleans(), seeds)
def test_tensor_copy_predicated(
    data: st.DataObject, at: Layout, kind: str, test: str, reverse: bool, seed: int
) -> None:
    operands = {"dst": at.full(kind, True), "src": at.full(kind), "predicate": at.full(test)}

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        chosen = (tiles["predicate"] != 0) != reverse
        return {"dst": np.where(chosen, tiles["src"], tiles["dst"])}

    check("tensor_copy_predicated", Engine.VECTOR, operands, {"reverse_pred": reverse}, seed, expected)


@quick
@given(layouts(), types, st.sampled_from(["uint8", "uint32"]), st.booleans(), st.sampled_from([0, -3, 2.5, 300]), seeds)
def test_predicated_constant(at: Layout, kind: str, test: str, reverse: bool, value: float, seed: int) -> None:
    operands = {"dst": at.full(kind, True), "predicate": at.full(test)}
    value = int(value) if kind in INTEGERS else value

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        chosen = (tiles["predicate"] != 0) != reverse
        constant = narrow(np.array([value], np.float32), operands["dst"].element_type)
        return {"dst": np.where(chosen, constant, tiles["dst"])}

    fields = {"reverse_pred": reverse, "value": value}
    check("tensor_copy_predicated", Engine.VECTOR, operands, fields, seed, expected)


@quick
@given(st.sampled_from(["src", "dst"]), st.sampled_from(["vector", "gpsimd", "scalar"]), st.integers(0, 112), seeds)
def test_copies_to_and_from_run_time_addresses(way: str, engine: str, at: int, seed: int) -> None:
    """The offset is an element of SBUF, loaded into a register of the engine; the copy takes at least 600 cycles."""
    x = np.random.default_rng(seed).standard_normal((32, 128)).astype(np.float32)
    offsets, y, tile = np.array([4, at], np.int32), np.zeros((32, 128), np.float32), "[1 x 16], f32"
    src, dst = ("512 + 4 * r5", "2048") if way == "src" else ("512", "2048 + 4 * r5")
    whole = "<sbuf[0:32] at {}, [1 x 128], f32>"
    text = f"""
neuron.isa.stream sync {{
  neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 64, [1 x 2], i32> src <hbm "o" at 0, [1 x 2], i32> update <sem 0 add 16>
  neuron.isa.dma_copy queue 0 dst {whole.format(512)} src <hbm "x" at 0, [128 x 32, 1 x 128], f32> update <sem 0 add 16>
  neuron.isa.dma_copy queue 0 dst {whole.format(2048)} src <hbm "y" at 0, [128 x 32, 1 x 128], f32> update <sem 0 add 16>
  neuron.isa.dma_copy queue 0 dst <hbm "y" at 0, [128 x 32, 1 x 128], f32> src {whole.format(2048)} wait <sem 1 reaches 1>
}}
neuron.isa.stream {engine} {{
  neuron.isa.register_load dst 5 src <sbuf[0:1] at 68, [1 x 1], i32> wait <sem 0 reaches 48>
  neuron.isa.tensor_copy_dynamic_{way} dst <sbuf[0:32] at {dst}, {tile}> src <sbuf[0:32] at {src}, {tile}> update <sem 1 add 1>
}}"""
    tensors = "x: memref<32x128xf32>; o: memref<2xi32>; y: memref<32x128xf32>"
    target = "trn2"
    result = execute(program(text, tensors, target), [x, offsets, y])
    wanted = np.zeros_like(y)
    from_, to = (at, 0) if way == "src" else (0, at)
    wanted[:, to : to + 16] = x[:, from_ : from_ + 16]
    np.testing.assert_array_equal(y, wanted)
    assert result.busy_us[engine] * 1000 >= 600 / load(target).clock_ghz[engine]


@quick
@given(layouts(), types, st.sampled_from([0, 1, -3, 2.5, 300, 1e9]), st.sampled_from([Engine.VECTOR, Engine.GPSIMD]))
def test_memset(at: Layout, kind: str, value: float, engine: Engine) -> None:
    operands = {"dst": at.full(kind, True, space_of(at.draw, engine))}
    value = int(value) if kind in INTEGERS else value
    number = IntegerAttr(value, i64) if isinstance(value, int) else FloatAttr(value, f32)

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        return {"dst": narrow(np.full(tiles["dst"].shape, value), operands["dst"].element_type)}

    check("memset", engine, operands, {"value": number}, 0, expected)
