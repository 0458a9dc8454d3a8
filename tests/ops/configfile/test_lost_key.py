"""After a restore without the old encryption key, the file types the secrets anew."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings

from channels.models import Sender
from projects.models import TestNumber
from tests.ops.configfile.example import FILE, swap
from tests.ops.configfile.support import Result

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _lost(settings: LazySettings, tmp_path: Path) -> None:
    """The file was applied, and its key is gone."""
    Result(FILE, tmp_path)
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]


def test_secrets_whose_key_is_gone_are_those_of_the_file(tmp_path: Path) -> None:
    result = Result(FILE, tmp_path)

    assert (result.code, result.err) == (0, "")
    assert "projects.acme.test_numbers.+15005550199.code: changed" in result.out
    assert "shared.sms.auth_token: changed" in result.out
    assert TestNumber.objects.get().code == "424242"
    assert Sender.objects.get(channel="sms").secrets["auth_token"] == "auth-token-value"


def test_what_the_file_leaves_out_is_asked_for(tmp_path: Path) -> None:
    without = swap("    auth_token: auth-token-value\n", "").replace(', code: "424242"', "")

    result = Result(without, tmp_path)

    assert result.code != 0
    assert "shared.sms.auth_token: " in result.err
    assert "projects[0].test_numbers[0].code: is required, none is stored yet" in result.err


def test_what_the_file_no_longer_has_goes_as_ever(tmp_path: Path) -> None:
    """The secrets of a sender that goes stay as they are: its key may come back."""
    without = FILE.replace(FILE[FILE.index("  sms:\n") : FILE.index("projects:")], "").replace(
        FILE[FILE.index("    test_numbers:") : FILE.index("    clients:")], ""
    )

    result = Result(without.replace("whatsapp_or_sms", "whatsapp_only"), tmp_path)

    assert result.code == 0, result.err
    assert not TestNumber.objects.exists()
    gone = Sender.objects.defer("secrets").get(channel="sms")
    assert not gone.is_active
