"""The bytes of outcomes: mostly zeros, so that few are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from service.errors import FormatError
from service.sketches.format import Packed, pack_signed, seal, unpack_signed, unseal

if TYPE_CHECKING:
    from service.performance.counting import Arrays, Counting

_MAGIC, _VERSION = b"DBoc", 1


class _Body(msgspec.Struct, array_like=True, frozen=True):
    identity: str
    arrays: dict[str, Packed]


def outcomes_to_bytes(counting: Counting, outcomes: Arrays) -> bytes:
    """Equal outcomes are equal bytes."""
    packed = {name: pack_signed(outcomes[name].ravel()) for name in sorted(outcomes)}
    return seal(_MAGIC, _VERSION, _Body(counting.identity, packed))


def outcomes_from_bytes(data: bytes, counting: Counting) -> Arrays | None:
    """The outcomes again; None when they were counted in another way. Raises FormatError."""
    body, like = unseal(data, _MAGIC, _VERSION, _Body), counting.zeros()
    if body.identity != counting.identity:
        return None
    if body.arrays.keys() != like.keys():
        raise FormatError(f"outcomes have {', '.join(body.arrays)} where there should be {', '.join(like)}")
    return {name: unpack_signed(body.arrays[name], one.size).reshape(one.shape) for name, one in like.items()}
