"""pywa, a public client of Meta, works with the simulator.

It reads and sends what Meta documents, so a mistake of ours about it fails here.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pywa import errors as pywa_errors
from pywa import filters
from pywa.client import WhatsApp
from pywa.types import templates
from pywa.types.message_status import MessageStatusType
from pywa.types.others import Pagination
from pywa.types.templates import TemplateLanguage, TemplateStatus

from tests.simulator.support import APP_SECRET, BUSINESS_ID, NUMBER_ID, PHONE, Receiver
from tests.simulator_client import RunningSimulator, SimulatorClient

NAME = "one_time_password"
APP_ID = 770012345678901


class _ToSimulator(httpx.HTTPTransport):
    """What pywa sends to graph.facebook.com goes to the simulator."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host in (
            "graph.facebook.com",
            self._url.host,
        )  # the next page is named in the answer
        request.url = request.url.copy_with(scheme="http", host=self._url.host, port=self._url.port)
        request.headers["Host"] = self._url.netloc.decode()
        return super().handle_request(request)


def _meta(url: str, session: httpx.Client, token: str = "sim-access-token") -> WhatsApp:
    return WhatsApp(
        phone_id=NUMBER_ID,
        token=token,
        waba_id=BUSINESS_ID,
        session=session,
        server=None,
        verify_token="sim-verify-token",
        app_secret=APP_SECRET,
        app_id=APP_ID,
    )


@pytest.fixture
def meta(simulator: RunningSimulator) -> Iterator[WhatsApp]:
    with httpx.Client(transport=_ToSimulator(simulator.url)) as session:
        yield _meta(simulator.url, session)


def _send(meta: WhatsApp, language: TemplateLanguage = TemplateLanguage.ENGLISH, to: str = PHONE) -> str:
    sent = meta.send_template(
        to=to,
        name=NAME,
        language=language,
        params=[
            templates.AuthenticationBody.params(otp="424242"),
            templates.CopyCodeOTPButton.params(otp="424242"),
        ],
        tracker="our-reference",
    )
    return str(sent.id)


def _authentication(name: str, language: TemplateLanguage) -> templates.Template:
    return templates.Template(
        name=name,
        language=language,
        category=templates.TemplateCategory.AUTHENTICATION,
        components=[
            templates.AuthenticationBody(add_security_recommendation=True),
            templates.AuthenticationFooter(code_expiration_minutes=10),
            templates.Buttons(buttons=[templates.CopyCodeOTPButton()]),
        ],
    )


# Account -----------------------------------------------------------------------------------------


def test_account_and_numbers_are_read(meta: WhatsApp) -> None:
    account = meta.get_business_account()
    number = meta.get_business_phone_number()
    numbers = list(meta.get_business_phone_numbers())

    assert (account.id, account.name) == (BUSINESS_ID, "Acme")
    assert account.timezone_id
    assert [app.id for app in account.subscribed_apps or ()] == [str(APP_ID)]
    assert (number.id, number.verified_name, number.quality_rating) == (NUMBER_ID, "Acme", "GREEN")
    assert number.code_verification_status == "VERIFIED"
    assert [item.id for item in numbers] == [NUMBER_ID]


@pytest.mark.parametrize(
    ("token", "error"),
    [("wrong", pywa_errors.ExpiredAccessToken), ("", pywa_errors.WhatsAppError)],
)
def test_a_wrong_token_is_the_error_of_meta(
    simulator: RunningSimulator, token: str, error: type[Exception]
) -> None:
    with httpx.Client(transport=_ToSimulator(simulator.url)) as session:
        other = _meta(simulator.url, session, token=token or "x")

        with pytest.raises(error):
            other.get_business_account()


# Sending -----------------------------------------------------------------------------------------


def test_a_code_is_sent_and_reported(meta: WhatsApp, client: SimulatorClient, receiver: Receiver) -> None:
    statuses: list[Any] = []

    @meta.on_message_status(filters.true)  # type: ignore[misc] # its annotation is of the class, not of an instance
    def receive(_meta: WhatsApp, status: Any) -> None:
        statuses.append(status)

    message_id = _send(meta)
    reports = receiver.wait(2)
    for report in reports:
        refused = meta.webhook_update_validator(report.body, report.headers["x-hub-signature-256"])
        assert refused is None
        assert meta.webhook_update_handler(report.body)[1] == 200

    assert client.messages(PHONE)[-1]["code"] == "424242"
    assert {status.id for status in statuses} == {message_id}
    assert {status.status for status in statuses} >= {
        MessageStatusType.SENT,
        MessageStatusType.DELIVERED,
    }
    assert {status.tracker for status in statuses} == {"our-reference"}


@pytest.mark.parametrize("to", [PHONE, PHONE.removeprefix("+"), f"+{PHONE[1:4]} {PHONE[4:8]} {PHONE[8:]}"])
def test_a_number_is_taken_with_and_without_its_plus(
    meta: WhatsApp, client: SimulatorClient, to: str
) -> None:
    _send(meta, to=to)

    assert client.messages(PHONE)[-1]["code"] == "424242"


