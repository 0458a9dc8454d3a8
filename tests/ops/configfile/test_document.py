"""The YAML of a configuration file: bounded, strict about keys, with variables of the environment."""

from typing import Any

import pytest

from ops.configfile import document


def loaded(text: str) -> Any:
    content, problems = document.load(text)
    assert problems == []
    return content


def problems(text: str) -> list[str]:
    return document.load(text)[1]


def test_plain_values_keep_the_types_of_yaml() -> None:
    assert loaded("{a: 1, b: [true, 'x'], c: {d: null}, e: 1.5}") == {
        "a": 1, "b": [True, "x"], "c": {"d": None}, "e": 1.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: duplicate key 'a'"),
        ("a:\n  b: 1\n  c: 2\n  b: 3", "line 4: duplicate key 'b'"),
        ("- {a: 1}\n- {a: 1, a: 2}", "line 2: duplicate key 'a'"),
        ("1: a\n1: b", "line 2: duplicate key 1"),
    ],
)
def test_a_duplicate_key_is_refused_with_its_line(text: str, line: str) -> None:
    assert problems(text) == [line]


def test_the_same_key_in_two_mappings_is_no_duplicate() -> None:
    assert loaded("a: {x: 1}\nb: {x: 1}") == {"a": {"x": 1}, "b": {"x": 1}}


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: [1", "line 1: not YAML: "),
        ("a: 1\n b: 2", "line 2: not YAML: "),
        ("a: *nowhere", "line 1: not YAML: "),
        ("!!python/object/apply:os.system ['true']", "line 1: not YAML: could not determine a constructor"),
        ("a: 1\n---\nb: 2", "line 2: not YAML: "),
        ("<<: {a: 1}", "line 1: not YAML: "),
        ("a: \x01", "file: not YAML: "),
        ("{[a]: 1}", "file: not YAML: "),
        ("a: 2027-13-45", "file: not YAML: "),
        ("a: " + "[" * 5000, "file: not YAML: "),
        ("&a [*a]", "file: not YAML: "),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, start: str) -> None:
    content, lines = document.load(text)

    assert content is None
    assert len(lines) == 1
    assert lines[0].startswith(start)


@pytest.mark.parametrize("text", ["", "# a comment", "---", "null", "~"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert document.load(text) == (None, ["file: is empty"])


def test_an_alias_is_read_as_what_it_names() -> None:
    assert loaded("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}


def test_aliases_that_multiply_are_refused_quickly() -> None:
    """Nine levels of ten: a billion values in four hundred bytes."""
    levels = ["l0: &l0 [x]"] + [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert problems("\n".join(levels)) == ["file: not YAML: cannot be read"]


def test_as_many_values_as_a_large_file_holds_are_read() -> None:
    assert len(loaded("a: [" + "x, " * 50_000 + "x]")["a"]) == 50_001


# Variables ------------------------------------------------------------------------------------------


def test_variables_are_replaced_in_texts_at_any_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "1")
    monkeypatch.setenv("TWO", "2")

    assert loaded("a: ${ONE}\nb: ['x${ONE}y${TWO}z', {c: $ONE, d: '${'}]") == {
        "a": "1", "b": ["x1y2z", {"c": "$ONE", "d": "${"}],
    }  # fmt: skip


def test_a_variable_cannot_add_structure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALUE", "true\nadmin: yes\n${ONE}")

    assert loaded("a: ${VALUE}") == {"a": "true\nadmin: yes\n${ONE}"}


def test_every_unset_variable_is_named_with_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSET", raising=False)
    content, lines = document.load("a: {b: ['', '${UNSET}']}\nc: ${UNSET}")

    assert content == {"a": {"b": ["", ""]}, "c": ""}
    assert lines == [
        "a.b[1]: the environment variable UNSET is not set",
        "c: the environment variable UNSET is not set",
    ]


def test_an_empty_variable_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "")

    assert loaded("a: ${EMPTY}") == {"a": ""}
