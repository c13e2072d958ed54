"""What usually helps, by cause: the words of the runbooks in `deploy/runbooks`, which an installed package has not."""

from __future__ import annotations

from typing import NamedTuple

from service.alerting.runbooks import runbook_of


class Advice(NamedTuple):
    """A runbook's name, and its lines of what usually helps."""

    runbook: str
    lines: tuple[str, ...]


_PAGE = Advice(
    "DriftbellModelAlert",
    (
        (
            "A break in the data (renamed, swapped, unit changed, type changed, default-filled, stuck): "
            "roll back or repair the producer. The model is innocent."
        ),
        "The model got worse and the data is sound: roll back to the last good version, then retrain.",
        "The world has changed and the model copes: accept the current data as the new reference.",
        "While you work: acknowledge the incident, and silence it with an end.",
    ),
)
_TICKET = Advice(
    "DriftbellModelAlertTicket",
    (
        "Nothing, if it is known and harmless: acknowledge it.",
        "Renew the reference when the change stays.",
        "Raise the tolerance of a feature that matters little to the model.",
    ),
)
_SILENT = Advice(
    "DriftbellModelSilent",
    (
        "Repair the model's caller or its logging.",
        "The model was retired: take it out of the monitors; the alert ends by itself two days after the last event.",
        "A pause that is planned: a silence in Alertmanager with an end.",
    ),
)
_LABELS = Advice(
    "DriftbellLabelsSilent",
    (
        "Run the label job again; driftbell restates the windows the labels belong to.",
        "A model whose labels have ended for good: say so in its monitor.",
    ),
)
ADVICE = (_PAGE, _TICKET, _SILENT, _LABELS)
_BY_RUNBOOK = {one.runbook: one for one in ADVICE}


def advice_for(cause: str, severity: str) -> Advice:
    """Of the cause where there is a runbook of it, else of the severity."""
    return _BY_RUNBOOK[runbook_of(cause, severity)]
