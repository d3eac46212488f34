"""What our programs have in common: subcommands that are loaded when they are asked for, and errors in one line."""

import errno
import importlib
import os
import sys
import traceback
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NoReturn

import click

from postroad.foundation.errors import UNEXPECTED, BadInput, PostroadError, StorageFull, TryLater, answer_for
from postroad.project import examples


class LazyGroup(click.Group):
    """Subcommands by name: where each stands (`module:attribute`) and its line in the overview.

    Nothing is imported before it is needed, so that `--help` is quick and needs no site.
    """

    subcommands: Mapping[str, tuple[str, str]] = {}
    sections: Mapping[str, Collection[str]] = {}
    """Names under headings of the overview; without them, all stand under one."""
    program = ""
    """Whose examples end the help of each command."""
    path = ""
    """Where the group stands below its program."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the overview."""
        return list(self.subcommands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand itself."""
        if cmd_name not in self.subcommands:
            return None
        module, _, attribute = self.subcommands[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        if self.program:
            examples.show(self.program, f"{self.path} {cmd_name}".strip(), command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, without importing anything."""
        for heading, names in (self.sections or {"Commands": self.subcommands}).items():
            with formatter.section(heading):
                formatter.write_dl([(name, self.subcommands[name][1]) for name in names])


def lines_of(filename: str) -> list[str]:
    """Lines of a file, or of standard input for `-`, without the space around them.

    Seen in practice: members' names in Latin-1, as spreadsheets save them; a line that is no UTF-8 is read so.

    Raises:
        OSError: the file cannot be read.
    """
    data = sys.stdin.buffer.read() if filename == "-" else Path(filename).read_bytes()
    return [_text(line).strip() for line in data.splitlines()]


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def run(program: click.Group, name: str) -> None:
    """Run and leave; a foreseen error is one line on standard error and the exit code of the table in `errors.py`."""
    try:
        result = program.main(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except PostroadError as error:
        _tell(name, error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 — what nobody foresaw is shown whole, and is a failure to scripts
        told = _of_the_database(error) or _of_a_file(error)
        if told is None:
            traceback.print_exc()
            sys.exit(UNEXPECTED.exit)
        _tell(name, told)


def _tell(name: str, error: PostroadError) -> NoReturn:
    click.echo(f"{name}: {error}", err=True)
    sys.exit(answer_for(error).exit)


def _of_a_file(error: Exception) -> PostroadError | None:
    """What an error means if the system refused a file: the wrong user, a wrong place, or no room."""
    if not isinstance(error, OSError):
        return None
    if error.filename is None:  # As with writing to what was opened before.
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return StorageFull("a disk is full: see that it has room, and call it again") if is_full else None
    if isinstance(error, PermissionError):
        return BadInput(f"{error.filename}: this user may not do that; be the user the service runs as")
    told = f"{error.filename}: {error.strerror}"
    return BadInput(told) if isinstance(error, _WRONG_PLACE) else TryLater(told)


_WRONG_PLACE = (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)


def _of_the_database(error: Exception) -> PostroadError | None:
    """What an error means if it is one of the database; nothing is imported that no command has imported."""
    if "django.db" not in sys.modules:
        return None
    from django.db import Error

    from postroad.upgrade import schema

    return schema.explained(error) if isinstance(error, Error) else None
