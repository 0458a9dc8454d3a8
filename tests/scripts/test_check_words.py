"""The lint of retired names: what it refuses, what it leaves alone, and how its list shrinks."""

from collections import Counter

import pytest

from scripts import check_words


def words(source: str, path: str = "otp/verify.py") -> list[str]:
    return [use.word for use in check_words.uses(path, source)]


@pytest.mark.parametrize(
    "source",
    [
        "found = 1", "found: int = 1", "found += 1", "a, found = b", "self.found = 1", "for found in rows: pass",
        "with x as found: pass", "(found := 1)", "def f(found): pass", "[x for found in y]",
        "import rows as found", "lambda found: 1", "def found(): pass",
    ],
)  # fmt: skip
def test_found_is_refused_wherever_it_is_given_a_value(source: str) -> None:
    assert words(source) == ["found"]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("ring_send", "ring_send"), ("ring_fall_back", "ring_fall_back"), ("bell", "bell"), ("_bell", "bell"), ("BELLS_LOST", "bells_lost"),
        ("Wish", "wish"), ("FileWish", "wish"), ("wishes", "wishes"), ("TRIAL", "trial"), ("start_trial", "trial"), ("news", "news"),
        ("sender_news", "news"), ("doomed", "doomed"), ("_twin", "twin"), ("stranger", "stranger"), ("_stranger", "stranger"), ("told", "told"),
        ("mending", "mending"), ("is_troubled", "troubled"), ("passed_over", "passed_over"), ("pace", "pace"), ("Unrung", "unrung"),
        ("unfollowed", "unfollowed"), ("insist", "insist"), ("impatient", "impatient"), ("kv", "kv"), ("kv_client", "kv"),
    ],
)  # fmt: skip
def test_a_retired_name_is_refused(name: str, word: str) -> None:
    assert words(f"{name} = 1") == [word]
    assert words(f"from x import {name}") == [word]
    assert words(f"class {name}: pass") == [word]


@pytest.mark.parametrize(
    "name",
    ["foundation", "not_found", "namespace", "space", "trials_and", "belly", "newest", "twins_", "ringing", "string", "wishful", "release"],
)  # fmt: skip
def test_names_that_only_look_alike_are_left_alone(name: str) -> None:
    assert words(f"{name} = 1") == []


def test_strings_comments_and_uses_are_left_alone() -> None:
    assert words('x = "found a bell"  # found = 1\nprint(found, ring_send)\nx.found()') == []


def test_release_is_refused_where_it_closes_a_connection() -> None:
    assert words("def release(): pass", "otp/store/sql.py") == ["release"]
    assert words("def release(): pass", "abuse/budgets.py") == []


@pytest.mark.parametrize(
    ("path", "word"), [("otp/bell.py", "bell"), ("core/kv.py", "kv"), ("otp/watch.py", "otp/watch.py")]
)
def test_the_name_of_a_module_counts(path: str, word: str) -> None:
    assert words("", path) == [word]


def test_the_message_names_the_place_and_the_word_to_use() -> None:
    (use,) = check_words.uses("otp/start.py", "\nring_send = 1")

    assert str(use) == "otp/start.py:2: ring_send is retired: use enqueue_send"


def test_every_retired_word_has_another_one() -> None:
    for table in (check_words.NAMES, check_words.WORDS, check_words.PHRASES, check_words.MODULES):
        assert all(table.values())
        assert not set(table) & set(table.values())


def test_product_code_is_looked_at_and_tests_and_migrations_are_not() -> None:
    files = {path.relative_to(check_words.ROOT).as_posix() for path in check_words.product_files()}

    assert {"otp/models.py", "core/env.py", "simulator/__main__.py"} <= files
    assert not [path for path in files if "migrations/" in path or path.startswith(("tests/", "scripts/"))]


# The list of what is not renamed yet -------------------------------------------------------------------


def use(word: str, path: str = "otp/start.py") -> check_words.Use:
    return check_words.Use(path=path, line=1, word=word, better="another")


def test_what_the_list_names_passes() -> None:
    assert check_words.problems([use("bell")], Counter({("otp/start.py", "bell"): 1})) == []


def test_one_more_than_the_list_names_is_refused_with_all_its_places() -> None:
    lines = check_words.problems([use("bell"), use("bell")], Counter({("otp/start.py", "bell"): 1}))

    assert lines == [str(use("bell"))] * 2


def test_the_list_can_only_shrink() -> None:
    (line,) = check_words.problems([], Counter({("otp/start.py", "bell"): 2}))

    assert line.startswith("otp/start.py: bell is listed 2 times and used 0 times")


def test_the_list_is_read_as_it_is_written() -> None:
    counts = Counter({("b.py", "found"): 3, ("a.py", "bell"): 1})
    text = check_words.write_baseline(counts)

    assert text.splitlines()[1:] == ["a.py bell 1", "b.py found 3"]
    assert check_words.read_baseline(text) == counts


def test_the_product_has_no_more_retired_words_than_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    baseline = check_words.read_baseline(check_words.BASELINE.read_text())

    assert check_words.problems(check_words.all_uses(), baseline) == []
