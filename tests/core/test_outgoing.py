"""S4: which addresses are public, and which URLs may be saved."""

import ipaddress

import pytest
from pytest_django import Settings

from core import outgoing
from ops import checks
from tests.core.calls import PUBLIC


@pytest.fixture
def production(settings: Settings) -> None:
    settings.PRODUCTION, settings.INSECURE_HTTP = True, False
    settings.AUTHSVC_OUTGOING_ALLOW = []


# Addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.192",
        "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
        "255.255.255.255", "168.63.129.16", "192.88.99.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::ffff:0:127.0.0.1", "::127.0.0.1", "::a9fe:a9fe",
        "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.1.2.3", "64:ff9b:1::1", "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:a00:1::", "2002:c0a8:101::1",
        "2001:0:7f00:1::", "2001::f5ff:fffe", "2001:0:808:808::f5ff:fffe",
        "2a00:1450::5efe:127.0.0.1", "2a00:1450::200:5efe:a00:1", "100::1", "2001:10::1", "5f00::1",
    ],
)  # fmt: skip
def test_no_address_of_the_inside_is_public(address: str) -> None:
    """S4: private, local, shared, reserved, multicast, and whatever carries one of them inside."""
    assert not outgoing.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8", PUBLIC, "100.63.255.255", "100.128.0.1", "172.32.0.1", "168.63.129.17", "2a00:1450:4001::1",
        "2606:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8",
    ],
)  # fmt: skip
def test_addresses_of_the_internet_are(address: str) -> None:
    """S4: the same question with the other answer; NAT64 is how networks without IPv4 reach them."""
    assert outgoing.is_public(ipaddress.ip_address(address))


# What may be saved ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "not an address"),
        ("https://", "not an address"),
        ("//gateway.example.com/x", "not an address"),
        ("ftp://gateway.example.com/", "must be https"),
        ("file:///etc/passwd", "must be https"),
        ("com.example.app:/logout", "must be https"),
        ("https:///x", "not an address"),
        ("gopher://gateway.example.com/", "must be https"),
        ("http://gateway.example.com/", "must be https"),
        ("http://127.0.0.1/", "must be https"),
        ("https://user:pw@gateway.example.com/", "user name"),
        ("https://user@gateway.example.com/", "user name"),
        ("https://gateway.example.com@169.254.169.254/", "user name"),
        ("https://gateway.example.com/#x", "fragment"),
        ("https://gateway.example.com:99999/", "not an address"),
        ("https://gateway.example.com\\@127.0.0.1/", "not an address"),
        ("https://gateway.example.com /", "not an address"),
        ("https://gate\nway.example.com/", "not an address"),
        ("https://bücher.example/", "not an address"),
        ("https://①②⑦.0.0.1/", "not an address"),
        ("https://2130706433/", "usually written"),
        ("https://0x7f000001/", "usually written"),
        ("https://0x7f.1/", "usually written"),
        ("https://127.1/", "usually written"),
        ("https://0177.0.0.1/", "usually written"),
        ("https://8.8.8/", "usually written"),
        ("https://010.8.8.8/", "usually written"),
        ("https://%31%32%37.0.0.1/", "usually written"),
        ("https://[fe80::1%25eth0]/", "usually written"),
        ("https://127.0.0.1/", "public"),
        ("https://169.254.169.254/latest/meta-data/", "public"),
        ("https://10.0.0.7/", "public"),
        ("https://100.64.0.1/", "public"),
        ("https://0.0.0.0/", "public"),
        ("https://[::1]/", "public"),
        ("https://[::ffff:169.254.169.254]/", "public"),
        ("https://[64:ff9b::7f00:1]/", "public"),
        ("https://[2002:7f00:1::]/", "public"),
        ("https://[fd00:ec2::254]/", "public"),
        ("https://localhost/", "public"),
        ("https://LOCALHOST./", "public"),
        ("https://x.localhost/", "public"),
        ("https://metadata.google.internal/computeMetadata/v1/", "public"),
        ("https://METADATA.google.internal./", "public"),
        ("https://metadata.goog/", "public"),
        ("https://metadata/", "public"),
        ("https://instance-data/", "public"),
        ("https://gateway/", "public"),
        ("https://gateway.corp.internal/", "public"),
        ("https://printer.local/", "public"),
    ],
)  # fmt: skip
def test_what_may_not_be_saved_in_production(url: str, word: str, production: None) -> None:
    """S4: with the rule it breaks."""
    assert word in outgoing.url_problem(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://gateway.example.com/messages", "https://gateway.example.com:8443/a?b=c", "https://8.8.8.8/", "https://[2606:4700::1111]/",
        "https://xn--bcher-kva.example/", "https://a_b.example.com./x", "HTTPS://Gateway.Example.com/",
    ],
)  # fmt: skip
def test_what_may(url: str, production: None) -> None:
    """S4."""
    assert outgoing.url_problem(url) == ""


@pytest.mark.parametrize(
    ("allowed", "url", "is_right"),
    [
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]/", True),
        ("10.0.0.0/8", "https://gateway.corp.internal/", True),
        ("10.0.0.0/8", "https://metadata.google.internal/", False),
        ("10.0.0.0/8", "https://192.168.0.1/", False),
        ("10.0.0.0/8", "https://localhost/", False),
        ("10.0.0.0/8", "http://10.1.2.3/", False),
        ("fd00::/8", "https://[fd12::1]/", True),
        ("gateway.corp.internal", "https://gateway.corp.internal/", True),
        ("Gateway.Corp.internal.", "https://gateway.corp.internal./", True),
        ("gateway.corp.internal", "https://other.corp.internal/", False),
        ("127.0.0.1", "https://localhost/", True),
    ],
)
def test_a_setting_names_exceptions(
    allowed: str, url: str, is_right: bool, production: None, settings: Settings
) -> None:
    """S4: networks and hosts, and nothing beside them; https all the same."""
    settings.AUTHSVC_OUTGOING_ALLOW = [allowed]

    assert (outgoing.url_problem(url) == "") is is_right


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8399/x", "http://localhost:9/", "http://[::1]:9/", "http://app.localhost/"]
)
def test_outside_production_this_machine_is_allowed(url: str) -> None:
    """S4: the demo's simulator and the tests' own servers, and no more of the inside."""
    assert outgoing.url_problem(url) == ""
    assert outgoing.url_problem("http://169.254.169.254/")
    assert outgoing.url_problem("https://10.0.0.1/")
    assert outgoing.url_problem("http://gateway.example.com/")


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["10.0.0.0/8", "gateway.internal"], ""),
        (["0.0.0.0/0"], "everything"),
        (["::/0"], "everything"),
        (["https://x.example"], "neither"),
        (["10.0.0.0/99"], "neither"),
        (["127.1"], "neither"),
    ],
)
def test_a_wrong_setting_stops_the_start(words: list[str], word: str, settings: Settings) -> None:
    """S4."""
    settings.AUTHSVC_OUTGOING_ALLOW = words

    found = [message.msg for message in checks.check_outgoing()]
    assert len(found) == bool(word)
    assert not found or word in found[0]


# Where URLs are saved -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/", "https://user:pw@hooks.example.com/", "https://2130706433/"]
)
def test_back_channel_addresses_obey_the_same_rules(url: str) -> None:
    """S4: Client.clean and the file both ask this."""
    from oidc import redirect_uris

    assert redirect_uris.callback_problem(url)
    assert redirect_uris.callback_problem("https://app.example.com/logout") == ""
