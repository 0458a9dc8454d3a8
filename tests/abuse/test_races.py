"""Many at the same moment, in threads and in processes: no limit is passed, no form is charged twice, no count is lost."""

import subprocess
import sys
import uuid

import pytest
from django.conf import LazySettings, settings

from abuse import limiter
from abuse.errors import RateLimited
from abuse.limiter import Charge, Charged, Rule
from core.redis import redis_client
from tests.processes import ROOT, clean_environment
from tests.threads import at_once

pytestmark = pytest.mark.stores

SEVEN = Rule(name="seven", amount=7, period_seconds=600)
TWENTY = Rule(name="twenty", amount=20, period_seconds=600)
BOTH = [Charge(rule=SEVEN, subject="a"), Charge(rule=TWENTY, subject="a")]


@pytest.fixture(params=["configured", "memory"])
def store(request: pytest.FixtureRequest, settings: LazySettings) -> None:
    if request.param == "memory":
        settings.REDIS_URL = ""


def free(rule: Rule) -> int:
    """How much of it is left."""
    for left in range(rule.amount, 0, -1):
        try:
            limiter.charge([Charge(rule=rule, subject="a", need=left, cost=0)])
        except RateLimited:
            continue
        return left
    return 0


def passed(results: list[object]) -> list[Charged]:
    """Those that were charged; all others were refused, and nothing else happened."""
    assert all(isinstance(item, Charged | RateLimited) for item in results), results
    return [item for item in results if isinstance(item, Charged)]


@pytest.mark.usefixtures("store")
def test_of_two_rules_the_tighter_decides_and_the_wider_counts_only_what_passed() -> None:
    """C15."""
    results = at_once([lambda: limiter.charge(BOTH)] * 25)

    assert len(passed(results)) == 7
    assert (free(SEVEN), free(TWENTY)) == (0, 13)


@pytest.mark.usefixtures("store")
def test_orders_of_the_same_rules_do_not_block_each_other() -> None:
    results = at_once([lambda: limiter.charge(BOTH), lambda: limiter.charge(BOTH[::-1])] * 12)

    assert len(passed(results)) == 7


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("cost", "count"), [(1, 7), (2, 3), (3, 2), (7, 1)])
def test_a_higher_cost_passes_less_often(cost: int, count: int) -> None:
    charges = [Charge(rule=SEVEN, subject="a", need=cost, cost=cost)]

    results = at_once([lambda: limiter.charge(charges)] * 12)

    assert len(passed(results)) == count
    assert free(SEVEN) == 7 - cost * count


@pytest.mark.usefixtures("store")
def test_a_form_that_is_posted_many_times_is_charged_once() -> None:
    """C2: and all of them learn whose it is."""
    candidates = [uuid.uuid4() for _ in range(20)]

    def post(candidate: uuid.UUID) -> uuid.UUID:
        return limiter.charge(BOTH, once="form", candidate=candidate).first or candidate

    results = at_once([lambda candidate=candidate: post(candidate) for candidate in candidates])  # type: ignore[misc]

    assert len(set(results)) == 1
    assert results[0] in candidates
    assert free(SEVEN) == 6


@pytest.mark.usefixtures("store")
def test_the_mark_before_the_ceiling_is_crossed_by_one() -> None:
    near = [Charge(rule=TWENTY, subject="a", near=16, place="HK")]

    results = at_once([lambda: limiter.charge(near)] * 30)

    assert [item.near[0].place for item in passed(results) if item.near] == ["HK"]


@pytest.mark.usefixtures("store")
def test_an_alternative_has_no_more_room_than_it_has() -> None:
    """Seven of the first, twenty of what stands instead, and not one more."""
    charges = [Charge(rule=SEVEN, subject="a", instead=(Charge(rule=TWENTY, subject="a"),))]

    results = at_once([lambda: limiter.charge(charges)] * 40)

    assert len(passed(results)) == 27


@pytest.mark.usefixtures("store")
def test_what_is_closed_among_many_stays_closed() -> None:
    charge = Charge(rule=TWENTY, subject="a")
    calls = [lambda: limiter.charge([charge]), lambda: limiter.close(charge, seconds=900)] * 10

    at_once(calls)

    assert free(TWENTY) == 0


_PROCESS = """
import sys, uuid
import django
django.setup()
from abuse import limiter
from abuse.errors import RateLimited
from abuse.limiter import Charge, Rule
rule = Rule(name="seven", amount=7, period_seconds=600)
print("ready", flush=True)
sys.stdin.readline()
passed, firsts = 0, set()
for nth in range(10):
    try:
        limiter.charge([Charge(rule=rule, subject="a")])
        passed += 1
    except RateLimited:
        pass
    own = uuid.uuid4()
    charged = limiter.charge([Charge(rule=rule, subject="a", need=0, cost=0)], once=f"form {nth}", candidate=own)
    firsts.add(charged.first or own)
print(passed, *firsts, flush=True)
"""


@pytest.mark.postgres
@pytest.mark.processes
def test_processes_share_their_counts_and_their_forms() -> None:
    """Redis stands between them: as many pass as one process would let pass, and a form has one first."""
    assert redis_client(), "PostgreSQL is tested with Redis"
    environment = clean_environment(
        AUTHSVC_MODE="test", DJANGO_SETTINGS_MODULE="authsvc.settings", REDIS_URL=settings.REDIS_URL
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        outputs = [process.communicate(timeout=60)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()

    answers = [output.splitlines()[-1].split() for output in outputs]  # behind the log
    assert sum(int(passed) for passed, *_ in answers) == 7
    assert len({first for _, *firsts in answers for first in firsts}) == 10
