"""The parts of one running simulator, put together once and handed to every handler."""

from dataclasses import dataclass, field
from functools import partial

from simulator import web
from simulator.accounts import Accounts
from simulator.behaviour import Channel, Outage
from simulator.messages import Message, Send
from simulator.plans import shown_at_once
from simulator.posting import Poster
from simulator.reports import Reporter, Step
from simulator.state import State
from simulator.templates import TemplateStore
from simulator.timers import Timers

SORRY_HTML = (
    "<!DOCTYPE html><html><title>Error</title><body><h1>Sorry, something went wrong.</h1></body></html>"
)


@dataclass(slots=True)
class Simulator:
    """State, templates, timers and reports of one simulator. `close` ends its threads."""

    accounts: Accounts
    webhook_url: str
    state: State = field(init=False)
    templates: TemplateStore = field(init=False)
    timers: Timers = field(init=False)
    poster: Poster = field(init=False)
    reporter: Reporter = field(init=False)

    def __post_init__(self) -> None:
        self.state = State(self.accounts)
        self.templates = TemplateStore(self.accounts)
        self.timers = Timers()
        self.poster = Poster(self.timers)
        self.reporter = Reporter(
            state=self.state, timers=self.timers, poster=self.poster, webhook_url=self.webhook_url
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

    def accept(self, message: Message, steps: list[Step], *, answer: web.Response) -> web.Response:
        """Take the message, and let its steps follow the answer (or precede it, when that is the fault)."""
        self.state.add_message(message)
        if shown_at_once(steps):
            self.state.show(message)
        self.state.hang(self.state.faults.answer_seconds)
        if self.state.faults.reports.before_answer:
            self.reporter.follow(message, steps, before_answer=True)
            return answer
        return _with_after(answer, partial(self.reporter.follow, message, steps))

    def silence(self, outage: Outage | None, send: Send | None) -> web.Response | None:
        """The answer of an outage in front of the provider, where nothing is read: the same for every vendor."""
        answers = {
            Outage.REFUSE: web.no_answer(),
            Outage.HANG: web.no_answer(),
            Outage.ERROR_503_HTML: web.html_response(SORRY_HTML, status=503),
            Outage.NOT_JSON: web.html_response(SORRY_HTML),
        }
        if outage is None or outage not in answers:
            return None
        if send is not None:
            self.state.record_send(send)
        if outage is Outage.HANG:
            self.state.hang(self.state.faults.hang_seconds)
        return answers[outage]

    def outage(self, channel: Channel) -> Outage | None:
        return self.state.faults.outage(channel)


def half(response: web.Response) -> web.Response:
    """The answer cut in the middle, as from a proxy that gave up."""
    return web.Response(
        status=response.status, body=response.body[: len(response.body) // 2], headers=response.headers
    )


def _with_after(answer: web.Response, after: partial[None]) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.body,
        content_type=answer.content_type,
        headers=answer.headers,
        answered=answer.answered,
        after=after,
    )
