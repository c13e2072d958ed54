"""A reference by what a person calls it: a file, or a name in the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from service.cli.monitors import read_profile
from service.errors import ConfigurationError
from service.opening import ready_engine
from service.reference.profile import profile_from_bytes
from service.settings import load_from_environment
from service.store.configuration import load_reference

if TYPE_CHECKING:
    from service.reference.profile import ReferenceProfile


def profile_named(name: str) -> ReferenceProfile:
    """The profile of a file, or else the stored one. Raises ConfigurationError when there is neither."""
    path = Path(name)
    if path.exists():
        return read_profile(path)
    settings = load_from_environment()
    if settings.database.url is None:
        raise ConfigurationError(
            f"there is no file {name!r}: name one, or set DRIFTBELL_DATABASE_URL to use the store"
        )
    data = load_reference(ready_engine(settings), name)
    if data is None:
        raise ConfigurationError(f"there is neither a file nor a stored reference {name!r}")
    return profile_from_bytes(data)
