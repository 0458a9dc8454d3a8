"""Whatever a file says, the database says afterwards, and its export says it again: by made-up files."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core.config_models import ConfigVersion
from ops.configfile.apply import apply
from ops.configfile.export import export
from ops.configfile.schema import FileSpec, ProjectSpec, Refused, read
from tests.ops.configfile.made_up import SLUGS, documents, written

pytestmark = pytest.mark.django_db
few = examples(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def undone() -> Iterator[None]:
    """Each example has the database as the test found it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def plain(project: ProjectSpec) -> dict[str, Any]:
    """All that an export has of a project: no secrets, and no order where there is none."""
    return {
        "name": project.name,
        "default": project.default,
        "archived": bool(project.archived),
        "domains": sorted(project.domains),
        "methods": project.methods,
        "test_numbers": sorted((item.phone, item.until) for item in project.test_numbers),
        "senders": [(item.channel, item.name, item.provider, item.values) for item in project.senders],
        "clients": sorted(
            (item.model_dump(exclude={"client_secret"}) for item in project.clients),
            key=lambda item: str(item["client_id"]),
        ),
    }


def told(spec: FileSpec) -> dict[str, dict[str, Any]]:
    return {project.slug: plain(project) for project in spec.projects}


def version() -> int:
    return sum(ConfigVersion.objects.values_list("value", flat=True))


@few
@given(document=documents(SLUGS[:3]))
def test_an_export_says_what_the_file_said(document: dict[str, Any]) -> None:
    with undone():
        spec = read(written(document))
        apply(spec)

        assert told(read(export())) == told(spec)


@pytest.mark.parametrize(
    "name",
    ["NO", "12", "1:20", "2027-01-31", "~", "null", "=", "<<", "- a", "a: b", "#1", "'", '"', "*a", "&a", "!a", "%a", "@a", "`", "|", " a ",
     "a\n b", "a\tb", "\x85", "a\u2028b", "\u2029", "\ufeff", "\x07", "👍🏽", "$1", "$"],
)  # fmt: skip
def test_a_name_is_exported_so_that_it_is_read_again(name: str) -> None:
    project = {"slug": "acme", "name": name, "countries": {"allowed": "all"}}
    apply(
        read(
            written(
                {
                    "shared": {"whatsapp": {"provider": "memory"}, "sms": {"provider": "memory"}},
                    "projects": [project],
                }
            )
        )
    )

    assert read(export()).projects[0].name == name


@few
@given(document=documents(SLUGS[2:]))
def test_neither_the_same_file_nor_its_export_changes_anything(document: dict[str, Any]) -> None:
    with undone():
        text = written(document)
        apply(read(text))
        stored, before = export(), version()

        for again in (text, stored):
            report = apply(read(again))
            assert (report.changes, report.problems) == ([], [])
        assert (export(), version()) == (stored, before)


@few
@given(first=documents(SLUGS[:4]), second=documents(SLUGS[:4]))
def test_of_what_it_names_the_second_file_is_the_whole_truth(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    with undone():
        apply(read(written(first)))
        spec = read(written(second))
        apply(spec)

        assert told(read(export())) == told(spec)


@few
@given(first=documents(SLUGS[:3]), second=documents(SLUGS[:3]))
def test_check_says_what_would_change_line_by_line_and_changes_nothing(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    with undone():
        apply(read(written(first)))
        stored, before = export(), version()

        foretold = apply(read(written(second)), check=True)
        assert (export(), version()) == (stored, before)

        done = apply(read(written(second)))
        assert (done.changes, done.notes) == (foretold.changes, foretold.notes)
        assert len(set(done.changes)) == len(done.changes)


@few
@given(first=documents(SLUGS[:2]), second=documents(SLUGS[:2]), data=st.data())
def test_a_file_with_one_thing_wrong_at_the_end_changes_nothing(
    first: dict[str, Any], second: dict[str, Any], data: st.DataObject
) -> None:
    """What the database alone can refuse: a secret that is not stored, in the last client of the last project."""
    with undone():
        apply(read(written(first)))
        stored, before = export(), version()
        last = second["projects"][-1]
        last["clients"] = [
            *last["clients"],
            {"client_id": "late", "client_type": "confidential", "redirect_uris": ["https://a.example/"]},
        ]

        with pytest.raises(Refused) as refused:
            apply(read(written(second)), check=data.draw(st.booleans()))

        number = len(last["clients"]) - 1
        assert refused.value.problems == [
            f"projects[1].clients[{number}].client_secret: is required, none is stored yet"
        ]
        assert (export(), version()) == (stored, before)
