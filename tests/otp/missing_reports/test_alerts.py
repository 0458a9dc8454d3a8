"""P2: missing reports are told where staff look: banner, doctor, event, scrape."""

import uuid

import pytest
from django.test import Client

from channels import alerts, health
from channels.models import Sender, SenderReports
from channels.types import FailureReason
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.missing_reports.support import SMS, WRONG, Logins, about, doctor, entry, post, sweep
from tests.webhooks import support
from tests.webhooks.test_twilio_view import make_sender as make_twilio
from tests.webhooks.test_twilio_view import post as post_twilio
from users.models import User


def page(path: str = "/admin/") -> str:
    client = Client()
    client.force_login(User.objects.create_superuser(username=uuid.uuid4().hex, password="a-long-password-1"))
    return client.get(path).content.decode()


SAID = {
    True: (
        "Meta&#x27;s reports arrive, but carry a signature that this app secret does not match",
        "Store the app secret",
    ),
    False: ("Meta&#x27;s reports do not arrive", "Subscribe the app to this WhatsApp Business account"),
}


@pytest.mark.parametrize("arriving", [True, False])
def test_banner_list_doctor_and_event_say_what_is_wrong(
    arriving: bool, logins: Logins, queued: QueuedTasks, sender: Sender
) -> None:
    """P2: condition "well", no banner, doctor all ok it was."""
    from projects.config import projects

    factories.make_endpoint(next(iter(projects.get().by_id.values())))
    begun = logins(3)
    if arriving:
        for challenge_id in begun:
            assert post(about(factories.deliveries(challenge_id)[0]), secret=WRONG) == 401
    problem, remedy = SAID[arriving]

    with later(61):
        sweep(queued)
        sweep(queued)  # told once

        banner = page()
        assert problem in banner
        assert remedy in banner
        assert f"/admin/channels/sender/{sender.pk}/change/" in banner
        assert "its reports do not arrive" in page("/admin/channels/sender/?channel__exact=whatsapp")
        ((line,), code) = doctor()
        assert (line["check"], line["status"], code) == ("reports", "fail", 1)
        assert problem.replace("&#x27;", "'") in line["detail"]
        assert remedy in line["remedy"]
        ((kind, data),) = [item for item in factories.told() if item[0].startswith("sender.")]
        assert (kind, data["reason"], data["sender_id"]) == (
            "sender.alert",
            "reports_missing",
            str(sender.pk),
        )
        assert problem.replace("&#x27;", "'") in data["problem"]
        assert remedy in data["remedy"]

    assert post(about(factories.deliveries(begun[0])[0])) == 200
    assert post(about(factories.deliveries(begun[1])[0])) == 200
    assert alerts.current() == []
    assert doctor()[1] == 0
    news = [item for item in factories.told() if item[0].startswith("sender.")]
    assert [kind for kind, _ in news] == ["sender.alert", "sender.alert_over"]
    assert news[1][1] == {"sender_id": str(sender.pk), "channel": "whatsapp", "reason": "reports_missing"}


def test_doctor_needs_no_sweep(logins: Logins) -> None:
    """P2: it looks for itself; beat may be what is broken."""
    assert doctor()[0][0]["status"] == "ok"
    logins(3)

    with later(61):
        assert doctor()[0][0]["status"] == "fail"
    assert not SenderReports.objects.exists()


def test_doctor_says_when_the_last_report_came(sender: Sender) -> None:
    assert "no report yet" in doctor()[0][0]["detail"]

    post(entry(statuses=[support.status()]))

    with later(5):
        assert "the last report came 5 s ago" in doctor()[0][0]["detail"]


def test_the_scrape_and_the_other_trouble_stand_side_by_side(
    missing: None, sender: Sender, client: Client
) -> None:
    from channels.breaker import Source

    health.failed(sender.pk, source=Source.CALL, reason=FailureReason.MISCONFIGURED, provider_code="190")

    assert len(alerts.current()) == 2
    scraped = client.get("/metrics").content.decode()
    for reason in ("misconfigured", "reports_missing"):
        line = f'authsvc_sender_alert{{channel="whatsapp",reason="{reason}",sender="{sender.pk}"}} 1.0'
        assert line in scraped


def test_a_sender_that_is_switched_off_raises_no_alert(missing: None, sender: Sender) -> None:
    sender.is_active = False
    sender.save()

    assert alerts.current() == []
    assert doctor()[1] == 0


# Twilio ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["a wrong token", None])
def test_twilios_reports_are_missed_too(
    token: str | None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """P2: a wrong token or address in callbacks is worth the same banner; silence of an SMS leads to nothing anyway."""
    Sender.objects.filter(channel="sms").delete()
    make_twilio()
    for nth in range(3):
        start(f"+8525123{nth:04}", address=f"198.51.{nth}.1", channel=SMS)
        queued.run()
    if token:
        assert post_twilio(TWILIO_FORM, token=token).status_code == 401

    with later(61):
        sweep(queued)
        (alert,) = alerts.current()
        arriving = "signature that this auth token does not match" in str(alert.problem)
        assert (alert.channel, arriving) == (SMS, token is not None)
        assert "AUTHSVC_PUBLIC_URL" in str(alert.remedy)

        assert post_twilio(TWILIO_FORM | {"MessageStatus": "queued"}).status_code == 200
        assert alerts.current() == []


TWILIO_FORM = {
    "AccountSid": "AC00000000000000000000000000000001",
    "MessageSid": "SM1",
    "MessageStatus": "sent",
}
