"""Files with clients."""

from pathlib import Path
from typing import Any

import yaml

from tests.ops.configfile.support import Result

SECRET = "a-secret-of-the-file-that-nobody-guesses"
WEB: dict[str, Any] = {
    "client_id": "acme-web",
    "client_type": "public",
    "redirect_uris": ["https://acme.example/callback"],
    "post_logout_redirect_uris": ["https://acme.example/"],
}
SERVER: dict[str, Any] = {
    "client_id": "acme-server",
    "client_type": "confidential",
    "client_secret": SECRET,
    "redirect_uris": ["https://server.example/callback"],
}


def text(*listed: dict[str, Any], slug: str = "acme", more: str = "") -> str:
    project = {
        "slug": slug,
        "name": slug.capitalize(),
        "default": slug == "acme",
        "login_methods": {"verify_phone_by": "sms_only"},
        "countries": {"allowed": "all"},
        "sms": {"provider": "memory"},
        "clients": list(listed),
    }
    return str(yaml.safe_dump({"projects": [project]})) + more


def apply(tmp_path: Path, *listed: dict[str, Any], **more: Any) -> Result:
    return Result(text(*listed, **more), tmp_path)


def lines(result: Result) -> list[str]:
    assert (result.code, result.err) == (0, "")
    return [line for line in result.out.splitlines() if ".clients." in line or line == "nothing to change"]
