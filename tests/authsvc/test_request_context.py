"""The outermost middleware: request ids in logs, answers and metrics; probes before everything that looks at a host."""

from collections.abc import Callable
from ipaddress import ip_network

import pytest
from django.conf import LazySettings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bind_contextvars, get_contextvars

from authsvc import middleware
from authsvc.middleware import ProbeMiddleware, RequestContextMiddleware, client_address, read_address
from core import metrics
from tests import factories

PROXY, CLIENT = "10.0.0.1", "203.0.113.7"


@pytest.fixture(autouse=True)
def _proxies(settings: LazySettings) -> None:
    settings.AUTHSVC_TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)


def answered(
    *, peer: str = PROXY, sent: str | None = None, view: Callable[[HttpRequest], HttpResponse] | None = None
) -> tuple[HttpResponse, dict[str, object]]:
    """The answer, and what is bound to the log while the request is under way."""
    bound: dict[str, object] = {}

    def note(request: HttpRequest) -> HttpResponse:
        bound.update(get_contextvars())
        return view(request) if view else HttpResponse()

    headers = {} if sent is None else {"X-Request-ID": sent}
    request = RequestFactory().get("/healthz", REMOTE_ADDR=peer, headers=headers)
    response = RequestContextMiddleware(note)(request)
    assert isinstance(response, HttpResponse)
    return response, bound


# Ids -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    ["a", "7b1c9f2e-0000-4000-8000-000000000001", "Root=1-67891233-abcdef012345678912345678", "a" * 64],
)
def test_an_id_of_our_proxy_is_taken_over(sent: str) -> None:
    response, bound = answered(sent=sent)

    assert response["X-Request-ID"] == bound["request_id"] == sent


@pytest.mark.parametrize(
    "sent", [None, "", "a" * 65, "two words", 'quote"', "line\x1b[31m", "é", "{id}", "a;b", "a,b"]
)
def test_an_id_that_could_not_stand_in_a_log_is_replaced(sent: str | None) -> None:
    """P3."""
    response, bound = answered(sent=sent)

    assert response["X-Request-ID"] == bound["request_id"] != sent
    assert len(response["X-Request-ID"]) == 32


def test_an_id_of_anybody_else_is_replaced() -> None:
    """Callers must not choose what stands in our log."""
    assert answered(peer=CLIENT, sent="chosen")[0]["X-Request-ID"] != "chosen"


def test_no_two_requests_have_one_id() -> None:
    assert len({answered()[0]["X-Request-ID"] for _ in range(50)}) == 50


def test_nothing_of_the_request_before_or_after_is_bound() -> None:
    bind_contextvars(left_behind="by another request")

    bound = answered(sent="one")[1]

    assert bound == {"request_id": "one"}
    assert get_contextvars() == {}


def test_nothing_stays_bound_when_a_view_fails() -> None:
    def fails(_request: HttpRequest) -> HttpResponse:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        answered(view=fails)
    assert get_contextvars() == {}


# Metrics -------------------------------------------------------------------------------------------


def requests_of(view: str, status: str) -> float:
    samples = [sample for metric in metrics.REQUESTS.collect() for sample in metric.samples]
    labels = {"view": view, "status": status}
    return sum(item.value for item in samples if item.name.endswith("_count") and item.labels == labels)


def label_sets() -> set[tuple[str, ...]]:
    samples = [sample for metric in metrics.REQUESTS.collect() for sample in metric.samples]
    return {(item.labels["view"], item.labels["status"]) for item in samples}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "prefix", ["/nowhere/", "/api/nowhere/", "/api/v1/challenges/", "/static/", "/admin/"]
)
def test_paths_that_lead_nowhere_are_one_line_of_the_metrics(prefix: str) -> None:
    """A path in a label would let callers fill our memory."""
    factories.make_project()
    Client().get(f"{prefix}first")
    before = label_sets()

    for nth in range(5):
        Client().get(f"{prefix}{nth}/x")
        Client().get(f"{prefix}{nth}")

    assert {status for _, status in label_sets() - before} <= {"404", "302"}
    assert len(label_sets() - before) <= 1
    assert not any("/" in view for view, _ in label_sets())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "view", "status"),
    [
        ("/login/", "login", "200"),
        ("/api/schema/", "api-schema", "200"),
        ("/account/", "account", "303"),
        ("/nowhere/", "none", "404"),
    ],
)
def test_a_request_is_counted_under_the_name_of_its_view(path: str, view: str, status: str) -> None:
    factories.make_project()
    before = requests_of(view, status)

    for _ in range(3):
        Client().get(path)

    assert requests_of(view, status) == before + 3


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(middleware.PROBES))
def test_probes_are_not_counted(path: str) -> None:
    """They would outnumber the people."""
    before = sum(sample.value for metric in metrics.REQUESTS.collect() for sample in metric.samples)

    Client().get(path)

    after = sum(sample.value for metric in metrics.REQUESTS.collect() for sample in metric.samples)
    assert after == before


# Probes --------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "web-7f9c", "evil.example", "[::1]"])
def test_probes_call_by_any_name(host: str) -> None:
    response = Client().get("/healthz", headers={"host": host})

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/healthz/", "/healthz/x", "/HEALTHZ", "/metrics/", "/x/healthz", "/"])
def test_only_the_very_paths_are_probes(path: str) -> None:
    passed_on: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        passed_on.append(request.path)
        return HttpResponse()

    ProbeMiddleware(view)(RequestFactory().get(path))

    assert passed_on == [path]


# Addresses, whatever they are -----------------------------------------------------------------------

hops = st.lists(
    st.one_of(
        st.ip_addresses(v=4, network="10.0.0.0/8").map(str),
        st.ip_addresses().map(str),
        st.sampled_from(["", "unknown", "_hidden", "1.2.3", "10.0.0.1:x"]),
    ),
    max_size=6,
)


@given(address=st.ip_addresses(), port=st.integers(0, 65_535))
def test_an_address_is_the_same_in_every_spelling(address: object, port: int) -> None:
    """D1."""
    text = str(address)
    bracketed = f"[{text}]" if ":" in text else text
    plain = read_address(text)

    assert plain is not None
    for spelling in (
        f" {text} ",
        f'"{text}"',
        f"for={text}",
        f"{bracketed}:{port}",
        f'For="{bracketed}:{port}"',
    ):
        assert read_address(spelling) == plain
    assert read_address(str(plain)) == plain


@pytest.mark.parametrize(
    "text",
    [
        "X203.0.113.7",
        "203.0.113.7X",
        "1::2:3:4:5:6:7:80",
        "1:2:3:4:5:6:7:8:9:10",
        "for=",
        '""',
        "[]",
        "[]:80",
    ],
)
def test_what_only_resembles_an_address_is_none(text: str) -> None:
    assert read_address(text) is None


@given(text=st.text(max_size=40))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    address = read_address(text)

    assert address is None or read_address(str(address)) == address


@given(hops=hops, peer=st.sampled_from([PROXY, CLIENT, "", "nonsense"]))
def test_everything_nearer_than_the_client_is_a_proxy_of_ours(hops: list[str], peer: str) -> None:
    """C6: whatever the header says, each address passed over is trusted, and the walk ends at the first that is not."""
    address, taken = client_address(peer, hops)

    walk = [peer, *reversed(hops)]
    assert 0 <= taken <= len(hops)
    assert all(middleware.is_trusted(hop) for hop in walk[:taken])
    if taken:
        assert address == str(read_address(walk[taken]))
    else:
        assert address == peer
    if middleware.is_trusted(address) and taken < len(hops):
        assert read_address(walk[taken + 1]) is None
