"""Delivery reports: what follows an accepted message, when, and with which faults on the way."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from simulator.accounts import WhatsAppAccount
from simulator.handsets.delivery_steps import Step, in_reverse
from simulator.handsets.messages import Message
from simulator.meta import webhooks
from simulator.meta.webhooks import WhatsAppMessage, WhatsAppStatus
from simulator.server.poster import Post, Poster
from simulator.server.state import State
from simulator.server.timers import Timers

# Long enough to collect a burst, short enough that a login hardly waits.
BATCH_SECONDS = 0.2
BATCH_SIZE = 1000


class Reporter:
    """Plays the steps of a message and reports each to our side."""

    def __init__(self, *, state: State, timers: Timers, poster: Poster, webhook_url: str) -> None:
        self.webhook_url = webhook_url
        self._state = state
        self._timers = timers
        self._poster = poster
        self._batch_lock = threading.Lock()
        self._batch: list[WhatsAppStatus] = []

    def play(self, message: Message, steps: Sequence[Step], *, before_answer: bool = False) -> None:
        """Let the steps happen in their time. `before_answer` posts what is due at once on this very thread."""
        post = self._poster.post_now if before_answer else self._poster.submit
        for step in in_reverse(steps) if self._state.faults.reports.shuffle else steps:
            self._timers.after(step.after_seconds, partial(self._play_step, message, step, post))

    def report(self, message: Message, status: str, error_code: int | None = None) -> None:
        """Report a status on demand."""
        self._state.advance(message, status, error_code)
        self._report(message, status, error_code, self._poster.submit)

    def report_not_requested(self, message: WhatsAppMessage) -> None:
        """The person taps "I didn't request a code"."""
        self._post_to_app(message.account, webhooks.not_requested_body(message), key=message.id)

    def report_account_event(
        self, account: WhatsAppAccount, name: str, value: dict[str, object], *, at: int | None = None
    ) -> bool:
        """Report an event of a business account; False when no app has subscribed to it."""
        if account.business_account_id in self._state.unsubscribed:
            return False
        body = webhooks.account_body(account.business_account_id, field=name, value=value, at=at)
        self._post_to_app(account, body, key=account.business_account_id)
        return True

    def report_test(self, account: WhatsAppAccount) -> None:
        """The Test button of the app's dashboard is pressed."""
        self._post_to_app(account, webhooks.test_button_body(), key="test")

    def forget(self) -> None:
        """Drop every report that has not gone out."""
        self._timers.cancel_all()
        self._poster.forget()
        with self._batch_lock:
            self._batch.clear()

    def _play_step(self, message: Message, step: Step, post: Callable[[Post], None]) -> None:
        if step.shows:
            self._state.show(message)
        self._state.advance(message, step.status, step.error_code)
        wait = self._state.faults.reports.delay_ms / 1000
        self._timers.after(wait, partial(self._report, message, step.status, step.error_code, post))

    def _report(
        self, message: Message, status: str, error_code: int | None, post: Callable[[Post], None]
    ) -> None:
        faults = self._state.faults.reports
        if faults.lose:
            return
        if isinstance(message, WhatsAppMessage):
            if faults.unsubscribed or message.account.business_account_id in self._state.unsubscribed:
                return  # Meta posts nothing for a business account that no app has subscribed to.
            item = WhatsAppStatus(message=message, status=status, error_code=error_code)
            if faults.batch:
                self._add_to_batch(item)
                return
            report: Post | None = self._statuses_post([item])
        else:
            report = message.report(status, error_code, faults)
        if report is not None:
            for _ in range(2 if faults.double else 1):
                post(report)

    def _add_to_batch(self, item: WhatsAppStatus) -> None:
        with self._batch_lock:
            self._batch.append(item)
            is_first = len(self._batch) == 1
        if is_first:
            self._timers.after(BATCH_SECONDS, self._post_batch)

    def _post_batch(self) -> None:
        with self._batch_lock:
            items, self._batch = self._batch, []
        faults = self._state.faults.reports
        if faults.shuffle:
            items.reverse()
        for secret in dict.fromkeys(item.message.account.app_secret for item in items):
            of_app = [item for item in items if item.message.account.app_secret == secret]
            for start in range(0, len(of_app), BATCH_SIZE):
                post = self._statuses_post(of_app[start : start + BATCH_SIZE])
                for _ in range(2 if faults.double else 1):
                    self._poster.submit(post)

    def _statuses_post(self, items: list[WhatsAppStatus]) -> Post:
        message = items[0].message
        body = webhooks.statuses_body(items, self._state.faults.reports)
        return self._app_post(message.account, body, key=message.id)

    def _post_to_app(self, account: WhatsAppAccount, body: bytes, *, key: str) -> None:
        self._poster.submit(self._app_post(account, body, key=key))

    def _app_post(self, account: WhatsAppAccount, body: bytes, *, key: str) -> Post:
        """A signed post to the address of the number, of the business account, or of the app, in this order."""
        secret = "forged" if self._state.faults.reports.forge else account.app_secret
        callbacks = self._state.callbacks
        url = callbacks.get(account.phone_number_id) or callbacks.get(account.business_account_id)
        headers = webhooks.headers(app_secret=secret, body=body)
        return Post(url=url or self.webhook_url, body=body, headers=headers, key=key)
