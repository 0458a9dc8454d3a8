"""Phone numbers as every provider and the control API take them."""

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def is_e164(value: object) -> bool:
    return isinstance(value, str) and _E164.fullmatch(value) is not None
