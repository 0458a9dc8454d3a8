"""What the doctor asks Meta of a sender: the steps of its set-up page, without those that ask our own address."""

from collections.abc import Iterator

from channels.base import SenderConfig
from channels.findings import Finding
from channels.providers.meta import connect, reports, templates
from channels.providers.meta.settings import MetaSettings
from channels.setup import Surroundings
from core.http import HttpClient


def check(sender: SenderConfig[MetaSettings], public_url: str, client: HttpClient) -> Iterator[Finding]:
    """Number, token and secret, then templates, then subscription; a number that cannot be used ends it."""
    around = Surroundings(public_url=public_url)
    works = yield from connect.connect(sender, around, client)
    if works and sender.settings.business_account_id:
        yield from templates.check(sender, around, client)
        yield from reports.subscription(sender, public_url, client)
