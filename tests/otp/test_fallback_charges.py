"""Who pays for the automatic fallback: whoever began. W4."""

import pytest
from django.conf import LazySettings

from abuse import limiter, rules
from abuse.errors import RateLimited
from abuse.limiter import Charge
from channels.errors import SendError
from channels.types import Channel, FailureReason, Status
from otp import fallback, services
from otp.models import Delivery
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


@pytest.fixture(autouse=True, params=["configured", "memory"])
def _store(request: pytest.FixtureRequest, settings: LazySettings) -> None:
    if request.param == "memory":
        settings.REDIS_URL = ""


@pytest.fixture
def nobody_on_whatsapp(providers: Providers) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))


def begin_many(start: Start, count: int) -> list[object]:
    """Of numbers in several ranges, from one address."""
    begun: list[object] = []
    for nth in range(count):
        try:
            begun.append(start(f"+8526{nth % 10}234{nth // 10:02}0"))
        except RateLimited:
            break
    return begun


@pytest.mark.parametrize("answered", ["each at once", "all at the end"])
def test_an_address_gets_no_more_messages_than_its_ceiling(
    answered: str, nobody_on_whatsapp: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Both channels together: calls to WhatsApp as well as text messages."""
    begun = 0
    for nth in range(60):
        try:
            start(f"+8526{nth % 10}234{nth // 10:02}0")
        except RateLimited:
            break
        begun += 1
        if answered == "each at once":
            queued.run()
    queued.run()

    assert begun + providers.channels.count(SMS) <= rules.rules()["send.address"].amount
    assert providers.channels.count(SMS) >= 10


def test_an_office_keeps_its_fallbacks(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """As many logins as one address may begin, and one in five of them is not on WhatsApp."""
    begun = begin_many(start, 60)
    asked: list[int] = []

    def every_fifth(_message: object) -> None:
        asked.append(1)
        if len(asked) % 5 == 0:
            raise SendError(FailureReason.NOT_ON_CHANNEL)

    providers.script[WHATSAPP] = every_fifth
    queued.run()

    assert len(begun) == 50
    assert providers.channels.count(SMS) == 10
    assert not Delivery.objects.filter(reason=FailureReason.LIMIT).exists()


def test_it_is_charged_to_the_address_that_began_not_to_the_next(
    nobody_on_whatsapp: None, start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    settings.AUTHSVC_LIMITS = {"send.address": "3/10m"}
    first = start(address="198.51.100.1")
    queued.run()
    assert factories.channels_of(first) == [WHATSAPP, SMS]
    start(factories.OTHER_PHONE, address="198.51.100.1")

    with pytest.raises(RateLimited):
        start("+85251230009", address="198.51.100.1")
    assert start("+85251230009", address="192.0.2.1")


def test_task_and_sweep_together_are_charged_once(
    nobody_on_whatsapp: None, start: Start, settings: LazySettings
) -> None:
    """Both have looked before either has written the message."""
    settings.AUTHSVC_LIMITS = {"send.address": "2/10m"}
    start()
    failed = Delivery.objects.select_related("challenge").get()

    assert [fallback._charge_fallback(failed) for _ in range(3)] == [True, True, True]
    with pytest.raises(RateLimited):
        start(factories.OTHER_PHONE)


def test_at_the_ceiling_of_the_address_the_page_can_say_why(
    nobody_on_whatsapp: None, start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    settings.AUTHSVC_LIMITS = {"send.address": "1/10m"}
    challenge_id = start()
    queued.run()

    last = services.describe(challenge_id=challenge_id).deliveries[-1]
    assert (last.channel, last.status, last.reason) == (SMS, Status.FAILED, FailureReason.LIMIT)
    assert providers.sent == []


@pytest.mark.parametrize("rule", ["send.range.hour", "send.range.day", "send.country"])
def test_ceilings_of_many_numbers_count_it_but_let_a_login_that_began_end(
    rule: str,
    nobody_on_whatsapp: None,
    start: Start,
    queued: QueuedTasks,
    providers: Providers,
    settings: LazySettings,
) -> None:
    settings.AUTHSVC_LIMITS = {rule: "1/1h"}
    start()
    queued.run()

    assert providers.channels == [SMS]
    with pytest.raises(RateLimited):
        start("+85251234568")


def test_it_may_use_what_is_kept_of_the_projects_day_but_no_more(
    nobody_on_whatsapp: None, start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    settings.AUTHSVC_LIMITS = {"send.project": "5/1d", "send.country": "9/1d"}
    for nth in range(3):
        start(f"+8525123456{nth}")
    queued.run()

    assert providers.channels == [SMS, SMS]


def test_a_known_browser_pays_from_its_own_counters(
    nobody_on_whatsapp: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """W3: the fallback and the switch are counted for the browser, and strangers' counts are full."""
    for name in ("send.number.hour", "send.number.day"):
        rule = rules.rules()[name]
        limiter.charge(
            [Charge(rule=rule, subject=rules.number_key(factories.PHONE), need=0, cost=rule.amount)]
        )
    with pytest.raises(RateLimited):
        start()

    challenge_id = start(browser="b" * 24)
    queued.run()
    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]
    with later(31):
        services.resend(challenge_id=challenge_id, address="192.0.2.200")
    with later(100):
        services.resend(challenge_id=challenge_id, address="192.0.2.200")
    with later(240):
        services.resend(challenge_id=challenge_id, address="192.0.2.200")
        with pytest.raises(RateLimited):
            limiter.charge([Charge(rule=rules.rules()["send.known.hour"], subject="b" * 24)])
