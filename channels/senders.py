"""Senders as requests and workers use them: in memory, with their secrets, by project or by what a provider names."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from channels import notice_store, notices
from channels.base import SenderConfig
from channels.models import Sender, SenderHealth, SenderReports
from channels.providers import PROVIDERS
from channels.types import Channel
from core.config_version import Cached
from core.fields import UnreadableSecret

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Senders:
    """All active senders."""

    by_id: Mapping[uuid.UUID, SenderConfig]
    # In the order in which they are tried.
    by_place: Mapping[tuple[uuid.UUID | None, Channel], tuple[SenderConfig, ...]]
    # Senders whose breaker is open, and until when; at that moment one message may go through as a probe.
    open_until: Mapping[uuid.UUID, datetime] = field(default_factory=dict)
    # Senders whose template had trouble: in which languages, and until when each of them is skipped.
    unhealthy_languages: Mapping[uuid.UUID, Mapping[str, datetime | None]] = field(default_factory=dict)
    # Senders whose reports are missing: silence of their messages sends nothing by itself (otp.missing_reports).
    unreported: frozenset[uuid.UUID] = frozenset()

    def serving(
        self, project_id: uuid.UUID, channel: Channel, *, first: str = ""
    ) -> tuple[SenderConfig, ...]:
        """The project's own senders, else the shared ones, as they are tried: the one named `first` before them.

        A name that the project gave a sender of its own, of whatever channel, means none of the shared ones.
        """
        own, shared = self.by_place.get((project_id, channel), ()), self.by_place.get((None, channel), ())
        usual = own or shared
        known = (*own, *shared) if first and not self._is_own(project_id, first) else own
        named = next((item for item in known if first and item.name == first), None)
        return (named, *(item for item in usual if item is not named)) if named else usual

    def _is_own(self, project_id: uuid.UUID, name: str) -> bool:
        places = ((project_id, channel) for channel in Channel)
        return any(item.name == name for place in places for item in self.by_place.get(place, ()))

    def for_project(self, project_id: uuid.UUID, channel: Channel) -> SenderConfig | None:
        """The first of `serving`, in whatever health; None: there is none."""
        return next(iter(self.serving(project_id, channel)), None)

    def choose(
        self,
        project_id: uuid.UUID,
        channel: Channel,
        *,
        now: datetime,
        first: str = "",
        without: Collection[uuid.UUID | None] = (),
    ) -> SenderConfig | None:
        """The first of `serving` that is not to be skipped; when each is, the first of all. None: there is none.

        `without`: those that failed already in this challenge; then one that is to be skipped is no choice.
        """
        candidates = self.serving(project_id, channel, first=first)
        working = (s for s in candidates if s.id not in without and not self.is_open(s, now=now))
        return next(working, candidates[0] if candidates and not without else None)

    def is_open(self, sender: SenderConfig, *, now: datetime) -> bool:
        """Whether the sender is to be skipped because it fails for everybody."""
        if not self.open_until and not self.unhealthy_languages:
            return False
        until = self.open_until.get(sender.id)
        if until is not None and now < until:
            return True
        return sender.id in self.unhealthy_languages and not self.template_languages(sender, now=now)

    def template_languages(self, sender: SenderConfig, *, now: datetime) -> tuple[str, ...]:
        """Those of the sender's languages in which its template is not known to be refused."""
        unhealthy = self.unhealthy_languages.get(sender.id)
        if not unhealthy:
            return sender.template_languages
        return tuple(
            language
            for language in sender.template_languages
            if not notices.is_skipped(unhealthy.get(notices.normal_language(language)), now=now)
        )

    def was_unhealthy(self, sender: SenderConfig, language: str) -> bool:
        """Whether the sender's template in this language has still to be seen to work."""
        return notices.normal_language(language) in self.unhealthy_languages.get(sender.id, ())

    def of_provider(self, provider: str) -> list[SenderConfig[Any]]:
        return [sender for sender in self.by_id.values() if sender.provider == provider]


def config_of(row: Sender) -> SenderConfig:
    """A row with its secrets, as messages use it; also of one that is switched off. Raises UnreadableSecret."""
    return SenderConfig(
        id=row.id,
        project_id=row.project_id,
        channel=Channel(row.channel),
        provider=row.provider,
        settings=row.typed(),
        name=row.name,
    )


def _readable() -> list[Sender]:
    """All active senders of known providers. One whose key is gone must not take the others with it."""
    active = Sender.objects.filter(is_active=True, provider__in=list(PROVIDERS)).order_by(*Sender.TRIED)
    try:
        return list(active)
    except UnreadableSecret:
        pass  # one by one below
    readable = []
    for sender_id in active.values_list("id", flat=True):
        try:
            readable.append(active.get(id=sender_id))
        except UnreadableSecret:
            log.error("sender.unreadable", sender_id=str(sender_id))  # noqa: TRY400 # the cause is in the name
    return readable


def _by_place(
    configs: Iterable[SenderConfig],
) -> dict[tuple[uuid.UUID | None, Channel], tuple[SenderConfig, ...]]:
    places: dict[tuple[uuid.UUID | None, Channel], tuple[SenderConfig, ...]] = {}
    for sender in configs:
        place = (sender.project_id, sender.channel)
        places[place] = (*places.get(place, ()), sender)
    return places


def of_configs(configs: Collection[SenderConfig], **known: Any) -> Senders:  # noqa: ANN401 # fields of Senders
    """Active senders in the order in which they are tried, and what is `known` of their health."""
    return Senders(by_id={sender.id: sender for sender in configs}, by_place=_by_place(configs), **known)


def _load() -> Senders:
    return of_configs(
        [config_of(row) for row in _readable()],
        open_until={
            key: until
            for key, until in SenderHealth.objects.exclude(opened_by="").values_list("pk", "open_until")
            if until
        },
        unhealthy_languages=notice_store.unhealthy_languages(),
        unreported=frozenset(
            SenderReports.objects.filter(missing_since__isnull=False).values_list("pk", flat=True)
        ),
    )


senders: Cached[Senders] = Cached(_load)
