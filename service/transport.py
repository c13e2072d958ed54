"""Which connections may go in the clear: none that leaves this machine, unless somebody takes that upon himself."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

VERIFIED = "verify-full"
UNLESS = "or set DRIFTBELL_ALLOW_INSECURE=true on a network that you trust"

# The same parts that SQLAlchemy sees; `settings` refuses a URL that the two might read differently.
DATABASE_URL = re.compile(
    r"postgresql(?:\+psycopg)?://(?:[^@/?#\s]*@)?(?P<hosts>[^@/?#\s]*)(?:/[^@?#\s]*)?(?:\?(?P<query>[^@#\s]*))?"
)


def is_local(host: str) -> bool:
    """Whether a host is this machine for certain: a socket, localhost or a loopback address."""
    if not host or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def verified(url: str, environ: Mapping[str, str]) -> str:
    """The database URL, which demands a verified server where it leaves the machine and says nothing of its own."""
    if not _remote_hosts(url, environ) or _modes(url, environ):
        return url
    asked = {"sslmode": VERIFIED} | _roots(url, environ)
    words = "&".join(f"{name}={quote(value, safe='/')}" for name, value in asked.items())
    return f"{url}{'&' if '?' in url else '?'}{words}"


def database_dangers(url: str, environ: Mapping[str, str]) -> list[str]:
    """A sentence when what is sent to the database could be read or changed on its way."""
    hosts = _remote_hosts(url, environ)
    weak = [mode for mode in _modes(url, environ) or ["prefer"] if mode != VERIFIED]
    if not hosts or not weak:
        return []
    said = f"DRIFTBELL_DATABASE_URL reaches {', '.join(hosts)} with sslmode={weak[0]}"
    return [f"{said}, so that others could listen or stand in for it; write sslmode={VERIFIED}, {UNLESS}"]


def kafka_dangers(protocol: str, servers: Sequence[str]) -> list[str]:
    """A sentence when events and passwords would go to a broker elsewhere in the clear."""
    away = [server for server in servers if not is_local(server.rpartition(":")[0])]
    if protocol.endswith("SSL") or not away:
        return []
    secure = "SASL_SSL" if protocol.startswith("SASL") else "SSL or SASL_SSL"
    said = f"DRIFTBELL_KAFKA_SECURITY_PROTOCOL is {protocol}, which sends everything to {', '.join(away)}"
    return [f"{said} in the clear; write {secure}, {UNLESS}"]


def webhook_dangers(url: str) -> list[str]:
    """A sentence when alerts, and what the address holds, could be read on their way."""
    return _in_the_clear("DRIFTBELL_ALERT_WEBHOOK_URL", url)


def alertmanager_dangers(urls: Sequence[str]) -> list[str]:
    """A sentence for each of them that incidents, and who we are, would go to in the clear."""
    return [one for url in urls for one in _in_the_clear("DRIFTBELL_ALERTMANAGER_URL", url)]


def _in_the_clear(name: str, url: str) -> list[str]:
    parts = urlsplit(url)
    if parts.scheme != "http" or is_local(parts.hostname or ""):
        return []
    return [f"{name} reaches {parts.hostname} in the clear; write https://, {UNLESS}"]


def passwords_in(url: str) -> set[str]:
    """The password of a URL, as it is written and as the server gets it."""
    found = re.match(r"[^:]+://[^:@/]*:([^@]+)@", url)
    return {found[1], unquote(found[1])} if found else set()


def _remote_hosts(url: str, environ: Mapping[str, str]) -> list[str]:
    """Every host that the database library would try and that is not this machine."""
    parts = DATABASE_URL.fullmatch(url)
    if parts is None:
        return []  # no URL of ours: whoever connects with it says so
    asked = _query(url)
    named = [parts["hosts"], *(value for name, value in asked if name == "host")]
    hosts = [_without_port(host) for names in named for host in names.split(",") if host]
    addresses = [value for name, value in asked if name == "hostaddr"]  # which have no port
    hosts += [host for names in addresses for host in names.split(",") if host]
    if not hosts:
        hosts = environ.get("PGHOST", "").split(",")
    hosts += environ.get("PGHOSTADDR", "").split(",")
    services = [value for name, value in asked if name == "service"] or [environ.get("PGSERVICE", "")]
    remote = [host for host in hosts if not is_local(host)]
    return [*dict.fromkeys(remote), *(f"the service {name!r}" for name in services if name)]


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    is_bare_ipv6 = ":" in name and not name.endswith("]")
    return name if colon and (port.isdecimal() or not port) and not is_bare_ipv6 else host


def _modes(url: str, environ: Mapping[str, str]) -> list[str]:
    """The sslmode that somebody has asked for; more than one when the URL contradicts itself."""
    written = [value for name, value in _query(url) if name == "sslmode"]
    return written or [mode for mode in [environ.get("PGSSLMODE", "")] if mode]


def _roots(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Where the library finds whom to trust, unless somebody has said: the OpenSSL in its wheel knows no system."""
    said = {name for name, _ in _query(url)} | {name for name, text in environ.items() if text}
    if said & {"sslrootcert", "PGSSLROOTCERT", "service", "PGSERVICE"}:
        return {}
    if Path("~/.postgresql/root.crt").expanduser().exists():
        return {}
    return {"sslrootcert": ssl.get_default_verify_paths().cafile or "system"}


def _query(url: str) -> list[tuple[str, str]]:
    parts = DATABASE_URL.fullmatch(url)
    return parse_qsl(parts["query"] or "") if parts else []
