"""What must precede what, asked of `neuron.engine`: the edges that semaphores carry once there are streams."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from engine_programs import program
from kernel_set import compiled_kernels
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from nki_mlir import CompileError, parse, pipeline
from nki_mlir.analysis.dependences import Dependences, Edge
from nki_mlir.analysis.engine_order import dependences_of, steps_of_function
from nki_mlir.analysis.program_order import program_of
from nki_mlir.dialects.neuron_isa import ProgramOp

KERNELS = compiled_kernels(small=True)
Plain = list[tuple[int, int, int, tuple[int, ...]]]


def plain(edges: Iterable[Edge]) -> Plain:
    return [(e.earlier.order, e.later.order, e.distance, e.slots) for e in edges]


def of_engine(module: ModuleOp) -> Plain:
    (func,) = (op for op in module.body.block.ops if isinstance(op, FuncOp))
    return plain(dependences_of(func).edges)


def of_streams(module: ModuleOp) -> Plain:
    lowered = pipeline("emit-streams")(module.clone())
    (found,) = (op for op in lowered.body.block.ops if isinstance(op, ProgramOp))
    aliases = {t.sym.data: t.alias.value.data for t in found.tensors() if t.alias is not None}
    (core,) = found.cores()
    return plain(Dependences(program_of(core).steps, aliases).edges)


@pytest.mark.parametrize("name", KERNELS)
def test_kernels(name: str) -> None:
    module = KERNELS[name]()[0].module("neuron.engine")
    assert of_engine(module) == of_streams(module) != []


@pytest.mark.parametrize("seed", range(24))
def test_random_programs(seed: int) -> None:
    module = pipeline(f"multi-buffer{{depth={1 + seed % 3}}},allocate")(program(seed).module)
    assert of_engine(module) == of_streams(module) != []


VIEW = "!neuron.engine.view<sbuf[0:128], [1 x 64], f32>"
BUFFER = "!neuron.engine.buffer<sbuf, 128 x 512>"
HBM = "!neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>"


def function(
    body: str, arguments: str = "%x: memref<32768xf32>, %y: memref<32768xf32>", attributes: str = ""
) -> ModuleOp:
    constants = "\n".join(f"%c{n} = arith.constant {n} : index" for n in (0, 1, 4, 64, 8192))
    names = f'attributes {{tile.arg_names = ["x", "y"]{attributes}}}'
    return parse(f"func.func @f({arguments}) {names} {{\n{constants}\n{body}\nfunc.return\n}}")


def buffer(name: str, depth: int = 1) -> str:
    return f'%{name}b = neuron.engine.alloc "{name}" {{depth = {depth} : i64}} : {BUFFER}\n'


def view(name: str, of: str, at: str = "") -> str:
    return f"%{name} = neuron.engine.view %{of}b{at} : {BUFFER} -> {VIEW}\n"


def fill(engine: str, name: str) -> str:
    return f"neuron.engine.memset {engine} value 1.0 dst %{name} : {VIEW}\n"


def copy(dst: str, src: str) -> str:
    return f"neuron.engine.tensor_copy vector dst %{dst} : {VIEW} src %{src} : {VIEW}\n"


def load(name: str, at: str = "%c0", tensor: str = "x") -> str:
    return (
        f"%{name}h = neuron.engine.view %{tensor} at {at} : memref<32768xf32> -> {HBM}\n"
        f"neuron.engine.dma_copy sync queue 0 dst %{name} : {VIEW} src %{name}h : {HBM}\n"
    )


def store(name: str, at: str = "%c0", tensor: str = "y") -> str:
    return (
        f"%{name}o = neuron.engine.view %{tensor} at {at} : memref<32768xf32> -> {HBM}\n"
        f"neuron.engine.dma_copy sync queue 0 dst %{name}o : {HBM} src %{name} : {VIEW}\n"
    )


def repeated(body: str) -> str:
    return f"scf.for %i = %c0 to %c4 step %c1 {{\n%at = arith.muli %i, %c8192 : index\n{body}}}\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # Buffers lie apart until they have addresses; the views of one lie where their offsets say.
        (buffer("a") + buffer("b") + view("a", "a") + view("b", "b") + fill("vector", "a") + fill("gpsimd", "b"), []),
        (
            buffer("a") + view("a", "a") + view("b", "a", " at %c64") + fill("vector", "a") + fill("gpsimd", "b"),
            [],
        ),
        (
            buffer("a") + view("a", "a") + view("b", "a", " at %c1") + fill("vector", "a") + fill("gpsimd", "b"),
            [(0, 1, 0, (0,))],
        ),
        # One slot is loaded again when the last iteration has stored it, two when the one before has.
        (
            repeated(buffer("a") + view("a", "a") + load("a", "%at") + store("a", "%at")),
            [(1, 0, 1, (0,)), (0, 1, 0, (0,))],
        ),
        (
            repeated(buffer("a", 2) + view("a", "a") + load("a", "%at") + store("a", "%at")),
            [(1, 0, 2, (0,)), (0, 1, 0, (0,))],
        ),
        # In HBM: what is read after it was written, at the same offset or at another.
        (buffer("a") + view("a", "a") + store("a", "%c0", "x") + load("a", "%c0", "x"), [(0, 1, 0, (0,))]),
        (
            buffer("a") + buffer("b") + view("a", "a") + view("b", "b") + store("a", "%c0", "x") + load("b", "%c8192"),
            [],
        ),
    ],
)
def test_before_addresses(body: str, expected: Plain) -> None:
    assert sorted(of_engine(function(body))) == sorted(expected)


def test_addresses_that_are_shared() -> None:
    """Buffers that don't live together may share bytes after allocate: who writes the second waits for the first."""
    body = buffer("a") + view("a", "a") + fill("vector", "a") + buffer("b") + view("b", "b") + fill("gpsimd", "b")
    assert of_engine(function(body)) == []
    assert of_engine(function(body.replace("{depth", "at 0 {depth"))) == [(0, 1, 0, (0,))]


