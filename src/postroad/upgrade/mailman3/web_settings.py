"""Step: what the web half's settings file and mailman-hyperkitty.cfg say, key by key, and what stands for it here."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from postroad.foundation.errors import ConfigurationError
from postroad.foundation.mailman_cfg import read
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mailman3.django_settings import STOCK, Unknown
from postroad.upgrade.mailman3.moving import Moving

_READ = ("DATABASES", "HYPERKITTY_ATTACHMENT_FOLDER", "BASE_DIR")
"""What this import itself goes by."""
_INSTEAD: Mapping[str, str] = {
    "ADMINS": "[site] owner in postroad.toml is the person in charge",
    "ALLOWED_HOSTS": "every host name is answered; links are made from [site] base_url in postroad.toml",
    "CSRF_TRUSTED_ORIGINS": "the site's own address is [site] base_url in postroad.toml",
    "DEFAULT_FROM_EMAIL": "mail of the site is from [site] owner, mail of a list from the list",
    "EMAIL_HOST": "the relay is [smtp] host in postroad.toml",
    "EMAIL_HOST_PASSWORD": "the relay is asked with [smtp] password in postroad.toml",
    "EMAIL_HOST_USER": "the relay is asked with [smtp] user in postroad.toml",
    "EMAIL_PORT": "the relay's port is [smtp] port in postroad.toml",
    "EMAIL_USE_SSL": "this is [smtp] security in postroad.toml",
    "EMAIL_USE_TLS": "this is [smtp] security in postroad.toml",
    "HYPERKITTY_ALLOW_WEB_POSTING": "whoever may post by mail may post from the archive's pages",
    "HYPERKITTY_MBOX_EXPORT": "who may read an archive may save a month or a thread of it as mbox",
    "LANGUAGE_CODE": "this is [site] language in postroad.toml; pages come in the reader's own",
    "MAILMAN_ARCHIVER_FROM": "posts need no way to the archive; a Core elsewhere: [archive] hyperkitty_from",
    "MAILMAN_ARCHIVER_KEY": "posts need no way to the archive; a Core elsewhere: [archive] hyperkitty_key",
    "POSTORIUS_TEMPLATE_BASE_URL": "texts made in Postorius are kept here; those of elsewhere: [templates] fetch_from",
    "SECURE_PROXY_SSL_HEADER": "behind a proxy say [web] trust_forwarded = true in postroad.toml",
    "SERVER_EMAIL": "mail of the site is from [site] owner",
    "USE_X_FORWARDED_HOST": "behind a proxy say [web] trust_forwarded = true in postroad.toml",
}
_NOT_NEEDED = (
    "ACCOUNT_ADAPTER", "AUTHENTICATION_BACKENDS", "AUTH_PASSWORD_VALIDATORS", "CACHES", "COMPRESS_", "CSRF_", "DEBUG",
    "DEFAULT_AUTO_FIELD", "DJANGO_", "EMAIL_BACKEND", "EMAIL_FILE_PATH", "FILTER_VHOST", "HAYSTACK_",
    "HYPERKITTY_BATCH_MODE", "HYPERKITTY_DISABLE_SINGLETON_TASKS", "HYPERKITTY_JOBS_", "HYPERKITTY_RENDER_",
    "HYPERKITTY_TASK_", "INSTALLED_APPS", "LOCALE_PATHS", "LOGGING", "LOGIN_", "LOGOUT_", "MAILMAN_REST_",
    "MAILMAN_WEB_", "MEDIA_", "MESSAGE_", "MIDDLEWARE", "PASSWORD_HASHERS", "Q_CLUSTER", "REST_FRAMEWORK",
    "ROOT_URLCONF", "SECRET_KEY", "SECURE_", "SESSION_", "SITE_ID", "SOCIALACCOUNT_ADAPTER", "STATIC", "TEMPLATES",
    "TEMPLATE_", "USE_", "WSGI_", "X_FRAME_",
)  # fmt: skip
"""How the old program ran: a name, or how a family of names begins."""
_LOST: Mapping[str, str] = {
    "HYPERKITTY_ENABLE_GRAVATAR": "no picture is asked for elsewhere, since that tells others who reads what",
    "HYPERKITTY_MLIST_FEED_LENGTH": "a feed has a length of its own",
    "TIME_ZONE": "pages show every moment in UTC",
}
_SIGN_IN = "signing in goes by mail address, with a password, a code or a passkey, and cannot be set otherwise"


def steps(moving: Moving) -> tuple[Step, ...]:
    """The one step."""
    return (Step("web settings", lambda: _read(moving), _write),)


def _read(moving: Moving) -> Iterator[Item]:
    settings, cfg = moving.installation.settings, moving.installation.cfg
    for name, value in settings.values.items() if settings else ():
        if name.isupper() and not name.startswith("_") and value != STOCK.get(name):
            yield Item(name[:500], (name, _told(value)), name)
    named = cfg.get("archiver.hyperkitty", "configuration") if cfg else ""
    if cfg is not None and named:
        file = moving.installation.here(cfg.filled(named))
        yield from _of_plugin(file if file.is_file() else cfg.file.with_name(file.name))


def _of_plugin(file: Path) -> Iterator[Item]:
    """How the core reached HyperKitty; each key for itself."""
    try:
        sections = read(file).sections
    except ConfigurationError:
        return  # The plugin's own file is of no use to anybody but the plugin.
    for section, keys in sections.items():
        for key in keys:
            name = f"{file.name} [{section}] {key}"
            yield Item(name[:500], ("MAILMAN_ARCHIVER_KEY", ""), name)


def _told(value: Any) -> str:
    """What makes it another value than last time; secrets are among them, so it goes into the fingerprint only."""
    return value.source if isinstance(value, Unknown) else repr(value)[:10_000]


def _write(batch: Batch) -> None:
    for item in batch.items:
        name = item.data[0]
        batch.done(item)
        if name in _READ:
            continue
        if name in _INSTEAD:
            batch.mapped(item, _INSTEAD[name])
        elif name in _LOST:
            batch.impossible(item, _LOST[name])
        elif name.startswith(_NOT_NEEDED):
            batch.mapped(item, "about how the old program ran; not needed")
        elif name.startswith(("ACCOUNT_", "SOCIALACCOUNT_")):
            batch.impossible(item, _SIGN_IN)
        else:
            batch.impossible(item, "Postroad has no such setting; `postroad config` shows the ones there are")
