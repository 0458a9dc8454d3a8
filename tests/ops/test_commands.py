"""The small commands as an operator types them: what they print, where, and how they end."""

import base64
import os
from io import StringIO
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from channels.models import Sender
from ops import keys
from otp.renumber import Move
from tests import factories

SECRETS = ("first-secret-of-forty-characters-and-more", "second-secret-of-forty-characters-and-mor")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, what is printed, and what is said beside it."""
    code = 0
    try:
        call_command(*arguments)
    except SystemExit as leaving:
        code = int(str(leaving.code))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    "arguments",
    [
        ("apply",), ("apply", "a.yaml", "b.yaml"), ("apply", "--dry-run", "a.yaml"), ("export", "file.yaml"), ("export", "--secrets"),
        ("keys", "--derived", "--rotate", "encryption"), ("keys", "--rotate"), ("keys", "--rotate", "secret"), ("keys", "encryption"),
        ("rotate_keys", "--all"), ("renumber", "+85251234567"), ("send_test_code",), ("send_test_code", "+85251234567", "--wait", "long"),
        ("send_test_code", "+85251234567", "--channel", "telegram"), ("send_test_code", "+85251234567", "+85251234568"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_before_anything_is_done(arguments: tuple[str, ...]) -> None:
    """Without a database: nothing was asked of one."""
    with pytest.raises(CommandError) as refused:
        call_command(*arguments)

    assert str(refused.value).startswith("Error: ")


# keys -----------------------------------------------------------------------------------------------


@pytest.fixture
def derived(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has set nothing but its secret."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = SECRETS[0], [SECRETS[1]]
    for name in (keys.OTP, keys.ENCRYPTION):
        monkeypatch.delenv(name, raising=False)


def variables(out: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in out.splitlines())


def test_new_keys_are_lines_of_an_environment_file(derived: None, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "keys")

    made = variables(out)
    assert (code, err) == (0, "")
    assert list(made) == ["SECRET_KEY", "AUTHSVC_OTP_KEYS", "AUTHSVC_ENCRYPTION_KEYS"]
    assert not any(character in "".join(made.values()) for character in " \"'$#\\")
    assert variables(run(capsys, "keys")[1]) != made


def test_derived_keys_are_printed_as_they_are_used_today(
    derived: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "keys", "--derived")

    assert (code, err) == (0, "")
    assert variables(out) == keys.pin({}, SECRETS)
    assert run(capsys, "keys", "--derived")[1] == out


@pytest.mark.parametrize(("present", "printed"), [(keys.OTP, keys.ENCRYPTION), (keys.ENCRYPTION, keys.OTP)])
def test_a_key_that_is_set_is_not_derived(
    present: str,
    printed: str,
    derived: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(present, "set")

    assert list(variables(run(capsys, "keys", "--derived")[1])) == [printed]


def test_where_no_key_is_derived_there_is_a_sentence_and_no_line(
    derived: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (keys.OTP, keys.ENCRYPTION):
        monkeypatch.setenv(name, "set")

    assert run(capsys, "keys", "--derived") == (
        0,
        "",
        "no key is derived: AUTHSVC_OTP_KEYS and AUTHSVC_ENCRYPTION_KEYS are set\n",
    )


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("one-time-codes", ["AUTHSVC_OTP_KEYS"]),
        ("encryption", ["AUTHSVC_ENCRYPTION_KEYS"]),
        ("secret-key", ["AUTHSVC_OTP_KEYS", "AUTHSVC_ENCRYPTION_KEYS", "SECRET_KEY", "SECRET_KEY_FALLBACKS"]),
    ],
)
def test_a_rotation_prints_all_that_has_to_be_set_with_it(
    word: str, names: list[str], derived: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "keys", "--rotate", word)

    made = variables(out)
    assert (code, list(made)) == (0, names)
    pinned = keys.pin({}, SECRETS)
    if word == "secret-key":
        assert made["SECRET_KEY_FALLBACKS"] == ",".join(SECRETS)
        assert {name: made[name] for name in pinned} == pinned
    else:
        assert made[names[0]].endswith(f",{pinned[names[0]]}")


def test_rotated_twice_every_older_key_still_stands_behind(
    derived: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        monkeypatch.setenv(
            keys.ENCRYPTION, variables(run(capsys, "keys", "--rotate", "encryption")[1])[keys.ENCRYPTION]
        )

    words = os.environ[keys.ENCRYPTION].split(",")
    assert (len(words), len(set(words))) == (4, 4)
    assert words[2:] == keys.pin({}, SECRETS)[keys.ENCRYPTION].split(",")
    assert [len(base64.urlsafe_b64decode(word)) for word in words] == [32] * 4


# export and rotate_keys -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_empty_installation_is_exported_as_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "export") == (0, "projects: []\n", "")


@pytest.mark.django_db
def test_an_export_holds_no_secret_and_only_what_is_active(capsys: pytest.CaptureFixture[str]) -> None:
    project = factories.make_project(senders=False)
    factories.make_client(project, secret="s3cret-of-a-client-that-is-long-enough")
    factories.make_client(project, client_id="off", is_active=False)
    factories.make_sender(
        "whatsapp", provider="meta", access_token="s3cret-1", app_secret="s3cret-2", business_account_id="1"
    )
    factories.make_sender("sms", provider="twilio", is_active=False, auth_token="s3cret-3", account_sid="AC1")

    code, out, err = run(capsys, "export")

    document: dict[str, Any] = yaml.safe_load(out)
    assert (code, err) == (0, "")
    assert list(document) == ["shared", "projects"]
    assert list(document["shared"]) == ["whatsapp"]
    assert [client["client_id"] for client in document["projects"][0]["clients"]] == ["acme-web"]
    for word in ("s3cret", "secret", "token", "off"):
        assert word not in out


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("configured", "arguments", "code", "counts"),
    [
        ("new", (), 0, "1 current, 0 re-encrypted"),
        ("new,old", ("--check",), 0, "1 current, 0 to re-encrypt"),
        ("old,new", ("--check",), 3, "0 current, 1 to re-encrypt"),
        ("old,new", (), 0, "0 current, 1 re-encrypted"),
        ("old", (), 1, "0 current, 0 re-encrypted, 1 unreadable"),
        ("old", ("--check",), 1, "0 current, 0 to re-encrypt, 1 unreadable"),
    ],
)
def test_rotating_stored_secrets_counts_them_and_ends_as_it_went(
    configured: str,
    arguments: tuple[str, ...],
    code: int,
    counts: str,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = {name: Fernet.generate_key().decode() for name in ("old", "new")}
    settings.AUTHSVC_ENCRYPTION_KEYS = [made["new"]]
    factories.make_sender("sms", access_token="s3cret")
    settings.AUTHSVC_ENCRYPTION_KEYS = [made[name] for name in configured.split(",")]

    ended, out, err = run(capsys, "rotate_keys", *arguments)

    assert (ended, f"channels.Sender.secrets: {counts}\n" in out) == (code, True)
    line = "1 secrets cannot be decrypted: add their key, or enter them again in the admin\n"
    assert err == (line if "unreadable" in counts else "")
    settings.AUTHSVC_ENCRYPTION_KEYS = [made["new"]]
    if code == 0:
        settings.AUTHSVC_ENCRYPTION_KEYS = [made[configured.split(",", maxsplit=1)[0]]]
        assert Sender.objects.get().secrets == {"access_token": "s3cret"}


# renumber -------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("arguments", "word"), [((), "moved"), (("--check",), "would move")])
def test_moved_numbers_are_counted_by_kind_and_collisions_named_without_whole_numbers(
    arguments: tuple[str, ...], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    moves = [
        Move(kind="users", project="acme", id="u1", old="+24107123456", new="+2417123456", holder=""),
        Move(kind="users", project="acme", id="u2", old="+24107123457", new="+2417123457", holder="u9"),
        Move(kind="test numbers", project="acme", id="7", old="+24107123458", new="+2417123458", holder=""),
    ]

    def renumber(*, only_check: bool) -> list[Move]:
        asked.append(only_check)
        return moves

    monkeypatch.setattr("ops.management.commands.renumber.renumber", renumber)
    out = StringIO()
    call_command("renumber", *arguments, stdout=out)

    first, *lines = out.getvalue().splitlines()
    assert asked == [bool(arguments)]
    assert first.startswith("collision: users of acme: u2 (")
    assert first.endswith(") are the same number; both are left as they are")
    assert "123457" not in first
    assert lines == [
        f"users: 1 {word}, 1 left",
        f"test numbers: 1 {word}",
        f"running challenges: 0 {word}",
        f"records of numbers: 0 {word}",
    ]


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "3601", "soon", ""])
def test_a_wait_without_an_end_is_refused(seconds: str) -> None:
    """`nan` once waited for ever."""
    with pytest.raises(CommandError, match="must be seconds from 0 to 3600"):
        call_command("send_test_code", "+85251234567", f"--wait={seconds}")
