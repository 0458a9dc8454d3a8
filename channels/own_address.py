"""Whether our own public address can be called from outside: asked through the guard of all outgoing calls.

What answers here may still not answer there: a firewall, or a name that only our network knows. What does not answer
here is named with its reason, and an address that we may not call is said to be unknown, not to be wrong.
"""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from django.conf import settings

from channels.findings import Finding, Level, fail, warn
from channels.provider import Question
from core import http, outgoing
from core.errors import CallFailed

_CERTIFICATE = "certificate: "  # how core.http begins its detail


class _Unanswered(Exception):
    """Our address did not answer; carries the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def findings(public_url: str, client: http.HttpClient, *, path: str = "/healthz") -> Iterator[Finding]:
    """Nothing when the address answers as ours."""
    yield from ask_with(public_url, client, lambda ask: _health(ask, path))


def ask_with(
    public_url: str, client: http.HttpClient, questions: Callable[[Question], Iterator[Finding]]
) -> Iterator[Finding]:
    """What `questions` finds, asking our address; one finding instead when it cannot be asked."""
    if problem := _unusable(public_url):
        yield problem
    if not public_url or (problem and problem.level is Level.FAIL):
        return
    try:
        yield from questions(_question(public_url, client))
    except _Unanswered as error:
        yield error.finding


def _health(ask: Question, path: str) -> Iterator[Finding]:
    status, _text = ask(path)
    if status != 200:
        yield fail(f"our own address answers {path} with {status}", "Check the proxy and ALLOWED_HOSTS.")


def _unusable(public_url: str) -> Finding | None:
    if not public_url:
        return warn("AUTHSVC_PUBLIC_URL is not set: reports come to the address people use", "Set it.")
    if not public_url.startswith("https://"):
        line = warn if settings.INSECURE_HTTP else fail
        return line(
            f"{public_url} is not https: providers post their reports to https addresses only",
            "Put it behind TLS, and set AUTHSVC_PUBLIC_URL to the https address.",
        )
    return None


def _question(public_url: str, client: http.HttpClient) -> Question:
    def ask(path: str) -> tuple[int, str]:
        try:
            answer = client.get(public_url + path, headers={"Accept": "*/*"})
        except CallFailed as error:
            raise _Unanswered(unreachable(public_url, error)) from error
        except http.AnswerLost as error:
            raise _Unanswered(_silent(public_url, str(error))) from error
        return answer.status, answer.body.decode(errors="replace")

    return ask


def unreachable(public_url: str, error: CallFailed) -> Finding:
    """Why our own address could not be called, in words."""
    host = urlsplit(public_url).hostname or public_url
    if error.code in (outgoing.NOT_PUBLIC, outgoing.ODD_URL):
        return warn(
            f"whether {host} can be reached from outside is not known: this server may not call that address",
            "Its name leads to an address that is not public. See from outside that it answers /healthz.",
        )
    if error.detail.startswith(_CERTIFICATE):
        why = error.detail.removeprefix(_CERTIFICATE)
        return fail(
            f"the certificate of {host} is not valid: {why}",
            "Providers refuse it, too. Install a certificate of a public authority with its whole chain.",
        )
    return _silent(public_url, error.detail)


def _silent(public_url: str, detail: str) -> Finding:
    return fail(
        f"{public_url} cannot be reached: {detail}",
        "Check DNS, firewall and proxy: the provider has to reach this address from outside.",
    )
