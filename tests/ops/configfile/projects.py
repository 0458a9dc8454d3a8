"""A short project, changed, and what is wrong with it then."""

from typing import Any

import yaml

from ops.configfile import schema

PROJECT: dict[str, Any] = {"slug": "acme", "name": "Acme", "countries": {"allowed": ["HK"]}}
CLIENT: dict[str, Any] = {
    "client_id": "web",
    "client_type": "public",
    "redirect_uris": ["https://a.example/"],
}


def problems(text: str) -> list[str]:
    try:
        schema.read(text)
    except schema.Refused as refused:
        return refused.problems
    return []


def of_project(**changes: Any) -> list[str]:
    """The problems of one project, without the path to it."""
    content = {"projects": [PROJECT | changes]}
    return [line.removeprefix("projects[0].") for line in problems(yaml.safe_dump(content))]


def project(**changes: Any) -> schema.ProjectSpec:
    return schema.read(yaml.safe_dump({"projects": [PROJECT | changes]})).projects[0]


def written(key: str, value: str) -> list[str]:
    """The problems of a project in which a key has exactly these characters."""
    head = "projects:\n  - slug: acme\n    name: Acme\n    countries: {allowed: [HK]}\n"
    text = head.replace(f"{key}: Acme", f"{key}: {value}") if key == "name" else f"{head}    {key}: {value}\n"
    return [line.removeprefix("projects[0].") for line in problems(text)]
