"""The load of a region is what the executor keeps its resources busy for, whatever it makes them wait for."""

from __future__ import annotations

from collections import Counter

import pytest
from engine_programs import program
from kernel_set import compiled_kernels
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp

from nki_mlir import parse, pipeline
from nki_mlir.costs import instructions
from nki_mlir.costs.operations import HBM, WEIGHTS
from nki_mlir.costs.transfers import full_rate, traffic
from nki_mlir.dialects.instructions import Instance
from nki_mlir.dialects.neuron_isa import IsaInstruction
from nki_mlir.dialects.table_ops import TARGET, target_of
from nki_mlir.executor import RunResult, time_program
from nki_mlir.executor.recording import FREE, START, Unit
from nki_mlir.executor.usage import engine_ns
from nki_mlir.passes.region_costs import Costs, RegionLoad, load_of
from nki_mlir.targets import TARGETS, load

pytestmark = pytest.mark.usefixtures("warm")

KERNELS = {**compiled_kernels(small=True), **compiled_kernels()}


def load_of_module(module: ModuleOp) -> RegionLoad:
    (func,) = (op for op in module.body.block.ops if isinstance(op, FuncOp))
    return load_of(func.body, Costs(target_of(module)))


def kept(result: RunResult) -> dict[str, float]:
    """How long a run kept each resource but the ports, from its log."""
    target, found = result.recording.target, Counter[IsaInstruction]()
    work: dict[str, float] = {}
    for unit in result.recording.units:
        if unit.queue is None:
            for name, ns in engine_work(unit):
                work[name] = work.get(name, 0.0) + ns
        else:
            transfers = Counter(op for op in unit.what if isinstance(op, IsaInstruction))
            found += transfers
    work |= {f"dma engine {k}": ns for k, ns in enumerate(engine_ns(found, target))}
    return work | {HBM: sum(count * hbm_ns(op.instance()) for op, count in found.items())}


def hbm_ns(i: Instance) -> float:
    """A byte that is read and written moves twice."""
    moved = traffic(i)
    rate = full_rate(i.target, within=bool(moved.hbm_read and moved.hbm_written))
    return (moved.hbm_read + moved.hbm_written) / rate


def engine_work(unit: Unit) -> list[tuple[str, float]]:
    """Of each entry of an engine's log. The log has the first half of a load of fp32 weights; streams keep the array
    for a gap. Waits are no work of a region."""
    found: list[tuple[str, float]] = []
    for what, ns in zip(unit.what, (unit.columns()[FREE] - unit.columns()[START]).tolist(), strict=True):
        name = what.instruction.name if isinstance(what, IsaInstruction) else str(what)
        if name == "load_stationary":
            assert isinstance(what, IsaInstruction)
            found.append((WEIGHTS, ns * instructions.load(what.instance()).pairs))
        elif isinstance(what, IsaInstruction):
            gap = instructions.stream(what.instance()).gap if name == "multiply_moving" else 0.0
            found.append((unit.name, ns + gap))
        elif isinstance(what, str):
            found.append((unit.name, ns))
    return found


def check(module: ModuleOp) -> RunResult:
    """Of a module of `neuron.engine` with addresses: its load is what a run keeps busy."""
    region, result = load_of_module(module), time_program(pipeline("engine-to-isa")(module.clone()))
    without_ports = {name: ns for name, ns in region.work.items() if not name.endswith("port")}
    expected = {name: ns for name, ns in kept(result).items() if ns}
    assert without_ports == pytest.approx(expected)
    assert region.ns <= 1.001 * result.modelled_us * 1000
    return result


@pytest.mark.parametrize("name", KERNELS)
def test_kernels(name: str) -> None:
    compiled, _, _ = KERNELS[name]()
    profile = check(compiled.module("neuron.engine")).profile
    semaphore = load(compiled.target).control.event_semaphore_ns
    work = load_of_module(compiled.module("neuron.engine")).work
    for unit in profile.units:
        if unit.name in ("vector", "scalar", "gpsimd", "sync"):
            waits = unit.instructions.get("event_semaphore", 0) * semaphore
            assert unit.busy_us * 1000 == pytest.approx(work.get(unit.name, 0.0) + waits), unit.name


