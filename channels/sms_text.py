"""The text of an SMS, in the best language for it. Pure.

The last line binds the code to the host that shows the form (WICG origin-bound one-time codes), so browsers offer
it there only. Every text fits one segment: two cost double and arrive apart.
"""

import unicodedata

from channels.languages import best_language

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_DOUBLE = frozenset("^{}\\[~]|€\f")

# Code first: notification previews show the beginning. Letters outside GSM-7 are avoided where a language has a usual
# plain spelling, because one of them halves the room. With the brand, without it, and advice where there is room.
_TEXTS: dict[str, tuple[str, str, str]] = {
    "ar": ("{code} رمز الدخول إلى {brand}", "{code} رمز الدخول", ""),
    "bn": ("{code} আপনার {brand} কোড", "{code} আপনার কোড", ""),
    "de": ("{code} ist dein Code für {brand}", "{code} ist dein Code", "Gib ihn nicht weiter."),
    "en": ("{code} is your {brand} code", "{code} is your code", "Do not share it."),
    "es": ("{code} es tu codigo de {brand}", "{code} es tu codigo", "No lo compartas."),
    "fa": ("{code} کد ورود به {brand}", "{code} کد ورود", ""),
    "fil": ("{code} ang iyong {brand} code", "{code} ang iyong code", "Huwag itong ibahagi."),
    "fr": ("{code} est votre code {brand}", "{code} est votre code", "Ne le partagez pas."),
    "he": ("{code} הקוד שלך ל-{brand}", "{code} הקוד שלך", ""),
    "hi": ("{code} आपका {brand} कोड है", "{code} आपका कोड है", ""),
    "id": ("{code} adalah kode {brand} Anda", "{code} adalah kode Anda", "Jangan bagikan."),
    "it": ("{code} è il tuo codice {brand}", "{code} è il tuo codice", "Non condividerlo."),
    "ja": ("{code} {brand}の認証コード", "{code} 認証コード", ""),
    "ko": ("{code} {brand} 인증 코드", "{code} 인증 코드", ""),
    "ms": ("{code} ialah kod {brand} anda", "{code} ialah kod anda", "Jangan kongsi."),
    "nl": ("{code} is je {brand}-code", "{code} is je code", "Deel hem niet."),
    "pl": ("{code} to Twoj kod {brand}", "{code} to Twoj kod", "Nie podawaj go nikomu."),
    "pt": ("{code} é o seu codigo {brand}", "{code} é o seu codigo", "Nao compartilhe."),
    "ro": ("{code} este codul dvs. {brand}", "{code} este codul de acces", "Nu il divulgati."),
    "ru": ("{code} код для {brand}", "{code} ваш код", ""),
    "sw": ("{code} ni msimbo wako wa {brand}", "{code} ni msimbo wako", "Usimpe mtu."),
    "th": ("{code} รหัส {brand} ของคุณ", "{code} รหัสของคุณ", ""),
    "tr": ("{code} {brand} kodunuz", "{code} kodunuz", "Kimseyle paylasmayin."),
    "uk": ("{code} код для {brand}", "{code} ваш код", ""),
    "ur": ("{code} آپ کا {brand} کوڈ ہے", "{code} آپ کا کوڈ ہے", ""),
    "vi": ("{code} la ma {brand} cua ban", "{code} la ma cua ban", "Khong chia se."),
    "zh-Hans": ("{code} 是您的{brand}验证码", "{code} 是您的验证码", ""),
    "zh-Hant": ("{code} 是您的{brand}驗證碼", "{code} 是您的驗證碼", ""),
}
_LONGEST_BRAND = 30


def is_gsm7(text: str) -> bool:
    """Whether every character is in the GSM 7-bit alphabet or its extension (3GPP TS 23.038)."""
    return all(character in _GSM7 or character in _GSM7_DOUBLE for character in text)


def segments(text: str) -> int:
    """How many messages a text costs: 160 characters (153 when several) in GSM-7, else 70 (67) UTF-16 units."""
    if is_gsm7(text):
        size = len(text) + sum(character in _GSM7_DOUBLE for character in text)
        single, several = 160, 153
    else:
        size = len(text.encode("utf-16-le", "surrogatepass")) // 2
        single, several = 70, 67
    return 1 if size <= single else -(-size // several)


def _clean(brand: str) -> str:
    """A brand that cannot forge the bound line: one line, without its marks."""
    kept = (
        character
        for character in " ".join(brand.split())  # a line break parts two words
        if unicodedata.category(character)[0] != "C" and character not in "@#"
    )
    return " ".join("".join(kept).split())[:_LONGEST_BRAND].strip()


def sms_text(*, code: str, brand: str, host: str, language: str) -> str:
    """A human line, an empty one, and the bound line `@host #code`, in one segment if the host leaves room.

    The longest form that fits is taken: with brand and advice, with the brand, without it, the bare code.
    """
    bound = f"@{host} #{code}" if host else ""
    branded, plain, advice = _TEXTS[best_language(language, list(_TEXTS))]
    name = _clean(brand)
    forms = [branded.format(code=code, brand=name)] if name else []
    forms += [plain.format(code=code), code]
    forms = [f"{forms[0]}. {advice}", *forms] if advice else forms
    texts = [f"{form}\n\n{bound}" if bound else form for form in forms]
    return next((text for text in texts if segments(text) == 1), texts[-1])
