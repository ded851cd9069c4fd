"""The chips as data: sizes, rates and costs of one NeuronCore, each number with its source beside it.

`load("trn2")` reads `trn2.toml`. A comment on every line of those files says what kind of fact the number is and,
in brackets, where it comes from (`SOURCES`):

- `documented`: printed by the source.
- `measured`: read off a published profile of a device (about 10 ns of error), or fitted to one.
- `derived`: arithmetic on documented or measured figures.
- `assumed`: chosen here; the comment gives the reason.

Times are nanoseconds, rates bytes per nanosecond, sizes bytes; "cycles" are cycles of the engine that executes.

**Costs.** `costs.toml` has what all targets share, a target's own `cost` tables go before it.
`Target.cost(instruction)` is an ordered tuple of cases; the first case whose `engine` is the executing one (or None)
and whose `when` holds (or is None) gives the *work* in cycles. What every instruction of an engine costs on top of its
work is the `engine` section: it occupies its engine for `max(min_cycles, work + bubble_cycles)` cycles, and its result
is visible `latency_ns` and `latency_cycles` after the work is done; `pointer_cycles` and `pointer_ns` are added where
an operand is a column, one number a partition. A case may have a `bubble` and a `latency_ns` of its own. `when` names
one of `PREDICATES`. The formulae use the operators `+ - * /`, `max`, `min` and `ceil`, and:

- `N`: elements per partition of the main input (of the output, where an instruction has no input tensor);
- `P`: partitions of the main input;
- `F`: the same as N, in the words of the transpose's documentation;
- `B`: bytes of an element of the main input;
- `D`: elements per partition of the output;
- `R`: 1 where the instruction writes the accumulator out (`reduce_res`), else 0;
- `START`: the engine's `latency_cycles`, for an instruction that starts up more than once;
- the instruction's integer fields, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

TARGETS = ("trn1", "trn2", "trn3", "inf2")

ENGINES = ("tensor", "vector", "scalar", "gpsimd", "sync")

PREDICATES: Mapping[str, str] = MappingProxyType(
    {
        "one_psum_input": "two tensor inputs, exactly one of them in PSUM, the other in SBUF",
        "both_sbuf_bf16_fast": (
            "both inputs in SBUF, inputs and output bf16, op add, subtract or multiply, innermost steps 1"
        ),
        "sbuf_16bit": "every tensor operand is in SBUF and is bf16 or fp16",
        "sbuf_16bit_contiguous": "as sbuf_16bit, and every innermost step is 1",
        "sbuf_16bit_strided": "as sbuf_16bit, and some innermost step is not 1",
        "one_side_psum_16bit_contiguous": (
            "one tensor input; input and output are bf16 or fp16 with innermost step 1; exactly one of them is in PSUM"
        ),
        "sbuf_fp32": "at most one tensor input; input and output are fp32 in SBUF",
        "reduce_16bit_fast": "input bf16, op add or maximum",
        "zero_16bit": "the value written is 0 and the output is bf16 or fp16",
        "bf16_subtract_multiply": (
            "data and operand1 bf16, op0 subtract and op1 multiply, an even number of elements per partition"
        ),
        "sbuf_fp8_contiguous": "every tensor operand is in SBUF and is fp8, and every innermost step is 1",
        "power": "op is power",
        "fp32_input": "the main input is fp32",
        "psum_16bit": "the main input is bf16 or fp16 and in PSUM",
        "copies": "op is a function that every table has",
    }
)
"""What the `when` of a cost case can ask, and what each means; `costs.instructions` evaluates them."""

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "arch-v2": "NKI architecture guide, Trainium and Inferentia2",
        "arch-v3": "NKI architecture guide, Trainium2",
        "arch-v4": "NKI architecture guide, Trainium3",
        "isa": "nki.isa reference, current",
        "isa-fields": "NKI ISA common fields, of SDK 2.26 and current",
        "isa-2.26": "nki.isa reference and allocation API of SDK 2.26",
        "tile-size": "nki.language.tile_size",
        "perf": "NKI performance optimisations, with its profile screenshots",
        "kernel-opt": "NKI kernel optimisation tutorial, profiles of its kernels on trn2",
        "dma-intro": "Introduction to DMA with NKI, with its profile screenshots",
        "dma-bw": "Guideline to avoid under-utilising DMA bandwidth",
        "explorer": "Neuron Explorer documents",
        "profiler-2.26": "Neuron profiler guide of SDK 2.26, screenshots",
        "comm-overlap": "Neuron Runtime, compute-communication overlap",
        "lnc": "Logical NeuronCore configuration",
        "neff": "Work with NEFF files",
        "nkilib": "NKI Library sources",
        "chip-1": "Trainium architecture page",
        "chip-2": "Trainium2 architecture page",
        "chip-3": "Trainium3 architecture page",
        "cs149": "Stanford CS149 assignment 4, write-ups of its kernels on trn1 and trn2",
        "traces-24": "raw profiler traces of two students of CS149, 2024, on trn1",
        "traces-25": "raw profiler traces of four students of CS149, 2025, on trn2",
        "convolutions": "raw traces and compiled programs of three students' convolutions, CS149, 2025, on trn2",
        "fusion": "allenkchau/trainium-kernel-fusion, profiles of its kernels on trn2",
        "pantheon": "pantheongpu/pantheonneuron, sustained rates of trn1 and inf2",
        "kiln": "foxl-ai/kiln, probes on trn1",
        "megakernel": "KevGomes1403/nki-moe-megakernel, profiles on trn2 and trn3",
        "autotune": "awslabs/nki-autotune, profiles of its matmul kernels on trn2",
        "kda": "KDA for Trainium: NKIBench operators on trn2, with profiles; its latencies doubled as it says",
        "nkibench": "AccelOpt / NKIBench, profiles of its baseline kernels on trn1",
    }
)
"""The documents behind the tags in the tables; docs/hardware.md#sources says where they are."""


