"""What is wrong with a file: each problem has its path, and nothing is changed."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from channels.models import Sender
from projects.models import LoginMethods, Project
from tests.ops.configfile.example import FILE, second, swap
from tests.ops.configfile.support import Result

pytestmark = pytest.mark.django_db
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
    (swap("allowed: [HK, GB]", "allowed: [HK, HK]"), "projects[0].countries.allowed[1]: duplicate value"),
    (
        swap("allowed: [HK, GB]", 'allowed: [HK, "+979"]'),
        "allowed[1]: must be a country code, or one of +870",
    ),
    (swap("allowed: [HK, GB]", "allowed: [all, HK]"), "countries.allowed: must be countries or the word all"),
    (
        swap("allowed: [HK, GB], pinned: [HK]", 'allowed: all, pinned: ["+881"]'),
        "countries.pinned[0]: must be a",
    ),
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
        "shared.sms.provider: must be one of twilio, vonage, http",
    ),
    (swap("account_sid: AC0", "account_sid: XX0"), "shared.sms.account_sid: must begin with AC"),
    (swap('    from: "+15005550006"\n', ""), "shared.sms.from: give either from or messaging_service_sid"),
    (
        swap(
            '    from: "+15005550006"\n',
            f'    from: "+15005550006"\n    messaging_service_sid: MG{"0" * 32}\n',
        ),
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
    (swap("name: Acme", "name: Acme\n    name: Again"), "line 18: duplicate key 'name'"),
    (FILE + "  - [unclosed", "not YAML"),
    ("- a list", "must be a mapping"),
    ("", "file: is empty"),
    ("# only a remark\n---\n", "file: is empty"),
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

    assert (result.code, "shared.sms.provider: must be one of twilio, vonage, http" in result.err) == (
        2,
        True,
    )


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
