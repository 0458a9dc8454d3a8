"""Questions to a provider about a sender: do its credentials, number, template and webhook work? Sends no message."""

from collections.abc import Iterator, Mapping

from channels import code_life as code_lives
from channels.base import SenderConfig
from channels.errors import SendError
from channels.findings import Finding, fail, warn
from channels.providers import PROVIDERS
from core import http


def check_sender(
    sender: SenderConfig, *, public_url: str, client: http.HttpClient | None = None
) -> list[Finding]:
    """All that its provider can tell of it. `public_url`: our origin, "" when unknown. Never raises for the network."""
    check = PROVIDERS[sender.provider].check
    return list(guarded(check(sender, public_url, client or http.shared())))


def guarded(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings, and one more instead of an exception when the provider cannot be reached."""
    try:
        yield from findings
    except (SendError, http.AnswerLost) as error:
        yield fail(
            f"the provider cannot be reached: {error}", "Check DNS, firewall and proxy of this machine."
        )


def code_life(
    valid_seconds: int, *, project: str, template: str, minutes: Mapping[str, int | None]
) -> Iterator[Finding]:
    """Whether a code of this project lives as long as the template says in each language."""
    for template_minutes, languages in code_lives.differing(valid_seconds, minutes).items():
        yield warn(
            f"a code of {project} lives {valid_seconds} s, and the template {template} says {template_minutes} minutes "
            f"in {', '.join(languages)}",
            f"Set valid_seconds to {template_minutes * 60}, or make the template with "
            f"{max(valid_seconds // 60, 1)} minutes.",
        )