@dataclass(frozen=True)
class Features:
    """What not every core can do; a core that lacks something is refused by the rule that asks for it, or does it in
    another way.

    - `bit_transposes`: the Tensor engine passes bits through; else a transpose multiplies with the identity.
    - `array_tiles_of_32`: tiles of the array may have 32 rows or columns.
    - `double_row`: a matmul takes two rows of fp8 as one.
    - `bfloat16_sums`: a matmul can leave bf16 in PSUM.
    - `scalar_tensor_scalar`, `scalar_tensor_copy`: the Scalar engine has these instructions.
    - `activation_biases`: a bias may be a constant, and `reciprocal` takes one.
    - `absolute_extrema`: the operators abs_max and abs_min.
    - `vector_xorwow`: Vector draws from XORWOW as GpSimd does.
    - `hardware_descriptors`, `indirect_transposes`, `transfer_priorities`: of transfers.
    - `gpsimd_clears_psum`: GpSimd writes PSUM by memset; else it never reaches it.
    - `core_barrier`: pairs of cores wait for each other.
    """

    bit_transposes: bool
    array_tiles_of_32: bool
    double_row: bool
    bfloat16_sums: bool
    scalar_tensor_scalar: bool
    scalar_tensor_copy: bool
    activation_biases: bool
    absolute_extrema: bool
    vector_xorwow: bool
    hardware_descriptors: bool
    indirect_transposes: bool
    transfer_priorities: bool
    gpsimd_clears_psum: bool
    core_barrier: bool


@dataclass(frozen=True)
class MemorySizes:
    """SBUF and PSUM per partition, HBM of the whole chip. Alignments are the allocator's."""

    partitions: int
    sbuf_bytes: int
    sbuf_usable_bytes: int
    psum_bytes: int
    psum_banks: int
    sbuf_align: int
    psum_align: int
    hbm_bytes: int

    @property
    def psum_bank_bytes(self) -> int:
        """Bytes of one PSUM bank in one partition."""
        return self.psum_bytes // self.psum_banks


@dataclass(frozen=True)
class Limits:
    """What one instruction, descriptor or core can name. A matmul writes up to `matmul_banks` PSUM banks at once."""

    stationary_free: int
    moving_free: int
    matmul_banks: int
    partitions: int
    sbuf_free_elements: int
    psum_free_elements: int
    free_dims: int
    step_min: int
    step_max: int
    count_max: int
    dma_dims: int
    semaphores: int
    registers: int

    @property
    def psum_free_bytes(self) -> int:
        """`psum_free_elements` of fp32: all of a partition."""
        return 4 * self.psum_free_elements

    @property
    def transfer_dims(self) -> int:
        """Dimensions of a transfer's patterns: on chip an instruction's, and a descriptor's."""
        return min(self.free_dims, self.dma_dims)


