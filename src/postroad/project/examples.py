"""An example for each command, shown by its `--help` and on docs/reference/commands.md."""

from collections.abc import Mapping

import click

POSTROAD: Mapping[str, str] = {
    "serve": "--home /var/lib/postroad",
    "upgrade": "--check",
    "rollback": "",
    "doctor": "--quiet",
    "config": "--json",
    "config show": "--list ants@lists.example.org",
    "config get": "smtp.port",
    "config set": "smtp.host=relay.example.org smtp.security=starttls",
    "config export": "ants@lists.example.org > ants.json",
    "config apply": "--dry-run ants.json",
    "list add": "ants@lists.example.org --owner olga@example.org",
    "list show": "ants@lists.example.org --json",
    "list set": "ants@lists.example.org 'description=All about ants'",
    "list remove": "ants@lists.example.org",
    "member add": "ants@lists.example.org anna@example.net bert@example.net",
    "member show": "ants@lists.example.org --role owner",
    "member delivery": "anna@example.net --list ants@lists.example.org",
    "member set": "ants@lists.example.org anna@example.net delivery_mode=mime_digests",
    "member remove": "ants@lists.example.org bert@example.net",
    "user add": "olga@example.org --name Olga --server-owner",
    "user show": "--json",
    "user set": "olga@example.org --no-server-owner",
    "user remove": "olga@example.org",
    "user unite": "olga@münchen.example",
    "token add": "olga@example.org --name dashboard --scope read",
    "token show": "--json",
    "token revoke": "3",
    "backup": "/var/backups/postroad/monday",
    "restore": "/var/backups/postroad/monday --home /var/lib/postroad",
    "export": "leaving ants@lists.example.org",
    "queue show": "",
    "queue deferred": "",
    "queue flush": "",
    "queue quarantined": "--traceback",
    "queue retry": "--all",
    "queue drop": "17",
    "trace": "'<swarm@example.net>' --recipient anna@example.net",
    "explain": "--list ants@lists.example.org mail.eml",
    "dkim make": "lists.example.org",
    "dkim use": "lists.example.org 202611-rsa",
    "dkim show": "--records",
    "dkim retire": "lists.example.org 202611-rsa",
    "dkim remove": "lists.example.org 202611-rsa",
    "import mailman3": "--cfg /etc/mailman3/mailman.cfg --dry-run",
    "import mailman2": "/var/lib/mailman --dry-run",
    "import mbox": "ants@lists.example.org ants.mbox",
    "verify mailman3": "--cfg /etc/mailman3/mailman.cfg",
    "verify mailman2": "/var/lib/mailman",
    "verify mbox": "ants@lists.example.org ants.mbox",
    "demo": "--home var/demo",
    "demo post": "garden@lists.example.org --subject Roses",
    "completion": "bash >> ~/.bashrc",
    "version": "--json",
}
"""What stands behind `postroad` and the command."""

MAILMAN: Mapping[str, str] = {
    "addmembers": "people.txt ants@lists.example.org",
    "admins": "-a olga@example.org ants@lists.example.org",
    "aliases": "",
    "changeaddress": "bert@example.net berta@example.net",
    "conf": "-s mta -k smtp_host",
    "create": "-o olga@example.org ants@lists.example.org",
    "delmembers": "-l ants@lists.example.org -m bert@example.net",
    "digests": "--periodic",
    "findmember": "'^anna@'",
    "gatenews": "",
    "help": "",
    "import21": "ants@lists.example.org /var/lib/mailman/lists/ants/config.pck",
    "info": "-v",
    "inject": "-f mail.eml ants@lists.example.org",
    "lists": "-d",
    "members": "-d any ants@lists.example.org",
    "notify": "-v",
    "qfile": "17",
    "remove": "ants@lists.example.org",
    "reopen": "",
    "restart": "",
    "shell": "-l ants@lists.example.org",
    "start": "",
    "status": "",
    "stop": "",
    "syncmembers": "-n people.txt ants@lists.example.org",
    "unshunt": "",
    "version": "",
    "withlist": "-l ants@lists.example.org -r report.show",
}

MAILMAN_WEB: Mapping[str, str] = {
    "changepassword": "olga@example.org",
    "createsuperuser": "--email olga@example.org",
    "dumpdata": "lists --indent 2",
    "hyperkitty_import": "-l ants@lists.example.org ants.mbox",
    "loaddata": "rows.json",
    "rebuild_index": "--noinput",
    "runjob": "forget_expired_requests",
    "runjobs": "hourly",
    "sendtestemail": "olga@example.org",
    "sqlmigrate": "queue 0001",
    "update_index_one_list": "ants@lists.example.org",
}
"""Those that are not called by their name alone."""

OF_PROGRAM: Mapping[str, Mapping[str, str]] = {"postroad": POSTROAD, "mailman": MAILMAN, "mailman-web": MAILMAN_WEB}


def line(program: str, path: str) -> str:
    """The whole line of an example."""
    return " ".join(filter(None, (program, path, OF_PROGRAM[program].get(path, ""))))


def show(program: str, path: str, command: click.Command) -> None:
    """Let the help of a command, and of those below it, end in its example."""
    if path in OF_PROGRAM[program]:
        command.epilog = f"Example: {line(program, path)}"
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            show(program, f"{path} {name}", below)
