"""What an instruction is, and the rules that one occurrence of it must keep, written over plain accesses: both machine
levels are checked by them. Their sources are in docs/hardware.md; a `Rule` returns what is wrong, or None."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from xdsl.ir import Attribute

from nki_mlir.dialects.access import WHOLE, Access, Comb, Engine, Space
from nki_mlir.dialects.alu import (
    ABSOLUTE_EXTREMA,
    BITWISE,
    GPSIMD_ONLY,
    GPSIMD_TENSOR_TENSOR,
    PARTITION_REDUCING,
    SCALAR_ENGINE_PAIRS,
    UNARY,
    Alu,
)
from nki_mlir.dialects.dtypes import DTYPES, by_name, dtype
from nki_mlir.targets import Target

FLOATS = frozenset(
    by_name(n).type
    for n in ("float8_e4m3", "float8_e4m3fn", "float8_e5m2", "float16", "bfloat16", "tfloat32", "float32")
)
INTEGERS = frozenset(by_name(n).type for n in ("uint8", "int8", "uint16", "int16", "uint32", "int32"))
UNSIGNED = frozenset(by_name(n).type for n in ("uint8", "uint16", "uint32"))
ANY = FLOATS | INTEGERS
PACKED = frozenset(d.type for d in DTYPES if d.kind == "packed")
STORED = ANY | PACKED | {by_name("float8_e8m0fnu").type}
"""What copies and transfers move: the numbers, and what only MX instructions make sense of."""
MOVED_ONLY = STORED - ANY
F32 = frozenset([by_name("float32").type])
WIDE_MATMUL = frozenset(by_name(n).type for n in ("float32", "tfloat32"))

ON_CHIP = frozenset((Space.SBUF, Space.PSUM))
SBUF = frozenset((Space.SBUF,))
PSUM = frozenset((Space.PSUM,))
DMA_SPACES = frozenset((Space.SBUF, Space.HBM))


@dataclass(frozen=True)
class Operand:
    """A tensor operand. `shape` says how it relates to the instruction: `full` operands have equal partitions and
    equal elements per partition; `column` has one element on each of the same partitions, or is an fp32 constant where
    `constant` allows it; `own` is checked by the instruction's rules alone. Elements of a `partial` destination may
    keep their values. Of the partitions that the operand spans, only those of `comb` are read or written."""

    name: str
    role: str
    spaces: frozenset[Space] = ON_CHIP
    dtypes: frozenset[Attribute] = ANY
    shape: str = "full"
    optional: bool = False
    constant: bool = False
    comb: Comb = WHOLE
    partial: bool = False

    @cached_property
    def dtype_names(self) -> frozenset[str]:
        """Those of its element types. The types of floats all have one hash, so that a set of them is slow."""
        return frozenset(dtype(t).name for t in self.dtypes)

    def of(self, dtypes: frozenset[Attribute] | None = None, shape: str | None = None) -> Operand:
        """The same operand with other element types, or of another shape."""
        return replace(self, dtypes=self.dtypes if dtypes is None else dtypes, shape=shape or self.shape)


@dataclass(frozen=True)
class Field:
    """An attribute of an instruction: `kind` is alu, function, command, choice, integer, integers, number, numbers,
    flag, or expr: an integer that may vary with the loops, true where it is not zero. `choices` are the values that it
    may have, where the kind has more."""

    name: str
    kind: str
    optional: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Instance:
    """One occurrence of an instruction, as the rules see it: on either level, with constants as floats."""

    instruction: Instruction
    engine: Engine
    operands: Mapping[str, Access | float]
    fields: Mapping[str, object]
    target: Target

    def access(self, name: str) -> Access | None:
        found = self.operands.get(name)
        return found if isinstance(found, Access) else None

    def accesses(self) -> Sequence[tuple[Operand, Access]]:
        return self._accesses

    @cached_property
    def _accesses(self) -> Sequence[tuple[Operand, Access]]:
        found = [(operand, self.operands.get(operand.name)) for operand in self.instruction.operands]
        return [(operand, access) for operand, access in found if isinstance(access, Access)]

    def alus(self) -> Iterator[Alu]:
        for f in self.instruction.fields:
            if f.kind == "alu" and isinstance(value := self.fields.get(f.name), Alu):
                yield value


Rule = Callable[[Instance], str | None]


@dataclass(frozen=True)
class Instruction:
    """A machine instruction. `engines[0]` is the default; `since` names the first core on which an engine has it, where
    that is not the first of `cores`. `levels` names the dialects that have it: a matmul is one operation of
    `neuron.engine` and two of `neuron.isa`, those that it `expands_to`. `transfer` is what the DMA engines do with its
    data, of those that they carry out; `array` what it does with the array of the Tensor engine, where it runs on that.
    One that `reduces_partitions` has operators that no other has; one that is `random` reads or sets the generators
    of its engine; one that `clears` writes a constant, which some GpSimd may do in PSUM."""

    name: str
    doc: str
    engines: tuple[Engine, ...]
    operands: tuple[Operand, ...]
    fields: tuple[Field, ...] = ()
    rules: tuple[Rule, ...] = ()
    cores: tuple[str, ...] = ("v2", "v3", "v4")
    levels: tuple[str, ...] = field(default=("neuron.engine", "neuron.isa"))
    since: Mapping[Engine, str] = field(default_factory=dict)
    expands_to: tuple[str, ...] = ()
    transfer: Literal["copy", "transpose", "sum", "exchange"] | None = None
    array: Literal["load", "multiply", "transpose"] | None = None
    reduces_partitions: bool = False
    random: bool = False
    clears: bool = False

    def operand(self, name: str) -> Operand:
        return next(o for o in self.operands if o.name == name)

    @cached_property
    def values(self) -> tuple[str, ...]:
        """What is an SSA value at `neuron.engine`, by name: the operands, then the fields that vary with the loops."""
        return (*(o.name for o in self.operands), *(f.name for f in self.fields if f.kind == "expr"))

    @cached_property
    def written(self) -> tuple[str, ...]:
        """The names of the operands that it writes to."""
        return tuple(o.name for o in self.operands if o.role == "dst")

    @cached_property
    def commands(self) -> tuple[str, ...]:
        """The names of the fields that say what it does with the accumulator of its engine."""
        return tuple(f.name for f in self.fields if f.kind == "command")

    @property
    def is_transfer(self) -> bool:
        """Whether the DMA engines carry it out: it completes when they are done, in no order with its engine's own."""
        return self.transfer is not None

    @property
    def accumulates(self) -> bool:
        """Whether a flag says that it adds to its destination."""
        return any(field.name == "accumulate" for field in self.fields)


