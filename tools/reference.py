"""Writes the generated pages of docs/reference/: `make reference`. A test tells when one is not current."""

import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import parity

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
METHODS = ("get", "post", "put", "patch", "delete")


def rest() -> str:
    """Every address of REST 3.1 with methods, rights, fields and answers; at the end what 3.0 has otherwise."""
    from postroad.foundation.rest.openapi import INTRODUCTION
    from postroad.project.rest_urls import documents

    new, old = documents("")["3.1"], documents("")["3.0"]
    groups: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, item in new["paths"].items():
        for method in METHODS:
            if method in item:
                groups.setdefault(item[method]["tags"][0], []).append((method.upper(), path, item[method]))
    lines = ["# REST", "", *INTRODUCTION.split("\n"), "", *_HABITS]
    told: dict[str, str] = {}
    for name in sorted(groups):
        lines += ["", f"## {name.capitalize()}", ""]
        for method, path, operation in groups[name]:
            lines += [*_operation(method, path, operation), *_fields_told(method, path, operation, told), ""]
    lines += ["## 3.0", "", "The same under `/3.0`, except:", ""]
    lines += [f"- `{path}` is only in 3.1" for path in new["paths"] if path not in old["paths"]]
    lines += [f"- `{path}` is only in 3.0" for path in old["paths"] if path not in new["paths"]]
    extra = set(old["components"]["schemas"]["ListConfiguration"]["properties"])
    extra -= set(new["components"]["schemas"]["ListConfiguration"]["properties"])
    lines += [f"- a list's configuration also has {', '.join(f'`{name}`' for name in sorted(extra))}"]
    lines += ["- identifiers are numbers, not hexadecimal"]
    return "\n".join(lines) + "\n"


_HABITS = [
    "This page is made from `/3.1/openapi.json` by `make reference`; the document says more, such as the shape of each answer.",
    "",
    "Rights: a token with `read`, `moderate` or `manage` counts on its lists, `site` everywhere; the user of `[rest]` in",
    "`postroad.toml` may do everything. Each right includes the ones before it.",
    "",
    "Every call can answer 401, 403, 503 and 507; one that takes fields 400 and 413; one with a name in its address 404; one that writes 409;",
    "one with a condition 304 or 412. Only further answers are named below. Collections take `count` and `page` together, and have",
    "`start`, `total_size` and `entries` (absent when there are none).",
]


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    answers = operation["responses"]
    success = [f"{status} {_what(answer)}".strip() for status, answer in answers.items() if int(status) < 300]
    further = [
        f"{status}: {a['description']}" for status, a in answers.items() if int(status) >= 400 and "$ref" not in a
    ]
    yield f"**{method} `{path}`** ({operation['x-right']}): {operation['summary']}. → {', '.join([*success, *further])}"


def _fields_told(method: str, path: str, operation: Mapping[str, Any], told: dict[str, str]) -> Iterator[str]:
    """The fields, or where the same ones stand already; what is needed is in bold."""
    fields = list(_fields(operation))
    same = repr([(name, schema) for name, schema, _ in fields])
    if same in told and len(fields) > 4:
        whole = "" if method == "PATCH" else ", all of them"
        yield f"- the fields of {told[same]}{whole if all(needed for *_, needed in fields) else ''}"
        return
    told[same] = f"{method} `{path}`"
    for name, schema, needed in fields:
        yield f"- {'**' if needed else ''}`{name}`{'**' if needed else ''}: {_kind(schema)}"


def _what(answer: Mapping[str, Any]) -> str:
    return answer["description"] if "content" in answer else ""


def _fields(operation: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    for parameter in operation.get("parameters", []):
        if parameter["name"] not in ("count", "page"):
            yield parameter["name"], parameter["schema"], parameter["required"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for name, schema in body.get("properties", {}).items():
        yield name, schema, name in body.get("required", [])


def _kind(schema: Mapping[str, Any]) -> str:
    """What is allowed, in a few words."""
    if "enum" in schema:
        words = [f"`{word}`" if word else "nothing" for word in schema["enum"] if word is not None]
        return ", ".join(words) if len(words) <= 12 else f"one of {len(words)}, such as {', '.join(words[:3])}"
    if "anyOf" in schema:
        return " or ".join(_kind(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"several of: {_kind(schema['items'])}"
    kind = schema.get("type", "anything")
    words = " or ".join(kind) if isinstance(kind, list) else kind
    notes = [schema.get("format", ""), schema.get("description", "")]
    notes += ["one line"] if "pattern" in schema else []
    notes += [f"at most {schema['maxLength']:,} characters"] if "maxLength" in schema else []
    return ", ".join([words, *(note for note in notes if note)])


def commands() -> str:
    """Every command of the three programs: usage, meaning, options, an example."""
    from postroad.project.commands.completion import PROGRAMS

    lines = ["# Commands", "", *_OF_COMMANDS]
    for program, place in PROGRAMS.items():
        module, _, attribute = place.partition(":")
        root = getattr(importlib.import_module(module), attribute)
        lines += ["", f"## {program}", "", *_commands(program, root, click.Context(root, info_name=program), "")]
    return "\n".join(lines) + "\n"


_OF_COMMANDS = """This page is made from the programs' own help by `make reference`. `postroad` is Postroad's command; `mailman` and
`mailman-web` are drop-ins for Mailman's, with its names, options, output and exit codes.

`--home DIR`, or `POSTROAD_HOME`, names the site's home; `-h` explains every command. Exit codes of `postroad`: 0 done, 1 done
with findings, 2 wrong use or bad input and nothing changed, 3 failed. `postroad completion` lets the shell complete them.""".split(
    "\n"
)


def _commands(program: str, group: click.Group, context: click.Context, path: str) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        below = click.Context(command, context, name)
        whole = f"{path} {name}".strip()
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield from _command(program, whole, command, below)
        if isinstance(command, click.Group):
            yield from _commands(program, command, below, whole)


def _command(program: str, path: str, command: click.Command, context: click.Context) -> Iterator[str]:
    from postroad.project import examples
    from postroad.project.mailman_web.cli import OF_DJANGO

    usage = [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
    meaning = " ".join((command.help or OF_DJANGO.get(path, "")).replace("\b", "").split())
    yield f"**`{' '.join((program, path, *usage))}`** {meaning}"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and record[1] and parameter.name != "home" and "--help" not in record[0]:
            yield f"- `{record[0]}` {record[1]}".rstrip()
    yield f"- Example: `{examples.line(program, path)}`"
    yield ""


PAGES: Mapping[str, Callable[[], str]] = {"rest.md": rest, "commands.md": commands, "parity.md": parity.page}


def main() -> None:
    os.environ["POSTROAD_HOME"] = tempfile.mkdtemp(prefix="postroad-reference-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "postroad.project.settings"
    from postroad.foundation import configuration

    configuration.create(Path(os.environ["POSTROAD_HOME"]))
    import django

    django.setup()
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"docs/reference/{name}\n")


if __name__ == "__main__":
    main()
