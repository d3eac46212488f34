"""A settings file is read and never run: what its assignments say, and which ones cannot be known."""

import pytest

from postroad.foundation.errors import BadInput
from postroad.upgrade.mailman3.django_settings import read_settings

pytestmark = pytest.mark.sqlite_only


def settings(tmp_path, text, environment=None, **others):
    for name, body in others.items():
        (tmp_path / f"{name}.py").write_text(body)
    file = tmp_path / "settings.py"
    file.write_text(text)
    return read_settings(file, environment or {})


def test_literals_names_and_paths_are_followed(tmp_path):
    found = settings(
        tmp_path,
        "import os\nfrom pathlib import Path\n"
        "BASE = os.path.dirname(os.path.abspath(__file__))\n"
        "HERE = Path(__file__).resolve().parent\n"
        "HOST = 'db'\nPORT = 5000 + 432\n"
        "DATABASES = {'default': {'ENGINE': 'x.postgresql', 'NAME': 'web', 'HOST': HOST, 'PORT': f'{PORT}'}}\n"
        "DATABASES['default']['PASSWORD'] = 'p' + 'w'\n"
        "FILE = os.path.join(BASE, 'a.db')\nOTHER = HERE / 'b.db'\n",
    )
    assert found.get("DATABASES") == {
        "default": {"ENGINE": "x.postgresql", "NAME": "web", "HOST": "db", "PORT": "5432", "PASSWORD": "pw"}
    }
    assert found.get("FILE") == str(tmp_path / "a.db")
    assert found.get("OTHER") == str(tmp_path / "b.db")


def test_the_environment_counts_as_in_the_docker_images(tmp_path):
    text = (
        "import os, dj_database_url\n"
        "DATABASES = {'default': dj_database_url.config(conn_max_age=600)}\n"
        "ZONE = os.environ.get('TZ', 'UTC')\nKEY = os.environ['KEY']\n"
        "if os.getenv('BIG'):\n    SIZE = 'big'\nelse:\n    SIZE = 'small'\n"
    )
    found = settings(tmp_path, text, {"DATABASE_URL": "postgres://u:p@database/mailmandb", "KEY": "k"})
    assert found.get("DATABASES") == {"default": {"URL": "postgres://u:p@database/mailmandb"}}
    assert (found.get("ZONE"), found.get("KEY"), found.get("SIZE")) == ("UTC", "k", "small")


def test_what_mailman_web_says_itself_and_neighbours_count(tmp_path):
    found = settings(
        tmp_path,
        "from mailman_web.settings.base import *\nfrom mailman_web.settings.mailman import *\n"
        "try:\n    from settings_local import *\nexcept ImportError:\n    pass\n",
        settings_local="HYPERKITTY_ATTACHMENT_FOLDER = '/srv/att'\n",
    )
    assert found.get("DATABASES")["default"]["NAME"] == "/opt/mailman/web/mailman-web.db"
    assert found.get("HYPERKITTY_ATTACHMENT_FOLDER") == "/srv/att"


def test_dictionaries_are_merged_in_every_way_there_is(tmp_path):
    found = settings(
        tmp_path,
        "import sys\nBASE = {'HOST': 'db', 'PORT': 1}\nMORE = {}\n"
        "DATABASES = {'default': {**BASE, 'NAME': 'web', 'PORT': 2}}\n"
        "DATABASES['default'] |= {'USER': 'u'}\nDATABASES |= MORE\nfrom local import SECRET, FOLDER\n"
        "if 'test' in sys.argv:\n    DATABASES = {}\n",
        local="FOLDER = '/srv'\n",
    )
    assert found.get("DATABASES") == {"default": {"HOST": "db", "PORT": 2, "NAME": "web", "USER": "u"}}
    assert found.get("FOLDER") == "/srv"


@pytest.mark.parametrize(
    "odd",
    [
        "if host() == 'web1':\n    DATABASES['default'] = {'NAME': 'production'}",
        "if host() == 'web1':\n    DATABASES = {}\nelse:\n    DATABASES = {'default': {'NAME': 'x'}}",
        "for name in DATABASES:\n    DATABASES[name] = {'NAME': 'production'}",
        "with open('/etc/secret') as file:\n    DATABASES['default']['PASSWORD'] = file.read()",
        "DATABASES = {**secrets(), 'default': {'NAME': 'x'}}", "from company.settings import DATABASES",
        "match host():\n    case 'web1':\n        DATABASES = {}",
    ],
)  # fmt: skip
def test_what_may_be_another_value_is_never_taken_for_known(tmp_path, odd):
    found = settings(tmp_path, "DATABASES = {'default': {'NAME': 'of the developer'}}\n" + odd + "\n")
    with pytest.raises(BadInput, match="worked out by code"):
        found.get("DATABASES")


def test_nothing_of_the_file_runs(tmp_path):
    mark = tmp_path / "ran"
    settings(
        tmp_path,
        f"open({str(mark)!r}, 'w').close()\nx = open({str(mark)!r}, 'w')\n__import__('os').system('touch {mark}')\n"
        f"def f(): open({str(mark)!r}, 'w')\ny = f()\nz = [f() for _ in range(3)]\nw = 'a' * 10**12\nv = 9**9**9\n",
    )
    assert not mark.exists()


def test_a_value_that_code_works_out_is_named_with_its_line_when_it_is_needed(tmp_path):
    found = settings(tmp_path, "DATABASES = {\n  'default': {'NAME': 'x',\n 'PASSWORD': vault.get('db')}}\nA = 1\n")
    assert found.get("A") == 1
    with pytest.raises(BadInput, match=r"settings.py, line 3: DATABASES\['default'\]\['PASSWORD'\].*vault.get"):
        found.get("DATABASES")


@pytest.mark.parametrize("text", ["def :", "\0", "(" * 10_000, "x = " + "-" * 100_000 + "1"])
def test_what_is_no_python_is_told(tmp_path, text):
    with pytest.raises(BadInput, match=r"settings.py: this is no Python file"):
        settings(tmp_path, text)
