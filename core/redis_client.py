"""A Redis client with a short way for the commands that every login sends.

redis-py begins 78 Python functions for one command: recorders that record nothing, warnings about arguments that nobody
gave, a pool that counts. `run` begins 15. To connect, to speak TLS, to log in, to find a master through sentinels and
to read replies it uses the same connections of the same pool; everything else goes the usual way.
"""

import os
import time
from collections import deque
from typing import Any

import redis
from hiredis import pack_command
from redis.connection import Connection
from redis.sentinel import SentinelConnectionPool

type Argument = str | bytes | int | float

# Of the 100 connections that the pool allows: the others stay for what goes the usual way.
_MOST_KEPT = 32


class Client(redis.Redis):
    """For the pool its connections of the short way are in use: only threads that are within `run` use them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 # those of redis.Redis
        super().__init__(*arguments, **options)
        self._kept = deque[Connection]()
        self._has_sentinels = isinstance(self.connection_pool, SentinelConnectionPool)
        # The pool of a child begins anew by itself.
        os.register_at_fork(after_in_child=self._kept.clear)

    def run(self, *command: Argument) -> Any:  # noqa: ANN401 # whatever Redis answers
        """The reply to one command, as Redis gives it: bytes, numbers, lists, None.

        Raises redis.RedisError. It is sent again as often, and after the same errors, as by `execute_command`: never
        for a plain URL, once with sentinels.
        """
        packed = (pack_command(command),)  # type: ignore[arg-type] # it says one, and takes as many as there are
        failures = 0
        while True:
            connection, is_whole = self._take(), False
            try:
                if time.monotonic() > connection.next_health_check:
                    connection.check_health()  # type: ignore[no-untyped-call] # redis-py has it so, here and below
                connection.send_packed_command(packed, check_health=False)  # type: ignore[no-untyped-call]
                reply = connection.read_response()
                is_whole = True
            except redis.ResponseError:
                is_whole = True
                raise
            except (redis.ConnectionError, redis.TimeoutError):
                failures += 1
                if failures > connection.retry.get_retries():
                    raise
            else:
                return reply
            finally:  # an interrupted thread comes by, too
                self._put_back(connection, is_whole=is_whole)

    def _take(self) -> Connection:
        """A connection that is open and has nothing to be read. One that is not is closed; the pool makes new ones, and
        looks at those that it has."""
        pool = self.connection_pool
        try:
            connection = self._kept.pop()
        except IndexError:
            return pool.get_connection()
        is_ready = False
        try:
            is_ready = not connection.can_read()
            if self._has_sentinels:  # it may be one to a former master
                is_ready = is_ready and bool(pool.owns_connection(connection))
        except redis.RedisError:  # Redis has closed it
            pass
        finally:
            if not is_ready:
                connection.disconnect()  # type: ignore[no-untyped-call]
                pool.release(connection)
        return connection if is_ready else pool.get_connection()

    def _put_back(self, connection: Connection, *, is_whole: bool) -> None:
        """What may still get a reply is closed: the next command would take it for its own."""
        if not is_whole:
            connection.disconnect()  # type: ignore[no-untyped-call]
        elif len(self._kept) < _MOST_KEPT and not connection.should_reconnect():  # type: ignore[no-untyped-call]
            self._kept.append(connection)
            return
        self.connection_pool.release(connection)