@pytest.mark.parametrize(
    ("language", "error"),
    [
        (TemplateLanguage.SWAHILI, pywa_errors.TemplateNotExists),
        (TemplateLanguage.SPANISH_MEX, pywa_errors.TemplatePaused),
    ],
)
def test_an_unusable_template_is_the_error_of_meta(
    meta: WhatsApp, language: TemplateLanguage, error: type[Exception]
) -> None:
    with pytest.raises(error):
        _send(meta, language=language)


def test_a_bad_send_is_the_error_of_meta(meta: WhatsApp, client: SimulatorClient) -> None:
    client.set_handset(PHONE, whatsapp="rate_limited")
    with pytest.raises(pywa_errors.RateLimitHit):
        _send(meta)
    with pytest.raises(pywa_errors.InvalidParameter):
        _send(meta, to="12")
    with pytest.raises(pywa_errors.TemplateParamCountMismatch):
        meta.send_template(to=PHONE, name=NAME, language=TemplateLanguage.ENGLISH, params=[])


# Templates ---------------------------------------------------------------------------------------


def test_templates_are_listed_and_read_by_id(meta: WhatsApp) -> None:
    listed = list(meta.get_templates(name=NAME, pagination=Pagination(limit=50)))
    one = meta.get_template(listed[0].id)

    assert len(listed) > 5
    assert {template.name for template in listed} == {NAME}
    assert {template.status for template in listed} == {TemplateStatus.APPROVED, TemplateStatus.PAUSED}
    assert (one.id, one.language, str(one.components)) == (
        listed[0].id,
        listed[0].language,
        str(listed[0].components),
    )
    assert all(template.parameter_format is templates.ParamFormat.POSITIONAL for template in listed)


def test_a_template_is_created_changed_and_deleted(meta: WhatsApp) -> None:
    created = meta.create_template(_authentication("second_code", TemplateLanguage.GERMAN))
    updated = meta.update_template(created.id, new_message_send_ttl_seconds=300)
    read = meta.get_template(created.id)
    deleted = meta.delete_template("second_code", template_id=created.id)

    assert created.category is templates.TemplateCategory.AUTHENTICATION
    assert (updated.success, updated.id, updated.name) == (True, created.id, "second_code")
    assert (read.message_send_ttl_seconds, read.language) == (300, TemplateLanguage.GERMAN)
    assert deleted.success
    with pytest.raises(pywa_errors.WhatsAppError):
        meta.get_template(created.id)
    with pytest.raises(pywa_errors.WhatsAppError):
        meta.delete_template("second_code")


def test_templates_are_made_in_bulk(meta: WhatsApp) -> None:
    languages = [TemplateLanguage.GERMAN, TemplateLanguage.FRENCH, TemplateLanguage.SWAHILI]

    made = meta.upsert_authentication_template(
        name="third_code",
        languages=languages,
        otp_button=templates.CopyCodeOTPButton(),
        add_security_recommendation=True,
        code_expiration_minutes=10,
    )

    assert len(list(made)) == 3
    assert {item.language for item in meta.get_templates(name="third_code").all()} == set(languages)
    assert meta.delete_template("third_code").success
    assert list(meta.get_templates(name="third_code").all()) == []


# Webhooks ----------------------------------------------------------------------------------------


def test_the_apps_webhook_is_set_once_it_answers(meta: WhatsApp, simulator: RunningSimulator) -> None:
    right = simulator.webhook_url
    token = meta.get_app_access_token(app_id=APP_ID, app_secret=APP_SECRET)
    fields = ("messages", "message_template_status_update")

    done = meta.set_app_callback_url(APP_ID, token, f"{right}?again=1", "sim-verify-token", fields)

    assert done.success
    assert simulator.webhook_url == f"{right}?again=1"
    for url, verify_token in ((right, "wrong"), ("http://127.0.0.1:9/hook", "sim-verify-token")):
        with pytest.raises(pywa_errors.WhatsAppError, match="verification failed"):
            meta.set_app_callback_url(APP_ID, token, url, verify_token, fields)
    with pytest.raises(pywa_errors.WhatsAppError):
        meta.get_app_access_token(app_id=APP_ID, app_secret="wrong")
    with pytest.raises(pywa_errors.WhatsAppError):
        meta.set_app_callback_url(APP_ID, f"{APP_ID}|wrong", right, "sim-verify-token", fields)
    assert simulator.webhook_url == f"{right}?again=1"


def test_reports_go_where_a_number_or_an_account_sends_them(
    meta: WhatsApp, simulator: RunningSimulator, receiver: Receiver
) -> None:
    base = simulator.webhook_url

    assert meta.override_waba_callback_url(f"{base}/account", "sim-verify-token").success
    _send(meta)
    first = receiver.wait(1)[0].path
    assert meta.override_phone_callback_url(f"{base}/number", "sim-verify-token").success
    receiver.received.clear()
    _send(meta)
    second = receiver.wait(1)
    assert meta.delete_phone_callback_url().success
    assert meta.delete_waba_callback_url().success

    assert first.endswith("/whatsapp/webhook/account")
    assert any(item.path.endswith("/whatsapp/webhook/number") for item in second)
    with pytest.raises(pywa_errors.WhatsAppError, match="verification failed"):
        meta.override_waba_callback_url(f"{base}/account", "wrong")
