"""A person is erased: nothing in the database leads to them any more, and what is counted stays."""

import uuid
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from channels.types import Status
from login import erasure, retention
from login.models import Session
from oidc.models import LogoutNotice, TokenFamily
from otp import retention as otp_retention
from otp import services
from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord
from projects.models import Project
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser
from tests.login.people.support import NOTHING, Member, other_user
from users import pseudonyms
from users.errors import PersonGone
from users.models import User

pytestmark = pytest.mark.django_db
MESSAGE_ID = "wamid.HBgLODUyNTEyMzQ1NjcVAgARGBI"  # holds the number in base64
ADDRESS = "127.0.0.1"


def erase(user: User) -> None:
    erasure.begin(user_id=user.id)
    erasure.finish(user_id=user.id, seconds=None)


def everything() -> str:
    """The text of every row of every table."""
    rows: list[Any] = []
    for model in apps.get_models():
        rows += model._default_manager.values_list()
    return repr(rows)


@pytest.fixture
def known(member: Member) -> Member:
    """With a report that names them, and a record of their number."""
    delivery = Delivery.objects.get()
    services.record_status_updates([factories.report(delivery, Status.DELIVERED, message_id=MESSAGE_ID)])
    project = Project.objects.get()
    PhoneRecord.objects.create(project=project, phone=factories.PHONE, updated_at=timezone.now())
    return member


def test_the_person_is_everywhere_before(known: Member) -> None:
    """The test below could not fail otherwise."""
    texts = everything()
    for named in (factories.PHONE, MESSAGE_ID, ADDRESS, known.sub):
        assert named in texts


def test_nothing_names_the_person_afterwards(known: Member) -> None:
    sub = known.sub
    LogoutNotice.objects.all().delete()

    erase(known.user)

    LogoutNotice.objects.all().delete()  # the opaque id, for as long as notices are kept
    texts = everything()
    for named in (factories.PHONE, factories.PHONE[1:], MESSAGE_ID, ADDRESS, sub, uuid.UUID(sub).hex):
        assert named not in texts


def test_sessions_and_tokens_end_and_applications_are_told(known: Member) -> None:
    """F6."""
    sub = known.sub
    erasure.begin(user_id=known.user.id)

    assert known.works == NOTHING
    assert not Session.objects.exists()
    assert str(LogoutNotice.objects.get().sub) == sub


def test_what_is_counted_stays(known: Member) -> None:
    before = Delivery.objects.values("id", "channel", "status", "reason", "created_at").get()
    sent = Challenge.objects.values("id", "created_at", "verified_at", "attempts").get()

    erase(known.user)

    assert Delivery.objects.values(*before).get() == before
    assert Challenge.objects.values(*sent).get() == sent
    assert DeliveryEvent.objects.exists()
    assert pseudonyms.is_pseudonym(Challenge.objects.get().phone)
    assert not PhoneRecord.objects.exists()


def test_rows_of_one_person_stay_together_and_apart_from_others(
    known: Member, browser: Browser, other_browser: Browser
) -> None:
    browser.ask()
    other_browser.sign_in(factories.OTHER_PHONE)
    for phone in (factories.PHONE, factories.OTHER_PHONE):
        erase(User.objects.get(phone=phone))

    numbers = list(Challenge.objects.order_by("id").values_list("phone", flat=True))
    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 2


def test_an_open_code_is_worth_nothing(known: Member, browser: Browser) -> None:
    browser.ask()
    code = browser.code

    erase(known.user)
    browser.enter(code)

    assert not browser.is_signed_in
    assert not User.objects.exists()


def test_whoever_has_the_number_next_is_somebody_new(known: Member, other_browser: Browser) -> None:
    """H13."""
    sub = known.sub
    erase(known.user)

    with later(60):
        other_browser.sign_in()

    assert str(User.objects.get().id) != sub


def test_the_same_number_in_another_project_is_left_alone(known: Member) -> None:
    """K8."""
    elsewhere = Project.objects.create(slug="other", name="Other")
    User.objects.create(project=elsewhere, phone=factories.PHONE)
    PhoneRecord.objects.create(project=elsewhere, phone=factories.PHONE, updated_at=timezone.now())

    erase(known.user)

    assert User.objects.get().project == elsewhere
    assert PhoneRecord.objects.get().project == elsewhere


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED, Status.READ])
def test_a_report_that_comes_late_leaves_no_number(status: Status, known: Member) -> None:
    """The provider still knows it; what it says is cleaned once a minute, whether or not it raises the status."""
    Delivery.objects.update(status=Status.DELIVERED)
    delivery = Delivery.objects.get()
    erase(known.user)
    services.record_status_updates([factories.report(delivery, status, message_id=MESSAGE_ID)])
    assert MESSAGE_ID in everything()

    assert otp_retention.purge()["message ids"] > 0

    assert MESSAGE_ID not in everything()
    assert Delivery.objects.get().status == max(status, Status.DELIVERED)
    assert otp_retention.purge()["message ids"] == 0


def test_message_ids_of_other_people_stay(known: Member, other_browser: Browser) -> None:
    erase(other_user(known))

    assert otp_retention.purge()["message ids"] == 0
    assert DeliveryEvent.objects.filter(provider_message_id=MESSAGE_ID).exists()


@pytest.mark.parametrize("who", ["staff", "nobody", "erased"])
def test_only_people_are_erased_and_only_once(who: str, known: Member) -> None:
    user = {
        "staff": User.objects.create_superuser("root", "a long enough password"),
        "nobody": User(),
        "erased": known.user,
    }[who]
    if who == "erased":
        erasure.begin(user_id=user.id)

    with pytest.raises(PersonGone):
        erasure.begin(user_id=user.id)


def test_finish_deletes_nobody_who_is_not_being_deleted(known: Member) -> None:
    assert erasure.finish(user_id=known.user.id, seconds=None)

    assert set(known.works.values()) == {True}


def test_a_large_account_is_deleted_in_the_background(known: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    user = known.user
    family = TokenFamily.objects.get()
    for _ in range(5):
        family.pk = uuid.uuid4()
        family.save(force_insert=True)
    erasure.begin(user_id=user.id)
    monkeypatch.setattr("oidc.retention._delete_some", _one_and_no_more)

    assert not erasure.finish(user_id=user.id, seconds=0.0)
    assert User.objects.filter(id=user.id).exists()
    monkeypatch.undo()

    assert retention.purge(seconds=20.0)["erased users"] == 1
    assert not User.objects.exists()
    assert retention.purge(seconds=20.0)["erased users"] == 0


def _one_and_no_more(rows: Any, _size: int) -> int:
    """A batch that takes all the time there is."""
    rows.model._default_manager.filter(pk__in=list(rows.values_list("pk", flat=True)[:1])).delete()
    return 100


def test_no_more_is_begun_when_the_time_is_over(known: Member) -> None:
    erasure.begin(user_id=known.user.id)

    assert erasure.finish_all(seconds=0.0) == 0
    assert User.objects.exists()
