"""Products of `tile`."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import AnyFloat, DenseArrayBase, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_operand_def, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.tile_types import element_of, shape_of, with_shape

Dims = tuple[int, ...]


@irdl_op_definition
class DotOp(IRDLOperation):
    """Products of elements of two tensors, summed over pairs of dimensions, plus `acc` where given:

        %c = tile.dot %a, %b acc %d over [1] x [0] : tensor<4x8xbf16>, tensor<8x2xbf16> -> tensor<4x2xf32>
        %c = tile.dot %a, %b over [2] x [1] batch [0] x [0] : tensor<3x4x8xf32>, tensor<3x8x2xf32> -> tensor<3x4x2xf32>

    Dimensions of `batch` are common: there is one product for each place along them. The result has the common ones,
    what is left of `a`, then what is left of `b`. Products are summed in fp32.
    """

    name = "tile.dot"
    a = operand_def(TensorType)
    b = operand_def(TensorType)
    acc = opt_operand_def(TensorType)
    over_a = prop_def(DenseArrayBase.constr(i64))
    over_b = prop_def(DenseArrayBase.constr(i64))
    batch_a = prop_def(DenseArrayBase.constr(i64))
    batch_b = prop_def(DenseArrayBase.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(
        self,
        a: SSAValue,
        b: SSAValue,
        acc: SSAValue | None,
        element: Attribute,
        over: tuple[Sequence[int], Sequence[int]] = ((1,), (0,)),
        batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
    ):
        lists = [DenseArrayBase.from_list(i64, dims) for dims in (*over, *batch)]
        names = ("over_a", "over_b", "batch_a", "batch_b")
        super().__init__(
            operands=[a, b, acc],
            properties=dict(zip(names, lists, strict=True)),
            result_types=[with_shape(element, _result_shape(a, b, over, batch))],
        )

    @property
    def over(self) -> tuple[Dims, Dims]:
        """The dimensions of `a` and of `b` that are summed over, in pairs."""
        return tuple(self.over_a.get_values()), tuple(self.over_b.get_values())

    @property
    def batch(self) -> tuple[Dims, Dims]:
        """The dimensions that `a` and `b` have in common, in pairs."""
        return tuple(self.batch_a.get_values()), tuple(self.batch_b.get_values())

    @property
    def is_plain(self) -> bool:
        """Whether it is that of two matrices, `[M, K]` and `[K, N]`."""
        ranks = len(shape_of(self.a)), len(shape_of(self.b))
        return ranks == (2, 2) and (self.over, self.batch) == (((1,), (0,)), ((), ()))

    def verify_(self) -> None:
        _verify_lists("over", self.over, shape_of(self.a), shape_of(self.b))
        _verify_lists("batch", self.batch, shape_of(self.a), shape_of(self.b))
        for name, over, batch in zip("ab", self.over, self.batch, strict=True):
            if twice := sorted(set(over) & set(batch)):
                raise VerifyException(f"dimension {twice[0]} of '{name}' is summed over and common at once")
        if element_of(self.a) != element_of(self.b) or not isinstance(element_of(self.a), AnyFloat):
            raise VerifyException(
                f"operands must be of one float type, got {element_of(self.a)} and {element_of(self.b)}"
            )
        shape = _result_shape(self.a, self.b, self.over, self.batch)
        if shape_of(self.result) != shape or not isinstance(element_of(self.result), AnyFloat):
            raise VerifyException(f"the result must be a float tensor of shape {shape}, got {self.result.type}")
        if self.acc is not None and self.acc.type != self.result.type:
            raise VerifyException(f"'acc' must have the result's type {self.result.type}, got {self.acc.type}")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list((self.a, self.b), printer.print_ssa_value)
        if self.acc is not None:
            printer.print_string(" acc ")
            printer.print_ssa_value(self.acc)
        _print_lists(printer, "over", self.over)
        if any(self.batch):
            _print_lists(printer, "batch", self.batch)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list((self.a.type, self.b.type), printer.print_attribute)
        printer.print_string(" -> ")
        printer.print_attribute(self.result.type)

    @classmethod
    def parse(cls, parser: Parser) -> DotOp:
        a = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        b = parser.parse_unresolved_operand()
        acc = parser.parse_unresolved_operand() if parser.parse_optional_keyword("acc") else None
        parser.parse_keyword("over")
        over, batch = _parse_lists(parser), ([], [])
        if parser.parse_optional_keyword("batch"):
            batch = _parse_lists(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = [parser.parse_type()]
        parser.parse_punctuation(",")
        types.append(parser.parse_type())
        parser.parse_punctuation("->")
        result = parser.parse_type()
        operands = [parser.resolve_operand(a, types[0]), parser.resolve_operand(b, types[1])]
        summand = None if acc is None else parser.resolve_operand(acc, result)
        lists = [DenseArrayBase.from_list(i64, dims) for dims in (*over, *batch)]
        names = ("over_a", "over_b", "batch_a", "batch_b")
        return cls.create(
            operands=[*operands, *([] if summand is None else [summand])],
            properties=dict(zip(names, lists, strict=True)),
            attributes=attributes,
            result_types=[result],
        )


def _verify_lists(name: str, pair: tuple[Dims, Dims], a: Dims, b: Dims) -> None:
    for operand, dims, shape in zip("ab", pair, (a, b), strict=True):
        if len(set(dims)) < len(dims) or not all(0 <= dim < len(shape) for dim in dims):
            raise VerifyException(f"'{name}': {list(dims)} are no different dimensions of '{operand}', {list(shape)}")
    left, right = ([shape[dim] for dim in dims] for dims, shape in zip(pair, (a, b), strict=True))
    if left != right:
        raise VerifyException(f"'{name}' pairs dimensions of one size, got {left} and {right}")


def _result_shape(
    a: SSAValue,
    b: SSAValue,
    over: tuple[Sequence[int], Sequence[int]],
    batch: tuple[Sequence[int], Sequence[int]],
) -> Dims:
    shape = [shape_of(a)[dim] for dim in batch[0]]
    for value, summed, common in zip((a, b), over, batch, strict=True):
        shape += [size for dim, size in enumerate(shape_of(value)) if dim not in summed and dim not in common]
    return tuple(shape)


def _print_lists(printer: Printer, name: str, pair: tuple[Dims, Dims]) -> None:
    printer.print_string(f" {name} {list(pair[0])} x {list(pair[1])}")


def _parse_lists(parser: Parser) -> tuple[list[int], list[int]]:
    left = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
    parser.parse_keyword("x")
    return left, parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
