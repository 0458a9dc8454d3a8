"""What YAML reads otherwise than people write it: octal, sixty minutes, merges, marks, bytes. Never silently another value."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from ops.configfile import document, schema
from tests.ops.configfile.projects import of_project, problems, project, written

SHORT = "projects:\n  - slug: acme\n    name: Acme\n    countries: {allowed: [HK]}\n"
NUMBER = "{phone: '+15005550199', until: 2027-01-31}"
NO_TAG = "could not determine a constructor for the tag"


# The same file, written otherwise -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{SHORT}", f"\ufeff# marked\n{SHORT}", SHORT.replace("\n", "\r\n"), SHORT.replace("\n", "\r"), f"---\n{SHORT}...\n",
        f"%YAML 1.1\n---\n{SHORT}", f"%YAML 1.2\n---\n{SHORT}", SHORT.replace("projects", "'projects'"), SHORT.rstrip("\n"),
        SHORT.replace("slug: acme", "slug: >-\n        acme"), SHORT.replace("name: Acme", "? name\n    : Acme"),
        SHORT.replace("name: Acme", "name: !!str Acme"), SHORT.replace("name: Acme", "name: &n Acme"),
        SHORT.replace("[HK]", "&c [HK], pinned: *c"),
    ],
)  # fmt: skip
def test_marks_line_ends_and_styles_make_no_difference(text: str) -> None:
    spec = schema.read(text).projects[0]

    assert (spec.slug, spec.name, spec.countries.allowed) == ("acme", "Acme", ["HK"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SHORT.replace("    name", "\tname"), "line 3: not YAML: found character '\\t' that cannot start any token"),
        (f"%YAML 2.0\n---\n{SHORT}", "line 1: not YAML: found incompatible YAML document (version 1.* is required)"),
        (f"{SHORT}\x00", "file: not YAML: cannot be read"),
        (f"{SHORT}# \x07\n", "file: not YAML: cannot be read"),
        ("? [a]\n: b", "file: not YAML: cannot be read"),
        ("? {a: b}\n: c", "file: not YAML: cannot be read"),
        ("projects: &a [*a]", "line 1: not YAML: found unconstructable recursive node"),
        ("projects: *a", "line 1: not YAML: found undefined alias 'a'"),
        ("x: &x {projects: []}\n<<: *x", f"line 2: not YAML: {NO_TAG} 'tag:yaml.org,2002:merge'"),
        ("projects: =", f"line 1: not YAML: {NO_TAG} 'tag:yaml.org,2002:value'"),
        ("projects: !ours []", f"line 1: not YAML: {NO_TAG} '!ours'"),
        ("projects: !!python/name:os.system ''", f"line 1: not YAML: {NO_TAG} 'tag:yaml.org,2002:python/name:os.system'"),
        ("yes: 1\ntrue: 2", "line 2: duplicate key True"),
        ("1: a\n1.0: b", "line 2: duplicate key 1.0"),
        ("a: 1\n'a': 2", "line 2: duplicate key 'a'"),
        (SHORT.replace("name: Acme", "name: Acme\n    slug: other"), "line 4: duplicate key 'slug'"),
    ],
)  # fmt: skip
def test_what_is_no_plain_file_is_one_line(text: str, line: str) -> None:
    assert problems(text) == [line]


@pytest.mark.parametrize(
    "text",
    [
        "!!str x",
        "7",
        "true",
        "2027-01-31",
        "[]",
        "!!binary aGk=",
        "!!set {projects, shared}",
        "!!pairs [a: 1]",
    ],
)
def test_a_file_is_a_mapping(text: str) -> None:
    assert problems(text) == ["must be a mapping of keys"]


@pytest.mark.parametrize(
    "value", ["!!set {a}", "!!binary aGk=", "2027-01-31", "'[]'", "|\n  - slug: acme", "&a b"]
)
def test_projects_are_a_list(value: str) -> None:
    assert problems(f"projects: {value}") == ["projects: must be a list"]


@pytest.mark.parametrize("key", ["on", "1", "~", "0x1", "1.5"])
def test_a_key_that_is_no_text_is_unknown(key: str) -> None:
    (line,) = problems(f"{key}: x")

    assert line.endswith(": unknown key")


def test_an_alias_is_judged_at_each_place_where_it_stands() -> None:
    text = (
        f"{SHORT}    domains: &d [no host]\n"
        + SHORT.removeprefix("projects:\n").replace("acme", "beta")
        + "    domains: *d\n"
    )

    line = "domains[0]: must be a host name, with its port where that is not the usual one"
    assert problems(text) == [f"projects[0].{line}", f"projects[1].{line}"]


# Values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "written_as", "value"),
    [("length", "010", 8), ("length", "0x8", 8), ("length", "0b111", 7), ("valid_seconds", "1:40", 100), ("valid_seconds", "6_00", 600),
     ("length", "+7", 7), ("max_attempts", "1_0", 10)],
)  # fmt: skip
def test_numbers_are_what_yaml_says_they_are(key: str, written_as: str, value: int) -> None:
    text = f"{SHORT}    otp: {{{key}: {written_as}}}\n"

    assert getattr(schema.read(text).projects[0].otp, key) == value


@pytest.mark.parametrize(
    "value",
    ["0o10", "08", "1:00", ".nan", ".inf", "1e1", "8.", "9" * 30, "-0", "~", "[]", "{}", "2027-01-31"],
)
def test_what_looks_like_a_number_and_is_none_is_refused(value: str) -> None:
    assert written("otp", f"{{length: {value}}}") == ["otp.length: must be from 6 to 10"]


@pytest.mark.parametrize(
    ("value", "is_on"),
    [("yes", True), ("ON", True), ("True", True), ("no", False), ("Off", False), ("FALSE", False)],
)
def test_every_word_of_yaml_for_true_and_false(value: str, is_on: bool) -> None:
    assert schema.read(f"{SHORT}    fallback: {{enabled: {value}}}\n").projects[0].fallback.enabled is is_on


@pytest.mark.parametrize("value", ["y", "N", "tRUE", "'yes'", "0", "~", "enabled"])
def test_any_other_word_is_neither(value: str) -> None:
    assert written("fallback", f"{{enabled: {value}}}") == ["fallback.enabled: must be true or false"]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("0424242", "must be text, quote it: YAML reads digits as a number"),
        ("04_24_24", "must be text, quote it: YAML reads digits as a number"),
        ("12:34:56", "must be text, quote it: YAML reads digits as a number"),
        ("4242e2", "must have from 6 to 10 digits"),  # text: a float of YAML has a dot
        ("'٤٢٤٢٤٢'", "must have from 6 to 10 digits"),
        ("'424242\n'", "must have from 6 to 10 digits"),
        ('"424242\\n"', "must have from 6 to 10 digits"),
    ],
)  # fmt: skip
def test_a_code_of_a_test_number_is_quoted_digits(code: str, line: str) -> None:
    lines = written("test_numbers", f"[{NUMBER[:-1]}, code: {code}}}]")

    assert lines == [f"test_numbers[0].code: {line}"]


@pytest.mark.parametrize(
    "value", ["2027-1-31", "31.01.2027", "2027-01-31T00:00:00Z", "2027", "~", "[2027-01-31]"]
)
def test_a_day_is_written_in_one_way(value: str) -> None:
    expected = "is required" if value == "~" else "must be a date such as 2027-01-31"

    assert written("test_numbers", f"[{NUMBER.replace('2027-01-31', value)}]") == [
        f"test_numbers[0].until: {expected}"
    ]


@pytest.mark.parametrize("value", ["2027-02-30", "0000-01-01", "2027-13-01"])
def test_a_day_that_does_not_exist_is_no_crash(value: str) -> None:
    assert problems(f"{SHORT}    test_numbers: [{NUMBER.replace('2027-01-31', value)}]") == [
        "file: not YAML: cannot be read"
    ]


@pytest.mark.parametrize(
    ("host", "hint"),
    [("1.2", "quote it: YAML reads digits as a number"), ("10:20", "quote it: YAML reads digits as a number"),
     ("0x7f", "quote it: YAML reads digits as a number"), ("2027-01-31", "quote it: YAML reads it as a date"),
     ("no", "quote it: YAML reads NO and OFF as false"), ("~", "not a list or a mapping"), ("a: 8000", "not a list or a mapping")],
)  # fmt: skip
def test_a_host_that_yaml_reads_otherwise_is_named_with_a_hint(host: str, hint: str) -> None:
    assert written("domains", f"[{host}]") == [f"domains[0]: must be text, {hint}"]


# Characters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "Ünïcode ✓",
        "名前",
        "👍🏽",
        "a\u2028b",
        "\u202eflipped",
        "a\tb",
        " padded ",
        "x" * 60,
        "'quoted'",
        "#1",
        "%",
    ],
)
def test_any_character_may_be_in_a_name(name: str) -> None:
    assert project(name=name).name == name


HALF = "holds half of a character"


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ('name2: x\n    name3: "\\ud83d\\ude00"', "name3"),
        ("clients: [{client_id: web, client_type: confidential, client_secret: \"\\udfff\", redirect_uris: ['https://a.example/']}]", "clients[0].client_secret"),
        ('sms: {provider: memory, x: "a\\ud800b"}', "sms.x"),
        ('domains: [a.example, "\\ud800"]', "domains[1]"),
    ],
)  # fmt: skip
def test_half_a_character_is_refused_where_it_stands(line: str, path: str) -> None:
    """No database stores it, and no terminal shows it."""
    lines = problems(f"{SHORT}    {line}\n")

    assert lines[0] == f"projects[0].{path}: {HALF}"
    assert "\n".join(lines).encode()


def test_half_a_character_of_the_environment_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte that is no UTF-8 arrives as one."""
    monkeypatch.setenv("BROKEN", "caf\udce9")

    assert problems(SHORT.replace("name: Acme", "name: ${BROKEN}"))[0] == f"projects[0].name: {HALF}"


