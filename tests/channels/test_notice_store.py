"""Notices in the database: seen by every process, in any order, by many at once, and never more than are configured."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from channels import alerts, notice_store
from channels.models import Sender, SenderNotice
from channels.providers.meta import events
from channels.senders import senders
from channels.types import FailureReason, TemplateRefusal
from core import config_version
from projects.models import Project
from tests import factories
from tests.clock import later

STATUS = "message_template_status_update"


def make_sender() -> Sender:
    return factories.make_sender(
        "whatsapp", provider="meta", template_name="login_code", template_languages=["en", "es_MX"]
    )


@pytest.fixture
def sender(db: None) -> Sender:
    return make_sender()


def refuse(sender: Sender, *languages: str, at: datetime | None = None) -> list[notice_store.NoticeChange]:
    refusals = [
        TemplateRefusal(language=item, reason=FailureReason.TEMPLATE_PAUSED, provider_code="132015")
        for item in languages
    ]
    return notice_store.templates_refused(sender.id, refusals, at=at or timezone.now())


def event(
    sender: Sender,
    word: str,
    language: str = "es_MX",
    *,
    name: str = "login_code",
    at: datetime | None = None,
) -> list[notice_store.NoticeChange]:
    value = {"event": word, "message_template_name": name, "message_template_language": language}
    return notice_store.account_event(sender.id, events.read(STATUS, value), at=at or timezone.now())


def usable(sender: Sender) -> tuple[str, ...]:
    known = senders.get()
    return known.template_languages(known.by_id[sender.id], now=timezone.now())


def test_a_sender_without_trouble_has_no_row_and_all_its_languages(sender: Sender) -> None:
    config = senders.get().by_id[sender.id]

    assert senders.get().template_languages(config, now=timezone.now()) is config.template_languages
    assert not SenderNotice.objects.exists()


def test_a_language_in_trouble_is_known_to_every_process_at_once(sender: Sender) -> None:
    before = config_version.current()
    refuse(sender, "es_MX")

    assert config_version.current() > before
    assert usable(sender) == ("en",)


def test_many_refusals_of_one_language_disturb_everybody_once(sender: Sender) -> None:
    """Fifty calls that were under way together."""
    refuse(sender, "es_MX")
    before = config_version.current()
    for _ in range(50):
        assert refuse(sender, "es_MX") == []

    assert config_version.current() == before


def test_a_sender_whose_languages_are_all_in_trouble_is_passed_over(sender: Sender) -> None:
    def is_open() -> bool:
        return senders.get().is_open(senders.get().by_id[sender.id], now=timezone.now())

    refuse(sender, "es_MX")
    assert not is_open()
    refuse(sender, "en")
    assert is_open()
    with later(15 * 60 + 1):
        assert not is_open()


def test_events_are_matched_in_both_spellings_and_only_for_what_is_configured(sender: Sender) -> None:
    event(sender, "PAUSED", "es-MX")
    assert usable(sender) == ("en",)

    assert event(sender, "PAUSED", "fr") == []
    assert event(sender, "PAUSED", "en", name="another_template") == []
    assert SenderNotice.objects.count() == 1


def test_the_same_language_of_another_sender_is_not_touched(sender: Sender) -> None:
    project = factories.make_project(senders=False)
    other = factories.make_sender(
        "whatsapp",
        Project.objects.get(id=project.id),
        template_name="login_code",
        template_languages=["en", "es_MX"],
    )
    refuse(sender, "es_MX")

    assert usable(other) == ("en", "es_MX")


def test_an_approval_clears_and_an_older_pause_does_not_mark_again(sender: Sender) -> None:
    now = timezone.now()
    event(sender, "PAUSED", at=now - timedelta(minutes=10))
    (news,) = event(sender, "APPROVED", at=now - timedelta(minutes=1))

    assert news.notice.reason == ""
    assert event(sender, "PAUSED", at=now - timedelta(minutes=5)) == []
    assert usable(sender) == ("en", "es_MX")


def test_an_approval_that_comes_before_the_pause_it_follows(sender: Sender) -> None:
    """Nothing was known yet: the approval is remembered all the same."""
    now = timezone.now()
    assert event(sender, "APPROVED", at=now - timedelta(minutes=1)) == []
    assert event(sender, "PAUSED", at=now - timedelta(minutes=5)) == []

    assert usable(sender) == ("en", "es_MX")
    assert event(sender, "PAUSED", at=now)


def test_in_the_second_of_the_refusal_an_approval_is_believed(sender: Sender) -> None:
    """Events carry whole seconds; in doubt the language is tried."""
    at = timezone.now().replace(microsecond=600_000) - timedelta(seconds=5)
    refuse(sender, "es_MX", at=at)
    event(sender, "APPROVED", at=at.replace(microsecond=0))

    assert usable(sender) == ("en", "es_MX")


def test_a_pause_of_long_ago_is_shown_and_skips_nothing(sender: Sender) -> None:
    event(sender, "PAUSED", at=timezone.now() - timedelta(hours=2))

    assert usable(sender) == ("en", "es_MX")
    assert len(alerts.current()) == 1


def test_a_time_in_the_future_is_now(sender: Sender) -> None:
    event(sender, "PAUSED", at=timezone.now() + timedelta(days=2))
    with later(15 * 60 + 1):
        assert usable(sender) == ("en", "es_MX")


def test_a_call_that_began_before_the_approval_does_not_mark(sender: Sender) -> None:
    """Its answer came later than the event; the next login finds out for one call."""
    begun = timezone.now() - timedelta(seconds=3)
    event(sender, "APPROVED", at=begun + timedelta(seconds=1))

    assert refuse(sender, "es_MX", at=begun) == []
    assert usable(sender) == ("en", "es_MX")


def together(*acts: Callable[[], object]) -> None:
    barrier = threading.Barrier(len(acts))
    errors: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except BaseException as error:  # noqa: BLE001 # shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert errors == []


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_are_refused_together_one_tells() -> None:
    sender = make_sender()
    news: list[notice_store.NoticeChange] = []

    together(*[lambda: news.extend(refuse(sender, "es_MX", "en"))] * 6)

    assert sorted(item.subject.language for item in news) == ["en", "es_MX"]
    assert SenderNotice.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_whoever_comes_first_a_refusal_and_a_later_approval_end_alike(_round: int) -> None:
    """P1, the race: two workers and an event about one language, in any order."""
    sender = make_sender()
    begun = timezone.now() - timedelta(seconds=30)

    together(
        lambda: refuse(sender, "es_MX", at=begun),
        lambda: event(sender, "APPROVED", at=begun + timedelta(seconds=10)),
        lambda: refuse(sender, "es_MX", at=begun + timedelta(seconds=5)),
        lambda: event(sender, "PAUSED", at=begun - timedelta(seconds=20)),
    )

    assert SenderNotice.objects.get(topic="template").reason == ""
    assert usable(sender) == ("en", "es_MX")


def test_saving_a_sender_tries_its_languages_again_and_keeps_the_alert(sender: Sender) -> None:
    refuse(sender, "es_MX")
    sender.secrets["access_token"] = "a-new-one"
    sender.save()

    assert usable(sender) == ("en", "es_MX")
    assert len(alerts.current()) == 1
    (news,) = notice_store.template_works(sender.id, "es_MX", at=timezone.now())
    assert news.notice.reason == ""
    assert alerts.current() == []


@pytest.mark.parametrize("change", [{"template_languages": ["en"]}, {"template_name": "another"}])
def test_what_is_no_longer_configured_is_forgotten(change: dict[str, object], sender: Sender) -> None:
    refuse(sender, "es_MX")
    for name, value in change.items():
        sender.settings[name] = value
    sender.save()

    assert not SenderNotice.objects.exists()


def test_what_nobody_takes_back_is_shown_for_a_week_or_until_the_sender_is_saved(sender: Sender) -> None:
    notice_store.account_event(
        sender.id, events.read("account_update", {"event": "ACCOUNT_VIOLATION"}), at=timezone.now()
    )
    (alert,) = alerts.current()
    assert "ACCOUNT_VIOLATION" in str(alert.problem)
    assert not alert.skipped
    with later(7 * 24 * 3600 + 1):
        assert alerts.current() == []
    sender.save()
    assert alerts.current() == []


def test_a_sender_that_is_gone_or_switched_off_alarms_nobody(sender: Sender) -> None:
    refuse(sender, "es_MX")
    Sender.objects.filter(pk=sender.pk).update(is_active=False)
    assert alerts.current() == []
    sender.delete()
    assert refuse(sender, "es_MX") == []


def test_each_reason_of_a_sender_is_one_label(sender: Sender) -> None:
    """Prometheus takes no label twice."""
    refuse(sender, "es_MX", "en")

    assert alerts.labels() == [(sender.id, "whatsapp", "template_paused")]
