"""Redis URLs with sentinels, and what a process remembers in place of Redis."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured

from core import redis
from core.redis import LocalStore, SentinelUrl, sentinel_url

URL = "redis+sentinel://us%40er:p%3Ass@one:26380, two/main/3"


def test_a_sentinel_url_has_hosts_service_database_and_credentials() -> None:
    assert sentinel_url(URL) == SentinelUrl(
        hosts=(("one", 26380), ("two", 26379)), service="main", db=3, username="us@er", password="p:ss"
    )


def test_database_and_credentials_may_be_omitted() -> None:
    assert sentinel_url("redis+sentinel://one/main") == SentinelUrl(hosts=(("one", 26379),), service="main")


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://one",
        "redis+sentinel://one/",
        "redis+sentinel:///main",
        "redis+sentinel://one,,two/main",
        "redis+sentinel://one:port/main",
        "redis+sentinel://one/main/db",
    ],
)
def test_a_wrong_sentinel_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        sentinel_url(url.replace("://", "://user:hunter2@"))

    assert str(refused.value).startswith("REDIS_URL")
    assert "hunter2" not in str(refused.value)


def test_a_password_is_not_printed() -> None:
    assert "p:ss" not in repr(sentinel_url(URL))


def test_celery_gets_one_url_for_each_sentinel() -> None:
    assert sentinel_url(URL).for_celery == (
        "sentinel://us%40er:p%3Ass@one:26380/3;sentinel://us%40er:p%3Ass@two:26379/3"
    )
    assert (
        sentinel_url("redis+sentinel://u%2Fs:p%2Fs@one/main").for_celery
        == "sentinel://u%2Fs:p%2Fs@one:26379/0"
    )
    assert sentinel_url("redis+sentinel://one/main").for_celery == "sentinel://one:26379/0"


def test_sentinels_that_are_down_cost_half_a_second_and_no_retry() -> None:
    options = redis.sentinel_timeouts()

    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (0.5, 0.5)
    assert options["retry"]._retries == 0  # type: ignore[attr-defined]


def test_without_a_url_there_is_no_client(settings: LazySettings) -> None:
    settings.REDIS_URL = ""

    assert redis.redis_client() is None


def test_there_is_one_client_for_a_url_with_short_timeouts(settings: LazySettings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/5"
    client = redis.redis_client()
    assert client is not None

    options = client.connection_pool.connection_kwargs

    assert client is redis.redis_client()
    assert (options["db"], options["socket_timeout"], options["socket_connect_timeout"]) == (5, 1.0, 0.5)


def test_a_sentinel_url_gives_a_client_of_its_master(settings: LazySettings) -> None:
    settings.REDIS_URL = URL
    client = redis.redis_client()
    assert client is not None

    pool: Any = client.connection_pool

    assert pool.service_name == "main"
    assert pool.connection_kwargs["db"] == 3
    assert pool.connection_kwargs["username"] == "us@er"
    assert pool.connection_kwargs["password"] == "p:ss"
    assert pool.connection_kwargs["socket_timeout"] == 1.0


def test_the_oldest_entries_of_a_local_store_go_first() -> None:
    store: LocalStore[str, int] = LocalStore(max_entries=2)
    for number, key in enumerate("abac"):
        with store.lock:
            store.put(key, number)

    assert dict(store) == {"b": 1, "c": 3}


def test_all_local_stores_are_cleared_at_once() -> None:
    one: LocalStore[str, int] = LocalStore(max_entries=5)
    other: LocalStore[bytes, None] = LocalStore(max_entries=5)
    one.put("a", 1)
    other.put(b"a", None)

    LocalStore.clear_all()

    assert not one
    assert not other
