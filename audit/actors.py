"""Who is acting, and from where: known to everything that a staff request or a command calls, so that no service passes
it along."""

import getpass
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Actor:
    """`name`: the username, or a sentence such as `manage.py apply by root`. `user_id`: of staff only."""

    name: str
    user_id: uuid.UUID | None = None
    address: str | None = None


# A worker or a request of a person: nobody of staff asked for it.
SYSTEM = Actor(name="the service itself")

_source: ContextVar[Callable[[], Actor] | None] = ContextVar("actor", default=None)


@contextmanager
def acting(source: Callable[[], Actor]) -> Iterator[None]:
    """For the block. `source` is asked when an event is written: a sign-in has its name only after it worked."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


@contextmanager
def command(name: str) -> Iterator[None]:
    """For the block, a command of an operator: `manage.py apply by root`."""
    actor = Actor(name=f"manage.py {name} by {os_user()}")
    with acting(lambda: actor):
        yield


def os_user() -> str:
    """The operating system's user; a container may run under a number that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def current() -> Actor:
    source = _source.get()
    return source() if source else SYSTEM


def is_known() -> bool:
    """Whether staff or an operator asked for what is being done."""
    return _source.get() is not None
