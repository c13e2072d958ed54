"""A typed client of driftbell's API in one file that needs nothing but Python 3.11: copy it where you use it.

    client = Client("https://driftbell.example.com", key="db_...")
    for incident in client.incidents(open=True):
        print(incident["model"], incident["summary"])

Listings are iterators over all pages. What the API refuses is a `Problem` with its sentence; a server that cannot be
reached is `Unreachable`. GETs are tried again, within bounds, when a server is busy or gone; what changes something
never is. `events()` goes on where it was when its connection breaks. A client may be used by many threads.

Everything below the line is written by `make api` out of the OpenAPI document.
"""

from __future__ import annotations

import json
import random
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from http.client import HTTPException, HTTPResponse
from threading import Lock
from typing import Any, Literal, NamedTuple, NotRequired, Self, TypeAlias, TypedDict, Unpack, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

Time: TypeAlias = str | int | datetime
"""ISO 8601, milliseconds since 1970, or a datetime with a time zone."""

_JSON = "application/json"
_MOST_BYTES = 64 * 2**20
_MOST_KEPT, _MOST_KEPT_BYTES = 256, 16 * 2**20
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_WAIT_SECONDS = 60.0
_BEAT, _RECONNECT_SECONDS = "beat", 3.0


# ---------------------------------------------------------------- what goes wrong
class Problem(Exception):
    """What the API refuses. `sentence` says why, `mistakes` are wrong parameters with a sentence each."""

    def __init__(
        self, status: int, sentence: str, mistakes: Mapping[str, str], retry_after: float | None
    ) -> None:
        super().__init__(f"{sentence} ({status})")
        self.status = status
        self.sentence = sentence
        self.mistakes = dict(mistakes)
        self.retry_after = retry_after


class Unreachable(Exception):
    """Nobody answers at this address, or what answers is no driftbell."""


class ServerEvent(NamedTuple):
    """An event of the stream: its name, its data, and the id after which the stream goes on."""

    name: str
    data: Any
    id: str


# ---------------------------------------------------------------- the wire
class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Answer(NamedTuple):
    body: bytes
    headers: Message
    status: int = 200


class _Kept:
    """The last answers that came with an ETag, the least recently used ones forgotten first."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str], tuple[str, _Answer]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def find(self, key: tuple[str, str]) -> tuple[str, _Answer] | None:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def keep(self, key: tuple[str, str], answer: _Answer) -> None:
        tag = answer.headers.get("ETag")
        with self._lock:
            _, before = self._answers.pop(key, ("", None))
            self._bytes -= len(before.body) if before else 0
            if tag and len(answer.body) <= _MOST_KEPT_BYTES:
                self._answers[key] = (tag, answer)
                self._bytes += len(answer.body)
            while len(self._answers) > _MOST_KEPT or self._bytes > _MOST_KEPT_BYTES:
                _, (_, oldest) = self._answers.popitem(last=False)
                self._bytes -= len(oldest.body)


class WireOptions(TypedDict):
    """What `Wire` may be told beside the address and the key."""

    timeout_seconds: NotRequired[float]
    retries: NotRequired[int]
    tls: NotRequired[ssl.SSLContext]
    cleartext: NotRequired[bool]
    sleep: NotRequired[Callable[[float], None]]


@dataclass
class Wire:
    """How requests reach the API at `url`; the key is sent over TLS, or to this machine, unless `cleartext` allows it.

    `retries` is how often a GET is tried again; it waits as long as the server says, but no longer than a minute.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 30.0
    retries: int = 4
    tls: ssl.SSLContext | None = None
    cleartext: bool = False
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("give the address of driftbell, such as https://driftbell.example.com")
        safe = parts.scheme == "https" or parts.hostname in _LOOPBACK or self.cleartext
        if self.key is not None and not safe:
            raise ValueError(
                "the key would leave this machine in the clear; use https, or say cleartext=True"
            )
        self.url = self.url.rstrip("/")
        self._kept = _Kept()
        self._opener = self._made()

    def _made(self) -> OpenerDirector:
        tls = HTTPSHandler(context=self.tls or ssl.create_default_context())
        return build_opener(ProxyHandler({}), _NoRedirects(), tls)

    # ------------------------------------------------------------ one request
    def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = _JSON) -> bytes:
        """The body of a GET, tried again where that may help; the kept one where the server says so."""
        url = self._address(path, query)
        for attempt in range(self.retries + 1):
            try:
                return self._validated(url, accept)
            except (Problem, Unreachable) as error:
                wait = _wait_after(error, attempt)
                if wait is None or attempt == self.retries:
                    raise
            self.sleep(wait)
        raise AssertionError  # the loop returns or raises

    def send(
        self, method: str, path: str, body: Any, kind: str = _JSON, query: Mapping[str, Any] | None = None
    ) -> bytes:
        """The answer to what changes something; sent once. Text and bytes go as they are, all else as JSON."""
        written = body if isinstance(body, str | bytes) else json.dumps(body, default=_text)
        data = written.encode() if isinstance(written, str) else written
        headers = {"Content-Type": kind, "Accept": _JSON}
        return self._ask(Request(self._address(path, query), data, headers, method=method)).body  # noqa: S310

    def _address(self, path: str, query: Mapping[str, Any] | None) -> str:
        asked = [(name, _text(one)) for name, value in (query or {}).items() for one in _each(value)]
        return f"{self.url}{path}" + (f"?{urlencode(asked)}" if asked else "")

    def _validated(self, url: str, accept: str) -> bytes:
        kept = self._kept.find((url, accept))
        headers = {"Accept": accept} | ({"If-None-Match": kept[0]} if kept else {})
        answer = self._ask(Request(url, headers=headers))  # noqa: S310 - only http and https, by __post_init__
        if kept and answer.status == 304:
            return kept[1].body
        self._kept.keep((url, accept), answer)
        return answer.body

    def _ask(self, request: Request) -> _Answer:
        try:
            with self.open(request) as response:
                body = response.read(_MOST_BYTES + 1)
                answer = _Answer(body, response.headers, response.status)
                broken = bool(response.length) and len(body) <= _MOST_BYTES
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{self.url} does not answer: {error}") from error
        if broken:
            raise Unreachable(f"{self.url} broke off in the middle of its answer")
        if len(answer.body) > _MOST_BYTES:
            raise Unreachable(f"{self.url} answers with more than {_MOST_BYTES:,} bytes")
        return answer

    def open(self, request: Request) -> HTTPResponse:
        """The response of a server that answers. Raises Problem and Unreachable."""
        if self.key is not None:
            request.add_unredirected_header("Authorization", f"Bearer {self.key}")
        try:
            return cast("HTTPResponse", self._opener.open(request, timeout=self.timeout_seconds))
        except HTTPError as error:
            with error:
                if error.code == 304:
                    return cast("HTTPResponse", _Unchanged(error.headers))
                raise _problem_of(error) from None
        except (URLError, OSError, HTTPException) as error:
            raise Unreachable(f"{self.url} does not answer: {getattr(error, 'reason', error)}") from error


class _Unchanged:
    """The answer 304, which urllib takes for an error."""

    status = 304
    length = 0

    def __init__(self, headers: Message) -> None:
        self.headers = headers

    def read(self, _: int) -> bytes:
        return b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _problem_of(error: HTTPError) -> Problem:
    try:
        told = json.loads(error.read(_MOST_BYTES))
        sentence = str(told["detail"])
        mistakes = {str(one["parameter"]): str(one["sentence"]) for one in told.get("mistakes", [])}
    except (ValueError, TypeError, KeyError, OSError, HTTPException):
        sentence, mistakes = f"the server answers {error.code} {error.reason}", {}
    return Problem(error.code, sentence, mistakes, _seconds(error.headers.get("Retry-After")))


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdecimal() else None


