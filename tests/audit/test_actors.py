"""Who is acting."""

import uuid
from threading import Thread

import pytest

from audit.actors import SYSTEM, Actor, acting, command, current, is_known, os_user


def test_nobody_is_known_by_default() -> None:
    assert current() == SYSTEM
    assert not is_known()


def test_an_actor_acts_for_the_block_only() -> None:
    outer, inner = Actor(name="root", user_id=uuid.uuid4(), address="192.0.2.7"), Actor(name="other")
    with acting(lambda: outer):
        assert (current(), is_known()) == (outer, True)
        with acting(lambda: inner):
            assert current() == inner
        assert current() == outer
    assert not is_known()


def test_an_actor_leaves_with_an_exception() -> None:
    with pytest.raises(ValueError, match="x"), acting(lambda: Actor(name="root")):
        raise ValueError("x")
    assert not is_known()


def test_who_it_is_is_asked_when_it_is_needed() -> None:
    """A sign-in has its name only after it worked."""
    names = iter(["", "root"])
    with acting(lambda: Actor(name=next(names))):
        assert current().name == ""
        assert current().name == "root"


def test_a_command_is_named_with_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "deploy")
    with command("apply"):
        assert current() == Actor(name="manage.py apply by deploy")


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("no user")])
def test_a_container_user_without_a_name_has_its_number(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", fail)
    monkeypatch.setattr("os.getuid", lambda: 1234)
    assert os_user() == "uid 1234"


def test_another_thread_acts_for_itself() -> None:
    """A thread of a command or a request is the service's own work."""
    seen: list[bool] = []
    with acting(lambda: Actor(name="root")):
        thread = Thread(target=lambda: seen.append(is_known()))
        thread.start()
        thread.join()
    assert seen == [False]
