"""schemathesis over the whole API: no 5xx, and no answer that the document does not have."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from django.conf import LazySettings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from abuse.rules import DEFAULT_RULES
from authsvc.wsgi import application
from tests import factories
from tests.api.conftest import CHALLENGES, SECRET, App, basic, code_of, wrong_code

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
    checks.allow_header_conformance,
    checks.negative_data_rejection,
]
CALLS = [
    ("POST", CHALLENGES),
    ("GET", f"{CHALLENGES}/{{id}}"),
    ("POST", f"{CHALLENGES}/{{id}}/send"),
    ("POST", f"{CHALLENGES}/{{id}}/verify"),
]
EVERY_CALL = [*CALLS, ("GET", "/api/v1/stats")]
FEW = hypothesis_settings(
    max_examples=50,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def served(environ: dict[str, Any], start_response: Any) -> Any:
    """The application, whose requests do not end the test's transaction: as Django's own test client does it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    return application(environ, start_response)


@pytest.fixture
def operations(app: App, server: App, settings: LazySettings) -> Iterator[dict[tuple[str, str], Any]]:
    """The calls as schemathesis sees them, at a service whose limits leave room for them."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.AUTHSVC_LIMITS = dict.fromkeys(DEFAULT_RULES, "100000/1s")
    schema = schemathesis.openapi.from_wsgi("/api/schema/", served)
    found: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr] # all are
    yield {(operation.method.upper(), operation.path): operation for operation in found}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_the_fuzzer_covers_all_calls(operations: dict[tuple[str, str], Any]) -> None:
    assert sorted(operations) == sorted(EVERY_CALL)


@pytest.mark.parametrize("call", EVERY_CALL, ids="{0[0]} {0[1]}".format)
def test_at_the_edges_of_the_document(operations: dict[tuple[str, str], Any], call: tuple[str, str]) -> None:
    """Each boundary of each parameter, right and wrong, and the methods that are none."""
    operation = operations[call]
    cases = operation.schema.iter_coverage_cases(
        operation=operation,
        generation_modes=list(GenerationMode),
        generation_config=operation.schema.config.generation,
    )
    count = 0

    for count, case in enumerate(cases, 1):  # noqa: B007 # counted
        case.call_and_validate(checks=CHECKS)

    assert count > 5


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("call", EVERY_CALL, ids="{0[0]} {0[1]}".format)
def test_with_whatever_fits_and_whatever_does_not(
    operations: dict[tuple[str, str], Any], call: tuple[str, str], mode: GenerationMode
) -> None:
    @FEW
    @given(case=operations[call].as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    run()


@pytest.fixture
def stories(app: App, server: App) -> Mapping[str, bool]:
    """Challenges, and whether they are the confidential client's."""
    return {
        caller.started(f"+8525123410{nth}"): bool(caller.secret)
        for nth, caller in enumerate([app, server] * 4)
    }


_REAL = {"phone", "code", "client_id", "end_user_ip", "mode", "purpose", "channel", "country", "locale"}


def test_with_what_real_clients_send(
    operations: dict[tuple[str, str], Any], stories: Mapping[str, bool]
) -> None:
    """Real challenges, clients, numbers and codes between the made-up ones: this gets behind the door."""
    codes = {
        (name, right): (code_of if right else wrong_code)(name) for name in stories for right in (True, False)
    }
    seen: set[int] = set()

    @hypothesis_settings(FEW, max_examples=300)
    @given(
        case=st.sampled_from(CALLS).flatmap(lambda call: operations[call].as_strategy()),
        name=st.sampled_from(sorted(stories)),
        phone=st.sampled_from([factories.PHONE, factories.OTHER_PHONE, "+85251234101", "+85221234567"]),
        right=st.sampled_from([True, True, False]),
        owner=st.sampled_from([True, True, True, False]),
    )
    def run(case: Any, name: str, phone: str, *, right: bool, owner: bool) -> None:
        secret = stories[name] is owner
        if "id" in case.path_parameters:
            case.path_parameters["id"] = name
        if isinstance(case.body, dict):
            known = {"phone": phone, "code": codes[name, right]}
            case.body |= {field: value for field, value in known.items() if field in case.body}
            case.body |= {"client_id": "acme-server" if secret else "acme-web", "end_user_ip": None}
            # Clients that send these know the challenge; for text see tests/api/test_text.py.
            case.body |= {field: "tokens" for field in ("mode",) if field in case.body}
            case.body = {field: value for field, value in case.body.items() if field in _REAL}
        headers = {"Authorization": basic("acme-server", SECRET)} if secret else {}
        seen.add(case.call_and_validate(headers=headers, checks=CHECKS[:6]).status_code)

    run()

    assert {200, 201, 202, 400, 401, 404, 409, 429} <= seen
