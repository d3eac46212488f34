"""A real installation of Mailman 2.1.39, as its own release left it and described it."""

import json
import lzma
import tarfile
from pathlib import Path

import pytest

from postroad.upgrade.importing.engine import run
from postroad.upgrade.importing.progress import Silent
from postroad.upgrade.mailman2.site import OldSite
from postroad.upgrade.mailman2.steps import steps

FIXTURE = Path(__file__).parent / "fixture"


@pytest.fixture(scope="session")
def m21(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("m21")
    with tarfile.open(FIXTURE / "m21.tar.xz") as tar:
        tar.extractall(root, filter="data")
    return root


@pytest.fixture(scope="session")
def truth():
    return json.loads(lzma.decompress((FIXTURE / "TRUTH.json.xz").read_bytes()))


@pytest.fixture
def bring(m21):
    """Import the site, or another folder like it."""

    def brought(root: Path = m21, *, cut_over: bool = False, lists=(), **options):
        site = OldSite(root, lists, is_cut_over=cut_over)
        return run(site.name, steps(site), Silent(), **options)

    return brought
