"""What each reader gets by SMS, letter by letter, and how much room its alphabet leaves."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import sms_text
from channels.sms_text import is_gsm7, segments

HOST = "login.acme.example"
# As a person reads it: with brand and advice, and without the brand.
LINES = {
    "ar": ("482913 رمز الدخول إلى Acme", "482913 رمز الدخول"),
    "bn": ("482913 আপনার Acme কোড", "482913 আপনার কোড"),
    "de": ("482913 ist dein Code für Acme. Gib ihn nicht weiter.", "482913 ist dein Code"),
    "en": ("482913 is your Acme code. Do not share it.", "482913 is your code"),
    "es": ("482913 es tu codigo de Acme. No lo compartas.", "482913 es tu codigo"),
    "fa": ("482913 کد ورود به Acme", "482913 کد ورود"),
    "fil": ("482913 ang iyong Acme code. Huwag itong ibahagi.", "482913 ang iyong code"),
    "fr": ("482913 est votre code Acme. Ne le partagez pas.", "482913 est votre code"),
    "he": ("482913 הקוד שלך ל-Acme", "482913 הקוד שלך"),
    "hi": ("482913 आपका Acme कोड है", "482913 आपका कोड है"),
    "id": ("482913 adalah kode Acme Anda. Jangan bagikan.", "482913 adalah kode Anda"),
    "it": ("482913 è il tuo codice Acme. Non condividerlo.", "482913 è il tuo codice"),
    "ja": ("482913 Acmeの認証コード", "482913 認証コード"),
    "ko": ("482913 Acme 인증 코드", "482913 인증 코드"),
    "ms": ("482913 ialah kod Acme anda. Jangan kongsi.", "482913 ialah kod anda"),
    "nl": ("482913 is je Acme-code. Deel hem niet.", "482913 is je code"),
    "pl": ("482913 to Twoj kod Acme. Nie podawaj go nikomu.", "482913 to Twoj kod"),
    "pt": ("482913 é o seu codigo Acme. Nao compartilhe.", "482913 é o seu codigo"),
    "ro": ("482913 este codul dvs. Acme. Nu il divulgati.", "482913 este codul de acces"),
    "ru": ("482913 код для Acme", "482913 ваш код"),
    "sw": ("482913 ni msimbo wako wa Acme. Usimpe mtu.", "482913 ni msimbo wako"),
    "th": ("482913 รหัส Acme ของคุณ", "482913 รหัสของคุณ"),
    "tr": ("482913 Acme kodunuz. Kimseyle paylasmayin.", "482913 kodunuz"),
    "uk": ("482913 код для Acme", "482913 ваш код"),
    "ur": ("482913 آپ کا Acme کوڈ ہے", "482913 آپ کا کوڈ ہے"),
    "vi": ("482913 la ma Acme cua ban. Khong chia se.", "482913 la ma cua ban"),
    "zh-Hans": ("482913 是您的Acme验证码", "482913 是您的验证码"),
    "zh-Hant": ("482913 是您的Acme驗證碼", "482913 是您的驗證碼"),
}
CHEAP = [name for name, (branded, _) in LINES.items() if branded.isascii() or name in ("de", "it", "pt")]


def text(language: str, *, brand: str = "Acme", host: str = HOST, code: str = "482913") -> str:
    return sms_text.sms_text(code=code, brand=brand, host=host, language=language)


def first_line(language: str, **fields: str) -> str:
    return text(language, **fields).split("\n")[0]


def test_every_language_is_listed() -> None:
    assert set(LINES) == set(sms_text._TEXTS)


@pytest.mark.parametrize("language", LINES)
def test_what_a_reader_reads(language: str) -> None:
    branded, plain = LINES[language]
    _, dot, advice = branded.rpartition(". ")

    assert first_line(language) == branded
    assert first_line(language, brand="") == (f"{plain}{dot}{advice}" if dot else plain)


@pytest.mark.parametrize("language", LINES)
def test_browsers_and_phones_find_code_and_host(language: str) -> None:
    """WICG: the last line; Apple and Android: the digits stand alone, and once before it."""
    shown = text(language)

    assert re.search(rf"\n\n@{re.escape(HOST)} #482913\Z", shown)
    assert re.findall(r"\d+", shown.split("\n")[0]) == ["482913"]
    assert re.match(r"482913 ", shown)


@pytest.mark.parametrize("language", LINES)
def test_what_a_language_writes_is_of_its_own_script(language: str) -> None:
    """A look-alike of another script would go out as a UCS-2 text, or not be read."""
    scripts = {
        "ar": {"ARABIC"}, "fa": {"ARABIC"}, "ur": {"ARABIC"}, "bn": {"BENGALI"}, "hi": {"DEVANAGARI"},
        "he": {"HEBREW"}, "ja": {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}, "ko": {"HANGUL"}, "ru": {"CYRILLIC"},
        "uk": {"CYRILLIC"}, "th": {"THAI"}, "zh-Hans": {"CJK"}, "zh-Hant": {"CJK"},
    }.get(language, {"LATIN"})  # fmt: skip
    letters = [char for char in LINES[language][0].replace("Acme", "") if char.isalpha()]

    assert {unicodedata.name(char).split()[0] for char in letters} <= scripts


@pytest.mark.parametrize("language", LINES)
def test_a_text_is_in_one_form_of_unicode(language: str) -> None:
    """Decomposed letters count twice."""
    for form in sms_text._TEXTS[language]:
        assert unicodedata.normalize("NFC", form) == form
        assert not any(unicodedata.category(char) == "Cf" for char in form)


@pytest.mark.parametrize("language", CHEAP)
def test_a_cheap_alphabet_has_room_for_a_long_host(language: str) -> None:
    host = f"{'a' * 55}.example"

    assert is_gsm7(text(language, host=host))
    assert first_line(language, host=host).startswith(LINES[language][0].partition(".")[0])


@pytest.mark.parametrize("language", sorted(set(LINES) - set(CHEAP)))
def test_another_alphabet_has_room_for_brand_and_a_usual_host(language: str) -> None:
    assert not is_gsm7(text(language))
    assert "Acme" in text(language, host="login.acme-shop.com")
    assert segments(text(language, host="login.acme-shop.com")) == 1


# One letter more --------------------------------------------------------------------------------------


def host_of(length: int) -> str:
    return f"{'a' * (length - 3)}.io"


@pytest.mark.parametrize(
    ("language", "length", "shown"),
    [
        # 160 letters in all: the line, two breaks, and "@… #482913".
        ("en", 107, "482913 is your Acme code. Do not share it."),
        ("en", 108, "482913 is your Acme code"),
        ("en", 125, "482913 is your Acme code"),
        ("en", 126, "482913 is your code"),
        ("en", 130, "482913 is your code"),
        ("en", 131, "482913"),
        ("en", 143, "482913"),
        # 70 units.
        ("ru", 40, "482913 код для Acme"),
        ("ru", 41, "482913 ваш код"),
        ("ru", 45, "482913 ваш код"),
        ("ru", 46, "482913"),
    ],
)
def test_a_form_is_given_up_at_the_very_letter_that_does_not_fit(
    language: str, length: int, shown: str
) -> None:
    whole = text(language, host=host_of(length))

    assert whole.split("\n")[0] == shown
    assert segments(whole) == 1


def test_a_host_that_fits_nowhere_still_gets_code_and_bound_line() -> None:
    """253 letters are the longest name there is: two segments, and the login works."""
    whole = text("en", host=host_of(253))

    assert whole == f"482913\n\n@{host_of(253)} #482913"
    assert segments(whole) == 2


@pytest.mark.parametrize(
    ("letters", "single", "following"),
    [
        ("a", 160, 153),
        ("€", 80, 76),
        ("é", 160, 153),
        ("é€", 53, 51),
        ("я", 70, 67),
        ("中", 70, 67),
        ("😀", 35, 33),
    ],
)
def test_how_many_letters_a_message_takes(letters: str, single: int, following: int) -> None:
    """3GPP TS 23.038 and 23.040: the euro sign and brackets are two, an emoji is two units."""
    assert segments(letters * single) == 1
    assert segments(letters * (single + 1)) == 2
    assert segments(letters * following * 2) == 2


def test_one_letter_outside_the_alphabet_makes_all_of_them_dear() -> None:
    assert segments("a" * 160) == 1
    assert segments("a" * 159 + "ł") == 3


@given(st.text(max_size=400))
@settings(deadline=None)
def test_a_longer_text_never_costs_less(shown: str) -> None:
    assert segments(shown) <= segments(shown + "x") <= segments(shown) + 1
    assert segments(shown) >= 1


# Brands -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("brand", "shown"),
    [
        ("Acme", "482913 is your Acme code. Do not share it."),
        ("  Acme \t Bank ", "482913 is your Acme Bank code. Do not share it."),
        ("Acme\n\n\nBank", "482913 is your Acme Bank code. Do not share it."),
        ("@cme #1", "482913 is your cme 1 code. Do not share it."),
        ("Ac\u200bme\u202e\x00", "482913 is your Acme code. Do not share it."),
        ("{brand} {code}", "482913 is your {brand} {code} code. Do not share it."),
        ("%(code)s", "482913 is your %(code)s code. Do not share it."),
        ("@#", "482913 is your code"),
        ("\u200b", "482913 is your code"),
        ("x" * 40, f"482913 is your {'x' * 30} code. Do not share it."),
        ("x" * 29 + " y", f"482913 is your {'x' * 29} code. Do not share it."),
        ("Ωmega", "482913 is your Ωmega code. Do not share it."),
    ],
    ids=ascii,
)
def test_a_brand_is_one_line_without_marks(brand: str, shown: str) -> None:
    assert first_line("en", brand=brand).startswith(shown)


@given(st.text(max_size=60), st.sampled_from(sorted(LINES)), st.integers(6, 10))
@settings(deadline=None)
def test_whatever_the_brand_a_phone_finds_one_code_and_one_host(
    brand: str, language: str, length: int
) -> None:
    code = "4829130576"[:length]
    lines = text(language, brand=brand, code=code).split("\n")

    assert lines[1:] == ["", f"@{HOST} #{code}"]
    assert lines[0].startswith(code)
    assert "@" not in lines[0]
    assert "#" not in lines[0]


# Choice -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "own"),
    [
        ("de-AT", "de"), ("de-CH", "de"), ("es-419", "es"), ("es-US", "es"), ("fr-CA", "fr"), ("pt-BR", "pt"),
        ("pt-PT", "pt"), ("en-IN", "en"), ("ar-EG", "ar"), ("tl", "fil"), ("tl-PH", "fil"), ("iw", "he"), ("in", "id"),
        ("zh", "zh-Hans"), ("zh-SG", "zh-Hans"), ("zh-HK", "zh-Hant"), ("yue", "zh-Hant"), ("xx", "en"), ("", "en"),
        ("sv", "en"), ("mo", "ro"), ("ary", "ar"), ("hi-Latn", "en"), ("uk-UA@cyrillic", "uk"),
    ],
)  # fmt: skip
def test_who_reads_which_text(language: str, own: str) -> None:
    assert first_line(language) == LINES[own][0]
