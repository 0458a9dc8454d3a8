"""What the hot paths may spend. Figures of one machine are no use on another; these are, and a change that goes over
fails with the figure.

Calls move a little with the versions of libraries: the budget is what was measured and five in a hundred. Whoever makes
a path cheaper lowers its budget in the same change. Of the round trips to Redis one of each start is the flag that says
whether a task is on its way (otp.queue); the least of several runs had none to publish.
"""

import json
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from django.db import connection

from channels import providers as registry
from channels.base import SenderConfig
from channels.models import Sender
from channels.types import Channel, Message, Receipt, Status
from login import login_cookie
from otp.models import Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.api.conftest import challenge_id
from tests.budgets.conftest import Service, new_number
from tests.budgets.spending import Spent, least, spent_by
from tests.webhooks import support, whatsapp

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("project"),
]

_WARM = 5  # runs before: configuration in memory, statements prepared
_RUNS = 3

_CHALLENGES = "/api/v1/challenges"


def spending(act: Callable[[], object], tasks: list[str]) -> Spent:
    assert connection.vendor == "postgresql"
    for _ in range(_WARM):
        act()
    return least([spent_by(act, tasks=tasks) for _ in range(_RUNS)])


def check(path: str, act: Callable[[], object], tasks: list[str], budget: Spent) -> None:
    spent = spending(act, tasks)
    assert not spent.over(budget), f"{path}: {spent.over(budget)}; spent {spent}"


def started(service: Service, number: str = "") -> str:
    """The API's id of a new challenge."""
    name: str = service.post(_CHALLENGES, {"client_id": "acme-web", "phone": number or new_number()})["id"]
    return name


# The API ----------------------------------------------------------------------------------------------


def test_start(service: Service, tasks: list[str]) -> None:
    budget = Spent(statements=1, redis=2, tasks=0, lines=1, calls=390)
    check("start", lambda: started(service), tasks, budget)


def test_verify(service: Service, tasks: list[str]) -> None:
    ready = prepared(lambda: started(service))

    def verify() -> None:
        name, code = next(ready)
        assert service.post(f"{_CHALLENGES}/{name}/verify", {"code": code})["id_token"]

    check("verify", verify, tasks, Spent(statements=1, redis=1, tasks=0, lines=1, calls=370))


def prepared(start: Callable[[], str]) -> Iterator[tuple[str, str]]:
    """Challenges and their codes, all made before the first is used."""
    names = [start() for _ in range(_WARM + 2 * _RUNS)]
    return iter([(name, factories.code_of(challenge_id(name))) for name in names])


# Messages ---------------------------------------------------------------------------------------------


class _Answering:
    """A provider that takes everything; its ids are those of no other."""

    def __init__(self) -> None:
        self._numbers = count()

    def send(self, *, message: Message, sender: SenderConfig[Any]) -> Receipt:  # the registry's signature
        return Receipt(provider_message_id=f"wamid.{next(self._numbers):040}")


@pytest.fixture
def accepted(
    service: Service, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], list[Delivery]]:
    """Makes messages that WhatsApp has accepted from a sender of Meta's."""
    from otp import send

    monkeypatch.setattr(registry, "send", _Answering().send)
    Sender.objects.filter(channel=Channel.WHATSAPP).delete()
    whatsapp.make_sender()

    def make(number: int) -> list[Delivery]:
        names = [started(service) for _ in range(number)]
        rows = Delivery.objects.filter(challenge_id__in=[challenge_id(name) for name in names])
        for row in rows:
            send.send_delivery(delivery_id=row.id)
        return list(rows.all())

    return make


def test_send(service: Service, tasks: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from otp import send

    monkeypatch.setattr(registry, "send", _Answering().send)
    names = [started(service) for _ in range(_WARM + 2 * _RUNS)]
    rows = Delivery.objects.filter(challenge_id__in=[challenge_id(name) for name in names])
    ready = iter(list(rows.values_list("id", flat=True)))

    budget = Spent(statements=2, redis=1, tasks=0, lines=1, calls=280)
    check("send", lambda: send.send_delivery(delivery_id=next(ready)), tasks, budget)


def report(deliveries: list[Delivery]) -> bytes:
    return support.reporting(
        *(
            support.status(
                id=row.provider_message_id,
                timestamp=str(int(time.time())),
                biz_opaque_callback_data=str(row.id),
            )
            for row in deliveries
        )
    )


@pytest.mark.parametrize(
    ("size", "budget"),
    [
        (1, Spent(statements=1, redis=0, tasks=0, lines=1, calls=308)),
        (100, Spent(statements=1, redis=0, tasks=0, lines=101, calls=7650)),
    ],
)
def test_reports(
    service: Service,
    tasks: list[str],
    accepted: Callable[[int], list[Delivery]],
    size: int,
    budget: Spent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webhooks.views.BELIEVED", 60)  # a slow machine takes longer than it for a batch
    rows = accepted(size * (_WARM + 2 * _RUNS))
    bodies = iter([report(rows[first : first + size]) for first in range(0, len(rows), size)])

    def post() -> None:
        body = next(bodies)
        status, _ = service.call("POST", whatsapp.PATH, body, HTTP_X_HUB_SIGNATURE_256=support.signed(body))
        assert status == 200

    check(f"{size} reports", post, tasks, budget)
    assert {row.status for row in Delivery.objects.all()} == {Status.DELIVERED}


# The pages --------------------------------------------------------------------------------------------


@pytest.fixture
def browser(service: Service) -> Service:
    assert service.call("GET", "/login/")[0] == 200
    return service


def ask(browser: Service) -> None:
    """A new browser posts a new number."""
    browser.cookies = {"csrftoken": browser.cookies["csrftoken"]}
    assert browser.form("/login/", phone=new_number(), country="HK", form_token=new_number()) == 302


def test_phone_page(browser: Service, tasks: list[str]) -> None:
    budget = Spent(statements=0, redis=0, tasks=0, lines=0, calls=910)
    check("phone page", lambda: browser.call("GET", "/login/"), tasks, budget)


def test_phone_posted(browser: Service, tasks: list[str]) -> None:
    budget = Spent(statements=1, redis=3, tasks=0, lines=1, calls=1190)
    check("phone posted", lambda: ask(browser), tasks, budget)


def test_code_page(browser: Service, tasks: list[str]) -> None:
    ask(browser)
    budget = Spent(statements=1, redis=0, tasks=0, lines=0, calls=1165)
    check("code page", lambda: browser.call("GET", "/login/code/"), tasks, budget)


def test_poll(browser: Service, tasks: list[str]) -> None:
    ask(browser)
    budget = Spent(statements=1, redis=0, tasks=0, lines=0, calls=645)

    def poll() -> None:
        status, content = browser.call("GET", "/login/status/")
        assert status == 200
        assert json.loads(content)["state"] == "pending"

    check("poll", poll, tasks, budget)


def test_code_posted(browser: Service, project: ProjectConfig, tasks: list[str]) -> None:
    def logged_in() -> tuple[dict[str, str], str]:
        ask(browser)
        cookie = login_cookie.parse(browser.cookies["login"], project.id)
        assert cookie
        assert cookie.latest
        return dict(browser.cookies), factories.code_of(cookie.latest.challenge_id)

    ready = iter([logged_in() for _ in range(_WARM + 2 * _RUNS)])

    def enter() -> None:
        browser.cookies, code = next(ready)
        assert browser.form("/login/code/", code=code) == 302

    check("code posted", enter, tasks, Spent(statements=1, redis=2, tasks=0, lines=1, calls=1390))
