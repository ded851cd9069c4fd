"""The Tensor engine and DMA: matmuls, transposes and transfers, one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from executor.cases import ANY, FLOATS, SLOT, Layout, check, images, layouts, quick, seeds, types
from executor.machine_code import Array, gather, narrow, scatter, single, widen
from hypothesis import given
from hypothesis import strategies as st

from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_isa import ExprAttr
from nki_mlir.errors import ExecutionError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@quick
@given(st.data(), layouts((1, 3, 32, 40, 64)), types, st.sampled_from(["trn1", "trn2"]), seeds)
def test_transpose(data: st.DataObject, at: Layout, kind: str, target: str, seed: int) -> None:
    """A bit copy; on the Tensor engine of NeuronCore-v2 a matmul, which a NaN or infinity spoils; on later ones 8-bit
    elements get a zero upper byte."""
    on_tensor = at.partitions > 32 or at.free > 32 or data.draw(st.booleans())
    widens = on_tensor and target != "trn1" and by_name(kind).bytes == 1
    dst = Access(
        Space.PSUM if on_tensor else Space.SBUF,
        by_name("uint16" if widens else kind).type,
        ((1, at.partitions),),
        0,
        at.free,
        Expr(4 * SLOT),
    )
    operands = {"data": at.place(kind, at.counts, at.partitions, False), "dst": dst}
    spoils = on_tensor and target == "trn1"

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        x = tiles["data"]
        if widens:
            return {"dst": x.view(np.uint8).astype(np.uint16).T}
        return {"dst": narrow(_spoilt(widen(x)).T, dst.element_type) if spoils else x.T}

    check("nc_transpose", Engine.TENSOR if on_tensor else Engine.VECTOR, operands, {}, seed, expected, target)


def _spoilt(x: Array) -> Array:
    """A NaN or infinity makes NaN of all others in its column."""
    bad = ~np.isfinite(x)
    return np.where((bad.sum(0, keepdims=True) - bad) > 0, np.nan, x)


@quick
@given(st.data(), st.sampled_from(FLOATS), st.sampled_from(FLOATS), st.integers(1, 128), seeds)
def test_matmul(data: st.DataObject, left: str, right: str, k: int, seed: int) -> None:
    """dst = stationary^T x moving, then accumulated onto once more."""
    wide = {"float32", "tfloat32"}
    if (left in wide) != (right in wide):
        right = left
    m, n = data.draw(st.sampled_from([1, 5, 32, 60])), data.draw(st.sampled_from([1, 7, 32, 64]))
    stationary = _dense(left, k, m, 0)
    moving = _dense(right, k, n, SLOT)
    dst = Access(Space.PSUM, by_name("float32").type, ((1, n),), 0, m, Expr(1024))
    sbuf, psum = images(seed, (stationary, moving), specials=False)
    product = _tf32(stationary, sbuf, psum).T @ _tf32(moving, sbuf, psum)
    load = ("load_stationary", {"stationary": stationary}, {})
    first = ("multiply_moving", {"dst": dst, "moving": moving}, {})
    twice = {"accumulate": ExprAttr(Expr(1))}
    single("multiply_moving", Engine.TENSOR, {"dst": dst, "moving": moving}, twice, sbuf, psum, prelude=(load, first))
    got = gather(dst, sbuf, psum)
    scale = np.abs(product).max()
    np.testing.assert_allclose(got, 2 * product, rtol=2e-5, atol=1e-5 * scale)


def _dense(kind: str, partitions: int, free: int, address: int) -> Access:
    return Access(Space.SBUF, by_name(kind).type, ((1, free),), 0, partitions, Expr(address))


def _tf32(access: Access, sbuf: Array, psum: Array) -> Array:
    return narrow(widen(gather(access, sbuf, psum)), access.element_type).astype(np.float64)


def test_tf32_inputs_are_rounded() -> None:
    """1 + 2^-12 stored as fp32 bits counts as 1 in a tf32 matmul; in an fp32 one it counts in full."""
    for kind, wanted in (("tfloat32", 1.0), ("float32", 1 + 2.0**-12)):
        sbuf, psum = (np.zeros((128, 2048), np.uint8) for _ in range(2))
        sbuf[0, :4].view(np.float32)[:] = 1 + 2.0**-12
        sbuf[0, 4:8].view(np.float32)[:] = 1
        stationary, moving = _dense(kind, 1, 1, 0), _dense(kind, 1, 1, 4)
        dst = Access(Space.PSUM, by_name("float32").type, ((1, 1),), 0, 1, Expr(0))
        load = ("load_stationary", {"stationary": stationary}, {})
        single("multiply_moving", Engine.TENSOR, {"dst": dst, "moving": moving}, {}, sbuf, psum, prelude=(load,))
        assert psum[0, :4].view(np.float32)[0] == wanted


def test_matmul_spreads_nan() -> None:
    sbuf, psum = (np.zeros((128, 2048), np.uint8) for _ in range(2))
    sbuf[:2, :8].view(np.float32)[:] = [[1, 2], [np.nan, 3]]
    stationary, moving = _dense("float32", 2, 1, 0), _dense("float32", 2, 2, 0)
    dst = Access(Space.PSUM, by_name("float32").type, ((1, 2),), 0, 1, Expr(0))
    load = ("load_stationary", {"stationary": stationary}, {})
    single("multiply_moving", Engine.TENSOR, {"dst": dst, "moving": moving}, {}, sbuf, psum, prelude=(load,))
    assert np.isnan(psum[0, :8].view(np.float32)).all()


def _matmul(prelude: tuple[Any, ...], accumulate: int = 0, n: int = 4) -> None:
    sbuf, psum = (np.zeros((128, 2048), np.uint8) for _ in range(2))
    dst = Access(Space.PSUM, by_name("float32").type, ((1, n),), 0, 8, Expr(0))
    operands = {"dst": dst, "moving": _dense("bfloat16", 16, n, 0)}
    fields = {"accumulate": ExprAttr(Expr(accumulate))}
    single("multiply_moving", Engine.TENSOR, operands, fields, sbuf, psum, prelude=prelude)


def test_matmul_reports() -> None:
    good = ("load_stationary", {"stationary": _dense("bfloat16", 16, 8, 0)}, {})
    _matmul((good,))
    with pytest.raises(ExecutionError, match="no stationary tile is loaded"):
        _matmul(())
    with pytest.raises(ExecutionError, match=r"loaded last is 32 x 8 \(K x M\); moving has 16 partitions and dst 8"):
        _matmul((("load_stationary", {"stationary": _dense("bfloat16", 32, 8, 0)}, {}),))
    with pytest.raises(ExecutionError, match="if one input is float32 or tfloat32 the other must be too"):
        _matmul((("load_stationary", {"stationary": _dense("float32", 16, 8, 0)}, {}),))
    with pytest.raises(ExecutionError, match="written last by another engine, not by a matmul"):
        _matmul((good,), accumulate=1)


@quick
@given(st.data(), layouts(), types, types, st.integers(0, 100), seeds)
def test_dma_copy(data: st.DataObject, at: Layout, to: str, source: str, start: int, seed: int) -> None:
    """Within SBUF, from any partition to any, shapes regrouped, types converted."""
    operands = {
        "src": _anywhere(at.full(source), data.draw(st.integers(0, 128 - at.partitions))),
        "dst": _anywhere(at.full(to, True), min(start, 128 - at.partitions)),
    }

    def expected(tiles: dict[str, Array]) -> dict[str, Array]:
        x = tiles["src"]
        return {"dst": x if to == source else narrow(widen(x), operands["dst"].element_type)}

    check("dma_copy", Engine.SCALAR, operands, {"queue": 3}, seed, expected)


def _anywhere(access: Access, start: int) -> Access:
    return Access(access.space, access.element_type, access.dims, start, access.partitions, access.address)


@pytest.mark.parametrize("kind", ANY)
def test_dma_regroups_partitions(kind: str) -> None:
    """Elements in row-major order of both patterns: 4 partitions of 6 become 8 of 3."""
    src, dst = _dense(kind, 4, 6, 0), _dense(kind, 8, 3, 512)
    sbuf, psum = images(7, (src,))
    wanted = sbuf.copy()
    scatter(dst, gather(src, sbuf, psum).reshape(8, 3), wanted, psum)
    single("dma_copy", Engine.GPSIMD, {"src": src, "dst": dst}, {"queue": 0}, sbuf, psum)
    np.testing.assert_array_equal(sbuf, wanted)
