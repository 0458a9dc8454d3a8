"""Reading what the control API is given, and what it refuses over HTTP."""

from typing import Any

import pytest

from simulator.handsets.handset import Handset, SmsMode, WhatsAppMode, changed_handset
from simulator.server.faults import Faults, Outage, ReportFaults, changed_faults
from simulator.server.inputs import read_changes, read_text, read_whole_number
from simulator.server.routing import BadRequest
from tests.simulator.support import PHONE, send_whatsapp
from tests.simulator_client import RunningSimulator, SimulatorClient

HANDSET = Handset(phone=PHONE)


def test_all_settings_of_a_handset_can_be_changed() -> None:
    changes: dict[str, object] = {"whatsapp": "late", "sms": "undelivered", "delay_ms": 5, "late_seconds": 2}

    assert changed_handset(HANDSET, changes) == Handset(
        phone=PHONE, whatsapp=WhatsAppMode.LATE, sms=SmsMode.UNDELIVERED, delay_ms=5, late_seconds=2.0
    )


def test_no_change_is_a_change() -> None:
    assert changed_handset(HANDSET, {}) == HANDSET
    assert changed_faults(Faults(), {}) == Faults()
    assert changed_faults(Faults(), {"reports": {}}) == Faults()


@pytest.mark.parametrize("mode", list(WhatsAppMode))
def test_every_mode_of_whatsapp_can_be_set(mode: WhatsAppMode) -> None:
    assert changed_handset(HANDSET, {"whatsapp": mode.value}).whatsapp is mode


@pytest.mark.parametrize("mode", list(SmsMode))
def test_every_mode_of_sms_can_be_set(mode: SmsMode) -> None:
    assert changed_handset(HANDSET, {"sms": mode.value}).sms is mode


@pytest.mark.parametrize("outage", list(Outage))
def test_every_outage_can_be_set_and_ended(outage: Outage) -> None:
    broken = changed_faults(Faults(), {"whatsapp_outage": outage.value})

    assert broken.whatsapp_outage is outage
    assert changed_faults(broken, {"whatsapp_outage": None}) == Faults()


@pytest.mark.parametrize("outage", ["template_paused", "payment", "held", "paused"])
def test_outages_of_templates_are_whatsapps(outage: str) -> None:
    with pytest.raises(BadRequest, match=f"sms_outage: {outage} happens on WhatsApp only"):
        changed_faults(Faults(), {"sms_outage": outage})


@pytest.mark.parametrize("name", [name for name in ReportFaults.__slots__ if name != "delay_ms"])
def test_every_fault_of_reports_can_be_set(name: str) -> None:
    faults = changed_faults(Faults(), {"reports": {name: True}})

    assert getattr(faults.reports, name) is True
    assert changed_faults(faults, {"reports": {name: False}}) == Faults()