def test_a_key_with_half_a_character_is_no_crash() -> None:
    assert problems('"\\ud800": 1') == ["file: not YAML: cannot be read"]
    assert problems(f'{SHORT}    sms: {{provider: memory, "\\ud800": 1}}') == [
        "file: not YAML: cannot be read"
    ]


def test_a_text_too_long_and_a_nul_are_refused_without_being_repeated() -> None:
    assert of_project(slug="a" * 51) == ["slug: must have at most 50 characters"]
    assert written("name", '"a\\0b"') == ["name: must have at most 60 characters"]


# Size and bytes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "is_read"), [(document.LARGEST_FILE, True), (document.LARGEST_FILE + 1, False)]
)
@pytest.mark.django_db
def test_a_file_is_bounded_to_the_byte(size: int, is_read: bool, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    head = b"projects: []\n#"
    file.write_bytes(head + b"x" * (size - len(head)))
    out, err, code = StringIO(), StringIO(), 0

    try:
        call_command("apply", str(file), stdout=out, stderr=err)
    except SystemExit as leaving:
        code = int(str(leaving.code))

    assert (code, out.getvalue()) == ((0, "nothing to change\n") if is_read else (2, ""))
    assert err.getvalue() == ("" if is_read else f"{file}: is larger than 1048576 bytes\n")


@pytest.mark.parametrize(
    ("content", "error"),
    [(SHORT.encode("utf-16"), "UnicodeDecodeError"), (b"name: caf\xe9", "UnicodeDecodeError"), (b"\x89PNG\r\n\x1a\n", "UnicodeDecodeError"),
     (b"\xc0\x80", "UnicodeDecodeError"), (None, "IsADirectoryError")],
)  # fmt: skip
def test_bytes_that_are_no_text_are_one_line(content: bytes | None, error: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    err = StringIO()

    with pytest.raises(SystemExit) as leaving:
        call_command("apply", str(file), stderr=err)

    assert (leaving.value.code, err.getvalue()) == (2, f"{file}: cannot be read ({error})\n")
