"""The price table: what a message costs where its provider reports no amount."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from stats.models import Price

COLUMNS = ("provider", "country", "category", "amount", "currency", "valid_from")
MOST_ROWS = 5000
# What a message is looked up as whose category its provider did not tell.
_USUAL = "authentication"


@dataclass(frozen=True, kw_only=True)
class Amount:
    micros: int  # millionths
    currency: str


class PriceList:
    """All prices, read once. A later price of the same kind takes the place of an earlier one from its day on."""

    def __init__(self, rows: Sequence[Price]) -> None:
        self._by_key: dict[tuple[str, str, str], list[Price]] = {}
        for row in sorted(rows, key=lambda row: row.valid_from):
            self._by_key.setdefault((row.provider, row.country, row.category), []).append(row)
        self.days = sorted({row.valid_from for row in rows})

    @classmethod
    def load(cls) -> "PriceList":
        return cls(list(Price.objects.all()))

    def of(self, *, provider: str, country: str, category: str, on: date) -> Amount | None:
        """The nearest that is valid on the day: of the country before any, of the category before any. None: none."""
        for place in dict.fromkeys((country, "")):
            for kind in dict.fromkeys((category or _USUAL, "")):
                valid = [row for row in self._by_key.get((provider, place, kind), ()) if row.valid_from <= on]
                if valid:
                    return Amount(micros=round(valid[-1].amount * 1_000_000), currency=valid[-1].currency)
        return None

    def cheapest(self, providers: Sequence[str], *, country: str, currency: str, on: date) -> int | None:
        """The lowest price of these providers in the currency, in millionths; None: none is known."""
        amounts = (self.of(provider=name, country=country, category="", on=on) for name in providers)
        return min((item.micros for item in amounts if item and item.currency == currency), default=None)


def paste(text: str) -> int:
    """Store the prices of a pasted CSV, all or none; how many. Its first line names the columns; one of the same kind
    and day is replaced. Raises ValidationError with one message for each wrong line."""
    rows, problems = [], []
    try:
        lines = list(_lines(text))
    except csv.Error as error:  # a field that is too long, for one
        raise ValidationError(_("It cannot be read as CSV.")) from error
    for number, row in lines:
        if isinstance(row, str):
            problems.append(_("Line %(number)d: %(problem)s") % {"number": number, "problem": row})
        else:
            rows.append(row)
    if problems:
        raise ValidationError(problems[:20])
    if not rows:
        raise ValidationError(_("There is no line below the names of the columns."))
    with transaction.atomic():
        for row in rows:
            key = {name: getattr(row, name) for name in ("provider", "country", "category", "valid_from")}
            Price.objects.update_or_create(**key, defaults={"amount": row.amount, "currency": row.currency})
    return len(rows)


def _lines(text: str) -> Iterator[tuple[int, Price | str]]:
    """Each line with its number: a price, or what is wrong with it. Raises ValidationError."""
    dialect = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text.strip(), newline=""), delimiter=dialect, skipinitialspace=True)
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    wanted = {"provider", "amount", "currency"}
    if not wanted <= set(names) or set(names) - set(COLUMNS):
        text = _("The first line must name the columns: %(columns)s.")
        raise ValidationError(text % {"columns": ", ".join(COLUMNS)})
    reader.fieldnames = names
    for number, values in enumerate(reader, start=2):
        if number > MOST_ROWS + 1:
            raise ValidationError(_("At most %(count)d lines at a time.") % {"count": MOST_ROWS})
        if None in values or None in values.values():
            yield number, _("it has another number of columns than the first line")
            continue
        yield number, _price({name: value.strip() for name, value in values.items() if value.strip()})


def _price(values: dict[str, str]) -> Price | str:
    for name in ("country", "currency"):
        if name in values:
            values[name] = values[name].upper()
    row = Price(**values)
    try:
        row.clean_fields()
    except ValidationError as error:
        return "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
    return row
