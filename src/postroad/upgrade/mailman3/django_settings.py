"""Reads a Django settings file without running it: what its assignments say, as far as that can be known.

Literals, names set before, `os.environ`, paths, f-strings and the usual helpers of `dj_database_url` are followed;
anything else is `Unknown`, with its line, and matters only if it is asked for.
"""

import ast
import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postroad.foundation.errors import BadInput

STOCK: dict[str, Any] = {
    "BASE_DIR": "/opt/mailman/web",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/opt/mailman/web/mailman-web.db"}},
    "POSTORIUS_TEMPLATE_BASE_URL": "http://localhost:8000",
    "TIME_ZONE": "UTC",
}
"""What mailman-web's own settings say where a site says nothing (facts: mailman-web §4)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only running the file would tell."""

    where: str
    """File and line."""
    source: str


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a settings file says."""

    file: Path
    values: Mapping[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        """A value.

        Raises:
            BadInput: it is worked out by code.
        """
        return _known(self.values.get(name, default), name)


def _known(value: Any, name: str) -> Any:
    if isinstance(value, Unknown):
        raise BadInput(
            f"{value.where}: {name} is worked out by code that is not run here ({value.source}); give its value on the"
            " command line, or write it into the file as plain text"
        )
    if isinstance(value, dict):
        for key, part in value.items():
            _known(part, f"{name}[{key!r}]")
    return value


def read_settings(file: Path, environment: Mapping[str, str] = os.environ) -> SettingsFile:
    """Read a settings file and those it imports from its own folder.

    Raises:
        BadInput: there is none, or it is no Python.
    """
    reader = _Reader(environment)
    reader.file(file.resolve())
    return SettingsFile(file, reader.names)


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.names: dict[str, Any] = {"__name__": "settings"}
        self._environment = environment
        self._path = Path()
        self._read: set[Path] = set()

    def file(self, path: Path) -> None:
        if path in self._read:
            return
        self._read.add(path)
        before, self._path = self._path, path
        self.names["__file__"] = str(path)
        try:
            tree = ast.parse(path.read_bytes())
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror}") from None
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise BadInput(
                f"{path}: this is no Python file: {error}. Was it written for Python 2, mend such lines in a copy and"
                " name that with --settings"
            ) from None
        self._block(tree.body)
        self._path = before
        self.names["__file__"] = str(before)

    def _block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign(target, self._value(value))
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._assign(target, self._value(value))
                case ast.AugAssign(target=target, op=ast.Add() | ast.BitOr() as op, value=value):
                    self._assign(target, self._value(ast.BinOp(target, op, value, lineno=statement.lineno)))
                case ast.If(test=test, body=body, orelse=orelse):
                    chosen = self._value(test)
                    # A test that cannot be known is taken as false, and what it guards is known no more.
                    self._block(body if chosen and not isinstance(chosen, Unknown) else orelse)
                    if isinstance(chosen, Unknown):
                        self._forget(body)
                case ast.Try(body=body, orelse=orelse, finalbody=after):
                    self._block([*body, *orelse, *after])
                case ast.With(body=body):
                    self._block(body)
                case ast.For() | ast.While() | ast.Match():
                    self._forget([statement])
                case ast.ImportFrom(module=str() as module, names=[ast.alias(name="*")]):
                    self._import_all(module)
                case ast.ImportFrom(module=str() as module, names=names):
                    self._import(module, [alias.asname or alias.name for alias in names], statement)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=holder, attr="update"), args=[argument])):
                    self._update(holder, argument)
                case _:
                    pass

    def _forget(self, statements: Sequence[ast.stmt]) -> None:
        """What these would assign, should they run, cannot be known."""
        for node in (node for statement in statements for node in ast.walk(statement)):
            if isinstance(node, ast.Assign | ast.AugAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    self._assign(target, self._unknown(node))

    def _neighbour(self, module: str) -> Path:
        return self._path.parent / (module.lstrip(".").replace(".", "/") + ".py")

    def _import(self, module: str, names: Sequence[str], node: ast.AST) -> None:
        """Of a neighbour, all that it says; names of settings from elsewhere are known to nobody."""
        if self._neighbour(module).is_file():
            self.file(self._neighbour(module))
        else:
            self.names |= {name: self._unknown(node) for name in names if name.isupper()}

    def _import_all(self, module: str) -> None:
        neighbour = self._neighbour(module)
        if module.startswith("mailman_web.settings"):
            for name, value in deepcopy(STOCK).items():  # What a site changes in them is that site's.
                self.names.setdefault(name, value)
        elif neighbour.is_file():
            self.file(neighbour)

    def _update(self, holder: ast.expr, argument: ast.expr) -> None:
        target, more = self._value(holder), self._value(argument)
        if isinstance(target, dict) and isinstance(more, dict):
            target.update(more)

    def _assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = value
            case ast.Subscript(value=holder, slice=key):
                into, at = self._value(holder), self._value(key)
                if isinstance(into, dict) and isinstance(at, str | int):
                    into[at] = value
                elif isinstance(into, dict):
                    self._assign(holder, self._unknown(target))
            case _:
                pass

    def _unknown(self, node: ast.AST) -> Unknown:
        return Unknown(f"{self._path}, line {getattr(node, 'lineno', '?')}", ast.unparse(node)[:80])

    def _value(self, node: ast.expr) -> Any:
        """What an expression says, without calling anything of the file's."""
        try:
            return self._known_value(node)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError, OverflowError):
            return self._unknown(node)

    def _known_value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.names[name]
            case ast.List(elts=items):
                return [self._value(item) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self._value(item) for item in items)
            case ast.Dict(keys=keys, values=values):
                return self._merged(zip(keys, values, strict=True))
            case ast.JoinedStr(values=parts):
                return "".join(self._text_of(part) for part in parts)
            case ast.BinOp(left=left, op=op, right=right):
                return self._operation(left, op, right)
            case ast.BoolOp(op=op, values=values):
                return self._first_that(isinstance(op, ast.Or), [self._plain(value) for value in values])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._plain(operand)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return _COMPARISONS[type(op)](self._plain(left), self._plain(right))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._value(body if self._plain(test) else orelse)
            case ast.Subscript(value=holder, slice=key):
                return self._subscript(holder, key)
            case ast.Call(func=function, args=arguments, keywords=keywords):
                return self._call(ast.unparse(function), function, arguments, keywords)
            case ast.Attribute(value=ast.Name(id="sys"), attr="argv"):
                return ["mailman-web"]
            case ast.Attribute(value=holder, attr="parent"):
                return str(Path(self._text_of(holder)).parent)
        raise TypeError

    def _merged(self, pairs: Iterable[tuple[ast.expr | None, ast.expr]]) -> dict[Any, Any]:
        """A dictionary; a pair without a key is another one, whose pairs stand in its place."""
        found: dict[Any, Any] = {}
        for key, value in pairs:
            found |= self._plain(value) if key is None else {self._value(key): self._value(value)}
        return found

    @staticmethod
    def _first_that(wanted: bool, values: list[Any]) -> Any:
        return next((value for value in values if bool(value) is wanted), values[-1])

    def _plain(self, node: ast.expr) -> Any:
        value = self._value(node)
        if isinstance(value, Unknown):
            raise TypeError
        return value

    def _text_of(self, node: ast.expr) -> str:
        inner = node.value if isinstance(node, ast.FormattedValue) else node
        return str(self._plain(inner))

    def _operation(self, left: ast.expr, op: ast.operator, right: ast.expr) -> Any:
        one, two = self._plain(left), self._plain(right)
        match op:
            case ast.Add():
                return one + two
            case ast.BitOr() if isinstance(one, dict) and isinstance(two, dict):
                return one | two
            case ast.Div() if isinstance(one, str):
                return str(Path(one) / str(two))
            case ast.Mod() if isinstance(one, str) and len(one) < 1000:
                return one % two
            case ast.Mult() if isinstance(one, int) and isinstance(two, int) and abs(one) + abs(two) < 2**40:
                return one * two
        raise TypeError

    def _subscript(self, holder: ast.expr, key: ast.expr) -> Any:
        if ast.unparse(holder) in ("os.environ", "environ"):
            return self._environment[self._plain(key)]
        return self._plain(holder)[self._plain(key)]

    def _call(self, name: str, function: ast.expr, nodes: list[ast.expr], keywords: list[ast.keyword]) -> Any:
        arguments = [self._plain(node) for node in nodes]
        named = {keyword.arg: self._plain(keyword.value) for keyword in keywords if keyword.arg}
        if name in ("os.environ.get", "environ.get", "os.getenv", "getenv", "env", "env.str", "config"):
            default = arguments[1] if len(arguments) > 1 else named.get("default")
            return self._environment.get(arguments[0], default)
        if name in ("dj_database_url.config", "dj_database_url.parse", "env.db"):
            url = arguments[0] if name.endswith("parse") else self._environment.get(named.get("env", "DATABASE_URL"))
            return {"URL": url or named["default"]}
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](*arguments)
        if isinstance(function, ast.Attribute) and function.attr in _METHODS and not named:
            return getattr(str(self._plain(function.value)), function.attr)(*arguments)
        if isinstance(function, ast.Attribute) and function.attr in ("resolve", "absolute"):
            return _FUNCTIONS["os.path.abspath"](self._text_of(function.value))
        raise TypeError


_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.Gt: operator.gt, ast.Lt: operator.lt,
}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "os.path.join": os.path.join, "os.path.dirname": os.path.dirname, "os.path.abspath": os.path.abspath,
    "os.path.realpath": os.path.abspath, "os.path.normpath": os.path.normpath, "join": os.path.join,
    "dirname": os.path.dirname, "abspath": os.path.abspath, "str": str, "int": int, "bool": bool, "dict": dict,
    "Path": lambda *parts: str(Path(*parts)), "pathlib.Path": lambda *parts: str(Path(*parts)),
}  # fmt: skip
_METHODS = frozenset({"strip", "lower", "upper", "split", "rstrip", "lstrip", "startswith", "endswith"})
