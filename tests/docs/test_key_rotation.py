"""The three rotations of the runbook from start to end, as an operator does them (field fault D7)."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, clean_environment

pytestmark = pytest.mark.processes

_SECTION = re.compile(r"## Rotate keys\n(.*?)\n## ", re.DOTALL)
_COMMAND = re.compile(r"^(\./manage\.py .*)$", re.MULTILINE)

# What an installation keeps: a secret of a sender and a challenge whose code is under way.
_STORE = """
import json, uuid
from django.utils import timezone
from channels.models import Sender
from otp import codes
from django.conf import settings
Sender.objects.create(channel="sms", provider="twilio", secrets={"auth_token": "a-stored-secret"})
key_id = next(iter(settings.AUTHSVC_OTP_KEYS))
challenge_id = uuid.uuid4()
code = codes.derive(challenge_id=challenge_id, key_id=key_id, length=6, keys=settings.AUTHSVC_OTP_KEYS)
print(json.dumps([str(challenge_id), code]))
"""
_READ = """
import json, uuid
from channels.models import Sender
from otp import codes
from django.conf import settings
challenge_id, code = {challenge!r}
right = codes.matching_keys(code=code, challenge_id=uuid.UUID(challenge_id), keys=settings.AUTHSVC_OTP_KEYS)
print(json.dumps([Sender.objects.get().secrets["auth_token"], bool(right)]))
"""


class Operator:
    """Somebody at the shell of an installation, with its environment in hand. Remembers what they ran."""

    def __init__(self, folder: Path, challenge: tuple[str, str] | None = None) -> None:
        self.environment = {
            "AUTHSVC_MODE": "production",
            "ALLOWED_HOSTS": "login.example.com",
            "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJ",
            "DATABASE_URL": f"sqlite:///{folder}/authsvc.sqlite3",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "AUTHSVC_VAR": str(folder),
        }
        self.commands: list[str] = []
        if challenge is None:
            self._manage("migrate", "--verbosity", "0")
            challenge = json.loads(self._manage("shell", "--verbosity", "0", "-c", _STORE))
        self.challenge = challenge

    def _manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=clean_environment(**self.environment), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, command: str) -> dict[str, str]:
        """Run a line of the runbook; the lines of an environment that it printed."""
        self.commands.append(command)
        printed = self._manage(*command.split()[1:])
        return dict(line.split("=", 1) for line in printed.splitlines() if re.match(r"[A-Z_]+=", line))

    def keep_first(self, name: str) -> None:
        self.environment[name] = self.environment[name].split(",")[0]

    def reads(self) -> tuple[str, bool]:
        """The stored secret, and whether the code from before is still right."""
        secret, right = json.loads(
            self._manage("shell", "--verbosity", "0", "-c", _READ.format(challenge=self.challenge))
        )
        return secret, right


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, str]]:
    """A database in which everything was written with keys that are derived from SECRET_KEY, as after a first start."""
    folder = tmp_path_factory.mktemp("installation")
    return folder, Operator(folder).challenge


@pytest.fixture
def operator(installation: tuple[Path, tuple[str, str]], tmp_path: Path) -> Operator:
    folder, challenge = installation
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return Operator(tmp_path, challenge)


def test_d7_the_three_rotations_of_the_runbook(operator: Operator) -> None:
    # One-time codes.
    operator.environment |= operator.run("./manage.py keys --rotate one-time-codes")
    assert operator.environment["AUTHSVC_OTP_KEYS"].count(":") == 2
    assert operator.reads() == ("a-stored-secret", True)
    operator.keep_first("AUTHSVC_OTP_KEYS")
    assert operator.reads() == ("a-stored-secret", False)  # ten minutes later nobody needs it

    # Stored secrets.
    operator.environment |= operator.run("./manage.py keys --rotate encryption")
    operator.run("./manage.py rotate_keys")
    operator.run("./manage.py rotate_keys --check")
    operator.keep_first("AUTHSVC_ENCRYPTION_KEYS")
    assert operator.reads()[0] == "a-stored-secret"

    # SECRET_KEY: by now nothing is derived any more.
    assert operator.run("./manage.py keys --derived") == {}
    operator.environment |= operator.run("./manage.py keys --rotate secret-key")
    assert operator.reads()[0] == "a-stored-secret"
    del operator.environment["SECRET_KEY_FALLBACKS"]
    assert operator.reads()[0] == "a-stored-secret"

    section = _SECTION.search((ROOT / "docs" / "operations.md").read_text())
    assert section
    assert sorted(_COMMAND.findall(section[1])) == sorted(operator.commands)


def test_d7_a_secret_key_that_everything_hangs_on_is_rotated_without_a_loss(operator: Operator) -> None:
    pinned = operator.run("./manage.py keys --derived")
    printed = operator.run("./manage.py keys --rotate secret-key")

    assert set(pinned) == {"AUTHSVC_OTP_KEYS", "AUTHSVC_ENCRYPTION_KEYS"}
    assert printed | pinned == printed
    old = operator.environment["SECRET_KEY"]
    operator.environment |= printed
    assert operator.environment["SECRET_KEY"] != old
    assert operator.reads() == ("a-stored-secret", True)
    del operator.environment["SECRET_KEY_FALLBACKS"]
    assert operator.reads() == ("a-stored-secret", True)
