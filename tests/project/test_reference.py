"""The generated pages of docs/reference say what is so."""

import importlib.util
import re
import sys
from pathlib import Path

import click
import pytest

from postroad.project.cli import cli
from postroad.project.mailman.cli import mailman

pytestmark = pytest.mark.sqlite_only

ROOT = Path(__file__).parents[2]


def pages():
    sys.path.insert(0, str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PAGES


def test_nothing_of_mailman_is_missing():
    text = (ROOT / "docs" / "reference" / "parity.md").read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if line.endswith("| missing |")]


@pytest.mark.parametrize(("name", "page"), pages().items(), ids=list(pages()))
def test_a_generated_page_is_current(name, page):
    """Whoever changes what it is made of runs `make reference`."""
    assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == page(), "run `make reference`"


def test_every_command_that_a_page_names_is_there_with_its_options():
    for page in (ROOT / "README.md", *(ROOT / "docs" / "guides").glob("*.md")):
        for program, line in re.findall(r"`(postroad|mailman) ([a-z][^`]+)`", page.read_text(encoding="utf-8")):
            command, options = {"postroad": cli, "mailman": mailman}[program], set()
            for word in line.split():
                options |= {name for parameter in command.params for name in parameter.opts}
                if word.startswith("-"):
                    assert word in options, f"{page.name}: {program} {line}"
                elif isinstance(command, click.Group):
                    command = command.get_command(click.Context(command), word)
                    assert command is not None, f"{page.name}: {program} {line}"
