"""What every receiver must satisfy, whoever its provider is. D7, D8, D10."""

from typing import Any

import pytest
from django.core.handlers.wsgi import LimitedStream
from django.db import InterfaceError, OperationalError
from django.test import Client
from structlog.testing import capture_logs

from tests.webhooks.conftest import HandedOver

pytestmark = pytest.mark.django_db


class WebhookContract:
    """Subclasses say how a report is posted. `post` signs with `secret`; `signature` overrides that."""

    path: str
    secret: str
    previous_secret: str
    too_large: int
    private: tuple[str, ...]  # what a report holds and a log must not
    foreign_status: int  # answered to a report of another account under our secret

    @pytest.fixture(autouse=True)
    def _client(self, db: None, handed_over: HandedOver) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.kept = handed_over
        self.make_senders()

    def make_senders(self) -> None:
        raise NotImplementedError

    def post(self, *, secret: str | None = None, signature: str | None = None, **kinds: Any) -> Any:
        """Post one good report. `kinds`: `unknown=True` is about a message of nobody, `foreign=True` of others."""
        raise NotImplementedError

    def post_raw(self, body: bytes) -> Any:
        raise NotImplementedError

    def test_a_good_report_is_handed_over_and_then_answered(self) -> None:
        response = self.post()

        assert response.status_code == 200
        assert len(self.kept.updates) == 1

    def test_the_answer_is_empty_plain_and_leaves_no_cookie(self) -> None:
        response = self.post()

        assert response.content == b""
        assert response["Content-Type"].startswith("text/plain")
        assert not response.cookies
        assert response["X-Content-Type-Options"] == "nosniff"

    def test_the_previous_secret_counts_during_rotation(self) -> None:
        assert self.post(secret=self.previous_secret).status_code == 200
        assert self.kept.updates

    @pytest.mark.parametrize("signature", ["", "sha256=", "x" * 5000, "sha256=" + "0" * 64, "ä"])
    def test_a_missing_or_wrong_signature_changes_nothing(self, signature: str) -> None:
        response = self.post(signature=signature)

        assert response.status_code == 401
        assert self.kept.nothing

    def test_another_secret_changes_nothing(self) -> None:
        assert self.post(secret="not ours").status_code == 401
        assert self.kept.nothing

    def test_a_report_of_a_foreign_account_changes_nothing(self) -> None:
        assert self.post(foreign=True).status_code == self.foreign_status
        assert self.kept.nothing

    def test_a_replay_is_handed_over_each_time(self) -> None:
        """D8: it is the store that knows what it has seen."""
        assert [self.post().status_code for _ in range(3)] == [200] * 3
        assert len(self.kept.updates) == 3

    def test_a_report_about_an_unknown_message_is_fine(self) -> None:
        """D6: a provider would only repeat it."""
        assert self.post(unknown=True).status_code == 200
        assert len(self.kept.updates) == 1

    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    def test_what_could_not_be_stored_is_asked_for_again(self, error: type[Exception]) -> None:
        self.kept.trouble = error("DETAIL: Key (provider_message_id)=(" + " ".join(self.private) + ")")
        with capture_logs() as logs:
            response = self.post()

        assert response.status_code == 503
        assert [word for word in self.private if word in str(logs)] == []

    def test_a_bug_of_ours_is_not_called_a_success(self) -> None:
        self.kept.trouble = RuntimeError("bug")
        self.client.raise_request_exception = False

        assert self.post().status_code == 500

    @pytest.mark.parametrize("method", ["put", "patch", "delete", "head", "options", "trace"])
    def test_other_methods(self, method: str) -> None:
        assert getattr(self.client, method)(self.path).status_code == 405

    def test_no_slash_no_redirect(self) -> None:
        assert self.client.post(self.path + "/").status_code == 404

    @pytest.mark.parametrize("body", [b"", b"\x00", b"\xff\xfe\xfd", b"{", b"&&==;", b"a" * 10_000])
    def test_rubbish_is_the_callers_fault(self, body: bytes) -> None:
        assert self.post_raw(body).status_code in (400, 401)
        assert self.kept.nothing

    def test_a_body_over_the_limit_is_refused_as_such(self) -> None:
        """D10."""
        assert self.post_raw(b"x" * self.too_large).status_code == 413
        assert self.kept.nothing

    def test_a_length_that_is_announced_is_enough_to_refuse(self) -> None:
        response = self.client.generic(
            "POST", self.path, b"{}", "application/json", CONTENT_LENGTH=str(self.too_large)
        )

        assert response.status_code == 413

    @pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 63, "x" * 28, "=" * 28, "ä"])
    def test_without_a_signature_the_body_is_not_read(self, signature: str) -> None:
        """P4."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LimitedStream, "read", lambda *_: pytest.fail("the body was read"))
            assert self.post(signature=signature).status_code == 401

    def test_a_signature_of_the_right_form_has_the_body_read(self) -> None:
        """The same set-up as above notices it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LimitedStream, "read", lambda *_: (_ for _ in ()).throw(OSError("read")))
            assert self.post().status_code == 400

    @pytest.mark.parametrize("length", ["", "-5", "many"])
    def test_an_odd_length_is_an_empty_body(self, length: str) -> None:
        response = self.client.generic("POST", self.path, b"{}", "application/json", CONTENT_LENGTH=length)

        assert response.status_code in (400, 401)

    def test_logs_hold_nothing_private(self) -> None:
        with capture_logs() as logs:
            self.post()
            self.post(signature="")
            self.post(foreign=True)
            self.post_raw(b"{")

        assert logs
        assert [word for word in (*self.private, self.secret) if word in str(logs)] == []
