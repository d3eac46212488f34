"""The guide for moving in from Mailman 3, followed word by word."""

import os
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from postroad.foundation import configuration
from tests import programs

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "from-mailman-3.md"

pytestmark = [pytest.mark.sqlite_only, pytest.mark.timeout(600)]


def configured(home: Path, section: str):
    """What a home's file says itself."""
    return tomllib.loads((home / "postroad.toml").read_text())[section]


def test_every_command_of_the_guide_works_in_its_order(old_site, tmp_path):
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    commands = [line for block in blocks for line in block.strip().splitlines()]
    assert [line.split()[1] for line in commands] == ["import", "import", "verify", "import", "verify"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("POSTROAD_", "DJANGO_"))}
    codes, said = [], {}
    for line in commands:
        words = shlex.split(line.replace("/var/lib/postroad", str(tmp_path / "home")))
        run = programs.run([*words, *old_site.options()], environment=environment, folder=tmp_path, timeout=600)
        codes.append((line.split()[1], run.returncode))
        if "first.html" in line:
            assert configured(tmp_path / "home", "site")["shadow"] is True
        assert run.returncode in (0, 1), run.stderr
        said[words[-1]] = run.stderr
    assert codes == [("import", 1), ("import", 1), ("verify", 0), ("import", 1), ("verify", 0)]
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("plan.html", "first.html", "last.html"))
    assert "restart the service" in said["last.html"]
    assert configured(tmp_path / "home", "site").keys() == {"mailman_cfg", "base_url", "name"}
    in_force = configuration.load(tmp_path / "home")
    assert (in_force.site.shadow, in_force.lmtp.listen.port, in_force.smtp.port) == (False, 19102, 19103)
    assert (tmp_path / "home" / "mailman.cfg").stat().st_mode & 0o777 == 0o600