def test_faults_of_reports_are_merged() -> None:
    first = changed_faults(Faults(), {"reports": {"double": True}})
    second = changed_faults(first, {"reports": {"delay_ms": 50}})

    assert second.reports == ReportFaults(double=True, delay_ms=50)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"phone": "+1"}, "phone: unknown; one of delay_ms, late_seconds, sms, whatsapp"),
        ({"whatsapp": "DELIVERED"}, "whatsapp: must be one of delivered, read"),
        ({"whatsapp": ["read"]}, "whatsapp: must be one of"),
        ({"sms": "not_on_whatsapp"}, "sms: must be one of"),
        ({"sms": True}, "sms: must be one of"),
        ({"delay_ms": 3_600_001}, "delay_ms: must be a whole number from 0 to 3600000"),
        ({"delay_ms": None}, "delay_ms: must be a whole number"),
        ({"delay_ms": "5"}, "delay_ms: must be a whole number"),
        ({"late_seconds": 3600.5}, "late_seconds: must be a number from 0 to 3600"),
        ({"late_seconds": -0.1}, "late_seconds: must be a number"),
        ({"late_seconds": True}, "late_seconds: must be a number"),
        ({"late_seconds": float("nan")}, "late_seconds: must be a number"),
        ({"late_seconds": float("inf")}, "late_seconds: must be a number"),
    ],
    ids=str,
)
def test_a_wrong_setting_of_a_handset_is_named(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(BadRequest) as refused:
        changed_handset(HANDSET, changes)

    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"outage": None}, "outage: unknown; one of answer_seconds, hang_seconds, reports, sms_outage"),
        ({"sms_outage": ""}, "sms_outage: must be one of refuse, hang"),
        ({"whatsapp_outage": False}, "whatsapp_outage: must be one of"),
        ({"answer_seconds": 3601}, "answer_seconds: must be a number from 0 to 3600"),
        ({"hang_seconds": None}, "hang_seconds: must be a number"),
        ({"reports": None}, "reports: must be an object"),
        ({"reports": "lose"}, "reports: must be an object"),
        ({"reports": {"lost": True}}, "reports.lost: unknown; one of batch, before_answer"),
        ({"reports": {"lose": 1}}, "reports.lose: must be true or false"),
        ({"reports": {"lose": None}}, "reports.lose: must be true or false"),
        ({"reports": {"delay_ms": True}}, "reports.delay_ms: must be a whole number"),
        ({"reports": {"delay_ms": 0.5}}, "reports.delay_ms: must be a whole number"),
    ],
    ids=str,
)
def test_a_wrong_fault_is_named(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(BadRequest) as refused:
        changed_faults(Faults(), changes)

    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize("value", ["", 5, None, ["x"], True])
def test_a_text_is_not_empty(value: object) -> None:
    with pytest.raises(BadRequest, match="name: must be a text"):
        read_text(value, "name")


@pytest.mark.parametrize("value", ["5", 5.0, None, False])
def test_a_whole_number_is_no_text_and_no_fraction(value: object) -> None:
    with pytest.raises(BadRequest, match="code: must be a whole number"):
        read_whole_number(value, "code")


def test_keys_are_checked_before_values() -> None:
    with pytest.raises(BadRequest, match="b: unknown"):
        read_changes({"a": "", "b": 1}, {"a": read_text})


# Over HTTP


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"),
    [
        ("GET", "/sends?after=²", None, 400, "after: must be a whole number"),
        ("GET", "/sends?after=-1", None, 400, "after: must be a whole number"),
        ("GET", "/sends?after=" + "9" * 5000, None, 400, "after: must be a whole number"),
        ("GET", "/sends?channel=", None, 400, "channel: must be one of whatsapp, sms"),
        ("GET", "/sends?limit=5", None, 400, "limit: unknown; one of after, channel, to"),
        ("GET", "/handsets/0/messages", None, 400, "the number must be like"),
        ("PUT", "/handsets/next", {"sms": "x"}, 400, "sms: must be one of"),
        ("POST", "/reports", {}, 400, "channel: must be one of whatsapp, sms"),
        ("POST", "/reports", {"channel": "sms"}, 400, "status: must be one of queued"),
        ("POST", "/reports", {"channel": ["sms"], "status": "sent"}, 400, "channel: must be one of"),
        ("POST", "/reports", {"channel": "sms", "status": ["sent"]}, 400, "status: must be one of"),
        ("POST", "/reports", {"channel": "sms", "status": "sent", "code": True}, 400, "code: must be"),
        ("POST", "/reports", {"channel": "sms", "status": "sent"}, 400, "to: must be a number like"),
        ("POST", "/reports", {"channel": "sms", "status": "sent", "to": PHONE}, 404, "no message has gone"),
        ("POST", "/reports", {"channel": "sms", "status": "did_not_request_code"}, 400, "status: must be"),
        ("PUT", "/accounts", {"webhook_url": 5}, 400, "webhook_url: must be a text"),
        ("PUT", "/accounts", {"webhook_url": ""}, 400, "webhook_url: must be a text"),
        ("PUT", "/accounts", {"webhook_url": None}, 400, "webhook_url: must be a text"),
        ("PUT", "/accounts", {"twilio": "AC1"}, 400, "twilio: must be a list of objects"),
        ("PUT", "/templates/one_time_password/es", {}, 400, "status: must be one of APPROVED"),
        ("PUT", "/templates/one_time_password/es", {"status": ["PAUSED"]}, 400, "status: must be one of"),
        ("POST", "/account-events", {"field": ["account_update"], "value": {}}, 400, "field: must be one of"),
        (
            "POST",
            "/account-events",
            {"field": "account_update", "value": {}, "at": True},
            400,
            "at: must be Unix",
        ),
        ("POST", "/account-events", {"field": "account_update", "value": {}, "to": 1}, 400, "to: unknown"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_wrong_call_is_named(
    client: SimulatorClient, method: str, path: str, body: Any, status: int, word: str
) -> None:
    answer = client.http.request(method, path, json=body)

    assert answer.status_code == status
    assert answer.json()["error"].startswith(word)


def test_accounts_are_added_all_or_none(client: SimulatorClient, simulator: RunningSimulator) -> None:
    url, accounts = simulator.webhook_url, simulator.simulator.state.accounts
    right = {"phone_number_id": "99", "business_account_id": "98", "access_token": "a", "app_secret": "b"}

    answer = client.http.put(
        "/accounts", json={"webhook_url": "http://a.example/", "whatsapp": [right], "twilio": [{}]}
    )

    assert answer.status_code == 400
    assert (simulator.webhook_url, simulator.simulator.state.accounts) == (url, accounts)


def test_an_unreachable_webhook_is_no_error_of_the_call(
    client: SimulatorClient, simulator: RunningSimulator
) -> None:
    url = simulator.webhook_url
    for address in ("nowhere", "http://[/", "http://127.0.0.1:99999/"):
        client.add_accounts(webhook_url=address)

        assert send_whatsapp(client).status_code == 200
        assert client.http.post("/handshake").json() == {"status": None, "verified": False}
    simulator.webhook_url = url
