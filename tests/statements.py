"""The statements that a test's connection sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection


@contextmanager
def statements() -> Iterator[list[str]]:
    """Everything that this connection sends, BEGIN and COMMIT included."""
    connection.ensure_connection()
    sent: list[str] = []

    def note(execute: object, sql: str, params: object, many: object, context: object) -> object:
        sent.append(sql.strip().split("\n")[0])
        return execute(sql, params, many, context)  # type: ignore[operator] # Django's wrapper protocol

    base: Any = connection  # its transaction control is private
    begin, commit = base._set_autocommit, base._commit

    def noted_begin(on: object) -> None:
        if not on:
            sent.append("BEGIN")
        begin(on)

    def noted_commit() -> None:
        sent.append("COMMIT")
        commit()

    with connection.execute_wrapper(note), pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "_set_autocommit", noted_begin)
        patch.setattr(base, "_commit", noted_commit)
        yield sent
