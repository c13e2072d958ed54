"""One record is one line, whatever is in it, and no secret is."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator

import pytest

from service.log_lines import JsonLines, TextLines, hidden_texts, set_up_logging
from service.settings import load_settings

ATTACKS = [
    "a\r\n2026-11-22 05:12:01,123 CRITICAL service: forged",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31mred",
    "\x7f\x08\x08\x00",
    "\u202egnp.exe\u2066",
    "\u2028\u2029\x85\x0b\x0c",
    "\ud800",
]
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
SECRETS = {
    "DRIFTBELL_DATABASE_URL": "postgresql://me:p%40ss-word@localhost/x",
    "DRIFTBELL_DATABASE_PASSWORD": "other-password",
    "DRIFTBELL_ALERT_WEBHOOK_URL": "https://hooks.example.com/services/T0/sesame",
    "DRIFTBELL_ALERTMANAGER_URL": "https://a:first-one@am-1,https://b:second-one@am-2/behind/it",
}


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)


def logged(monkeypatch: pytest.MonkeyPatch, form: str, **variables: str) -> io.StringIO:
    """What goes to standard error from now on."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up_logging(load_settings({"DRIFTBELL_LOG_FORMAT": form, **variables}))
    return stream


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_name_breaks_forges_or_colours_a_line(
    monkeypatch: pytest.MonkeyPatch, form: str, attack: str
) -> None:
    stream = logged(monkeypatch, form)
    logging.getLogger("x").warning("the model %s is silent", attack)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert CONTROL.findall(text) == []
    assert "the model " in text


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_traceback_stays_below_its_record(monkeypatch: pytest.MonkeyPatch, attack: str) -> None:
    stream = logged(monkeypatch, "text")
    try:
        raise ValueError(attack)
    except ValueError:
        logging.getLogger("x").exception("oh")
    first, *rest = stream.getvalue().rstrip("\n").split("\n")
    assert first.endswith("x: oh")
    assert all(line.startswith("    ") for line in rest)
    assert CONTROL.findall(stream.getvalue()) == []


def test_a_traceback_is_part_of_the_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = logged(monkeypatch, "json")
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("x").exception("oh")
    line = json.loads(stream.getvalue())
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "x", "oh")
    assert line["traceback"].splitlines()[-1] == "ValueError: no"


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "said",
    [
        *(one for several in SECRETS.values() for one in several.split(",")),
        "p@ss-word",
        "p%40ss-word",
        "/services/T0/sesame",
        "first-one",
        "second-one",
        "/behind/it",
    ],
)
def test_no_line_shows_a_secret_or_the_part_of_one(
    monkeypatch: pytest.MonkeyPatch, form: str, said: str
) -> None:
    stream = logged(monkeypatch, form, **SECRETS)
    try:
        raise ValueError(f"cannot use {said}!")
    except ValueError:
        logging.getLogger("x").exception("refused: %s.", said)
    text = stream.getvalue()
    assert said not in text
    assert text.count("refused: ***.") == 1
    assert "cannot use ***!" in text


def test_a_short_secret_does_not_hide_the_log() -> None:
    assert hidden_texts(load_settings({"DRIFTBELL_DATABASE_PASSWORD": "e"})) == []


def test_an_error_that_nobody_foresaw_is_a_record_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = logged(monkeypatch, "json", **SECRETS)
    try:
        raise RuntimeError("with other-password in it")
    except RuntimeError:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    line = json.loads(stream.getvalue())
    assert line["level"] == "CRITICAL"
    assert line["traceback"].endswith("RuntimeError: with *** in it")


def test_what_is_insecure_and_allowed_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = {"DRIFTBELL_ALLOW_INSECURE": "true", "DRIFTBELL_LOG_LEVEL": "error"}
    url = {"DRIFTBELL_DATABASE_URL": "postgresql://db/x"}
    said = logged(monkeypatch, "text", **allowed, **url).getvalue()
    assert "INSECURE, and allowed by DRIFTBELL_ALLOW_INSECURE: DRIFTBELL_DATABASE_URL reaches db" in said


@pytest.mark.parametrize("name", ["kafka.conn", "sqlalchemy.engine", "alembic.runtime", "httpx"])
def test_libraries_do_not_tell_their_configuration_at_debug(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    stream = logged(monkeypatch, "text", DRIFTBELL_LOG_LEVEL="debug")
    logging.getLogger(name).debug("config: password=x")
    logging.getLogger("service").debug("ours")
    assert [line.split(": ", 1)[1] for line in stream.getvalue().splitlines()] == ["ours"]


def test_the_formatters_need_no_settings() -> None:
    record = logging.makeLogRecord({"msg": "a\nb", "name": "x", "levelname": "INFO", "levelno": 20})
    assert TextLines().format(record).endswith(r"x: a\nb")
    assert json.loads(JsonLines().format(record))["message"] == r"a\nb"
