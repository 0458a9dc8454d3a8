"""The data of the country search (static/login/countries.js), held against libphonenumber."""

import json
import random
import re
import subprocess
from pathlib import Path

import phonenumbers
import pytest
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

FILE = Path(__file__).resolve().parents[2] / "static" / "login" / "countries.js"
MOBILE = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
SHARED = {code: regions for code, regions in COUNTRY_CODE_TO_REGION_CODE.items() if len(regions) > 1}


@pytest.fixture(scope="module")
def data() -> dict[str, dict[str, dict[str, str] | str]]:
    """The constants of the script, read by a script engine."""
    source = FILE.read_text(encoding="utf-8")
    constants = re.findall(
        r"^  const (?:MAIN|PREFIXES|ALIASES) = \{.*?^  \};$", source, re.MULTILINE | re.DOTALL
    )
    assert len(constants) == 3
    script = "\n".join(constants) + "\nconsole.log(JSON.stringify({MAIN, PREFIXES, ALIASES}))"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    read: dict[str, dict[str, dict[str, str] | str]] = json.loads(done.stdout)
    return read


def test_the_first_country_of_every_shared_calling_code(data: dict[str, dict[str, str]]) -> None:
    """+1 is the United States, +7 Russia, +44 the United Kingdom."""
    assert data["MAIN"] == {str(code): regions[0] for code, regions in SHARED.items()}


@pytest.mark.parametrize("code", sorted(SHARED))
def test_a_whole_mobile_number_says_its_country(
    data: dict[str, dict[str, dict[str, str]]], code: int
) -> None:
    """By the longest prefix, for numbers of all countries that share a calling code."""
    prefixes = {
        prefix: region
        for region, text in data["PREFIXES"].get(str(code), {}).items()
        for prefix in text.split()
    }
    chance = random.Random(code)
    checked = 0
    for region in SHARED[code]:
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example is None:
            continue
        national = phonenumbers.national_significant_number(example)
        for kept in range(2, len(national) + 1):
            for _ in range(12):
                digits = national[:kept] + "".join(
                    chance.choice("0123456789") for _ in range(len(national) - kept)
                )
                number = phonenumbers.parse(f"+{code}{digits}")
                told = phonenumbers.region_code_for_number(number)
                if told is None or phonenumbers.number_type(number) not in MOBILE:
                    continue
                checked += 1
                fits = [prefix for prefix in prefixes if digits.startswith(prefix)]
                assert (prefixes[max(fits, key=len)] if fits else SHARED[code][0]) == told, digits
    assert checked > 20


def test_the_area_codes_that_the_library_names_are_there(data: dict[str, dict[str, dict[str, str]]]) -> None:
    for region in SHARED[1]:
        metadata = PhoneMetadata.metadata_for_region(region)
        if region == "US" or not metadata or not metadata.leading_digits:
            continue
        areas = [f"{area}" for area in range(200, 1000) if re.match(metadata.leading_digits, f"{area}")]
        assert set(areas) == set(data["PREFIXES"]["1"][region].split()), region


def test_no_other_name_means_two_countries(data: dict[str, dict[str, str]]) -> None:
    names = [name for text in data["ALIASES"].values() for name in text.split(",")]

    assert len(names) == len(set(names))
    assert set(data["ALIASES"]) <= set(phonenumbers.SUPPORTED_REGIONS)


def test_the_script_stays_small() -> None:
    """Names come from the browser, not over the line."""
    assert FILE.stat().st_size < 16 * 1024
