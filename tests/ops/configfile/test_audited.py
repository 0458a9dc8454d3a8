"""What a configuration file changes is in the audit log, with what was before and after. K6"""

from pathlib import Path

import pytest

from audit.models import AuditEvent
from channels.models import Sender
from oidc.models import Client
from projects.models import Project
from tests.ops.configfile.example import FILE, SECRETS, swap
from tests.ops.configfile.support import Result

pytestmark = pytest.mark.django_db
CONFIDENTIAL = swap(
    "client_type: public",
    "client_type: confidential\n        client_secret: a client secret that is long enough",
)


@pytest.fixture(autouse=True)
def _user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "deploy")


def events(file: str, tmp_path: Path, *flags: str) -> list[AuditEvent]:
    """Those that applying the file adds."""
    before = set(AuditEvent.objects.values_list("id", flat=True))
    Result(file, tmp_path, *flags)
    return list(AuditEvent.objects.exclude(id__in=before).order_by("id"))


def test_a_first_apply_adds_every_row(tmp_path: Path) -> None:
    added = events(FILE, tmp_path)

    assert {event.kind for event in added} == {"added"}
    assert {event.actor for event in added} == {"manage.py apply by deploy"}
    assert sorted(event.object_type for event in added) == [
        "channels.sender", "channels.sender", "oidc.client", "projects.domain", "projects.loginmethods",
        "projects.project", "projects.testnumber",
    ]  # fmt: skip
    project = Project.objects.get()
    assert {event.project_id for event in added} == {project.pk, None}


def test_no_secret_of_the_file_is_in_an_event(tmp_path: Path) -> None:
    """K3: neither a value nor a hash."""
    written = str([vars(event) for event in events(CONFIDENTIAL, tmp_path)])

    hashes = [row.client_secret for row in Client.objects.all()]
    for secret in (*SECRETS, "a client secret that is long enough", *hashes, "15005550199"):
        assert secret not in written, secret
    assert "secrets.access_token" in written


def test_a_change_says_what_was_before(tmp_path: Path) -> None:
    Result(FILE, tmp_path)

    (event,) = events(swap("length: 8", "length: 6"), tmp_path)

    assert (event.kind, event.object_type) == ("changed", "projects.loginmethods")
    assert (event.before, event.after) == ({"otp_length": 8}, {"otp_length": 6})


def test_an_address_behind_a_long_list_is_in_the_event(tmp_path: Path) -> None:
    many = [f"https://shop{number}.acme.example/callback" for number in range(60)]
    stranger = "https://stranger.example/callback"
    first, second = (
        swap("redirect_uris: [https://acme.example/callback]", f"redirect_uris: [{', '.join(uris)}]")
        for uris in (many, [*many[:-1], stranger])
    )
    Result(first, tmp_path)

    (event,) = events(second, tmp_path)

    assert (event.kind, event.object_name) == ("changed", "acme-web")
    assert event.before == {"redirect_uris": f"…\n{many[-1]}"}
    assert event.after == {"redirect_uris": f"…\n{stranger}"}


def test_a_new_secret_is_named(tmp_path: Path) -> None:
    Result(CONFIDENTIAL, tmp_path)

    (sender,) = events(CONFIDENTIAL.replace("auth-token-value", "another-token"), tmp_path)
    changed = CONFIDENTIAL.replace("auth-token-value", "another-token").replace(
        "long enough", "long enough too"
    )
    (client,) = events(changed, tmp_path)

    assert (sender.object_id, sender.after) == (
        str(Sender.objects.get(channel="sms").pk), {"secrets.auth_token": "changed"},
    )  # fmt: skip
    assert (client.object_type, client.after) == ("oidc.client", {"client_secret": "changed"})


def test_rows_that_go_say_what_they_were(tmp_path: Path) -> None:
    Result(FILE, tmp_path)

    gone = events(swap("domains: [login.acme.example]", "domains: [new.acme.example]"), tmp_path)

    assert [(event.kind, event.object_name) for event in gone] == [
        ("deleted", "login.acme.example"),
        ("added", "new.acme.example"),
    ]
    assert gone[0].before == {"project": "Acme", "host": "login.acme.example"}


def test_archiving_is_one_event(tmp_path: Path) -> None:
    """The service records it."""
    more = FILE + FILE[FILE.index("  - slug: acme") :].replace("acme", "beta").replace(
        "default: true", "default: false"
    )
    Result(more, tmp_path)

    archived = events(more.replace("slug: beta", "slug: beta\n    archived: true"), tmp_path)

    assert [(event.kind, event.actor) for event in archived] == [
        ("project.archived", "manage.py apply by deploy")
    ]


@pytest.mark.parametrize("flags", [("--check",), ()])
def test_what_is_not_applied_is_not_recorded(tmp_path: Path, flags: tuple[str, ...]) -> None:
    Result(FILE, tmp_path)
    change = swap("length: 8", "length: 6") if flags else swap("length: 8", "length: 99")

    assert events(change, tmp_path, *flags) == []


def test_the_same_file_again_is_no_event(tmp_path: Path) -> None:
    Result(CONFIDENTIAL, tmp_path)

    assert events(CONFIDENTIAL, tmp_path) == []
