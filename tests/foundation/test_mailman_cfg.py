"""An existing mailman.cfg goes on meaning what it meant."""

import pytest

from postroad.foundation import configuration, mailman_cfg
from postroad.foundation.errors import ConfigurationError

pytestmark = pytest.mark.sqlite_only

OLD = """\
# a comment
[mailman]
site_owner: olga@example.org
layout: custom
pending_request_life: 1w
[paths.custom]
var_dir: /opt/mailman/var
data_dir: $var_dir/data
[database]
url: sqlite:///$DATA_DIR/mailman.db
[mta]
verp_probes: yes
smtp_host: relay.example.org
smtp_port: 2525
smtp_secure_mode: starttls
lmtp_host: localhost
lmtp_port: 8124
[webservice]
admin_user: restadmin
admin_pass: restpass
[antispam]
header_checks:
    X-Spam: yes
    X-Virus: .*infected.*
[logging.smtp]
every: $msgid smtp to $listname
"""


@pytest.fixture
def old(tmp_path):
    file = tmp_path / "mailman.cfg"
    file.write_text(OLD)
    return file


def test_its_values_count_where_our_file_is_silent(old, tmp_path, monkeypatch):
    monkeypatch.delenv("POSTROAD_HOME")
    (tmp_path / "postroad.toml").write_text(f'[site]\nmailman_cfg = "{old}"\n[smtp]\nport = 26\n')
    loaded = configuration.load(tmp_path)
    assert loaded.mail.verp_probes is True
    assert loaded.site.owner == "olga@example.org"
    assert loaded.mail.pending_request_days == 7
    assert (loaded.smtp.host, loaded.smtp.port, loaded.smtp.security) == ("relay.example.org", 26, "starttls")
    assert str(loaded.lmtp.listen) == "127.0.0.1:8124"
    assert loaded.mail.header_checks == ("X-Spam: yes", "X-Virus: .*infected.*")


ARCHIVERS = """\
[ARC]
enabled: yes
trusted_authserv_ids: mx.example.org, mx2.example.org
[archiver.mail_archive]
enable: yes
[archiver.mhonarc]
enable: yes
configuration: FILE
[archiver.prototype]
enable: no
"""


def test_archivers_and_arc_go_on_as_they_were(tmp_path):
    """MHonArc's address and command may stand in a file of their own."""
    own = tmp_path / "mhonarc.cfg"
    own.write_text(
        "[general]\nbase_url: http://$hostname/a/$listname\ncommand: /usr/bin/mhonarc -title 'a b'\n  -add\n"
    )
    file = tmp_path / "mailman.cfg"
    file.write_text(ARCHIVERS.replace("FILE", str(own)))
    found = mailman_cfg.mapped(mailman_cfg.read(file))
    assert found["dkim"] == {"arc": True}
    assert found["mail"] == {"trusted_authserv_ids": ["mx.example.org", "mx2.example.org"]}
    assert found["archivers"] == {
        "mail_archive": True, "mhonarc": True, "prototype": False, "mhonarc_url": "http://$hostname/a/$listname",
        "mhonarc_command": ["/usr/bin/mhonarc", "-title", "a b", "-add"],
    }  # fmt: skip


def test_a_password_that_everybody_knows_is_not_taken_over(old):
    assert "password" not in mailman_cfg.mapped(mailman_cfg.read(old)).get("rest", {})


def test_paths_are_filled_in_with_each_other(old):
    cfg = mailman_cfg.read(old)
    assert cfg.paths()["queue_dir"] == "/opt/mailman/var/queue"
    assert cfg.filled(cfg.get("database", "url")) == "sqlite:////opt/mailman/var/data/mailman.db"


def test_paths_that_name_each_other_in_a_ring_end(tmp_path):
    file = tmp_path / "mailman.cfg"
    file.write_text("[mailman]\nlayout: x\n[paths.x]\nvar_dir: $data_dir\ndata_dir: $var_dir\n")
    assert "$" in mailman_cfg.read(file).paths()["var_dir"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[mta]\nverp_probes: perhaps\n", "[mta] verp_probes"),
        ("[mailman]\npending_request_life: soon\n", "[mailman] pending_request_life"),
        ("[mta]\nsmtp_port: x\n", "[mta] smtp_port"),
        ("[archiver.mhonarc]\ncommand: mhonarc -add >> /tmp/log\n", "[archiver.mhonarc] command: only a shell"),
        ("verp_probes: yes\n", "not a readable mailman.cfg"),
    ],
)
def test_what_cannot_be_understood_is_named(tmp_path, text, told):
    file = tmp_path / "mailman.cfg"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        mailman_cfg.mapped(mailman_cfg.read(file))
    assert told in str(caught.value)


def test_the_named_file_goes_before_the_usual_places(old, monkeypatch, tmp_path):
    other = tmp_path / "other.cfg"
    other.write_text("[mailman]\n")
    monkeypatch.setenv("MAILMAN_CONFIG_FILE", str(other))
    assert mailman_cfg.find(str(old)) == old
    assert mailman_cfg.find() == other
    with pytest.raises(ConfigurationError, match="no such file"):
        mailman_cfg.find(str(tmp_path / "none.cfg"))
