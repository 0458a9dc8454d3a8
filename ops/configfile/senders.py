"""Senders of the configuration file: the sections `whatsapp` and `sms` read, applied and written.

Keys, types and rules are those of the provider's settings class (channels.providers).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from channels import validation
from channels.models import Sender
from channels.provider import Provider
from channels.provider_settings import ProviderSettings, default_of, language_problem
from channels.providers import PROVIDERS, default, serving
from channels.types import Channel
from core.fields import UnreadableSecret
from ops.configfile.report import Report, shown
from ops.configfile.section import not_text, refuse
from projects.models import Project


@dataclass(frozen=True, kw_only=True)
class SenderSection:
    """A sender as the file describes it. Secrets that it leaves out keep what is stored."""

    channel: str
    name: str  # "": none
    provider: str
    values: Mapping[str, Any]  # every field that is not secret and not empty
    secrets: Mapping[str, str] = field(repr=False)  # those that the file names


# Reading --------------------------------------------------------------------------------------------


def _read(channel: str, raw: object) -> object:
    if not isinstance(raw, dict):
        raise ValueError("must be a mapping of keys")  # noqa: TRY004 # pydantic collects ValueErrors
    content = {key: value for key, value in _flat(raw) if value not in (None, "")}
    name = content.pop("name", "")
    provider = _provider(channel, content.pop("provider", None))
    # Of every provider of the channel, to name what is misplaced; its own come last, so that they count.
    known = [item for item in PROVIDERS.values() if channel in item.channels]
    fields = {item.file_key(name): name for item in (*known, provider) for name in item.settings.model_fields}
    wrong = [*_wrong_name(name), *_dotted(raw), *_wrong_keys(content, fields)]
    given = {fields[key]: value for key, value in content.items() if key in fields}
    keys = {name: key for key, name in fields.items()}
    places = [
        (_loc(keys.get(name, name)), text) for name, text in provider.problems(given, secrets_later=True)
    ]
    # An entry of a list has been named more exactly.
    refuse([*wrong, *(item for item in places if all(loc[: len(item[0])] != item[0] for loc, _ in wrong))])
    defaults = {name: default_of(item) for name, item in provider.settings.model_fields.items()}
    hidden = provider.secret_names
    return SenderSection(
        channel=channel,
        name=str(name),
        provider=provider.name,
        values={name: value for name, value in (defaults | given).items() if name not in hidden and value},
        secrets={name: str(value) for name, value in given.items() if name in hidden},
    )


def _read_all(channel: str, raw: object) -> list[object]:
    """A section, or a list of them in the order in which they are tried."""
    if not isinstance(raw, list):
        return [_read(channel, raw)]
    if not raw:
        raise ValueError("must name at least one sender")
    sections: list[object] = []
    problems: list[tuple[tuple[str | int, ...], str]] = []
    for number, item in enumerate(raw):
        try:
            sections.append(_read(channel, item))
        except ValidationError as error:
            problems += [((number, *line["loc"]), line["msg"]) for line in error.errors()]
        except ValueError as error:
            problems.append(((number,), str(error)))
    refuse(problems)
    return sections


def _wrong_name(name: object) -> Iterator[tuple[tuple[str], str]]:
    if not isinstance(name, str):
        yield ("name",), not_text(name)
    elif problem := validation.name_problem(name):
        yield ("name",), problem


def _flat(raw: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Keys of a section within the section are written with a dot."""
    for key, value in raw.items():
        if "." in str(key):
            continue
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", item) for inner, item in value.items())
        else:
            yield str(key), value


def _dotted(raw: Mapping[Any, Any]) -> Iterator[tuple[tuple[str], str]]:
    """Keys that look like those of a section within the section: one key would have two spellings."""
    return (((str(key),), "unknown key") for key in raw if "." in str(key))


def _loc(key: str) -> tuple[str, ...]:
    return tuple(key.split("."))


def _provider(channel: str, name: object) -> Provider:
    usual, names = default(channel), [item.name for item in serving(channel)]
    if name is None and usual and usual.name in names:
        return usual
    if name not in names:
        words = "is required: one of" if name is None else "must be one of"
        refuse([(("provider",), f"{words} {', '.join(names)}")])
    return PROVIDERS[str(name)]


