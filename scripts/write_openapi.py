"""Writes docs/openapi.yaml: what /api/schema/ serves, so that a review shows each change of the public API."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "openapi.yaml"


def text() -> str:
    """The document as YAML. Needs configured settings."""
    from drf_spectacular.renderers import OpenApiYamlRenderer

    from api.schema import document

    rendered: bytes = OpenApiYamlRenderer().render(document())  # type: ignore[no-untyped-call] # not annotated
    return rendered.decode()


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("AUTHSVC_MODE", "test")
    os.environ.setdefault("DATABASE_URL", "sqlite:///:memory:")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")
    import django

    django.setup()
    FILE.write_text(text())


if __name__ == "__main__":
    main()
