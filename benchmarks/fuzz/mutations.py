"""Token-level mutations of Python and of MLIR text."""

from __future__ import annotations

import io
import random
import re
import tokenize
import warnings

INTERESTING = ("0", "1", "2", "-1", "3", "7", "128", "129", "513", "1.5", "2147483648", "9223372036854775808", "True")
PYTHON_OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>", "<", "<=", "==", "!=", "@")
PYTHON_NAMES = (
    "None",
    "True",
    "tl",
    "tl.sum",
    "tl.exp",
    "tl.float16",
    "tl.int32",
    "range",
    "print",
    "undefined",
    "float",
)
MLIR_TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|[%@#!^][\w.$:-]*|-?\d+(?:\.\d*(?:e[+-]?\d+)?)?|[A-Za-z_][\w.$]*|->|\S|\s+'
)
MLIR_WORDS = ("f32", "bf16", "f16", "i8", "i32", "i64", "index", "vector", "scalar", "gpsimd", "tensor", "sync", "max")


def mutated_python(source: str, rng: random.Random) -> str:
    """One to three mutations below the `def`; valid syntax, or Python itself would refuse it, and every function is
    still decorated: a plain one is Python's to refuse as well."""
    for _ in range(50):
        text = source
        for _ in range(rng.choice((1, 1, 2, 3))):
            text = rng.choice((_python_tokens, _python_tokens, _python_tokens, _lines))(text, rng)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(text, "<mutant>", "exec")
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            continue
        if _decorators(text) == _decorators(source):
            return text
    return source


def _decorators(source: str) -> list[str]:
    """The decorators, each with the line that it stands on top of."""
    lines = source.splitlines()
    return [line + lines[i + 1][:4] for i, line in enumerate(lines[:-1]) if line.startswith("@")]


def mutated_text(text: str, rng: random.Random) -> str:
    for _ in range(rng.choice((1, 1, 2, 3))):
        text = rng.choice((_mlir_tokens, _mlir_tokens, _mlir_tokens, _lines))(text, rng)
    return text


def _lines(text: str, rng: random.Random) -> str:
    """A line of the body goes, comes twice, or changes places with the next."""
    lines = text.splitlines(keepends=True)
    body = next((i for i, line in enumerate(lines) if line.lstrip().startswith("def ")), -1) + 1
    if len(lines) - body < 2:
        return text
    at = rng.randrange(body, len(lines) - 1)
    match rng.randrange(3):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case _:
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return "".join(lines)


def _python_tokens(source: str, rng: random.Random) -> str:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, IndentationError):
        return source
    first = next((t.start[0] for t in tokens if t.string == "def"), 0)
    kinds = (tokenize.NAME, tokenize.NUMBER, tokenize.OP)
    inside = [t for t in tokens if t.type in kinds and t.start[0] > first]
    if not inside:
        return source
    token = rng.choice(inside)
    names = [t.string for t in inside if t.type == tokenize.NAME] or ["x"]
    choices = {
        tokenize.NAME: [rng.choice(names), rng.choice(names), rng.choice(PYTHON_NAMES), rng.choice(INTERESTING)],
        tokenize.NUMBER: [rng.choice(INTERESTING), rng.choice(names)],
        tokenize.OP: [rng.choice(PYTHON_OPERATORS), rng.choice(PYTHON_OPERATORS), ""],
    }
    lines = source.splitlines(keepends=True)
    row, begin, end = token.start[0] - 1, token.start[1], token.end[1]
    line = lines[row]
    if token.string == "," and rng.random() < 0.5:
        lines[row] = _swapped(line, begin)
    else:
        lines[row] = line[:begin] + rng.choice(choices[token.type]) + line[end:]
    return "".join(lines)


def _swapped(line: str, comma: int) -> str:
    """The words beside a comma exchanged."""
    left, right = re.search(r"[\w.]+$", line[:comma]), re.match(r"\s*([\w.]+)", line[comma + 1 :])
    if not left or not right:
        return line
    rest = line[comma + 1 + right.end() :]
    return f"{line[: left.start()]}{right[1]}, {left[0]}{rest}"


def _mlir_tokens(text: str, rng: random.Random) -> str:
    tokens = MLIR_TOKEN.findall(text)
    places = [i for i, t in enumerate(tokens) if not t.isspace()]
    if len(places) < 2:
        return text
    at, other = rng.choice(places), rng.choice(places)
    numbers = [i for i in places if tokens[i][-1].isdigit()]
    if numbers and rng.random() < 0.4:
        at = rng.choice(numbers)
        tokens[at] = re.sub(r"-?\d+$", lambda _: rng.choice(INTERESTING[:-1]), tokens[at])
        return "".join(tokens)
    match rng.randrange(6):
        case 0:
            tokens[at] = ""
        case 1:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        case 2:
            tokens[at] = tokens[other]
        case _:
            tokens[at] = _like(tokens, at, rng)
    return "".join(tokens)


def _like(tokens: list[str], at: int, rng: random.Random) -> str:
    """Another token of the same kind."""
    token = tokens[at]
    if token.lstrip("-")[:1].isdigit():
        return rng.choice(INTERESTING)
    if token[0].isalpha():
        words = [t for t in tokens if t[0].isalpha()]
        return rng.choice((rng.choice(words), rng.choice(MLIR_WORDS)))
    same = [t for t in tokens if t[0] == token[0]]
    return rng.choice(same)
