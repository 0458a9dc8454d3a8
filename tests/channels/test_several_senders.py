"""Several senders of one channel: which is tried first, and which next."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from channels.base import SenderConfig
from tests.channels.known_senders import ACME, BETA, NOW, SECOND, SMS, WHATSAPP, known, sms, whatsapp


def named(name: str, project_id: uuid.UUID | None = None) -> SenderConfig[Any]:
    return replace(sms(project_id), name=name)


def test_they_are_tried_in_their_order() -> None:
    one, two, three = (sms(ACME) for _ in range(3))
    senders = known(one, two, three, sms())

    assert senders.serving(ACME, SMS) == (one, two, three)
    assert senders.choose(ACME, SMS, now=NOW) is one


def test_one_that_fails_for_everybody_is_passed_over() -> None:
    one, two = sms(ACME), sms(ACME)
    senders = known(one, two, open_until={one.id: NOW + SECOND})

    assert senders.choose(ACME, SMS, now=NOW) is two
    assert senders.choose(ACME, SMS, now=NOW + SECOND) is one  # a probe


def test_when_all_fail_the_first_is_tried_all_the_same() -> None:
    one, two = sms(), sms()
    senders = known(one, two, open_until={one.id: NOW + SECOND, two.id: NOW + SECOND})

    assert senders.choose(ACME, SMS, now=NOW) is one


def test_the_shared_ones_stand_in_until_the_project_has_its_own() -> None:
    own, one, two = sms(ACME), sms(), sms()
    senders = known(one, two, own)

    assert senders.serving(ACME, SMS) == (own,)
    assert senders.serving(BETA, SMS) == (one, two)


def test_one_of_which_no_template_works_is_passed_over() -> None:
    one, two = whatsapp("en"), whatsapp("en")
    senders = known(one, two, unhealthy_languages={one.id: {"en": NOW + SECOND}})

    assert senders.choose(ACME, WHATSAPP, now=NOW) is two


@pytest.mark.parametrize("owner", [ACME, None])
def test_the_one_that_a_route_names_is_tried_first(owner: uuid.UUID | None) -> None:
    usual, india = sms(ACME), named("india", owner)
    senders = known(usual, india)

    assert senders.serving(ACME, SMS, first="india") == (india, usual)
    assert senders.choose(ACME, SMS, now=NOW, first="india") is india
    assert senders.choose(ACME, SMS, now=NOW, first="gone") is usual


def test_a_name_means_the_own_one_before_the_shared_one_and_never_another_projects() -> None:
    shared, own, usual = named("india"), named("india", ACME), sms(ACME)
    senders = known(shared, usual, own, named("beta-only", BETA))

    assert senders.serving(ACME, SMS, first="india") == (own, usual)
    assert senders.serving(ACME, SMS, first="beta-only") == (usual, own)


def test_a_named_one_that_fails_is_followed_by_the_usual_ones() -> None:
    usual, india = sms(ACME), named("india", ACME)
    senders = known(usual, india, open_until={india.id: NOW + SECOND})

    assert senders.choose(ACME, SMS, now=NOW, first="india") is usual


def test_what_failed_in_this_challenge_is_no_choice_and_nor_is_what_fails_for_everybody() -> None:
    one, two, three = sms(), sms(), sms()
    senders = known(one, two, three, open_until={two.id: NOW + SECOND})

    assert senders.choose(ACME, SMS, now=NOW, without={one.id}) is three
    assert senders.choose(ACME, SMS, now=NOW, without={one.id, three.id}) is None
