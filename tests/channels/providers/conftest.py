"""The client by which providers are called, with the address that tests of Meta answer at."""

from collections.abc import Iterator
from typing import Any

import pytest

from core import http


@pytest.fixture
def client(settings: Any) -> Iterator[http.HttpClient]:
    settings.PROVIDER_API_URLS = {"whatsapp": "https://graph.example/v26.0"}
    client = http.HttpClient()
    yield client
    client.close()
