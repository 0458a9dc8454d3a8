"""What the limiter takes: charges, and lists of them that many requests have in common."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import overload

_BETWEEN = "\n"  # keys of a template; no value holds it


@dataclass(frozen=True, kw_only=True)
class Rule:
    name: str
    amount: int
    period_seconds: float


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One rule for one subject. `need`: how much must be free (0: do not check); `cost`: how much is taken.

    `instead`: when there is no room, these are checked and taken in its place. `near`: the count at which the
    operator is notified (0: never), and `place` what the notice names.
    """

    rule: Rule
    subject: str
    need: int = 1
    cost: int = 1
    instead: tuple["Charge", ...] = ()
    near: int = 0
    place: str = ""

    @property
    def key(self) -> str:
        return f"authsvc:limit:{self.rule.name}:{self.rule.period_seconds:g}:{self.subject}"


class Template:
    """Charges of many requests. A `{name}` in their subjects and places stands for a value of the single request.

    Making the charges of a start costs as much as charging them, so it is done once for all starts of a kind.
    """

    def __init__(self, charges: Sequence[Charge]) -> None:
        self.charges = tuple(charges)
        # Each charge, and behind it those that stand instead of it.
        self.flat = tuple(item for charge in charges for item in (charge, *charge.instead))
        self.keys = _BETWEEN.join(item.key for item in self.flat)

    @cached_property
    def numbers(self) -> str:
        """Six for each charge, as charge.lua reads them."""
        return json.dumps(
            [
                number
                for item in self.flat
                for number in (
                    item.rule.amount,
                    item.need,
                    item.cost,
                    int(item.rule.period_seconds * 1000),
                    item.near,
                    len(item.instead),
                )
            ]
        )


class Charges(Sequence[Charge]):
    """Those of one request: a template with its values. Without values the template is complete."""

    def __init__(self, template: Template, values: Mapping[str, str] | None) -> None:
        self.template = template
        self.values = values

    @classmethod
    def of(cls, charges: Sequence[Charge]) -> "Charges":
        """Any others, whose subjects are complete."""
        return charges if isinstance(charges, Charges) else cls(Template(charges), None)

    @cached_property
    def keys(self) -> Sequence[str]:
        """The key of each count, in the order of `template.flat`."""
        if self.values is None:
            return [item.key for item in self.template.flat]
        return self.template.keys.format_map(self.values).split(_BETWEEN)

    def item(self, number: int) -> Charge:
        """As the limiter counts them: from 1, in the order of `template.flat`."""
        return self._complete(self.template.flat[number - 1])

    def __len__(self) -> int:
        return len(self.template.charges)

    def __iter__(self) -> Iterator[Charge]:
        return map(self._complete, self.template.charges)

    @overload
    def __getitem__(self, at: int) -> Charge: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Charge]: ...
    def __getitem__(self, at: int | slice) -> Charge | Sequence[Charge]:
        return list(self)[at]

    def _complete(self, item: Charge) -> Charge:
        if self.values is None:
            return item
        return replace(
            item,
            subject=item.subject.format_map(self.values),
            place=item.place.format_map(self.values),
            instead=tuple(map(self._complete, item.instead)),
        )
