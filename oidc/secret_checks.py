"""Rate-limited checks of client secrets. Checking a short secret is slow on purpose, so it is limited beforehand.

A long secret cannot be guessed and is checked in a microsecond. A short one may be a word: tries are limited for each
address and for all addresses together, and the slow hash runs at most twice at a time. A network from which the secret
was right before is exempt from the common limit, so that strangers cannot use it up.
"""

import hashlib
import hmac
import secrets as random
import threading

import redis
import structlog

from abuse import throttle
from core import config_version
from core.addresses import network_of
from core.redis import LocalStore, redis_client
from oidc import client_secrets
from oidc.models import Client

log = structlog.get_logger(__name__)

_PREFIX = "authsvc:proven:"
_REMEMBERED_SECONDS = 30 * 24 * 3600
_MAX_VERIFIED = 1000
_MAX_WAIT_SECONDS = 2.0

_hashing = threading.BoundedSemaphore(2)
_process_key = random.token_bytes(32)
# Digests of secrets that were right.
_verified: LocalStore[bytes, None] = LocalStore(max_entries=_MAX_VERIFIED)


def matches(secret: str, *, client: Client, address: str) -> bool:
    """Whether the client's secret is right. Raises TooMany."""
    stored = str(client.client_secret)
    if not secret or not stored or client_secrets.is_fast(stored):
        return client_secrets.matches(secret, stored)
    digest = hmac.digest(_process_key, f"{stored}\0{secret}".encode(errors="replace"), "sha256")
    if _was_verified(digest):
        return True
    network = network_of(address)
    counts = [("secret.address", f"{client.pk}:{network}")]
    if not _was_right_before(stored, network):
        counts.append(("secret.client", str(client.pk)))
    config_version.confirm()  # before the count: one that is decided again is not charged twice
    throttle.charge(*counts)
    if not _hashing.acquire(timeout=_MAX_WAIT_SECONDS):
        raise throttle.TooMany(wait_seconds=1)
    try:
        right = client_secrets.matches(secret, stored)
    finally:
        _hashing.release()
    if right:
        _remember(digest, stored, network)
    return right


def _was_verified(digest: bytes) -> bool:
    with _verified.lock:
        if digest not in _verified:
            return False
        _verified.move_to_end(digest)
        return True


def _remember(digest: bytes, stored: str, network: str) -> None:
    with _verified.lock:
        _verified.put(digest, None)
    store = redis_client()
    if store is None:
        return
    try:
        store.set(_store_key(stored, network), 1, ex=_REMEMBERED_SECONDS)
    except redis.RedisError as error:
        log.warning("secrets.store_unavailable", error=type(error).__name__)


def _was_right_before(stored: str, network: str) -> bool:
    """Whether this secret was right from this network within the last thirty days, in any process."""
    store = redis_client()
    if store is None:
        return False
    try:
        return bool(store.exists(_store_key(stored, network)))
    except redis.RedisError as error:
        log.warning("secrets.store_unavailable", error=type(error).__name__)
        return False


def _store_key(stored: str, network: str) -> str:
    return _PREFIX + hashlib.sha256(f"{stored}\0{network}".encode()).hexdigest()
