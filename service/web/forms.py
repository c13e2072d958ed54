"""What browsers send when a person submits a form without a script."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qs

from fastapi import Request
from starlette.exceptions import HTTPException

_FORM = "application/x-www-form-urlencoded"


async def form_fields(request: Request, most: int) -> dict[str, str]:
    """What is filled in, without spaces around it; at most so many fields, the first where a name comes twice."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"this page takes a form, {_FORM}")
    try:
        sent = parse_qs((await request.body()).decode("ascii"), max_num_fields=most)
    except ValueError:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "this is not what the form sends") from None
    return {name: values[0].strip() for name, values in sent.items() if values[0].strip()}
