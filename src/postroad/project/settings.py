"""Django's settings, all of them from the site's one configuration file."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import django

from postroad.foundation import configuration

POSTROAD_HOME = Path(os.environ.get("POSTROAD_HOME", "var/home")).resolve()
POSTROAD = configuration.load(POSTROAD_HOME)

# Slices whose settings make up the register of list settings, in the order of the reference page.
LIST_SETTING_MODULES = (
    "postroad.community.lists.settings",
    "postroad.community.subscriptions.settings",
    "postroad.community.notices.settings",
    "postroad.mailflow.moderation.settings",
    "postroad.mailflow.pipeline.settings",
    "postroad.mailflow.delivery.settings",
    "postroad.mailflow.digests.settings",
    "postroad.mailflow.archive.settings",
    "postroad.mailflow.bounces.settings",
    "postroad.mailflow.usenet.settings",
)

# Rows that name their list, domain or address in text: they are deleted with it (model, field).
ROWS_OF_A_LIST = (
    ("subscriptions.Pending", "list_id"),
    ("subscriptions.Consent", "list_id"),
    ("notices.AutoResponse", "list_id"),
    ("notices.TemplateUri", "context"),
    ("notices.OwnText", "context"),
    ("webhooks.Webhook", "list_id"),
)
ROWS_OF_A_DOMAIN = (("notices.TemplateUri", "context"), ("notices.OwnText", "context"))
# Columns that repeat an address, or that of the user they belong to (model, user, column): they follow its changes.
COPIES_OF_AN_ADDRESS = (("subscriptions.Member", "user", "email"),)
ROWS_OF_AN_ADDRESS = (
    ("bounces.Probe", "email"),
    ("notices.AutoResponse", "address"),
    ("subscriptions.Pending", "email"),
    ("subscriptions.Consent", "email"),
)

# Done while a list that is deleted is still there, each with the list.
BEFORE_A_LIST_GOES = ("postroad.mailflow.archive.tending.delete_archive",)

# Rows that name a stored content (model, field), and rows whose bytes hold such names: all others are forgotten.
ROWS_THAT_NAME_CONTENTS = (
    ("archive.Mail", "message"),
    ("bounces.BounceEvent", "message"),
    ("delivery.Dispatch", "template"),
    ("digests.Post", "message"),
    ("moderation.HeldMessage", "message"),
)
ROWS_THAT_HOLD_ENVELOPES = (
    ("queue.Job", "envelope"),
    ("delivery.Dispatch", "envelope"),
    ("moderation.HeldMessage", "envelope"),
)

# Called when lists or their hosts came, went or changed their addresses, after the commit.
AFTER_LISTS_CHANGE = ("postroad.mailflow.intake.map_files.rewrite",)

# Whose tokens REST takes beside the credential of postroad.toml.
REST_TOKENS = "postroad.community.access.queries.caller_of"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "postroad.foundation.web",
    "postroad.foundation.queue",
    "postroad.foundation.storage",
    "postroad.foundation.rest",
    "postroad.foundation.webhooks",
    "postroad.community.people",
    "postroad.community.lists",
    "postroad.community.bans",
    "postroad.community.notices",
    "postroad.community.subscriptions",
    "postroad.community.access",
    "postroad.mailflow.intake",
    "postroad.mailflow.moderation",
    "postroad.mailflow.delivery",
    "postroad.mailflow.digests",
    "postroad.mailflow.archive",
    "postroad.mailflow.bounces",
    "postroad.mailflow.usenet",
    "postroad.mailflow.mail_commands",
    "postroad.upgrade.importing",
    "postroad.project",
    "postroad.project.moderators",
    "postroad.project.outbox",
    "postroad.project.posting",
    "postroad.project.webhooks",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "postroad.foundation.web.security.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "postroad.community.people.own_name.OwnName",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "postroad.foundation.web.outage.Outage",
]

ROOT_URLCONF = "postroad.project.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "postroad.foundation.web.context.site",
            ],
        },
    },
]

SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "OPTIONS": {
        # Writers take the lock at once: no transaction fails half-way because another wrote first.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=268435456;"
        "PRAGMA cache_size=-16000;",
    },
}


def _database(url: str) -> dict[str, object]:
    """Django's description of `[database] url`."""
    if url.startswith("sqlite:///"):
        return {**SQLITE, "NAME": str(POSTROAD_HOME / url.removeprefix("sqlite:///")), "CONN_MAX_AGE": None}
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # What is asked again and again is planned once for a connection, not each time (docs/guides/postgresql.md).
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
    }


DATABASES = {"default": _database(POSTROAD.database.url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = POSTROAD.secret("django").hex() if POSTROAD_HOME.is_dir() else "unset: there is no home yet"
DEBUG = False
ALLOWED_HOSTS = ["*"]  # Links are made from `[site] base_url`, never from the request's Host header: `OwnName`.
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = POSTROAD.site.language
STATIC_URL = "/static/"
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600
DATA_UPLOAD_MAX_MEMORY_SIZE = 40 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200_000  # Mass subscription and roster removal come as one form.
APPEND_SLASH = False
LOGGING_CONFIG = None


AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "postroad.community.people.old_hashes.Crypt",
    "postroad.community.people.old_hashes.SaltedSha1",
    "postroad.community.people.old_hashes.UnsaltedSha1",
]
ACCOUNT_ADAPTER = "postroad.community.people.adapter.Accounts"
ACCOUNT_FORMS = {
    "login": "postroad.community.people.forms.SignIn",
    "request_login_code": "postroad.community.people.forms.RequestCode",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
LOGIN_REDIRECT_URL = "/"
_MAIL = "postroad.community.notices.backend.QueueBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": _MAIL}}
else:
    EMAIL_BACKEND = _MAIL
DEFAULT_FROM_EMAIL = POSTROAD.site.owner
SERVER_EMAIL = POSTROAD.site.owner

SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = POSTROAD.site.base_url.startswith("https:")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_COOKIE_HTTPONLY = True
# A proxy that speaks TLS asks us without it, perhaps by another name; what people see is base_url.
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(POSTROAD.site.base_url))]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
