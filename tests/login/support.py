"""Small things that tests of the pages share."""

import re
from typing import Any

from projects.models import LoginMethods


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


def allow(**fields: Any) -> None:
    methods = LoginMethods.objects.get()
    for name, value in fields.items():
        setattr(methods, name, value)
    methods.save()
