"""The instruction table is complete: every instruction of the machine has assembly, legality, meaning, cost and samples
that hold on the cores that have it, or a stated reason why the model leaves it out."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from io import StringIO
from pathlib import Path

import pytest
import samples
from instruction_list import CORES, FUNCTIONS, OPERATORS
from sample_programs import arrays, engine_module, isa_module, run_time_offsets
from samples import Sample
from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

import nki_mlir
from nki_mlir import execute, parse, pipeline
from nki_mlir.costs.instructions import has_cost
from nki_mlir.dialects import alu
from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.alu import Alu, Function
from nki_mlir.dialects.instructions import BY_NAME, INSTRUCTIONS, NOT_MODELLED, Instruction
from nki_mlir.dialects.neuron_isa import IsaInstruction, NeuronIsa
from nki_mlir.executor.meaning import MEANING
from nki_mlir.targets import TARGETS, load

ISA, ENGINE = "neuron.isa", "neuron.engine"

CONTROL = {op.name.removeprefix(f"{ISA}.") for op in NeuronIsa.operations if not issubclass(op, IsaInstruction)}
"""Operations of a sequencer and of a program's structure."""


GROUPS = sorted(module.name for module in pkgutil.iter_modules(samples.__path__))
SAMPLES: list[Sample] = [s for group in GROUPS for s in importlib.import_module(f"samples.{group}").SAMPLES]


def label(sample: Sample) -> str:
    return f"{sample.name}-{sample.engine}"


every_instruction = pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda i: i.name)
every_target = pytest.mark.parametrize("target", TARGETS)
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=label)


# The list.


@pytest.mark.parametrize("name", CORES)
def test_every_instruction_of_the_machine_is_accounted_for(name: str) -> None:
    found = [name in place for place in (BY_NAME, CONTROL, NOT_MODELLED)]
    assert found.count(True) == 1, f"{name}: in table, control, left out: {found}"


def test_nothing_is_accounted_for_that_the_machine_lacks() -> None:
    assert BY_NAME.keys() <= CORES.keys()
    assert NOT_MODELLED.keys() <= CORES.keys()
    assert len(BY_NAME) == len(INSTRUCTIONS)


@pytest.mark.parametrize("name", NOT_MODELLED)
def test_what_is_left_out_has_a_reason(name: str) -> None:
    assert len(NOT_MODELLED[name].split()) > 3


@every_instruction
def test_cores(instruction: Instruction) -> None:
    assert instruction.cores == CORES[instruction.name]


@every_instruction
def test_meaning_and_cost(instruction: Instruction) -> None:
    if ISA in instruction.levels:
        assert instruction.name in MEANING
        assert all(has_cost(instruction.name, target) for target in map(load, TARGETS))


@every_instruction
def test_samples_cover_engines_operands_and_fields(instruction: Instruction) -> None:
    """Some sample on each engine, with each operand (as a constant too, where it may be one), with each field."""
    found = [s for s in SAMPLES if s.name == instruction.name]
    assert {s.engine for s in found} >= set(instruction.engines), "an engine has no sample"
    for operand in instruction.operands:
        given = [s.operands[operand.name] for s in found if operand.name in s.operands]
        assert any(isinstance(g, Access) for g in given), f"{operand.name} is in no sample"
        assert not operand.constant or any(isinstance(g, float) for g in given), f"{operand.name} is never a constant"
    for field in instruction.fields:
        assert any(s.fields.get(field.name) for s in found), f"{field.name} is in no sample"