def check(instance: Instance) -> str | None:
    """The first legality rule that the instance breaks, or None: the common rules of docs/hardware.md#memories, then
    the instruction's own."""
    return next((found for rule in (*COMMON, *instance.instruction.rules) if (found := rule(instance))), None)


# The rules that every instruction shares.


def _engine(i: Instance) -> str | None:
    if i.engine not in i.instruction.engines:
        return f"{i.instruction.name} runs on {', '.join(i.instruction.engines)}, not on {i.engine}"
    first = i.instruction.since.get(i.engine, i.instruction.cores[0])
    if i.target.core not in i.instruction.cores or i.target.core < first:
        on = f" on {i.engine}" if i.instruction.since else ""
        return f"{i.instruction.name}{on} needs NeuronCore-{first}; {i.target.name} is {i.target.core}"
    return None


def _gpsimd_reaches_psum(i: Instance) -> bool:
    """GpSimd only triggers transfers, and, from v3 on, clears PSUM (docs/hardware.md#memories)."""
    return i.instruction.is_transfer or (i.instruction.clears and i.target.features.gpsimd_clears_psum)


def _spaces_and_dtypes(i: Instance) -> str | None:
    for operand, access in i.accesses():
        if access.space not in operand.spaces:
            return f"{operand.name} must be in {' or '.join(sorted(operand.spaces))}, not in {access.space}"
        if i.engine is Engine.GPSIMD and access.space is Space.PSUM and not _gpsimd_reaches_psum(i):
            return f"gpsimd cannot access PSUM, where {operand.name} is"
        found = dtype(access.element_type)
        if found.name not in operand.dtype_names:
            names = ", ".join(sorted(operand.dtype_names))
            return f"{operand.name} must be one of {names}, not {found.name}"
        if i.target.core not in found.cores:
            return f"{operand.name}: {found.name} needs NeuronCore-{found.cores[0]}; {i.target.name} is {i.target.core}"
    return None


def _patterns(i: Instance) -> str | None:
    limits, memory = i.target.limits, i.target.memory
    for operand, access in i.accesses():
        name, dims = operand.name, access.dims
        most = limits.free_dims if access.on_chip else limits.dma_dims
        if len(dims) > most:
            return f"{name} has {len(dims)} free dimensions; an access pattern has at most {most}"
        if any(count < 1 for _, count in dims):
            return f"{name} has an empty dimension"
        if not access.on_chip:
            continue
        if any(count > limits.count_max for _, count in dims):
            return f"{name}: counts are at most {limits.count_max}, got {[c for _, c in dims]}"
        if any(not limits.step_min <= step <= limits.step_max for step, _ in dims):
            return f"{name}: steps are {limits.step_min}..{limits.step_max} elements, got {[s for s, _ in dims]}"
        if not 1 <= access.partitions <= memory.partitions:
            return f"{name} spans {access.partitions} partitions; a tile has 1..{memory.partitions}"
        anywhere = i.instruction.is_transfer or operand.comb.width > 1
        reason = None if anywhere else start_partition_error(access.start, access.partitions)
        if reason is not None:
            return f"{name}: {reason}"
        if access.start + access.partitions > memory.partitions:
            end = access.start + access.partitions
            return f"{name} reaches partition {end - 1}; the last is {memory.partitions - 1}"
        most = limits.sbuf_free_elements if access.space is Space.SBUF else limits.psum_free_bytes // access.itemsize
        if access.free_elements > most:
            return f"{name} has {access.free_elements} elements per partition; {access.space} allows {most}"
    return None


