"""`apply` and `export`: the database matches the file, or nothing changes and every problem is named."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from channels.models import Sender
from projects.config import projects
from projects.models import ConfigVersion, Domain, LoginMethods, Project, TestNumber
from tests.configfile.support import Result

ROOT = Path(__file__).resolve().parents[2]
FILE = """
shared:
  whatsapp:
    phone_number_id: "100200300400500"
    business_account_id: "500400300200100"
    access_token: ${WHATSAPP_ACCESS_TOKEN}
    app_secret: app-secret-value
    verify_token: verify-token-value
    template: {name: one_time_password, languages: [en, es, zh_HK]}
  sms:
    provider: twilio
    account_sid: AC00000000000000000000000000000001
    auth_token: auth-token-value
    from: "+15005550006"
projects:
  - slug: acme
    name: Acme
    default: true
    domains: [login.acme.example]
    login_methods: {identifier: mobile, authentication: passwordless, verify_phone_by: whatsapp_or_sms}
    otp: {length: 8, valid_seconds: 600, resend_after_seconds: 45, max_attempts: 4}
    fallback: {enabled: true, wait_seconds: 25}
    countries: {allowed: [HK, GB], pinned: [HK]}
    test_numbers:
      - {phone: "+15005550199", code: "424242", until: 2027-01-31}
    clients:
      - client_id: acme-web
        client_type: public
        redirect_uris: [https://acme.example/callback]
        post_logout_redirect_uris: [https://acme.example/]
"""
SECRETS = ("token-from-environment", "app-secret-value", "verify-token-value", "auth-token-value", "424242")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", "token-from-environment")


def test_an_empty_database_becomes_what_the_file_says(tmp_path: Path) -> None:
    result = Result(FILE, tmp_path)

    assert (result.code, result.err) == (0, "")
    config = projects.get().for_host("login.acme.example")
    assert config is not None
    assert (config.slug, config.otp_length, config.max_attempts) == ("acme", 8, 4)
    assert (config.otp_valid_seconds, config.resend_after_seconds) == (600, 45)
    assert (config.fallback_enabled, config.fallback_wait_seconds) == (True, 25)
    assert (config.countries_allowed, config.countries_pinned) == (frozenset({"HK", "GB"}), ("HK",))
    assert config.test_numbers["+15005550199"].code == "424242"
    assert projects.get().default == config
    whatsapp = Sender.objects.get(channel="whatsapp")
    assert whatsapp.access_token == "token-from-environment"
    assert whatsapp.template_languages == ["en", "es", "zh_HK"]


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
    assert (row.otp_length, row.otp_valid_seconds, row.max_attempts) == (6, 300, 5)
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
    assert Sender.objects.get(channel="whatsapp").app_secret == "app-secret-value"


def test_secrets_rotate_with_the_previous_one_kept(tmp_path: Path) -> None:
    Result(FILE, tmp_path)

    Result(
        FILE.replace(
            "app_secret: app-secret-value", "app_secret: new\n    app_secret_previous: app-secret-value"
        ),
        tmp_path,
    )

    row = Sender.objects.get(channel="whatsapp")
    assert (row.app_secret, row.app_secret_previous) == ("new", "app-secret-value")


def swap(old: str, new: str) -> str:
    assert old in FILE
    return FILE.replace(old, new)


PROBLEMS = [
    (swap("length: 8", "length: 5"), "projects[0].otp.length: must be from 6 to 10"),
    (swap("length: 8", "length: 11"), "projects[0].otp.length: must be from 6 to 10"),
    (swap("length: 8", "length: '8'"), "projects[0].otp.length: must be from 6 to 10"),
    (swap("length: 8", "length: true"), "projects[0].otp.length: must be from 6 to 10"),
    (
        swap("valid_seconds: 600", "valid_seconds: 601"),
        "projects[0].otp.valid_seconds: must be from 60 to 600",
    ),
    (swap("max_attempts: 4", "max_attempts: 0"), "projects[0].otp.max_attempts: must be from 1 to 10"),
    (swap("wait_seconds: 25", "wait_seconds: 1"), "projects[0].fallback.wait_seconds: must be from 5 to 300"),
    (swap("enabled: true", "enabled: sometimes"), "projects[0].fallback.enabled: must be true or false"),
    (swap("otp: {", "otp: {lenght: 6, "), "projects[0].otp.lenght: unknown key"),
    (FILE + "extra: 1\n", "extra: unknown key"),
    (
        swap("whatsapp_or_sms", "pigeon"),
        "projects[0].login_methods.verify_phone_by: must be one of whatsapp_or_sms",
    ),
    (swap("allowed: [HK, GB], ", ""), "projects[0].countries.allowed: is required"),
    (
        swap("allowed: [HK, GB]", "allowed: [HK, XX]"),
        "projects[0].countries.allowed[1]: must be a country code",
    ),
    (swap("allowed: [HK, GB]", "allowed: [HK, NO]"), "projects[0].countries.allowed[1]: must be text"),
    (swap("allowed: [HK, GB]", "allowed: [HK, HK]"), "projects[0].countries.allowed[1]: stands twice"),
    (swap("allowed: [HK, GB]", "allowed: some"), "projects[0].countries.allowed: must be a list"),
    (swap("slug: acme", "slug: not a slug"), "projects[0].slug: must be letters"),
    (swap("slug: acme", "slug: 12"), "projects[0].slug: must be text"),
    (swap("name: Acme", "name: ''"), "projects[0].name: is required"),
    (swap("name: Acme", f"name: {'x' * 61}"), "projects[0].name: must have at most 60 characters"),
    (
        swap("[login.acme.example]", "[https://login.acme.example]"),
        "projects[0].domains[0]: must be a host name",
    ),
    (swap('phone: "+15005550199"', "phone: +15005550199"), "projects[0].test_numbers[0].phone: must be text"),
    (swap("+15005550199", "12"), "projects[0].test_numbers[0].phone: must be a mobile number"),
    (swap('"424242"', "424242"), "projects[0].test_numbers[0].code: must be text"),
    (swap('"424242"', '"42424"'), "projects[0].test_numbers[0].code: must have from 6 to 10 digits"),
    (swap('code: "424242", ', ""), "projects[0].test_numbers[0].code: is required, none is stored yet"),
    (swap("2027-01-31", "soon"), "projects[0].test_numbers[0].until: must be a date"),
    (swap('"100200300400500"', "abc"), "shared.whatsapp.phone_number_id: must be the digits"),
    (
        swap("    app_secret: app-secret-value\n", ""),
        "shared.whatsapp.app_secret: is required, none is stored yet",
    ),
    (swap("languages: [en, es, zh_HK]", "languages: []"), "shared.whatsapp.template.languages: is required"),
    (
        swap("languages: [en, es, zh_HK]", "languages: [english]"),
        "shared.whatsapp.template.languages[0]: must look like",
    ),
    (
        swap("provider: twilio", "provider: carrier-pigeon"),
        "shared.sms.provider: must be one of twilio, http",
    ),
    (swap("account_sid: AC0", "account_sid: XX0"), "shared.sms.account_sid: must begin with AC"),
    (swap('    from: "+15005550006"\n', ""), "shared.sms.from: give either from or messaging_service_sid"),
    (
        swap('    from: "+15005550006"\n', '    from: "+15005550006"\n    messaging_service_sid: MG1\n'),
        "shared.sms.from: give either",
    ),
    (swap("provider: twilio", "provider: http"), "shared.sms.account_sid: is not a key of http"),
    (
        swap("client_type: public", "client_type: secret"),
        "projects[0].clients[0].client_type: must be one of",
    ),
    (
        swap("client_type: public", "client_type: confidential"),
        "projects[0].clients[0].client_secret: is required",
    ),
    (
        swap("https://acme.example/callback", "http://acme.example/"),
        "projects[0].clients[0].redirect_uris[0]: must be https",
    ),
    (
        swap("https://acme.example/callback", "javascript:alert(1)"),
        "projects[0].clients[0].redirect_uris[0]: must be https",
    ),
    (
        swap("${WHATSAPP_ACCESS_TOKEN}", "${NOT_SET_ANYWHERE}"),
        "shared.whatsapp.access_token: the environment variable NOT_SET_ANYWHERE is not set",
    ),
    (swap("name: Acme", "name: Acme\n    name: Again"), "the key 'name' stands twice"),
    (FILE + "  - [unclosed", "not YAML"),
    ("- a list", "must be a mapping"),
    ("projects: 7", "projects: must be a list"),
    ("projects: [7]", "projects[0]: must be a mapping"),
    ("shared: []\nprojects: []", "shared: must be a mapping"),
]


@pytest.mark.parametrize(
    ("text", "line"), PROBLEMS, ids=[line.split(": ")[0] + str(n) for n, (_, line) in enumerate(PROBLEMS)]
)
def test_a_problem_is_named_with_its_path_and_nothing_changes(text: str, line: str, tmp_path: Path) -> None:
    result = Result(text, tmp_path)

    assert result.code == 2
    assert line in result.err
    assert result.out == ""
    assert not Project.objects.exists()
    assert not Sender.objects.exists()
    assert "Traceback" not in result.err


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    text = (
        FILE.replace("length: 8", "length: 5")
        .replace("wait_seconds: 25", "wait_seconds: 1")
        .replace("[HK, GB]", "[XX]")
    )

    assert len(Result(text, tmp_path).err.strip().splitlines()) == 3


def second(**changes: str) -> str:
    block = FILE[FILE.index("  - slug: acme") :]
    for old, new in {
        "slug: acme": "slug: second",
        "login.acme.example": "login.second.example",
        "default: true": "default: false",
        "acme-web": "second-web",
        **changes,
    }.items():
        block = block.replace(old, new)
    return FILE + block


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (second(**{"slug: acme": "slug: acme"}), "projects[1].slug: another project has this slug"),
        (
            second(**{"login.acme.example": "login.acme.example"}),
            "projects[1].domains[0]: another project has this host",
        ),
        (
            second(**{"default: true": "default: true"}),
            "projects[1].default: another project is the default already",
        ),
    ],
)
def test_projects_must_not_claim_the_same(text: str, line: str, tmp_path: Path) -> None:
    result = Result(text, tmp_path)

    assert (result.code, line in result.err) == (2, True)


def test_a_problem_in_the_last_project_changes_nothing_in_the_first(tmp_path: Path) -> None:
    Result(FILE, tmp_path)
    before = LoginMethods.objects.values().get()

    result = Result(
        second().replace("length: 8", "length: 6", 1).replace("max_attempts: 4", "max_attempts: 99"), tmp_path
    )

    assert result.code == 2
    assert LoginMethods.objects.values().get() == before


@pytest.mark.parametrize(
    ("gone", "mode"), [("sms", "whatsapp_or_sms"), ("sms", "sms_only"), ("whatsapp", "whatsapp_only")]
)
def test_a_mode_needs_the_senders_it_promises(gone: str, mode: str, tmp_path: Path) -> None:
    """D13."""
    start = FILE.index(f"  {gone}:\n")
    end = FILE.index("  sms:\n") if gone == "whatsapp" else FILE.index("projects:")
    text = (FILE[:start] + FILE[end:]).replace("whatsapp_or_sms", mode)

    result = Result(text, tmp_path)

    assert result.code == 2
    assert f"promises {gone}, but no sender serves it" in result.err
    assert not Project.objects.exists()


def test_a_host_of_a_project_outside_the_file_is_not_taken_away(tmp_path: Path) -> None:
    Result(FILE, tmp_path)

    result = Result(FILE.replace("slug: acme", "slug: thief"), tmp_path)

    assert (result.code, "belongs to the project acme" in result.err) == (2, True)
    assert not Project.objects.filter(slug="thief").exists()


def test_senders_that_send_nothing_are_refused_in_production(tmp_path: Path, settings: LazySettings) -> None:
    settings.PRODUCTION = True
    start, end = FILE.index("    provider: twilio"), FILE.index("projects:")

    result = Result(FILE[:start] + "    provider: console\n" + FILE[end:], tmp_path)

    assert (result.code, "shared.sms.provider: must be one of twilio, http" in result.err) == (2, True)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for name, content in (("missing", None), ("binary", b"\xff\xfe\x00"), ("huge", b"#" * (1024 * 1024 + 1))):
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        err = StringIO()
        with pytest.raises(SystemExit) as leaving:
            call_command("apply", str(file), stderr=err)
        assert leaving.value.code == 2
        assert name in err.getvalue()


@pytest.mark.parametrize("text", ["a: " + "[" * 5000, "&a [*a]", "!!python/object/apply:os.system ['true']"])
def test_hostile_yaml_is_refused(text: str, tmp_path: Path) -> None:
    assert Result(text, tmp_path).code == 2
