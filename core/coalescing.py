"""Calls that arrive while another is at work become one call: many small writes cost as much as one."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars


@dataclass(eq=False, slots=True)
class _Call[Item]:
    items: Sequence[Item] = field(repr=False)
    is_waiting: bool = True
    is_alone: bool = False  # its thread does it by itself
    error: BaseException | None = None


class Coalescer[Item]:
    """Calls `act` with the items of all calls that wait, at most `most` of them unless one call alone has more.

    A call returns once its items are done, and raises what `act` raised. When `act` fails for several calls, each of
    them does its own again, in its own thread: one that cannot be done fails none of the others. So `act` must be able
    to do the same again.
    """

    def __init__(self, act: Callable[[Sequence[Item]], None], *, most: int) -> None:
        self._act = act
        self._most = most
        self._waiting: deque[_Call[Item]] = deque()
        self._turn = threading.Lock()

    def __call__(self, items: Sequence[Item]) -> None:
        call = _Call(items)
        self._waiting.append(call)
        with self._turn:
            while call.is_waiting:
                self._do(self._next())
        if call.is_alone:
            self._act(items)
        elif call.error:
            raise call.error

    def _next(self) -> list[_Call[Item]]:
        """Those that have waited longest."""
        calls = [self._waiting.popleft()]
        size = len(calls[0].items)
        while self._waiting and size + len(self._waiting[0].items) <= self._most:
            calls.append(self._waiting.popleft())
            size += len(calls[-1].items)
        return calls

    def _do(self, calls: Sequence[_Call[Item]]) -> None:
        try:
            if len(calls) == 1:
                self._act(calls[0].items)
            else:
                self._act_for_several([item for call in calls for item in call.items])
        except BaseException as error:  # noqa: BLE001 # raised in the thread that it is about
            for call in calls:
                call.is_alone, call.error = len(calls) > 1, error
        finally:
            for call in calls:
                call.is_waiting = False

    def _act_for_several(self, items: Sequence[Item]) -> None:
        """What it logs is not of the request whose thread happens to do it."""
        context = get_contextvars()
        clear_contextvars()
        try:
            self._act(items)
        finally:
            bind_contextvars(**context)
