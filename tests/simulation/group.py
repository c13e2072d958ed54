"""A simulated consumer group: who should read which partition, and who has heard of it.

The group's view and a member's own differ while the member is deaf: it goes on with what it had (a zombie), and hears
that all of it was lost when it listens again. Cooperative groups take away only what moves; eager ones take everything
from everybody, and give it out again when all have let go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from service.intake.ownership import Ownership
from service.messages import Partition


@dataclass
class Member:
    """One reader in the group. `generation` is the last rebalance that it has heard of."""

    name: str
    ownership: Ownership = field(default_factory=Ownership)
    owned: set[Partition] = field(default_factory=set)
    generation: int = -1
    deaf: bool = False
    expired: bool = False


@dataclass
class Group:
    """Deals partitions to members; `random` decides who gets what."""

    partitions: Callable[[], list[Partition]]
    random: Random
    eager: bool = False
    members: dict[str, Member] = field(default_factory=dict)
    generation: int = 0
    _target: dict[Partition, str] = field(default_factory=dict)

    def join(self, name: str) -> Member:
        """A new member; everybody is dealt anew."""
        made = self.members[name] = Member(name)
        self.rebalance()
        return made

    def leave(self, member: Member) -> None:
        """A member goes in order, or its session is over: what it had is free at once."""
        if self.members.get(member.name) is member:
            del self.members[member.name]
            member.expired = True
            self.rebalance()

    def rebalance(self) -> None:
        """Deal all partitions anew."""
        self.generation += 1
        names = sorted(self.members)
        self.random.shuffle(names)
        places = self.partitions()
        self._target = {p: names[n % len(names)] for n, p in enumerate(places)} if names else {}

    def hear(self, member: Member) -> None:
        """What a member's poll tells it."""
        if member.deaf:
            return
        if member.expired:
            self._rejoin(member)
        if set(self._target) != set(self.partitions()):
            self.rebalance()
        if self.eager and member.generation != self.generation:
            self._revoke(member, member.owned)
        member.generation = self.generation
        wanted = {p for p, name in self._target.items() if name == member.name}
        self._revoke(member, member.owned - wanted)
        if not self.eager or all(m.generation == self.generation for m in self.members.values()):
            free = wanted - {p for m in self.members.values() for p in m.owned}
            member.owned |= free
            member.ownership.assign(sorted(free))

    def _revoke(self, member: Member, gone: set[Partition]) -> None:
        member.ownership.revoke(sorted(gone))
        member.owned = member.owned - gone

    def _rejoin(self, member: Member) -> None:
        member.ownership.lose_all()
        member.owned, member.expired = set(), False
        self.members[member.name] = member
        self.rebalance()
