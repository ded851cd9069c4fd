"""The target tables: they load, say what the documents say, and name a source for every number."""

import ast
import math
import re
from importlib import resources
from pathlib import Path

import pytest

import nki_mlir
from nki_mlir.dialects.instructions import BY_NAME
from nki_mlir.targets import ENGINES, PREDICATES, SOURCES, TARGETS, load
from nki_mlir.targets.evidence import changed, disagreed, ends, evidence, using, value, without

KIB = 1024
GIB = 1024**3

# The table of docs/hardware.md#cores, which tests/test_docs.py compares with the targets.
SIZES = {
    "trn1": dict(core="v2", cores=2, sbuf=192 * KIB, usable=180_224, hbm=32 * GIB, wire=20.2, achieved=17),
    "trn2": dict(core="v3", cores=8, sbuf=224 * KIB, usable=212_464, hbm=96 * GIB, wire=27.2, achieved=26.35),
    "inf2": dict(core="v2", cores=2, sbuf=192 * KIB, usable=180_224, hbm=32 * GIB, wire=20.2, achieved=17),
    "trn3": dict(core="v4", cores=8, sbuf=256 * KIB, usable=245_232, hbm=144 * GIB, wire=38.4, achieved=33),
}
CLOCKS = {
    "trn1": dict(tensor=2.8, vector=1.12, scalar=1.4, gpsimd=1.4, sync=1.4),
    "trn2": dict(tensor=2.4, vector=0.96, scalar=1.2, gpsimd=1.2, sync=1.2),
    "inf2": dict(tensor=2.8, vector=1.12, scalar=1.4, gpsimd=1.4, sync=1.4),
    "trn3": dict(tensor=2.4, vector=1.2, scalar=1.2, gpsimd=1.2, sync=1.2),
}
FACT = re.compile(r"(?P<status>documented|measured|derived|assumed)(?: \[(?P<tag>[\w.-]+)\])?(?P<note>: \S.*)?$")


def _text(name: str) -> str:
    return resources.files("nki_mlir.targets").joinpath(f"{name}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TARGETS)
def test_sizes(name: str) -> None:
    target, expected = load(name), SIZES[name]
    memory = target.memory
    assert (target.name, target.core, target.cores_per_chip) == (name, expected["core"], expected["cores"])
    assert (memory.sbuf_bytes, memory.sbuf_usable_bytes) == (expected["sbuf"], expected["usable"])
    assert (memory.partitions, memory.psum_bytes, memory.psum_banks) == (128, 16 * KIB, 8)
    assert memory.psum_bank_bytes == 4 * target.limits.moving_free
    assert memory.hbm_bytes == expected["hbm"]
    assert dict(target.clock_ghz) == CLOCKS[name]
    assert target.dma.wire_bytes_per_ns == expected["wire"]


@pytest.mark.parametrize("name", TARGETS)
def test_limits(name: str) -> None:
    limits = load(name).limits
    assert (limits.stationary_free, limits.moving_free, limits.partitions) == (128, 512, 128)
    assert (limits.sbuf_free_elements, limits.psum_free_elements, limits.free_dims) == (65536, 4096, 4)
    assert (limits.step_min, limits.step_max, limits.count_max) == (-(2**15), 2**15 - 1, 2**16 - 1)
    assert (limits.dma_dims, limits.semaphores, limits.registers) == (4, 256, 64)


@pytest.mark.parametrize("name", TARGETS)
def test_full_packets_reach_the_published_rate(name: str) -> None:
    dma = load(name).dma
    rate = dma.packet_bytes / (dma.packet_bytes / dma.wire_bytes_per_ns + dma.packet_overhead_ns)
    assert rate * dma.sustained_factor == pytest.approx(SIZES[name]["achieved"], rel=0.03)


@pytest.mark.parametrize("name", TARGETS)
def test_matmul_time_of_a_pe_bound_kernel(name: str) -> None:
    """17.18 GFLOP of bf16 take 218.5 us on trn2's clock; the others follow from theirs."""
    target = load(name)
    columns = 2048**3 // (128 * 128)
    ideal_us = columns * target.matmul.passes["bf16"] / target.clock_ghz["tensor"] / 1000
    assert ideal_us == pytest.approx(218.5 * 2.4 / CLOCKS[name]["tensor"], rel=0.001)


def test_features() -> None:
    """What a core can do, later ones can too."""
    trn1, trn2, trn3 = (vars(load(name).features) for name in TARGETS[:3])
    later = {name for name in trn1 if not trn2[name]}
    assert later == {"bfloat16_sums", "absolute_extrema", "vector_xorwow", "transfer_priorities"}
    assert not any(trn1.values()) and all(trn3.values())


def test_rules_ask_for_features() -> None:
    """Nothing compares the name of a target's core with a text: what a core can do has a name of its own."""
    package = Path(nki_mlir.__file__).parent
    found = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and any(isinstance(side, ast.Constant) and side.value in ("v2", "v3", "v4") for side in ast.walk(node))
    ]
    assert found == []


@pytest.mark.parametrize("name", [*TARGETS, "costs"])
def test_every_number_names_its_source(name: str) -> None:
    for number, line in enumerate(_text(name).splitlines(), 1):
        code, _, comment = line.partition(" # ")
        if "=" not in code or code.startswith(("#", "name", "core ", "base")) or code.rstrip() == "cases = [":
            continue
        fact = FACT.match(comment)
        assert fact, f"{name}.toml:{number}: no source: {line}"
        assert fact["status"] == "assumed" or fact["tag"], f"{name}.toml:{number}: no source tag: {line}"
        assert fact["status"] != "assumed" or fact["note"], f"{name}.toml:{number}: assumed without a reason: {line}"
        assert fact["tag"] is None or fact["tag"] in SOURCES, f"{name}.toml:{number}: unknown tag {fact['tag']}"


