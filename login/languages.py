"""The language of a page: the first of the browser's languages that its reader can read here."""

from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware as DjangoLocaleMiddleware
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from channels import languages


class LocaleMiddleware(DjangoLocaleMiddleware):
    """Reads tags as messages do. Django's own takes zh-HK-u-mu-celsius for Simplified Chinese, and does not know
    yue-Hant-HK."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) in dict(settings.LANGUAGES):
            return
        header = request.headers.get("Accept-Language", "").lower()
        language = first_supported(tag for tag, _quality in parse_accept_lang_header(header))
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = language


def first_supported(tags: Iterable[str]) -> str:
    for tag in tags:
        try:
            return translation.get_supported_language_variant(languages.canonical(tag).lower())
        except LookupError:
            continue
    return ""
