"""Twilio's own SDK works with the simulator.

It reads and sends what Twilio documents, so a mistake of ours about it fails here.
"""

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client as TwilioClient  # type: ignore[import-untyped]

from tests.simulator.support import ACCOUNT_SID, PHONE, SENDER, Receiver
from tests.simulator_client import RunningSimulator, SimulatorClient


class _TwilioAtSimulator(HTTPAdapter):
    """What the SDK sends to api.twilio.com goes to the simulator."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: PreparedRequest, **arguments: object) -> Response:  # type: ignore[override]
        assert request.url
        assert request.url.startswith("https://api.twilio.com")
        request.url = request.url.replace("https://api.twilio.com", self._url)
        return super().send(request, **arguments)  # type: ignore[arg-type]


def _twilio(url: str, token: str = "sim-auth-token") -> TwilioClient:
    http = TwilioHttpClient()
    assert http.session
    http.session.mount("https://", _TwilioAtSimulator(url))
    return TwilioClient(ACCOUNT_SID, token, http_client=http)


def test_the_sdk_sends_and_its_validator_believes_the_callbacks(
    simulator: RunningSimulator, client: SimulatorClient, receiver: Receiver
) -> None:
    twilio = _twilio(simulator.url)
    callback = simulator.webhook_url.replace("/whatsapp/webhook", "/sms/twilio/status?delivery=1")

    sent = twilio.messages.create(to=PHONE, from_=SENDER, body="Your code: 424242", status_callback=callback)
    reports = receiver.wait(2)
    read = twilio.messages(sent.sid).fetch()
    account = twilio.api.accounts(ACCOUNT_SID).fetch()

    assert client.messages(PHONE)[-1]["code"] == "424242"
    assert (read.sid, read.to, read.status) == (sent.sid, PHONE, "delivered")
    assert account.sid == ACCOUNT_SID
    validator = RequestValidator("sim-auth-token")
    for report in reports:
        signature = report.headers["x-twilio-signature"]
        assert validator.validate(callback, report.form, signature)
        assert not RequestValidator("wrong").validate(callback, report.form, signature)


@pytest.mark.parametrize(("to", "sender", "code"), [("+1", SENDER, 21211), (PHONE, "+15005550001", 21212)])
def test_the_sdk_raises_twilios_errors(simulator: RunningSimulator, to: str, sender: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        _twilio(simulator.url).messages.create(to=to, from_=sender, body="Your code: 424242")

    assert refused.value.code == code


def test_a_wrong_token_of_twilio(simulator: RunningSimulator) -> None:
    with pytest.raises(TwilioRestException) as refused:
        _twilio(simulator.url, token="wrong").messages.create(to=PHONE, from_=SENDER, body="424242")

    assert (refused.value.status, refused.value.code) == (401, 20003)
