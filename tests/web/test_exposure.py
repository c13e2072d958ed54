"""Who is answered when nobody has said so: never a stranger by accident."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.settings import Auth, load_settings
from service.web.exposure import auth_for, hosts_for, is_loopback
from service.web.security import LOOPBACK_HOSTS

HERE = ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost"]
ELSEWHERE = ["0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "driftbell.example.com", "localhost.example.com", ""]


def decided(asked: Auth | None, host: str, *, any_key: bool) -> Auth | None:
    """None where the start is refused."""
    try:
        return auth_for(asked, host, lambda: any_key)
    except ConfigurationError:
        return None


@pytest.mark.parametrize("host", HERE)
def test_loopback_addresses_are_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_all_others_are_not(host: str) -> None:
    assert not is_loopback(host)


#           asked      here, no key  here, keys  elsewhere, no key  elsewhere, keys
DECISIONS = [
    (None,      [Auth.OPEN, Auth.KEYS, None, Auth.KEYS]),
    (Auth.KEYS, [Auth.KEYS, Auth.KEYS, Auth.KEYS, Auth.KEYS]),
    (Auth.OPEN, [Auth.OPEN, Auth.OPEN, Auth.OPEN, Auth.OPEN]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), DECISIONS)
def test_the_decision_is_the_safe_one_unless_told_otherwise(
    asked: Auth | None, expected: list[Auth | None]
) -> None:
    for here in HERE:
        found = [decided(asked, here, any_key=any_key) for any_key in (False, True)]
        assert found == expected[:2]
    for there in ELSEWHERE:
        found = [decided(asked, there, any_key=any_key) for any_key in (False, True)]
        assert found == expected[2:]


def test_a_refused_start_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError) as refused:
        auth_for(None, "0.0.0.0", lambda: False)
    for way_out in ("driftbell keys create", "DRIFTBELL_AUTH=keys", "DRIFTBELL_AUTH=open"):
        assert way_out in refused.value.problems[0]


def test_answering_everybody_elsewhere_is_said_loudly(caplog: pytest.LogCaptureFixture) -> None:
    auth_for(Auth.OPEN, "127.0.0.1", lambda: False)
    assert not caplog.records
    auth_for(Auth.OPEN, "0.0.0.0", lambda: False)
    assert "whoever reaches it reads everything" in caplog.text


def test_answering_nobody_for_want_of_keys_is_said(caplog: pytest.LogCaptureFixture) -> None:
    auth_for(Auth.KEYS, "0.0.0.0", lambda: False)
    assert "driftbell keys create" in caplog.text


def test_a_loopback_address_answers_to_its_own_names_unless_told_otherwise() -> None:
    assert hosts_for("127.0.0.1", ()) == LOOPBACK_HOSTS
    assert hosts_for("0.0.0.0", ()) == ()
    assert hosts_for("127.0.0.1", ("a.example.com",)) == ("a.example.com",)


# ---------------------------------------------------------------- settings
def test_what_the_web_is_told_reaches_it() -> None:
    web = load_settings({
        "DRIFTBELL_AUTH": "KEYS",
        "DRIFTBELL_ALLOWED_HOSTS": "a.example.com, *.example.org,[::1]",
        "DRIFTBELL_REQUESTS_PER_MINUTE": "60",
        "DRIFTBELL_METRICS_TOKEN": "sixteen-or-longer",
        "DRIFTBELL_TRUSTED_PROXIES": "10.0.0.0/8,::1",
    }).web  # fmt: skip
    assert web.auth is Auth.KEYS
    assert web.allowed_hosts == ("a.example.com", "*.example.org", "[::1]")
    assert (web.requests_per_minute, web.metrics_token) == (60, "sixteen-or-longer")
    assert web.trusted_proxies == ("10.0.0.0/8", "::1")
    assert "sixteen-or-longer" not in repr(web)


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("AUTH", "opne", "did you mean 'open'?"),
        ("ALLOWED_HOSTS", "http://a.example.com", "write host names without ports"),
        ("ALLOWED_HOSTS", "a.example.com:80", "write host names without ports"),
        ("ALLOWED_HOSTS", "*", "write host names without ports"),
        ("METRICS_TOKEN", "short", "write 16 to 200 characters without spaces"),
        ("TRUSTED_PROXIES", "*", "write addresses such as 10.0.0.7 or 10.0.0.0/8"),
        ("REQUESTS_PER_MINUTE", "0", "write a whole number from 1 to 10000000"),
    ],
)
def test_a_wrong_setting_is_told_what_to_write(name: str, text: str, advice: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings({f"DRIFTBELL_{name}": text})
    assert advice in refused.value.problems[0]
    assert name != "METRICS_TOKEN" or text not in refused.value.problems[0]