def test_every_source_is_used() -> None:
    text = "".join(_text(name) for name in (*TARGETS, "costs"))
    assert [tag for tag in SOURCES if f"[{tag}]" not in text] == []


@pytest.mark.parametrize("name", TARGETS)
def test_costs(name: str) -> None:
    target = load(name)
    for instruction, cases in target.costs.items():
        assert cases[-1].when is None, f"{instruction}: no case that always holds"
        for case in cases:
            assert case.engine is None or case.engine in ENGINES
            assert case.when is None or case.when in PREDICATES
            names = {node.id for node in ast.walk(ast.parse(case.cycles)) if isinstance(node, ast.Name)}
            fields = {f.name: 8 for f in BY_NAME[instruction].fields if f.kind == "integer"}
            known = {"N": 512, "P": 128, "F": 512, "B": 4, "D": 512, "R": 1, "START": 150} | fields
            assert names <= {*known, "max", "min", "ceil"}, case.cycles
            assert eval(case.cycles, {"ceil": math.ceil}, known) > 0


def test_every_predicate_is_used() -> None:
    used = {case.when for name in TARGETS for cases in load(name).costs.values() for case in cases}
    assert used - {None} == set(PREDICATES)


@pytest.mark.parametrize("name", TARGETS)
def test_functions_belong_to_one_set(name: str) -> None:
    activation = load(name).activation
    functions = [function for members in activation.sets.values() for function in members]
    assert len(functions) == len(set(functions)) == 26
    assert activation.set_of("copy") == "any"
    assert activation.set_of("exp") == activation.set_of("log") != activation.set_of("tanh")
    assert activation.set_of("no_such_function") is None


SECTIONS = re.compile(r"\[((?:engine\.\w+)|control|matmul|dma)\]$")


def _read_off(name: str) -> dict[str, str]:
    """Constants of time that a target's file calls measured or derived."""
    found, section = {}, None
    for line in _text(name).splitlines():
        if line.startswith("["):
            section = match[1] if (match := SECTIONS.match(line)) else None
        key, _, rest = line.partition(" = ")
        if section is not None and re.search(r" # (measured|derived) ", rest):
            found[f"{section}.{key}"] = rest
    return found


@pytest.mark.parametrize("name", TARGETS)
def test_evidence(name: str) -> None:
    """What was read off a device has estimates, between which it lies, of known sources."""
    target, found = load(name), evidence(name)
    assert [constant for constant in _read_off(name) if constant not in found] == []
    for constant, estimates in found.items():
        assert {one.source for one in estimates} <= set(SOURCES), constant
    for constant in _read_off(name):
        values = [one.value for one in found[constant]]
        assert min(values) <= value(target, constant) <= max(values) or len(values) == 1, constant
        assert len(values) > 1 or value(target, constant) == pytest.approx(values[0], rel=0.05), constant


def test_few_constants_rest_on_kernels_only() -> None:
    found = [c for name in TARGETS for c, estimates in evidence(name).items() if all(e.kernel_only for e in estimates)]
    assert found == []
    marked = [line for name in TARGETS for line in _text(name).splitlines() if "kernel-only" in line]
    assert len(marked) == 2  # three inputs, on trn2 and trn3


@pytest.mark.parametrize("name", TARGETS)
def test_ends_of_a_range(name: str) -> None:
    target = load(name)
    fast, slow = ends(target)
    assert fast.name == slow.name == name
    for constant, (quick, late) in disagreed(target).items():
        assert (value(fast, constant), value(slow, constant)) == (quick, late)
        assert min(quick, late) <= value(target, constant) <= max(quick, late)
    assert fast.dma.sustained_factor >= target.dma.sustained_factor >= slow.dma.sustained_factor
    assert fast.dma.start_ns <= target.dma.start_ns <= slow.dma.start_ns


def test_other_constants_for_a_time() -> None:
    other = changed(load("trn2"), {"dma.start_ns": 1.0, "engine.vector.latency_ns": 2.0})
    with using(other):
        assert load("trn2") is other and load("trn1") is not other
    assert (load("trn2").dma.start_ns, other.engine["vector"].latency_ns) == (750, 2)
    assert other.engine["scalar"] == load("trn2").engine["scalar"]


def test_leaving_a_source_out() -> None:
    """The mean of the others; a constant that has no other estimate stays."""
    found = without("trn2", frozenset({"traces-25"}))
    assert found["dma.packet_overhead_ns"] == 2 and found["dma.semaphore_ns"] == 31
    assert "matmul.odd_row_cycles" not in found and "engine.scalar.bubble_cycles" not in found


def test_unknown_instruction() -> None:
    with pytest.raises(ValueError, match=r"trn1 has no cost for 'fma'; it has activate2, "):
        load("trn1").cost("fma")


def test_unknown_target() -> None:
    with pytest.raises(ValueError, match="unknown target 'trn9'; known targets are trn1, trn2, trn3, inf2"):
        load("trn9")


def test_one_object_per_target() -> None:
    assert load("trn2") is load("trn2")
    assert len({load(name) for name in TARGETS}) == len(TARGETS)
