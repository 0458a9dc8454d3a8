"""P2: when reports that do not arrive count as missing, and what counts as a report."""

from typing import Any

import pytest

from channels.models import Sender
from channels.types import Receipt
from otp.models import Delivery
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, verify
from tests.otp.missing_reports.support import SMS, WHATSAPP, Logins, about, entry, is_missing, post, sweep
from tests.webhooks import support


@pytest.mark.parametrize(("people", "seconds", "missing"), [(3, 61, True), (3, 59, False), (2, 3600, False)])
def test_three_messages_of_a_minute_ago_without_any_report(
    people: int, seconds: float, missing: bool, logins: Logins, queued: QueuedTasks
) -> None:
    """P2."""
    logins(people)

    with later(seconds):
        sweep(queued)
        assert is_missing() is missing


def test_codes_that_were_typed_at_once_count_too(logins: Logins, queued: QueuedTasks) -> None:
    """P2: nobody waits for a report then, and all the same none has come."""
    for challenge_id in logins(3):
        verify(challenge_id)

    with later(61):
        sweep(queued)
        assert is_missing()


def test_messages_that_may_not_exist_do_not_count(
    logins: Logins, queued: QueuedTasks, providers: Providers
) -> None:
    """A provider that hangs answers nothing and reports nothing: there the SMS is right."""
    providers.script[WHATSAPP] = lambda _message: Receipt(certain=False)
    begun = logins(4)

    with later(61):
        sweep(queued)
        assert not is_missing()
    assert SMS in factories.channels_of(begun[0])


REPORTS: dict[str, dict[str, Any]] = {
    "a status of nobody's message": entry(statuses=[support.status(id="wamid.other")]),
    "a status without a use": entry(statuses=[support.status("played")]),
    "an incoming message": entry(messages=[{"type": "text", "id": "x"}]),
    "news of the account": entry(number=None, field="account_update", event="VERIFIED_ACCOUNT"),
    "news of a template": entry(number=None, field="message_template_status_update", event="APPROVED"),
}


@pytest.mark.parametrize("name", REPORTS)
def test_one_signed_report_of_any_kind_and_they_are_not_missing(
    name: str, logins: Logins, queued: QueuedTasks
) -> None:
    """P2."""
    logins(3)
    assert post(REPORTS[name]) == 200

    with later(61):
        sweep(queued)
        assert not is_missing()
        logins(3)
    with later(122):
        sweep(queued)
        assert is_missing()


@pytest.mark.parametrize(
    "foreign",
    [
        support.payload(support.change(statuses=[support.status()]), account="0")["entry"][0],
        support.payload(support.change("123456123", statuses=[support.status()]))["entry"][0],
        support.payload(support.change(None, field="account_update"), account=support.OTHER_ACCOUNT)["entry"][
            0
        ],
    ],
)
def test_what_is_signed_and_about_others_is_no_report_of_ours(
    foreign: dict[str, Any], logins: Logins, queued: QueuedTasks
) -> None:
    """P2 and P3: the Test button works although the account is not subscribed."""
    logins(3)
    assert post(foreign) == 200

    with later(61):
        sweep(queued)
        assert is_missing()


def test_reports_that_were_not_written_down_count(logins: Logins, queued: QueuedTasks) -> None:
    """Within a few seconds of the last one none is written down: the last of a burst is found in what it reported."""
    first, second = [factories.deliveries(item)[0] for item in logins(2)]
    assert post(about(first)) == 200
    logins(3)
    assert post(about(second, "sent")) == 200

    with later(61):
        sweep(queued)
        assert not is_missing()
        logins(3)
    with later(122):
        sweep(queued)
        assert is_missing()


def test_a_handset_that_is_off_is_no_missing_report(logins: Logins, queued: QueuedTasks) -> None:
    """`sent` came: Meta reports, the phone is silent. Each is followed by its SMS."""
    begun = logins(5)
    for challenge_id in begun:
        assert post(about(factories.deliveries(challenge_id)[0], "sent")) == 200

    for seconds in (21, 61):
        with later(seconds):
            sweep(queued)
    assert not is_missing()
    assert [factories.channels_of(item) for item in begun] == [[WHATSAPP, SMS]] * 5


def test_reports_that_come_before_the_answer_count(
    logins: Logins, queued: QueuedTasks, providers: Providers
) -> None:
    """The provider reports while its answer is still on the way: its time is before that of the acceptance."""

    def report_first(message: Any) -> None:
        assert post(about(Delivery.objects.get(id=message.delivery_id), "sent")) == 200

    providers.script[WHATSAPP] = report_first
    logins(4)

    with later(61):
        sweep(queued)
        assert not is_missing()


@pytest.mark.parametrize("provider", ["memory", "console"])
def test_a_provider_that_never_reports_lacks_no_report(
    provider: str, sender: Sender, logins: Logins, queued: QueuedTasks
) -> None:
    Sender.objects.filter(pk=sender.pk).update(provider=provider)
    logins(4)

    with later(61):
        sweep(queued)
        assert not is_missing()
