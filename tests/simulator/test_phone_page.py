"""The phone page is self-contained and works below any path."""

import re

import pytest

from tests.simulator.support import PHONE, send_whatsapp
from tests.simulator_client import SimulatorClient

ASSETS = ["phone.css", "phone.js", "phone.svg"]


def test_the_page_has_a_strict_policy(client: SimulatorClient) -> None:
    answer = client.http.get("/phone/")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert re.findall(r"<script[^>]*>([^<]*)", answer.text) == [""]


@pytest.mark.parametrize("path", ["", *(f"static/{name}" for name in ASSETS)])
def test_no_address_in_it_is_absolute(client: SimulatorClient, path: str) -> None:
    text = client.http.get(f"/phone/{path}").text.replace("http://www.w3.org/2000/svg", "")

    assert "http:" not in text
    assert "https:" not in text
    assert not re.search(r"""(src|href)="/|url\(|fetch\([`"']/|@import""", text)


@pytest.mark.parametrize("name", ASSETS)
def test_its_files_are_served_with_their_type(client: SimulatorClient, name: str) -> None:
    answer = client.http.get(f"/phone/static/{name}")

    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    expected = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[name.rpartition(".")[2]]
    assert answer.headers["content-type"].startswith(expected)


@pytest.mark.parametrize(
    "path",
    [
        "/phone/static/",
        "/phone/static/../server.py",
        "/phone/static/%2e%2e%2fserver.py",
        "/phone/static/phone.html",
    ],
)
def test_nothing_else_is_served(client: SimulatorClient, path: str) -> None:
    assert client.http.get(path).status_code == 404


def test_the_page_without_its_slash_redirects_relatively(client: SimulatorClient) -> None:
    answer = client.http.get("/phone")

    assert answer.status_code == 308
    assert answer.headers["location"] == "phone/"


@pytest.mark.parametrize(
    "path", ["healthz", "handsets", f"handsets/{PHONE}", f"handsets/{PHONE}/messages", "faults", "sends"]
)
def test_every_control_route_has_its_alias_below_the_page(client: SimulatorClient, path: str) -> None:
    send_whatsapp(client)

    assert client.http.get(f"/phone/api/{path}").status_code == 200


def test_the_page_can_steer(client: SimulatorClient) -> None:
    client.http.put(f"/phone/api/handsets/{PHONE}", json={"whatsapp": "not_on_whatsapp"}).raise_for_status()
    client.http.put("/phone/api/faults", json={"whatsapp_outage": "refuse"}).raise_for_status()

    assert client.handset(PHONE)["whatsapp"] == "not_on_whatsapp"
    assert client.faults()["whatsapp_outage"] == "refuse"
