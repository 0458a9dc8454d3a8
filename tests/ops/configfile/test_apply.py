"""`apply` and `export`: the database matches the file, or nothing changes and every problem is named."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from channels.models import Sender
from core.config_models import ConfigVersion
from projects.config import projects
from projects.models import Domain, LoginMethods, Project, TestNumber
from tests.ops.configfile.example import FILE, ROOT, SECRETS
from tests.ops.configfile.support import Result

pytestmark = pytest.mark.django_db


def test_an_empty_database_becomes_what_the_file_says(tmp_path: Path) -> None:
    result = Result(FILE, tmp_path)

    assert (result.code, result.err) == (0, "")
    config = projects.get().claim_of("login.acme.example").project
    assert config is not None
    assert (config.slug, config.otp_length, config.max_attempts) == ("acme", 8, 4)
    assert (config.otp_valid_seconds, config.resend_after_seconds) == (600, 45)
    assert (config.fallback_enabled, config.fallback_wait_seconds) == (True, 25)
    assert (config.countries_allowed, config.countries_pinned) == (frozenset({"HK", "GB"}), ("HK",))
    assert config.test_numbers["+15005550199"].code == "424242"
    assert projects.get().default == config
    whatsapp = Sender.objects.get(channel="whatsapp")
    assert whatsapp.secrets["access_token"] == "token-from-environment"
    assert whatsapp.settings["template_languages"] == ["en", "es", "zh_HK"]


def test_every_change_is_a_line(tmp_path: Path) -> None:
    Result(FILE, tmp_path)

    changed = (
        FILE.replace("length: 8", "length: 6")
        .replace("pinned: [HK]", "pinned: [GB, HK]")
        .replace("wait_seconds: 25", "wait_seconds: 20")
    )
    lines = Result(changed, tmp_path).out.splitlines()

    assert "projects.acme.otp.length: 8 → 6" in lines
    assert "projects.acme.countries.pinned: [HK] → [GB, HK]" in lines
    assert "projects.acme.fallback.wait_seconds: 25 → 20" in lines


def test_the_second_time_changes_nothing(tmp_path: Path) -> None:
    Result(FILE, tmp_path)
    version = ConfigVersion.objects.get().value

    result = Result(FILE, tmp_path)

    assert "nothing to change" in result.out
    assert ConfigVersion.objects.get().value == version


def test_secrets_are_never_printed(tmp_path: Path) -> None:
    """A9, K3."""
    first = Result(FILE, tmp_path)
    rotated = Result(FILE.replace("app-secret-value", "another-secret").replace("424242", "131313"), tmp_path)
    out = StringIO()
    call_command("export", stdout=out)

    printed = first.out + first.err + rotated.out + rotated.err + out.getvalue()
    assert "shared.whatsapp.app_secret: changed" in rotated.out
    assert "projects.acme.test_numbers.+15005550199.code: changed" in rotated.out
    for secret in (*SECRETS, "another-secret", "131313"):
        assert secret not in printed


def test_check_only_tells(tmp_path: Path) -> None:
    result = Result(FILE, tmp_path, "--check")

    assert result.code == 3
    assert "projects.acme: created" in result.out
    assert not Project.objects.exists()

    Result(FILE, tmp_path)
    assert Result(FILE, tmp_path, "--check").code == 0


def test_an_export_applied_changes_nothing(tmp_path: Path) -> None:
    Result(FILE, tmp_path)
    out = StringIO()
    call_command("export", stdout=out)

    result = Result(out.getvalue(), tmp_path)

    assert (result.code, result.err) == (0, "")
    assert result.out.strip() == "nothing to change"


def test_the_export_of_the_demo_too(tmp_path: Path) -> None:
    assert Result((ROOT / "deploy" / "demo.yaml").read_text(), tmp_path).code == 0
    out = StringIO()
    call_command("export", stdout=out)

    assert Result(out.getvalue(), tmp_path).out.strip() == "nothing to change"
    assert "allowed: all" in out.getvalue()


def test_what_is_not_mentioned_becomes_the_default(tmp_path: Path) -> None:
    Result(FILE, tmp_path)
    short = FILE[: FILE.index("    otp:")] + "    countries: {allowed: all}\n"

    Result(short, tmp_path)

    row = LoginMethods.objects.get()
    assert (row.otp_length, row.otp_valid_seconds, row.max_attempts) == (6, 600, 5)
    assert (row.countries_allowed, row.countries_pinned) == (["all"], [])
    assert not TestNumber.objects.exists()


def test_what_is_no_longer_listed_goes_but_a_project_never_does(tmp_path: Path) -> None:
    Result(FILE, tmp_path)
    other = FILE.replace("slug: acme", "slug: second").replace("login.acme.example", "login.second.example")
    other = other.replace("acme-web", "second-web")

    result = Result(other, tmp_path)

    assert "projects.acme: not in the file, left as it is" in result.out
    assert set(Project.objects.values_list("slug", "is_default")) == {("acme", False), ("second", True)}
    result = Result(FILE.replace("domains: [login.acme.example]", "domains: [new.acme.example]"), tmp_path)
    assert "projects.acme.domains: login.acme.example removed" in result.out
    assert set(Domain.objects.values_list("host", flat=True)) == {"new.acme.example", "login.second.example"}


def test_a_removed_sender_is_switched_off_and_another_provider_is_another_sender(tmp_path: Path) -> None:
    Result(FILE, tmp_path)
    start, end = FILE.index("    provider: twilio"), FILE.index("projects:")
    gateway = '    provider: http\n    url: https://sms.example/send\n    signing_secret: "s3cret"\n'

    Result(FILE[:start] + gateway + FILE[end:], tmp_path)

    rows = Sender.objects.filter(channel="sms").values_list("provider", "is_active")
    assert set(rows) == {("twilio", False), ("http", True)}


def test_a_secret_left_out_keeps_what_is_stored(tmp_path: Path) -> None:
    Result(FILE, tmp_path)

    result = Result(FILE.replace("    app_secret: app-secret-value\n", ""), tmp_path)

    assert result.code == 0
    assert Sender.objects.get(channel="whatsapp").secrets["app_secret"] == "app-secret-value"


def test_secrets_rotate_with_the_previous_one_kept(tmp_path: Path) -> None:
    Result(FILE, tmp_path)

    Result(
        FILE.replace(
            "app_secret: app-secret-value", "app_secret: new\n    app_secret_previous: app-secret-value"
        ),
        tmp_path,
    )

    row = Sender.objects.get(channel="whatsapp")
    assert (row.secrets["app_secret"], row.secrets["app_secret_previous"]) == ("new", "app-secret-value")


@pytest.mark.parametrize(
    ("written", "countries"),
    [('[HK, "+881"]', frozenset({"HK"})), ('[all, "+881"]', None), ('["+881"]', frozenset())],
)
def test_networks_of_no_country_stand_beside_countries(
    tmp_path: Path, written: str, countries: frozenset[str] | None
) -> None:
    """N3: named by their calling codes, and exported as they were read."""
    text = FILE.replace("allowed: [HK, GB], pinned: [HK]", f"allowed: {written}")
    assert Result(text, tmp_path).code == 0

    config = projects.get().default
    assert config
    assert config.countries_allowed == countries
    assert config.networks_allowed == {"+881"}
    again = Result(text, tmp_path, "--check")
    assert (again.code, again.out.strip()) == (0, "nothing to change")
