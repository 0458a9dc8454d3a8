"""Made-up files that are right: any number of projects, each with any value of every key."""

from datetime import date
from typing import Any

import yaml
from hypothesis import strategies as st

from oidc import policy
from projects.rules import BOTH, CHANNELS_OF, NETWORKS
from tests.ops.configfile.sender_files import FULL, section
from users.phones import calling_codes

# Everything but NUL, halves of characters, and what reads the environment.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
).filter(lambda text: "${" not in text)
COUNTRIES = st.lists(st.sampled_from(sorted(calling_codes())), min_size=1, max_size=4, unique=True)
SLUGS = ("alpha", "Beta", "gamma-3", "_", "0123", "no")


@st.composite
def methods(draw: st.DrawFn) -> dict[str, Any]:
    valid = draw(st.integers(60, 600))
    before_the_end = min(300, valid - 1)
    listed = draw(COUNTRIES)
    networks = draw(st.lists(st.sampled_from(NETWORKS), max_size=2, unique=True))
    allowed = draw(st.sampled_from(["all", ["all", *networks], [*listed, *networks], [*networks, *listed]]))
    return {
        "login_methods": {"verify_phone_by": draw(st.sampled_from(sorted(CHANNELS_OF)))},
        "otp": {
            "length": draw(st.integers(6, 10)),
            "valid_seconds": valid,
            "resend_after_seconds": draw(st.integers(10, before_the_end)),
            "max_attempts": draw(st.integers(1, 10)),
        },
        "fallback": {"enabled": draw(st.booleans()), "wait_seconds": draw(st.integers(5, before_the_end))},
        "countries": {"allowed": allowed, "pinned": draw(st.permutations(listed))},
    }


@st.composite
def routes(draw: st.DrawFn, made: dict[str, Any], named: dict[str, str]) -> list[dict[str, Any]]:
    """For some of the countries allowed, each in one route; `named`: the channels of senders with names."""
    listed = made["countries"]["allowed"]
    possible = ["HK", "GB", "IN"] if "all" in listed else [code for code in listed if code.isalpha()]
    channels = CHANNELS_OF[made["login_methods"]["verify_phone_by"]]
    last = min(300, made["otp"]["valid_seconds"] - 1)
    made_up: list[dict[str, Any]] = []
    for code in draw(st.lists(st.sampled_from(possible), max_size=2, unique=True)) if possible else ():
        length = draw(st.integers(1, len(channels)))
        order = [*draw(st.permutations(channels))][:length]
        route: dict[str, Any] = {"countries": [code], "order": order}
        has_wait = draw(st.booleans())
        if has_wait and tuple(order) == BOTH:
            route["wait_seconds"] = draw(st.integers(5, last))
        fitting = [name for name, channel in named.items() if channel in order]
        has_sender = draw(st.booleans())
        if has_sender and fitting:
            route["sender"] = draw(st.sampled_from(fitting))
        made_up.append(route)
    return made_up


@st.composite
def senders(draw: st.DrawFn) -> dict[str, Any]:
    """None, one, or several for each channel; some have names."""
    names = draw(st.permutations(["", "", "india", "second", "-x_9"]))
    sections: dict[str, Any] = {}
    for channel in ("whatsapp", "sms"):
        providers = [name for other, name in FULL if other == channel]
        chosen = draw(st.lists(st.sampled_from(providers), max_size=2))
        made = [section(channel, provider, {"name": names.pop() or None}) for provider in chosen]
        as_list = draw(st.booleans())
        if made:
            sections[channel] = made if len(made) > 1 or as_list else made[0]
    return sections


def names_of(sections: dict[str, Any]) -> dict[str, str]:
    """The channels of the senders with names."""
    lists = {channel: made if isinstance(made, list) else [made] for channel, made in sections.items()}
    return {item["name"]: channel for channel, made in lists.items() for item in made if "name" in item}


@st.composite
def with_senders(draw: st.DrawFn) -> dict[str, Any]:
    made, own = draw(methods()), draw(senders())
    return made | own | {"routing": draw(routes(made, names_of(own)))}


def numbers() -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.fixed_dictionaries(
        {
            "phone": st.integers(0, 30).map(lambda nth: f"+852512345{nth:02}"),
            "code": st.text("0123456789", min_size=6, max_size=10),
            "until": st.dates(date(2000, 1, 1), date(2100, 1, 1)),
        }
    )
    return st.lists(one, max_size=3, unique_by=lambda item: item["phone"])


@st.composite
def client(draw: st.DrawFn, client_id: str) -> dict[str, Any]:
    """Its type hangs on its id: it cannot change."""
    is_public = client_id.endswith("web")
    urls = st.lists(
        st.sampled_from([f"https://{host}.example/{n}" for host in "ab" for n in range(4)]),
        max_size=3,
        unique=True,
    )
    entry: dict[str, Any] = {
        "client_id": client_id,
        "client_type": "public" if is_public else "confidential",
        "name": draw(st.one_of(st.just(""), TEXT)),
        "redirect_uris": [*draw(urls), "com.acme.app:/done"],
        "post_logout_redirect_uris": draw(urls),
        "origins": draw(
            st.sampled_from([[], ["https://a.example"], ["https://a.example:8443", "http://localhost:3000"]])
        ),
        "first_party": draw(st.booleans()),
        "scopes": draw(st.permutations(policy.SCOPES)),
        "backchannel_logout_uri": draw(st.sampled_from(["", "https://a.example/out"])),
        "algorithm": draw(st.sampled_from(["RS256", "ES256"])),
    }
    if is_public:
        return entry
    own = {
        "client_secret": "x" * 40,
        "pkce_required": draw(st.booleans()),
        "may_introspect": draw(st.booleans()),
    }
    return entry | own


@st.composite
def documents(draw: st.DrawFn, slugs: tuple[str, ...]) -> dict[str, Any]:
    """With these projects, in any order; one is the default. Hosts may go from one to another."""
    order = draw(st.permutations(slugs))
    default = draw(st.sampled_from(slugs))
    hosts = [f"h{n}.example{port}" for n, port in enumerate(["", ":8443", "", "", ":1", ""])]
    owners = {host: draw(st.sampled_from([*slugs, ""])) for host in hosts}
    shared = {channel: {"provider": "memory"} for channel in ("whatsapp", "sms")}
    return {
        "shared": shared,
        "projects": [
            {
                "slug": slug,
                "name": draw(TEXT),
                "default": slug == default,
                "archived": False if slug == default else draw(st.booleans()),
                "domains": [host for host, owner in owners.items() if owner == slug],
                "test_numbers": draw(numbers()),
                "clients": [
                    draw(client(f"{slug}-{kind}"))
                    for kind in draw(st.sampled_from([(), ("web",), ("web", "server")]))
                ],
            }
            | draw(with_senders())
            for slug in order
        ],
    }


def written(document: dict[str, Any]) -> str:
    return str(yaml.safe_dump(document, sort_keys=False))
