"""Certificates for servers of the tests, from an authority that lives as long as a test session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

LONG_AGO = datetime.now(UTC) - timedelta(days=2)


class Authority:
    """A certificate authority; `roots` is the file that a client trusts it by."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._authority = trustme.CA()
        self.roots = folder / "roots.pem"
        self._authority.cert_pem.write_to_path(self.roots)

    def issue(self, *names: str, expired: bool = False) -> Path:
        """A file with the key and the certificate (in that order) of a server or client of these names."""
        issued = self._authority.issue_cert(*names, not_after=LONG_AGO if expired else None)
        path = self._folder / f"{names[0]}{'-expired' if expired else ''}.pem"
        path.unlink(missing_ok=True)
        path.touch(0o600)
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        chain = b"".join(certificate.bytes() for certificate in issued.cert_chain_pems)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain)
        return path
