"""Which runbook is about an incident."""

from __future__ import annotations

from service.messages import Cause, Severity

RUNBOOKS = "https://driftbell.readthedocs.io/en/latest/runbooks"
PAGE, TICKET = "DriftbellModelAlert", "DriftbellModelAlertTicket"
_BY_CAUSE = {Cause.SILENCE.value: "DriftbellModelSilent", Cause.LABEL_SILENCE.value: "DriftbellLabelsSilent"}


def runbook_of(cause: str, severity: str) -> str:
    """That of the cause where there is one, else that of the severity."""
    return _BY_CAUSE.get(cause, PAGE if severity == Severity.PAGE.value else TICKET)