@pytest.mark.parametrize("seed", range(20))
def test_random_programs(seed: int) -> None:
    module = parse(program(seed).text)
    module.attributes[TARGET] = StringAttr(TARGETS[seed % len(TARGETS)])
    check(pipeline("multi-buffer,allocate")(module))


VIEW = "!neuron.engine.view<sbuf[0:128], [1 x 512], f32>"
PSUM = "!neuron.engine.view<psum[0:128], [1 x 512], f32>"


def function(body: str, arguments: str = "") -> ModuleOp:
    """A function over two buffers in SBUF and one in PSUM."""
    views = "\n".join(
        f"%{n}b = neuron.engine.alloc : !neuron.engine.buffer<{space}, 128 x 2048>\n"
        f"%{n} = neuron.engine.view %{n}b : !neuron.engine.buffer<{space}, 128 x 2048> -> {type_}"
        for n, space, type_ in (("a", "sbuf", VIEW), ("b", "sbuf", VIEW), ("p", "psum", PSUM))
    )
    constants = "\n".join(f"%c{n} = arith.constant {n} : index" for n in (0, 1, 3, 5))
    return parse(f"func.func @f({arguments}) {{\n{constants}\n{views}\n{body}\nfunc.return\n}}")


def apply(name: str) -> str:
    return f"neuron.engine.activation scalar op {name} reduce_cmd reset_reduce dst %b : {VIEW} data %a : {VIEW} scale %one : f32\n"


def fill(engine: str, name: str, type_: str = VIEW) -> str:
    return f"neuron.engine.memset {engine} value 1.0 dst %{name} : {type_}\n"


def repeated(times: str, body: str) -> str:
    return f"scf.for %i{times} = %c0 to %{times} step %c1 {{\n{body}}}\n"


FILL, SLOW_FILL, PSUM_FILL = (512 + 13) / 1.12, (512 + 64) / 1.4, (512 + 13) / 1.12
"""Nanoseconds of 512 elements on Vector and GpSimd of trn1."""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (fill("vector", "a"), {"vector": FILL, "sbuf port": FILL}),
        (fill("vector", "p", PSUM), {"vector": FILL, "psum port": FILL}),
        (
            fill("vector", "a") + fill("gpsimd", "b"),
            {"vector": FILL, "gpsimd": SLOW_FILL, "sbuf port": FILL + SLOW_FILL},
        ),
        (
            repeated("c3", fill("vector", "a") + repeated("c5", fill("vector", "b"))),
            {"vector": 18 * FILL, "sbuf port": 18 * FILL},
        ),
        (repeated("n", fill("vector", "a")), {"vector": FILL, "sbuf port": FILL}),
        (repeated("c0", fill("vector", "a")), {}),
        (
            f"scf.if %on {{\n{fill('vector', 'a')}}} else {{\n{fill('gpsimd', 'a')}{fill('gpsimd', 'a')}}}",
            {"vector": FILL, "gpsimd": 2 * SLOW_FILL, "sbuf port": 2 * SLOW_FILL},
        ),
        ("", {}),
    ],
)
def test_ports_loops_and_ways(body: str, expected: dict[str, float]) -> None:
    found = load_of_module(function(body, "%n : index, %on : i1"))
    assert found.work == pytest.approx(expected)
    assert found.ns == pytest.approx(max(expected.values(), default=0.0))
    assert found.busiest is None if not expected else found.work[found.busiest or ""] == found.ns


@pytest.mark.parametrize(
    ("body", "loads"),
    [
        (apply("square"), 0),
        (apply("exp") + apply("square") + apply("log"), 1),
        (apply("exp") + apply("sqrt"), 2),
        (repeated("c3", apply("exp")), 1),
        (repeated("c3", apply("exp") + apply("sqrt")), 6),
        (repeated("c3", apply("exp") + apply("sqrt") + apply("exp")), 7),
        (repeated("c3", repeated("c5", apply("exp")) + apply("tanh")) + apply("tanh"), 6),
        (repeated("c0", apply("exp")) + apply("tanh"), 1),
    ],
)
def test_function_tables(body: str, loads: int) -> None:
    """As many as the executor loads, which keeps the last one."""
    module = function("%one = arith.constant 1.0 : f32\n" + body)
    result = check(pipeline("allocate")(module))
    assert result.profile["scalar"].instructions.get("function_table_load", 0) == loads
