"""The false-alarm budget's ledger: the false pages that were promised, and those that came.

A page is an incident in which a page fired, whatever the number of its alerts. It is spent once it is marked a false
alarm; what nobody has marked may be one, what was marked as expected is none. It counts in the period in which its
first page fired, by event time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.store.incidents import IncidentFilter, IncidentRow, list_incidents
from service.store.marks import AlarmVerdict
from service.store.paging import Paging

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.monitor import Budget

MOST_PAGES = 10_000
"""Who is paged more often in one period has another trouble than its exact number."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One model's pages in (`since_ms`, `until_ms`], the latest begun first, and how many may be false."""

    model: str
    since_ms: int
    until_ms: int
    promised: float
    pages: tuple[IncidentRow, ...]

    @property
    def paged(self) -> int:
        """Incidents that woke somebody."""
        return len(self.pages)

    @property
    def marked_false(self) -> int:
        """Those that people found to be nothing."""
        return self._counted[AlarmVerdict.FALSE_ALARM]

    @property
    def marked_true(self) -> int:
        """Those that people found to be right."""
        return self._counted[AlarmVerdict.TRUE_ALARM]

    @property
    def marked_expected(self) -> int:
        """Those of planned changes: neither false nor a find."""
        return self._counted[AlarmVerdict.EXPECTED]

    @property
    def unmarked(self) -> int:
        """Those that nobody has marked."""
        return self._counted[None]

    @property
    def spent(self) -> float:
        """The share of the budget that is spent for certain; above 1 the promise is broken."""
        return self.marked_false / self.promised

    @property
    def expected(self) -> float:
        """The share that is spent at worst: if every page that nobody has marked was false, too."""
        return (self.marked_false + self.unmarked) / self.promised

    @property
    def _counted(self) -> Counter[str | None]:
        return Counter(page.verdict for page in self.pages)


def ledger_of(connection: Connection, model: str, budget: Budget, now_ms: int) -> Ledger:
    """The ledger of the period that ends now."""
    since_ms = now_ms - budget.per_ms
    wanted = IncidentFilter(model=model, paged_since_ms=since_ms)
    pages = list_incidents(connection, wanted, Paging(MOST_PAGES)).rows
    return Ledger(model, since_ms, now_ms, budget.false_pages, pages)
