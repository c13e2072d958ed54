from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from deploy.alertmanager.receiver import Receiver

FIRING = (
    b'{"alerts": [{"status": "firing", "labels": {"alertname": "DriftbellDown"}, '
    b'"annotations": {"summary": "serve is\\ndown", "runbook_url": "https://example.org/x"}}]}'
)


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def post(url: str, body: bytes) -> int:
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=5) as answer:
        return int(answer.status)


def test_a_page_is_printed_on_one_line(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert post(f"{address}/page", FIRING) == 200
    assert capsys.readouterr().out == 'page FIRING DriftbellDown "serve is\\ndown" https://example.org/x\n'


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"alerts": [1]}', b"\xff"])
def test_what_is_not_a_message_of_alertmanager_is_refused(
    address: str, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(f"{address}/page", body)
    refused.value.close()
    assert refused.value.code == 400
    assert capsys.readouterr().out == ""
