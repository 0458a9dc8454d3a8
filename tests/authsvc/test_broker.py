"""One URL says where Redis and the broker are."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from authsvc.settings.celery import broker_options
from core.redis import sentinel_url

SENTINELS = "redis+sentinel://app:p%40ss@10.0.0.1:26379,10.0.0.2/mymaster/3"


def test_a_sentinel_url_names_hosts_service_database_and_credentials() -> None:
    found = sentinel_url(SENTINELS)

    assert found.hosts == (("10.0.0.1", 26379), ("10.0.0.2", 26379))
    assert (found.service, found.db, found.username, found.password) == ("mymaster", 3, "app", "p@ss")
    assert "p@ss" not in repr(found)


def test_the_shortest_sentinel_url() -> None:
    found = sentinel_url("redis+sentinel://one/m")

    assert (found.hosts, found.service, found.db, found.password) == ((("one", 26379),), "m", 0, "")


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://", "redis+sentinel://host", "redis+sentinel://host/", "redis+sentinel:///m",
        "redis+sentinel://host:port/m", "redis+sentinel://host/m/db", "redis+sentinel://u:secret@a,,b/m",
    ],
)  # fmt: skip
def test_a_wrong_one_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL") as caught:
        sentinel_url(url)

    assert "secret" not in str(caught.value)


def test_celery_gets_every_sentinel_and_the_name_of_the_master() -> None:
    url, options = broker_options(SENTINELS)

    assert url == "sentinel://app:p%40ss@10.0.0.1:26379/3;sentinel://app:p%40ss@10.0.0.2:26379/3"
    assert options["master_name"] == "mymaster"


@pytest.mark.parametrize(
    ("url", "option"),
    [("redis://h/0", "socket_timeout"), ("amqp://h//", "confirm_publish"), ("memory://", "polling_interval")],
)
def test_other_brokers_are_taken_as_they_are_with_time_limits(url: str, option: str) -> None:
    found, options = broker_options(url)

    assert found == url
    assert option in options
