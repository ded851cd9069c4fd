"""The order in which instructions are listed: by what engines need soonest, and by the banks of PSUM that there are."""

from __future__ import annotations

import pytest
from xdsl.dialects.builtin import ModuleOp

from nki_mlir.analysis.lifetimes import lifetimes
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_engine import AllocOp
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.parsing import parse
from nki_mlir.passes.allocate import fits
from nki_mlir.passes.engine_nodes import Node, nodes_of, runs
from nki_mlir.passes.level_pass import functions
from nki_mlir.passes.list_schedule import Machine
from nki_mlir.passes.pipelines import pipeline
from nki_mlir.passes.region_costs import Costs

_ROW, _BANK = "!neuron.engine.buffer<sbuf, 128 x 2048>", "!neuron.engine.buffer<psum, 128 x 2048>"
_TILE = "!neuron.engine.view<sbuf[0:128], [1 x 512], f32>"
_HALF = "!neuron.engine.view<sbuf[0:128], [1 x 512], bf16>"
_LEFT = "!neuron.engine.view<sbuf[0:128], [1 x 128], bf16>"
_ONE = "!neuron.engine.view<sbuf[0:128], [1 x 1], f32>"
_SUM = "!neuron.engine.view<psum[0:128], [1 x 512], f32>"
_THERE = "!neuron.engine.view<hbm, [512 x 128, 1 x 512], f32>"


def _tile(name: str, type_: str = _TILE, buffer: str = _ROW) -> str:
    return f"""
  %b_{name} = neuron.engine.alloc "{name}" : {buffer}
  %{name} = neuron.engine.view %b_{name} : {buffer} -> {type_}"""


def _module(body: str, arguments: str = "") -> ModuleOp:
    return parse(f"func.func @f({arguments}) {{\n  %go = arith.constant 1 : index\n{body}\n  func.return\n}}")


def _nodes(module: ModuleOp) -> list[Node]:
    func = next(iter(functions(module)))
    return nodes_of(max(runs(func.body.block), key=len), Costs(target_of(module)))


def test_transfers_of_one_engine_are_only_started_in_order() -> None:
    loads = "".join(
        f"""{_tile(f"t{n}")}
  %h{n} = neuron.engine.view %x{n} : memref<65536xf32> -> {_THERE}
  neuron.engine.dma_copy sync queue 0 dst %t{n} : {_TILE} src %h{n} : {_THERE}"""
        for n in range(2)
    )
    first, second = _nodes(_module(loads, "%x0: memref<65536xf32>, %x1: memref<65536xf32>"))
    assert second.before == {first: False}
    assert second.latest == -second.latency
    assert second.latest - first.latency < first.latest <= second.latest - first.busy


def test_what_an_engine_does_before_another_thing_has_to_start_earlier() -> None:
    body = _tile("a") + f"\n  neuron.engine.memset vector value 1.0 : f32 dst %a : {_TILE}"
    for n in range(3):
        body += f"""{_tile(f"y{n}")}
  neuron.engine.activation scalar op exp dst %y{n} : {_TILE} data %a : {_TILE}"""
    start, *three = _nodes(_module(body))
    latest = [node.latest for node in three]
    assert latest == pytest.approx([-three[0].latency - n * three[0].busy for n in (2, 1, 0)])
    assert start.latest == pytest.approx(three[0].latest - start.latency)


def _sums(products: int, sums: int) -> str:
    """Products with a copy of each, and sums over all copies, which wait for them."""
    begin = f"""{_tile("w", _LEFT)}{_tile("x", _HALF)}
  neuron.engine.memset vector value 1.0 : f32 dst %w : {_LEFT}
  neuron.engine.memset vector value 1.0 : f32 dst %x : {_HALF}"""
    firsts, seconds = "", ""
    for n in range(products):
        firsts += f"""{_tile(f"p{n}", _SUM, _BANK)}
  neuron.engine.nc_matmul tensor dst %p{n} : {_SUM} stationary %w : {_LEFT} moving %x : {_HALF}{_tile(f"c{n}", _HALF)}
  neuron.engine.activation scalar op copy dst %c{n} : {_HALF} data %p{n} : {_SUM}"""
    for n in range(sums):
        seconds += _tile(f"s{n}", _SUM, _BANK)
        for k in range(products):
            accumulates = "accumulate %go " if k else ""
            seconds += f"""
  neuron.engine.nc_matmul tensor {accumulates}dst %s{n} : {_SUM} stationary %w : {_LEFT} moving %c{k} : {_HALF}"""
        seconds += f"""{_tile(f"o{n}", _HALF)}
  neuron.engine.activation scalar op copy dst %o{n} : {_HALF} data %s{n} : {_SUM}"""
    return begin + firsts + seconds


@pytest.mark.parametrize("banks", [1, 3, 5])
def test_sums_that_wait_leave_banks_free(banks: int) -> None:
    module = _module(_sums(12, 10))
    steps, memory = _nodes(module), target_of(module).memory
    room = {Space.PSUM: memory.psum_banks * memory.psum_bank_bytes, Space.SBUF: memory.sbuf_usable_bytes}
    order = Machine(target_of(module)).listed(steps, room, 1000, banks)
    assert sorted(step.number for step in order) == list(range(len(steps)))
    last = {buffer: n for n, step in enumerate(order) for buffer in step.buffers if buffer.buffer.space is Space.PSUM}
    made = max(n for buffer, n in last.items() if _label(buffer).startswith("p"))
    alive, most, most_sums = set[AllocOp](), 0, 0
    for n, step in enumerate(order):
        alive |= {buffer for buffer in step.buffers if buffer in last}
        most = max(most, len(alive))
        if n < made:
            most_sums = max(most_sums, sum(_label(buffer).startswith("s") for buffer in alive))
        alive -= {buffer for buffer in alive if last[buffer] == n}
    assert most <= memory.psum_banks
    assert 0 < most_sums <= memory.psum_banks - banks


def _label(buffer: AllocOp) -> str:
    return "" if buffer.label is None else buffer.label.data


def test_what_is_put_in_order_finds_its_banks() -> None:
    """Products of two banks among those of one: where a bank is free between two that are not, none of two fits."""
    wide, columns = "!neuron.engine.buffer<psum, 128 x 4096>", "!neuron.engine.view<psum[0:128], [1 x 1024], f32>"
    body = _sums(12, 3)
    for n in range(8):
        body += _tile(f"t{n}", columns, wide)
        for half in (0, 1):
            body += f"""
  %at{n}{half} = arith.constant {512 * half} : index
  %h{n}{half} = neuron.engine.view %b_t{n} at %at{n}{half} : {wide} -> {_SUM}
  neuron.engine.nc_matmul tensor dst %h{n}{half} : {_SUM} stationary %w : {_LEFT} moving %x : {_HALF}"""
        body += f"""{_tile(f"m{n}", _ONE)}
  neuron.engine.tensor_reduce vector op maximum axes 1 dst %m{n} : {_ONE} data %t{n} : {columns}"""
    module = pipeline("schedule")(_module(body))
    before = Machine(target_of(module)).time(_nodes(_module(body)))
    assert Machine(target_of(module)).time(_nodes(module)) < before
    assert fits(lifetimes(next(iter(functions(module)))), target_of(module))
