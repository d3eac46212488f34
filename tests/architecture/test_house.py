"""The rules of the house that can be counted: imports, sizes, names, types, mirrors, keys, templates."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey

pytestmark = pytest.mark.sqlite_only

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "postroad"
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "migrations" not in p.parts)
SLICES = sorted(
    p
    for floor in ("community", "mailflow", "foundation")
    for p in (PACKAGE / floor).iterdir()
    if (p / "__init__.py").exists()
)
FLOORS = ("foundation", "community", "mailflow", "upgrade", "project")


def ident(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_imports_keep_the_contract():
    """Floors, stages, slices: every layer contract of pyproject.toml holds, and there is no way around it."""
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_modules_import_each_other_in_a_ring():
    """Inside a package too, which the layers do not see."""
    graph = {module_name(p): imports_of(p) for p in MODULES}
    known = set(graph)
    graph = {m: {t for t in targets if t in known and t != m} for m, targets in graph.items()}
    ring = find_ring(graph)
    assert not ring, " -> ".join(ring)


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    # `from package import module` is an edge to the module; the package's own file is empty.
    return {name for name in found if not any(other.startswith(name + ".") for other in found)}


def find_ring(graph: dict[str, set[str]]) -> list[str]:
    state: dict[str, int] = {}
    for start, first in graph.items():
        stack = [(start, iter(first))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            node, targets = stack[-1]
            for target in targets:
                if state.get(target) == 1:
                    names = [n for n, _ in stack]
                    return [*names[names.index(target) :], target]
                if target not in state:
                    state[target] = 1
                    stack.append((target, iter(graph[target])))
                    break
            else:
                state[node] = 2
                stack.pop()
    return []


def test_no_module_is_longer_than_400_lines():
    long = {ident(p): n for p in MODULES if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_no_function_is_longer_than_50_lines():
    long = {}
    for path in MODULES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
                if node.end_lineno - first > 50:
                    long[f"{ident(path)}:{node.name}"] = node.end_lineno - first
    assert not long


def test_every_module_says_what_it_is_for():
    silent = [ident(p) for p in MODULES if p.read_text().strip() and not ast.get_docstring(parsed(p))]
    assert not silent


def test_every_function_is_annotated():
    bare = []
    for path in MODULES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                missing = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
                if missing or node.returns is None:
                    bare.append(f"{ident(path)}:{node.name} {missing}")
    assert not bare


def test_modules_are_named_for_their_subject():
    vague = {"utils", "util", "helpers", "common", "misc", "base", "manager", "managers", "lib", "tools"}
    named = [ident(p) for p in MODULES if p.stem in vague or p.parent.name in vague]
    assert not named


def test_nothing_is_left_for_later():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    left = [f"{ident(p)}: {m.group()}" for p in MODULES if (m := marks.search(p.read_text()))]
    assert not left


@pytest.mark.parametrize("slice_", SLICES, ids=ident)
def test_every_slice_has_its_tests(slice_):
    mirror = ROOT / "tests" / slice_.relative_to(PACKAGE)
    assert list(mirror.rglob("test_*.py")), f"{mirror.relative_to(ROOT)} holds no test"


def test_foreign_keys_point_downwards():
    """A key given as a string is invisible to the import contract; here it is seen."""
    wrong = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey) and model.__module__.startswith("postroad."):
                source, target = model.__module__.split("."), field.related_model.__module__.split(".")
                if target[0] == "postroad" and not allowed(source[1:3], target[1:3]):
                    wrong.append(f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}")
    assert not wrong


def allowed(source: list[str], target: list[str]) -> bool:
    if source == target:
        return True
    if source[0] != target[0]:
        return FLOORS.index(target[0]) < FLOORS.index(source[0])
    community = ["people", "lists", "bans", "notices", "subscriptions", "access"]
    return source[0] == "community" and community.index(target[1]) < community.index(source[1])


def test_templates_use_only_their_own_slice_and_the_base():
    """What a template includes or extends is its own slice's or foundation/web's."""
    wrong = []
    for path in PACKAGE.rglob("templates/**/*.html"):
        own = path.relative_to(PACKAGE).parts[: path.relative_to(PACKAGE).parts.index("templates")]
        used = re.findall(r"{%\s*(?:include|extends)\s+[\"']([^\"']+)", path.read_text())
        allowed_folders = (own[-1], "web", "allauth", "account", "mfa", "socialaccount")
        wrong += [f"{ident(path)}: {name}" for name in used if name.split("/")[0] not in allowed_folders]
    assert not wrong


@pytest.mark.django_db
def test_migrations_are_complete():
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
