"""Optional: errors to Sentry (SENTRY_DSN), traces to an OpenTelemetry collector (OTEL_EXPORTER_OTLP_ENDPOINT).

Neither is installed by default: requirements/telemetry.txt. Nothing sent there contains a body, cookie, query,
local variable or whole phone number.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.connections import Origin
from core.http import Answer, HttpClient
from users.phones import mask_text

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

# The only parts of a request that Sentry gets; the URL without its query.
_REQUEST_PARTS = ("method", "url")
# Attributes of spans that may contain a query, and with it Meta's verify token.
_URL_ATTRIBUTES = ("http.url", "http.target", "url.full", "url.path", "url.query")
# The id of a challenge in API paths grants access.
_CHALLENGE = re.compile(r"(/api/v1/challenges/)[^/]+")


def start() -> None:
    """Set up what the environment asks for. Raises ImproperlyConfigured when its packages are missing."""
    try:
        if settings.SENTRY_DSN:
            _start_sentry()
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            _start_tracing()
    except ImportError as error:
        raise ImproperlyConfigured(
            f"{error.name} is not installed: pip install --require-hashes -r requirements/telemetry.txt"
        ) from error


# Sentry -----------------------------------------------------------------------------------------------


def _start_sentry(**more: Any) -> None:  # noqa: ANN401 # Sentry's own options, for tests
    import sentry_sdk
    from sentry_sdk.integrations.celery import CeleryIntegration
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.utils import BadDsn

    try:
        sentry_sdk.init(
            dsn=settings.SENTRY_DSN,
            environment=settings.MODE,
            default_integrations=False,
            integrations=[DjangoIntegration(), CeleryIntegration()],
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            before_send=scrubbed,  # type: ignore[arg-type] # a dict is what it is
            **more,
        )
    except BadDsn as error:
        raise ImproperlyConfigured("SENTRY_DSN must look like https://key@sentry.example.com/1") from error


def scrubbed(event: dict[str, Any], _hint: Mapping[str, Any]) -> dict[str, Any]:
    """The event without personal data."""
    request = event.get("request")
    if isinstance(request, dict):
        parts = {name: request[name] for name in _REQUEST_PARTS if name in request}
        event["request"] = parts | {"url": _path_only(str(parts.get("url", "")))}
    event.pop("user", None)
    event.pop("extra", None)
    return _masked(event)  # type: ignore[no-any-return] # a dict in, a dict out


def _path_only(url: str) -> str:
    return _CHALLENGE.sub(r"\1{id}", url.partition("?")[0])


def _masked(value: Any) -> Any:  # noqa: ANN401 # any JSON
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value


# OpenTelemetry ----------------------------------------------------------------------------------------


def _start_tracing() -> None:
    """Requests, tasks, statements and calls to providers as spans. The exporter reads OTEL_* by itself."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.celery import CeleryInstrumentor
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": settings.OTEL_SERVICE_NAME}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(response_hook=drop_query)
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call] # not annotated
    PsycopgInstrumentor().instrument()
    trace_calls(provider.get_tracer("authsvc"))


def trace_calls(tracer: "Tracer") -> None:
    """From now on a span for each call of another server: whom, how and the status, of the URL nothing else."""
    from opentelemetry.trace import SpanKind

    exchange = HttpClient.exchange

    def traced(self: HttpClient, origin: Origin, request: bytes, until: float) -> Answer:
        method = request.partition(b" ")[0].decode()
        named: dict[str, str | int] = {
            "http.request.method": method, "server.address": origin.host, "server.port": origin.port,
        }  # fmt: skip
        with tracer.start_as_current_span(method, kind=SpanKind.CLIENT, attributes=named) as span:
            answer = exchange(self, origin, request, until)
            span.set_attribute("http.response.status_code", answer.status)
            return answer

    HttpClient.exchange = traced  # type: ignore[method-assign] # as instrumentations do


def drop_query(span: Any, request: Any, _response: Any) -> None:  # noqa: ANN401 # OpenTelemetry's signature
    """Replaces the URLs that the instrumentation recorded by the path alone."""
    attributes = getattr(span, "attributes", None) or {}
    for name in _URL_ATTRIBUTES:
        if name in attributes:
            span.set_attribute(name, _path_only(request.path))
