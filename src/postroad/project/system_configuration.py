"""Postroad's configuration in the sections and keys of a mailman.cfg, for programs that read it over REST.

Every value is text as it would stand in the file. Passwords, the database's address among them, are never shown.
"""

from collections.abc import Mapping

from postroad.community.lists.archivers import ARCHIVERS
from postroad.community.lists.styles import DEFAULT_STYLE
from postroad.foundation import durations
from postroad.foundation.configuration import Configuration
from postroad.foundation.languages import LANGUAGES

Section = Mapping[str, str]

HIDDEN = ""
"""Stands for a secret."""
_LOGS = (
    "archiver", "bounce", "config", "database", "debug", "error", "fromusenet", "http", "locks", "mischief", "plugins",
    "root", "runner", "smtp", "subscribe", "task", "vette",
)  # fmt: skip
RUNNERS = (
    "archive", "bad", "bounces", "command", "digest", "in", "lmtp", "nntp", "out", "pipeline", "rest", "retry",
    "shunt", "task", "virgin",
)  # fmt: skip
_PATHS = ("dev", "fhs", "here", "local")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _mailman(site: Configuration) -> Section:
    mail = site.mail
    return {
        "anonymous_list_keep_headers": "",
        "cache_life": "7d",
        "check_max_size_on_filtered_message": "no",
        "default_language": site.site.language,
        "email_commands_max_lines": str(mail.email_commands_max_lines),
        "filter_report": "no",
        "filtered_messages_are_preservable": "no",
        "hold_digest": _yes(mail.hold_digest),
        "html_to_plain_text_command": "",
        "layout": "here",
        "listname_chars": mail.listname_chars,
        "masthead_threshold": str(mail.masthead_threshold),
        "moderator_request_life": _duration(mail.moderator_request_days * 86_400),
        "noreply_address": mail.noreply_address,
        "pending_request_life": _duration(mail.pending_request_days * 86_400),
        "post_hook": "",
        "pre_hook": "",
        "run_tasks_every": _duration(mail.run_tasks_every),
        "sender_headers": "from from_ reply-to sender",
        "site_owner": site.site.owner,
    }


def _duration(seconds: float) -> str:
    """As people write it in a mailman.cfg: `1h` rather than `0d3600.0s`."""
    if seconds and seconds < 86_400 and seconds % 3600 == 0:
        return f"{int(seconds // 3600)}h"
    return durations.text_of(seconds)


def _mta(site: Configuration) -> Section:
    mail, smtp = site.mail, site.smtp
    modes = {"none": "smtp", "starttls": "starttls", "tls": "smtps"}
    return {
        "delivery_retry_period": _duration(mail.delivery_retry_days * 86_400),
        "lmtp_host": site.lmtp.listen.host,
        "lmtp_port": str(site.lmtp.listen.port),
        "max_autoresponses_per_day": str(mail.max_autoresponses_per_day),
        "max_recipients": str(site.lmtp.max_recipients),
        "remove_dkim_headers": _yes(mail.remove_dkim_headers),
        "smtp_host": smtp.host,
        "smtp_pass": HIDDEN,
        "smtp_port": str(smtp.port),
        "smtp_secure_mode": modes[smtp.security],
        "smtp_user": smtp.user,
        "verp_delimiter": "+",
        "verp_format": "${bounces}+${local}=${domain}",
        "verp_personalized_deliveries": "yes",
        "verp_probes": _yes(mail.verp_probes),
    }


def _webservice(site: Configuration) -> Section:
    rest = site.rest
    return {
        "admin_pass": HIDDEN,
        "admin_user": rest.user,
        "api_version": "3.1",
        "hostname": rest.listen.host,
        "port": str(rest.listen.port),
        "show_tracebacks": "no",
        "use_https": "no",
        "workers": "1",
    }


def sections(site: Configuration) -> dict[str, Section]:
    """Every section by name; values are texts."""
    home = str(site.home)
    made: dict[str, Section] = {
        "ARC": {"enabled": "no"},
        "antispam": {"header_checks": "\n".join(site.mail.header_checks), "jump_chain": site.mail.jump_chain},
        "archiver.master": {"class": "", "configuration": "", "enable": "no"},
        "bounces": {"register_bounces_every": "0s"},
        "database": {"class": "", "debug": "no", "url": HIDDEN},
        "devmode": {"enabled": "no", "recipient": "", "testing": "no"},
        "digests": {
            "mime_digest_keep_headers": " ".join(site.mail.mime_digest_keep_headers),
            "plain_digest_keep_headers": " ".join(site.mail.plain_digest_keep_headers),
        },
        "dmarc": {"resolver_lifetime": "5s", "resolver_timeout": "3s"},
        "language.master": {"charset": "utf-8", "description": LANGUAGES["en"], "enabled": "yes"},
        "mailman": _mailman(site),
        "mta": _mta(site),
        "nntp": {"host": "", "password": HIDDEN, "port": "", "user": ""},
        "passwords": {"configuration": "argon2", "password_length": "8"},
        "paths.master": {"var_dir": home},
        "plugin.master": {"class": "", "component_package": "", "configuration": "", "enabled": "no"},
        "shell": {"banner": "", "history_file": "", "prompt": ">>> ", "use_ipython": "no"},
        "styles": {"default": DEFAULT_STYLE},
        "webservice": _webservice(site),
    }
    for archiver in ARCHIVERS:
        enabled = _yes(archiver.is_offered(site.archivers))
        made[f"archiver.{archiver.name.replace('-', '_')}"] = {"class": "", "configuration": "", "enable": enabled}
    for code, language in LANGUAGES.items():
        made[f"language.{code}"] = {"charset": "utf-8", "description": language, "enabled": "yes"}
    for name in _LOGS:
        made[f"logging.{name}"] = {"level": site.log.level, "path": "stderr"}
    for name in RUNNERS:
        made[f"runner.{name}"] = {"class": "", "instances": "1", "start": "yes"}
    for name in _PATHS:
        made[f"paths.{name}"] = {"var_dir": home}
    return dict(sorted(made.items()))