@dataclass(frozen=True)
class Ports:
    """How the memory interfaces are shared.

    Work is multiplied by `slow_step_factor` where an operand's innermost step is `slow_step_bytes` or more, the
    stationary tile's only where `slow_step_stationary`. Where `slow_write_ns` says how long an element of so many bytes
    takes to be written to SBUF at such a step, by the number of its bytes, that stands for the factor. Engines in an
    `_exclusive` list never access that memory (for `psum_bank_exclusive`: the same bank) at the same time.
    """

    slow_step_bytes: int
    slow_step_factor: int
    slow_step_stationary: bool
    slow_write_ns: Mapping[str, float]
    sbuf_exclusive: tuple[str, ...]
    psum_exclusive: tuple[str, ...]
    psum_bank_exclusive: tuple[str, ...]


@dataclass(frozen=True)
class Engine:
    """The fixed cost of an instruction of one engine, on top of its work, and more of it where an operand is a
    column."""

    bubble_cycles: int
    pointer_cycles: int
    pointer_ns: float
    min_cycles: int
    latency_ns: float
    latency_cycles: int


@dataclass(frozen=True)
class Control:
    """Semaphores, registers and branches of a sequencer. Stores of a register take as long as loads; a barrier tells
    the other core `core_barrier_ns` after it started."""

    wake_ns: float
    event_semaphore_ns: float
    register_ns: float
    branch_ns: float
    register_load_sbuf_ns: float
    register_load_hbm_ns: float
    core_barrier_ns: float
    dynamic_address_cycles: int


@dataclass(frozen=True)
class Matmul:
    """TensorE: loading the stationary tile and streaming the moving one.

    An fp32 matmul is `fp32_pairs` load-multiply pairs, each of `passes["fp32"] / fp32_pairs` cycles per column. Under
    load the array runs at `sustained_rate` of its clock. It is `cold_factor` times slower until columns have moved
    through it for `warm_up_ns`, and again when it has had that much less than half of its time to do that
    `cool_down_ns` are used up (docs/hardware.md#rate-of-the-array). Where the rows of a 16-bit moving tile begin at an
    odd element, each costs `odd_row_cycles`.
    """

    passes: Mapping[str, int]
    fp32_pairs: int
    load_latency_ns: float
    fast_load_divisor: int
    fp32_load_cycles_per_column: float
    min_moving: int
    drain_ns: float
    gap_cycles: int
    fp32_gap_cycles: int
    odd_row_cycles: int
    sustained_rate: float
    cold_factor: float
    warm_up_ns: float
    cool_down_ns: float


@dataclass(frozen=True)
class Activation:
    """ScalarE's function tables: one set is resident; loading another takes `table_load_ns`."""

    table_load_ns: float
    sets: Mapping[str, tuple[str, ...]]

    def set_of(self, function: str) -> str | None:
        """The set that holds a function; "any" if every set does, None if no set does."""
        return next((name for name, functions in self.sets.items() if function in functions), None)


@dataclass(frozen=True)
class Dma:
    """The DMA engines of one core: start-up, packets, completion, and the rates of transfers that do more than move.

    A transfer's data starts `start_ns` after its trigger. On each engine it is packets, contiguous runs of at most
    `packet_bytes`, and `semaphore_ns` more. A packet costs its bytes, `packet_overhead_ns` but not more than the bytes
    cost, and `run_ns` at least. It takes its ring, not the engine, `part_ns` at least, and `word_ns` for each packet
    of less than `word_bytes` that is written to HBM. The last one has arrived `packet_latency_ns` later; the semaphore
    is raised `completion_ns` later. A software-generated transfer costs its engine `swdge_row_ns` per row before its
    trigger, `swdge_dynamic_factor` times as much at an address or rows known at run time only; a hardware-generated
    one costs its engine `hwdge_ns`, `hwdge_packet_ns` per packet, and `hwdge_full_ns` for each packet that the rings'
    `hwdge_packets` have no room for, and the next one follows `hwdge_gap_ns` later. Parts that queue run at the
    sustained rate. The other factors are rates relative to a copy's; where the engines don't transpose (`transposes`),
    a transpose moves single elements.
    """

    engines: int
    queues: int
    partitions_per_engine: int
    trigger_ns: float
    start_ns: float
    start_step_ns: float
    wire_bytes_per_ns: float
    packet_bytes: int
    packet_overhead_ns: float
    run_ns: float
    word_bytes: int
    word_ns: float
    semaphore_ns: float
    part_ns: float
    packet_latency_ns: float
    sustained_factor: float
    dge_sustained_factor: float
    increment: int
    completion_ns: float
    increment_gap_ns: float
    swdge_trigger_ns: float
    swdge_row_ns: float
    swdge_dynamic_factor: float
    hwdge_ns: float
    hwdge_packet_ns: float
    hwdge_gap_ns: float
    hwdge_packets: int
    hwdge_full_ns: float
    arithmetic_factor: float
    sbuf_arithmetic_factor: float
    transposes: bool
    hbm_transpose_factor: float
    sbuf_transpose_factor: float


