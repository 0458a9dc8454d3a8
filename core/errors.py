"""Errors that more than one app raises.

DomainError   what a user, a caller or a limit can bring about: expected, and never a bug
CallFailed    an outgoing call of which nothing reached the other side (core.http)
"""

from enum import StrEnum


class DomainError(Exception):
    """`code` is stable and public; the HTTP status is decided in one handler (api.problems)."""

    code = "error"


class CallProblem(StrEnum):
    UNREACHABLE = "unreachable"  # no connection within the time
    UNUSABLE = "unusable"  # cannot be put on the wire: a line break in a header, a URL without a host
    REFUSED = "refused"  # the address is none that this service may call (core.outgoing)


class CallFailed(Exception):
    """Nothing was sent, so the same call may be made again. `code` says which rule refused the address."""

    def __init__(self, problem: CallProblem, *, code: str = "", detail: str = "") -> None:
        super().__init__(": ".join(part for part in (problem.value, code, detail) if part))
        self.problem = problem
        self.code = code
        self.detail = detail
