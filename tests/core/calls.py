"""One call as the tests of the HTTP client make it."""

from core import http as subject

HEADERS = {"Authorization": "Bearer a-secret-token", "Content-Type": "application/json"}
LATE = 2.0  # far above QUICK, far below a wait that has no limit
PUBLIC = "93.184.215.14"  # an address of the internet; no test calls it


def post(client: subject.HttpClient, url: str) -> subject.Answer:
    return client.post(url, content=b'{"a": 1}', headers=HEADERS)
