"""Sends that are asked for by people who are not the number's owner, who logs in beside them."""

from django.conf import LazySettings
from django.utils import timezone

from abuse import rules
from otp.models import Challenge, Delivery, PhoneRecord
from projects.config import ProjectConfig
from projects.models import Domain
from tests import factories
from tests.login.abuse.support import HOME, Clock, Stranger, logs_in
from tests.login.conftest import Browser
from users.models import User


def test_two_starts_with_a_switch_each(
    stranger: Stranger, owner: Browser, fresh: Browser, clock: Clock
) -> None:
    """The hour of strangers is used up, the owner's is not; with a switch and a second message beside it."""
    for nth in range(2):
        name = stranger.start(address=f"203.0.{nth}.9").json()["id"]
        assert stranger.send(name, "sms", address=f"203.0.{nth}.9").status_code == 202
        clock.go(31)
    clock.go(95)

    assert not logs_in(fresh)
    assert owner.ask().status_code == 302
    assert owner.send("sms").status_code == 303
    clock.go(31)
    assert owner.send().status_code == 303
    assert owner.enter(owner.code).status_code == 302
    newest = Challenge.objects.latest("id")
    assert (newest.browser != "", Delivery.objects.filter(challenge_id=newest.id).count()) == (True, 3)
    clock.go(3600)
    assert logs_in(fresh)


def test_the_owners_browser_has_a_limit_as_large_as_that_of_unknown_browsers(
    owner: Browser, clock: Clock
) -> None:
    """A known browser is bounded, too."""
    sent = 0
    for _ in range(12):
        sent += owner.ask().status_code == 302
        owner.client.cookies.pop("login", None)
        clock.go(240)

    assert sent == 4  # of five an hour, one is kept for the fallback


def test_a_day_of_messages_does_not_close_the_number(
    stranger: Stranger, owner: Browser, fresh: Browser, clock: Clock
) -> None:
    """All ten messages of the day are gone; an address block that is new to the number has a spare."""
    sent = 0
    for _ in range(20):
        sent += stranger.start().status_code == 201
        clock.go(1000)
    assert sent == 9
    assert stranger.start().status_code == 429

    assert logs_in(fresh)
    assert logs_in(owner)


def test_three_hundred_numbers_of_one_block(stranger: Stranger, owner: Browser, clock: Clock) -> None:
    """C9: no code is typed. The owner's number is one of them; another block goes on."""
    answers = [
        stranger.start(f"+8525123{nth:04}", address=f"10.{nth // 200}.{nth % 200}.1").status_code
        for nth in range(3000, 3300)
    ]

    assert 20 <= answers.count(201) <= 45
    assert answers[-200:] == [429] * 200
    assert logs_in(owner)
    assert stranger.start("+85261234567", address=HOME).status_code == 201


def test_and_none_more_than_a_hundred_in_a_day(
    stranger: Stranger, clock: Clock, project: ProjectConfig
) -> None:
    """A patient attacker."""
    sent = 0
    for nth in range(150):
        sent += stranger.start(f"+8525123{nth + 3000:04}", address=f"10.1.{nth}.1").status_code == 201
        clock.go(560)

    assert 80 <= sent <= 100


def test_people_of_a_popular_block_get_in(project: ProjectConfig, clock: Clock) -> None:
    """More than twice as many as its ceiling, because they type their codes."""
    for nth in range(90):
        browser = Browser(REMOTE_ADDR=f"10.1.{nth}.1")
        assert logs_in(browser, f"+8525123{nth + 3000:04}"), nth
        clock.go(11)


def test_an_account_of_a_block_under_attack_gets_in_from_a_new_browser(
    stranger: Stranger, owner: Browser, fresh: Browser, clock: Clock
) -> None:
    """Some room is kept for numbers with an account; a number without one waits."""
    for nth in range(3000, 3060):
        stranger.start(f"+8525123{nth:04}", address=f"10.1.{nth % 250}.1")

    assert logs_in(fresh)
    assert not logs_in(Browser(REMOTE_ADDR=HOME), "+85251239999")


def test_a_country_has_a_share_of_the_day(stranger: Stranger, settings: LazySettings) -> None:
    """Half of the project's; other countries go on."""
    settings.AUTHSVC_LIMITS = {"send.project": "20/1d"}
    answers = [
        stranger.start(f"+8525{nth}234567", address=f"10.1.{nth}.1").status_code
        for nth in (1, 2, 3, 4, 5, 6, 9)
    ] + [stranger.start(f"+8526{nth}234567", address=f"10.2.{nth}.1").status_code for nth in range(8)]

    assert answers.count(201) == 10
    assert stranger.start(factories.OTHER_PHONE, address="10.3.0.1").status_code == 201


def test_the_projects_day_used_up(
    stranger: Stranger, owner: Browser, fresh: Browser, settings: LazySettings, clock: Clock
) -> None:
    """A fifth is kept for numbers with an account and for known browsers, and no more than the whole is sent."""
    settings.AUTHSVC_LIMITS = {"send.project": "10/1d", "send.country": "100%/1d"}
    phones = [f"+8526{nth}234567" for nth in range(10)]
    answers = [stranger.start(phone, address=f"10.1.{nth}.1").status_code for nth, phone in enumerate(phones)]

    assert answers == [201] * 8 + [429] * 2
    assert logs_in(fresh)
    assert logs_in(owner)
    clock.go(240)
    assert not logs_in(owner)
    clock.go(86_400)
    assert stranger.start(phones[9]).status_code == 201


def test_two_projects(
    stranger: Stranger, owner: Browser, settings: LazySettings, clock: Clock, project: ProjectConfig
) -> None:
    """A number's messages, and with them its guesses, count in all projects together; the owner is let in in both."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "other.example"]
    other = factories.make_project(slug="other", name="Other", is_default=False)
    Domain.objects.create(project_id=other.id, host="other.example")
    factories.make_client(other, client_id="other-web", algorithm="ES256")
    there = Browser(REMOTE_ADDR=HOME, headers={"host": "other.example"})
    assert logs_in(there)
    clock.go(86_400)

    sent = 0
    for _ in range(10):
        sent += stranger.start(channel="sms").status_code == 201
        sent += Stranger("other.example", "other-web").start(channel="sms").status_code == 201
        clock.go(211)

    assert sent == rules.rules()["send.number.hour"].amount
    assert logs_in(owner)
    there.client.cookies.pop("sessionid")
    assert logs_in(there)


def test_answers_do_not_tell_who_is_known_here(
    stranger: Stranger, owner: Browser, fresh: Browser, project: ProjectConfig
) -> None:
    """A number with an account, one of a blocked person, one that was used without success, and an unused one."""
    blocked, unasked, nobody = "+85251234568", "+85251234569", "+85251234570"
    User.objects.create(project_id=project.id, phone=blocked, is_active=False)
    PhoneRecord.objects.create(
        project_id=project.id, phone=unasked, not_on_whatsapp_at=timezone.now(), updated_at=timezone.now()
    )

    told = []
    for phone in (factories.PHONE, blocked, unasked, nobody):
        answer = stranger.start(phone, address="192.0.2.77")
        body = {name: value for name, value in answer.json().items() if name not in ("id", "phone_masked")}
        headers = {
            name: value for name, value in answer.headers.items() if name not in ("Location", "X-Request-ID")
        }
        told.append((answer.status_code, body, headers, stranger.start(phone, address="192.0.2.77").content))

    assert told[0] == told[1] == told[2] == told[3]
    assert told[0][0] == 201
