"""Routes at work: the channels, the wait and the sender of a country."""

from typing import Any

import pytest

from abuse import charges
from channels.errors import SendError
from channels.models import Sender
from channels.types import Channel, FailureReason, Status
from otp import services, sweep
from otp.errors import ChannelNotAllowed
from otp.routes import route_of
from projects.config import ProjectConfig, projects
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.otp.conftest import QueuedTasks, Start
from tests.otp.failover.support import Lines, path_of

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
INDIA, HONG_KONG, CANADA = "+919812345678", factories.PHONE, "+14165550132"


def route(*countries: str, **values: Any) -> ProjectConfig:
    row = LoginMethods.objects.get()
    row.routing = [*row.routing, {"countries": list(countries), "order": ["whatsapp", "sms"], **values}]
    row.save()
    return projects.get().by_id[row.project_id]


def begin(start: Start, number: str, **values: Any) -> Any:
    row = LoginMethods.objects.get()
    return start(number, project=projects.get().by_id[row.project_id], **values)


def test_a_country_begins_with_its_own_channel(start: Start, queued: QueuedTasks, lines: Lines) -> None:
    route("US", "CA", order=["sms", "whatsapp"])

    assert path_of(begin(start, CANADA)) == [("sms", "start")]
    assert path_of(begin(start, HONG_KONG)) == [("one", "start")]


def test_countries_of_one_calling_code_are_apart(start: Start, queued: QueuedTasks, lines: Lines) -> None:
    route("US", order=["sms", "whatsapp"])

    assert path_of(begin(start, "+14155550132")) == [("sms", "start")]
    assert path_of(begin(start, CANADA)) == [("one", "start")]


def test_a_wait_is_a_countrys_own(start: Start, queued: QueuedTasks, lines: Lines) -> None:
    route("IN", wait_seconds=12)
    there, here = begin(start, INDIA), begin(start, HONG_KONG)
    queued.run()

    with later(14):
        sweep.watch_deliveries()

    assert path_of(there) == [("one", "start"), ("sms", "fallback")]
    assert path_of(here) == [("one", "start")]


def test_an_sms_that_fails_is_followed_by_whatsapp_and_its_silence_by_nothing(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    route("CA", order=["sms", "whatsapp"])
    lines.errors["sms"] = SendError(FailureReason.UNREACHABLE)
    failed = begin(start, CANADA)
    queued.run()
    lines.errors.clear()
    silent = begin(start, "+14165550133")
    queued.run()
    with later(120):
        sweep.watch_deliveries()

    assert path_of(failed) == [("sms", "start"), ("one", "fallback")]
    assert path_of(silent) == [("sms", "start")]


def test_one_channel_is_all_that_a_country_gets(start: Start, queued: QueuedTasks, lines: Lines) -> None:
    route("IN", order=["sms"])
    lines.errors["sms"] = SendError(FailureReason.UNREACHABLE)

    challenge_id = begin(start, INDIA)
    queued.run()

    assert path_of(challenge_id) == [("sms", "start")]
    assert services.describe(challenge_id=challenge_id).channels == (SMS,)
    with pytest.raises(ChannelNotAllowed):
        services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=WHATSAPP)
    with pytest.raises(ChannelNotAllowed):
        begin(start, "+919812345679", channel=WHATSAPP)


def test_the_page_offers_the_channels_in_the_countrys_order(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    route("CA", order=["sms", "whatsapp"])
    challenge_id = begin(start, CANADA)
    queued.run()

    view = services.describe(challenge_id=challenge_id)

    assert (view.channel, view.channels, view.fallback_at) == (SMS, (SMS, WHATSAPP), None)


def test_what_a_new_challenge_shows_is_what_is_read_later(
    project: ProjectConfig, queued: QueuedTasks
) -> None:
    configured = route("CA", order=["sms", "whatsapp"])
    started = services.start_challenge(
        project=configured, phone=factories.phone(CANADA), language="en", origin=factories.ORIGIN, address=factories.ADDRESS
    )  # fmt: skip

    assert started.view is not None
    read = services.describe(challenge_id=started.challenge_id)
    assert (
        (started.view.channel, started.view.channels)
        == (read.channel, read.channels)
        == (SMS, (SMS, WHATSAPP))
    )


@pytest.mark.parametrize(("name", "expected"), [("two", "two"), ("gone", "one"), ("", "one")])
def test_a_sender_is_a_countrys_own(
    name: str,
    expected: str,
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    route("IN", **({"sender": name} if name else {}))

    there, here = begin(start, INDIA), begin(start, HONG_KONG)

    assert path_of(there) == [(expected, "start")]
    assert path_of(here) == [("one", "start")]


def test_a_countrys_sender_is_followed_by_the_usual_ones(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    route("IN", sender="two")
    lines.errors["two"] = SendError(FailureReason.MISCONFIGURED)

    challenge_id = begin(start, INDIA)
    queued.run()

    assert path_of(challenge_id) == [("two", "start"), ("one", "failover")]


def test_the_fallback_of_a_country_goes_through_its_sender(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    factories.make_sender("sms", name="sms-india", priority=9)
    route("IN", sender="sms-india")
    lines.errors["one"] = SendError(FailureReason.NOT_ON_CHANNEL)

    challenge_id = begin(start, INDIA)
    queued.run()

    assert path_of(challenge_id) == [("one", "start"), ("sms-india", "fallback")]


def test_a_resend_and_a_switch_go_through_the_countrys_sender(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    route("IN", sender="two")
    challenge_id = begin(start, INDIA)
    queued.run()
    with later(40):
        services.resend(challenge_id=challenge_id, address=factories.ADDRESS)
        services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=SMS)

    assert path_of(challenge_id) == [("two", "start"), ("two", "resend"), ("sms", "switch")]


def test_a_sender_that_was_deleted_is_replaced_by_the_countrys(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    senders: dict[str, Sender],
) -> None:
    route("IN", sender="two")
    challenge_id = begin(start, INDIA)
    senders["two"].delete()
    factories.make_sender("whatsapp", name="two", priority=7)
    queued.run()

    assert lines.calls == ["two"]
    assert path_of(challenge_id) == [("two", "start")]


def test_no_fallback_is_paid_for_where_there_is_none(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    real = charges.start

    def noted(*args: Any, **values: Any) -> Any:
        asked.append(values["may_fall_back"])
        return real(*args, **values)

    monkeypatch.setattr(charges, "start", noted)
    route("IN", order=["sms"])

    begin(start, INDIA)
    begin(start, HONG_KONG)

    assert asked == [False, True]


def test_a_number_is_parsed_only_where_countries_differ(
    project: ProjectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from otp import routes

    monkeypatch.setattr(routes, "country_of", lambda _phone: pytest.fail("parsed"))
    assert route_of(project, INDIA) == project.usual_route


def test_a_test_number_shows_the_channel_of_its_country(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    project: ProjectConfig,
) -> None:
    from datetime import date

    from projects.models import TestNumber

    TestNumber.objects.create(project_id=project.id, phone=INDIA, code="424242", until=date(2030, 1, 1))
    route("IN", order=["sms", "whatsapp"])

    [delivery] = factories.deliveries(begin(start, INDIA))

    assert (delivery.channel, delivery.status, delivery.sender_id) == (SMS, Status.DELIVERED, None)
