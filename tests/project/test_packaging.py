"""The package's and the container's scripts, run with stand-ins for the programs they call."""

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.sqlite_only

PACKAGING = Path(__file__).parents[2] / "packaging"
ENTRYPOINT = PACKAGING / "container" / "entrypoint.sh"
POSTINST = PACKAGING / "debian" / "postroad.postinst"


@pytest.fixture
def run(tmp_path):
    """Runs a script in a home; stand-ins write down how they were called, `postroad upgrade` ends with `code`."""
    stand_ins, home, log = tmp_path / "bin", tmp_path / "home", tmp_path / "log"
    stand_ins.mkdir()
    for name in ("postroad", "adduser", "getent", "install", "systemctl", "runuser"):
        upgrade = 'if [ "$1" = upgrade ]; then exit $UPGRADE_CODE; fi' if name == "postroad" else ""
        (stand_ins / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {log}\n{upgrade}\n')
        (stand_ins / name).chmod(0o755)

    def run(script: Path, *arguments: str, code: int = 0, made: bool = True) -> tuple[int, list[str], str]:
        home.mkdir(exist_ok=True)
        (home / "postroad.toml").unlink(missing_ok=True)
        if made:
            (home / "postroad.toml").write_text("")
        log.write_text("")
        environment = {
            "PATH": f"{stand_ins}:{os.environ['PATH']}", "POSTROAD_HOME": str(home), "POSTROAD_RUN_AS": "env",
            "UPGRADE_CODE": str(code),
        }  # fmt: skip
        done = subprocess.run([script, *arguments], env=environment, capture_output=True, text=True, check=False)
        return done.returncode, log.read_text().splitlines(), done.stderr

    return run


@pytest.mark.parametrize("arguments", [(), ("serve",), ("serve", "--role", "http")])
def test_a_container_is_upgraded_before_it_serves(run, arguments):
    code, calls, _ = run(ENTRYPOINT, *arguments)
    assert (code, calls) == (0, ["postroad upgrade", f"postroad {' '.join(arguments or ('serve',))}"])


def test_a_new_volume_needs_no_upgrade_and_other_commands_get_none(run):
    assert run(ENTRYPOINT, made=False)[1] == ["postroad serve"]
    assert run(ENTRYPOINT, "list", "show")[1] == ["postroad list show"]


@pytest.mark.parametrize(("code", "served"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_container_serves_only_what_was_upgraded(run, code, served):
    ended, calls, _ = run(ENTRYPOINT, "serve", code=code)
    assert ("postroad serve" in calls, ended) == (served, 0 if served else code)


@pytest.mark.parametrize(("code", "configured"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_package_is_configured_only_when_the_upgrade_was_done(run, code, configured):
    ended, calls, errors = run(POSTINST, "configure", "0.1", code=code)
    assert any(call.startswith("postroad upgrade --home") for call in calls)
    assert ended == (0 if configured else code)
    assert ("nothing was changed" in errors) != configured


def test_a_first_installation_makes_user_and_home_and_upgrades_nothing(run):
    code, calls, _ = run(POSTINST, "configure", made=False)
    assert code == 0
    assert not any(call.startswith("postroad") for call in calls)
    assert any(call.startswith("install -d -o postroad") for call in calls)


def test_dpkgs_other_words_are_known_and_no_others(run):
    assert run(POSTINST, "abort-upgrade", "0.1")[:2] == (0, [])
    assert run(POSTINST, "explode")[0] == 2
