"""D11: what `apply` refuses the admin refuses, and the other way round, in the same words."""

import html
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from pytest_django import Settings

from channels.models import Sender
from oidc.models import Client as Application
from projects.config import projects
from projects.models import Project, TestNumber
from tests import factories
from tests.console import client_pages
from tests.console.form_and_file import KEYS, by_file, by_form, short_project
from tests.ops.configfile.support import Result
from users.models import User

pytestmark = pytest.mark.django_db
SID, SERVICE = "AC" + "0" * 31 + "1", "MG" + "0" * 31 + "2"
WHATSAPP = {
    "provider": "meta", "phone_number_id": "100200300", "business_account_id": "500400300", "access_token": "token-1",
    "app_secret": "secret-1", "verify_token": "verify-1", "template_name": "one_time_password", "template_languages": ["en", "pt_BR"],
}  # fmt: skip
TWILIO = {"provider": "twilio", "account_sid": SID, "auth_token": "token-2", "from_number": "+15005550006"}
GATEWAY = {"provider": "http", "url": "https://gateway.example.com/send", "signing_secret": "secret-2"}
WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    # whatsapp
    *[(WHATSAPP, {field: ""}, field) for field in ("phone_number_id", "business_account_id", "access_token", "app_secret")],
    *[(WHATSAPP, {field: value}, field) for field in ("phone_number_id", "business_account_id")
      for value in ("abc", "+100200", "100 200", "１２３", "1" * 65, "12-34")],
    *[(WHATSAPP, {field: value}, field) for field in ("access_token", "app_secret", "verify_token", "app_secret_previous")
      for value in ("two words", "tök€n")],
    *[(WHATSAPP, {"template_name": value}, "template_name") for value in ("One Time", "code!", "ALLCAPS", "a" * 513)],
    *[(WHATSAPP, {"template_languages": [value]}, "template_languages") for value in ("english", "EN", "en-US", "pt_br", "12")],
    (WHATSAPP, {"template_languages": []}, "template_languages"),
    (WHATSAPP, {"provider": "twilio"}, "provider"),
    # twilio
    *[(TWILIO, {field: ""}, field) for field in ("account_sid", "auth_token", "from_number")],
    *[(TWILIO, {"account_sid": value}, "account_sid") for value in ("AC1", "XX" + "0" * 32, SERVICE, "AC" + "g" * 32, SID + "0", f" {SID[1:]}")],
    *[(TWILIO, {"from_number": "", "messaging_service_sid": value}, "messaging_service_sid") for value in ("MG1", SID, "MG" + "z" * 32)],
    (TWILIO, {"messaging_service_sid": SERVICE}, "from_number"),
    *[(TWILIO, {"from_number": value}, "from_number") for value in ("+0123456789", "+15", "12", "TwelveLetters", "!!", "+1 500 555 0006")],
    (TWILIO, {"auth_token": "two words"}, "auth_token"),
    (TWILIO, {"url": "https://gateway.example.com/"}, "url"),
    (TWILIO, {"signing_secret": "x"}, "signing_secret"),
    (TWILIO, {"provider": "meta"}, "provider"),
    (TWILIO, {"provider": "console"}, "provider"),
    # gateway
    *[(GATEWAY, {field: ""}, field) for field in ("url", "signing_secret")],
    *[(GATEWAY, {"url": value}, "url") for value in (
        "http://gateway.example.com/", "https://169.254.169.254/", "https://user:pw@gateway.example.com/", "https://localhost/",
        "https://gateway.example.com/#x", "https://2130706433/", "ftp://gateway.example.com/", "gateway.example.com", "https://",
        "https://[::ffff:10.0.0.1]/", "https://metadata.google.internal/", "https://gate way.example.com/",
    )],
    (GATEWAY, {"signing_secret": "two words"}, "signing_secret"),
    (GATEWAY, {"account_sid": SID}, "account_sid"),
]  # fmt: skip


@pytest.fixture
def admin(client: Client) -> Client:
    factories.make_project()
    client.force_login(User.objects.create_superuser("root", "a long enough password"))
    return client


@pytest.fixture(autouse=True)
def _production(settings: Settings) -> None:
    settings.PRODUCTION, settings.INSECURE_HTTP = True, False
    settings.AUTHSVC_OUTGOING_ALLOW = []


def _channel(values: dict[str, Any]) -> str:
    return "whatsapp" if "phone_number_id" in values else "sms"


@pytest.mark.parametrize(
    ("right", "change", "field"),
    WRONG,
    ids=lambda value: str(value)[:60] if isinstance(value, dict) and len(value) < 3 else "",
)
def test_a_sender_is_refused_by_form_and_file_in_the_same_words(
    right: dict[str, Any], change: dict[str, Any], field: str, admin: Client, tmp_path: Path
) -> None:
    """D11."""
    values = right | change
    before = list(Sender.objects.order_by("pk").values())

    said = by_form(admin, _channel(right), values)
    lines = by_file(tmp_path, _channel(right), values)

    assert field in said, said
    assert list(Sender.objects.order_by("pk").values()) == before
    sentences = {line.partition(": ")[2] for line in lines if line.startswith(KEYS.get(field, field))}
    shown = {
        sentence.rpartition(": ")[2] if field == "template_languages" else sentence
        for sentence in said[field]
    }
    if field == "template_languages":  # an entry that is wrong has a path of its own in the file
        assert shown <= {sentence.rpartition(": ")[2] for sentence in sentences}, (shown, sentences)
    elif field == "provider":
        assert all("must be one of" in sentence for sentence in (*shown, *sentences)), (shown, sentences)
    else:
        assert shown == sentences, (shown, lines)