def test_arguments_that_may_be_one() -> None:
    body = buffer("a") + buffer("b") + view("a", "a") + view("b", "b") + store("a") + load("b", "%c8192")
    assert of_engine(function(body)) == []
    assert of_engine(function(body, attributes=", tile.aliases = array<i64: 0, 0>")) == [(0, 1, 0, (0,))]


def test_an_offset_that_is_known_at_run_time() -> None:
    """It may be anywhere in the buffer, or the tensor."""
    unknown = '%n = "test.op"() : () -> index\n'
    body = buffer("a") + view("a", "a") + unknown + view("b", "a", " at %n") + fill("vector", "a") + fill("gpsimd", "b")
    assert of_engine(function(body)) == [(0, 1, 0, (0,))]
    body = buffer("a") + buffer("b") + view("a", "a") + view("b", "b") + unknown + store("a", "%n", "x") + load("b")
    assert of_engine(function(body)) == [(0, 1, 0, (0,))]


def test_a_matmul_is_two_steps() -> None:
    (func,) = KERNELS["matmul, 200 x 136 x 72, blocks 64 x 64 x 32"]()[0].module("neuron.engine").body.block.ops
    assert isinstance(func, FuncOp)
    steps = steps_of_function(func)
    loads = {(step.op, step.order + 1, step.spans) for step in steps if step.name == "load_stationary"}
    products = {(step.op, step.order, step.spans) for step in steps if step.is_matmul}
    assert len(loads) > 1 and loads == products, "a limit cuts both alike"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("scf.for %i = %c0 to %n step %c1 {\n}", "order is known of loops with constant bounds"),
        ("scf.if %on {\n}", "scf.if is control flow whose order is not known"),
        (
            f'%b = "test.op"() : () -> {BUFFER}\n%v = neuron.engine.view %b : {BUFFER} -> {VIEW}\n'
            + fill("vector", "v"),
            "a view names an argument of the kernel or an allocation",
        ),
    ],
)
def test_what_has_no_order(body: str, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        of_engine(function(body, "%n: index, %on: i1"))
