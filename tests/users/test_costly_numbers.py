"""Numbers that cost a fortune: no message goes there unless a project says so by name."""

import phonenumbers
import pytest

from projects.rules import NETWORKS
from users import phones
from users.phones import InvalidPhone, NumberType, PhoneProblem


@pytest.mark.parametrize(
    "typed",
    [
        "+44 70 1234 5678",
        "+1 500 555 0006",
        "+1 533 234 5678",
        "+881 6 3145 1234",
        "+881 8 1234 5678",
        "+870 773 123 456",
        "+878 10 1234567890",
        "+882 16 1234567",
        "+883 1 3012 34567",
        "+979 1 2345 6789",
        "+808 1234 5678",
        "+800 1234 5678",
        "+61 147 123 456",
        "+62 868 1234 567",
        "+1 600 201 2345",
        "+7 954 123 45 67",
    ],
)
def test_personal_satellite_and_global_numbers_get_no_message(typed: str) -> None:
    """N3."""
    with pytest.raises(InvalidPhone) as refused:
        phones.parse(typed)

    assert refused.value.problem == PhoneProblem.NO_MESSAGES


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS))
def test_every_calling_code_of_no_country(code: int) -> None:
    """N3: the library's own example of each."""
    example = phonenumbers.example_number_for_non_geo_entity(code)
    assert example is not None
    typed = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)

    with pytest.raises(InvalidPhone) as refused:
        phones.parse(typed)
    assert refused.value.problem == PhoneProblem.NO_MESSAGES
    if f"+{code}" not in NETWORKS:
        with pytest.raises(InvalidPhone):
            phones.read(typed)
        return
    phone = phones.read(typed)
    assert (phone.country, phone.network) == ("", f"+{code}")
    phones.check_deliverable(phone, networks=[f"+{code}"])
    with pytest.raises(InvalidPhone):
        phones.check_deliverable(phone, networks=[other for other in NETWORKS if other != f"+{code}"])


def test_a_personal_number_is_read_with_its_type() -> None:
    """N3: test numbers are of this kind and never reach a provider."""
    phone = phones.read("+15005550199")

    assert (phone.country, phone.type, phone.network) == ("US", NumberType.PERSONAL, "")
    with pytest.raises(InvalidPhone):
        phones.check_deliverable(phone, networks=NETWORKS)


@pytest.mark.parametrize("typed", ["+85251234567", "+12125550123", "+447624123456", "+815012345678"])
def test_mobiles_and_numbers_on_the_internet_may_get_one(typed: str) -> None:
    phones.check_deliverable(phones.read(typed))
