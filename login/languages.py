"""The language of a page: the first of the browser's languages that its reader can read here."""

from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware as DjangoLocaleMiddleware
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from channels import languages

# Of Accept-Language: a caller who makes headers up must not fill the memory.
_LONGEST_KEPT = 200


class LocaleMiddleware(DjangoLocaleMiddleware):
    """Reads tags as messages do. Django's own takes zh-HK-u-mu-celsius for Simplified Chinese, and does not know
    yue-Hant-HK."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        is_ours = any(chosen == code for code, _name in settings.LANGUAGES)
        language = chosen if is_ours else _of_browser(request.headers.get("Accept-Language", "").lower())
        if not language:
            super().process_request(request)
            return
        translation.activate(language)
        request.LANGUAGE_CODE = language


def _of_browser(accept_language: str) -> str:
    return _read(accept_language) if len(accept_language) > _LONGEST_KEPT else _kept(accept_language)


@lru_cache(maxsize=1024)
def _kept(accept_language: str) -> str:
    """A browser sends the same header with each request, and most browsers of a country send one of a few."""
    return _read(accept_language)


def _read(accept_language: str) -> str:
    return first_supported(tag for tag, _quality in parse_accept_lang_header(accept_language))


def first_supported(tags: Iterable[str]) -> str:
    for tag in tags:
        try:
            return translation.get_supported_language_variant(languages.canonical(tag).lower())
        except LookupError:
            continue
    return ""