def start_partition_error(start: int, partitions: int) -> str | None:
    """More than 64 partitions start at 0; 33..64 at 0 or 64; up to 32 at a multiple of 32
    (docs/hardware.md#start-partitions)."""
    step = 32 if partitions <= 32 else 64 if partitions <= 64 else 128
    if start % step:
        legal = ", ".join(str(s) for s in range(0, 128, step))
        return f"{partitions} partitions may start at {legal}, not at {start}"
    return None


def _same_shape(i: Instance) -> str | None:
    first: tuple[str, Access] | None = None
    for operand, access in i.accesses():
        if operand.shape == "own":
            continue
        if first is None:
            first = (operand.name, access)
        if access.partitions != first[1].partitions:
            return f"{first[0]} has {first[1].partitions} partitions and {operand.name} {access.partitions}"
        if operand.shape == "column":
            if access.free_elements != 1:
                return f"{operand.name} must have one element per partition, not {access.free_elements}"
        elif access.free_elements != first[1].free_elements:
            return (
                f"{first[0]} has {first[1].free_elements} elements per partition and {operand.name}"
                f" {access.free_elements}"
            )
    return None


def _alignment(i: Instance) -> str | None:
    for operand, access in i.accesses():
        if access.address is not None and access.address.is_const and access.address.const % access.itemsize:
            return (
                f"{operand.name}: byte {access.address.const} is not a multiple of the {access.itemsize}-byte element"
            )
    return None


def _operators(i: Instance) -> str | None:
    for alu in i.alus():
        if alu in ABSOLUTE_EXTREMA and not i.target.features.absolute_extrema:
            return f"{alu} needs NeuronCore-v4; {i.target.name} is {i.target.core}"
        if alu in GPSIMD_ONLY and i.engine is not Engine.GPSIMD:
            return f"{alu} runs on gpsimd only"
        if alu in PARTITION_REDUCING and not i.instruction.reduces_partitions:
            return f"{alu} is an operator of tensor_partition_reduce only"
    return None


def _choices(i: Instance) -> str | None:
    for f in i.instruction.fields:
        value = i.fields.get(f.name)
        if f.choices and value is not None and value not in f.choices:
            return f"{f.name} is one of {', '.join(f.choices)}, not {value}"
    return None


COMMON: tuple[Rule, ...] = (_engine, _spaces_and_dtypes, _patterns, _same_shape, _alignment, _operators, _choices)


# Rules of single instructions, by name.


def not_both_in_psum(a: str, b: str) -> Rule:
    def rule(i: Instance) -> str | None:
        x, y = i.access(a), i.access(b)
        if x and y and x.space is Space.PSUM and y.space is Space.PSUM:
            return f"{a} and {b} may not both be in PSUM"
        return None

    return rule


def bitwise_needs_integers(i: Instance) -> str | None:
    """Bit operators see bit patterns, so that nothing is converted on the way in or out
    (docs/hardware.md#operators)."""
    for alu in i.alus():
        if alu not in BITWISE:
            continue
        if i.engine is not Engine.VECTOR:
            return f"{alu} runs on vector, not on {i.engine}"
        for operand, access in i.accesses():
            if access.element_type not in INTEGERS:
                return f"{alu} needs integers; {operand.name} is {dtype(access.element_type).name}"
        if len(sizes := {access.itemsize for _, access in i.accesses()}) > 1:
            return f"{alu} needs integers of one width, got {sorted(sizes)} bytes"
    return None


def elements(name: str, count: int) -> Rule:
    """The operand has so many elements on each of the partitions that the first operand of shape `full` has."""

    def rule(i: Instance) -> str | None:
        access = i.access(name)
        full = next((a for o, a in i.accesses() if o.shape == "full"), None)
        if access is None or full is None:
            return None
        if (access.partitions, access.free_elements) != (full.partitions, count):
            return (
                f"{name} must be {full.partitions} x {count} elements, not {access.partitions} x {access.free_elements}"
            )
        return None

    return rule