@pytest.mark.parametrize(
    "change",
    [
        WHATSAPP, TWILIO, GATEWAY, TWILIO | {"from_number": "Acme"}, TWILIO | {"from_number": "12345"},
        TWILIO | {"from_number": "", "messaging_service_sid": SERVICE}, WHATSAPP | {"template_languages": ["en", "fil", "zh_HK"]},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_right_is_taken_by_both(change: dict[str, Any], admin: Client, tmp_path: Path) -> None:
    """D11: the same beginning with the other end."""
    assert by_file(tmp_path, _channel(change), change) == []
    Sender.objects.filter(project__isnull=False).delete()
    assert by_form(admin, _channel(change), change) == {}
    assert Sender.objects.filter(project__isnull=False, is_active=True).count() == 1


@pytest.mark.parametrize("channel", ["whatsapp", "sms"])
def test_providers_that_send_nothing_are_for_development(
    channel: str, admin: Client, tmp_path: Path, settings: Settings
) -> None:
    """D11."""
    said = by_form(admin, channel, {"provider": "memory"})["provider"][0]
    lines = by_file(tmp_path, channel, {"provider": "memory"})
    assert f"provider: {said}" in lines

    settings.PRODUCTION = False
    assert by_form(admin, channel, {"provider": "memory"}) == {}


def test_a_provider_that_takes_anothers_place_leaves_its_fields_behind(admin: Client) -> None:
    """D11: no need to empty by hand what the other one cannot use."""
    assert by_form(admin, "sms", TWILIO) == {}
    sender = Sender.objects.get(provider="twilio")
    form = {
        **{f"twilio_{name}": value for name, value in TWILIO.items()},
        **{f"http_{name}": value for name, value in GATEWAY.items()},
        "twilio_auth_token": "",
        "provider": "http",
        "channel": "sms",
        "project": str(sender.project_id),
        "is_active": "on",
    }

    answer = admin.post(f"/admin/channels/sender/{sender.pk}/change/", form)

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    sender.refresh_from_db()
    assert (sender.provider, sender.settings) == ("http", {"url": GATEWAY["url"]})
    assert sender.secrets == {"signing_secret": GATEWAY["signing_secret"]}


# Test numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "code", "field"),
    [
        ("12", "424242", "phone"),
        ("+15005550199999999", "424242", "phone"),
        ("nonsense", "424242", "phone"),
        ("+15005550199", "42424", "code"),
        ("+15005550199", "42424242424", "code"),
        ("+15005550199", "42424a", "code"),
        ("+15005550199", "４２４２４２", "code"),
        ("+15005550199", "", "code"),
    ],
)
def test_a_test_number_is_refused_by_both_in_the_same_words(
    phone: str, code: str, field: str, admin: Client, tmp_path: Path
) -> None:
    """D11."""
    project = str(Project.objects.get().pk)
    form = {"project": project, "phone": phone, "code": code, "until": "2030-01-31"}
    answer = admin.post("/admin/projects/testnumber/add/", form)
    (sentence,) = answer.context["adminform"].form.errors[field]
    entry = {name: value for name, value in (("phone", phone), ("code", code)) if value}
    document = {"projects": [short_project() | {"test_numbers": [entry | {"until": _day()}]}]}
    result = Result(yaml.safe_dump(document), tmp_path)

    assert f"projects[0].test_numbers[0].{field}: {sentence}" in result.err.splitlines()
    assert not TestNumber.objects.exists()


def _day() -> Any:
    from datetime import date

    return date(2030, 1, 31)


# Clients --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"client_id": "with spaces"}, "client_id"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["http://a.example/"]}, "redirect_uris"),
        ({"redirect_uris": ["https://u:p@a.example/"]}, "redirect_uris"),
        ({"post_logout_redirect_uris": ["javascript:alert(1)"]}, "post_logout_redirect_uris"),
        ({"origins": ["https://a.example/path"]}, "origins"),
        ({"backchannel_logout_uri": "http://a.example/"}, "backchannel_logout_uri"),
        ({"backchannel_logout_uri": "https://169.254.169.254/"}, "backchannel_logout_uri"),
        ({"backchannel_logout_uri": "https://[::1]/"}, "backchannel_logout_uri"),
        ({"backchannel_logout_uri": "https://2130706433/"}, "backchannel_logout_uri"),
        ({"pkce_required": False}, "pkce_required"),
        ({"jwks": json.loads(factories.public_jwks())}, "jwks"),
        ({"scopes": ["phone"]}, "scopes"),
    ],
)  # fmt: skip
def test_a_client_is_refused_by_both_in_the_same_words(
    change: dict[str, Any], field: str, admin: Client, tmp_path: Path
) -> None:
    """D11."""
    columns = {"origins": "allowed_origins"}
    right: dict[str, Any] = {
        "client_id": "acme-web",
        "client_type": "public",
        "redirect_uris": ["https://acme.example/callback"],
    }
    form = {columns.get(name, name): _typed(value) for name, value in (right | change).items()}
    project = Project.objects.get()
    said = client_pages.errors(admin, projects.get().by_id[project.id], **form)
    document = {"projects": [short_project() | {"clients": [right | change]}]}
    result = Result(yaml.safe_dump(document), tmp_path)

    lines = [line for line in result.err.splitlines() if f"clients[0].{field}" in line]
    sentences = {line.partition(": ")[2] for line in lines}
    shown = {html.unescape(line.rpartition(": ")[2]) for line in said[columns.get(field, field)]}
    assert shown == {sentence.rpartition(": ")[2] for sentence in sentences}, (said, result.err)
    assert not Application.objects.exists()


def _typed(value: Any) -> Any:
    if isinstance(value, list):
        return value if value == ["phone"] else "\n".join(value)
    if isinstance(value, dict):
        return json.dumps(value)
    return None if value is False else value
