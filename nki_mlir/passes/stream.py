"""One engine's stream as it is written: its text, and the registers that hold what is known at run time only."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, UnknownLoc, i1, i32, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue

from nki_mlir.analysis.indices import expr_of
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Access
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.expr import Expr, FloorDiv, Mod, Register
from nki_mlir.dialects.neuron_isa import Comparison
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError
from nki_mlir.passes.registers import register_alu, register_move

OpT = TypeVar("OpT", bound=Operation)

ALU: Mapping[type[Operation], Alu] = {
    arith.AddiOp: Alu.ADD,
    arith.SubiOp: Alu.SUBTRACT,
    arith.MuliOp: Alu.MULTIPLY,
    arith.FloorDivSIOp: Alu.DIVIDE,
    arith.MinSIOp: Alu.MINIMUM,
    arith.MaxSIOp: Alu.MAXIMUM,
    arith.AndIOp: Alu.BITWISE_AND,
    arith.OrIOp: Alu.BITWISE_OR,
    arith.XOrIOp: Alu.BITWISE_XOR,
    arith.ShLIOp: Alu.LEFT_SHIFT,
    arith.ShRUIOp: Alu.RIGHT_SHIFT,
}
"""What a sequencer computes of a register and a constant."""
COMMUTATIVE = (Alu.ADD, Alu.MULTIPLY, Alu.MINIMUM, Alu.MAXIMUM, Alu.BITWISE_AND, Alu.BITWISE_OR, Alu.BITWISE_XOR)
COMPARISONS: Mapping[int, tuple[Alu, Comparison, Alu]] = {
    0: (Alu.EQUAL, Comparison.EQ, Alu.EQUAL),
    1: (Alu.NOT_EQUAL, Comparison.NE, Alu.NOT_EQUAL),
    2: (Alu.LESS, Comparison.LT, Alu.GREATER),
    3: (Alu.LESS_EQUAL, Comparison.LE, Alu.GREATER_EQUAL),
    4: (Alu.GREATER, Comparison.GT, Alu.LESS),
    5: (Alu.GREATER_EQUAL, Comparison.GE, Alu.LESS_EQUAL),
}
"""By the number of a predicate of `arith.cmpi`: the operator, the branch, and the operator with its sides exchanged."""
LESS = 2
EXTREMA = {arith.MinSIOp: Comparison.LT, arith.MaxSIOp: Comparison.GT}
CASTS = (arith.IndexCastOp, arith.ExtUIOp)


def is_computed(op: Operation) -> bool:
    """Whether an operation computes something of scalars that no expression of its operands says."""
    if not op.name.startswith("arith.") or isinstance(op, arith.ConstantOp) or len(op.results) != 1:
        return False
    return expr_of(op.results[0]) == Expr.counter(op.results[0])


class Stream:
    """`levels` has the text of the open blocks, the innermost last; `values` what counters and run-time scalars are in
    this stream. Registers that a block takes are free again behind it; `taken` are those that are not."""

    def __init__(self) -> None:
        self.levels: list[list[Operation]] = [[]]
        self.values: dict[Hashable, Expr] = {}
        self.taken: list[int] = [0]

    def open(self) -> None:
        """Starts a block in the present one."""
        self.levels.append([])
        self.taken.append(self.taken[-1])

    def close(self) -> list[Operation]:
        self.taken.pop()
        return self.levels.pop()

    def add(self, op: OpT, source: Operation) -> OpT:
        for inner in operations(op):
            if isinstance(inner.location, UnknownLoc):
                inner.location = source.location
        self.levels[-1].append(op)
        return op

    def register(self, source: Operation) -> int:
        """A register that nothing else uses as long as the present block is open."""
        number, most = self.taken[-1], target_of(source).limits.registers
        if number >= most:
            raise CompileError.at(
                source, f"the run-time scalars of a stream need more than the {most} registers it has"
            )
        self.taken[-1] += 1
        return number

    # Values.

    def expr(self, expr: Expr, source: Operation) -> Expr:
        """In counters of repeats and registers: what an address may be."""
        if not expr.terms:
            return expr
        known = self.values
        for key in expr.counters():
            if key not in known:
                raise CompileError.at(source, _unknown(key))
        return self.flat(expr.substitute(known), source)

    def value(self, value: SSAValue, source: Operation) -> Expr:
        """A truth value is 0 or 1, a constant one too."""
        if value.type == i1 and isinstance(value.owner, arith.ConstantOp):
            return Expr(cast(IntegerAttr, value.owner.value).value.data & 1)
        return self.expr(expr_of(value), source)

    def operand(self, expr: Expr, source: Operation) -> Expr:
        """An immediate or one register, as the instructions of a sequencer have it."""
        registers = [(term, factor) for term, factor in expr.terms if isinstance(term, Register)]
        if not registers:
            return expr
        if len(registers) > 1:
            raise CompileError.at(source, _two("adding"))
        ((term, factor),) = registers
        value = Expr.register(term.number)
        rest = expr - value * factor
        if factor != 1:
            value = self.alu(Alu.MULTIPLY, value, Expr(factor), source)
        return value if rest == Expr(0) else self.alu(Alu.ADD, value, rest, source)

    def flat(self, expr: Expr, source: Operation) -> Expr:
        """Quotients and remainders of registers are computed: an address is a sum."""
        total = Expr(expr.const)
        for term, factor in expr.terms:
            part = Expr(0, ((term, 1),))
            if isinstance(term, Mod | FloorDiv) and part.registers():
                inner = self.operand(self.flat(term.value, source), source)
                alu = Alu.MOD if isinstance(term, Mod) else Alu.DIVIDE
                part = self.alu(alu, inner, Expr(term.divisor), source)
            total = total + part * factor
        return total

    # Instructions.

    def alu(self, op: Alu, src: Expr, imm: Expr, source: Operation, dst: int | None = None) -> Expr:
        number = self.register(source) if dst is None else dst
        self.add(register_alu(op, number, src, imm), source)
        return Expr.register(number)

    def move(self, src: Expr, source: Operation, dst: int | None = None) -> int:
        """Copies an immediate or a register into a register of its own."""
        number = self.register(source) if dst is None else dst
        self.add(register_move(number, src), source)
        return number

    def load(self, result: SSAValue, access: Access, order: int, source: Operation) -> None:
        number = self.register(source)
        properties = {
            "dst": IntegerAttr(number, i64),
            "src": isa.AccessAttr(access),
            "order": IntegerAttr(order, i64),
        }
        self.add(isa.RegisterLoadOp.create(properties=properties), source)
        self.values[result] = Expr.register(number)

    def where(self, op: Comparison, a: Expr, b: Expr, then: Operation, source: Operation) -> None:
        """An instruction that is left out unless a comparison holds."""
        self.add(branch(op, a, b, [then], [], None), source)

    def compare(self, predicate: int, a: Expr, b: Expr, source: Operation, dst: int | None = None) -> Expr:
        """1 in a register where the comparison holds, else 0."""
        alu, comparison, exchanged = COMPARISONS[predicate]
        if not b.registers():
            return self.alu(alu, a, b, source, dst)
        if not a.registers():
            return self.alu(exchanged, b, a, source, dst)
        number = self.move(Expr(0), source, dst)
        self.where(comparison, a, b, register_move(number, Expr(1)), source)
        return Expr.register(number)

    def compute(self, op: Operation) -> None:
        """Arithmetic on run-time scalars: the result into a register."""
        if not all(isinstance(v.type, IndexType) or v.type in (i1, i32) for v in (*op.operands, *op.results)):
            raise CompileError.at(op, f"{op.name}: registers hold index, i32 and i1, got {op.results[0].type}")
        operands = [self.operand(self.value(v, op), op) for v in op.operands]
        self.values[op.results[0]] = self._computed(op, operands)

    def _computed(self, op: Operation, operands: Sequence[Expr]) -> Expr:
        match op:
            case arith.CmpiOp() if op.predicate.value.data in COMPARISONS:
                a, b = operands
                return self.compare(op.predicate.value.data, a, b, op)
            case arith.SelectOp():
                condition, a, b = operands
                number = self.move(b, op)
                self.where(Comparison.NE, condition, Expr(0), register_move(number, a), op)
                return Expr.register(number)
            case arith.DivSIOp() | arith.RemSIOp():
                return self._division(op, *operands)
            case _ if isinstance(op, CASTS):
                return operands[0]
            case _ if type(op) in ALU:
                return self._binary(op, *operands)
            case _:
                raise CompileError.at(op, f"{op.name} of run-time scalars has no instruction")

    def _binary(self, op: Operation, a: Expr, b: Expr) -> Expr:
        alu = ALU[type(op)]
        if a.registers() and b.registers():
            return self._of_two(op, a, b)
        if not b.registers():
            return self.alu(alu, a, b, op)
        if alu in COMMUTATIVE:
            return self.alu(alu, b, a, op)
        if alu is Alu.SUBTRACT:
            return self.alu(Alu.ADD, self.alu(Alu.MULTIPLY, b, Expr(-1), op), a, op)
        raise CompileError.at(
            op, f"{op.name}: the right side is known at run time only; a register instruction takes a constant there"
        )

    def _of_two(self, op: Operation, a: Expr, b: Expr) -> Expr:
        """What a branch does with two registers."""
        if isinstance(op, arith.MinSIOp | arith.MaxSIOp):
            number = self.move(b, op)
            self.where(EXTREMA[type(op)], a, b, register_move(number, a), op)
        elif op.results[0].type == i1 and isinstance(op, arith.AndIOp | arith.OrIOp | arith.XOrIOp):
            number = self.move(a if isinstance(op, arith.AndIOp) else b, op)
            then = (
                register_alu(Alu.LOGICAL_XOR, number, b, Expr(1))
                if isinstance(op, arith.XOrIOp)
                else (register_move(number, b if isinstance(op, arith.AndIOp) else a))
            )
            self.where(Comparison.NE, a, Expr(0), then, op)
        else:
            raise CompileError.at(op, _two(op.name))
        return Expr.register(number)

    def _division(self, op: arith.DivSIOp | arith.RemSIOp, a: Expr, b: Expr) -> Expr:
        """Rounds towards zero, where registers round down: what a negative dividend leaves over is put right."""
        if not b.is_const or b.const <= 0:
            raise CompileError.at(op, f"{op.name} of a run-time scalar takes a divisor that is a constant above 0")
        quotient = isinstance(op, arith.DivSIOp)
        found = self.alu(Alu.DIVIDE if quotient else Alu.MOD, a, b, op)
        (number,) = found.registers()
        rest = self.alu(Alu.MOD, a, b, op) if quotient else found
        correction = register_alu(Alu.ADD, number, found, Expr(1) if quotient else b * -1)
        leaves = branch(Comparison.NE, rest, Expr(0), [correction], [], None)
        self.where(Comparison.LT, a, Expr(0), leaves, op)
        return found


def _unknown(key: Hashable) -> str:
    owner = key.owner.parent_op() if isinstance(key, BlockArgument) else None
    if isinstance(owner, FuncOp):
        return "this depends on an argument that is no memory; a scalar is a constant, or comes from memory"
    return "this depends on something that is neither a loop counter nor a run-time scalar"


def _two(what: str) -> str:
    return (
        f"{what} of two values that are known at run time only: a register instruction takes a constant on one side;"
        " compute it in a tile"
    )


def branch(
    op: Comparison, src: Expr, imm: Expr, then: list[Operation], otherwise: list[Operation], region: int | None
) -> isa.CmpBranchOp:
    properties = {"op": isa.ComparisonAttr(op), "src": isa.ExprAttr(src), "imm": isa.ExprAttr(imm)}
    sides = {"body": Region(Block(then)), "otherwise": Region(Block(otherwise) if otherwise else [])}
    order = [name for name, _ in isa.CmpBranchOp.get_irdl_definition().regions]
    regions = [sides[name] for name in order]
    return isa.CmpBranchOp.create(properties={**properties, **_numbered(region)}, regions=regions)


def loop(counter: int, bound: Expr, body: list[Operation], region: int) -> isa.LoopOp:
    properties = {"counter": IntegerAttr(counter, i64), "bound": isa.ExprAttr(bound), **_numbered(region)}
    return isa.LoopOp.create(properties=properties, regions=[Region(Block(body))])


def loop_while(register: int, body: list[Operation], region: int) -> isa.WhileOp:
    properties = {"register": IntegerAttr(register, i64), **_numbered(region)}
    return isa.WhileOp.create(properties=properties, regions=[Region(Block(body))])


def _numbered(region: int | None) -> dict[str, IntegerAttr]:
    return {} if region is None else {"region": IntegerAttr(region, i64)}
