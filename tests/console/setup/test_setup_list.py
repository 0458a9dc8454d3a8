"""The set-up list decides without a database: what is done, what comes next, and what is wrong."""

import pytest

from console.setup_list import Facts, Links, Setup, State, decide

LINKS = Links(project="/p", senders="/s", methods="/m", client="/c", login="/l", rehearsal="/r")
READY = Facts(project="Acme", promised=("WhatsApp", "SMS"), has_client=True, has_login=True)


def facts(**changes: object) -> Facts:
    from dataclasses import replace

    return replace(READY, **changes)  # type: ignore[arg-type] # as given


def states(setup: Setup) -> str:
    """One letter a step: done, next, later."""
    return "".join(step.state.value[0] for step in setup.steps)


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (Facts(), "nllll"),
        (facts(missing=("WhatsApp", "SMS"), has_login=False), "dnddl"),
        (facts(missing=("SMS",), has_login=False), "dnddl"),
        (facts(has_login=False), "ddddn"),
        (facts(methods_problems=("No country.",), has_login=False), "ddndl"),
        (facts(has_client=False, has_login=False), "dddnl"),
        (facts(troubles=("Its token is refused.",)), "dnddd"),
        (facts(has_client=False), "dddnd"),
        (READY, "ddddd"),
    ],
)
def test_the_first_step_that_is_not_done_is_next(known: Facts, wanted: str) -> None:
    assert states(decide(known, LINKS)) == wanted


def test_it_is_done_when_every_step_is() -> None:
    setup = decide(READY, LINKS)
    assert (setup.is_done, setup.done) == (True, 5)

    setup = decide(facts(has_login=False), LINKS)
    assert (setup.is_done, setup.done) == (False, 4)


def test_there_is_never_more_than_one_next() -> None:
    for known in (Facts(), facts(missing=("SMS",), has_client=False, has_login=False)):
        following = [step for step in decide(known, LINKS).steps if step.state is State.NEXT]
        assert len(following) == 1


def test_missing_senders_are_named() -> None:
    senders = decide(facts(missing=("WhatsApp",)), LINKS).steps[1]

    assert senders.why == "No sender for WhatsApp yet: until there is one, nobody can log in."
    assert not senders.is_trouble


def test_a_sender_in_trouble_is_not_done_and_says_what_it_is() -> None:
    senders = decide(facts(troubles=("Acme · SMS: refused. Check its token.",)), LINKS).steps[1]

    assert senders.state is State.NEXT
    assert senders.is_trouble
    assert senders.why == "Acme · SMS: refused. Check its token."


def test_what_is_wrong_with_login_methods_is_said() -> None:
    methods = decide(facts(methods_problems=("Must name at least one country.",)), LINKS).steps[2]

    assert methods.is_trouble
    assert methods.why == "Must name at least one country."


def test_each_step_leads_to_its_page() -> None:
    steps = decide(facts(has_client=False), LINKS).steps

    assert [step.link for step in steps] == ["", "/s", "/m", "/c", "/l"]
    assert steps[4].other_link == "/r"
    assert decide(Facts(), LINKS).steps[0].link == "/p"


def test_a_rehearsal_is_offered_before_there_are_senders() -> None:
    last = decide(facts(missing=("WhatsApp", "SMS"), has_login=False), LINKS).steps[4]

    assert last.other_link == "/r"
    assert "does not count" in last.why