def _wrong_keys(
    content: Mapping[str, Any], fields: Mapping[str, str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for key, value in content.items():
        if key not in fields:
            yield _loc(key), "unknown key"
        elif key.endswith("languages"):
            if not isinstance(value, list):
                yield _loc(key), "must be a list"
                continue
            for number, item in enumerate(value):
                if not isinstance(item, str):
                    yield (*_loc(key), number), not_text(item)
                elif item in value[:number]:
                    yield (*_loc(key), number), "duplicate value"
                elif problem := language_problem(item):
                    yield (*_loc(key), number), str(problem)
        elif not isinstance(value, str):
            yield _loc(key), not_text(value)


WhatsappSenders = Annotated[list[SenderSection], BeforeValidator(lambda raw: _read_all("whatsapp", raw))]
SmsSenders = Annotated[list[SenderSection], BeforeValidator(lambda raw: _read_all("sms", raw))]


# Applying -------------------------------------------------------------------------------------------


def apply(
    project: Project | None, sections: Sequence[SenderSection], place: str, path: str, report: Report
) -> None:
    """The order of the sections is the order in which the senders of a channel are tried."""
    active = Sender.objects.filter(project=project, is_active=True)
    stored = list(active.defer("secrets").order_by(*Sender.TRIED))
    pairs = {
        channel: _matched([spec for spec in sections if spec.channel == channel], stored)
        for channel in Channel
    }
    # First what goes: its name may be used again. Another provider, or another name, is another sender: messages that
    # the old one sent keep it in the log.
    kept = {row.id for matched in pairs.values() for _spec, row in matched if row}
    for row in stored:
        if row.id not in kept:
            _deactivate(row)
            report.changes.append(
                f"{path}.{row.channel}: {_removed(row, stored, pairs[Channel(row.channel)])}"
            )
    for channel, matched in pairs.items():
        for number, (spec, known) in enumerate(matched):
            item = f"{channel}[{number}]" if len(matched) > 1 else channel
            _apply(project, known, spec, number + 1, f"{place}.{item}", f"{path}.{item}", report)


type _Pairs = Sequence[tuple[SenderSection, Sender | None]]


def _removed(row: Sender, stored: Sequence[Sender], wanted: _Pairs) -> str:
    if not wanted and len([item for item in stored if item.channel == row.channel]) == 1:
        return "removed"
    return f"{row.name or f'{row.provider}, number {row.priority}'} removed"


def _matched(wanted: Sequence[SenderSection], stored: Sequence[Sender]) -> _Pairs:
    """Each section with the stored sender that it describes: of its name, else the next of its provider without one."""
    left = list(stored)

    def take(spec: SenderSection, name: str) -> Sender | None:
        sought = (spec.channel, spec.provider, name)
        row = next((row for row in left if (row.channel, row.provider, row.name) == sought), None)
        if row:
            left.remove(row)
        return row

    exact = [take(spec, spec.name) for spec in wanted]
    return [(spec, row or take(spec, "")) for spec, row in zip(wanted, exact, strict=True)]


def _deactivate(row: Sender) -> None:
    row.is_active = False
    row.save()


def _apply(
    project: Project | None,
    stored: Sender | None,
    spec: SenderSection,
    priority: int,
    place: str,
    path: str,
    report: Report,
) -> None:
    row = stored or Sender(project=project, channel=spec.channel, provider=spec.provider)
    row.secrets = _secrets(row)
    before, provider = row.typed(), PROVIDERS[row.provider]
    old = {"name": row.name, "order": row.priority}
    row.values = {**row.secrets, **spec.values, **spec.secrets}
    row.name, row.priority = spec.name, priority
    if problems := validation.sender_problems(row):
        report.problems.extend(f"{place}.{provider.file_key(name)}: {text}" for name, text in problems)
        return
    if not stored:
        row.save()
        report.changes.append(f"{path}: created")
        return
    changes = list(_changes(provider, before, row.typed(), path))
    new = {"name": row.name, "order": row.priority}
    changes += [f"{path}.{key}: {shown(old[key])} → {shown(new[key])}" for key in old if old[key] != new[key]]
    if changes:
        row.save()
        report.changes.extend(changes)


def _secrets(row: Sender) -> Mapping[str, Any]:
    """Those whose key is gone count as none: the file has to name them."""
    try:
        return dict(row.secrets)
    except UnreadableSecret:
        return {}


def _changes(
    provider: Provider, before: ProviderSettings, after: ProviderSettings, path: str
) -> Iterator[str]:
    """A line for each; of secrets the name only."""
    for name in provider.settings.model_fields:
        old, new, place = getattr(before, name), getattr(after, name), f"{path}.{provider.file_key(name)}"
        if old != new:
            hidden = name in provider.secret_names
            yield f"{place}: changed" if hidden else f"{place}: {shown(old)} → {shown(new)}"


# Writing --------------------------------------------------------------------------------------------


def export_all(rows: Iterable[Sender]) -> dict[str, Any]:
    """The sections of one project's active senders: a list where a channel has several."""
    by_channel: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_channel.setdefault(str(row.channel), []).append(export(row))
    return {
        channel: sections if len(sections) > 1 else sections[0] for channel, sections in by_channel.items()
    }


def export(row: Sender) -> dict[str, Any]:
    """The section that describes a stored sender, without secrets."""
    provider, usual = PROVIDERS[row.provider], default(row.channel)
    section: dict[str, Any] = {"name": row.name} if row.name else {}
    if provider is not usual:
        section["provider"] = provider.name
    typed = provider.settings.of_stored(row.settings, {})
    for name in provider.settings.model_fields:
        if name in provider.secret_names or not (value := getattr(typed, name)):
            continue
        group, _, key = provider.file_key(name).rpartition(".")
        (section.setdefault(group, {}) if group else section)[key] = (
            list(value) if isinstance(value, tuple) else value
        )
    return section
