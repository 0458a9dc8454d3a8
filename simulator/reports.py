"""Delivery reports: what follows an accepted message, when, and with which faults on the way."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from simulator import report_bodies
from simulator.messages import Message, TwilioMessage, WhatsAppMessage
from simulator.posting import Post, Poster
from simulator.state import State
from simulator.timers import Timers

# Long enough to collect a burst, short enough that nobody notices.
BATCH_SECONDS = 0.2
BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happens to a message: its status changes, and the handset may show it."""

    status: str
    after_seconds: float = 0.0
    error_code: int | None = None
    shows: bool = False


class Reporter:
    """Plays the steps of a message and reports each to our side."""

    def __init__(self, *, state: State, timers: Timers, poster: Poster, webhook_url: str) -> None:
        self.webhook_url = webhook_url
        self._state = state
        self._timers = timers
        self._poster = poster
        self._collecting = threading.Lock()
        self._collected: list[report_bodies.WhatsAppStatus] = []

    def follow(self, message: Message, steps: Sequence[Step], *, before_answer: bool = False) -> None:
        """Let the steps happen in their time. `before_answer` posts what is due at once on this very thread."""
        deliver = self._poster.post_now if before_answer else self._poster.submit
        for step in _disordered(steps) if self._state.faults.reports.shuffle else steps:
            self._timers.after(step.after_seconds, partial(self._take, message, step, deliver))

    def report(self, message: Message, status: str, error_code: int | None = None) -> None:
        """Report a status on demand."""
        self._state.advance(message, status, error_code)
        self._post(message, status, error_code, self._poster.submit)

    def report_not_requested(self, message: WhatsAppMessage) -> None:
        """The person taps "I didn't request a code"."""
        body = report_bodies.not_requested_body(message)
        self._poster.submit(self._meta_post(message.account.app_secret, body, key=message.id))

    def forget(self) -> None:
        """Drop every report that has not gone out."""
        self._timers.cancel_all()
        self._poster.forget()
        with self._collecting:
            self._collected.clear()

    def _take(self, message: Message, step: Step, deliver: Callable[[Post], None]) -> None:
        if step.shows:
            self._state.show(message)
        self._state.advance(message, step.status, step.error_code)
        wait = self._state.faults.reports.delay_ms / 1000
        report = partial(self._post, message, step.status, step.error_code, deliver)
        self._timers.after(wait, report)

    def _post(
        self, message: Message, status: str, error_code: int | None, deliver: Callable[[Post], None]
    ) -> None:
        faults = self._state.faults.reports
        if faults.lose:
            return
        if isinstance(message, WhatsAppMessage):
            if message.account.business_account_id in self._state.unsubscribed:
                return  # Meta posts nothing for a business account that no app has subscribed to.
            item = report_bodies.WhatsAppStatus(message=message, status=status, error_code=error_code)
            if faults.batch:
                self._collect(item)
                return
            post = self._whatsapp_post([item])
        elif isinstance(message, TwilioMessage) and message.callback_url:
            post = self._twilio_post(message, message.callback_url, status, error_code)
        else:
            return  # The gateway sends no reports, and Twilio only where a callback was asked for.
        for _ in range(2 if faults.double else 1):
            deliver(post)

    def _collect(self, item: report_bodies.WhatsAppStatus) -> None:
        with self._collecting:
            self._collected.append(item)
            first = len(self._collected) == 1
        if first:
            self._timers.after(BATCH_SECONDS, self._flush)

    def _flush(self) -> None:
        with self._collecting:
            items, self._collected = self._collected, []
        faults = self._state.faults.reports
        if faults.shuffle:
            items.reverse()
        for secret in dict.fromkeys(item.message.account.app_secret for item in items):
            mine = [item for item in items if item.message.account.app_secret == secret]
            for start in range(0, len(mine), BATCH_SIZE):
                post = self._whatsapp_post(mine[start : start + BATCH_SIZE])
                for _ in range(2 if faults.double else 1):
                    self._poster.submit(post)

    def _whatsapp_post(self, items: list[report_bodies.WhatsAppStatus]) -> Post:
        body = report_bodies.status_body(items, unknown_fields=self._state.faults.reports.unknown_fields)
        message = items[0].message
        return self._meta_post(message.account.app_secret, body, key=message.id)

    def _meta_post(self, app_secret: str, body: bytes, *, key: str) -> Post:
        secret = "forged" if self._state.faults.reports.forge else app_secret
        headers = report_bodies.meta_headers(app_secret=secret, body=body)
        return Post(url=self.webhook_url, body=body, headers=headers, key=key)

    def _twilio_post(self, message: TwilioMessage, url: str, status: str, error_code: int | None) -> Post:
        faults = self._state.faults.reports
        form = report_bodies.callback_form(
            message, status=status, error_code=error_code, unknown_fields=faults.unknown_fields
        )
        token = "forged" if faults.forge else message.account.auth_token
        return report_bodies.callback_post(url=url, form=form, auth_token=token, key=message.id)


def _disordered(steps: Sequence[Step]) -> list[Step]:
    """The same moments with the statuses the other way round: certain to be out of order, unlike chance."""
    turned = reversed(steps)
    return [
        Step(
            status=step.status, error_code=step.error_code, shows=step.shows, after_seconds=slot.after_seconds
        )
        for step, slot in zip(turned, steps, strict=True)
    ]
