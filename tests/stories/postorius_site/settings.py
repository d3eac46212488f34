"""A Postorius as its documentation sets one up, for the story that drives it; addresses come from the environment."""

import os

SECRET_KEY = "of a throw-away site"
DEBUG = True  # So that it serves its own scripts.
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "postorius", "django_mailman3", "django_gravatar", "allauth", "allauth.account", "allauth.socialaccount",
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.humanize", "django.contrib.messages",
    "django.contrib.sessions", "django.contrib.sites", "django.contrib.staticfiles",
]  # fmt: skip
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware", "allauth.account.middleware.AccountMiddleware",
    "django_mailman3.middleware.TimezoneMiddleware", "postorius.middleware.PostoriusMiddleware",
]  # fmt: skip
ROOT_URLCONF = "urls"
_CONTEXT = (
    "django.template.context_processors.i18n", "django.template.context_processors.static",
    "django.template.context_processors.csrf", "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages",
    "django_mailman3.context_processors.common", "postorius.context_processors.postorius",
)  # fmt: skip
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": list(_CONTEXT)},
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["POSTORIUS_DATABASE"]}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True
STATIC_URL = "/static/"
SITE_ID = 1
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "list_index"
LOGOUT_URL = "account_logout"
ACCOUNT_EMAIL_VERIFICATION = "none"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
MAILMAN_REST_API_URL = os.environ["MAILMAN_REST_API_URL"]
MAILMAN_REST_API_USER = os.environ["MAILMAN_REST_API_USER"]
MAILMAN_REST_API_PASS = os.environ["MAILMAN_REST_API_PASS"]
POSTORIUS_TEMPLATE_BASE_URL = os.environ["POSTORIUS_URL"]