def at_run_time(name: str) -> Rule:
    def rule(i: Instance) -> str | None:
        access = i.access(name)
        if access is not None and access.address is not None and not access.address.registers():
            return f"the address of {name} is in no register; tensor_copy is for fixed addresses"
        return None

    return rule


def arithmetic_only(i: Instance) -> str | None:
    return next((f"{i.instruction.name} has no bit operators, such as {a}" for a in i.alus() if a in BITWISE), None)


def arithmetic_with_fp32(i: Instance) -> str | None:
    """The scalars of arithmetic operators are fp32 (docs/hardware.md#operators)."""
    if i.fields["op0"] in BITWISE:
        return None
    for operand, access in i.accesses():
        if operand.shape == "column" and access.element_type not in F32:
            return f"{operand.name} beside {i.fields['op0']} must be float32, not {dtype(access.element_type).name}"
    return None


def two_arguments(op: str) -> Rule:
    return lambda i: f"{i.fields[op]} takes one argument" if i.fields[op] in UNARY else None


def value_of_kind(i: Instance) -> str | None:
    dst = i.access("dst")
    if dst is not None and dst.element_type in MOVED_ONLY and i.fields["value"] != 0:
        return f"{dtype(dst.element_type).name} is filled with 0 only, not with {i.fields['value']}"
    if dst is not None and dst.element_type in INTEGERS and isinstance(i.fields["value"], float):
        return f"the value for {dtype(dst.element_type).name} must be an integer, not {i.fields['value']}"
    return None


def operators_agree(i: Instance) -> str | None:
    kinds = {alu in BITWISE for alu in i.alus()}
    return "op0 and op1 must both be bitwise or both arithmetic" if len(kinds) > 1 else None


def second_operator_has_operand(i: Instance) -> str | None:
    if (i.fields.get("op1") is None) != (i.operands.get("operand1") is None):
        return "op1 and operand1 go together"
    return None


def tensor_tensor_engine(i: Instance) -> str | None:
    alu = i.fields["op"]
    if i.engine is Engine.GPSIMD and alu not in GPSIMD_TENSOR_TENSOR:
        return f"gpsimd has {', '.join(sorted(GPSIMD_TENSOR_TENSOR))} as tensor_tensor operators, not {alu}"
    return None


def tensor_scalar_engine(i: Instance) -> str | None:
    if i.engine is Engine.SCALAR and not i.target.features.scalar_tensor_scalar:
        return "the Scalar engine has tensor_scalar from NeuronCore-v3 on"
    if i.engine is Engine.SCALAR and tuple(i.alus()) not in SCALAR_ENGINE_PAIRS:
        return f"the Scalar engine has multiply, add, and multiply then add, not {', '.join(i.alus())}"
    if i.engine is Engine.GPSIMD and not GPSIMD_ONLY.issuperset(i.alus()):
        return f"gpsimd has power and rsqrt as tensor_scalar operators, not {', '.join(i.alus())}"
    return None


_BESIDE = (("op0", "operand0"), ("op0", "imm0"), ("op1", "operand1"))


def unary_takes_zero(i: Instance) -> str | None:
    names = {o.name for o in i.instruction.operands}
    for op, operand in _BESIDE:
        alu, reverse = i.fields.get(op), op.replace("op", "reverse")
        if alu not in UNARY or operand not in names:
            continue
        if i.operands.get(operand) != 0.0:
            return f"{alu} takes one argument; {operand} beside it is the constant 0"
        if i.fields.get(reverse):
            return f"{alu} takes one argument; {reverse} needs two"
    return None


def same_dtype(a: str, b: str) -> Rule:
    def rule(i: Instance) -> str | None:
        x, y = i.access(a), i.access(b)
        if x and y and x.element_type != y.element_type:
            return f"{a} is {dtype(x.element_type).name} and {b} {dtype(y.element_type).name}; they must be the same"
        return None

    return rule


def numbers_convert(i: Instance) -> str | None:
    """Storage-only types are moved as they are (docs/hardware.md#element-types)."""
    dst, src = i.access("dst"), i.access("src")
    kinds = [a.element_type for a in (dst, src) if a is not None]
    kept = next((t for t in kinds if t in MOVED_ONLY), None)
    if kept is None:
        return None
    if len(set(kinds)) > 1:
        return f"{dtype(kept).name} is no number that converts; dst and src must have the same type"
    if i.fields.get("dst_rmw_op") is not None:
        return f"{dtype(kept).name} is no number that dst_rmw_op can add"
    return None


def copy_engine(i: Instance) -> str | None:
    if i.engine is Engine.SCALAR and not i.target.features.scalar_tensor_copy:
        return "the Scalar engine has tensor_copy from NeuronCore-v3 on; before, it copies by activation"
    return None
