"""Routes and lists of senders in a file: what is refused and where, what changes, what is written again."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from channels.models import Sender
from channels.types import Channel
from ops.configfile.export import export
from projects.config import projects
from projects.models import LoginMethods
from tests.ops.configfile.projects import of_project
from tests.ops.configfile.support import Result

INDIA: dict[str, Any] = {"countries": ["IN"], "order": ["whatsapp", "sms"], "wait_seconds": 12}
MEMORY = {"provider": "memory"}


def document(**changes: Any) -> str:
    """One project with both channels; `sms` and `routing` by the test."""
    project = {
        "slug": "acme", "name": "Acme", "default": True, "countries": {"allowed": ["IN", "HK"]},
        "whatsapp": {**MEMORY, "template": {"name": "any", "languages": ["en"]}}, "sms": MEMORY, **changes,
    }  # fmt: skip
    return str(yaml.safe_dump({"projects": [project]}, sort_keys=False))


# Problems ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "line"),
    [
        ({"countries": []}, "countries: is required"),
        ({"countries": None}, "countries: is required"),
        ({"countries": ["XX"]}, "countries[0]: must be a country code such as HK"),
        ({"countries": "IN"}, "countries: must be a list"),
        ({"order": []}, "order: is required"),
        ({"order": ["pigeon"]}, "order[0]: must be one of whatsapp, sms"),
        ({"order": ["sms", "sms"]}, "order[1]: duplicate value"),
        ({"wait_seconds": 4}, "wait_seconds: must be from 5 to 300"),
        ({"wait_seconds": True}, "wait_seconds: must be from 5 to 300"),
        ({"colour": 1}, "colour: unknown key"),
        ({"sender": 7}, "sender: must be text, quote it: YAML reads digits as a number"),
    ],
)
def test_a_value_that_is_wrong_by_itself(route: dict[str, Any], line: str) -> None:
    assert of_project(routing=[INDIA | route], countries={"allowed": ["IN"]}) == [f"routing[0].{line}"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"routing": [INDIA, INDIA]}, "routing[1].countries: names a country twice: IN"),
        ({"routing": [INDIA], "countries": {"allowed": ["HK"]}}, "routing[0].countries: must be among the countries allowed: IN"),
        ({"routing": [INDIA], "login_methods": {"verify_phone_by": "sms_only"}}, "routing[0].order: must be of sms, each once at most"),
        ({"routing": [INDIA | {"wait_seconds": 60}], "otp": {"valid_seconds": 60}}, "routing[0].wait_seconds: must be below the 60 seconds that a code is valid"),
        ({"routing": [INDIA | {"order": ["sms", "whatsapp"]}]}, "routing[0].wait_seconds: needs an order that begins with WhatsApp and goes on with SMS"),
    ],
)  # fmt: skip
def test_the_rules_of_the_admin_hold_in_the_file(changes: dict[str, Any], line: str) -> None:
    assert of_project(**({"countries": {"allowed": "all"}} | changes)) == [line]


@pytest.mark.parametrize("value", ["a", 7, {}, True])
def test_routing_is_a_list(value: object) -> None:
    assert of_project(routing=value) == ["routing: must be a list"]


def test_rules_wait_until_what_they_compare_is_valid() -> None:
    lines = of_project(routing=[INDIA], countries={"allowed": ["HK", "XX"]}, otp={"valid_seconds": 5})

    assert lines == [
        "otp.valid_seconds: must be from 60 to 600",
        "countries.allowed[1]: must be a country code such as HK",
    ]


@pytest.mark.parametrize(
    ("sms", "line"),
    [
        ([], "sms: must name at least one sender"),
        ([MEMORY, 7], "sms[1]: must be a mapping of keys"),
        ([MEMORY, {"provider": "pigeon"}], "sms[1].provider: must be one of twilio, vonage, http, console, memory"),
        ([{**MEMORY, "name": "a b"}], "sms[0].name: must have at most 40 letters, digits, hyphens and underscores"),
        ([{**MEMORY, "name": "x" * 41}], "sms[0].name: must have at most 40 letters, digits, hyphens and underscores"),
        ({**MEMORY, "name": 7}, "sms.name: must be text, quote it: YAML reads digits as a number"),
        ([{"provider": "twilio"}, MEMORY], "sms[0].account_sid: is required"),
    ],
)  # fmt: skip
def test_a_list_of_senders_names_its_entry(sms: object, line: str) -> None:
    assert line in of_project(sms=sms)


def test_a_name_means_one_sender(tmp_path: Path) -> None:
    named = {**MEMORY, "name": "india"}

    assert of_project(sms=[named, named]) == ["projects[0]: two senders have the name india"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sender", "problem"),
    [
        ("gone", "no active sender of this project, and no shared one, is named gone"),
        ("text", "text sends sms, which is not in the order"),
    ],
)
def test_a_route_names_a_sender_that_serves_it(sender: str, problem: str, tmp_path: Path) -> None:
    routing = [{"countries": ["IN"], "order": ["whatsapp"], "sender": sender}]

    result = Result(document(routing=routing, sms={**MEMORY, "name": "text"}), tmp_path)

    assert result.code == 2
    assert f"projects[0].routing[0].sender: {problem}" in result.err
    assert not Sender.objects.exists()
    assert not LoginMethods.objects.exists()


# Changes ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_route_is_stored_and_its_changes_are_a_line(tmp_path: Path) -> None:
    Result(document(), tmp_path)

    line = Result(document(routing=[INDIA]), tmp_path).out.splitlines()
    assert "projects.acme.routing: [] → [IN: whatsapp then sms after 12 s]" in line
    config = projects.get().default
    assert config is not None
    assert (config.route("IN").wait_seconds, config.route("HK")) == (12, config.usual_route)

    assert "nothing to change" in Result(document(routing=[INDIA]), tmp_path).out
    Result(document(), tmp_path)
    assert LoginMethods.objects.get().routing == []


@pytest.mark.django_db
def test_the_order_of_a_list_is_the_order_of_its_senders(tmp_path: Path) -> None:
    one, two = {**MEMORY, "name": "one"}, {**MEMORY, "name": "two"}
    Result(document(sms=[one, two]), tmp_path)
    before = {row.name: row.pk for row in Sender.objects.filter(channel="sms")}

    lines = Result(document(sms=[two, one]), tmp_path).out.splitlines()

    assert "projects.acme.sms[0].order: 2 → 1" in lines
    rows = Sender.objects.filter(channel="sms", is_active=True).order_by(*Sender.TRIED)
    assert [(row.name, row.pk) for row in rows] == [("two", before["two"]), ("one", before["one"])]


@pytest.mark.django_db
def test_one_that_is_listed_no_more_is_switched_off_and_keeps_its_messages(tmp_path: Path) -> None:
    one, two = {**MEMORY, "name": "one"}, {**MEMORY, "name": "two"}
    Result(document(sms=[one, two]), tmp_path)

    lines = Result(document(sms=two), tmp_path).out.splitlines()

    assert "projects.acme.sms: one removed" in lines
    assert list(Sender.objects.filter(channel="sms").order_by("name").values_list("name", "is_active")) == [
        ("one", False),
        ("two", True),
    ]


@pytest.mark.django_db
def test_a_stored_sender_gets_the_name_that_the_file_gives_it(tmp_path: Path) -> None:
    """With its secrets: the file need not have them."""
    Result(document(sms=MEMORY), tmp_path)
    before = Sender.objects.get(channel="sms")

    lines = Result(document(sms={**MEMORY, "name": "india"}), tmp_path).out.splitlines()

    assert 'projects.acme.sms.name: "" → india' in lines
    assert Sender.objects.get(channel="sms").pk == before.pk


@pytest.mark.django_db
@pytest.mark.parametrize(("first", "second"), [("whatsapp", "sms"), ("sms", "whatsapp")])
def test_a_name_can_move_to_the_other_channel(first: str, second: str, tmp_path: Path) -> None:
    sections: dict[str, dict[str, Any]] = {
        "whatsapp": {**MEMORY, "template": {"name": "any", "languages": ["en"]}},
        "sms": dict(MEMORY),
    }
    Result(document(**(sections | {first: sections[first] | {"name": "india"}})), tmp_path)

    result = Result(document(**(sections | {second: sections[second] | {"name": "india"}})), tmp_path)

    assert (result.code, result.err) == (0, "")
    assert Sender.objects.get(is_active=True, name="india").channel == Channel(second)


@pytest.mark.django_db
def test_an_export_has_a_list_only_where_there_are_several(tmp_path: Path) -> None:
    one, two = {"name": "one", **MEMORY}, dict(MEMORY)
    Result(document(sms=[one, two], routing=[INDIA | {"sender": "one"}]), tmp_path)

    [written] = yaml.safe_load(export())["projects"]

    assert [(item.get("name"), item["provider"]) for item in written["sms"]] == [
        ("one", "memory"),
        (None, "memory"),
    ]
    assert isinstance(written["whatsapp"], dict)
    assert written["routing"] == [INDIA | {"sender": "one"}]
    assert "nothing to change" in Result(export(), tmp_path).out
