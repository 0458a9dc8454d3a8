"""A server that hangs costs one call's time, and the events of others do not wait behind its own."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from core import outbox
from events import services
from events.models import Event
from tests import factories
from tests.events.test_outbox import Receiver, endpoint, receiver, record

__all__ = ["receiver"]  # its fixture
pytestmark = pytest.mark.django_db


def test_a_server_that_hangs_is_left_alone_and_others_do_not_wait_behind_it(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K8: its many events come first, and one call's time is all that they take from the others."""
    monkeypatch.setattr(outbox, "SLOW", timedelta(seconds=0.2))
    hanging, well = factories.make_project(), factories.make_project(slug="b", is_default=False)
    endpoint(receiver.url + "/hangs", hanging.id)
    endpoint(receiver.url + "/well", well.id)
    for _ in range(5):
        record(hanging.id)
    record(well.id)
    receiver.delays, receiver.statuses = {"/hangs": 0.5}, {"/hangs": 500}

    assert services.post_due(seconds=5) == 2
    assert receiver.paths == ["/events/hangs", "/events/well"]

    with time_machine.travel(timezone.now() + outbox.LEFT_ALONE * 1.1, tick=True):
        receiver.statuses = {}
        assert services.post_due(seconds=5) == 5
    assert not Event.objects.filter(delivered_at=None).exists()


def test_a_server_that_is_slow_and_takes_them_is_not_left_alone(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SLOW", timedelta(seconds=0.05))
    project = factories.make_project()
    endpoint(receiver.url, project.id)
    for _ in range(3):
        record(project.id)
    receiver.delay = 0.1

    assert services.post_due(seconds=5) == 3
