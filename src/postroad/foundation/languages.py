"""The languages a person or a list may choose: the codes Mailman configures, with their own names."""

from collections.abc import Mapping
from types import MappingProxyType

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "ar": "العربية", "ast": "Asturianu", "bg": "Български", "ca": "Català", "cs": "Čeština", "da": "Dansk",
        "de": "Deutsch", "el": "Ελληνικά", "en": "English", "es": "Español", "et": "Eesti", "eu": "Euskara",
        "fi": "Suomi", "fr": "Français", "gl": "Galego", "he": "עברית", "hr": "Hrvatski", "hu": "Magyar",
        "ia": "Interlingua", "it": "Italiano", "ja": "日本語", "ko": "한국어", "lt": "Lietuvių", "nl": "Nederlands",
        "no": "Norsk", "pl": "Polski", "pt": "Português", "pt_BR": "Português do Brasil", "ro": "Română",
        "ru": "Русский", "sk": "Slovenčina", "sl": "Slovenščina", "sr": "Српски", "sv": "Svenska", "tr": "Türkçe",
        "uk": "Українська", "vi": "Tiếng Việt", "zh_CN": "简体中文", "zh_TW": "繁體中文",
    }
)  # fmt: skip


def is_language(code: object) -> bool:
    """Whether this is the code of a language that can be chosen."""
    return code in LANGUAGES
