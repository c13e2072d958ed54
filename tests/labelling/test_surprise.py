"""How unlike the reference a row is: counted from the reference's rows themselves, by another way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.labelling.feedback import FeedbackKind, choose
from service.labelling.surprise import Usual
from service.messages import Candidate
from service.monitor import Task
from service.reference.profile import ReferenceProfile
from tests.reference.tables import built, write_csv

N = 2_000


def rows_of(random: np.random.Generator) -> dict[str, list[object]]:
    """A normal number, a flag that is rare, a number that is often missing, and a category of three."""
    gaps = [None if random.random() < 0.3 else float(v) for v in random.exponential(5, N).round(3)]
    return {
        "amount": random.normal(100, 15, N).round(2).tolist(),
        "flag": (random.random(N) < 0.02).astype(int).tolist(),
        "age": gaps,
        "country": random.choice(["DE", "FR", "MT"], N, p=[0.7, 0.29, 0.01]).tolist(),
    }


@pytest.fixture(scope="module")
def data() -> dict[str, list[object]]:
    return rows_of(np.random.default_rng(4))


@pytest.fixture(scope="module")
def profile(data: dict[str, list[object]], tmp_path_factory: pytest.TempPathFactory) -> ReferenceProfile:
    path: Path = write_csv(tmp_path_factory.mktemp("reference") / "rows.csv", data)
    return built(path)


def candidate(number: int, **features: float | str | None) -> Candidate:
    usual: dict[str, float | str | None] = {"amount": 100.0, "flag": 0.0, "age": 4.0, "country": "DE"}
    return Candidate(
        "churn", "7", 0, number, number, number, f"p-{number}", usual | features, {"label": "yes"}
    )


def nats(profile: ReferenceProfile, name: str, **features: float | str | None) -> float:
    surprises = Usual(profile).of([candidate(0, **features)])
    return float(surprises.nats[0, surprises.features.index(name)])


@pytest.mark.parametrize("value", [60.0, 75.0, 100.0, 131.0, 140.0])
def test_a_number_counts_the_share_of_rows_that_are_as_far_out(
    profile: ReferenceProfile, data: dict[str, list[object]], value: float
) -> None:
    amounts = np.array(data["amount"], float)
    share = min(1.0, 2 * (min((amounts <= value).sum(), (amounts >= value).sum()) + 0.5) / (N + 1))
    assert nats(profile, "amount", amount=value) == pytest.approx(-np.log(share), abs=0.35)


def test_what_was_never_seen_counts_as_half_a_row(profile: ReferenceProfile) -> None:
    never = np.log(N + 1) - np.log(0.5)
    assert nats(profile, "amount", amount=1e6) == pytest.approx(never - np.log(2))
    assert nats(profile, "country", country="XK") == pytest.approx(never)
    assert nats(profile, "flag", flag=7.0) == pytest.approx(never - np.log(2))


def test_a_rare_value_is_surprising_and_a_usual_one_is_not(
    profile: ReferenceProfile, data: dict[str, list[object]]
) -> None:
    flags = sum(map(int, data["flag"]))  # type: ignore[call-overload]
    assert nats(profile, "flag", flag=1.0) == pytest.approx(-np.log(2 * (flags + 0.5) / (N + 1)))
    assert nats(profile, "flag") == 0
    assert nats(profile, "country", country="DE") < 0.01
    assert nats(profile, "country", country="MT") > 4


def test_missing_is_as_surprising_as_it_is_rare(
    profile: ReferenceProfile, data: dict[str, list[object]]
) -> None:
    share = sum(value is None for value in data["age"]) / N
    assert nats(profile, "age", age=None) == pytest.approx(-np.log(share), abs=0.01)
    assert nats(profile, "amount", amount=None) > 8
    assert nats(profile, "country", country=None) > 8
    assert nats(profile, "amount", amount="many") == nats(profile, "amount", amount=None)
    assert nats(profile, "country", country=7.0) == nats(profile, "country", country="XK")
    unsent = Usual(profile).of([Candidate("churn", "7", 0, 0, 0, 0, "p", {}, {"label": "yes"})])
    assert np.isfinite(unsent.nats).all()


def test_the_rows_of_the_reference_are_worth_about_a_nat_a_number_and_no_more(
    profile: ReferenceProfile, data: dict[str, list[object]]
) -> None:
    rows = [candidate(i, **{name: _cell(data[name][i]) for name in data}) for i in range(N)]
    surprises = Usual(profile).of(rows)
    means = dict(zip(surprises.features, surprises.nats.mean(axis=0).tolist(), strict=True))
    assert means["amount"] == pytest.approx(1, abs=0.1)
    assert max(means.values()) < 1.2


def _cell(value: object) -> float | str | None:
    return float(value) if isinstance(value, int) else value  # type: ignore[return-value]


def test_the_most_surprising_rows_are_chosen_and_the_reason_names_what_is_odd(
    profile: ReferenceProfile,
) -> None:
    rows = [candidate(i, amount=95.0 + i) for i in range(10)]
    rows += [candidate(10, amount=5_000.0), candidate(11, country="XK", flag=1.0)]
    chosen = choose(rows, {FeedbackKind.SURPRISING: 2}, Task.BINARY, Usual(profile))
    assert [one.candidate.inference_id for one in chosen] == ["p-11", "p-10"]
    assert chosen[0].why.startswith("country 'XK' (0.025 % of the reference is as far out), flag 1 (")
    assert chosen[1].why == "amount 5000 (0.05 % of the reference is as far out)"
    assert (chosen[0].value or 0) > (chosen[1].value or 0) > 5


def test_without_features_in_the_reference_nothing_is_surprising(tmp_path: Path) -> None:
    bare = built(write_csv(tmp_path / "answers.csv", {"label": [0, 1, 1, 0]}), label="label")
    assert choose([candidate(1)], {FeedbackKind.SURPRISING: 2}, Task.BINARY, Usual(bare)) == []
