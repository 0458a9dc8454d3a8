"""The set-up list: what is done, what comes next and why, from an empty database to the first login.

`setup_facts` asks the database, `decide` only decides. The key of the pages' context is `setup`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.utils.translation import gettext as _


class State(StrEnum):
    DONE = "done"
    NEXT = "next"
    LATER = "later"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is there, of the project that is set up: the default one, else the oldest."""

    project: str = ""  # its name; empty: there is none
    promised: Sequence[str] = ()  # names of the channels that its mode promises
    missing: Sequence[str] = ()  # names of those that no sender serves
    first_missing: str = ""  # the first of them, as in addresses
    troubles: Sequence[str] = ()  # what is wrong with its senders, in sentences
    methods_problems: Sequence[str] = ()  # in sentences
    has_client: bool = False
    has_login: bool = False  # of a person: a rehearsal does not count


@dataclass(frozen=True, kw_only=True)
class Links:
    """Where each step is done. Empty where this member of staff may not, or there is nothing to open yet."""

    project: str = ""
    senders: str = ""
    add_sender: str = ""  # the channel is still to be added
    methods: str = ""
    client: str = ""
    login: str = ""
    rehearsal: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """`why` says what it is for or, with `is_trouble`, what is wrong."""

    title: str
    why: str
    link: str
    action: str
    state: State = State.LATER
    is_trouble: bool = False
    other_link: str = ""
    other_action: str = ""


@dataclass(frozen=True, kw_only=True)
class Setup:
    steps: Sequence[Step]

    @property
    def done(self) -> int:
        return sum(step.state is State.DONE for step in self.steps)

    @property
    def is_done(self) -> bool:
        return self.done == len(self.steps)


def decide(facts: Facts, links: Links) -> Setup:
    """The five steps in their order. The first that is not done is next; one may be done before its turn."""
    steps = [
        _project(facts, links),
        _senders(facts, links),
        _methods(facts, links),
        _client(facts, links),
        _login(facts, links),
    ]
    following = next((nth for nth, step in enumerate(steps) if step.state is not State.DONE), None)
    if following is not None:
        steps[following] = replace(steps[following], state=State.NEXT)
    return Setup(steps=tuple(steps))


def _state(is_done: bool) -> State:
    return State.DONE if is_done else State.LATER


def _project(facts: Facts, links: Links) -> Step:
    why = _("One product whose users log in here, with its name, domain, countries and a first client.")
    return Step(
        title=_("Project"),
        why=facts.project or why,
        link="" if facts.project else links.project,
        action=_("New project"),
        state=_state(bool(facts.project)),
    )


def _senders(facts: Facts, links: Links) -> Step:
    why, is_done = _("The accounts at WhatsApp and for SMS that codes are sent from."), False
    trouble = bool(facts.troubles)
    link, action = links.senders, _("Senders")
    if facts.missing:
        if links.add_sender:
            link = f"{links.add_sender}?channel={facts.first_missing}"
            action = _("Add a sender for %(channel)s") % {"channel": facts.missing[0]}
        text = _("No sender for %(channels)s yet: until there is one, nobody can log in.")
        why = text % {"channels": ", ".join(facts.missing)}
    elif trouble:
        why = " ".join(facts.troubles)
    elif facts.project:
        why, is_done = ", ".join(facts.promised), True
    return Step(
        title=_("Senders"),
        why=why,
        link=link,
        action=action,
        state=_state(is_done),
        is_trouble=trouble and not facts.missing,
    )


def _methods(facts: Facts, links: Links) -> Step:
    why = _("How people log in: by WhatsApp or SMS, from which countries, with which waits.")
    if facts.methods_problems:
        why = " ".join(facts.methods_problems)
    return Step(
        title=_("Login methods"),
        why=why,
        link=links.methods,
        action=_("Login methods"),
        state=_state(bool(facts.project) and not facts.methods_problems),
        is_trouble=bool(facts.methods_problems),
    )


def _client(facts: Facts, links: Links) -> Step:
    return Step(
        title=_("Client"),
        why=_("Your application, and the code to copy into it."),
        link=links.client,
        action=_("Code to copy") if facts.has_client else _("Add a client"),
        state=_state(facts.has_client),
    )


def _login(facts: Facts, links: Links) -> Step:
    """A rehearsal is offered at any time: it needs no sender."""
    why = _(
        "Log in with your own phone on the project's page, in a private window: people and staff have one session "
        "cookie. A rehearsal needs no sender and does not count."
    )
    return Step(
        title=_("A first login"),
        why=_("Somebody has logged in.") if facts.has_login else why,
        link=links.login,
        action=_("Open the login page"),
        state=_state(facts.has_login),
        other_link=links.rehearsal,
        other_action=_("Rehearse a login"),
    )
