"""How a sender is slowed down after "too fast", and speeds up again."""

from datetime import timedelta

from channels import breaker
from channels.breaker import Health, Verdict
from tests.channels.health_steps import GO, NOW, SECOND, succeed


def test_too_fast_slows_down_and_good_answers_speed_up() -> None:
    slow = breaker.slowed(Health(), now=NOW)
    slower = breaker.slowed(slow, now=NOW + 2 * SECOND)

    assert slow.throttle == breaker.FIRST_THROTTLE
    assert slower.throttle == 2 * breaker.FIRST_THROTTLE
    health = slower
    for _ in range(20):
        health = succeed(health)
    assert health.is_clean


def test_answers_to_calls_of_one_moment_are_one_too_fast() -> None:
    health = Health()
    for _ in range(50):
        health = breaker.slowed(health, now=NOW)

    assert health.throttle == breaker.FIRST_THROTTLE


def test_the_pace_has_a_floor() -> None:
    health = Health()
    for nth in range(50):
        health = breaker.slowed(health, now=NOW + nth * 2 * SECOND)

    assert health.throttle == breaker.LONGEST_THROTTLE


def test_the_pace_lets_one_message_through_in_each_gap() -> None:
    health = breaker.slowed(Health(), now=NOW)
    sent = []
    for tenth in range(100):
        now = NOW + timedelta(milliseconds=10 * tenth)
        verdict, health = breaker.gate(health, now=now)
        if verdict == GO:
            sent.append(tenth)
        else:
            assert verdict.verdict is Verdict.WAIT
            assert verdict.at is not None
            assert verdict.at > now

    assert sent == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_each_success_shortens_the_pace_by_a_fifth_and_a_short_one_ends() -> None:
    slow, short = Health(throttle=timedelta(seconds=1)), Health(throttle=breaker.FIRST_THROTTLE / 2)

    assert succeed(slow).throttle == timedelta(milliseconds=800)
    assert succeed(short).throttle == timedelta(0)
