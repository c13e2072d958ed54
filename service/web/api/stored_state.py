"""What is stored of a model and cannot be read, said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from starlette.exceptions import HTTPException

from service.errors import FormatError


@contextmanager
def read_or_conflict() -> Iterator[None]:
    """Within it, bytes that are not what was written end in a problem instead of a failure of ours."""
    try:
        yield
    except FormatError as error:
        said = f"what is stored of this model cannot be read: {error}; `driftbell verify` says what is wrong"
        raise HTTPException(HTTPStatus.CONFLICT, said) from error
