"""The text of one engine's stream, from a function of `neuron.engine`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, IfOp, WhileOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from nki_mlir.analysis.indices import expr_of, is_run_time, repeated_loops, trip_count
from nki_mlir.analysis.limits import Varying, left_of, parts_of, varying
from nki_mlir.dialects import neuron_isa as isa
from nki_mlir.dialects.access import Access, Engine
from nki_mlir.dialects.alu import Alu
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.instructions.tensor import LOADED
from nki_mlir.dialects.neuron_engine import ATOMIC, AllocOp, EngineInstruction, ScalarOp, ViewOp, constant_float
from nki_mlir.dialects.neuron_engine_views import distance
from nki_mlir.dialects.neuron_isa import Comparison
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.tile import BeginProgramOp, arg_names
from nki_mlir.errors import CompileError
from nki_mlir.passes.levels import ENGINE, LEGAL
from nki_mlir.passes.needs import Needs, condition_of
from nki_mlir.passes.normalize_loops import counted, step_of
from nki_mlir.passes.stream import LESS, Stream, branch, is_computed, loop, loop_while


class Places:
    """What all streams of a function call alike: the number of each instruction (of each load of a scalar, by its
    engine), of each loop, and of each region of run-time control flow (`after`: of what follows the condition of a
    while). `engines` has, for each of these, which have work in it, `texts` what a block has for each, `varying` what
    varies of each engine's instructions in a loop; `grid` and `widths` are those of the kernel's programs."""

    def __init__(self, func: FuncOp):
        self.func, self.names, self.needs = func, arg_names(func), Needs(func)
        self.orders: dict[tuple[Operation, Engine], int] = {}
        self.loops: dict[Operation, int] = {}
        self.regions: dict[Operation, int] = {}
        self.after: dict[Operation, int] = {}
        self.engines: dict[Operation, set[Engine]] = {}
        self.texts: dict[tuple[Block, Engine], list[Operation]] = {}
        self.varying: dict[tuple[Operation, Engine], list[tuple[Varying, ...]]] = {}
        self.grid: tuple[int, ...] = ()
        self.widths: tuple[int, ...] = ()
        self._order = self._region = 0
        self._around: list[Operation] = []
        self._block(func.body.block)

    def by_first(self) -> list[Engine]:
        """The engines that have work, from the one whose comes first."""
        return list(dict.fromkeys(engine for _, engine in self.orders))

    def _block(self, block: Block) -> set[Engine]:
        """Numbers what is in a block; gives the engines that work in it."""
        engines: set[Engine] = set()
        for op in block.ops:
            concerned: Iterable[Engine] = ()
            if isinstance(op, ViewOp | AllocOp):
                continue
            if isinstance(op, EngineInstruction):
                engine = op.engine.data
                concerned = (engine,)
                engines.add(engine)
                self.orders[op, engine] = self._order
                self._order += len(op.instruction.expands_to) or 1
                if found := varying(op):
                    for outer in self._around:
                        self.varying.setdefault((outer, engine), []).append(found)
            elif isinstance(op, BeginProgramOp):
                assert isinstance(op.grid, DenseArrayBase)
                concerned, self.grid = Engine, tuple(op.grid.get_values())
                self.widths = tuple(op.widths.get_values()) if op.widths is not None else ()
            elif isinstance(op, ScalarOp):
                concerned = self._scalar(op)
            elif is_run_time(op) or isinstance(op, ForOp):
                concerned = self._control(op)
                engines |= concerned
            elif not LEGAL[ENGINE].allows(op.name) or op.name == "func.call":
                raise CompileError.at(op, f"{op.name} is not an operation of {ENGINE} that a stream can hold")
            elif is_computed(op):
                concerned = self.needs.of(op.results[0])
            for engine in concerned:
                self.texts.setdefault((block, engine), []).append(op)
        return engines

    def _scalar(self, op: ScalarOp) -> Sequence[Engine]:
        if op.view is None:
            raise CompileError.at(op, "a scalar names a view of an allocation or of an argument of the kernel")
        engines = self.needs.of(op.result)
        for engine in engines:
            self.orders[op, engine] = self._order
            self._order += 1
        return engines

    def _control(self, op: Operation) -> set[Engine]:
        if op.results or (isinstance(op, WhileOp) and op.arguments):
            raise CompileError.at(op, f"{op.name} of {ENGINE} carries no values")
        if is_run_time(op):
            self.regions[op] = self._region
            self._region += 1
        elif isinstance(op, ForOp):
            if counted(op)[2] == 0:
                return self.engines.setdefault(op, set())
            self.loops[op] = len(self.loops)
        engines: set[Engine] = set()
        self._around.append(op)
        for number, region in enumerate(op.regions):
            if number and isinstance(op, WhileOp):
                self.after[op] = self._region
                self._region += 1
            for block in region.blocks:
                engines |= self._block(block)
        self._around.pop()
        return self.engines.setdefault(op, engines)


class Writer:
    """Writes the stream of `engine`. Of the counters of the loops around: `iterations` are those of the whole loop, as
    expressions of the stream's repeats, `ranges` the values that they have in what is being written, for which `slots`
    has those of buffers."""

    def __init__(self, places: Places, engine: Engine):
        self.places, self.engine, self.stream = places, engine, Stream()
        self.program_now: BeginProgramOp | None = None
        self.iterations: dict[SSAValue, Expr] = {}
        self.ranges: dict[SSAValue, tuple[int, int]] = {}
        self.slots: dict[AllocOp, Expr] = {}
        self.nests: dict[Block | None, list[tuple[SSAValue, int]]] = {}

    def text(self) -> list[Operation]:
        self.block(self.places.func.body.block)
        return self.stream.levels[0]

    def block(self, block: Block) -> None:
        outer = self.program_now
        for op in self.places.texts.get((block, self.engine), ()):
            self.operation(op)
        self.program_now = outer

    def scalar(self, op: ScalarOp) -> None:
        order, view = self.places.orders[op, self.engine], op.view
        assert view is not None
        access = self.access(view, view.access, self.offset(view))
        self.stream.load(op.result, access, order, op)

    def operation(self, op: Operation) -> None:
        match op:
            case EngineInstruction():
                self.instruction(op)
            case BeginProgramOp():
                self.program_now = op
            case ScalarOp():
                self.scalar(op)
            case IfOp():
                self.branch(op)
            case WhileOp():
                self.loop_while(op)
            case ForOp() if is_run_time(op):
                self.run_time_loop(op)
            case ForOp():
                self.loop(op)
            case _:
                self.stream.compute(op)

    def loop(self, op: ForOp) -> None:
        """A repeat, or several, one after the other, where what limits leave of this stream's instructions changes."""
        low, step, trips = counted(op)
        counter, number = op.body.block.args[0], self.places.loops[op]
        depth = len(self.iterations)
        for part in parts_of(op, self.places.varying.get((op, self.engine), ()), self.ranges):
            self.slots.clear()
            self.iterations[counter] = Expr.counter(depth) + part.first
            self.ranges[counter] = part.low, part.high
            self.stream.values[counter] = self.iterations[counter] * step + low
            body = self.inside(op.body.block)
            if body:
                whole = (part.first, trips) if part.end - part.first < trips else None
                self.stream.add(isa.RepeatOp(part.end - part.first, body, number, whole), op)
        self.iterations.pop(counter)
        self.ranges.pop(counter)
        self.slots.clear()

    # Run-time control flow.

    def inside(self, block: Block) -> list[Operation]:
        """The text of a block."""
        self.stream.open()
        self.block(block)
        return self.stream.close()

    def branch(self, op: IfOp) -> None:
        condition = self.stream.operand(self.stream.value(op.cond, op), op)
        sides = [self.inside(block) for region in (op.true_region, op.false_region) for block in region.blocks]
        then, otherwise = (*sides, list[Operation]())[:2]
        number = self.places.regions[op]
        self.stream.add(branch(Comparison.NE, condition, Expr(0), then, otherwise, number), op)

    def run_time_loop(self, op: ForOp) -> None:
        """Counts in a register, up to a number of iterations where it is the difference of a register and a constant;
        else for as long as it is below its bound."""
        stream, step = self.stream, step_of(op)
        low, high = stream.value(op.lb, op), stream.value(op.ub, op)
        if len((high - low).registers()) > 1:
            self.loop_below(op)
            return
        trips = stream.operand(stream.flat((high - low + (step - 1)).floordiv(step), op), op)
        register = stream.register(op)
        stream.values[op.body.block.args[0]] = Expr.register(register) * step + low
        body = self.inside(op.body.block)
        stream.add(loop(register, trips, body, self.places.regions[op]), op)

    def loop_below(self, op: ForOp) -> None:
        stream, counter = self.stream, op.body.block.args[0]
        low, high = (stream.operand(stream.value(value, op), op) for value in (op.lb, op.ub))
        counted = stream.values[counter] = Expr.register(stream.move(low, op))
        (count,) = counted.registers()
        goes_on = stream.register(op)
        stream.compare(LESS, counted, high, op, goes_on)
        stream.open()
        self.block(op.body.block)
        stream.alu(Alu.ADD, counted, Expr(step_of(op)), op, count)
        stream.compare(LESS, counted, high, op, goes_on)
        stream.add(loop_while(goes_on, stream.close(), self.places.regions[op]), op)

    def loop_while(self, op: WhileOp) -> None:
        """The condition is computed at the start of each iteration, whose rest is a branch."""
        stream = self.stream
        goes_on, end = stream.move(Expr(1), op), condition_of(op)
        stream.open()
        self.block(op.before_region.block)
        stream.move(stream.operand(stream.value(end.condition, end), end), end, goes_on)
        after = self.inside(op.after_region.block)
        stream.add(branch(Comparison.NE, Expr.register(goes_on), Expr(0), after, [], self.places.after[op]), op)
        stream.add(loop_while(goes_on, stream.close(), self.places.regions[op]), op)

    # Instructions.

    def instruction(self, op: EngineInstruction) -> None:
        if (found := left_of(op, self.ranges)) is None:
            return
        values, operands = op.values(), dict[str, Access | float | None]()
        for operand in op.instruction.operands:
            value = values.get(operand.name)
            if value is not None:
                view = value.owner
                named = isinstance(view, ViewOp)
                operands[operand.name] = self.access(view, *found[operand.name]) if named else constant_float(value)
        fields = dict[str, Attribute | None]()
        for field in op.instruction.fields:
            value = values.get(field.name)
            if field.kind != "expr":
                fields[field.name] = op.properties.get(field.name)
            elif value is not None:
                fields[field.name] = isa.ExprAttr(self.stream.value(value, op))
        order = self.places.orders[op, self.engine]
        if parts := op.instruction.expands_to:
            loaded = {name: operands.pop(name) for name in LOADED if name in operands}
            self.add(op, parts[0], loaded, fields, order)
            self.add(op, parts[1], operands, fields, order + 1)
        else:
            made = self.add(op, op.instruction.name, operands, fields, order)
            if op.instruction.is_transfer and self.program_now is not None and ATOMIC not in op.attributes:
                made.properties["program"] = isa.ExprAttr(self.stream.value(self.program_now.number, op))

    def add(
        self,
        op: EngineInstruction,
        name: str,
        operands: dict[str, Access | float | None],
        fields: Mapping[str, Attribute | None],
        order: int,
    ) -> isa.IsaInstruction:
        if (reason := _needs_descriptors(op, operands)) is not None:
            raise CompileError.at(op, reason)
        try:
            made = isa.instruction_op(name, operands, fields, order=order)
        except VerifyException as error:  # an address or a count that does not fit its field
            raise CompileError.at(op, f"{name}: {error}") from None
        return self.stream.add(made, op)

    def offset(self, view: ViewOp) -> Expr:
        return Expr(0) if view.offset is None else expr_of(view.offset)

    def access(self, view: ViewOp, access: Access, offset: Expr) -> Access:
        """The pattern, from an offset in elements on."""
        address = self.stream.expr(offset, view) * access.itemsize
        source = view.source
        if isinstance(source, BlockArgument) and source.block is self.places.func.body.block:
            return replace(access, address=address, tensor=self.places.names[source.index])
        alloc = source.owner
        if not isinstance(alloc, AllocOp):
            raise CompileError.at(view, "a view names an argument of the kernel or an allocation")
        if alloc.address is None:
            raise CompileError.at(alloc, "a buffer has no address; run allocate first")
        if alloc not in self.slots:
            self.slots[alloc] = self.slot(alloc) + alloc.address.value.data
        return replace(access, address=address + self.slots[alloc])

    def slot(self, alloc: AllocOp) -> Expr:
        """The offset of the slot that this iteration uses: the iteration number of the enclosing nest, mod depth."""
        depth = alloc.depth.value.data
        if depth == 1:
            return Expr(0)
        if alloc.parent not in self.nests:
            loops = repeated_loops(alloc)
            self.nests[alloc.parent] = [(outer.body.block.args[0], trip_count(outer) or 0) for outer in loops]
        iteration = Expr(0)
        for counter, trips in self.nests[alloc.parent]:
            iteration = iteration * trips + self.iterations[counter]
        return iteration.mod(depth) * distance(alloc, target_of(alloc))


def _needs_descriptors(op: EngineInstruction, operands: Mapping[str, Access | float | None]) -> str | None:
    """What is wrong with a transfer whose address is known at run time only: who makes its descriptors then?"""
    accesses = [access for access in operands.values() if isinstance(access, Access)]
    in_registers = any(access.address is not None and access.address.registers() for access in accesses)
    if not in_registers or not op.instruction.is_transfer or op.fields().get("dge_mode") in ("swdge", "hwdge"):
        return None
    hardware = ', or "hwdge" on sync or scalar' if target_of(op).features.hardware_descriptors else ""
    return f'an address of this transfer is known at run time only; it takes dge_mode "swdge" on gpsimd{hardware}'