def _wait_after(error: Problem | Unreachable, attempt: int) -> float | None:
    """How long to wait before the next try; None where none would help."""
    if isinstance(error, Problem):
        if error.status not in _TRY_AGAIN:
            return None
        if error.retry_after is not None:
            return min(error.retry_after, _LONGEST_WAIT_SECONDS)
    return min(2.0**attempt, _LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers


def _each(value: Any) -> list[Any]:
    """A list is written once for each of it, None not at all."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("give a datetime with its time zone, such as datetime.now(UTC)")
        return value.isoformat()
    return str(value)


def _place(value: Any) -> str:
    """A name as part of a path; it may hold slashes."""
    return quote(_text(value), safe="")


# ---------------------------------------------------------------- listings and streams
class _Reader:
    """What all methods of the client share."""

    def __init__(self, url: str, key: str | None = None, **wire: Unpack[WireOptions]) -> None:
        """See `Wire` for what else may be said."""
        self.wire = Wire(url, key, **wire)

    def text(self, path: str, accept: str = "text/csv", **query: Any) -> str:
        """Any answer as text, such as `client.text("/api/v1/findings", format="csv", model="churn")`."""
        return self.wire.get(path, query, accept).decode()

    def _json(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return json.loads(self.wire.get(path, query))

    def _sent(
        self, method: str, path: str, body: Any, kind: str = _JSON, query: Mapping[str, Any] | None = None
    ) -> Any:
        return json.loads(self.wire.send(method, path, body, kind, query))

    def _pages(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        asked = dict(query)
        while True:
            page = self._json(path, asked)
            yield from page["items"]
            if page["next"] is None:
                return
            asked["cursor"] = page["next"]


class _EventReader(_Reader):
    """Reads the stream of events, and goes on after the last one when it breaks."""

    def events(self, last_id: str | None = None) -> Iterator[ServerEvent]:
        """News as they come; ends never. Raises what `wire.retries` connections in a row that told nothing end with."""
        failures = 0
        while True:
            error: Exception = Unreachable(f"{self.wire.url} ended the stream")
            try:
                for event in self._stream(last_id):
                    last_id = event.id or last_id
                    failures = 0 if event.data is not None else failures
                    if event.name != _BEAT:
                        yield event
            except (Problem, Unreachable, OSError, HTTPException) as trouble:
                error = trouble
            failures += 1
            self.wire.sleep(self._pause(error, failures))

    def _pause(self, error: Exception, failures: int) -> float:
        """How long to wait before the stream is asked for again; raises the error where that would not help."""
        refused = error if isinstance(error, Problem | Unreachable) else Unreachable(str(error))
        wait = (
            _wait_after(refused, failures) if isinstance(refused, Problem) else _RECONNECT_SECONDS * failures
        )
        if wait is None or failures > self.wire.retries:
            raise refused
        return min(wait, _LONGEST_WAIT_SECONDS)

    def _stream(self, last_id: str | None) -> Iterator[ServerEvent]:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        request = Request(f"{self.wire.url}/api/v1/events/stream", headers=headers)  # noqa: S310
        with self.wire.open(request) as response:
            yield from parsed_events(line.decode().rstrip("\r\n") for line in response)


def parsed_events(lines: Iterator[str]) -> Iterator[ServerEvent]:
    """The events in the lines of a text/event-stream; one without data only tells the id to go on from."""
    name, last_id, before = "", "", ""
    data: list[str] = []
    for line in lines:
        what, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line and what == "event":
            name = value
        elif line and what == "data":
            data.append(value)
        elif line and what == "id":
            last_id = value
        elif not line and (data or last_id != before):
            yield ServerEvent(
                (name or "message") if data else _BEAT, _data("\n".join(data)) if data else None, last_id
            )
        if not line:
            name, data, before = "", [], last_id


def _data(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# ---------------------------------------------------------------- written by `make api`
AlarmVerdict: TypeAlias = Literal["false_alarm", "true_alarm", "expected"]


Cause: TypeAlias = Literal[
    "missing",
    "type_change",
    "unit_change",
    "rename",
    "swap",
    "default_fill",
    "stuck_feature",
    "new_category",
    "category_encoding",
    "out_of_range",
    "schema_change",
    "data_drift",
    "prediction_drift",
    "stuck_prediction",
    "silence",
    "label_silence",
    "concept_drift",
    "performance",
    "correlation_break",
    "clipping",
    "precision_loss",
    "subgroup_gap",
    "version_regression",
    "below_baseline",
    "label_bias",
    "latency",
    "pipeline",
]


Condition: TypeAlias = Literal["ok", "warning", "failure", "not_checked"]


CountBy: TypeAlias = Literal["reason", "topic", "hour"]


Cover: TypeAlias = list[str]


FeedbackKind: TypeAlias = Literal["uncertain", "surprising", "random"]


FieldKind: TypeAlias = Literal["number", "category", "id", "other"]


JobState: TypeAlias = Literal["running", "done", "failed", "cancelled"]


Kind: TypeAlias = Literal["number", "category"]


Loss: TypeAlias = Literal["error_rate", "brier", "mae"]


LossKind: TypeAlias = Literal["wrong", "absolute_error", "squared_error"]


ModelState: TypeAlias = Literal[
    "silent", "alert", "warning", "unscored", "waiting", "learning", "suspicion", "well"
]


Outcome: TypeAlias = Literal["accepted", "duplicate", "late", "dead", "tombstone"]


PredictionForm: TypeAlias = Literal["none", "number", "text", "label", "score", "scores", "value"]


Reading: TypeAlias = Literal["halted", "abandoned", "dying", "behind", "waiting", "idle", "read"]


Reason: TypeAlias = Literal[
    "empty_value",
    "too_large",
    "bad_utf8",
    "lone_surrogate",
    "too_deep",
    "nonfinite_number",
    "number_out_of_range",
    "bad_json",
    "not_an_object",
    "unknown_type",
    "missing_field",
    "bad_field",
    "bad_name",
    "too_wide",
    "unknown_model",
    "bad_timestamp",
    "future_timestamp",
    "kills_process",
]


Role: TypeAlias = Literal["feature", "prediction", "score", "latency_ms", "rule", "label"]


Severity: TypeAlias = Literal["page", "ticket", "info"]


Standing: TypeAlias = Literal["better", "worse", "alike", "unknown"]


State: TypeAlias = Literal["pending", "firing", "resolved"]


Task: TypeAlias = Literal["binary", "multiclass", "regression", "none"]


Verdict: TypeAlias = Literal["ok", "drift", "too_little_data"]


Word: TypeAlias = Literal["acknowledged", "released", "silenced", "expected", "ended", "accepted"]


class AcceptReferenceOrder(TypedDict):
    """Make the present normal: the panes of the last time, or of a time, become the reference of a model's monitor.

    `even_so`: also while an incident that pages is open.
    """

    model: str
    since: NotRequired[str | None]
    until: NotRequired[str | None]
    last: NotRequired[str | None]
    name: NotRequired[str | None]
    even_so: NotRequired[bool]
    why: str
    who: NotRequired[str | None]


AcceptSpanOrder = TypedDict(
    "AcceptSpanOrder", {"who": "NotRequired[str | None]", "why": "str", "from": "str", "to": "str"}
)


class Accepted(TypedDict):
    """The reference that is in force from event time `since_ms` on, what it was learned of, and what it replaces."""

    name: str
    model: str
    rows: int
    from_ms: int
    to_ms: int
    since_ms: int
    replaces: str | None


class AcceptedReference(TypedDict):
    """What is the model's reference now: learned of events from `from_ms` to `to_ms`, in force from `since_ms` on."""

    name: str
    model: str
    rows: int
    from_ms: int
    to_ms: int
    since_ms: int
    since: str


class Acknowledgement(TypedDict):
    """Somebody has the incident."""

    who: NotRequired[str | None]
    why: NotRequired[str]


class AlertRow(TypedDict):
    """A finding that lasted. `at_ms` is the event time at which its present state was known, `fired_ms` when it
    fired.

    `consequence`: it follows from another alert of its incident. `confidence` and `evidence` are the diagnosis'
    own.
    """

    id: str
    incident: str
    model: str
    version: str
    segment: str
    window: str
    role: str
    feature: str
    rule: str
    cause: str
    severity: str
    state: str
    since_ms: int
    at_ms: int
    summary: str
    updated_at: str
    consequence: bool
    confidence: float | None
    evidence: dict[str, int | float | str]
    fired_ms: int | None


class Answers(TypedDict):
    """One column of one version: rows with a value, quantiles by share ("0.95") or the shares of its classes."""

    rows: int
    quantiles: dict[str, float]
    classes: dict[str, float]


class AnswersBeside(TypedDict):
    """One column of both versions: the prediction, its score or the latency.

    `distance` is `wasserstein`, in standard deviations of the other version, or `tv`, the share of predictions
    that would have to change their class; `p_value` is of no difference, for one look. None where there is too
    little data.
    """

    column: str
    version: Answers
    against: Answers
    method: str | None
    distance: float | None
    p_value: float | None


class AnswersOfPanes(TypedDict):
    """What both answer, of `panes` panes, spread evenly over the `shared` ones in which both were live."""

    columns: list[AnswersBeside]
    panes: int
    shared: int


class BacktestJob(TypedDict):
    """A back-test: `done` of `total` days of event time judged (null: not known yet), or what it came to.

    Ask after it at least once a minute: nobody works for who has gone. What it came to is kept for ten minutes.
    """

    id: str
    state: JobState
    done: int
    total: int | None
    problems: list[str]
    result: list[WouldHavePaged] | None


class BacktestOrder(TypedDict):
    """Monitors to judge the stored panes of the last `days` by."""

    yaml: str
    days: NotRequired[int]


class Bar(TypedDict):
    """How many rows of each side have such a value, and which share of them; None: there is no such side.

    `what` is range, value, category, other (less frequent categories), unseen, or missing. `low` and `high` bound
    a range: from `low` on, below `high`; equal ones are a single value.
    """

    name: str
    what: str
    current: int | None
    against: int | None
    current_share: float | None
    against_share: float | None
    low: float | None
    high: float | None


class BudgetLedger(TypedDict):
    """The false pages that a model's budget allows in its period, which ends now, and the pages that came.

    `spent` is the share that is spent for certain: pages marked false, by those promised. `expected` counts the
    pages that nobody has marked as false ones, too. `incidents` are the pages, the latest begun first.
    """

    model: str
    since_ms: int
    until_ms: int
    promised: float
    paged: int
    marked_false: int
    marked_true: int
    marked_expected: int
    unmarked: int
    spent: float
    expected: float
    incidents: list[IncidentRow]


class BudgetSpent(TypedDict):
    """False pages that are allowed in `per_ms`, and the share spent; `expected`: with those that nobody has marked."""

    promised: float
    per_ms: int
    marked_false: int
    unmarked: int
    spent: float
    expected: float


class CollectorSeen(TypedDict):
    """Who owns partitions, and when the database has heard of it last; `alive`: not long ago."""

    owner: str
    alive: bool
    partitions: int
    lag: int
    silent_ms: int


class Comparison(TypedDict):
    """The mean loss of a version less that of another, over the hours in which both have labels.

    `low` and `high` hold for all looks together, with confidence 1 - `alpha`. `p_value` is of "no difference" and
    `p_above` of "at most `margin` worse", whenever one looks. `labels_needed` are about so many more, of both
    versions together, if the difference stays as it is, and `labels_at_most` whatever it is. `rows` are labelled.
    """

    standing: Standing
    loss: Loss | None
    mean: float | None
    other_mean: float | None
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    p_above: float | None
    margin: float | None
    alpha: float
    rows: int
    other_rows: int
    labels_needed: int | None
    labels_at_most: int | None


class Course(TypedDict):
    """Columns of equal length, a place for each stretch; null where no row was read.

    `rows` and `panes` were read, of `of_rows` and `of_panes` that there are. Shares are of the rows read that may
    have a value. `categories` are the shares of those in `names`; `other` are all others that the reference
    knows.
    """

    kind: Kind | None
    start_ms: list[int]
    end_ms: list[int]
    incomplete: list[bool]
    rows: list[int]
    of_rows: list[int]
    panes: list[int]
    of_panes: list[int]
    missing: dict[str, list[float | None]]
    quantiles: dict[str, list[float | None]]
    low: list[float | None]
    high: list[float | None]
    mean: list[float | None]
    names: list[str]
    categories: list[list[float | None]]
    other: list[float | None]
    unseen: list[float | None]
    reference: ReferenceLevel | None
    reason: str | None
    method: list[str]


class CourseAnswer(TypedDict):
    """A course, and which one it is."""

    model: str
    role: Role
    feature: str
    version: str
    segment: str
    window: str
    since_ms: int
    until_ms: int
    course: Course


class Coverage(TypedDict):
    """One window of one version: its predictions, and how many of those that are joined have a label.

    `usual_share`: of the labels that ever come, so many have usually come to a window of its age.
    """

    version: str
    end_ms: int
    predictions: int
    labelled: int
    coverage: float | None
    usual_share: float | None
    is_ripe: bool


class Curves(TypedDict):
    """Share of the values below each point; between points it is off by at most so much of the side's values."""

    points: list[float]
    current: list[float]
    against: list[float]
    current_resolution: float | None
    against_resolution: float | None


class DeadLetter(TypedDict):
    """A rejected record with the start of its bytes: in base64, and as text in which all that is invisible is
    escaped.

    `words` say what its reason means, `helps` what usually helps. `kept_whole`: the store has all of its bytes;
    else the log has the rest, until retention takes it.
    """

    id: int
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    size: int
    reason: str
    words: str
    helps: str
    detail: str
    seen_at: str
    replayed_at: str | None
    kept_whole: bool
    key_base64: str
    key_text: str
    value_base64: str
    value_text: str


class DeadLetterCount(TypedDict):
    """How many dead letters have this reason or topic, or were seen in the hour that began then; and the last one."""

    name: str
    count: int
    last_seen_at: str


class DeadReason(TypedDict):
    """How many dead letters that are stored have this reason; `share` is of all that are."""

    reason: str
    words: str
    helps: str
    count: int
    share: float
    last_hour: int
    last_seen_ms: int


class DeadSummary(TypedDict):
    """Dead letters that are stored, by reason; those of the last hour beside the rows that were accepted meanwhile."""

    stored: int
    last_hour: int
    accepted_last_hour: int
    by_reason: list[DeadReason]


class Deliveries(TypedDict):
    """Alerts on their way out: those that wait, the oldest for so long, those tried before, when one left last."""

    waiting: int
    oldest_ms: int
    tried: int
    left_ms: int | None


class Difference(TypedDict):
    """What saving would change of one model: a unified diff of YAML, and a sentence for each change.

    `number` is that of the stored monitor, 0 where there is none; `since_ms` the event time from which on the new
    one would hold, null for all of the model's events.
    """

    model: str
    action: str
    number: int
    since_ms: int | None
    since: str
    diff: str
    changes: list[str]


class Differences(TypedDict):
    """What saving some monitors would change."""

    items: list[Difference]


class Distribution(TypedDict):
    """Both sides: in figures, as bars whose counts sum to the rows, and as curves. `kind`: None where nothing came."""

    kind: Kind | None
    current: Side
    against: Side
    bars: list[Bar]
    ecdf: Curves
    unseen: list[Named]
    method: list[str]


class DistributionAnswer(TypedDict):
    """A distribution, and which one it is."""

    model: str
    role: Role
    feature: str
    version: str
    segment: str
    window: str
    since_ms: int
    until_ms: int
    distribution: Distribution


class DraftChoices(TypedDict):
    """What a person chose; what is left out follows from what was found."""

    task: NotRequired[Task | None]
    reference: NotRequired[str | None]
    pane: NotRequired[str | None]
    windows: NotRequired[list[str] | None]
    allowed_lateness: NotRequired[str | None]
    disorder: NotRequired[str | None]
    false_pages: NotRequired[float | None]
    per: NotRequired[str | None]
    segments: NotRequired[list[str] | None]
    ignored: NotRequired[list[str] | None]


class DraftOrder(TypedDict):
    """What was found of one model, as `sniff` told it in `models[].found`, and what was chosen."""

    topic: str
    found: dict[str, Any]
    choices: NotRequired[DraftChoices | None]


class Drafted(TypedDict):
    """A monitor as YAML, why it is as it is, and what is wrong with the choices, if anything."""

    yaml: str
    advice: list[str]
    mistakes: list[Line]


ExpectOrder = TypedDict(
    "ExpectOrder",
    {
        "who": "NotRequired[str | None]",
        "why": "str",
        "for": "NotRequired[str | None]",
        "until": "NotRequired[str | None]",
    },
)


class FeedbackRow(TypedDict):
    """A prediction that a person should label."""

    id: int
    model: str
    version: str
    window: str
    end_ms: int
    kind: str
    inference_id: str
    ts_ms: int
    features: dict[str, Any]
    features_left_out: bool
    answer: dict[str, Any]
    value: float | None
    why: str
    chosen_at: str
    sent_at: str | None
    refused_at: str | None


class FieldFound(TypedDict):
    """One feature or tag. `missing_ratio` is the share of rows without it, in any of the six ways.

    `distinct` is None beyond what is counted. `is_segment`: it has few values, each with enough rows to compare.
    """

    name: str
    kind: FieldKind
    missing_ratio: float
    distinct: int | None
    examples: list[str]
    low: float | None
    high: float | None
    is_segment: bool


class FindingRow(TypedDict):
    """A score with its limit and verdict. A number that is not finite is given as None."""

    model: str
    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int
    role: str
    feature: str
    method: str
    value: float | None
    limit: float | None
    p_value: float | None
    n: int
    m: int
    resolution: float | None
    verdict: str
    reason: str | None
    revision: int


class GapRow(TypedDict):
    """Offsets that are missing, or that were counted and taken back by the log."""

    topic: str
    partition: int
    offset: int
    kind: str
    records: int
    from_ms: int | None
    until_ms: int | None
    noted_at: str


class GapSummary(TypedDict):
    """Records that are missing since retention took them, or that the log took back; the latest gaps of all."""

    count: int
    records: int
    latest: list[GapRow]


class Grade(TypedDict):
    """One test: its points of the most that can be shown here, what they rest on, what is missing, what is not seen."""

    number: int
    test: str
    points: float
    most: float
    evidence: list[Ran]
    remarks: list[str]
    missing: list[str]
    unseen: str | None


class HealthLine(TypedDict):
    """One measure: its value with a 95 % interval and the rows it is of, and the reference's.

    `resolution` bounds what counting in bins costs the value, in its unit. `p_value` is how well chance explains
    the difference, where there is a test. `reason` says why there is no value, `reference_reason` why there is
    none beside.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    resolution: float
    reason: str | None
    reference: float | None
    reference_n: int
    reference_reason: str | None
    p_value: float | None
    word: str


class HealthReport(TypedDict):
    """The answers of a time, measure by measure; `panes` of `of_panes` were read, with `kept_rows` as they came."""

    inferences: int
    kept_rows: int
    panes: int
    of_panes: int
    lines: list[HealthLine]


class Heat(TypedDict):
    """How every column stood in every window. At each place stand `merged` windows, the worst of which counts."""

    model: str
    window: str
    version: str | None
    segment: str
    since_ms: int
    until_ms: int
    merged: int
    windows: HeatWindows
    columns: list[HeatColumn]
    columns_left_out: int


class HeatColumn(TypedDict):
    """A column: `percents` of its limit at each place, the worst of all methods; null where there is no score.

    A percent is above 100 exactly where a verdict was drift. `rang` counts these places, `worst` is the highest.
    """

    role: str
    name: str
    importance: float | None
    worst: int | None
    rang: int
    percents: list[int | None]


class HeatWindows(TypedDict):
    """Parallel lists, a place each; `references` are what the last of its windows was compared with."""

    starts_ms: list[int]
    ends_ms: list[int]
    inferences: list[int]
    labels: list[int]
    incomplete: list[bool]
    revisions: list[int]
    references: list[str | None]


class Incident(TypedDict):
    """One incident: `alerts` are the root, other causes, what follows; `marks` begin with the one that holds.

    `effect` says what was seen of the model's answers meanwhile: how far they moved, how often they are wrong. It
    is null where nothing is known.
    """

    incident: IncidentRow
    effect: str | None
    alerts: list[AlertRow]
    marks: list[Mark]
    standing: IncidentStanding


class IncidentRow(TypedDict):
    """One incident. `cause` to `summary` are those of its root, `severity` is the worst that fired, or that is
    pending.

    `fired_ms` and `paged_ms` are the event times at which something, and a page, fired first. `until_ms` is when
    the last alert was resolved; None while one is open. `verdict` to `marked_at` are those of the last mark.
    `acknowledged_by` says who has it; None: nobody.
    """

    id: str
    model: str
    state: str
    severity: str
    cause: str
    version: str
    segment: str
    feature: str
    summary: str
    since_ms: int
    until_ms: int | None
    fired_ms: int | None
    paged_ms: int | None
    alerts: int
    verdict: str | None
    who: str | None
    why: str | None
    marked_at: str | None
    acknowledged_by: str | None
    acknowledged_at: str | None


class IncidentStanding(TypedDict):
    """What people say of an incident: who has it, what it is silent by here and at Alertmanagers, and all words."""

    acknowledged: Said | None
    silences: list[Said]
    silenced_there: list[SilencedThere]
    words: list[Said]


class JudgedRow(TypedDict):
    """A finding about labelled predictions, with its limit and verdict. A number that is not finite is None."""

    model: str
    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int
    method: str
    value: float | None
    limit: float | None
    n: int
    m: int
    verdict: str
    reason: str | None


class KnownTopic(TypedDict):
    """A topic that is read."""

    topic: str


class KnownTopics(TypedDict):
    """The topics that are read, by this process's settings; `sentence` says what to do where there are none."""

    items: list[KnownTopic]
    sentence: str | None


class LabelsFound(TypedDict):
    """The labels, how many of them belong to predictions that were read, and how much later those came."""

    labels: int
    joined: int
    median_delay_ms: int | None
    classes: list[str]


class LearnOrder(TypedDict):
    """A model, and the event times of the panes to learn of. The reference is stored; no monitor names it yet."""

    model: str
    name: NotRequired[str | None]
    since: str
    until: str


class Line(TypedDict):
    """One mistake: the line it is on, counted from 1, and what to write instead."""

    line: int
    sentence: str


class ListedIncident(TypedDict):
    """An incident with what it is silent by now."""

    id: str
    model: str
    state: str
    severity: str
    cause: str
    version: str
    segment: str
    feature: str
    summary: str
    since_ms: int
    until_ms: int | None
    fired_ms: int | None
    paged_ms: int | None
    alerts: int
    verdict: str | None
    who: str | None
    why: str | None
    marked_at: str | None
    acknowledged_by: str | None
    acknowledged_at: str | None
    silences: list[Said]


class MadeReference(TypedDict):
    """A reference that was made: what it counted, and what to know of it."""

    name: str
    model: str
    task: Task
    rows: int
    features: list[str]
    warnings: list[str]


class Mark(TypedDict):
    """One person's word on one incident."""

    incident: str
    model: str
    verdict: AlarmVerdict
    who: str
    why: str
    marked_at: str


class MarkOrder(TypedDict):
    """A person's word on an incident. `who` is the key's name; where it says otherwise the key stands beside it."""

    verdict: Literal["false_alarm", "true_alarm"]
    why: str
    who: NotRequired[str | None]


class Maturity(TypedDict):
    """How the labels of a model come in. `quantiles` are seconds by share; a window is ripe `ripe_after_ms` after
    its end, and all that end by `judged_until_ms` are judged.
    """

    model: str
    window: str
    segment: str
    labels: int
    quantiles: dict[str, float | None]
    ripe_after_ms: int | None
    judged_until_ms: int | None
    curve: list[MaturityPoint]
    windows: list[Coverage]


class MaturityPoint(TypedDict):
    """By so many seconds after its prediction this share of the labels that ever come has come."""

    seconds: float
    share: float


class Measured(TypedDict):
    """One metric of one version, with its interval for one look."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None


class MetricBeside(TypedDict):
    """One metric of both versions on the same hours (realized), or in the newest window of both (estimated)."""

    metric: str
    basis: str
    start_ms: int
    end_ms: int
    version: Measured
    against: Measured


class MetricSeries(TypedDict):
    """One basis of the metric for one version, with 95 % intervals; null where there is no value, `reasons` say why."""

    version: str
    basis: str
    values: list[float | None]
    lows: list[float | None]
    highs: list[float | None]
    n: list[int | None]
    reasons: list[str | None]


class MissingOverTime(TypedDict):
    """The columns of which most is missing; `columns_with_any` counts all of which anything is, in these windows."""

    model: str
    window: str
    version: str | None
    segment: str
    since_ms: int
    until_ms: int
    ends_ms: list[int]
    columns: list[MissingShares]
    columns_with_any: int


class MissingShares(TypedDict):
    """One column: the share of its rows in which it is missing, all kinds together; null where it is not known."""

    role: str
    name: str
    worst: float
    shares: list[float | None]


class Model(TypedDict):
    """One model at a glance, and how it is in a word and a sentence."""

    model: str
    state: ModelState
    sentence: str
    versions: list[str]
    reference_name: str | None
    monitor_number: int
    last_event_ms: int | None
    last_label_ms: int | None
    last_window_end_ms: int | None
    open_alerts: OpenAlerts


class ModelFound(TypedDict):
    """One model of the topic. `has_more_features`: it has more than were looked at."""

    model: str
    events: int
    types: dict[str, int]
    versions: list[str]
    first_ms: int | None
    last_ms: int | None
    task: Task
    task_why: str
    predictions: dict[str, int]
    labels: LabelsFound
    rhythm: Rhythm
    features: list[FieldFound]
    has_more_features: bool
    tags: list[FieldFound]


class ModelProgress(TypedDict):
    """How far a model is evaluated: its windows that end by `evaluated_to_ms` are.

    Behind are windows that could be: `behind_ms` of event time. `owner` holds the lease now, `lease_expired_ms`
    says for how long it has not given it back. `joined_share` is the share of its inference ids that are joined.
    """

    model: str
    evaluated_to_ms: int | None
    watermark_ms: int | None
    behind_ms: int | None
    owner: str | None
    lease_expired_ms: int | None
    inbox: int
    waiting: int
    joined_share: float


class MonitorRow(TypedDict):
    """The newest version of a model's monitor; it holds from `since_ms`, which may lie ahead."""

    model: str
    number: int
    since_ms: int
    monitor: str
    reference_name: str | None
    grid_id: str
    origin: str
    created_at: str


class MonitorText(TypedDict):
    """Monitors as YAML: `models:` and below it at least one model."""

    yaml: str


class Named(TypedDict):
    """A text that no category of the reference is, and how many rows of each side have it."""

    name: str
    current: int
    against: int


class NamedSlice(TypedDict):
    """A weak slice. All figures are of the rows that confirmed it; losses are shares of wrong answers, or mean
    errors.

    `bound` is what the slice's loss, pulled towards that of all, exceeds with a chance of 95 %.
    """

    where: list[Where]
    rows: int
    share: float
    loss: float
    elsewhere: float
    shrunken: float
    bound: float
    p_value: float
    sentence: str


class Notification(TypedDict):
    """Whether somebody is known to be told of alerts, and what that rests on."""

    reaches: bool
    sentences: list[str]


class OpenAlerts(TypedDict):
    """How many alerts of a model are open, by what they do; `silence` is how many fire for it."""

    page: int
    ticket: int
    info: int
    pending: int
    silence: int


class Origin(TypedDict):
    """Where the rows of a side come from: a reference by its name, or panes that start in [since_ms, until_ms).

    The times of a reference are those of its first and last row, where it knows them. Of the panes of the time
    `panes` of `of_panes` were read. `incomplete`: records of it were lost. `reason` says why there are no rows.
    """

    reference: str | None
    since_ms: int | None
    until_ms: int | None
    panes: int
    of_panes: int
    incomplete: bool
    reason: str | None


class Overview(TypedDict):
    """A page of models, the worst first; `totals` are of all models that the name fits, by state."""

    items: list[OverviewModel]
    next: str | None
    totals: dict[str, int]


class OverviewModel(TypedDict):
    """One model at a glance. Without fresh windows nobody knows its events a minute, and they are null."""

    model: str
    state: ModelState
    sentence: str
    versions: list[str]
    reference_name: str | None
    spark: Spark
    events_a_minute: float | None
    last_event_ms: int | None
    last_label_ms: int | None
    last_window_end_ms: int | None
    budget: BudgetSpent
    open_incidents: int
    worst_incidents: list[WorstIncident]
    open_alerts: OpenAlerts


class PartitionRow(TypedDict):
    """How far a partition is read, and where its records ended: five outcomes, which sum to those read."""

    topic: str
    partition: int
    topic_id: str | None
    first_offset: int
    next_offset: int
    lag: int | None
    highest_ms: int | None
    owner: str | None
    deaths: int
    idle_since: str | None
    halted: str | None
    accepted: int
    duplicate: int
    late: int
    dead: int
    tombstone: int
    lost: int
    updated_at: str


class PartitionState(TypedDict):
    """One partition: how it is read, in a word and a sentence, and where its records ended.

    `watermark_ms` is the highest event time less the most disorder that a monitor allows, and `watermark_age_ms`
    how far it is behind the clock. `lag` is what its owner last saw of it.
    """

    topic: str
    partition: int
    state: Reading
    sentence: str
    owner: str | None
    silent_ms: int
    lag: int | None
    next_offset: int
    watermark_ms: int | None
    watermark_age_ms: int | None
    halted: str | None
    deaths: int
    accepted: int
    duplicate: int
    late: int
    dead: int
    tombstone: int
    lost: int
    truncated: int
    holes: int


class PerformanceOverTime(TypedDict):
    """One metric over time: realized, estimated, and what naive models would have reached on the same labels.

    Estimates hold under `assumption` only.
    """

    model: str
    window: str
    version: str | None
    segment: str
    since_ms: int
    until_ms: int
    metric: str | None
    metrics: list[str]
    higher_is_better: bool | None
    assumption: str | None
    ripe_after_ms: int | None
    windows: PerformanceWindows
    series: list[MetricSeries]


class PerformanceRow(TypedDict):
    """A metric of the predictions of one window, with its confidence interval, of `n` rows.

    Realized: of those that have a label, whenever that came. `reason` says why there is no value.
    """

    model: str
    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int
    basis: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    resolution: float
    reason: str | None
    computed_at: str


class PerformanceWindows(TypedDict):
    """Parallel lists, a window each; `ripe`: nine in ten of the labels that ever come have come."""

    starts_ms: list[int]
    ends_ms: list[int]
    ripe: list[bool]


class Pipeline(TypedDict):
    """All of it at `now_ms`, the database's clock; rates are not stored: two answers and their times make them."""

    now_ms: int
    condition: Condition
    sentence: str
    troubles: list[Trouble]
    more_troubles: int
    totals: Totals
    partitions: list[PartitionState]
    more_partitions: int
    collectors: list[CollectorSeen]
    models: list[ModelProgress]
    deliveries: Deliveries
    dead_letters: DeadSummary
    gaps: GapSummary


class Ran(TypedDict):
    """What a rule did last: `n` rows of so many columns, in the window that ended then; `fresh`: lately enough."""

    rule: str
    methods: list[str]
    window: str
    end_ms: int
    n: int
    columns: int
    fresh: bool


class ReadMonitor(TypedDict):
    """One monitor as it was understood: what was written, what is taken by default, and its budget in words."""

    model: str
    written: dict[str, Any]
    by_default: dict[str, Any]
    budget: str


class ReferenceLevel(TypedDict):
    """The same figures of the reference: what the lines of the course are held against."""

    origin: Origin
    rows: int
    missing: dict[str, float]
    quantiles: dict[str, float]
    low: float | None
    high: float | None
    mean: float | None
    categories: list[float]
    other: float
    unseen: float


class ReferenceRow(TypedDict):
    """A stored reference without its profile."""

    name: str
    model: str
    grid_id: str
    rows: int
    created_at: str


class RejectedFound(TypedDict):
    """Records that are no events: why, how many, what the first says, and how it begins."""

    reason: str
    records: int
    detail: str
    example: str


class Release(TypedDict):
    """Nobody has the incident any more."""

    who: NotRequired[str | None]
    why: NotRequired[str]


class ReplayAnswer(TypedDict):
    """What would become, or became, of the letters; `outcomes` counts them by what a collector makes of them now."""

    written: int
    outcomes: dict[str, int]
    items: list[ReplayedLetter]


class ReplayOrder(TypedDict):
    """Which letters to replay, the oldest first; only those that are events by today's monitors, unless `broken`.

    Nothing is written unless `write` is true: the answer says what would become of them.
    """

    topic: NotRequired[str | None]
    partition: NotRequired[int | None]
    offset: NotRequired[int | None]
    reason: NotRequired[Reason | None]
    since: NotRequired[str | None]
    until: NotRequired[str | None]
    last_id: NotRequired[int | None]
    limit: NotRequired[int]
    write: NotRequired[bool]
    broken: NotRequired[bool]
    again: NotRequired[bool]


class ReplayedLetter(TypedDict):
    """What becomes of one letter: `outcome` is null where its bytes cannot be had, which `trouble` explains."""

    topic: str
    partition: int
    offset: int
    reason: str
    outcome: Outcome | None
    reason_now: Reason | None
    detail: str
    written: bool
    trouble: str | None


class RetrainingRow(TypedDict):
    """The advice to train a model again; `ready_ms`: from when on there may be data for it, where there are none."""

    id: int
    model: str
    version: str
    alert_id: str
    incident: str
    cause: str
    since_ms: int
    at_ms: int
    summary: str
    spans: list[dict[str, int]]
    labels: int
    ready_ms: int | None
    created_at: str
    sent_at: str | None
    refused_at: str | None


class Rhythm(TypedDict):
    """How fast events come, and the panes and windows that fit; `why` is a sentence."""

    events_per_second: float | None
    pane_ms: int
    windows: list[WindowSpec]
    why: str


class Said(TypedDict):
    """One word. `until_at`, `covers` and `reference_name` are those of a silence; `ends` is the silence it ends.

    Without `covers` it is about its incident as a whole.
    """

    id: int
    incident: str
    model: str
    word: Word
    who: str
    why: str
    said_at: str
    until_at: str | None
    covers: list[Cover]
    reference_name: str | None
    ends: int | None


class SaveOrder(TypedDict):
    """Monitors to save. With `number`, only if that is the stored one's (0: there is none yet); of one model only."""

    yaml: str
    number: NotRequired[int | None]
    who: NotRequired[str | None]
    why: NotRequired[str | None]


class SavedMonitor(TypedDict):
    """What became of one monitor; `since_ms` is null for all of the model's events."""

    model: str
    action: str
    number: int
    since_ms: int | None
    since: str


class SavedMonitors(TypedDict):
    """What became of some monitors."""

    items: list[SavedMonitor]


class Score(TypedDict):
    """The tests of a model's monitoring: `points` of seven, and the `most` that driftbell alone can show."""

    model: str
    at_ms: int
    points: float
    most: float
    notification: Notification
    tests: list[Grade]


class ScoreWindows(TypedDict):
    """Parallel lists, a window each, of all versions together."""

    starts_ms: list[int]
    ends_ms: list[int]
    incomplete: list[bool]
    references: list[str | None]


class Scores(TypedDict):
    """The scores of one column over time; all lists have a place for each window."""

    model: str
    window: str
    version: str | None
    segment: str
    since_ms: int
    until_ms: int
    role: str
    feature: str
    windows: ScoreWindows
    series: list[Series]


class SegmentComparison(TypedDict):
    """One segment's comparison; the intervals of all segments hold together."""

    segment: str
    comparison: Comparison


class Series(TypedDict):
    """What one method said of the column in the windows of one version; null where it said nothing."""

    version: str
    method: str
    values: list[float | None]
    limits: list[float | None]
    p_values: list[float | None]
    n: list[int | None]
    m: list[int | None]
    verdicts: list[str | None]


class Side(TypedDict):
    """One side of the comparison in figures. `rows` may have a value of the column, `values` have one."""

    origin: Origin
    rows: int
    values: int
    missing: dict[str, int]
    low: float | None
    high: float | None
    mean: float | None
    std: float | None
    quantiles: dict[str, float]


class Silence(TypedDict):
    """What is silent: by a word said here (`id`), or at an Alertmanager (`alertmanager`, and the id that it has
    there).

    `kind` is silenced or expected. Without `covers` it is about its incident as a whole. Without `until_at` it
    holds until somebody ends it, or until the model gets another reference than `reference_name`.
    """

    id: int | None
    alertmanager: str | None
    id_there: str | None
    kind: Word
    incident: str
    model: str
    covers: list[Cover]
    who: str
    why: str
    said_at: str | None
    until_at: str | None
    reference_name: str | None


SilenceOrder = TypedDict(
    "SilenceOrder",
    {
        "who": "NotRequired[str | None]",
        "why": "str",
        "for": "NotRequired[str | None]",
        "until": "NotRequired[str | None]",
        "widely": "NotRequired[bool]",
    },
)


class SilencedThere(TypedDict):
    """A silence over an incident that people made at an Alertmanager."""

    alertmanager: str
    id: str
    incident: str
    model: str
    who: str
    why: str
    until_at: str


class Slice(TypedDict):
    """One version and segment over the time: an empty segment is the whole model.

    `share` is that of the version's predictions; `worst` is the highest score by its limit, and `rang` counts the
    windows in which one was over it. `realized` and `estimated` are means of the windows' `metric`.
    """

    version: str
    segment: str
    windows: int
    inferences: int
    share: float
    labels: int
    rang: int
    worst: float | None
    incomplete: int
    first_start_ms: int
    last_end_ms: int
    metric: str | None
    realized: float | None
    realized_n: int
    estimated: float | None


class SliceReport(TypedDict):
    """The weak slices among a sample of labelled rows, the most excess loss first; `reason`: why none was sought."""

    loss: LossKind
    loss_of_all: float | None
    sampled: int
    labelled: int
    panes: int
    of_panes: int
    tested: int
    reason: str | None
    slices: list[NamedSlice]


class Slices(TypedDict):
    """All slices that had windows of this kind in this time."""

    model: str
    window: str
    since_ms: int
    until_ms: int
    items: list[Slice]


class SniffOrder(TypedDict):
    """Which topic, and how many of its last records, about."""

    topic: str
    records: NotRequired[int]


class Sniffed(TypedDict):
    """What a topic holds, by its last records in `looked_at` partitions. Every text in it is safe to show."""

    topic: str
    partitions: int
    looked_at: int
    records: int
    tombstones: int
    events: int
    format: str
    models: list[SuggestedModel]
    more_models: int
    rejected: list[RejectedFound]


class Spark(TypedDict):
    """The worst of all columns in the last windows, in percent of the limit, for a small line.

    There is a place for each of the last windows that ended by now; null where nothing was scored. A percent is
    above 100 exactly where a verdict was drift.
    """

    window: str
    every_ms: int
    last_end_ms: int
    percents: list[int | None]


class SuggestedModel(TypedDict):
    """A model that was found, and what a draft of its monitor would take."""

    found: ModelFound
    segments: list[str]
    ids: list[str]


class Totals(TypedDict):
    """All partitions together; each record that was read has one of the five outcomes."""

    topics: int
    partitions: int
    not_read: int
    lag: int
    accepted: int
    duplicate: int
    late: int
    dead: int
    tombstone: int
    lost: int
    truncated: int
    holes: int
    watermark_ms: int | None
    waiting_to_join: int
    deliveries_waiting: int


class Traffic(TypedDict):
    """One version's rows in the panes of the span, and their share of all traffic there."""

    version: str
    first_ms: int
    last_ms: int
    rows: int
    share: float


class Trouble(TypedDict):
    """Something that needs a person, and what to do about it."""

    name: str
    condition: Condition
    sentence: str
    advice: str


class Validation(TypedDict):
    """Either mistakes, all of them, or the monitors."""

    valid: bool
    mistakes: list[Line]
    monitors: list[ReadMonitor]


class VersionsBeside(TypedDict):
    """Two versions of a model, or of one segment of it ('' is all traffic), in [since_ms, until_ms).

    `comparison` and realized metrics are of the `hours` in which both have labels. `remark` says what breaks
    them.
    """

    model: str
    version: str
    against: str
    segment: str
    since_ms: int
    until_ms: int
    verdict: str
    comparison: Comparison
    hours: int
    segments: list[SegmentComparison]
    traffic: list[Traffic]
    metrics: list[MetricBeside]
    answers: AnswersOfPanes
    remark: str | None


class Where(TypedDict):
    """What a slice's rows have in common in one feature: a range of numbers, ends included, or a value, or nothing.

    An end that is None is open.
    """

    feature: str
    low: float | None
    high: float | None
    value: str | None
    is_missing: bool


class WindowRow(TypedDict):
    """One scored window of one slice."""

    model: str
    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int
    inferences: int
    labels: int
    revision: int
    incomplete: bool
    reference_name: str | None
    computed_at: str


class WindowSpec(TypedDict):
    """Consecutive panes scored together: `length_ms` of them, anew every `every_ms`; tumbling when equal."""

    length_ms: int
    every_ms: int


class WorstIncident(TypedDict):
    """One of the worst of a model's open incidents; `acknowledged_by` says who has it."""

    id: str
    summary: str
    severity: str
    state: str
    since_ms: int
    acknowledged_by: str | None


class WouldHavePaged(TypedDict):
    """What one monitor would have rung for in `days`, beside what paged then and what people said of that.

    `caught` of `true_alarms` marked incidents, and `again` of `false_alarms`; `outside` are marked ones of other
    times. `notes` say what to know of the answer, `more_incidents` how many are not in the list.
    """

    model: str
    sentence: str
    days: float
    pages: int
    tickets: int
    paged_then: int
    caught: int
    true_alarms: int
    again: int
    false_alarms: int
    outside: int
    panes: int
    windows: int
    notes: list[str]
    incidents: list[WouldHaveRung]
    more_incidents: int


class WouldHaveRung(TypedDict):
    """One incident that a back-test would have opened, told by its root; `others` are its further alerts."""

    severity: Severity
    cause: str
    summary: str
    since_ms: int
    at_ms: int
    others: list[str]


class EndSilenceQuery(TypedDict):
    # the reason, in a sentence
    why: NotRequired[str]


class MonitorsQuery(TypedDict):
    # the most rows of a page
    limit: NotRequired[int]


class SilencesQuery(TypedDict):
    # a model's name
    model: NotRequired[str | None]


class ReferencesQuery(SilencesQuery):
    # the most rows of a page
    limit: NotRequired[int]


class OverviewQuery(TypedDict):
    # the most models of a page
    limit: NotRequired[int]
    # a part of the model's name, in capitals or not
    q: NotRequired[str | None]
    # how far it has come
    state: NotRequired[ModelState | None]


class PartitionsQuery(MonitorsQuery):
    # whether it is not read any more until a person decides
    halted: NotRequired[bool | None]
    # a topic's name
    topic: NotRequired[str | None]


class PipelineQuery(TypedDict):
    # the most partitions that are listed, the worst first
    limit: NotRequired[int]
    # only partitions that are read so
    state: NotRequired[Reading | None]
    # only partitions of this topic
    topic: NotRequired[str | None]


class WeakSlicesQuery(TypedDict):
    # a model's name
    model: str
    # predictions from this time on; usual: seven days before `until`
    since: NotRequired[Time | None]
    # predictions before this time; usual: now
    until: NotRequired[Time | None]


class FeedbackQuery(ReferencesQuery):
    # why it was chosen
    kind: NotRequired[FeedbackKind | None]
    # of windows that ended after this time
    since: NotRequired[Time | None]


class LabelsQuery(TypedDict):
    # the most windows
    limit: NotRequired[int]
    # a model's name
    model: str
    # a slice of the model's traffic, such as country=DE; empty is the whole model
    segment: NotRequired[str]
    # the monitor's shortest if none is named
    window: NotRequired[str | None]


class IncidentsQuery(ReferencesQuery):
    # whether something in it is pending or fires
    open: NotRequired[bool | None]
    # after this time
    since: NotRequired[Time | None]
    # at this time or before
    until: NotRequired[Time | None]


class PredictionHealthQuery(TypedDict):
    # a model's name
    model: str
    # a slice of the model's traffic, such as country=DE; empty is the whole model
    segment: NotRequired[str]
    # predictions from this time on; usual: an hour before `until`
    since: NotRequired[Time | None]
    # predictions before this time; usual: now
    until: NotRequired[Time | None]
    # a build of the model
    version: NotRequired[str | None]


class ComparisonQuery(TypedDict):
    # the other version
    against: NotRequired[str | None]
    # a smaller difference of the loss is none
    margin: NotRequired[float | None]
    # a model's name
    model: str
    # such as country=DE, instead of all traffic
    segment: NotRequired[str]
    # from this time on; else since both were seen
    since: NotRequired[Time | None]
    # a build of the model
    version: NotRequired[str | None]


class DeadLettersQuery(MonitorsQuery):
    # a partition's number
    partition: NotRequired[int | None]
    # why it is a dead letter
    reason: NotRequired[Reason | None]
    # after this time
    since: NotRequired[Time | None]
    # a topic's name
    topic: NotRequired[str | None]
    # at this time or before
    until: NotRequired[Time | None]


class SlicesQuery(TypedDict):
    # a model's name
    model: str
    # empty: the whole model
    segment: NotRequired[str]
    # after this time; else a day before `until`, 30 days for windows of an hour and more
    since: NotRequired[Time | None]
    # at this time or before; else now
    until: NotRequired[Time | None]
    # of all versions if none is named
    version: NotRequired[str | None]
    # the monitor's shortest tumbling one if none is named
    window: NotRequired[str | None]


class PerformanceOverTimeQuery(SlicesQuery):
    # accuracy or root mean squared error if none is named
    metric: NotRequired[str | None]


class WindowsQuery(ReferencesQuery):
    # a slice of the model's traffic, such as country=DE; empty is the whole model
    segment: NotRequired[str | None]
    # after this time
    since: NotRequired[Time | None]
    # at this time or before
    until: NotRequired[Time | None]
    # a build of the model
    version: NotRequired[str | None]
    # a kind of window, as the monitor names it, such as 5m
    window: NotRequired[str | None]


class HeatQuery(SlicesQuery):
    # the most columns
    columns: NotRequired[int]
    # more windows than these are merged
    points: NotRequired[int]


class MissingOverTimeQuery(SlicesQuery):
    # the most columns, those of which most is missing
    columns: NotRequired[int]
    # the most windows, spread evenly over the time
    points: NotRequired[int]


class CourseQuery(TypedDict):
    # the column's name; of one that is no feature, its role
    feature: str
    # the model's name
    model: str
    # the most points; more windows share them
    points: NotRequired[int]
    # what the column holds
    role: NotRequired[Role]
    # such as country=DE; empty: the whole model
    segment: NotRequired[str]
    # windows that end after this time; usual: as many as `points`
    since: NotRequired[Time | None]
    # windows that end by then; usual: up to the last complete one
    until: NotRequired[Time | None]
    # the model's version; empty: all together
    version: NotRequired[str]
    # the kind of window; usual: the monitor's shortest tumbling one
    window: NotRequired[str | None]


class PerformanceFindingsQuery(WindowsQuery):
    # a detector's or a rule's name
    method: NotRequired[str | None]
    # what was found
    verdict: NotRequired[Verdict | None]


class PerformanceQuery(WindowsQuery):
    # realized, from labels; or estimated, before they come
    basis: NotRequired[str | None]
    # a performance metric's name, such as accuracy
    metric: NotRequired[str | None]


class ScoresQuery(SlicesQuery):
    # the column's name
    feature: NotRequired[str]
    # at most so many windows, the newest
    points: NotRequired[int]
    # what a column holds: a feature, the prediction, its score, the latency, a rule or the label
    role: NotRequired[Role | str]


class UploadReferenceQuery(TypedDict):
    # a column to leave out, once for each
    exclude: NotRequired[list[str]]
    # the column with the inference id
    id: NotRequired[str | None]
    # the column with the true answer
    label: NotRequired[str | None]
    # a model's name
    model: str
    # the reference's name; the model's if none is given
    name: NotRequired[str | None]
    # the column with the model's answer
    prediction: NotRequired[str | None]
    # even if the model has a reference of this name
    replace: NotRequired[bool]
    # the column with the probability of the positive class
    score: NotRequired[str | None]
    # the column with the event time
    time: NotRequired[str | None]


class FindingsQuery(PerformanceFindingsQuery):
    # a column's name
    feature: NotRequired[str | None]


class DistributionQuery(TypedDict):
    # what it is compared with; usual: the reference
    against: NotRequired[Literal["reference"] | None]
    # instead of the reference: rows from this time on,
    against_since: NotRequired[Time | None]
    # and before this time
    against_until: NotRequired[Time | None]
    # the column's name; of one that is no feature, its role
    feature: str
    # the model's name
    model: str
    # what the column holds
    role: NotRequired[Role]
    # such as country=DE; empty: the whole model
    segment: NotRequired[str]
    # rows from this time on; usual: of the last complete window
    since: NotRequired[Time | None]
    # rows before this time; usual: of the last complete window
    until: NotRequired[Time | None]
    # the model's version; empty: all together
    version: NotRequired[str]
    # the kind of window; usual: the monitor's shortest tumbling one
    window: NotRequired[str | None]


class AlertsQuery(WindowsQuery):
    # what the diagnosis names
    cause: NotRequired[Cause | None]
    # whether it follows from another alert of its incident
    consequence: NotRequired[bool | None]
    # a column's name
    feature: NotRequired[str | None]
    # an incident's id
    incident: NotRequired[str | None]
    # what the alert asks for: page wakes somebody
    severity: NotRequired[Severity | None]
    # how far it has come
    state: NotRequired[State | None]


class Client(_EventReader):
    """driftbell's API: a method for each of its endpoints."""

    def mark_incident(self, incident_id: str, /, **order: Unpack[MarkOrder]) -> Mark:
        """Mark an incident: was its page right, or a false alarm, and why. A later mark replaces this one."""
        return cast("Mark", self._sent("POST", f"/api/v1/incidents/{_place(incident_id)}/mark", order))

    def incident_report(self, incident_id: str, accept: str = "text/markdown", /) -> str:
        """All about one incident on one page; as Markdown for a ticket, or as JSON, by `format` or the Accept
        header.
        """
        return self.wire.get(f"/api/v1/incidents/{_place(incident_id)}/report", None, accept).decode()

    def acknowledge_incident(self, incident_id: str, /, **order: Unpack[Acknowledgement]) -> Said:
        """Say that you have it. Everybody sees so; it is still told to whom it was told."""
        return cast("Said", self._sent("POST", f"/api/v1/incidents/{_place(incident_id)}/acknowledge", order))

    def release_incident(self, incident_id: str, /, **order: Unpack[Release]) -> Said:
        """Say that nobody has it any more."""
        return cast("Said", self._sent("POST", f"/api/v1/incidents/{_place(incident_id)}/release", order))

    def silence_incident(self, incident_id: str, /, **order: Unpack[SilenceOrder]) -> Said:
        """No notifications of it until then: no webhook, and a silence at each Alertmanager."""
        return cast("Said", self._sent("POST", f"/api/v1/incidents/{_place(incident_id)}/silence", order))

    def expect_incident(self, incident_id: str, /, **order: Unpack[ExpectOrder]) -> Said:
        """Say that it is a planned change: it pages nobody any more, is no false page, and does not ring again."""
        return cast("Said", self._sent("POST", f"/api/v1/incidents/{_place(incident_id)}/expect", order))

    def accept_incident(self, incident_id: str, /, **order: Unpack[AcceptSpanOrder]) -> Accepted:
        """Make a stretch of event time the model's reference from now on: what it holds is normal."""
        return cast("Accepted", self._sent("POST", f"/api/v1/incidents/{_place(incident_id)}/accept", order))

    def end_silence(self, silence_id: int, /, **asked: Unpack[EndSilenceQuery]) -> Said:
        """End one silence, or what is expected, before its time."""
        return cast("Said", self._sent("DELETE", f"/api/v1/silences/{_place(silence_id)}", {}, query=asked))

    def silences(self, **asked: Unpack[SilencesQuery]) -> Iterator[Silence]:
        """What is silent or expected now, by whom, why and until when; of one model, or of all."""
        return self._pages("/api/v1/silences", asked)

    def validate_monitors(self, **order: Unpack[MonitorText]) -> Validation:
        """Say every mistake in some monitors, or how they are understood. Nothing is stored."""
        return cast("Validation", self._sent("POST", "/api/v1/monitors/validate", order))

    def diff_monitors(self, **order: Unpack[MonitorText]) -> Differences:
        """What saving these monitors would change, and from when on. Nothing is stored."""
        return cast("Differences", self._sent("POST", "/api/v1/monitors/diff", order))

    def draft_monitor(self, **order: Unpack[DraftOrder]) -> Drafted:
        """A first monitor that follows from what was found and chosen. Nothing is stored."""
        return cast("Drafted", self._sent("POST", "/api/v1/monitors/draft", order))

    def start_backtest(self, **order: Unpack[BacktestOrder]) -> BacktestJob:
        """Begin to judge the stored panes by these monitors, as if they had been saved. Nothing is stored."""
        return cast("BacktestJob", self._sent("POST", "/api/v1/monitors/backtest", order))

    def sniff_topic(self, **order: Unpack[SniffOrder]) -> Sniffed:
        """Read the last records of a topic and say what they hold. No group is joined and nothing is committed."""
        return cast("Sniffed", self._sent("POST", "/api/v1/topics/sniff", order))

    def learn_reference(self, **order: Unpack[LearnOrder]) -> MadeReference:
        """Make a reference of what was seen live, and store it."""
        return cast("MadeReference", self._sent("POST", "/api/v1/references/learn", order))

    def accept_reference(self, **order: Unpack[AcceptReferenceOrder]) -> AcceptedReference:
        """Learn a reference of live panes and make it the model's, in one step."""
        return cast("AcceptedReference", self._sent("POST", "/api/v1/references/accept", order))

    def save_monitors(self, **order: Unpack[SaveOrder]) -> SavedMonitors:
        """Save all of these monitors, or none. Answers 409 with the newer monitor when `number` is not the stored
        one's.
        """
        return cast("SavedMonitors", self._sent("POST", "/api/v1/monitors", order))

    def monitors(self, **asked: Unpack[MonitorsQuery]) -> Iterator[MonitorRow]:
        """The newest monitor of each model; `monitor` is its YAML."""
        return self._pages("/api/v1/monitors", asked)

    def upload_reference(
        self,
        body: str | bytes,
        kind: Literal["text/csv", "application/vnd.apache.parquet"] = "text/csv",
        /,
        **asked: Unpack[UploadReferenceQuery],
    ) -> MadeReference:
        """Count a table, CSV or Parquet, sent as the body, into a reference and store it. No row of it is kept."""
        return cast("MadeReference", self._sent("POST", "/api/v1/references", body, kind, query=asked))

    def references(self, **asked: Unpack[ReferencesQuery]) -> Iterator[ReferenceRow]:
        """Stored references, without their profiles."""
        return self._pages("/api/v1/references", asked)

    def topics(self) -> KnownTopics:
        """The topics that can be looked into."""
        return cast("KnownTopics", self._json("/api/v1/topics"))

    def backtest(self, job_id: str, /) -> BacktestJob:
        """How far a back-test is, or what it came to."""
        return cast("BacktestJob", self._json(f"/api/v1/backtests/{_place(job_id)}"))

    def cancel_backtest(self, job_id: str, /) -> BacktestJob:
        """End a back-test that nobody wants any more."""
        return cast("BacktestJob", self._sent("DELETE", f"/api/v1/backtests/{_place(job_id)}", {}))

    def incidents(self, **asked: Unpack[IncidentsQuery]) -> Iterator[ListedIncident]:
        """Incidents, the latest begun first, each told by its root, and by what people say of it."""
        return self._pages("/api/v1/incidents", asked)

    def incident(self, incident_id: str, /) -> Incident:
        """One incident with its alerts and marks."""
        return cast("Incident", self._json(f"/api/v1/incidents/{_place(incident_id)}"))

    def budget(self, model: str, /) -> BudgetLedger:
        """What one model's false-alarm budget promised, and what was spent of it."""
        return cast("BudgetLedger", self._json(f"/api/v1/models/{_place(model)}/budget"))

    def score(self, model: str, /) -> Score:
        """How one model is monitored, by the seven tests of the ML Test Score's section on monitoring.

        Each test has `points` of 0, 0.5 or 1, the `most` that driftbell can show, what it rests on, what is
        `missing`, and what of it no event shows (`unseen`). Whether somebody is told is known of this process's
        webhook and of the Alertmanagers that incidents are pushed to.
        """
        return cast("Score", self._json(f"/api/v1/models/{_place(model)}/score"))

    def comparison(self, **asked: Unpack[ComparisonQuery]) -> VersionsBeside:
        """Whether one version of a model is better than another, and how they differ; may be asked at any time."""
        return cast("VersionsBeside", self._json("/api/v1/comparison", asked))

    def overview(self, **asked: Unpack[OverviewQuery]) -> Overview:
        """Every model with its state, its last windows, its traffic, its budget and its worst open incident."""
        return cast("Overview", self._json("/api/v1/overview", asked))

    def heat(self, **asked: Unpack[HeatQuery]) -> Heat:
        """How every column of a model stood in every window, in percent of its limit.

        What the model leans on most comes first if the monitor says what that is, then the worst.
        """
        return cast("Heat", self._json("/api/v1/heat", asked))

    def scores(self, **asked: Unpack[ScoresQuery]) -> Scores:
        """The scores of one column in each window: by method the value, its limit, n and m, and the verdict."""
        return cast("Scores", self._json("/api/v1/scores", asked))

    def performance_over_time(self, **asked: Unpack[PerformanceOverTimeQuery]) -> PerformanceOverTime:
        """One metric of a model in each window, by version and basis, with its interval and how ripe its labels are.

        Numbers have six digits here; `/performance` has all of them.
        """
        return cast("PerformanceOverTime", self._json("/api/v1/performance-over-time", asked))

    def missing_over_time(self, **asked: Unpack[MissingOverTimeQuery]) -> MissingOverTime:
        """The share of rows in which a column is absent, null, NaN, infinite, empty or of a wrong type, by window."""
        return cast("MissingOverTime", self._json("/api/v1/missing-over-time", asked))

    def slices(self, **asked: Unpack[SlicesQuery]) -> Slices:
        """Versions and segments of a model side by side: traffic, scores by their limits, performance.

        All segments are told, whichever is asked for.
        """
        return cast("Slices", self._json("/api/v1/slices", asked))

    def pipeline(self, **asked: Unpack[PipelineQuery]) -> Pipeline:
        """How the log is read, evaluated and delivered now: what is wrong, and each partition, the worst first."""
        return cast("Pipeline", self._json("/api/v1/pipeline", asked))

    def distribution(self, **asked: Unpack[DistributionQuery]) -> DistributionAnswer:
        """A column's values in a time, beside the reference's or those of another time: bars, and shares below
        points.

        Bars sum to the rows of each side: ranges with round edges, or the most frequent categories, `other` and
        `unseen`; and the six kinds of missing. `ecdf` is off by at most its resolution. `method` says how the
        figures are made.
        """
        return cast("DistributionAnswer", self._json("/api/v1/distribution", asked))

    def course(self, **asked: Unpack[CourseQuery]) -> CourseAnswer:
        """A column over time, columnar: rows, shares of the six kinds of missing, and quantiles, or shares of
        categories.

        Each point is a window, or consecutive ones together where there are more than `points`. A bounded number
        of panes is read evenly: `panes` of `of_panes`, with `rows` of `of_rows`. `reference` has the same figures
        of the reference.
        """
        return cast("CourseAnswer", self._json("/api/v1/course", asked))

    def models(self, **asked: Unpack[MonitorsQuery]) -> Iterator[Model]:
        """All models by name, with their state and last news."""
        return self._pages("/api/v1/models", asked)

    def model(self, model: str, /) -> Model:
        """One model."""
        return cast("Model", self._json(f"/api/v1/models/{_place(model)}"))

    def monitor(self, model: str, /) -> MonitorRow:
        """The newest monitor of one model; the YAML alone with `Accept: application/yaml`."""
        return cast("MonitorRow", self._json(f"/api/v1/monitors/{_place(model)}"))

    def reference(self, name: str, /) -> ReferenceRow:
        """One reference, without its profile."""
        return cast("ReferenceRow", self._json(f"/api/v1/references/{_place(name)}"))

    def windows(self, **asked: Unpack[WindowsQuery]) -> Iterator[WindowRow]:
        """Scored windows, the latest end first."""
        return self._pages("/api/v1/windows", asked)

    def findings(self, **asked: Unpack[FindingsQuery]) -> Iterator[FindingRow]:
        """Scores with their limits and verdicts, those of the latest window first."""
        return self._pages("/api/v1/findings", asked)

    def performance(self, **asked: Unpack[PerformanceQuery]) -> Iterator[PerformanceRow]:
        """Metrics of the predictions of windows, those of the latest window first.

        Of basis `estimated` they are told before labels come, and hold if there is no concept drift: P(label |
        score), or the size of errors at each predicted value, as in the reference. `reason` says why there is no
        value.
        """
        return self._pages("/api/v1/performance", asked)

    def weak_slices(self, **asked: Unpack[WeakSlicesQuery]) -> SliceReport:
        """Slices of one or two features in which a model is wrong evidently more often, the most excess first.

        They are found on one half of a sample of labelled rows and tested on the other: all figures are of the
        latter. `reason` says why none could be sought.
        """
        return cast("SliceReport", self._json("/api/v1/weak-slices", asked))

    def prediction_health(self, **asked: Unpack[PredictionHealthQuery]) -> HealthReport:
        """How a model's answers look beside the reference's: how often the same, how mixed, how sure, how steady,
        how fast.

        Each line has its value with a 95 % interval, the rows it is of, the same of the reference, and a plain
        word.
        """
        return cast("HealthReport", self._json("/api/v1/prediction-health", asked))

    def performance_findings(self, **asked: Unpack[PerformanceFindingsQuery]) -> Iterator[JudgedRow]:
        """What was found in windows whose labels have come, those of the latest window first."""
        return self._pages("/api/v1/performance-findings", asked)

    def labels(self, **asked: Unpack[LabelsQuery]) -> Maturity:
        """How long the labels of a model take, and how many of those of its newest windows have come.

        `coverage` is the share of predictions with a label; `usual_share` the share of the labels that ever come
        that has usually come to windows of this age.
        """
        return cast("Maturity", self._json("/api/v1/labels", asked))

    def feedback(self, **asked: Unpack[FeedbackQuery]) -> Iterator[FeedbackRow]:
        """Predictions that a person should label, the newest first; of models whose monitor asks for them."""
        return self._pages("/api/v1/feedback", asked)

    def retraining(self, **asked: Unpack[ReferencesQuery]) -> Iterator[RetrainingRow]:
        """Advice to train a model again, the newest first, with the spans of data that are good for it."""
        return self._pages("/api/v1/retraining", asked)

    def alerts(self, **asked: Unpack[AlertsQuery]) -> Iterator[AlertRow]:
        """Alerts in all states, the latest begun first."""
        return self._pages("/api/v1/alerts", asked)

    def alert(self, alert_id: str, /) -> AlertRow:
        """One alert."""
        return cast("AlertRow", self._json(f"/api/v1/alerts/{_place(alert_id)}"))

    def partitions(self, **asked: Unpack[PartitionsQuery]) -> Iterator[PartitionRow]:
        """How far each partition is read, its lag, and where its records ended."""
        return self._pages("/api/v1/partitions", asked)

    def dead_letters(self, **asked: Unpack[DeadLettersQuery]) -> Iterator[DeadLetter]:
        """Rejected records, the latest first, each with the first 1,024 bytes of its value."""
        return self._pages("/api/v1/dead-letters", asked)

    def dead_letter_counts(self, by: CountBy, /, **asked: Unpack[DeadLettersQuery]) -> list[DeadLetterCount]:
        """How many records were rejected: by reason or topic, the most frequent first, or by hour in their order."""
        return cast("list[DeadLetterCount]", self._json(f"/api/v1/dead-letters/by-{_place(by)}", asked))

    def replay_dead_letters(self, **order: Unpack[ReplayOrder]) -> ReplayAnswer:
        """Look at dead letters with today's monitors and, if told so, append them to their partitions once more."""
        return cast("ReplayAnswer", self._sent("POST", "/api/v1/dead-letters/replay", order))

    def dead_letter(self, topic: str, partition: int, offset: int, /) -> DeadLetter:
        """One rejected record, with all of its bytes that are kept: up to 4,096."""
        return cast(
            "DeadLetter",
            self._json(f"/api/v1/dead-letters/{_place(topic)}/{_place(partition)}/{_place(offset)}"),
        )
