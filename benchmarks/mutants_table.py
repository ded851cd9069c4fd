"""The mutants of passes and analyses: a line, what it is changed to, and the tests that should notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent / "nki_mlir"


@dataclass(frozen=True)
class Mutant:
    """`old`, which is once in the file of the pass, becomes `new`; `tests` are arguments of pytest."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


def _of(file: str, *changes: tuple[str, str, str, tuple[str, ...]]) -> list[Mutant]:
    return [Mutant(f"{file}.{name}", _path(file), old, new, tests) for name, old, new, tests in changes]


def _path(file: str) -> str:
    """Where a file of the middle of the compiler is: a pass, what passes ask, or what they rewrite."""
    folders = ("passes", "analysis", "dialects")
    return next(f"nki_mlir/{folder}/{file}.py" for folder in folders if (_PACKAGE / folder / f"{file}.py").exists())


def _filecheck(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/filecheck/passes/{name}.mlir" for name in names)


def _dialect(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/filecheck/dialects/{name}.mlir" for name in names)


def _loops(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/test_loops.py::test_{name}" for name in names)


def _agree(*cases: str) -> tuple[str, ...]:
    return tuple(f"tests/test_levels_agree.py::test_levels_agree[{case}]" for case in cases)


def _random(seeds: int) -> tuple[str, ...]:
    return tuple(f"tests/test_random_programs.py::test_program_order_is_kept[{seed}]" for seed in range(seeds))


def _invalid(*names: str) -> tuple[str, ...]:
    return _filecheck(*(f"{name}_invalid" for name in names))


def _tests(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/{file}.py::test_{name}" for name in names)


def _wide(name: str) -> tuple[str, ...]:
    return _tests("test_int64_promotion", name)


_DIVISION = ("tests/test_division.py::test_known_divisors[24]",)
_NEGATIVE = ("tests/test_division.py::test_known_divisors[-65537]",)
_SIGNS = ("tests/test_division.py::test_indices_of_either_sign",)
_ORDER = ("tests/test_grids.py::test_programs_that_are_written_out_keep_their_order",)
_STEPS = ("tests/test_induction.py",)
_GRIDS = ("tests/test_grids.py",)
_INDICES = ("tests/test_index_arithmetic.py",)
_COORDINATES = ("tests/test_coordinates.py",)
_SHARED = ("tests/test_shared_semaphores.py",)
_MATMUL = ("tests/test_end_to_end.py::test_matmul_blocks_larger_and_smaller_than_the_array",)
_SPLIT = _filecheck("split-reductions")
_ALONG = ("tests/test_along_a_dimension.py",)
_WRONG = ("tests/test_wrong_input.py",)
_ZEROS = _tests("test_products", "zeros_of_one_factor_are_multiplied")
_PARTS = ("tests/test_waits_of_parts.py", *_filecheck("insert-semaphores_limits"), "tests/test_limits.py", *_random(40))
_EDGES = ("tests/test_dependences.py",)
_CONVERTS = ("tests/test_converts.py",)

_RECOGNIZED = _tests(
    "test_recognized_functions", "what_differs_stays", "elements_of_16_bits_stay", "a_doubled_argument_may_overflow"
)
_GATES = _filecheck("recognize-functions")
_CARRIED = _filecheck("carried-indices")
_ADDED = "constant_factors_and_what_else_is_added"
_FINITE = "what_is_not_finite_stays_in_its_row"
_WORDS = ("tests/test_int64.py::test_sums_of_64_bits",)

MUTANTS: list[Mutant] = [
    *_of(
        "normalize_loops",
        ("start", "* step + low)", "* step)", _loops("counters")),
        ("step", "Expr.counter(counter) * step + low", "Expr.counter(counter) + low", _loops("counters")),
        ("one", "elif trips == 1 and", "elif trips <= 2 and", _loops("counters")),
        ("start alone", "elif (low, step) != (0, 1):", "elif low != 0:", _filecheck("normalize-loops")),
        ("computed", "isinstance(bound.owner, ConstantOp)", "True", _filecheck("normalize-loops")),
        ("one starts at zero", "emit.expr(Expr(low))", "emit.expr(Expr(0))", _loops("counters")),
        (
            "inner loops of one that is gone",
            "if loop.parent is not None and not (",
            "if not (",
            _filecheck("normalize-loops"),
        ),
        ("type", "if not isinstance(loop.lb.type, IndexType):", "if False:", _filecheck("normalize-loops_invalid")),
    ),
    *_of(
        "indices",
        ("trips rounded down", "-(-(high - low) // step))", "(high - low) // step)", _loops("counters")),
        ("negative trips", "max(0, -(-(high - low) // step))", "-(-(high - low) // step)", _loops("counters")),
        ("backward step", "or step is None or step < 1:", "or step is None:", _loops("bounds_that_are_nowhere")),
        (
            "range without step",
            "low + step * (trips - 1)",
            "low + (trips - 1)",
            ("tests/test_index_arithmetic.py::test_the_range_of_a_counter",),
        ),
        ("division of negatives", "if low >= 0 or isinstance(op, arith.FloorDivSIOp):", "if True:", _INDICES),
        ("division of none above zero", "divide(left * -1, right.const) * -1", "divide(left, right.const)", _SIGNS),
        ("sign", "max(-low, high) + 1) * -1", "max(-low, high)) * -1", _SIGNS),
        ("division by negatives", "if not right.is_const or right.const <= 0:", "if not right.is_const:", _INDICES),
        (
            "remainder",
            "modulo if isinstance(op, arith.RemSIOp)",
            "modulo if isinstance(op, arith.DivSIOp)",
            _INDICES,
        ),
        ("quotient of a range", "if low == high:", "if low <= high:", _INDICES),
        (
            "smaller",
            "if low < 0 < high:",
            "if low < 1 < high:",
            ("tests/test_index_arithmetic.py::test_extremes",),
        ),
        (
            "minimum",
            "isinstance(op, arith.MinSIOp) == (high <= 0)",
            "isinstance(op, arith.MaxSIOp) == (high <= 0)",
            ("tests/test_index_arithmetic.py::test_extremes",),
        ),
        (
            "constant tensors",
            "return self.offset.is_const and not any(self.strides)",
            "return self.offset.is_const",
            ("tests/test_index_arithmetic.py::test_a_product_of_indices",),
        ),
        (
            "difference",
            "index_tensor(op.lhs) + index_tensor(op.rhs) * -1\n",
            "index_tensor(op.lhs) + index_tensor(op.rhs)\n",
            ("tests/test_index_arithmetic.py::test_index_tensors",),
        ),
        ("expand", "return (*strides[:axis], 0, *strides[axis:])", "return (0, *strides)", _agree("add_2d")),
        (
            "broadcast",
            "tuple(0 if src != dst else stride for",
            "tuple(stride for",
            ("tests/test_index_arithmetic.py::test_index_tensors",),
        ),
        (
            "reach",
            "high + sum(max(0, s) for s in spans)",
            "high",
            ("tests/test_index_arithmetic.py::test_a_division_of_indices",),
        ),
    ),
    *_of(
        "induction",
        ("final", "trips is None else emit.index(trips)", "trips is None else emit.index(trips - 1)", _STEPS),
        ("negative", "if part.negative:", "if False:", _STEPS),
        ("narrow", "trips > limits(element)[1]", "False", _filecheck("induction")),
        ("data", "or _is_data([carried.start,", "or False and _is_data([carried.start,", _filecheck("induction")),
        ("before", "rest - step - start.offset", "rest - start.offset", _STEPS),
        ("last", "after.index(trips - 1)}", "after.index(trips)}", _STEPS),
    ),
    *_of(
        "structure_accesses",
        (
            "pointer",
            "return memory, place + place_of(op.offset)",
            "return memory, place_of(op.offset)",
            ("tests/test_index_arithmetic.py::test_pointers",),
        ),
        (
            "coordinate",
            "offset = offset - bound.rest * step",
            "offset = offset - bound.rest",
            _filecheck("structure-accesses"),
        ),
    ),
    *_of(
        "programs_to_loops",
        (
            "position",
            "    for size in reversed(grid):\n"
            "        place.append(number % size)\n        number //= size\n    return place[::-1]",
            "    for size in grid:\n        place.append(number % size)\n        number //= size\n    return place",
            _ORDER,
        ),
        (
            "divisor",
            "1 < d < trips and trips % d == 0",
            "1 < d < trips",
            ("tests/test_grids.py::test_divided_program_ids",),
        ),
        ("nest", "Expr.counter(counter) * divisor +", "Expr.counter(counter) +", _filecheck("programs-to-loops")),
        ("outer trips", "outer.index(trips // divisor)", "outer.index(trips)", _filecheck("programs-to-loops")),
        (
            "named",
            "for op in func.body.block.ops) == 1",
            "for op in func.body.block.ops) > 0",
            _filecheck("programs-to-loops"),
        ),
        ("others", "if op in inside", "if True", _filecheck("programs-to-loops")),
        (
            "most",
            "if count > MOST_UNROLLED:",
            "if count > 2 * MOST_UNROLLED:",
            _filecheck("programs-to-loops_invalid"),
        ),
    ),
    *_of(
        "place",
        ("negation", "FloatAttr(-1.0,", "FloatAttr(1.0,", _agree("functions")),
    ),
    *_of(
        "place_foreign",
        ("level", "if not LEGAL[TILE].allows(op.name) and", "if False and", _filecheck("place_invalid")),
        ("control", "isinstance(op.lhs.type, IndexType) and decides", "decides", _filecheck("place_invalid")),
    ),
    *_of(
        "promote_accumulators",
        ("zero", "owner.value.value.data == 0.0", "owner.value.value.data != 7.0", _filecheck("promote-accumulators")),
        (
            "another use",
            "additions if additions and alike and start.has_one_use()",
            "additions if additions and alike",
            _filecheck("promote-accumulators"),
        ),
        ("loops", "        normalize_all(op)  #", "        #", _filecheck("promote-accumulators")),
    ),
    *_of(
        "split_to_hardware_tiles",
        ("terms", "for k in range(terms))", "for k in range(1))", _filecheck("split-to-hardware-tiles")),
        ("turns", "(k + lag * number, number", "(number, number", _filecheck("split-to-hardware-tiles")),
        ("part", "[m, n, k])", "[n, m, k])", _filecheck("split-to-hardware-tiles")),
        ("few", "        return 0\n", "        return 1\n", _filecheck("split-to-hardware-tiles")),
        (
            "chain",
            "operands = [matmul.lhs, matmul.rhs, acc]",
            "operands = [matmul.lhs, matmul.rhs, matmul.acc]",
            _filecheck("split-to-hardware-tiles"),
        ),
    ),
    *_of(
        "transfer_pieces",
        ("run", "if walk.legs[1][slowest].stride == 1:", "if False:", _filecheck("select-instructions_transfers")),
        ("bytes", "size // least", "size", _filecheck("select-instructions_transfers")),
        (
            "rows",
            "return 0 if products and",
            "return None if products and",
            _filecheck("select-instructions_transfers"),
        ),
        (
            "balance",
            "if nbytes <= _BALANCE * busy:",
            "if nbytes <= 4 * _BALANCE * busy:",
            _filecheck("select-instructions_transfers"),
        ),
        ("terms", "at == 1 - use.index", "at == use.index", _filecheck("select-instructions_transfers")),
        ("last", "moves * _MOST * target", "target", _filecheck("select-instructions_transfers")),
        ("turned", ".index(dim)", "[0]", _filecheck("select-instructions_transfers")),
    ),
    *_of(
        "loop_cuts",
        ("carried", "carried = list(segment.results)", "carried = list(loop.iter_args)", _filecheck("bound-loops")),
    ),
    *_of(
        "limited_parts",
        ("rest", "if high % unit]", "if high % unit > 1]", _filecheck("select-instructions_limits")),
        ("guard", "above = [*whether, *(", "above = [*(", _filecheck("select-instructions_limits")),
        ("what is short", "Expr(one.size) - one.end", "one.end", _loops("ragged_ends")),
        ("front", "if bounds(one.begin)[1] > 0:", "if False:", _filecheck("select-instructions_limits")),
    ),
    *_of(
        "terms",
        ("both factors", "if end is None or end != _end_of_factor(op.rhs, 0):", "if end is None:", _ZEROS),
        ("no zeros", " or load.other.value.data:", ":", _filecheck("select-instructions_limits")),
        ("begins", "if accumulation.always:", "if True:", _filecheck("select-instructions_limits")),
        ("unfilled", "dims = {1 - use.index", "dims = {use.index", _filecheck("select-instructions_limits")),
    ),
    *_of(
        "valid",
        (
            "lower end",
            "if high < self.size else []",
            "if high > self.size else []",
            _filecheck("select-instructions_limits"),
        ),
    ),
    *_of(
        "combine_functions",
        (
            "sign",
            "bias, negative = _Term(value, not reverse), bool(reverse)",
            "bias, negative = _Term(value), bool(reverse)",
            _filecheck("combine-instructions"),
        ),
        (
            "read again",
            '"tensor_scalar")\n    if inner is None or not is_read_once(inner):',
            '"tensor_scalar")\n    if inner is None:',
            _filecheck("combine-instructions"),
        ),
    ),
    *_of(
        "combine_functions",
        ("root", "is not Function.SQRT", "is None", _filecheck("combine-instructions")),
        (
            "root that is read again",
            'not is_read_once(inner) or not keeps_bits(inner) or inner.fields()["reduce_cmd"] is not None',
            "not keeps_bits(inner)",
            _filecheck("combine-instructions"),
        ),
        (
            "unread results",
            "kept = None if is_read_once(inner) else ",
            "kept = ",
            _filecheck("combine-instructions"),
        ),
    ),
    *_of(
        "combine_reductions",
        ("rounded", "not (keeps_bits(inner) or", "not (True or", _filecheck("combine-instructions_reductions")),
        ("maxima", 'fields["op"] is Alu.MAXIMUM and ', "", _filecheck("combine-instructions_reductions")),
        ("read", "None if is_read_once(inner) else ", "None and ", _filecheck("combine-instructions_reductions")),
        ("below", "or constant_float(most) < 0", "", _filecheck("combine-instructions_reductions")),
        ("first", "starts and list(", "list(", _filecheck("combine-instructions_reductions")),
    ),
    *_of(
        "select_elementwise",
        ("side", "reverse_pred=reverse)\n        return", ")\n        return", _filecheck("select-instructions")),
        ("one over", "constant_attr(op.lhs)) == 1", "constant_attr(op.lhs)) == 2", _filecheck("select-instructions")),
    ),
    *_of("bufferize", ("read results", "or made[0].uses or", "or", _filecheck("bufferize"))),
    *_of(
        "combine_rows",
        ("long", " / SHARE", " * 1e6", _filecheck("combine-instructions")),
        ("sides", '"reverse0": bool(reverse)', '"reverse0": False', _filecheck("combine-instructions")),
        ("slow rows", "if count * _time(c, first) <= most:", "if True:", _filecheck("combine-instructions")),
        (
            "sums that are read",
            " or not is_read_once(inner):\n        return None\n    sums",
            ":\n        return None\n    sums",
            _filecheck("combine-instructions"),
        ),
        ("where sums go", "before and before.tiles[1]", "None", _filecheck("combine-instructions")),
    ),
    *_of(
        "combiner", ("in order", "dims=tuple(contiguous(access.dims))", "dims=()", _filecheck("combine-instructions"))
    ),
    *_of(
        "combine_sums",
        ("parts read twice", "or not is_read_once(copy) ", "", _filecheck("combine-instructions")),
        (
            "parts that are scaled",
            "if sums is None or scaled or",
            "if sums is None or",
            _filecheck("combine-instructions"),
        ),
        ("room for parts", " or not use.may_stay(sums.source, copy, op)", "", _filecheck("combine-instructions")),
    ),
    *_of("place", ("one for each", "list(op.result.uses)[1:]", "list(op.result.uses)[2:]", _filecheck("place"))),
    *_of(
        "hoist_loads",
        ("stored wide", "return widens and all(", "return widens or all(", _filecheck("hoist-loads")),
        (
            "through casts",
            "dict.fromkeys(map(_stored, op.operands))",
            "dict.fromkeys(op.operands)",
            _filecheck("hoist-loads"),
        ),
    ),
    *_of("rows", ("first", "if start:", "if False:", _filecheck("combine-instructions"))),
    *_of(
        "combine_operators",
        ("sides", 'reverse1=name == "data2"', "reverse1=False", _filecheck("combine-instructions")),
    ),
    *_of(
        "stage_in_psum",
        (
            "sides",
            '("data2", "data1") if fields["reverse1"]',
            '("data1", "data2") if fields["reverse1"]',
            _filecheck("stage-in-psum"),
        ),
        ("sums", "SUMS * sums", "sums", _filecheck("stage-in-psum")),
        ("rounded", " or not keeps_bits(made)", "", _filecheck("stage-in-psum")),
        ("read twice", " and is_read_once(made)", "", _filecheck("stage-in-psum")),
        ("few", "and is_long(loop)", "", _filecheck("stage-in-psum")),
        ("bound", "least = relieved(self.work, now)", "least = 1e9", _filecheck("stage-in-psum")),
        ("pieces", "rows.row(number, ", "rows.row(0, ", _filecheck("stage-in-psum")),
        ("room", "size // n <= most", "True", _filecheck("stage-in-psum")),
    ),
    *_of(
        "region_costs",
        ("gain", "busiest - min(", "busiest + min(", _filecheck("stage-in-psum")),
        ("less", "((-1, less), (1, more))", "((0, less), (1, more))", _filecheck("stage-in-psum")),
    ),
    *_of(
        "assign_engines",
        ("few", "REPEATED = 4", "REPEATED = 1", _filecheck("assign-engines")),
        ("around", "(loop, *enclosing_loops(loop))", "(loop,)", _filecheck("assign-engines")),
        (
            "integers",
            "is_float(value) or (not is_written",
            "True or (not is_written",
            _filecheck("assign-engines"),
        ),
        (
            "time to follow",
            "in engines and max(after.values()) <= max(self.work.values())",
            "in engines",
            _filecheck("assign-engines"),
        ),
        (
            "sums alone follow",
            'case "tensor_tensor" if fields["op"] is Alu.ADD:',
            'case "tensor_tensor":',
            _filecheck("assign-engines"),
        ),
        ("read at once", "all(user in found or", "any(user in found or", _filecheck("assign-engines")),
        ("waits for nobody", "if self._hangs_on(one, mine)}", "}", _filecheck("assign-engines")),
        ("transfers wait", "if not self._is_short(one)}\n        for", "}\n        for", _filecheck("assign-engines")),
    ),
    *_of(
        "hoist_loads",
        ("written", "or self.memories[op.memory] in written", "", _filecheck("hoist-loads")),
        ("room", "or more > self.room", "", _filecheck("hoist-loads")),
        ("later", "self.all_room - inside", "self.room", _filecheck("hoist-loads")),
        ("given back", "self.room += self.taken.pop(value)", "self.taken.pop(value)", _filecheck("hoist-loads")),
        (
            "still read",
            "self.taken and not _is_read(value, loop)",
            "self.taken and _is_read(value, loop)",
            _filecheck("hoist-loads"),
        ),
        ("empty loops", "if not is_run_time(loop) and", "if", _filecheck("hoist-loads")),
    ),
    *_of(
        "reblock",
        (
            "place",
            "return steps is not None and steps[0] == steps[1] * row.block",
            "return True",
            _filecheck("reblock"),
        ),
        ("divides", "any(b % a for a, b in pairwise(ends))", "False", _filecheck("reblock")),
        ("end", "and not found.ends_everywhere(end)", "and False", _filecheck("reblock")),
        ("scans", "self.dims.get(op.result) == op.axis.value.data", "False", _filecheck("reblock")),
        ("needs", "and not isinstance(need.op, tile.StoreOp)", "and False", _filecheck("reblock")),
        ("order", "return all(are_independent(copy, axis) for axis in axes)", "return True", _filecheck("reblock")),
        ("size", "size=None if size is None else size // by", "size=size", _filecheck("reblock")),
        ("factor", "first * factor", "first", _filecheck("reblock")),
    ),
    *_of(
        "repeated_loads",
        ("limits", "or any(part.dim in limit.dims for limit in limits)", "", _filecheck("structure-accesses")),
        ("start", "or modulo(inner.offset, by) != Expr(0)", "", _filecheck("structure-accesses")),
        ("around", "self.dim + (not self.around)", "self.dim", _filecheck("structure-accesses")),
    ),
    *_of(
        "equalize_trips",
        (
            "unmasked",
            "least = unmasked(loop, [low + n * step for n in range(least)]) or least",
            "pass",
            _filecheck("equalize-trips"),
        ),
        ("none", "min(some) == 0 < max(some) and needs_a_step", "False and needs_a_step", _filecheck("equalize-trips")),
        ("order", "if not keeps_order and not all", "if False and not all", _filecheck("equalize-trips")),
        ("rest", "+ least - trips).apply()", "- trips).apply()", ("tests/test_uneven_trips.py",)),
        ("few", "> self.programs.grid[self.axis]\n", "> 0\n", _filecheck("equalize-trips")),
        ("runs", "by_id[n] != by_id[n - 1]", "n % 2 == 1", _filecheck("equalize-trips")),
    ),
    *_of(
        "apart",
        ("slices", "self.places[value], number, 1)", "self.places[value], 0, 1)", ("tests/test_causal_groups.py",)),
        (
            "ids",
            "self.build.emit.expr(Expr(number))",
            "self.build.emit.expr(Expr(0))",
            ("tests/test_causal_groups.py",),
        ),
        ("uneven", "return is_uneven or any(", "return any(", ("tests/test_causal_groups.py",)),
    ),
    *_of(
        "idle_steps",
        ("masked", "if self._is_masked(value, dim):", "if False:", _filecheck("equalize-trips")),
        ("lowest", "self._lower(op.source, op.axis.value.data)", "pass", _filecheck("equalize-trips")),
        ("outside", "and not _is_inside(op)", "and False", _filecheck("equalize-trips")),
        ("zero", "        if self._is_zero(value):", "        if True:", _filecheck("equalize-trips")),
        (
            "writes",
            "    if not all(isinstance(op, tile.ReadOp)",
            "    if False and not all(isinstance(op, tile.ReadOp)",
            _filecheck("equalize-trips"),
        ),
    ),
    *_of(
        "share_loads",
        ("written", "and self._is_unchanged(first, op)", "", _filecheck("share-loads")),
        ("room", "and self._has_room(first)", "", _filecheck("share-loads")),
    ),
    *_of(
        "share_windows",
        ("written", "if self.memories[group[0].load.memory] in written", "if False", _filecheck("share-windows")),
        ("common", "place is None or place > end", "place is None", _filecheck("share-windows")),
        ("neighbours", "not self._is_sooner(type_, union, one)", "False", _filecheck("share-windows")),
        ("room", "type_.bytes > self.room", "False", _filecheck("share-windows")),
        ("limits", "if limits is None or not", "if not", _filecheck("share-windows")),
        ("left out alike", " or not _leave_out_alike(windows)", "", _filecheck("share-windows")),
        ("limits of others", "coordinates += [guard(limit, low=0) for limit in more]", "", _filecheck("share-windows")),
        ("along", "if stride and layout.is_along(dim)", "if stride", _filecheck("share-windows")),
        ("elements", "if layout.elements == 1", "if False", _filecheck("share-windows")),
        ("again", "while any([self", "if any([self", _filecheck("share-windows")),
        ("first", "first = load if load.is_before_in_block(first) else first", "pass", _filecheck("share-windows")),
        ("place", "places[dim] + place if", "places[dim] if", ("tests/test_windows.py",)),
    ),
    *_of(
        "diagonal_products",
        ("check", "iterations * (added - multiplied) > CHECK", "added > multiplied", _filecheck("diagonal-products")),
        ("transfers", "max(moved, number * prices", "max(0, number * prices", _filecheck("diagonal-products")),
        ("again", "or not _may_run_again(func)", "", _filecheck("diagonal-products")),
        ("room", "<= target.memory.psum_bytes", "> 0", _filecheck("diagonal-products")),
        (
            "fp16",
            "as op if not isinstance(tile.element_of(value), Float16Type):",
            "as op:",
            _tests("test_diagonal_products", "products_rounded_to_fp16_are_left_alone"),
        ),
        ("undefined", 'getattr(op, "undefined", None) is None and', "", _filecheck("diagonal-products")),
        ("others", "    for other in one.others:", "    for other in ():", _tests("test_diagonal_products", _ADDED)),
        ("constants", "if factor == 1.0:", "if True:", _tests("test_diagonal_products", _ADDED)),
        ("nan", "Predicate.NE, value, value", "Predicate.LT, value, value", _tests("test_diagonal_products", _FINITE)),
    ),
    *_of(
        "narrowing",
        ("piece", "Expr.counter(piece) * width", "Expr.counter(piece)", _filecheck("diagonal-products")),
        ("elements", "not all(_may_narrow(op) for", "not all(True for", _filecheck("diagonal-products")),
        ("all alike", "tile.shape_of(op.source)[_LINE] == 1", "False", _filecheck("diagonal-products")),
    ),
    *_of(
        "carrying",
        (
            "no loop",
            "[start, *inside][: len(loops)]",
            "[start, *inside[:-1]]",
            _tests("test_diagonal_products", _ADDED),
        ),
        ("inside", "change(inside[-1] if inside else start)", "change(start)", ("tests/test_reuse_loads.py",)),
    ),
    *_of(
        "reuse_loads",
        ("written", "and self.memories[load.memory] not in written", "", _filecheck("reuse-loads")),
        ("partial", "and not load.is_partial", "", _filecheck("reuse-loads")),
        ("changes", "and all(value is counter or not is_within", "and any(not is_within", _filecheck("reuse-loads")),
        ("held", "stays = held + tile_type", "stays = tile_type", _filecheck("reuse-loads")),
        ("alive", "and stays + _alive(outer) <= self.most", "", _filecheck("reuse-loads")),
        ("part", "PART = 8", "PART = 1000", _filecheck("reuse-loads")),
        ("first", "Expr(1) - Expr.counter", "Expr(0) - Expr.counter", ("tests/test_reuse_loads.py",)),
    ),
    *_of(
        "pieces",
        ("bounds", "if not 0 <= low <= size - count:", "if False:", _dialect("neuron_mem/pieces_invalid")),
        ("over the end", "if not (inside or", "if not (True or", _dialect("neuron_mem/pieces_invalid")),
        ("spots", "size=taken[spot.dim, spot.step])", "size=1)", ("tests/test_pieces.py",)),
    ),
    *_of(
        "bufferize",
        ("changing places", "if source in places:", "if False:", _loops("carried_values_that_change_places")),
        (
            "start",
            "            self._hand(loop, loop.iter_args",
            "            0 and self._hand(loop, loop.iter_args",
            (*_loops("a_start_that_is_used_again"), *_filecheck("bufferize")),
        ),
        (
            "written over",
            "            self._redirect(at",
            "            0 and self._redirect(at",
            _filecheck("bufferize"),
        ),
    ),
    *_of(
        "tile_spans",
        ("next iteration", "at = self.ends[op] * _STEP + AT + 1", "pass", _filecheck("bufferize")),
        ("another order", 'if not same or operand.shape != "full":', "if False:", _filecheck("bufferize")),
        (
            "read again",
            "if any(self._meets(a, span) for span in self._spans[b]):",
            "if False:",
            _filecheck("bufferize"),
        ),
    ),
    *_of(
        "select_instructions",
        ("loops", "        normalize_all(op)\n", "", _loops("a_sum_in_psum")),
        ("arguments", "            check_arguments(func)\n", "", _filecheck("select-instructions_invalid")),
    ),
    *_of(
        "select_masks",
        (
            "end",
            "(Alu.LESS, high)",
            "(Alu.LESS_EQUAL, high)",
            ("tests/test_index_arithmetic.py::test_masks_as_values",),
        ),
    ),
    *_of(
        "select_matmul",
        ("rows", "step * others.step", "step", ("tests/test_rows_in_runs.py",)),
        (
            "writes",
            "                if _piece(op) == piece:",
            "                if True:",
            _loops("a_loop_that_writes_a_part_of_a_sum"),
        ),
        (
            "first iteration",
            "emit.value(AddiOp(total, counter))",
            "counter",
            _loops("a_loop_that_writes_a_part_of_a_sum"),
        ),
        ("same piece", "if _piece(previous) == _piece(op):", "if True:", _MATMUL),
    ),
    *_of(
        "select_elementwise",
        (
            "reverse",
            "_constant(op.lhs, emit), result, emit, reverse=True)",
            "_constant(op.lhs, emit), result, emit)",
            ("tests/test_index_arithmetic.py::test_constants_on_the_left",),
        ),
        (
            "column on the left",
            "_fp32_column(s, left, emit), result, emit, reverse=True)",
            "_fp32_column(s, left, emit), result, emit)",
            _agree("columns"),
        ),
        (
            "choice",
            "op.on_true, op.on_false, True",
            "op.on_true, op.on_false, False",
            _agree("choose_constants", "choose"),
        ),
    ),
    *_of(
        "storage",
        (
            "collapse",
            "merged[-1][0] == step * count",
            "merged[-1][0] >= step * count",
            _filecheck("select-instructions"),
        ),
    ),
    *_of(
        "selector",
        ("guard ahead", "if user.guard is not None and self.guard is None:", "if False:", ("tests/test_pieces.py",)),
        ("other readers", "if before in self.kept:", "if False:", ("tests/test_pieces.py",)),
        ("queues", "self.transfers[engine] % QUEUES", "0", _filecheck("select-instructions")),
        (
            "regions",
            "elif op.regions or _uses_tiles(op):",
            "elif _uses_tiles(op):",
            _filecheck("select-instructions_invalid"),
        ),
    ),
    *_of(
        "emitter",
        ("coefficient", "if coefficient != 1:", "if coefficient > 1:", _INDICES),
        (
            "constant",
            "return total if expr.const == 0 else",
            "return total if expr.const <= 0 else",
            _loops("counters"),
        ),
    ),
    *_of(
        "multi_buffer",
        ("outside", "total = beside + sum(", "total = sum(", _filecheck("multi-buffer")),
        ("largest first", "key=lambda a: self.sizes[a]", "key=lambda a: -self.sizes[a]", _filecheck("multi-buffer")),
        ("behind", "if life.first <= last and first <= life.last", "if True", _filecheck("multi-buffer")),
    ),
    *_of(
        "neuron_engine_views",
        (
            "alignment",
            "-(-alloc.buffer.bytes // unit) * unit",
            "alloc.buffer.bytes",
            _filecheck("emit-streams"),
        ),
    ),
    *_of(
        "start_partitions",
        (
            "together",
            "all(view.source.owner in allocs for view in _rows_of(op))",
            "True",
            _filecheck("allocate"),
        ),
        ("array", "op.engine.data is Engine.TENSOR or", "False or", _filecheck("allocate")),
        ("registers", "or not op.written() or", "or", _filecheck("allocate_invalid")),
        ("views", "access.start - alloc.first_partition + start", "access.start", _filecheck("allocate")),
    ),
    *_of(
        "lifetimes",
        ("slots", "if op.depth.value.data > 1 and", "if op.depth.value.data > 9 and", _filecheck("allocate")),
    ),
    *_of(
        "engine_order",
        ("slot", "iteration.mod(alloc.depth.value.data)", "iteration.mod(1)", ("tests/test_engine_order.py",)),
        ("bases", "ends[alloc.buffer.space] += sizes[alloc]", "pass", ("tests/test_engine_order.py",)),
    ),
    *_of(
        "allocate",
        ("after", "-(-high // unit) * unit)", "-(-low // unit) * unit)", _filecheck("allocate")),
        (
            "meets",
            "if other.first <= last and first <= other.last",
            "if other.first < life.last",
            _filecheck("allocate"),
        ),
        ("gap", "if address + size <= low:", "if address < low:", _filecheck("allocate")),
        ("beside", "if x.start < lanes.stop and lanes.start < x.stop", "", _filecheck("allocate")),
        ("full", "if address + life.size > available:", "if address > available:", _filecheck("allocate_invalid")),
    ),
    *_of(
        "stream_writer",
        ("slot of a nest", "iteration * trips + self", "iteration + self", _filecheck("emit-streams")),
        ("slot", "= self.slot(alloc) + alloc", "= Expr(0) + alloc", _filecheck("emit-streams")),
        ("parts", "            self.slots.clear()\n            self", "            self", _filecheck("emit-streams")),
        ("start", "self.iterations[counter] * step + low", "self.iterations[counter] * step", _loops("counters")),
        ("step", "self.iterations[counter] * step + low", "self.iterations[counter] + low", _loops("counters")),
        (
            "unknown",
            'elif not LEGAL[ENGINE].allows(op.name) or op.name == "func.call":',
            "elif False:",
            _filecheck("emit-streams_invalid"),
        ),
    ),
    *_of(
        "emit_streams",
        ("aliases", "if numbers.count(group) > 1", "if numbers.count(group) > 2", _random(19)[-1:]),
    ),
    *_of(
        "numbering",
        ("share", " or last.instances % group.depth:", ":", _SHARED),
        ("depth", "group.depth != _depth(event) or", "", _SHARED),
        ("last", "shared) < place(edge, shared):", "shared) > place(edge, shared):", _filecheck("insert-semaphores")),
        ("part", "(loops[depth].trips - 1 - at)", "(loops[depth].trips - at)", _filecheck("insert-semaphores")),
        (
            "begin",
            "(trips - edge.begin)).floordiv",
            "(trips - 1 - edge.begin)).floordiv",
            _filecheck("insert-semaphores"),
        ),
        ("last instance", "* inner + inner - event", "* inner + 1 - event", _random(12)),
        ("rises", "rises[depth] * (step.loops[depth].trips - 1)", "rises[depth] * step.loops[depth].trips", _random(6)),
        (
            "distance",
            "            return number - (distance * rises[0] if shared else 0)",
            "            return number",
            _random(12),
        ),
    ),
    *_of(
        "dependences",
        ("writes after reads", "        if not same_engine:\n", "        if False:\n", _random(6)),
        ("apart", "distance = b.begin - a.begin", "distance = 0", _EDGES),
        ("far away", "return last + 1 if last < most and question.meets_later() else None", "return None", _random(40)),
        ("reuse", "if event.instances <= depth:", "if True:", _tests("test_shared_semaphores", "one_at_a_time")),
        ("implied", "if first.distance + second.distance != edge.distance or", "if", _random(20)),
        ("parts imply", "or not (first.is_full and second.is_full):", ":", _filecheck("insert-semaphores")),
        ("part", "edge.is_full and earlier.runs", "earlier.runs", _EDGES),
        ("until", "max(until, self._ends[key][0])", "self._ends[key][0]", _EDGES),
        ("begin", "min(begin, self._ends[key][1])", "self._ends[key][1]", _filecheck("insert-semaphores")),
        ("shorter", "if not last or _SHORTER *", "if not last or", _filecheck("insert-semaphores")),
        ("keeps up", "if edge.distance or 0 not in edge.slots or not edge.is_full:", "if False:", _PARTS),
        ("runs with", "== earlier.loops and later.runs_with(earlier)", "== earlier.loops", _EDGES),
        ("runs", "edge.is_full and earlier.runs_with(later):", "edge.is_full:", _EDGES),
        ("goes on", "        if later.is_whole:\n", "        if True:\n", _EDGES),
        ("between", "return within and _always_between(first, second)", "return within", _PARTS),
        ("complete", "if all(any(map(_keeps_up, known", "if all(any(map(bool, known", _PARTS),
        ("keeper", "one.distance > depth or ", "", _PARTS),
    ),
    *_of(
        "overlap",
        (
            "apart",
            "-(-least // step) * step > most",
            "-(-least // step) * step >= most",
            _tests("test_overlap", "the_last_byte_of_a_part"),
        ),
        (
            "merged",
            ">= (times := coefficient // found[-1][0]) - 1",
            ">= (times := coefficient // found[-1][0]) - 2",
            _tests("test_overlap", "sums_that_are_zero"),
        ),
        ("boxes", "return a_low < b_high and b_low < a_high", "return a_low < b_low and b_low < a_high", _random(6)),
        ("last of earlier", "for at in reversed(span[-most:]):", "for at in span[-most:]:", _EDGES),
        ("wrapping", "{distance % trips, distance % trips - trips}", "{distance % trips}", _random(40)),
        ("bytes", "return [*dims, Variable(sign, 0, size - 1)]", "return dims", _filecheck("insert-semaphores")),
        ("partitions", "a.start >= b.start + b.partitions", "a.start > b.start", _random(12)),
    ),
    *_of(
        "program_order",
        ("common", " and a[shared] == b[shared]", "", _random(12)),
        (
            "partial",
            'if not writes or op.instruction.operand(name).partial or "dst_rmw_op" in op.properties:',
            "if not writes:",
            _filecheck("insert-semaphores"),
        ),
    ),
    *_of(
        "verify",
        (
            "blocks",
            "    visible.difference_update(added)\n",
            "",
            ("tests/test_wrong_input.py::test_a_value_used_behind_its_region",),
        ),
        (
            "order",
            "if list(found.items()) != list(known.items()):",
            "if found != known:",
            ("tests/test_wrong_input.py::test_what_a_pass_changed_is_verified_again",),
        ),
        (
            "owners",
            "return all(value.owner in same or isinstance(value.owner, Block) for value in op.operands)",
            "return True",
            ("tests/test_wrong_input.py::test_what_no_pass_changed_is_verified_once",),
        ),
        (
            "arguments",
            "blocks = [(block, block.arg_types)",
            "blocks = [(block, ())",
            ("tests/test_wrong_input.py::test_what_a_pass_changed_is_verified_again",),
        ),
    ),
    *_of(
        "level_pass",
        ("level", "if found not in self.levels:", "if found in self.levels:", _WRONG),
        ("returns", "or end.operands:", "or False:", _WRONG),
        ("names", "if len(arg_names(func)) != arguments:", "if len(arg_names(func)) > arguments + 1:", _GRIDS),
    ),
    *_of(
        "masks",
        ("less", '"lt": (1, -1)', '"lt": (1, 0)', _agree("sizes-130-7")),
        ("less or equal", '"le": (1, 0)', '"le": (1, -1)', ("tests/test_index_arithmetic.py::test_masks",)),
        ("greater", '"gt": (-1, -1)', '"gt": (-1, 0)', ("tests/test_index_arithmetic.py::test_masks",)),
        ("upper bound", "part.offset.const // divisor + 1", "part.offset.const // divisor", _COORDINATES),
        ("narrower", "_narrower(max, have[0], low)", "_narrower(min, have[0], low)", _COORDINATES),
    ),
    *_of(
        "accesses",
        ("step", "Expr(end + step - 1) - rest, step", "Expr(end) - rest, step", _COORDINATES),
        ("falling", "quotient(rest - end, -step) + 1", "quotient(rest - end, -step)", _COORDINATES),
        ("corner", "part.coefficient(dim) * end for end", "end for end", _COORDINATES),
    ),
    *_of(
        "placement_search",
        ("remade", "if not form.wants and self.source.value", "if self.source.value", _filecheck("place")),
        (
            "held",
            "        _pay(choice, -1)",
            "        pass",
            _tests("test_placement_search", "a_gain_is_the_difference_of_totals"),
        ),
    ),
    *_of(
        "place_shapes",
        ("several", "middle += [math.prod(old)] if several else new", "middle += new", _filecheck("place")),
        ("stride", "except NotAffine:", "except ZeroDivisionError:", _filecheck("place")),
    ),
    *_of(
        "independence",
        ("before", "((1, most), (-most, -1))", "((1, most),)", _filecheck("widen")),
        ("aliases", "memories[one.memory] == memories[other.memory]", "False", _filecheck("widen")),
        ("bounds", "    places[place] = low, high", "    pass", _filecheck("widen")),
        ("limited", "far) + other.high - self.low", "far) + 2 * (other.high - self.low)", _filecheck("ungroup")),
        ("ends", "other.last - self.first", "2 * other.last", _filecheck("ungroup")),
    ),
    *_of(
        "linear_states",
        ("before", "return not used or (", "return True or (", _filecheck("scan-loops")),
        ("order", "result not in states", "True", _filecheck("scan-loops")),
        ("sum", "self.factor != 1.0 or", "True or", _filecheck("scan-loops")),
        ("minus", "return _negative(b) if a == 0.0 else a", "return b if a == 0.0 else a", _filecheck("scan-loops")),
        ("type", "tile.element_of(one.argument) != f32", "False", _filecheck("scan-loops")),
    ),
    *_of(
        "scan_loops",
        ("apart", "if not are_apart(Repeated.loop(loop, trips)):", "if False:", _filecheck("scan-loops")),
        ("rest", "if rest:", "if False:", _filecheck("scan-loops")),
        ("start", "1, self.trips - rest)", "1, 0)", _filecheck("scan-loops")),
        ("products", "isinstance(op, tile.DotOp) or", "False or", _filecheck("scan-loops")),
    ),
    *_of(
        "scan_widths",
        ("room", "* _ROOM // 4", "* 1 // 4", _filecheck("scan-loops")),
        ("gain", "if least >= _GAIN * self._alone(prices):", "if False:", _filecheck("scan-loops")),
    ),
    *_of(
        "widening",
        ("last", "if self.count % self.width:", "if False:", _filecheck("widen")),
        ("axis", "IntegerAttr(axis + (axis >= place), i64)", "IntegerAttr(axis, i64)", _filecheck("widen")),
        ("memory", "if step and step == strides[dim] * size", "if False", _filecheck("widen")),
        ("columns", "(b, op.b, len(a))", "(b, op.b, 0)", _filecheck("widen")),
        (
            "rows",
            "if place < len(shape) and tile.shape_of(source)[place] == 1:",
            "if False:",
            _tests("test_products_together", "rows_beside_products_fill_the_array"),
        ),
        ("initial", "initial = self.wide(initial, place - (axis < place))", "pass", _filecheck("widen")),
        (
            "behind",
            "if self.is_last:\n            return rank",
            "if False:\n            return rank",
            _filecheck("scan-loops"),
        ),
    ),
    *_of(
        "sampled",
        ("settled", "& ~settled)", ")", _filecheck("recognize-functions")),
        ("close", "CLOSE = 2.0**-22", "CLOSE = 2.0**-16", _RECOGNIZED),
        ("rounded", "_is_close(points, rounded, wanted, ROUNDED) |", "True |", _RECOGNIZED),
        ("limit", "limit = bool(", "limit = True or bool(", _filecheck("recognize-functions")),
        (
            "constants",
            "v in known or constant_of(v) is not None for v",
            "True for v",
            _filecheck("recognize-functions"),
        ),
        ("overflow", "np.isinf(found) & (found * points > 0)", "(found * points < 0)", _RECOGNIZED),
    ),
    *_of(
        "recognize_functions",
        ("infinity", "if not match.limit or", "if True or", _filecheck("recognize-functions")),
        ("gate", "if not match.value.uses or _is_gate_of(root, x):", "if not match.value.uses:", _GATES),
        ("gates", "Function.SILU: 1.0, ", "", _filecheck("recognize-functions")),
        ("bound", "number is not None and value_of(number) > -numbers.inf", "True", _GATES),
    ),
    *_of(
        "storage",
        (
            "repeated",
            "legs[i].stride if count > 1 else 1, count",
            "legs[i].stride or 1, count",
            ("tests/test_ragged_broadcasts.py",),
        ),
        ("banks", "if elements <= bank:", "if True:", _filecheck("select-instructions")),
        ("tiny", "if size * inner * _TINY < bank:", "if False:", _tests("test_banks", "pieces_are_banks")),
    ),
    *_of(
        "select_instructions",
        ("few", "len(readers) <= _FEW", "True", _filecheck("select-instructions")),
        (
            "scalar",
            "any(isinstance(reader, mem.UnaryOp | mem.CastOp)",
            "True or any(isinstance(reader, mem.UnaryOp)",
            _filecheck("select-instructions"),
        ),
        (
            "there",
            "case Way.COPY if source.type.is_psum and _is_read_there(op):",
            "case Way.COPY if False:",
            _filecheck("select-instructions"),
        ),
    ),
    *_of(
        "clean",
        ("seen", "seen = dict(known)", "seen = known", _filecheck("clean")),
        ("write", " and not has_other_side_effecting_op_in_between(first, op)", "", _filecheck("clean")),
        ("loops", "elif not _ends(op):", "else:", _filecheck("clean")),
        ("constants", "if _has(type(inner), ConstantLike):", "if False:", _filecheck("clean")),
        ("inside", "OperationInfo(op) if op.regions else _key(op)", "_key(op)", _filecheck("clean")),
    ),
    *_of(
        "combiner",
        ("apart", "return high <= other_low or other_high <= low", "return True", _filecheck("combine-instructions")),
        ("parts", "(_is_part(op) and inputs_stay(op))", "False", _filecheck("combine-instructions")),
        (
            "stay",
            "return not any(\n        isinstance(user, EngineInstruction) and view in",
            "return True or any(\n        isinstance(user, EngineInstruction) and view in",
            _filecheck("combine-instructions"),
        ),
    ),
    *_of(
        "merge_steps",
        (
            "stores",
            "case tile.WriteOp():\n                return False",
            "case tile.FlipOp():\n                return False",
            _filecheck("merge-steps"),
        ),
        ("rest", "index(self.trips - rest)", "index(0)", _filecheck("merge-steps")),
        (
            "same",
            "return any(differs) and not any(differs[2:])",
            "return not any(differs[2:])",
            _filecheck("merge-steps"),
        ),
        ("own", "reads = reads.difference(*differs)", "pass", _filecheck("merge-steps")),
        ("inner", "if not reads.isdisjoint(differs[inner]):", "if True:", _filecheck("merge-steps")),
        (
            "zeros",
            "read and len(self.products) == len(self.joins)",
            "read",
            _filecheck("merge-steps"),
        ),
        ("read", "        op.other is None or", "        True or", _filecheck("merge-steps")),
        ("room", "terms * self.trips <= _MOST_TERMS", "True", _filecheck("merge-steps")),
    ),
    *_of(
        "sum_programs",
        ("atomic", "write.atomic is None", "False", _filecheck("sum-programs")),
        ("seen", "or any(op.memory in memories for op in others)", "", _filecheck("sum-programs")),
        (
            "apart",
            "if not are_apart(Repeated.programs(programs, axis), mine):",
            "if False:",
            _filecheck("sum-programs"),
        ),
        ("own", "and differs.isdisjoint(_place(op))]", "]", _filecheck("sum-programs")),
        ("wide", "return f32 if isinstance", "return element if isinstance", _filecheck("sum-programs")),
    ),
    *_of(
        "widen_loops",
        (
            "apart",
            "return trips if are_apart(Repeated.loop(loop, trips)) else None",
            "return trips",
            _filecheck("widen-loops"),
        ),
        (
            "matrices",
            "if len(tile.shape_of(loop.results[number])) > 1:",
            "if False:",
            _filecheck("widen-loops"),
        ),
        ("same", "isinstance(op, tile.WriteOp) and op.value not in differs", "False", _filecheck("widen-loops")),
        ("crossed", "return kind if use.index == number else None", "return kind", _filecheck("widen-loops")),
        (
            "start",
            "operands=[start, _combined",
            "operands=[_combined(kind, rows, build), _combined",
            ("tests/test_widen_loops.py",),
        ),
        ("programs", "alone = min([alone, *(", "min([alone, *(", _filecheck("widen-loops")),
        ("integers", "or not isinstance(element, AnyFloat) or", "or", ("tests/test_widen_loops.py",)),
    ),
    *_of(
        "running",
        ("nothing", "(Reduction.MAXNUM, math.nan)", "(Reduction.MAXNUM, -math.inf)", ("tests/test_widen_loops.py",)),
        ("long", " and words(op.results[0]) == 1", "", _filecheck("sum-programs")),
    ),
    *_of(
        "loop_order",
        ("gain", "read[best] > _GAIN * read[axes]", "False", _filecheck("programs-to-loops")),
        (
            "dependent",
            "or not all(are_independent(programs, axis) for axis in inner)",
            "",
            _filecheck("programs-to-loops"),
        ),
        ("long", "if is_dtype(element) else _PAIR", "", ("tests/test_int64.py",)),
    ),
    *_of(
        "join_products",
        ("others", "return is_taken_so and is_less and", "return is_less and", _filecheck("join-products")),
        ("less", "return is_taken_so and is_less and", "return is_taken_so and", _filecheck("join-products")),
        (
            "begin",
            "if number is None or number != constant_of(beside):",
            "if number is None:",
            _filecheck("join-products"),
        ),
        ("before", "order.get(user, len(order)) >= order[op]", "True", _filecheck("join-products")),
        ("guard", "0, 0, columns)", "0, 0, columns + 1)", _filecheck("join-products")),
        ("rows", "(operands, like.properties)", "(operands, op.properties)", _filecheck("join-products")),
    ),
    *_of(
        "sum_by_products",
        (
            "memory",
            "if not any(abs(strides[dim]) == 1",
            "if False and not any(abs(strides[dim]) == 1",
            _filecheck("sum-by-products"),
        ),
        ("beside", "return all(step == 0 or any(", "return all(True or any(", _filecheck("sum-by-products")),
        ("kind", "if op.kind.data is not Reduction.SUM or", "if", _filecheck("sum-by-products")),
        (
            "narrow",
            "return op.source if isinstance(element, AnyFloat)",
            "return op.source if False and isinstance(element, AnyFloat)",
            _filecheck("sum-by-products"),
        ),
        (
            "factor",
            "if math.prod(shape := tile.shape_of(source)) == shape[axis]",
            "if math.prod(shape := tile.shape_of(source)) < 0",
            _filecheck("sum-by-products"),
        ),
    ),
    *_of(
        "recurrences",
        ("rows", "before.dims != after.dims or", "", ("tests/test_recurrences.py",)),
        (
            "free",
            "if None in exponent or len(exponent) != 2:",
            "if len(exponent.keys() - {None}) != 2:",
            ("tests/test_recurrences.py",),
        ),
        ("sign", " and product[1] > 0:", ":", ("tests/test_recurrences.py",)),
        ("alike", "            _same(wanted, weight)", "            pass", ("tests/test_recurrences.py",)),
        (
            "hangs",
            "        if not self.hanging.isdisjoint(",
            "        if False and not self.hanging.isdisjoint(",
            ("tests/test_recurrences.py",),
        ),
    ),
    *_of(
        "merge_factors",
        ("large", "not 0 < factor <= 1", "factor <= 0", _filecheck("merge-factors")),
        ("needed", "not sum_.has_one_use() or", "", _filecheck("merge-factors")),
        ("side", "return _scaled(value) is not None and", "return True or", _filecheck("merge-factors")),
        (
            "negative",
            "if found is None or not 0 < found[1] < numbers.inf:",
            "if found is None:",
            _filecheck("merge-factors"),
        ),
        ("native", "if not _is_worth(reduction, plain):", "if False:", _filecheck("merge-factors")),
        ("exact", "if one * by == wanted), None)", "), None)", _filecheck("merge-factors")),
        ("chosen", "not choice.on_true.has_one_use() or", "", _filecheck("merge-factors")),
        (
            "zero",
            "number_of(sum_.rhs) != 0 or not all(",
            "number_of(sum_.rhs) != 0 or False and not all(",
            _filecheck("merge-factors"),
        ),
    ),
    *_of(
        "interleave",
        (
            "chain",
            "if isinstance(op, tile.DotOp) and not",
            "if isinstance(op, tile.DotOp) or not",
            _filecheck("interleave"),
        ),
        ("room", "width * sums + BANKS * bank <= memory.psum_bytes", "True", _filecheck("interleave")),
        ("writes", "or not are_independent(programs, axis)", "", _filecheck("interleave")),
    ),
    *_of(
        "engine_nodes",
        (
            "overwrites",
            "if not self.writes and not other.writes:",
            "if not (self.reads and other.writes):",
            _filecheck("schedule"),
        ),
    ),
    *_of(
        "spread_transfers",
        ("named", "if count > 1)", "if count > 9)", _filecheck("spread-transfers")),
        ("counter", "* copies + number", "* copies", _filecheck("spread-transfers")),
        ("rest", "if rest := trips % number:", "if rest := 0:", _filecheck("spread-transfers")),
        ("busiest", '(load.busiest or "").startswith("dma engine")', "True", _filecheck("spread-transfers")),
        ("gain", "_GAIN * _time(loop", "4 * _time(loop", _filecheck("spread-transfers")),
        ("outside", "all(one in allocs for one in group)", "True", _filecheck("spread-transfers")),
        ("twice", "max(_SLOTS, depth.value.data)", "depth.value.data", _filecheck("spread-transfers")),
    ),
    *_of(
        "transfer_joins",
        ("order", 'not _is_injective(accesses["dst"])', "False", ("tests/test_spread_transfers.py",)),
        ("passes", "a.owner == b.owner and a.meets(b)", "False", _filecheck("spread-transfers")),
        ("behind", "behind // view.access.itemsize", "0", _filecheck("spread-transfers")),
        ("place", "[*outer, (apart, 2), *inner]", "[(apart, 2), *outer, *inner]", _filecheck("spread-transfers")),
        ("same", "alike and not found.terms", "alike", ("tests/test_spread_transfers.py",)),
    ),
    *_of(
        "skew",
        ("touches", "touch.writes or there[touch.owner]", "False", ("tests/test_skew.py",)),
        ("slot", "self.iteration.mod(self.skewing.slots[alloc])", "Expr(0)", ("tests/test_skew.py",)),
        ("next", "{True: counter + 1, False: counter}", "{True: counter, False: counter}", ("tests/test_skew.py",)),
        ("limits", "isinstance(op, ViewOp) and op.is_limited for op in ops", "False for op in ops", _filecheck("skew")),
        ("room", "if fits(lifetimes(trial), target):", "if True:", _filecheck("skew")),
        ("programs", "program is not is_first:", "program is None:", _filecheck("skew")),
    ),
    *_of(
        "placement",
        ("runs", "_IN_RUNS = 10.0", "_IN_RUNS = 0.0", _filecheck("place")),
        ("steps", "begins and terms <= lanes", "begins", _filecheck("place")),
        ("together", "max(shape[:-1]) < lanes", "False", _filecheck("place")),
        ("pieces", "0.0 if piece.is_view else", "0.0 if True else", _filecheck("place")),
    ),
    *_of(
        "engine_nodes",
        ("anew", " and _goes_on(op)}", "}", _filecheck("skew")),
        ("goes on", "if op.engine.data not in read", "if True", _filecheck("skew")),
        ("order", "(earlier.latency if waits else earlier.busy)", "earlier.latency", ("tests/test_list_schedule.py",)),
    ),
    *_of(
        "step_widths",
        ("together", "if is_grid and programs.together", "if False", _filecheck("merge-steps")),
    ),
    *_of(
        "combine_casts",
        ("of rows", "[-1][0] == 0", "[-1][0] == 9", _filecheck("combine-instructions")),
        (
            "moved",
            "offset = Emitter.before(view), source.offset",
            "offset = Emitter.before(view), None",
            _filecheck("combine-instructions"),
        ),
    ),
    *_of(
        "merge_steps",
        ("few rows", "and min(rows) * grid >= target.memory.partitions", "", _filecheck("merge-steps")),
        ("long rows", "_RUN // min(runs)", "2 * _RUN // min(runs)", _filecheck("merge-steps")),
    ),
    *_of(
        "assign_engines",
        ("rows that take longer", "_LONGER = 1.0", "_LONGER = 9.0", _filecheck("assign-engines")),
        ("rows", "made[-1] if made else None", "None", _filecheck("assign-engines")),
    ),
    *_of(
        "psum_copies",
        ("once", "known = self.made.get(_key(view))", "known = None", _filecheck("stage-in-psum")),
        ("front", "op if inside else self.loop)\n        access", "op)\n        access", _filecheck("stage-in-psum")),
        ("repeated", "is_plain and repeats and", "is_plain and", _filecheck("stage-in-psum")),
    ),
    *_of(
        "spread",
        ("touches", "meets(touch, there)", "False", ("tests/test_spread.py",)),
        ("times", "times[earlier.op] > times[node.op]", "False", ("tests/test_spread.py",)),
        ("others", "all(row.times.keys() >= users[other] for other in others)", "True", ("tests/test_spread.py",)),
        ("needed", "todo += node.before", "pass", ("tests/test_spread.py",)),
        ("undo", "block.insert_ops_before([before], behind)", "before.erase()", ("tests/test_spread.py",)),
    ),
    *_of(
        "spread_writer",
        ("slot", "self.iteration.mod(_SLOTS) * slot", "Expr(0)", ("tests/test_spread.py",)),
        ("step", "self.step * step", "self.step * 0", ("tests/test_spread.py",)),
        ("next", "(counter + 1, counter)", "(counter, counter)", ("tests/test_spread.py",)),
        ("last", "Expr(self.trips - 1))", "Expr(self.trips - 2))", ("tests/test_spread.py",)),
    ),
    *_of(
        "instruction_rows",
        ("steps", "way != ways[1] * n", "False", ("tests/test_spread.py",)),
        ("mixed", "len(set(name.values())) < len(name)", "False", ("tests/test_spread.py",)),
    ),
    *_of(
        "split_sums",
        (
            "place",
            "place = next(_behind(self.value, (last, *(",
            "*_, place = (_behind(self.value, (last, *(",
            _filecheck("split-sums"),
        ),
        ("taken", "return flow if is_taken and flow.ops else None", "return flow", _filecheck("split-sums")),
        ("rows", "places[0] = places[0] + group * self.lanes", "pass", _filecheck("split-sums")),
        ("runs", " and not found[0].is_in_runs", "", _filecheck("split-sums")),
    ),
    *_of(
        "score_chains",
        ("seen", "if not _is_nan_with_sums(", "if False and not _is_nan_with_sums(", _filecheck("maximum-first")),
        ("starts", "return size == 0 or ", "return True or ", _filecheck("maximum-first")),
        ("worth", "return again < _WORTH * turned", "return True", _filecheck("maximum-first")),
        ("few", "return all(part.fits(", "return True or all(part.fits(", _filecheck("maximum-first")),
        (
            "between",
            "if any(isinstance(op, _WRITES) or op.regions for",
            "if any(False for",
            _filecheck("maximum-first"),
        ),
        ("scores", " and self._has_scores()", "", ("tests/test_attention.py",)),
        ("forms", "return not others if value is not op.result", "return True if True", _filecheck("maximum-first")),
        ("small", "if number_of(self.low) != -math.inf and any(", "if False and any(", _filecheck("maximum-first")),
        ("stores", "isinstance(op, _WRITES) for op", "False for op", _filecheck("maximum-first")),
    ),
    *_of(
        "shifts",
        (
            "factor",
            "build.float(self.rate / self.factor, column)",
            "build.float(self.rate, column)",
            _filecheck("maximum-first"),
        ),
        ("pieces", "rest = emit.value(arith.SubfOp(rest, piece))", "", ("tests/test_attention.py",)),
        ("low", "low is None or factor * low > LOWEST or", "low is None or", _filecheck("maximum-first")),
        ("lower", "not factor * other < 0", "not factor * other", _filecheck("maximum-first")),
    ),
    *_of(
        "peel_masks",
        (
            "holds",
            "if not all(_holds(mask, {",
            "if all(_holds(mask, {",
            _filecheck("peel-masks"),
        ),
        ("products", "if not trips or not _is_of_products(loop):", "if not trips:", _filecheck("peel-masks")),
    ),
    *_of(
        "promote_accumulators",
        (
            "alike",
            "first is None or not first.lies_like(second) or",
            "first is None or",
            _filecheck("promote-accumulators"),
        ),
    ),
    *_of(
        "placement_search",
        ("once", "if users and not (before and before + users):", "if True:", ("tests/test_placement_search.py",)),
        ("new", "if edge not in user.edges[user.number]:", "if True:", _filecheck("place")),
        ("runs", "return any(f.step > 1", "return any(f.step < 0", _filecheck("place")),
    ),
    *_of(
        "schedule",
        ("overlap", "return any(2 * size > capacity", "return any(9 * size > capacity", _filecheck("schedule")),
        ("room", "if fits(after, target):", "if True:", _filecheck("schedule")),
        ("end", "return new <= _GAIN * old", "return False", _filecheck("schedule")),
        ("inner", "loop.parent_op() is not func", "False", _filecheck("schedule")),
    ),
    *_of(
        "combine_sums",
        ("room", "use.may_stay(sums.source, op, reads[-1][0])", "True", _filecheck("combine-instructions")),
        ("readers", "_MOST_READERS = 2", "_MOST_READERS = 3", _filecheck("combine-instructions")),
    ),
    *_of(
        "coalesce",
        ("even", "(several or even)", "True", _filecheck("coalesce")),
        (
            "behind",
            "bool(groups) and all(groups) and",
            "bool(groups) and not left and all(groups) and",
            _filecheck("coalesce"),
        ),
        ("none", " and all(groups)", "", _tests("test_shapes", "reshape")),
        ("pieces", "self._keep(op.result, (op.axis.value.data - 1,))", "pass", _filecheck("coalesce")),
        ("place", "IntegerAttr(place * math.prod(", "IntegerAttr(place + 0 * math.prod(", _filecheck("coalesce")),
        (
            "merged",
            "all(merge.seams.of(seam) in merge.merged for seam in seams",
            "all(True for seam in seams",
            _filecheck("widen"),
        ),
        (
            "lasts",
            "value not in self.counted or not all",
            "True or not all",
            _filecheck("merge-steps"),
        ),
    ),
    *_of(
        "blocks",
        ("turned", "if moved.is_turned:", "if False:", _filecheck("widen")),
        ("banks", "memory.psum_banks // max(banks, 1)", "DEPTH", _filecheck("widen")),
        ("waits", "max(*busy, in_turn)", "max(busy)", ("tests/test_golden_facts.py::test_facts",)),
        ("often", "value.times == 1 and", "False and", ("tests/test_golden_facts.py::test_facts",)),
    ),
    *_of(
        "place_pieces",
        ("begin", "+ (at if dim == axis else 0)", "+ 0", _filecheck("place")),
        ("groups", "if most == 1:", "if True:", _filecheck("place")),
        ("twice", " and maker is not last", "", _filecheck("place")),
        ("order", "key=lambda part: _number(part[0], order)", "key=lambda part: 0", _filecheck("place")),
        (
            "longer",
            "if digits and layout.is_along(axis):",
            "if False:",
            _tests("test_tensor_pieces", "what_is_cut_is_longer_where_it_lies"),
        ),
        ("behind", "(Factor(axis, -(-size // reach), reach), *layout.free)", "layout.free", _filecheck("place")),
    ),
    *_of(
        "tile_pieces",
        ("inside", "at + self.size > start + shape_of(part)[axis]", "False", _dialect("tile/canonicalize")),
        ("repeated", "if shape_of(source)[axis] > 1:", "if False:", _dialect("tile/canonicalize")),
    ),
    *_of(
        "expand_maxnum", ("start", "if start in self.numbers and _goes_on", "if _goes_on", _filecheck("expand-maxnum"))
    ),
    *_of(
        "nan_flow",
        ("before", "    _follow_up_to(op, op.source, found)\n", "", _filecheck("expand-maxnum")),
        (
            "again",
            "_carried(loop, first, ({}, found))",
            "{a: x for a, x in first.items() if x}",
            _filecheck("expand-maxnum"),
        ),
        ("maximum", "replace(both, some=every, all=every)", "both", _filecheck("expand-maxnum")),
        ("factor", " and number.value.data != 0", "", _filecheck("expand-maxnum")),
        ("of a row", "found[source.source] = _slices(source)", "pass", _filecheck("expand-maxnum")),
        ("terms", "(a.some and len(free) == 1)", "(len(free) == 1)", _filecheck("expand-maxnum")),
        ("moved", "first=source.first + at", "first=source.first", _filecheck("expand-maxnum")),
        ("part", "replace(source, some=source.all)", "source", _filecheck("expand-maxnum")),
        ("joined", "first=x.first - start", "first=x.first", _filecheck("expand-maxnum")),
    ),
    *_of(
        "widths",
        ("even", "spread % -(-spread // lanes) == 0", "spread > 0", _filecheck("widen")),
        ("whole", "not self.is_inner or self.programs % width == 0", "True", _filecheck("widen")),
        ("columns", "if width * self.columns > prices.target.memory.partitions:", "if False:", _filecheck("widen")),
        ("others", "self.others * -(-", "-(-", _filecheck("widen")),
        ("bounded", "work.is_bounded |= any(part.is_bounded for part in inner)", "pass", _filecheck("widen")),
        ("turned", "if not value.is_turned:", "if True:", _filecheck("widen")),
        ("traded", "any(_transfer(op, programs.ids[one], 1).goes_on for op in both)", "False", _filecheck("widen")),
        ("traded ends", "if any(resolved(op.over_values).bounded for op in both):", "if False:", _filecheck("widen")),
        ("ends of rows", "min(rows, _rows(op))", "rows", _tests("test_windows", "rows_are_on_all_partitions")),
    ),
    *_of(
        "tails",
        ("maximum", "if _is_maximum_of(op.rhs, op.lhs, dim)", "if True", _filecheck("trim")),
        ("pieces", "Tail(max(tail.start - before, 0)", "Tail(max(tail.start - before - 1, 0)", _filecheck("trim")),
    ),
    *_of("trim", ("rows", "and not any(end % size for end in ends)", "", _filecheck("trim"))),
    *_of(
        "unwrap",
        ("bound", "end <= wrapped.divisor", "end", _filecheck("unwrap")),
        ("place", "if p.position - place == Expr(0)", "if p.high", _filecheck("unwrap")),
        ("negative", "place.range(tile.shape_of(value))[0] < 0", "False", _filecheck("unwrap")),
        ("indices", "reached.isdisjoint(self.indices) and ", "", _filecheck("unwrap")),
        ("writes", "if not isinstance(need.op, tile.WriteOp):", "if False:", _filecheck("unwrap")),
        ("alone", "part.position == Expr.counter(key) and ", "", _filecheck("unwrap")),
    ),
    *_of(
        "common_dims",
        ("terms", "if dim in over:", "if dim < 0:", _filecheck("trim")),
        ("zero terms", "end = max(_end_of_terms(*one)", "end = min(_end_of_terms(*one)", _filecheck("trim")),
        ("zero", "tail is None or tail.value else", "tail is None else", _filecheck("trim")),
        ("onwards", "left += new", "pass", _filecheck("unwrap")),
        ("pieces", "first = op.at.value.data if", "first = 0 if", _filecheck("trim")),
        (
            "results",
            "return needs if isinstance(op, tile.SliceOp) else",
            "return needs if True else",
            _filecheck("trim"),
        ),
    ),
    *_of("regrid", ("independent", "if not are_independent(made, rows.axis):", "if False:", _filecheck("regrid"))),
    *_of(
        "ungroup",
        ("order", "if _is_any_order_right(", "if True or (", _filecheck("ungroup")),
        (
            "bijection",
            "len(self.programs) < math.prod(axis.size for axis in self.axes)",
            "False",
            _filecheck("ungroup"),
        ),
        ("of several", "if len(ids[value]) > 1 and", "if len(ids[value]) > 2 and", _filecheck("ungroup")),
        ("outermost", "key=_completion, reverse=True", "key=_completion", _filecheck("ungroup")),
        ("all programs", "all(map(operator.eq, rest,", "any(map(operator.eq, rest,", _filecheck("ungroup")),
    ),
    *_of(
        "tables",
        ("sign", "(1 if (a < 0) == (b < 0) else -1)", "1", _filecheck("ungroup")),
        ("wrap", "wrapped(number, type_) for number", "number for number", _filecheck("ungroup")),
        ("zero", "return 0 not in operands[1]", "return True", _filecheck("ungroup")),
    ),
    *_of(
        "split_reductions",
        ("short", "return steps <", "return 0 <", _SPLIT),
        ("parts", "// max(others, 1)", "", _SPLIT),
    ),
    *_of(
        "select_scans",
        ("rows", "if dim != axis and i not in lanes", "if False", _filecheck("select-instructions")),
        ("scale", "if scale is not None and op.initial is None:", "if False:", _ALONG),
        (
            "goes on",
            "if op.scale is not None and op.initial is not None:",
            "if False:",
            _filecheck("select-instructions"),
        ),
        ("reach", "2 * reach >= size", "reach >= size", _ALONG),
    ),
    *_of(
        "order_loads",
        ("late", "key=lambda load: (load in late, needed[load])", "key=needed.__getitem__", _filecheck("order-loads")),
        ("first", "Expr(1) - Expr.counter", "Expr(0) - Expr.counter", ("tests/test_order_loads.py",)),
        ("alike", "not any(op.is_limited for op in asked) or ", "", _filecheck("order-loads")),
        ("between", "not any(touches.meet(op, other, False) for other in between)", "True", _filecheck("order-loads")),
    ),
    *_of(
        "lower_converts",
        ("again", "< price:", "<= -1:", _filecheck("lower-converts")),
        ("saved", "again - saved", "again", _filecheck("lower-converts")),
        ("room", "free_banks(convert) < BANKS", "free_banks(convert) < 0", _filecheck("lower-converts")),
        ("plain", "is_plain(convert.source)", "True", _filecheck("lower-converts")),
        ("counted", "if wanted.layout.is_counted:", "if True:", _filecheck("lower-converts")),
    ),
    *_of(
        "select_turns",
        ("source", "group.source * words)", "group.source)", _CONVERTS),
        ("hints", "**self.through.hints(not is_transpose)", "", _filecheck("select-instructions")),
        ("word", "(block * words + word) * height", "(block + word) * height", _CONVERTS),
        ("adds", "is_transpose=True)", "is_transpose=False)", _filecheck("select-instructions")),
        ("lanes", "self.lanes if self.spreads else group.width", "self.lanes", _CONVERTS),
    ),
    *_of(
        "select_movement",
        (
            "height",
            "height, width = min(BLOCK, sizes[rows] - row)",
            "height, width = min(BLOCK, sizes[rows])",
            ("tests/test_layouts_in_kernels.py",),
        ),
    ),
    *_of(
        "access_index",
        (
            "covers",
            "whole = self.writes and certain and",
            "whole = self.writes and",
            ("tests/test_access_index.py", *_random(40)),
        ),
        ("lanes", "return whole and lanes and", "return whole and", ("tests/test_access_index.py", *_random(40))),
    ),
    *_of(
        "footprints",
        ("gaps", "if step <= width or runs > MOST_RUNS:", "if True:", ("tests/test_access_index.py",)),
        ("widths", "return low, last - first + size,", "return low, size,", _random(40)),
        (
            "inside",
            "return found if own == levels[0] else",
            "return found if True else",
            ("tests/test_access_index.py", *_random(40)),
        ),
    ),
    *_of(
        "expand_accesses",
        ("inside", "return 0 <= low and high < elements_of(op)", "return True", _filecheck("expand-accesses")),
        (
            "mask",
            "return build.select(condition, read, _other(op, build))",
            "return read",
            _filecheck("expand-accesses"),
        ),
        ("wide", "tile.element_of(index) == i64]", "False]", _filecheck("expand-accesses")),
        ("apart", "or over.isdisjoint(part.dims):", "or True:", _filecheck("expand-accesses")),
        ("atomic", "[row], atomic=op.atomic)", "[row])", _filecheck("expand-accesses")),
        ("unit", "factor // unit) for term", "factor) for term", _filecheck("expand-accesses")),
        ("no row", "- min(0, reach(", "- max(0, reach(", _filecheck("expand-accesses")),
    ),
    *_of(
        "flat_accesses",
        (
            "counted",
            "shape[dim] * part.coefficient(dim) for",
            "part.coefficient(dim - 1) for",
            _filecheck("expand-accesses"),
        ),
        ("beside", "and any({dim - 1, dim} <= dims for dims in bounds)", "", _filecheck("expand-accesses")),
        ("last", "if dim == group[-1] else Expr(0)", "if dim == group[0] else Expr(0)", _filecheck("expand-accesses")),
    ),
    *_of(
        "expand_atomics",
        (
            "first",
            "Predicate.GT, before, 0",
            "Predicate.GE, before, 0",
            _tests("test_atomics", "a_block_at_one_element"),
        ),
        ("unsigned", "(_UNSIGNED if unsigned else _SIGNED)", "_SIGNED", _filecheck("expand-atomics")),
        ("neutral", "Update.MAX: least,", "Update.MAX: 0,", _filecheck("expand-atomics")),
        ("atomic", "mask, atomic=True))", "mask))", _filecheck("expand-atomics")),
        ("reach", "if stride <= reach:", "if stride < 0:", _tests("test_atomics", "what_is_refused[overlapping]")),
        ("span", "abs(chosen[0].factor) > span", "True", _tests("test_atomics", "what_is_refused[overlapping rows]")),
    ),
    *_of(
        "expand_branches",
        (
            "floats",
            "and isinstance(tile.element_of(op.lhs), IndexType | IntegerType)",
            "",
            _filecheck("expand-branches"),
        ),
        ("side", "op.cond if holds else _negated(op.cond, build)", "op.cond", _filecheck("expand-branches")),
        ("inside out", "reversed([found", "list([found", _filecheck("expand-branches")),
        ("opposite", "Predicate.LT: Predicate.GE,", "Predicate.LT: Predicate.GT,", _filecheck("expand-branches")),
    ),
    *_of(
        "expand_division",
        ("steps", "(max(-low, high) // divisor).bit_length()", "30", _filecheck("expand-division")),
        ("fits", "Predicate.LE, rest, -multiple", "Predicate.LT, rest, -multiple", _DIVISION),
        ("sign", "Predicate.LT if divisor > 0 else Predicate.GT", "Predicate.LT", _NEGATIVE),
        ("floor", "if floors:", "if False:", _filecheck("expand-division")),
        ("rest", "dividend, 0), rest, result)", "dividend, 0), result, rest)", _filecheck("expand-division")),
    ),
    *_of(
        "expand_indices",
        ("constant", "if number is not None:", "if False:", _filecheck("expand-indices")),
        ("low", "low = isinstance(op, _LOW_BITS) and (low or", "low = (low or", _invalid("expand-indices")),
        ("fits", "return least <= low and high <= most", "return True", _filecheck("expand-indices")),
        ("wide", "if not low and self.may_be_wide(value):", "if False:", _invalid("expand-indices")),
        ("numbers", "return is_made_of(value, makes_number)", "return False", _filecheck("expand-indices")),
        ("places", "and (_fits(value) or not is_counted(value)):", "and True:", _filecheck("expand-indices")),
        (
            "shifts",
            "if places[0] == places[1] > 31:",
            "if False:",
            _wide("int64_numbers_stay_wide_beside_narrower_ones[sign]"),
        ),
        ("without a sign", "!= IntegerType(32, Signedness.UNSIGNED):", "!= i64:", _filecheck("expand-indices")),
    ),
    *_of(
        "number_ranges",
        ("terms", "max(one[1], one[1] * size)", "one[1]", _wide("what_needs_64_bits_is_refused[total]")),
        ("trips", "begin[1] + max(0, high * trips)", "begin[1]", _wide("what_needs_64_bits_is_refused[carried]")),
        (
            "again",
            "number_range(cycle.end, {cycle.argument: once}), once)",
            "once, once)",
            _wide("what_needs_64_bits_is_refused[doubled]"),
        ),
        (
            "wraps",
            "if found is not None and within(found, limits(element))",
            "if found is not None",
            _wide("int64_numbers_stay_wide_beside_narrower_ones[wraps]"),
        ),
    ),
    *_of(
        "words",
        (
            "of an if",
            "return [*op.operands, *yielded(op, value)]",
            "return op.operands",
            _tests("test_int64", "what_has_no_64_bits_along_a_dimension_is_refused[of an if]"),
        ),
        (
            "bits",
            "integer.width.data >= bits",
            "integer.width.data == 64",
            _wide("numbers_without_a_sign_stay_above_zero[stored]"),
        ),
    ),
    *_of(
        "split_words",
        ("stride", "stride=2 * part.stride", "stride=part.stride", _filecheck("split-words")),
        ("high", "(bits, bits >> 32)", "(bits, bits >> 31)", _filecheck("split-words")),
        ("unsigned", "build.exclusive(word, build.constant(LEAST, word))", "word", _filecheck("split-words")),
        ("carry", "Predicate.LT, low, 0), f32)", "Predicate.GT, low, 0), f32)", _filecheck("split-words")),
        ("atomic", "op.indices, op.mask, op.atomic)", "op.indices, op.mask)", _filecheck("split-words")),
        ("bits", "bits >> 32, i32, shape", "0, i32, shape", _filecheck("split-words")),
    ),
    *_of(
        "split_words",
        (
            "sum",
            "build.add(build.add(a[1], b[1]), _carries(",
            "build.subtract(build.add(a[1], b[1]), _carries(",
            _WORDS,
        ),
        ("doublings", "if left & 1:", "if True:", _filecheck("split-words")),
    ),
    *_of(
        "carried_indices",
        ("step", "build.subtract(total, value) if move.negative", "build.add(total, value) if move.negative", _CARRIED),
        ("uniform", "() if uniform else shape)", "shape)", _CARRIED),
        (
            "index",
            "= not is_pointer and not any(",
            "= not is_pointer or any(",
            _wide("int64_numbers_stay_wide_beside_narrower_ones[counted]"),
        ),
        ("handed on", "!= list(blocks[0].args):", "!= list(condition.args):", _CARRIED),
    ),
    *_of(
        "expand_products",
        ("order", "list(order) != sorted(order)", "False", _filecheck("expand-products")),
        ("alike", "Predicate.EQ, here, there", "Predicate.NE, here, there", _filecheck("expand-products")),
    ),
]
