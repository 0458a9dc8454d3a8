"""Every check of Twilio's Messages resource, one change to a right form at a time."""

import pytest

from simulator.accounts import TwilioAccount
from simulator.twilio.callbacks import callback_post, is_callback_url
from simulator.twilio.errors import TwilioError
from simulator.twilio.message_checks import check_form, validity_seconds
from tests.simulator.support import PHONE, SENDER, SERVICE_SID

RIGHT = {"To": PHONE, "From": SENDER, "Body": "482913"}


def form(**changes: str | None) -> dict[str, str]:
    return {name: value for name, value in {**RIGHT, **changes}.items() if value is not None}


def code_of(fields: dict[str, str]) -> int:
    with pytest.raises(TwilioError) as refused:
        check_form(fields, TwilioAccount())
    return refused.value.code


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"From": None, "MessagingServiceSid": SERVICE_SID},
        {"MessagingServiceSid": SERVICE_SID},
        {"Body": "x" * 1600},
        {"Body": "驗證碼 482913"},
        {"ValidityPeriod": "1"},
        {"ValidityPeriod": "36000"},
        {"ValidityPeriod": ""},
        {"StatusCallback": ""},
        {"StatusCallback": "http://localhost:8000/sms/twilio/status?d=1#rc=2"},
        {"SmartEncoded": "true", "RiskCheck": "disable", "Attempt": "2"},
    ],
    ids=str,
)
def test_a_right_form_passes(changes: dict[str, str | None]) -> None:
    check_form(form(**changes), TwilioAccount())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": None}, 21604),
        ({"To": ""}, 21604),
        ({"To": "+"}, 21211),
        ({"To": "+0123456789"}, 21211),
        ({"To": "+852 5123 4567"}, 21211),
        ({"To": "whatsapp:+85251234567"}, 21211),
        ({"To": "+٨٥٢٥١٢٣٤٥٦٧"}, 21211),
        ({"From": None}, 21603),
        ({"From": "Acme"}, 21212),
        ({"From": "+15005550099"}, 21606),
        ({"Body": None}, 21602),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"MessagingServiceSid": "MG" + "0" * 31}, 21705),
        ({"MessagingServiceSid": "MG" + "G" * 32}, 21705),
        ({"MessagingServiceSid": "SM" + "0" * 32}, 21705),
        ({"ValidityPeriod": "0"}, 20001),
        ({"ValidityPeriod": "36001"}, 20001),
        ({"ValidityPeriod": "-5"}, 20001),
        ({"ValidityPeriod": "1.5"}, 20001),
        ({"ValidityPeriod": "²"}, 20001),
        ({"ValidityPeriod": "1" * 5000}, 20001),
        ({"StatusCallback": "/sms/twilio/status"}, 21609),
        ({"StatusCallback": "ftp://a.example/"}, 21609),
        ({"StatusCallback": "http://[/"}, 21609),
        ({"StatusCallback": "http:///x"}, 21609),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_form_has_twilios_code(changes: dict[str, str | None], code: int) -> None:
    assert code_of(form(**changes)) == code


def test_the_sender_is_checked_before_the_recipient() -> None:
    assert code_of(form(From="+15005550007", To="+15005550001")) == 21606


@pytest.mark.parametrize(("text", "seconds"), [(None, 36_000), ("", 36_000), ("120", 120)])
def test_the_validity_is_ten_hours_unless_it_is_given(text: str | None, seconds: int) -> None:
    assert validity_seconds(form(ValidityPeriod=text)) == seconds


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("https://a.example/x", True),
        ("http://a.example:8000", True),
        ("https://a.example/x_y", True),
        ("https://a_b.example/x", False),
        ("HTTPS://a.example/", True),
        ("https://", False),
        ("a.example/x", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_callback_addresses(url: str, right: bool) -> None:
    assert is_callback_url(url) is right


@pytest.mark.parametrize(
    ("fragment", "tries", "retry_on_status"),
    [
        ("", 2, False),
        ("#rc=0", 1, False),
        ("#rc=5&rp=ct", 6, False),
        ("#rc=6", 2, False),
        ("#rc=x", 2, False),
        ("#rp=5xx", 2, True),
        ("#rc=2&rp=all", 3, True),
    ],
)
def test_the_fragment_overrides_the_repeats(fragment: str, tries: int, retry_on_status: bool) -> None:
    post = callback_post(
        url=f"https://a.example/status?d=1{fragment}", form={"A": "1"}, auth_token="secret", key="SM1"
    )

    assert (post.tries, post.retry_on_status) == (tries, retry_on_status)
    assert post.url == "https://a.example/status?d=1"
    assert post.body == b"A=1"
