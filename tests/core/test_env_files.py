"""Values of the environment that come from files: `X_FILE` and .env."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from core import env
from tests.core.secret import SECRET

pytestmark = pytest.mark.usefixtures("without_x")


def test_text_takes_the_variable_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from file\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "secret"))
    assert env.text("X") == "from file"

    monkeypatch.setenv("X", "from variable")
    assert env.text("X") == "from variable"


def test_a_file_that_cannot_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("X_FILE", str(tmp_path / "missing"))

    with pytest.raises(ImproperlyConfigured, match="X_FILE"):
        env.text("X")


# Secrets from files -----------------------------------------------------------------------------------


def from_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    monkeypatch.setenv("X_FILE", str(file))


@pytest.mark.parametrize("content", ["value", "value\n", "  value\r\n\n"])
def test_a_file_is_read_without_the_blanks_around_its_content(
    content: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from_file(monkeypatch, tmp_path, content)

    assert env.text("X", "default") == "value"


def test_every_reader_reads_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from_file(monkeypatch, tmp_path, "7\n")

    assert env.integer("X", 1) == 7
    assert env.words("X") == ["7"]
    assert env.choice("X", ("7", "8"), "8") == "7"
    from_file(monkeypatch, tmp_path, "true\n")
    assert env.boolean("X", default=False) is True
    from_file(monkeypatch, tmp_path, "https://login.example.com\n")
    assert env.url("X") == env.origin("X", insecure_only_on_loopback=True) == "https://login.example.com"
    from_file(monkeypatch, tmp_path, "10.0.0.0/8\n")
    assert [str(network) for network in env.networks("X")] == ["10.0.0.0/8"]


def test_an_empty_variable_gives_way_to_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from_file(monkeypatch, tmp_path, "value")
    monkeypatch.setenv("X", "")

    assert env.text("X") == "value"


@pytest.mark.parametrize("content", ["", "\n", "  "])
def test_an_empty_file_counts_as_unset(content: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from_file(monkeypatch, tmp_path, content)

    assert env.text("X", "default") == "default"
    assert env.integer("X", 5) == 5


def test_an_empty_name_of_a_file_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_FILE", "")

    assert env.text("X", "default") == "default"


def test_a_file_that_is_no_text_and_a_folder_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from_file(monkeypatch, tmp_path, b"\xff\xfe\x00")
    with pytest.raises(ImproperlyConfigured, match=r"^X_FILE: cannot be read$"):
        env.text("X")

    monkeypatch.setenv("X_FILE", str(tmp_path))
    with pytest.raises(ImproperlyConfigured, match=r"^X_FILE: cannot be read$"):
        env.integer("X", 1)


def test_a_wrong_value_of_a_file_is_in_no_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from_file(monkeypatch, tmp_path, SECRET)

    with pytest.raises(ImproperlyConfigured) as caught:
        env.integer("X", 5, minimum=1, maximum=10)
    assert str(caught.value) == "X must be a whole number from 1 to 10"


# .env -------------------------------------------------------------------------------------------------


def test_a_dotenv_file_fills_what_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('# comment\n\nexport X="quoted value"\nX_FILE=\n')
    env.load_dotenv(file)
    assert env.text("X") == "quoted value"

    monkeypatch.setenv("X", "kept")
    env.load_dotenv(file)
    assert env.text("X") == "kept"
    env.load_dotenv(tmp_path / "missing")


def test_a_broken_dotenv_line_is_named_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# fine\n{SECRET}\n")

    with pytest.raises(ImproperlyConfigured) as error:
        env.load_dotenv(file)
    assert str(error.value) == ".env line 2: expected NAME=value"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("X=plain", "plain"), ("X = spaced out ", "spaced out"), ("X='single # quoted'", "single # quoted"), ('X="a"b"', 'a"b'),
        ("X=pass#word", "pass#word"), ("X=pass #word", "pass #word"), ("X=$HOME ${HOME}", "$HOME ${HOME}"), ("X=back\\slash", "back\\slash"),
        ('X="a\\nb"', "a\\nb"), ("X=a=b=c", "a=b=c"), ("export X=1", "1"), ("X='", "'"), ("X=\"unbalanced'", "\"unbalanced'"),
    ],
)  # fmt: skip
def test_a_dotenv_value_is_taken_as_it_is(
    line: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A password is never cut at a `#`, and never expanded."""
    monkeypatch.setenv("X", "to be restored")
    monkeypatch.delenv("X")
    file = tmp_path / ".env"
    file.write_text(line + "\n")

    env.load_dotenv(file)

    assert env.text("X") == value


@pytest.mark.parametrize("line", ["X", "=value", "1X=value", "A-B=value", "A B=value", "export =x"])
def test_a_dotenv_line_without_a_name_stops_the_start(line: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"\n# comment\n{line}\n")

    with pytest.raises(ImproperlyConfigured, match=r"^\.env line 3: expected NAME=value$"):
        env.load_dotenv(file)
