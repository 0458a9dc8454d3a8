"""What a program is answered, before any web framework: status, headers and body."""

from dataclasses import dataclass

from django.http import HttpResponse


@dataclass(slots=True, kw_only=True)
class PlainResponse:
    """`headers`: by the names as they are written, each at most once."""

    status: int
    headers: dict[str, str]
    body: bytes

    def as_response(self) -> HttpResponse:
        response = HttpResponse(self.body, status=self.status, headers=self.headers)
        # Django would log the path of what is refused, which may hold the API's sealed id of a challenge.
        response._has_been_logged = True  # type: ignore[attr-defined] # noqa: SLF001 # django.utils.log.log_response
        return response
