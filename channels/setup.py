"""How a sender is set up with its provider, step by step: what a provider declares, and the guided page shows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from channels.base import SenderConfig
from channels.findings import Finding
from channels.types import Receipt
from core.http import HttpClient

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class StepName(StrEnum):
    CONNECT = "connect"
    TEMPLATES = "templates"
    REPORTS = "reports"
    TRY = "try"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a check has to know of us. `public_url`: our origin, "" when unknown. `countries`: those that the sender's
    projects promise, as ISO codes; empty: all, or unknown."""

    public_url: str = ""
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Preview:
    """How the provider will word a template in one language."""

    language: str
    body: str
    footer: str
    button: str


type Check = Callable[[SenderConfig[Any], Surroundings, HttpClient], Iterator[Finding]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One card of the page. `there`: what to click at the provider; `here`: what to do on our side. Both as sentences.

    `check` asks the provider, and raises nothing but SendError and AnswerLost.
    """

    name: StepName
    title: "StrOrPromise"
    there: tuple["StrOrPromise", ...] = ()
    here: tuple["StrOrPromise", ...] = ()
    check: Check | None = None


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A provider's steps in order, and what its page can do besides checking. What is None, it cannot.

    `create_templates` and `subscribe` change something at the provider and say what came of it. `greet` sends the
    provider's own sample message to a number, under a reference that its reports repeat; raises SendError.
    """

    steps: tuple[Step, ...]
    create_templates: Callable[[SenderConfig[Any], Sequence[str], HttpClient], Iterator[Finding]] | None = (
        None
    )
    preview_templates: Callable[[SenderConfig[Any], Sequence[str], HttpClient], list[Preview]] | None = None
    languages: frozenset[str] = frozenset()  # in which templates can be made
    subscribe: Callable[[SenderConfig[Any], HttpClient], Iterator[Finding]] | None = None
    greet: Callable[[SenderConfig[Any], str, str, HttpClient], Receipt] | None = None
    verify_token: str = ""  # the name of the secret that the provider shows us when it verifies our address

    def step(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)
