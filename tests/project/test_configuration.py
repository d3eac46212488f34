"""A wrong postroad.toml is told in one line: which file, which key, what is allowed."""

import dataclasses
import os
import tomllib

import pytest

from postroad.foundation import configuration
from postroad.foundation.errors import ConfigurationError

pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of its own, with nothing of the test run's environment in force."""
    for name in list(os.environ):
        if name.startswith("POSTROAD_"):
            monkeypatch.delenv(name)
    configuration.create(tmp_path)
    return tmp_path


def write(home, text):
    (home / "postroad.toml").write_text(text)
    return home


def test_a_new_home_has_a_working_file_and_secrets_nobody_else_reads(home):
    loaded = configuration.load(home)
    assert len(loaded.rest.password) >= 32
    assert (home / "postroad.toml").stat().st_mode & 0o777 == 0o600
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600


def test_making_a_home_twice_changes_nothing(home):
    before = (home / "postroad.toml").read_text()
    configuration.create(home)
    assert (home / "postroad.toml").read_text() == before


def test_what_a_new_file_says_gives_way_to_an_old_system_s_word_unless_somebody_changed_it(home):
    file = home / "postroad.toml"
    text = file.read_text().replace("port = 25", "port = 26")
    text = configuration.without_first_values(text, {"smtp": {"host", "port"}, "rest": {"password"}})
    assert tomllib.loads(text)["smtp"] == {"port": 26, "security": "none"}
    assert "password" not in tomllib.loads(text)["rest"]
    assert configuration.without_first_values(text, {"rest": {"password"}}) == text


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("[smpt]\nhost = 'x'\n", "[smpt]", "smtp"),
        ("[smtp]\nhots = 'x'\n", "[smtp] has no key hots", "host"),
        ("[smtp]\nport = 'x'\n", "[smtp] port = 'x'", "a number"),
        ("[smtp]\nport = -1\n", "[smtp] port", "0 or more"),
        ("[smtp]\nport = true\n", "[smtp] port", "a number"),
        ("[smtp]\nsecurity = 'ssl'\n", "[smtp] security = 'ssl'", '"starttls"'),
        ("[lmtp]\nlisten = '8024'\n", "[lmtp] listen", '"host:port"'),
        ("[lmtp]\nlisten = '127.0.0.1:99999'\n", "[lmtp] listen", '"host:port"'),
        ("[database]\nurl = 'mysql://x'\n", "[database] url", "postgresql://"),
        ("[site]\nbase_url = 'lists.example.org'\n", "[site] base_url", "https://"),
        ("[site]\nowner = 'me'\n", "[site] owner", "one mail address"),
        ("[mail]\nhold_digest = 'yes'\n", "[mail] hold_digest", "true, false"),
        ("[templates]\nfetch_from = 'https://x'\n", "[templates] fetch_from", "a list of strings"),
        ("site = 3\n", "site stands outside", "smtp"),
        ("[site\n", "not valid TOML", "line 1"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(home, text, key, allowed):
    with pytest.raises(ConfigurationError) as caught:
        configuration.load(write(home, text))
    message = str(caught.value)
    assert str(home / "postroad.toml") in message
    assert key in message
    assert allowed in message
    assert "\n" not in message


def test_a_password_is_never_shown_in_an_error(home):
    with pytest.raises(ConfigurationError) as caught:
        configuration.load(write(home, "[smtp]\npassword = 12345\n"))
    assert "12345" not in str(caught.value)


def test_the_environment_goes_before_the_file(home, monkeypatch):
    monkeypatch.setenv("POSTROAD_SMTP_PORT", "2525")
    monkeypatch.setenv("POSTROAD_SITE_NAME", "Bees")
    monkeypatch.setenv("POSTROAD_TEMPLATES_FETCH_FROM", "https://a.example/, https://b.example/")
    monkeypatch.setenv("POSTROAD_MAIL_HOLD_DIGEST", "true")
    loaded = configuration.load(write(home, "[smtp]\nport = 25\n"))
    assert loaded.smtp.port == 2525
    assert loaded.site.name == "Bees"
    assert loaded.templates.fetch_from == ("https://a.example/", "https://b.example/")
    assert loaded.mail.hold_digest is True


def test_a_wrong_environment_variable_is_told_like_a_wrong_line(home, monkeypatch):
    monkeypatch.setenv("POSTROAD_SMTP_PORT", "many")
    with pytest.raises(ConfigurationError, match="port = 'many'"):
        configuration.load(home)


def test_every_section_says_what_it_is_for():
    for section in dataclasses.fields(configuration.Configuration):
        if section.name != "home":
            assert section.default_factory.__doc__, section.name
