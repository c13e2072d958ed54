"""The visitor notices what a bad page does; else what it says of ours would be worth nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.servers.chromium import chromium, visit

pytestmark = pytest.mark.browser

POLICY = "default-src 'none'"
PAGES = {
    "/dialog": ("<script>alert(1)</script>", None, "dialog: 1"),
    "/error": ("<script>none.such()</script>", None, "script error: none is not defined"),
    "/inline": ("<script>window.struck=1</script>", POLICY, "CSP: script-src-elem inline"),
    "/handler": ("<img src=x onerror=window.struck=1>", POLICY, "CSP: "),
    "/elsewhere": ("<img src=http://127.0.0.2:9/x>", None, "request: http://127.0.0.2:9/x"),
}


@pytest.fixture(scope="module")
def bad_site() -> Iterator[str]:
    """A server of bad pages."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, policy, _ = PAGES.get(self.path, ("", None, ""))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            if policy:
                self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(f"<!doctype html><body>{body}".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_every_misdeed_is_noted(bad_site: str) -> None:
    with chromium() as browser:
        for path, (_, _, misdeed) in PAGES.items():
            with visit(browser) as visitor:
                visitor.open(bad_site + path)
                assert any(misdeed in noted for noted in visitor.misdeeds), (path, visitor.misdeeds)
        with visit(browser) as visitor:
            visitor.open(bad_site + "/well")
            assert visitor.misdeeds == []