def test_operators_and_functions() -> None:
    """`reciprocal` is an instruction on Vector and a function on Scalar, no operator of another instruction."""
    assert set(Alu) == OPERATORS.keys() - {"reciprocal"}
    assert set(Function) == FUNCTIONS
    assert alu.BITWISE == {name for name, o in OPERATORS.items() if o.kind == "bitwise"}
    assert alu.COMPARISONS == {name for name, o in OPERATORS.items() if o.kind == "comparison"}
    assert alu.REDUCING | alu.PARTITION_REDUCING == {name for name, o in OPERATORS.items() if o.reduces}
    assert alu.GPSIMD_ONLY == {name for name, o in OPERATORS.items() if "vector" not in o.engines}
    assert alu.ABSOLUTE_EXTREMA == {name for name, o in OPERATORS.items() if o.cores == ("v4",)}


# The samples.


def _module(sample: Sample, level: str, target: str) -> ModuleOp:
    return (isa_module if level == ISA else engine_module)(sample, target)


def _runs_on(sample: Sample, target: str) -> bool:
    return load(target).core >= load(sample.target).core


@every_sample
@every_target
def test_legality(sample: Sample, target: str) -> None:
    """Legal from its first target on; before, the error names the core that has it."""
    for level in BY_NAME[sample.name].levels:
        module = _module(sample, level, target)
        if _runs_on(sample, target):
            module.verify()
            continue
        with pytest.raises(VerifyException) as error:
            module.verify()
        names = "|".join(s.name for s in (*sample.before, sample))
        assert re.search(rf"({names}): .*NeuronCore-{load(sample.target).core}\b", str(error.value))


@every_instruction
def test_properties(instruction: Instruction) -> None:
    """What of the program other parts than the table ask for: what it becomes, and who works on it."""
    assert (ISA in instruction.levels) != bool(instruction.expands_to)
    assert all(BY_NAME[name].levels == (ISA,) for name in instruction.expands_to)
    assert instruction.is_transfer == (instruction.name in ("dma_copy", "dma_transpose", "dma_compute", "sendrecv"))
    assert instruction.array is None or Engine.TENSOR in instruction.engines
    assert instruction.array is not None or ISA not in instruction.levels or instruction.engines != (Engine.TENSOR,)


def test_nothing_but_the_table_goes_by_names() -> None:
    """Outside of the table and of what stands beside it by name, no condition compares the name of an instruction."""
    package, by_name = Path(nki_mlir.__file__).parent, ("dialects/instructions", "executor/meaning")
    found = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in sorted(package.rglob("*.py"))
        if not path.relative_to(package).as_posix().startswith(by_name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and any(isinstance(side, ast.Constant) and side.value in BY_NAME for side in node.comparators)
    ]
    assert found == []


@every_instruction
def test_some_sample_is_legal_on_the_first_core(instruction: Instruction) -> None:
    first = min(load(s.target).core for s in SAMPLES if s.name == instruction.name)
    assert first == CORES[instruction.name][0]


@every_sample
def test_round_trip(sample: Sample) -> None:
    for level in BY_NAME[sample.name].levels:
        module = _module(sample, level, sample.target)
        custom, generic = str(module), StringIO()
        Printer(generic, print_generic_format=True).print_op(module)
        assert f"{level}.{sample.name} " in custom
        assert str(parse(custom)) == custom
        assert str(parse(generic.getvalue())) == custom


@every_sample
@every_target
def test_execution(sample: Sample, target: str) -> None:
    """Runs and takes time on every target that has it; from buffers and views too, unless an address is in a register:
    what the lowering can place."""
    levels = [ENGINE] * (ENGINE in BY_NAME[sample.name].levels and not run_time_offsets(sample))
    for level in [*levels, *[ISA] * (ISA in BY_NAME[sample.name].levels)] * _runs_on(sample, target):
        module = _module(sample, level, target)
        if level == ENGINE:
            module = pipeline("allocate,engine-to-isa")(module)
        result = execute(module, arrays(sample))
        names = BY_NAME[sample.name].expands_to or (sample.name,)
        taken = [s for s in result.timeline if s.name in names and not s.unit.startswith("dma")]
        assert {s.name for s in taken} == set(names)
        assert all(s.end_ns > s.start_ns for s in taken)
