"""Long texts of columns in events: cut to be read, but never so that a change is hidden behind the cut."""

from collections import Counter
from collections.abc import Callable, Iterator

# Characters: of a line, and of a text that is shown whole beside its other version.
LONGEST = 1000
_BEFORE_THE_CHANGE = 40
MORE = "…"

type Mask = Callable[[str], str]


def whole(text: str, *, mask: Mask) -> str:
    """A text by itself. Every line has its beginning: a list of addresses has no end that is not shown."""
    return "\n".join(_cut(line) for line in mask(text).split("\n"))


def difference(old: str, new: str, *, mask: Mask) -> tuple[str, str]:
    """Two texts that differ: whole, or of long ones the lines that only one has, after a line that says so."""
    if max(len(old), len(new)) <= LONGEST:
        return mask(old), mask(new)
    removed, added = list(_without(old, new)), list(_without(new, old))
    if len(removed) == len(added) == 1 and ("\n" not in old or max(map(len, removed + added)) > LONGEST):
        return _around_the_change(mask(removed[0]), mask(added[0]))
    if not (removed or added):  # the same lines in another order
        return _around_the_change(mask(old), mask(new))
    return _lines(removed, mask), _lines(added, mask)


def _without(text: str, other: str) -> Iterator[str]:
    """The lines that the other text does not have, or not so often."""
    left = Counter(other.split("\n"))
    for line in text.split("\n"):
        if left[line]:
            left[line] -= 1
        else:
            yield line


def _lines(lines: list[str], mask: Mask) -> str:
    return "\n".join([MORE, *(_cut(mask(line)) for line in lines)])


def _cut(text: str, start: int = 0) -> str:
    """At most LONGEST characters from `start` on. Of masked texts only: a number without its beginning is no number."""
    piece = text[start : start + LONGEST]
    return (MORE if start else "") + piece + (MORE if start + LONGEST < len(text) else "")


def _around_the_change(old: str, new: str) -> tuple[str, str]:
    same = next(
        (at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    start = same - _BEFORE_THE_CHANGE if same > LONGEST // 2 else 0
    return _cut(old, start), _cut(new, start)
