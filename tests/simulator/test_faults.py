"""The faults that tests set: merged key by key, refused by name, and never half applied."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.handsets.handset import Channel
from simulator.server.faults import (
    DROPPING_OUTAGES,
    WHATSAPP_ONLY_OUTAGES,
    Faults,
    Outage,
    ReportFaults,
    changed_faults,
    outcome_of,
)
from simulator.server.routing import BadRequest
from tests.simulator_client import SimulatorClient

FLAGS = [name for name, value in asdict(ReportFaults()).items() if isinstance(value, bool)]
report_changes = st.fixed_dictionaries(
    {}, optional={**{name: st.booleans() for name in FLAGS}, "delay_ms": st.integers(0, 3_600_000)}
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "whatsapp_outage": st.sampled_from([None, *map(str, Outage)]),
        "sms_outage": st.sampled_from([None, *map(str, set(Outage) - WHATSAPP_ONLY_OUTAGES)]),
        "hang_seconds": st.floats(0, 3600),
        "answer_seconds": st.integers(0, 3600),
        "reports": report_changes,
    },
)


def as_set(faults: Faults) -> dict[str, Any]:
    return asdict(faults)


@given(st.lists(changes, max_size=4))
def test_each_change_leaves_what_it_does_not_name(several: list[dict[str, Any]]) -> None:
    faults = Faults()
    expected: dict[str, Any] = as_set(Faults())
    for change in several:
        faults = changed_faults(faults, change)
        expected |= {name: value for name, value in change.items() if name != "reports"}
        expected["reports"] |= change.get("reports", {})

    assert as_set(faults) == expected


@given(change=changes, wrong=st.sampled_from(["surprise", "reports.surprise", "sms_outage", "hang_seconds"]))
def test_a_change_with_one_wrong_key_changes_nothing(change: dict[str, Any], wrong: str) -> None:
    before = Faults(whatsapp_outage=Outage.HANG)
    bad: dict[str, dict[str, Any]] = {
        "surprise": {"surprise": 1},
        "reports.surprise": {"reports": {"surprise": True}},
        "sms_outage": {"sms_outage": "paused"},
        "hang_seconds": {"hang_seconds": True},
    }

    with pytest.raises(BadRequest, match=rf"^{wrong}: "):
        changed_faults(before, change | bad[wrong])
    assert before == Faults(whatsapp_outage=Outage.HANG)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hang_seconds": -1}, "hang_seconds: must be a number from 0 to 3600"),
        ({"hang_seconds": 3600.5}, "hang_seconds: must be a number from 0 to 3600"),
        ({"answer_seconds": "2"}, "answer_seconds: must be a number from 0 to 3600"),
        ({"whatsapp_outage": "nap"}, "whatsapp_outage: must be one of "),
        ({"whatsapp_outage": 7}, "whatsapp_outage: must be one of "),
        ({"reports": []}, "reports: must be an object"),
        ({"reports": {"lose": 1}}, "reports.lose: must be true or false"),
        ({"reports": {"delay_ms": True}}, "reports.delay_ms: must be a whole number from 0 to 3600000"),
        ({"reports": {"delay_ms": 1.5}}, "reports.delay_ms: must be a whole number from 0 to 3600000"),
        ({"reports": {"delay_ms": 3_600_001}}, "reports.delay_ms: must be a whole number from 0 to 3600000"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named_with_its_rule(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        changed_faults(Faults(), change)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("outage", sorted(WHATSAPP_ONLY_OUTAGES))
def test_what_only_meta_does_is_refused_for_sms(outage: Outage, client: SimulatorClient) -> None:
    """Over the control API, as other tests set it."""
    answer = client.http.put("/faults", json={"sms_outage": outage})

    assert answer.status_code == 400
    assert answer.json() == {"error": f"sms_outage: {outage} happens on WhatsApp only"}
    assert client.set_faults(whatsapp_outage=outage)["whatsapp_outage"] == outage
    assert client.faults()["sms_outage"] is None


@pytest.mark.parametrize("channel", list(Channel))
def test_each_channel_has_an_outage_of_its_own(channel: Channel) -> None:
    faults = replace(Faults(), whatsapp_outage=Outage.PAUSED, sms_outage=Outage.HANG)

    assert faults.outage(channel) is (Outage.PAUSED if channel is Channel.WHATSAPP else Outage.HANG)
    assert Faults().outage(channel) is None


@pytest.mark.parametrize("outage", [None, *Outage])
def test_a_record_says_accepted_only_where_the_message_may_arrive(outage: Outage | None) -> None:
    """Those that are refused after the provider's own checks are recorded by these; here is what these leave."""
    outcome = outcome_of(outage)

    assert outcome in {"accepted", "refused", "unanswered", "garbled", "held", "paused"}
    if outage in DROPPING_OUTAGES:
        assert outcome != "accepted"
    assert outcome_of(None) == "accepted"