@dataclass(frozen=True)
class Hbm:
    """Bandwidth of the memory that `cores` cores share. What one of them can move alone is what its DMA engines can."""

    bytes_per_ns: float
    cores: int


@dataclass(frozen=True)
class CostCase:
    """One line of an instruction's cost table; see the module's docstring."""

    cycles: str
    engine: str | None = None
    when: str | None = None
    bubble: int | None = None
    latency_ns: float | None = None


@dataclass(frozen=True, eq=False)
class Target:
    """One chip. There is one object per name, so targets compare and hash by identity."""

    name: str
    core: str
    cores_per_chip: int
    features: Features
    memory: MemorySizes
    limits: Limits
    ports: Ports
    clock_ghz: Mapping[str, float]
    engine: Mapping[str, Engine]
    control: Control
    matmul: Matmul
    activation: Activation
    dma: Dma
    hbm: Hbm
    costs: Mapping[str, tuple[CostCase, ...]]

    def cost(self, instruction: str) -> tuple[CostCase, ...]:
        """The cases that give an instruction's work, in the order they are tried."""
        if instruction not in self.costs:
            raise ValueError(f"{self.name} has no cost for {instruction!r}; it has {', '.join(sorted(self.costs))}")
        return self.costs[instruction]


OVERRIDE: ContextVar[Mapping[str, Target]] = ContextVar("OVERRIDE", default=MappingProxyType({}))
"""Targets with other constants that stand for those of their names (`evidence.using`)."""


def load(name: str) -> Target:
    """The target of that name."""
    if name not in TARGETS:
        raise ValueError(f"unknown target {name!r}; known targets are {', '.join(TARGETS)}")
    return OVERRIDE.get().get(name) or _load(name)


@cache
def _load(name: str) -> Target:
    table, costs = read_table(name), read_table("costs")
    return Target(
        name=table["name"],
        core=table["core"],
        cores_per_chip=table["cores_per_chip"],
        features=_section(Features, table["features"]),
        memory=_section(MemorySizes, table["memory"]),
        limits=_section(Limits, table["limits"]),
        ports=_section(Ports, table["ports"]),
        clock_ghz=MappingProxyType({engine: float(table["clock_ghz"][engine]) for engine in ENGINES}),
        engine=MappingProxyType({engine: _section(Engine, table["engine"][engine]) for engine in ENGINES}),
        control=_section(Control, table["control"]),
        matmul=_section(Matmul, table["matmul"]),
        activation=_section(Activation, table["activation"]),
        dma=_section(Dma, table["dma"]),
        hbm=_section(Hbm, table["hbm"]),
        costs=MappingProxyType({name: _cases(cost) for name, cost in (costs | table["cost"]).items()}),
    )


def read_table(name: str) -> dict[str, Any]:
    """A file of this folder, with what it takes over from its `base`."""
    import tomllib

    table = tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))
    return _over(read_table(table.pop("base")), table) if "base" in table else table


def _over(base: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """A table with another one's entries in place of its own."""
    inner = {k: _over(base[k], v) for k, v in table.items() if isinstance(v, dict) and k in base}
    return {**base, **table, **inner}


_Section = TypeVar("_Section")


def _section(cls: type[_Section], table: Mapping[str, Any]) -> _Section:
    """A section's dataclass; a missing or an unknown key is a TypeError that names it."""
    floats = {name for name, kind in cls.__annotations__.items() if kind == "float"}
    return cls(**{key: float(value) if key in floats else _frozen(value) for key, value in table.items()})


def _frozen(value: Any) -> Any:
    match value:
        case dict():
            return MappingProxyType({key: _frozen(item) for key, item in value.items()})
        case list():
            return tuple(value)
        case _:
            return value


def _cases(cost: Mapping[str, Any]) -> tuple[CostCase, ...]:
    return tuple(CostCase(**case) for case in cost["cases"])
