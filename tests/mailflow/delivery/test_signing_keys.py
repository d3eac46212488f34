"""Keys of mail domains: kept encrypted, published, used, rotated by selector."""

import json

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from postroad.foundation.authentication.keys import public_key
from postroad.foundation.errors import BadInput, ConfigurationError, NotFound
from postroad.mailflow.delivery import signing_keys
from postroad.mailflow.delivery.models import SigningKey

pytestmark = pytest.mark.django_db


def selectors(domain="example.com"):
    return [key.selector for key in signing_keys.in_use([domain])]


def test_a_new_key_signs_nothing_before_it_is_used():
    """Its record must be in DNS first, or receivers would refuse the signature."""
    rsa, edwards = signing_keys.make("Example.COM.")
    assert (rsa.algorithm, edwards.algorithm) == ("rsa", "ed25519")
    assert selectors() == []
    signing_keys.use("example.com", rsa.selector)
    assert selectors() == [rsa.selector]
    signing_keys.use("example.com", edwards.selector)
    assert selectors() == [edwards.selector, rsa.selector]


def test_a_key_takes_the_place_of_the_one_of_its_kind():
    first, other = signing_keys.make("example.com")
    second = signing_keys.make("example.com", ["rsa"])[0]
    assert first.selector != second.selector
    for key in (first, other):
        signing_keys.use("example.com", key.selector)
    assert [old.selector for old in signing_keys.use("example.com", second.selector)] == [first.selector]
    assert set(selectors()) == {second.selector, other.selector}
    assert {key.selector: key.state for key in signing_keys.known("example.com")}[first.selector] == "retired"
    signing_keys.use("example.com", first.selector)
    assert first.selector in selectors(), "a retired key can come back"


def test_a_key_in_use_is_not_removed():
    (key,) = signing_keys.make("example.com", ["ed25519"])
    signing_keys.use("example.com", key.selector)
    with pytest.raises(BadInput, match="retire it first"):
        signing_keys.remove("example.com", key.selector)
    signing_keys.retire("example.com", key.selector)
    signing_keys.remove("example.com", key.selector)
    with pytest.raises(NotFound):
        signing_keys.find("example.com", key.selector)


def test_the_database_alone_signs_nothing(settings, tmp_path):
    """The key is encrypted under the home's secret; a host with another secret says so instead of sending unsigned."""
    from dataclasses import replace

    from postroad.foundation.configuration import create

    (key,) = signing_keys.make("example.com", ["ed25519"])
    signing_keys.use("example.com", key.selector)
    create(tmp_path)
    settings.POSTROAD = replace(settings.POSTROAD, home=tmp_path)
    signing_keys._opened.cache_clear()
    with pytest.raises(ConfigurationError, match=r"same secret\.key"):
        signing_keys.in_use(["example.com"])


def test_a_key_moved_to_another_domain_is_not_read():
    (key,) = signing_keys.make("example.com", ["ed25519"])
    SigningKey.objects.update(mail_host="example.net")
    key.refresh_from_db()
    with pytest.raises(ConfigurationError):
        signing_keys.opened(key)


@pytest.mark.parametrize("domain", ["", "localhost", "a b.example", "-", "exa\nmple.org", "x" * 300 + ".org"])
def test_only_a_mail_domain_has_keys(domain):
    with pytest.raises(BadInput, match="no mail domain"):
        signing_keys.make(domain)


def test_an_international_domain_signs_under_its_ascii_name():
    (key,) = signing_keys.make("bücher.example", ["ed25519"])
    assert key.mail_host == "xn--bcher-kva.example"


def test_whether_a_record_is_published_is_asked_of_dns(name_server):
    (key,) = signing_keys.make("example.com", ["ed25519"])
    assert not signing_keys.is_published(key)
    from postroad.foundation.authentication.dns import forget

    forget()
    name_server.zone[key.record_name] = {"TXT": [signing_keys.record(key).replace("; ", ";")]}
    assert signing_keys.is_published(key)


def test_the_command_makes_shows_and_rotates(monkeypatch, name_server):
    """`postroad dkim`: the printed record is the key's; a key that DNS does not tell is not used."""
    from postroad.project import cli
    from postroad.project.commands import dkim

    monkeypatch.setattr(cli, "open_home", lambda home: None)

    def run(*words):
        return CliRunner().invoke(dkim.command, words)

    assert "_domainkey.example.com. IN TXT" in run("make", "example.com").stdout
    rsa, ed25519 = json.loads(run("show", "example.com", "--json").stdout)
    assert public_key(rsa["record"]).algorithm == "rsa"
    refused = run("use", "example.com", rsa["selector"])
    assert isinstance(refused.exception, BadInput)
    assert rsa["record"] in str(refused.exception)
    name_server.zone[ed25519["name"]] = {"TXT": [ed25519["record"]]}
    assert run("use", "example.com", ed25519["selector"]).exit_code == 0
    assert "in use" in run("show").stdout
    lines = run("show", "--records").stdout.splitlines()
    assert all(len(piece) <= 255 for line in lines for piece in line.split('"')[1::2])


def pem_of(key, password: bytes = b"") -> bytes:
    """A key as other programs keep it."""
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


def test_a_key_made_elsewhere_signs_at_once_and_again_changes_nothing():
    pem = pem_of(ed25519.Ed25519PrivateKey.generate())
    brought = signing_keys.bring("example.com", "old", pem)
    assert selectors() == ["old"]
    assert signing_keys.bring("example.com", "old", pem) == brought
    with pytest.raises(BadInput, match="another key old already"):
        signing_keys.bring("example.com", "old", pem_of(ed25519.Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    ("selector", "data", "told"),
    [
        ("a b", pem_of(ed25519.Ed25519PrivateKey.generate()), "no selector"),
        ("old", b"", "no key to sign with"),
        ("old", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no key to sign with"),
        ("old", pem_of(ed25519.Ed25519PrivateKey.generate(), b"secret"), "no key to sign with"),
        ("old", pem_of(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
    ],
)
def test_what_is_no_key_is_refused(selector, data, told):
    with pytest.raises(BadInput, match=told):
        signing_keys.bring("example.com", selector, data)
    assert not SigningKey.objects.exists()
