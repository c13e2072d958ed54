"""Every table, as SQLAlchemy Core sees it; `migrations/` makes them.

Times of events are integer milliseconds since 1970 UTC (`*_ms`), times of our own acts are `timestamptz` (`*_at`).
`window_result`, `finding` and `window_score` are partitioned by `end_ms`, one table a week (`partitions`).
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

_now = text("now()")

revision = Table(
    "revision", metadata,
    Column("only", Boolean, primary_key=True, server_default=text("true"), doc="one row"),
    Column("number", BigInteger, nullable=False, server_default=text("0"), doc="raised by every change of a monitor"),
)  # fmt: skip

grid = Table(
    "grid", metadata,
    Column("id", Text, primary_key=True),
    Column("definition", LargeBinary, nullable=False),
)  # fmt: skip

reference = Table(
    "reference", metadata,
    Column("name", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("grid_id", Text, ForeignKey("grid.id"), nullable=False),
    Column("profile", LargeBinary, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("answers", LargeBinary, doc="how the reference's own predictions turned out; none: it has no labels"),
)  # fmt: skip

model_version = Table(
    "model_version", metadata,
    Column("model", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("since_ms", BigInteger, nullable=False, doc="event time of a pane's border"),
    Column("monitor", Text, nullable=False, doc="the YAML of this one monitor"),
    Column("reference_name", Text, ForeignKey("reference.name")),
    Column("grid_id", Text, ForeignKey("grid.id"), nullable=False),
    Column("origin", Text, nullable=False, server_default=text("'applied'"), doc="applied or learned"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
)  # fmt: skip

source_partition = Table(
    "source_partition", metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("topic_id", Text),
    Column("next_offset", BigInteger, nullable=False),
    Column("first_offset", BigInteger, nullable=False, doc="where the first claim began"),
    Column("owner_epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("claim_token", Uuid),
    Column("owner", Text),
    Column("deaths", Integer, nullable=False, server_default=text("0"), doc="unclean takeovers since progress"),
    Column("highest_ms", BigInteger, doc="highest accepted event time; less the disorder: the watermark"),
    Column("idle_since", DateTime(timezone=True), doc="caught up, owned and not paused, without news since"),
    Column("lag", BigInteger, doc="records behind the log's end when last looked"),
    Column("halted", Text, doc="why the partition is not read any more"),
    Column("accepted", BigInteger, nullable=False, server_default=text("0")),
    Column("duplicate", BigInteger, nullable=False, server_default=text("0")),
    Column("late", BigInteger, nullable=False, server_default=text("0")),
    Column("dead", BigInteger, nullable=False, server_default=text("0")),
    Column("tombstone", BigInteger, nullable=False, server_default=text("0")),
    Column("lost", BigInteger, nullable=False, server_default=text("0"), doc="records that retention took before us"),
    Column("holes", BigInteger, nullable=False, server_default=text("0"), doc="offsets that held no record for us"),
    Column("truncated", BigInteger, nullable=False, server_default=text("0"), doc="counted offsets the log took back"),
    Column("jumps", Integer, nullable=False, server_default=text("0"), doc="rows right before that were too far ahead"),
    Column("trying_offset", BigInteger, doc="where the records begin that are read on their own, after deaths"),
    Column("trying_records", Integer, doc="how many they are"),
    Column("trying_epoch", BigInteger, doc="the owner's epoch that said so last"),
    Column("dead_accepted", Boolean, nullable=False, server_default=text("false"), doc="read on, whatever is dead"),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_now),
)  # fmt: skip

pane = Table(
    "pane", metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True),
    Column("end_ms", BigInteger, nullable=False),
    Column("grid_id", Text, nullable=False),
    Column("inferences", BigInteger, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("sketch", LargeBinary, nullable=False),
    Index("pane_by_model", "model", "start_ms"),
    Index("pane_with_inferences", "model", "start_ms", postgresql_where=text("inferences > 0")),
    Index("pane_with_labels", "model", "start_ms", postgresql_where=text("labels > 0")),
)  # fmt: skip

pane_ids = Table(
    "pane_ids", metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True),
    Column("next_offset", BigInteger, primary_key=True, doc="of the checkpoint that wrote them"),
    Column("hashes", LargeBinary, nullable=False, doc="little-endian 64-bit hashes"),
)  # fmt: skip

join_inbox = Table(
    "join_inbox", metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, primary_key=True, doc="of the checkpoint that wrote them"),
    Column("place", Integer, primary_key=True, doc="among the rows of that checkpoint"),
    Column("model", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("columns", LargeBinary, nullable=False, doc="predictions or labels, as columns"),
    Index("join_inbox_by_model", "model"),
)  # fmt: skip

join_name = Table(
    "join_name", metadata,
    Column("model", Text, primary_key=True),
    Column("number", Integer, primary_key=True, doc="from 1 on; what stands for it in rows"),
    Column("name", Text, nullable=False, doc="a class, or a list of slices as JSON"),
    UniqueConstraint("model", "name", name="join_name_once"),
)  # fmt: skip

join_share = Table(
    "join_share", metadata,
    Column("model", Text, primary_key=True),
    Column("halvings", Integer, nullable=False, doc="one in 2**halvings inference ids is joined"),
    Column("waiting", BigInteger, nullable=False, doc="predictions and labels that wait"),
    Column("forgotten_ms", BigInteger, nullable=False, doc="nothing from before it waits"),
)  # fmt: skip

waiting_prediction = Table(
    "waiting_prediction", metadata,
    Column("model", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True, doc="hash of the inference id"),
    Column("start_ms", BigInteger, nullable=False, doc="of its pane"),
    Column("slices", Integer, nullable=False, doc="a name's number"),
    Column("class", Integer, nullable=False, doc="a name's number; 0: none"),
    Column("score", Double, nullable=False, doc="NaN: none"),
    Column("value", Double, nullable=False, doc="of a regression; NaN: none"),
    Column("label_ms", BigInteger, doc="event time of the label that counts; none: not labelled yet"),
    Column("label", Integer, doc="its class, as a name's number; 0: none"),
    Column("label_value", Double, doc="of a regression; NaN: none"),
    Index("waiting_prediction_by_time", "start_ms", postgresql_using="brin"),
    postgresql_with={"fillfactor": 70},
)  # fmt: skip

waiting_label = Table(
    "waiting_label", metadata,
    Column("model", Text, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("label_ms", BigInteger, nullable=False),
    Column("label", Integer, nullable=False),
    Column("label_value", Double, nullable=False),
    Index("waiting_label_by_id", "model", "id"),
    Index("waiting_label_by_time", "label_ms", postgresql_using="brin"),
)  # fmt: skip

label_delay = Table(
    "label_delay", metadata,
    Column("model", Text, primary_key=True),
    Column("bin", Integer, primary_key=True, doc="of the seconds from a pane to a prediction's first label"),
    Column("n", BigInteger, nullable=False, doc="labels"),
)  # fmt: skip

outcome = Table(
    "outcome", metadata,
    Column("model", Text, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True, doc="of the prediction's pane"),
    Column("slices", Integer, primary_key=True, doc="a name's number"),
    Column("sketch", LargeBinary, nullable=False),
)  # fmt: skip

outcome_news = Table(
    "outcome_news", metadata,
    Column("model", Text, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True, doc="of a pane whose outcomes have changed"),
    Column("told_ms", BigInteger, doc="its windows that end until then are told; none: none of them"),
)  # fmt: skip

performance = Table(
    "performance", metadata,
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("window", Text, primary_key=True),
    Column("end_ms", BigInteger, primary_key=True),
    Column("basis", Text, primary_key=True, doc="realized or estimated"),
    Column("metric", Text, primary_key=True),
    Column("start_ms", BigInteger, nullable=False),
    Column("value", Double),
    Column("low", Double),
    Column("high", Double),
    Column("n", BigInteger, nullable=False, doc="labelled predictions"),
    Column("resolution", Double, nullable=False),
    Column("reason", Text, doc="why there is no value"),
    Column("computed_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("performance_by_end", "model", "end_ms"),
    Index("performance_by_time", "end_ms", "model"),
)  # fmt: skip

performance_course = Table(
    "performance_course", metadata,
    Column("model", Text, primary_key=True),
    Column("estimated_ms", BigInteger, doc="performance is estimated of all windows that end by then"),
    Column("judged_ms", BigInteger, doc="all windows that end by then were ripe, and are judged"),
    Column("again_ms", BigInteger, doc="the first judged window that labels have changed since; none: none"),
)  # fmt: skip

performance_state = Table(
    "performance_state", metadata,
    Column("model", Text, primary_key=True),
    Column("end_ms", BigInteger, primary_key=True, doc="the state after all windows that end at or before this"),
    Column("state", LargeBinary, nullable=False),
)  # fmt: skip

performance_finding = Table(
    "performance_finding", metadata,
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("window", Text, primary_key=True),
    Column("end_ms", BigInteger, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("start_ms", BigInteger, nullable=False),
    Column("value", Double),
    Column("limit", Double),
    Column("n", BigInteger, nullable=False, doc="labelled predictions"),
    Column("m", BigInteger, nullable=False, doc="what they are compared with"),
    Column("verdict", Text, nullable=False),
    Column("reason", Text),
    Index("performance_finding_by_end", "model", "end_ms"),
)  # fmt: skip

feedback_candidate = Table(
    "feedback_candidate", metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("start_ms", BigInteger, nullable=False, doc="of its pane"),
    Column("ts_ms", BigInteger, nullable=False),
    Column("id", BigInteger, nullable=False, doc="hash of the inference id"),
    Column("inference_id", Text, nullable=False),
    Column("features", JSONB, nullable=False),
    Column("features_left_out", Boolean, nullable=False, server_default=text("false"), doc="since they were too large"),
    Column("answer", JSONB, nullable=False),
    Index("feedback_candidate_by_pane", "model", "start_ms", "topic", "partition"),
    Index("feedback_candidate_by_hash", "model", text("(id < 0)"), "id", "start_ms"),
)  # fmt: skip

feedback_course = Table(
    "feedback_course", metadata,
    Column("model", Text, primary_key=True),
    Column("chosen_ms", BigInteger, nullable=False, doc="of all panes that start before, rows to label are chosen"),
)  # fmt: skip

feedback = Table(
    "feedback", metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("window", Text, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, doc="uncertain, surprising or random"),
    Column("inference_id", Text, nullable=False),
    Column("ts_ms", BigInteger, nullable=False),
    Column("features", JSONB, nullable=False),
    Column("features_left_out", Boolean, nullable=False, server_default=text("false"), doc="since they were too large"),
    Column("answer", JSONB, nullable=False),
    Column("value", Double, doc="how uncertain or surprising it is; larger is more"),
    Column("why", Text, nullable=False),
    Column("chosen_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("sent_at", DateTime(timezone=True), doc="when the feedback topic had it; none: not yet"),
    Column("refused_at", DateTime(timezone=True), doc="when it was too large for the feedback topic"),
    UniqueConstraint("model", "inference_id", name="feedback_once"),
    Index("feedback_by_end", "model", "end_ms"),
    Index("feedback_unsent", "id", postgresql_where=text("sent_at IS NULL AND refused_at IS NULL")),
)  # fmt: skip

retraining = Table(
    "retraining", metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("alert_id", Text, nullable=False),
    Column("incident", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False, doc="event time at which the drift began as far as is known"),
    Column("at_ms", BigInteger, nullable=False, doc="event time of the advice"),
    Column("summary", Text, nullable=False),
    Column("spans", JSONB, nullable=False, doc="of event time that are good to train on"),
    Column("labels", BigInteger, nullable=False, doc="labelled predictions in them"),
    Column("ready_ms", BigInteger, doc="from when on there may be such a span, where there is none yet"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("sent_at", DateTime(timezone=True), doc="when the feedback topic had it; none: not yet"),
    Column("refused_at", DateTime(timezone=True), doc="when it was too large for the feedback topic"),
    Index("retraining_by_model", "model", "id"),
    Index("retraining_unsent", "id", postgresql_where=text("sent_at IS NULL AND refused_at IS NULL")),
)  # fmt: skip

dead_letter = Table(
    "dead_letter", metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("timestamp_ms", BigInteger, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False, doc="the first 4 KiB"),
    Column("size", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("replayed_at", DateTime(timezone=True), doc="when it was written to the log again"),
    UniqueConstraint("topic", "partition", "offset", name="dead_letter_place"),
    Index("dead_letter_by_time", "seen_at"),
    Index("dead_letter_by_reason", "topic", "reason", "id"),
)  # fmt: skip

gap = Table(
    "gap", metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True, doc="the first offset that is missing, or was taken back"),
    Column("kind", Text, primary_key=True, doc="lost or truncated"),
    Column("records", BigInteger, nullable=False),
    Column("from_ms", BigInteger, doc="event time from which windows may miss rows; none: since ever"),
    Column("until_ms", BigInteger, doc="event time up to which; none: not known yet, so all later ones"),
    Column("noted_at", DateTime(timezone=True), nullable=False, server_default=_now),
)  # fmt: skip

api_key = Table(
    "api_key", metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, doc="SHA-256 of the secret"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
)  # fmt: skip

login = Table(
    "login", metadata,
    Column("token_hash", LargeBinary, primary_key=True, doc="SHA-256 of the cookie"),
    Column("key_id", Text, ForeignKey("api_key.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)  # fmt: skip

window_result = Table(
    "window_result", metadata,
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("window", Text, primary_key=True),
    Column("end_ms", BigInteger, primary_key=True),
    Column("start_ms", BigInteger, nullable=False),
    Column("inferences", BigInteger, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, doc="raised each time that late rows restate the window"),
    Column("incomplete", Boolean, nullable=False, doc="records of its time were lost"),
    Column("reference_name", Text),
    Column("computed_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("window_result_by_end", "model", "end_ms"),
    Index("window_result_by_time", "end_ms", "model"),
    postgresql_partition_by="RANGE (end_ms)",
)  # fmt: skip

finding = Table(
    "finding", metadata,
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("window", Text, primary_key=True),
    Column("end_ms", BigInteger, primary_key=True),
    Column("role", Text, primary_key=True, doc="feature, prediction, ...; '' for the whole slice"),
    Column("feature", Text, primary_key=True, doc="the column's name; '' for the whole slice"),
    Column("method", Text, primary_key=True),
    Column("start_ms", BigInteger, nullable=False),
    Column("value", Double),
    Column("limit", Double),
    Column("p_value", Double),
    Column("n", BigInteger, nullable=False),
    Column("m", BigInteger, nullable=False),
    Column("resolution", Double, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text),
    Column("revision", Integer, nullable=False),
    Index("finding_by_end", "model", "end_ms"),
    Index("finding_by_time", "end_ms", "model"),
    postgresql_partition_by="RANGE (end_ms)",
)  # fmt: skip

window_score = Table(
    "window_score", metadata,
    Column("model", Text, primary_key=True),
    Column("window", Text, primary_key=True),
    Column("end_ms", BigInteger, primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("start_ms", BigInteger, nullable=False),
    Column("inferences", BigInteger, nullable=False, doc="0 where it is said of all versions together"),
    Column("labels", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("incomplete", Boolean, nullable=False),
    Column("columns_id", LargeBinary, nullable=False, doc="which columns, in their order"),
    Column("ratios", ARRAY(REAL), nullable=False, doc="of each column the worst value by its limit; none: no score"),
    Column("worst", REAL, doc="of all columns; a ratio is above 1 exactly where a verdict is drift"),
    postgresql_partition_by="RANGE (end_ms)",
)  # fmt: skip

score_columns = Table(
    "score_columns", metadata,
    Column("model", Text, primary_key=True),
    Column("id", LargeBinary, primary_key=True, doc="a digest of what follows"),
    Column("roles", ARRAY(Text), nullable=False),
    Column("names", ARRAY(Text), nullable=False, doc="'' with the role '': the whole slice"),
    Column("last_end_ms", BigInteger, nullable=False, doc="no later window has these columns"),
)  # fmt: skip

evaluation = Table(
    "evaluation", metadata,
    Column("model", Text, primary_key=True),
    Column("position_ms", BigInteger, doc="all windows that end at or before this are evaluated"),
    Column("token", Uuid, doc="the lease: who may write results of this model"),
    Column("owner", Text),
    Column("expires_at", DateTime(timezone=True)),
)  # fmt: skip

fold_state = Table(
    "fold_state", metadata,
    Column("model", Text, primary_key=True),
    Column("end_ms", BigInteger, primary_key=True, doc="the state after all windows that end at or before this"),
    Column("state", LargeBinary, nullable=False),
)  # fmt: skip

alert = Table(
    "alert", metadata,
    Column("id", Text, primary_key=True),
    Column("incident", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("window", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("feature", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False, doc="event time at which the present state was known"),
    Column("summary", Text, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("consequence", Boolean, nullable=False, server_default=text("false"), doc="follows from another alert"),
    Column("confidence", Double, doc="of the diagnosis, 0 to 1"),
    Column("evidence", JSONB(none_as_null=True), doc="what the diagnosis rests on: names to numbers and texts"),
    Column("fired_ms", BigInteger, doc="event time at which it fired first; none: it was only pending"),
    Index("alert_by_model", "model", "state"),
    Index("alert_by_time", "at_ms"),
    Index("alert_by_incident", "incident"),
    Index("alert_by_since", "since_ms", "incident"),
    Index("alert_by_update", "updated_at"),
    Index("alert_open", "model", "incident", postgresql_where=text("state IN ('pending', 'firing')")),
)  # fmt: skip

incident_mark = Table(
    "incident_mark", metadata,
    Column("id", BigInteger, Identity(), primary_key=True, doc="of several marks of an incident the last one holds"),
    Column("incident", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("verdict", Text, nullable=False, doc="false_alarm, true_alarm or expected"),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("marked_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("incident_mark_by_incident", "incident", "id"),
)  # fmt: skip

incident_word = Table(
    "incident_word", metadata,
    Column("id", BigInteger, Identity(), primary_key=True, doc="of several words of a kind the last one holds"),
    Column("incident", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("word", Text, nullable=False, doc="acknowledged, released, silenced, expected, ended or accepted"),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("said_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("until_at", DateTime(timezone=True), doc="of a silence; none: until somebody ends it"),
    Column("covers", JSONB, nullable=False, server_default=text("'[]'"), doc="what is silent; none: it all"),
    Column("reference_name", Text, doc="that of what was expected: it ends with another reference"),
    Column("ends", BigInteger, ForeignKey("incident_word.id"), doc="the silence that this one ends"),
    Index("incident_word_by_incident", "incident", "id"),
    Index("incident_word_by_ended", "ends"),
)  # fmt: skip

alertmanager = Table(
    "alertmanager", metadata,
    Column("name", Text, primary_key=True, doc="its host, port and path"),
    Column("reached_at", DateTime(timezone=True), doc="when it last took what it was sent"),
    Column("failing_since", DateTime(timezone=True), doc="none: it works"),
    Column("trouble", Text, doc="what went wrong last"),
)  # fmt: skip

alertmanager_alert = Table(
    "alertmanager_alert", metadata,
    Column("alertmanager", Text, primary_key=True),
    Column("incident", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True, doc="of its labels"),
    Column("labels", JSONB, nullable=False, doc="as they were sent: what is over is told by the same"),
    Column("since_ms", BigInteger, nullable=False),
)  # fmt: skip

alertmanager_silence = Table(
    "alertmanager_silence", metadata,
    Column("alertmanager", Text, primary_key=True),
    Column("id", Text, primary_key=True, doc="as the Alertmanager names it"),
    Column("incident", Text, primary_key=True, doc="that it silences"),
    Column("word", BigInteger, ForeignKey("incident_word.id"), doc="the silence of ours that it is; none: theirs"),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("until_at", DateTime(timezone=True), nullable=False),
    Index("alertmanager_silence_by_incident", "incident"),
)  # fmt: skip

reference_acceptance = Table(
    "reference_acceptance", metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, ForeignKey("reference.name"), doc="in force from then on; none: no reference any more"),
    Column("model", Text, nullable=False),
    Column("from_ms", BigInteger, doc="event time of its first pane; none: back to one that was there before"),
    Column("to_ms", BigInteger, doc="where its last pane ends"),
    Column("rows", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("accepted_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("replaces", Text, ForeignKey("reference.name"), doc="the reference before; none: there was none"),
    Index("reference_acceptance_by_model", "model", "id"),
)  # fmt: skip

outbox = Table(
    "outbox", metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("alert_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("delivered_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("held_at", DateTime(timezone=True), doc="since when a silence keeps it from being sent"),
    Index("outbox_waiting", "id", postgresql_where=text("delivered_at IS NULL")),
    Index("outbox_by_alert", "alert_id", "id"),
)  # fmt: skip
