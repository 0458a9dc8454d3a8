"""One running simulator: its state, templates, timers and reports, handed to every handler."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from simulator.accounts import Accounts
from simulator.handsets.delivery_steps import Step, shown_at_once
from simulator.handsets.messages import Message, Send
from simulator.meta.templates import TemplateStore
from simulator.server.faults import DROPPING_OUTAGES, Outage
from simulator.server.poster import Poster
from simulator.server.reporter import Reporter
from simulator.server.routing import Response, first_half, html_response, no_answer
from simulator.server.state import State
from simulator.server.timers import Timers

ERROR_PAGE = (
    "<!DOCTYPE html><html><title>Error</title><body><h1>Sorry, something went wrong.</h1></body></html>"
)


class Simulator:
    """State, templates, timers and reports of one simulator. `close` ends its threads."""

    def __init__(self, *, accounts: Accounts, webhook_url: str) -> None:
        self.state = State(accounts)
        self.templates = TemplateStore(accounts)
        self.timers = Timers()
        self.poster = Poster(self.timers)
        self.reporter = Reporter(
            state=self.state, timers=self.timers, poster=self.poster, webhook_url=webhook_url
        )

    def close(self) -> None:
        self.state.release()
        self.timers.close()
        self.poster.close()

    def reset(self) -> None:
        """Back to the start; only accounts that were added stay."""
        self.reporter.forget()
        self.state.reset()
        self.templates.reset(self.state.accounts)

    def outage_response(self, outage: Outage | None, send: Send | None) -> Response | None:
        """The answer of an outage in front of the provider, before it reads anything; None: it reads the request."""
        if outage not in (Outage.REFUSE, Outage.HANG, Outage.ERROR_503_HTML, Outage.NOT_JSON):
            return None
        if send is not None:
            self.state.record_send(send)
        if outage is Outage.HANG:
            self.state.hang(self.state.faults.hang_seconds)
        if outage in (Outage.REFUSE, Outage.HANG):
            return no_answer()
        return html_response(ERROR_PAGE, status=503 if outage is Outage.ERROR_503_HTML else 200)

    def leave_unanswered(self, send: Send) -> Response:
        """Record the send and hold its request, then close the connection without an answer."""
        self.state.record_send(send)
        self.state.hang(self.state.faults.hang_seconds)
        return no_answer()

    def accept(
        self, message: Message, steps: Sequence[Step], *, response: Response, outage: Outage | None = None
    ) -> Response:
        """Take the message and let its steps follow the answer, as far as the outage lets either through."""
        if outage in DROPPING_OUTAGES:
            return first_half(response) if outage is Outage.HALF_JSON else response
        if outage is Outage.ACCEPT_THEN_CLOSE:
            response = no_answer()
        self.state.add_message(message)
        if shown_at_once(steps):
            self.state.show(message)
        self.state.hang(self.state.faults.answer_seconds)
        if self.state.faults.reports.before_answer:
            self.reporter.play(message, steps, before_answer=True)
            return response
        return replace(response, after=partial(self.reporter.play, message, steps))
