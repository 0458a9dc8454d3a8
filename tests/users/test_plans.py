"""The compiled plans: whatever number is written "+<digits>", they say what the library says, or leave it to it."""

import re
import subprocess
import sys
from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from tests.processes import ROOT
from users import phones, plans
from users.phones import InvalidPhone
from users.renumberings import RENUMBERINGS, Renumbering, present_form

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
KINDS = sorted(PhoneNumberType.values())


def e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


EXAMPLES = [
    *(
        e164(number)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in KINDS
        if (number := phonenumbers.example_number_for_type(region, kind))
    ),
    *(e164(number) for code in CODES if (number := phonenumbers.example_number_for_non_geo_entity(code))),
]
# Of the comments and tests about what people type: old and present forms, doubled and omitted prefixes.
ODD = [
    *("+5491123456789", "+541123456789", "+54911 5 2345678", "+5491523456789", "+543435551212"),
    *("+5215512345678", "+525512345678", "+521", "+52044551234567"),
    *("+22997123456", "+2290197123456", "+551161234567", "+5511961234567", "+2207123456", "+22089912345"),
    *("+22501020304", "+2250102030405", "+24106123456", "+24166123456", "+237671234567", "+841201234567"),
    *("+78001234567", "+79161234567", "+77011234567", "+87011234567", "+7954123456", "+79540000000"),
    *("+390342123456", "+393421234567", "+39034212345", "+3906698", "+37812345678", "+3780549886377"),
    *("+441481960194", "+447781123456", "+447624123456", "+447911123456", "+4407911123456", "+4420"),
    *("+61891641234", "+61891621234", "+61412345678", "+61147123456", "+4778123456", "+4779123456"),
    *("+12025550100", "+18095551234", "+16005551234", "+13455551234", "+11234567890", "+15005550006"),
    *("+590690001234", "+590590271234", "+262692123456", "+262639012345", "+5999123456", "+59771234"),
    *("+881612345678", "+88216123456", "+883510012345", "+80012345678", "+979123456789", "+88810123456"),
    *("+6907290", "+290123", "+2471234", "+8521234567", "+85200000000", "+0085251234567", "+999123456789"),
    *("+4915123456789012", "+491512345678901", "+49151234567890123", "+100000000000000", "++85251234567"),
    *("+8520051234567", "+390000000000", "+3900000", "+7" + "8" * 10, "+1" + "1" * 10, "+", "", "+1"),
    *(
        "+\u0668\u0665\u0662\u0665\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
        "+85251234567\n",
        "+852 51234567",
    ),
]
digits = st.text("0123456789", min_size=1, max_size=14)
random_numbers = st.builds(lambda code, rest: f"+{code}{rest}", st.sampled_from(CODES), digits)


@st.composite
def near_examples(draw: st.DrawFn) -> str:
    """An example with some other digits at its end or anywhere, or with one more or one less."""
    number = draw(st.sampled_from(EXAMPLES))
    start = draw(st.integers(1, len(number) - 1))
    middle = draw(st.text("0123456789", max_size=3))
    kept = draw(st.integers(-1, 1))
    return number[:start] + middle + number[start + max(len(middle) + kept, 0) :]


def said(read: Callable[[], object]) -> object:
    try:
        return read()
    except InvalidPhone as error:
        return error.problem


def everything(text: str, country: str | None) -> list[object]:
    """What `read` and all that follow it say."""
    return [
        said(lambda: phones.read(text, country=country)),
        said(lambda: repr(phones.read(text, country=country))),
        said(lambda: phones.read(text, country=country).e164),
        said(lambda: phones.parse(text, country=country)),
        phones.country_of(text),
        phones.mask(text),
    ]


def check(text: str, country: str | None = None) -> None:
    short = everything(text, country)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "split", lambda _text: None)
        assert everything(text, country) == short


@pytest.mark.parametrize("kind", KINDS, ids=PhoneNumberType.to_string)
def test_examples_of_every_region(kind: int) -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, kind)
        if number:
            check(e164(number))
            check(e164(number), region)


@pytest.mark.parametrize("code", phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
def test_examples_of_networks_without_a_country(code: int) -> None:
    number = phonenumbers.example_number_for_non_geo_entity(code)
    assert number
    check(e164(number))


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("country", [None, "HK", "AR", "KZ", "US"])
def test_odd_numbers(text: str, country: str | None) -> None:
    check(text, country)


@given(text=st.one_of(random_numbers, near_examples()), country=st.sampled_from([None, "HK", "GB", "RU"]))
def test_any_digits(text: str, country: str | None) -> None:
    check(text, country)


@given(text=st.one_of(random_numbers, near_examples()))
def test_any_number_is_of_the_librarys_region_and_kind(text: str) -> None:
    """Of landlines and invalid numbers, too, which `phones` asks the library about."""
    parts = plans.split(text)
    if parts is None:
        return
    code, national = parts
    number = phonenumbers.parse(text)
    assert (number.country_code, phonenumbers.national_significant_number(number)) == parts
    assert e164(number) == text
    region, kind = plans.region_and_kind(code, national)
    assert kind == phonenumbers.number_type(number)
    assert region == (phonenumbers.region_code_for_number(number) if kind != PhoneNumberType.UNKNOWN else "")


@pytest.mark.parametrize("rule", RENUMBERINGS, ids=lambda rule: rule.pattern.pattern)
@given(data=st.data())
def test_numbers_that_their_country_has_changed(rule: Renumbering, data: st.DataObject) -> None:
    pattern = rule.pattern.pattern.replace(r"\d", "[0-9]")
    old: str = data.draw(st.from_regex(re.compile(pattern), fullmatch=True))
    assert present_form(old) != old
    check(old)
    check(present_form(old))


def test_nearly_every_mobile_is_read_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    mobiles = {
        region: e164(number)
        for region in phonenumbers.SUPPORTED_REGIONS
        if (number := phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE))
    }

    def refuse(text: str, country: str | None) -> None:
        raise LookupError(text)

    monkeypatch.setattr("users.spellings.parse", refuse)
    left = set[str]()
    for region, mobile in mobiles.items():
        try:
            phones.read(mobile)
        except LookupError:
            left.add(region)
    # The library's examples of these are old forms, which their country has changed.
    assert left <= {"GA", "GM"}


def test_a_plan_is_loaded_only_when_a_number_of_it_is_read() -> None:
    program = (
        "import os; os.environ['AUTHSVC_MODE'] = 'test'\n"
        "from users import phones, plans; from phonenumbers import PhoneMetadata\n"
        "def loaded(): return sorted(PhoneMetadata._region_metadata)\n"
        "assert loaded() == [] and plans._plan.cache_info().currsize == 0\n"
        "phones.mask(phones.read('+85251234567').e164)\n"
        "assert loaded() == ['HK'], loaded()\n"
        "assert plans._plan.cache_info().currsize == 1"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_kept_does_not_grow_with_what_is_sent() -> None:
    for last in range(300):
        phones.read(f"+8525123{last:04}")
        said(lambda last=last: phones.read(f"+999{last:08}"))  # type: ignore[misc] # mypy: of lambdas with defaults

    assert plans._plan.cache_info().currsize <= len(phonenumbers.SUPPORTED_REGIONS) + len(CODES)
