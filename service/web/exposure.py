"""Whether the address that we listen on is for this machine alone, and who is answered there then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from ipaddress import ip_address

from service.errors import ConfigurationError
from service.settings import Auth
from service.web.security import LOOPBACK_HOSTS

_MAKE_ONE = "make one with `driftbell keys create --name me --scope admin`"

logger = logging.getLogger(__name__)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def hosts_for(host: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The host names that requests may name: as set, else those of a loopback address, else any."""
    return allowed or (LOOPBACK_HOSTS if is_loopback(host) else ())


def auth_for(asked: Auth | None, host: str, any_key: Callable[[], bool]) -> Auth:
    """Who is answered on this address. Raises ConfigurationError rather than answer strangers unasked.

    Whoever has made a key wants to be asked for it; `any_key` says whether one opens anything now.
    """
    if asked is Auth.OPEN and not is_loopback(host):
        logger.warning(
            "DRIFTBELL_AUTH is open and the address is %s: whoever reaches it reads everything and may change it",
            host,
        )
    if asked is Auth.KEYS and not any_key():
        logger.warning("there is no key yet, so that nobody is answered; %s", _MAKE_ONE)
    if asked is not None:
        return asked
    if any_key():
        return Auth.KEYS
    if is_loopback(host):
        return Auth.OPEN
    raise ConfigurationError(
        f"listening on {host} needs a key, since others reach that address; {_MAKE_ONE}, "
        "or set DRIFTBELL_AUTH=keys to make one later, or DRIFTBELL_AUTH=open to answer everybody"
    )
