"""What every provider over HTTP must satisfy, over real sockets."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from channels.base import Backend, SenderConfig
from channels.errors import SendError
from channels.types import FailureReason, Receipt
from core import http
from tests.channels import support
from tests.core.wire import (
    QUICK,
    Act,
    Server,
    Wire,
    answering,
    closed_port,
    half_answer,
    serving,
)

LATE = 2.0


class BackendContract:
    """Subclasses say how their backend is made, pointed at an address, and answered."""

    taken: Any  # a body that says: taken
    taken_status = 200
    message_id: str  # in it
    trusts_a_bare_yes = False  # a 2xx without a readable body is a yes
    template_language = ""  # what a template is sent in

    def backend(self, client: http.HttpClient) -> Backend[Any]:
        raise NotImplementedError

    def sender(self) -> SenderConfig[Any]:
        raise NotImplementedError

    def point_at(self, url: str, sender: SenderConfig[Any], settings: Any) -> SenderConfig[Any]:
        raise NotImplementedError

    def incomplete_senders(self) -> list[SenderConfig[Any]]:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _wiring(self, settings: Any) -> Iterator[None]:
        self.settings = settings
        self.client = http.HttpClient()  # with the limits of use: a busy machine answers late
        self.logs: list[Any] = []
        with capture_logs() as logs:
            self.logs = logs
            yield
        self.client.close()

    @contextmanager
    def server(self, act: Act) -> Iterator[Server]:
        with serving(act) as server:
            yield server

    def send(self, url: str) -> Receipt:
        sender = self.point_at(url, self.sender(), self.settings)
        return self.backend(self.client).send(support.message(), sender)

    def outcome(self, act: Act) -> tuple[Receipt | SendError, Server]:
        with self.server(act) as server:
            try:
                return self.send(server.url), server
            except SendError as error:
                return error, server

    def assert_nothing_leaked(self, outcome: object) -> None:
        """No code, number, secret or message id (a wamid holds the number) in logs, errors and receipts' logs."""
        shown = f"{self.logs} {outcome if isinstance(outcome, Exception) else ''}"
        hidden = (support.CODE, support.PHONE, support.PHONE[1:], "5215550100123", "wamid.", *support.SECRETS)
        assert [word for word in hidden if word in shown] == []

    def test_a_message_that_is_taken_has_a_receipt(self) -> None:
        outcome, server = self.outcome(answering(self.taken_status, self.taken))

        language = self.template_language
        assert outcome == Receipt(
            provider_message_id=self.message_id, certain=True, template_language=language
        )
        assert len(server.requests) == 1
        self.assert_nothing_leaked(outcome)

    @pytest.mark.parametrize("end", [Wire.close, Wire.reset, Wire.hang], ids=["closed", "reset", "hanging"])
    def test_a_lost_answer_is_an_uncertain_receipt_and_no_second_message(self, end: Act) -> None:
        """D11."""
        self.client = http.HttpClient(QUICK)
        began = time.monotonic()
        outcome, server = self.outcome(end)

        assert outcome == Receipt(certain=False, template_language=self.template_language)
        assert len(server.requests) == 1
        assert time.monotonic() - began < LATE
        self.assert_nothing_leaked(outcome)

    @pytest.mark.parametrize(
        "act",
        [half_answer, answering(200, b"<html>ok</html>"), answering(200, b""), answering(200, [])],
        ids=["half", "html", "empty", "list"],
    )
    def test_a_yes_that_cannot_be_read_is_never_repeated(self, act: Act) -> None:
        """D11."""
        outcome, server = self.outcome(act)

        assert isinstance(outcome, Receipt)
        assert outcome.certain is self.trusts_a_bare_yes
        assert outcome.provider_message_id == ""
        assert len(server.requests) == 1

    def test_nobody_listens(self) -> None:
        with pytest.raises(SendError) as caught:
            self.send(f"http://127.0.0.1:{closed_port()}")

        assert caught.value.reason is FailureReason.UNAVAILABLE
        self.assert_nothing_leaked(caught.value)

    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            (307, FailureReason.MISCONFIGURED),
            (401, FailureReason.MISCONFIGURED),
            (403, FailureReason.MISCONFIGURED),
            (418, FailureReason.UNKNOWN),
            (429, FailureReason.RATE_LIMITED),
            (500, FailureReason.UNAVAILABLE),
            (503, FailureReason.UNAVAILABLE),
        ],
    )
    @pytest.mark.parametrize("body", [b"", b"<h1>No</h1>", [], {"error": []}, {"error": {}}, {"code": "x"}])
    def test_a_refusal_without_a_code_is_read_from_its_status(
        self, status: int, reason: FailureReason, body: object
    ) -> None:
        outcome, server = self.outcome(answering(status, body))

        assert isinstance(outcome, SendError)
        assert (outcome.reason, outcome.provider_code) == (reason, f"http-{status}")
        assert len(server.requests) == 1
        self.assert_nothing_leaked(outcome)

    def test_a_sender_without_its_credentials_calls_nobody(self) -> None:
        for sender in self.incomplete_senders():
            with self.server(answering(200, self.taken)) as server:
                pointed = self.point_at(server.url, sender, self.settings)
                with pytest.raises(SendError) as caught:
                    self.backend(self.client).send(support.message(), pointed)

            assert caught.value.reason is FailureReason.MISCONFIGURED
            assert server.requests == []

    def test_the_process_wide_client_is_used_unless_another_is_given(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "shared", lambda: self.client)
        with self.server(answering(self.taken_status, self.taken)) as server:
            sender = self.point_at(server.url, self.sender(), self.settings)
            receipt = type(self.backend(self.client))().send(support.message(), sender)

        assert receipt.provider_message_id == self.message_id

    def test_the_message_goes_to_the_number_with_its_plus(self) -> None:
        _, server = self.outcome(answering(self.taken_status, self.taken))

        body = server.requests[0].partition(b"\r\n\r\n")[2]
        assert b"+525550100123" in body or b"%2B525550100123" in body


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
