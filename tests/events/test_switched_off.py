"""An endpoint that staff switched off or deleted gets nothing any more, not even what was written for it before."""

import pytest

from events import services
from events.models import Endpoint, Event
from tests import factories
from tests.events.test_outbox import Receiver, endpoint, later, receiver, record  # noqa: F401 # a fixture

pytestmark = pytest.mark.django_db


def test_a_waiting_event_is_not_posted(receiver: Receiver) -> None:  # noqa: F811 # a fixture
    project = factories.make_project()
    target = endpoint(receiver.url, project.id)
    record(project.id)
    Endpoint.objects.filter(id=target.id).update(is_active=False)

    services.post_due(seconds=5)

    event = Event.objects.get()
    assert receiver.posts == []
    assert (event.outcome, event.due_at, event.delivered_at) == ("switched off", None, None)


def test_a_failed_event_is_not_posted_again(receiver: Receiver) -> None:  # noqa: F811 # a fixture
    project = factories.make_project()
    target = endpoint(receiver.url, project.id)
    event = record(project.id)
    receiver.status = 500
    services.post_due(seconds=5)
    Endpoint.objects.filter(id=target.id).update(is_active=False)

    later(event, 10)
    services.post_due(seconds=5)

    assert len(receiver.posts) == 1
    assert Event.objects.get().due_at is None


def test_one_deleted_while_its_event_is_held_stops_nothing(receiver: Receiver) -> None:  # noqa: F811 # a fixture
    project = factories.make_project()
    target = endpoint(receiver.url, project.id)
    held = record(project.id)
    target.delete()

    assert services.outbox.send(held)[0] == "switched off"
    assert receiver.posts == []


def test_a_replay_after_switching_on_again_is_posted(receiver: Receiver) -> None:  # noqa: F811 # a fixture
    project = factories.make_project()
    target = endpoint(receiver.url, project.id)
    event = record(project.id)
    Endpoint.objects.filter(id=target.id).update(is_active=False)
    services.post_due(seconds=5)
    Endpoint.objects.filter(id=target.id).update(is_active=True)

    assert services.replay([event.id]) == 1
    services.post_due(seconds=5)

    assert len(receiver.posts) == 1
