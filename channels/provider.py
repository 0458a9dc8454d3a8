"""A provider's declaration: everything that the rest of the product knows of it, and the rules of its settings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from channels.base import Backend, SenderConfig
from channels.calls import ApiUrl
from channels.findings import Finding
from channels.notices import Notice, Subject
from channels.prices import PricePage, PriceQuery
from channels.provider_settings import Input, ProviderSettings, is_secret
from channels.setup import Setup
from channels.types import Channel
from core.http import HttpClient

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

type Problem = tuple[str, str]  # a field's name and a sentence
type Words = tuple[StrOrPromise, StrOrPromise]  # a problem and its remedy
type Question = Callable[[str], tuple[int, str]]  # a path of ours → status and text of the answer

# Stands for a secret that is stored already, or that somebody still has to type.
_ANY_SECRET = "x"  # noqa: S105 # none


@dataclass(frozen=True, kw_only=True)
class Reports:
    """A provider that tells what became of messages; `webhooks.<name>` reads it.

    `path` is ours. `missing` and `refused` are shown when none arrives, or only some whose signature does not fit.
    `is_optional`: a sender of it may never report, and is expected to only after its first signed report.
    An address that has to be entered at the provider is shown under `callback_label`, and `check` asks it.
    """

    path: str
    missing: Words
    refused: Words
    is_optional: bool = False
    callback_label: "StrOrPromise" = ""
    check: Callable[[SenderConfig[Any], Question], Iterator[Finding]] | None = None


@dataclass(frozen=True, kw_only=True)
class Templates:
    """A provider that sends a template of its own wording. `words`: problem and remedy of what it tells of one."""

    words: Callable[[Subject, Notice], tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Prices:
    """A provider that tells what messages cost, but only when it is asked for those of an account later.

    `account`: whose messages a sender's are, in the provider's own words; "": it cannot be asked.
    `read`: one page of them. Raises SendError and AnswerLost.
    """

    account: Callable[[SenderConfig[Any]], str]
    read: Callable[[SenderConfig[Any], PriceQuery, HttpClient], PricePage]


@dataclass(frozen=True, kw_only=True)
class Provider[Settings: ProviderSettings = Any]:
    """One provider's declaration: everything that the rest of the product knows of it."""

    name: str
    label: "StrOrPromise"
    channels: frozenset[Channel]
    settings: type[Settings]
    backend: Callable[[], Backend[Settings]]
    check: Callable[[SenderConfig[Settings], str, HttpClient], Iterator[Finding]]
    api: ApiUrl | None = None
    is_for_development: bool = False  # sends nothing
    reports: Reports | None = None
    prices: Prices | None = None
    templates: Templates | None = None
    setup: Setup | None = None  # the guided page of its senders
    # Its own number of an error → problem and remedy, where that says more than the reason.
    words_by_code: Mapping[str, Words] = field(default_factory=dict)

    @cached_property
    def secret_names(self) -> frozenset[str]:
        return frozenset(name for name, item in self.settings.model_fields.items() if is_secret(item))

    @cached_property
    def inputs(self) -> Mapping[str, Input]:
        """What people fill in, by field and in order: first what has a key of its own, then sections of the file."""
        known = {
            name: item
            for name, info in self.settings.model_fields.items()
            for item in info.metadata
            if isinstance(item, Input)
        }
        return dict(sorted(known.items(), key=lambda pair: "." in pair[1].key))

    def file_key(self, name: str) -> str:
        return (self.inputs[name].key if name in self.inputs else "") or name

    def problems(self, values: Mapping[str, object], *, secrets_later: bool = False) -> list[Problem]:
        """All that is wrong with a sender's values, wherever they come from; empty ones count as missing.

        `secrets_later`: a secret that is not among them may be stored.
        """
        given = {name: value for name, value in values.items() if value not in ("", [], (), None)}
        if secrets_later:
            fields = self.settings.model_fields
            needed = [name for name in self.secret_names if fields[name].is_required()]
            given = dict.fromkeys(needed, _ANY_SECRET) | given
        try:
            self.settings.model_validate(given)
        except ValidationError as error:
            return list(self._sentences(error.errors()))
        return []

    def _sentences(self, errors: Sequence[ErrorDetails]) -> Iterator[Problem]:
        for error in errors:
            context = error.get("ctx", {})
            name = str(error["loc"][0]) if error["loc"] else str(context["field"])
            match error["type"]:
                case "missing":
                    yield name, self._missing(name)
                case "extra_forbidden":
                    yield name, _("is not a key of %(provider)s") % {"provider": self.name}
                case "string_too_long" | "too_long":
                    longest = {"longest": context["max_length"]}
                    yield name, _("must have at most %(longest)s characters") % longest
                case _:
                    yield name, str(context.get("problem") or error["msg"])

    def _missing(self, name: str) -> str:
        if name in self.secret_names:
            return _("is required, none is stored yet")
        if self.settings.model_fields[name].annotation is not str:
            return _("is required: the languages in which the template is approved")
        return _("is required")
