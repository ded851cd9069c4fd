"""Random numbers, and dropout, which draws them. Each engine has a generator of its own, with a state per partition."""

from __future__ import annotations

from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.dtypes import by_name
from nki_mlir.dialects.instructions.operands import DATA, DST, GPSIMD, VECTOR
from nki_mlir.dialects.legality import F32, FLOATS, INTEGERS, SBUF, Instance, Instruction, Operand

STATE_WORDS = 6
"""Of one XORWOW generator."""

_U32 = frozenset([by_name("uint32").type])
_SEEDS = frozenset(by_name(n).type for n in ("int32", "uint32", "float32"))


def generators(engine: Engine) -> int:
    """XORWOW generators per partition."""
    return 4 if engine is Engine.VECTOR else 1


def _state_size(name: str, i: Instance) -> str | None:
    wanted, access = STATE_WORDS * generators(i.engine), i.access(name)
    if access is not None and access.free_elements != wanted:
        return f"the state of {i.engine} has {wanted} words per partition; {name} has {access.free_elements}"
    return None


def _one_word(i: Instance) -> str | None:
    seed = i.access("src_seeds")
    if seed is not None and seed.elements != 1:
        return f"the seed is one element; src_seeds has {seed.elements}"
    return None


def _dropout_types(i: Instance) -> str | None:
    dst, data, prob = i.access("dst"), i.access("data"), i.access("prob")
    if dst is None or data is None or data.element_type not in INTEGERS:
        return None
    if dst.element_type != data.element_type:
        return "dst must have the type of data where that is an integer"
    if prob is not None and prob.element_type not in F32:
        return "prob must be float32 where data is an integer"
    return None


def _ordered(i: Instance) -> str | None:
    low, high = i.operands["min"], i.operands["max"]
    if not isinstance(low, Access) and not isinstance(high, Access) and not low < high:
        return f"min must be less than max, got {low} and {high}"
    return None


RANDOM: tuple[Instruction, ...] = (
    Instruction(
        "dropout",
        "dst = 0 where a uniform draw from [0, 1) is less than prob, else data, which is not scaled.",
        (VECTOR,),
        (DST, DATA, Operand("prob", "src", dtypes=FLOATS, shape="column", constant=True)),
        (),
        (_dropout_types,),
        random=True,
    ),
    Instruction(
        "rng",
        "dst = the low bits of 32 random bits for each element.",
        (VECTOR, GPSIMD),
        (Operand("dst", "dst", dtypes=INTEGERS),),
        since={GPSIMD: "v3"},
        random=True,
    ),
    Instruction(
        "rand2",
        "dst = uniform fp32 draws between min and max, converted.",
        (VECTOR,),
        (
            DST,
            Operand("min", "src", dtypes=F32, shape="column", constant=True),
            Operand("max", "src", dtypes=F32, shape="column", constant=True),
        ),
        (),
        (_ordered,),
        cores=("v4",),
        random=True,
    ),
    Instruction(
        "rand_set_state",
        "Sets the state of the engine's XORWOW generators on the partitions of src_seeds.",
        (GPSIMD, VECTOR),
        (Operand("src_seeds", "src", SBUF, _U32, shape="own"),),
        (),
        (lambda i: _state_size("src_seeds", i),),
        cores=("v3", "v4"),
        since={VECTOR: "v4"},
        random=True,
    ),
    Instruction(
        "rand_get_state",
        "dst = the state of the engine's XORWOW generators on its partitions.",
        (GPSIMD, VECTOR),
        (Operand("dst", "dst", dtypes=_U32, shape="own"),),
        (),
        (lambda i: _state_size("dst", i),),
        cores=("v3", "v4"),
        since={VECTOR: "v4"},
        random=True,
    ),
    Instruction(
        "set_rng_seed",
        "Seeds the engine's generator on all partitions with the 32 bits of one element.",
        (VECTOR,),
        (Operand("src_seeds", "src", dtypes=_SEEDS, shape="own"),),
        (),
        (_one_word,),
        random=True,
    ),
)
