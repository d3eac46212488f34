"""What the README tells people to do works, word for word."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()

pytestmark = pytest.mark.sqlite_only


def test_the_five_minutes_lead_to_a_list_with_members(tmp_path):
    (block,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    bin_ = Path(sys.executable).parent
    script = block.replace(".venv/bin", str(bin_)).replace("$PWD", str(tmp_path))
    # The first line makes the home and serves it; what follows needs it ready, as a person's typing gives it time.
    script = script.replace(
        "serve &", f"serve >{tmp_path}/out 2>&1 & until grep -sq ready {tmp_path}/out; do sleep 0.1; done;"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("POSTROAD_", "DJANGO_"))}
    environment |= {f"POSTROAD_{name}_LISTEN": f"127.0.0.1:{free_port()}" for name in ("WEB", "REST", "LMTP")}
    shell = subprocess.run(
        ["bash", "-ec", script], env=environment, capture_output=True, text=True, timeout=90, check=False, cwd=tmp_path
    )
    pid = int((tmp_path / "site" / "run" / "postroad.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    assert shell.returncode == 0, shell.stderr
    assert "made ants@lists.example.org" in shell.stdout
    assert "added 2" in shell.stdout
    assert "changed description" in shell.stdout


def test_the_two_commands_exist_and_the_links_lead_somewhere():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    for link in re.findall(r"\]\(([^):]+)\)", README):
        assert (ROOT / link).exists(), link


def test_ci_runs_the_readmes_test_command():
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("make test")
