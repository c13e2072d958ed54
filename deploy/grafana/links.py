"""Where a click leads: driftbell's own pages, and from one dashboard to the next. Names in addresses are escaped."""

from __future__ import annotations

from deploy.grafana.panels import Link

# The address of `driftbell serve` as a browser reaches it; a text box at the top of each dashboard.
DRIFTBELL = "${driftbell_url:raw}"
_KEPT = "${datasource:queryparam}&${driftbell_url:queryparam}&${__url_time_range}"

INCIDENTS = Link("All incidents in driftbell", f"{DRIFTBELL}/incidents")


def of_series(label: str) -> str:
    """The label of the series that was clicked."""
    return f"${{__field.labels.{label}:percentencode}}"


def of_row(column: str) -> str:
    """The column of the table's row that was clicked."""
    return f"${{__data.fields.{column}:percentencode}}"


def chosen(name: str) -> str:
    """What is chosen at the top of the page."""
    return f"${{{name}:percentencode}}"


def model_page(model: str) -> Link:
    """The model in driftbell."""
    return Link("The model in driftbell", f"{DRIFTBELL}/models/{model}")


def feature_page(model: str, feature: str) -> Link:
    """A feature of it in driftbell."""
    return Link(
        "The feature in driftbell", f"{DRIFTBELL}/feature?model={model}&role=feature&feature={feature}"
    )


def model_dashboard(model: str) -> Link:
    """The model in Grafana."""
    return Link("Dashboard of the model", f"/d/driftbell-model?var-model={model}&{_KEPT}")


def feature_dashboard(model: str, feature: str) -> Link:
    """A feature of it in Grafana."""
    return Link(
        "Dashboard of the feature",
        f"/d/driftbell-feature?var-model={model}&var-feature={feature}&{_KEPT}",
    )
