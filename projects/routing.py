"""Routing: for numbers of some countries another order of channels, another wait, another sender. Pure.

A route as it is stored and written to files: `{"countries": ["IN"], "order": ["whatsapp", "sms"], "wait_seconds": 12,
"sender": "india"}`. The last two are optional; a sender is named by its `name`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from projects.rules import ALL, BOTH, CHANNELS_OF

WAIT_SECONDS = (5, 300)
# Every login reads them from memory, and an admin reads them on one page.
MOST_ROUTES = 100
_LABELS = {"countries": _("Countries"), "order": _("Order"), "wait_seconds": _("Wait"), "sender": _("Sender")}
_TYPES = {"countries": list, "order": list, "wait_seconds": int, "sender": str}


@dataclass(frozen=True, kw_only=True)
class Route:
    """How the numbers of a country are reached."""

    channels: tuple[str, ...]  # first choice first; no other is offered
    falls_back: bool
    wait_seconds: int  # of silence, before the next channel takes over
    sender: str = ""  # the name of the sender that is tried first on its channel


def is_routing(value: object) -> bool:
    """Whether it has the form of stored routes; their rules are `problems`."""
    return isinstance(value, list) and len(value) <= MOST_ROUTES and all(map(_is_route, value))


def validate_routing(value: object) -> None:
    if not is_routing(value):
        raise ValidationError(_("A list of routes, each with countries and an order of channels."))


def _is_route(value: object) -> bool:
    return (
        isinstance(value, dict)
        and {"countries", "order"} <= value.keys() <= _TYPES.keys()
        and all(type(item) is _TYPES[key] for key, item in value.items())
        and all(isinstance(item, str) for key in ("countries", "order") for item in value[key])
        and WAIT_SECONDS[0] <= value.get("wait_seconds", WAIT_SECONDS[0]) <= WAIT_SECONDS[1]
    )


def label(key: str) -> str:
    """What pages call a key of a route."""
    return str(_LABELS[key])


def stored(
    *, countries: Sequence[str], order: Sequence[str], wait_seconds: int | None, sender: str
) -> dict[str, Any]:
    """A route as it is stored: what is not said is left out."""
    route: dict[str, Any] = {"countries": list(countries), "order": list(order)}
    if wait_seconds is not None:
        route["wait_seconds"] = wait_seconds
    return {**route, "sender": sender} if sender else route


def spelled(route: Mapping[str, Any]) -> str:
    """In a line of a report: IN: whatsapp, sms after 12 s by india."""
    wait = f" after {route['wait_seconds']} s" if "wait_seconds" in route else ""
    sender = f" by {route['sender']}" if "sender" in route else ""
    return f"{' '.join(route['countries'])}: {' then '.join(route['order'])}{wait}{sender}"


def read(
    routing: Sequence[Mapping[str, Any]],
    *,
    verify_phone_by: str,
    fallback_enabled: bool,
    wait_seconds: int,
    otp_valid_seconds: int,
) -> dict[str, Route]:
    """Routes by country, for requests. Rows of an older version may break a rule: what cannot be kept is left out."""
    routes: dict[str, Route] = {}
    for row in routing:
        channels = tuple(name for name in row["order"] if name in CHANNELS_OF[verify_phone_by])
        wait = row.get("wait_seconds", wait_seconds)
        route = Route(
            channels=channels,
            falls_back=fallback_enabled and len(channels) > 1,
            wait_seconds=wait if wait < otp_valid_seconds else otp_valid_seconds // 2,
            sender=row.get("sender", ""),
        )
        routes |= {code: route for code in row["countries"] if channels and code not in routes}
    return routes


# Rules ----------------------------------------------------------------------------------------------


def problems(
    values: Mapping[str, Any], *, senders: Mapping[str, str] | None = None
) -> Iterator[tuple[int, str, str]]:
    """Number of a route, its key and what is wrong with it, for login methods whose values are each valid.

    `senders`: the channel of each named sender that serves the project; None: they are not known here.
    """
    seen: set[str] = set()
    for number, route in enumerate(values["routing"]):
        for key, problem in _route_problems(route, values, seen):
            yield number, key, problem
        seen.update(route["countries"])
        if senders is not None and (problem := _sender_problem(route, senders)):
            yield number, "sender", problem


def sentences(values: Mapping[str, Any], *, senders: Mapping[str, str] | None = None) -> Iterator[str]:
    """The same as sentences that say where."""
    for number, key, problem in problems(values, senders=senders):
        yield sentence(number, key, problem)


def sentence(number: int, key: str, problem: str) -> str:
    """For people, who count from one."""
    place = _("Route %(number)d, %(key)s") % {"number": number + 1, "key": label(key).lower()}
    return f"{place}: {problem}."


def _route_problems(
    route: Mapping[str, Any], values: Mapping[str, Any], seen: Collection[str]
) -> Iterator[tuple[str, str]]:
    if problem := _countries_problem(route["countries"], values["countries_allowed"], seen):
        yield "countries", problem
    if problem := _order_problem(route["order"], values["verify_phone_by"]):
        yield "order", problem
    elif "wait_seconds" in route and tuple(route["order"]) != BOTH:
        # Many routes never report an SMS, so its silence says nothing.
        yield "wait_seconds", str(_("needs an order that begins with WhatsApp and goes on with SMS"))
    if route.get("wait_seconds", 0) >= values["otp_valid_seconds"]:
        text = str(_("must be below the %(seconds)s seconds that a code is valid"))
        yield "wait_seconds", text % {"seconds": values["otp_valid_seconds"]}


def _countries_problem(codes: Sequence[str], allowed: Collection[str], seen: Collection[str]) -> str:
    if not codes:
        return str(_("must name at least one country"))
    if twice := sorted({code for code in codes if codes.count(code) > 1 or code in seen}):
        return str(_("names a country twice: %(codes)s")) % {"codes": ", ".join(twice)}
    if excluded := [code for code in codes if ALL not in allowed and code not in allowed]:
        text = str(_("must be among the countries allowed: %(codes)s"))
        return text % {"codes": ", ".join(excluded)}
    return ""


def _order_problem(order: Sequence[str], verify_phone_by: str) -> str:
    usual = CHANNELS_OF.get(verify_phone_by, BOTH)
    if not order or len(set(order)) < len(order) or not set(order) <= set(usual):
        return str(_("must be of %(channels)s, each once at most")) % {"channels": ", ".join(usual)}
    return ""


def _sender_problem(route: Mapping[str, Any], senders: Mapping[str, str]) -> str:
    name = route.get("sender", "")
    if not name:
        return ""
    if name not in senders:
        return str(_("no active sender of this project, and no shared one, is named %(name)s")) % {
            "name": name
        }
    if senders[name] not in route["order"]:
        text = str(_("%(name)s sends %(channel)s, which is not in the order"))
        return text % {"name": name, "channel": senders[name]}
    return ""
