"""The proxy does to a connection what it is told to, and nothing else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from service.embedded import EmbeddedPostgres
from tests.faults.fragile_postgres import socket_of
from tests.faults.postgres_wire import Commits
from tests.faults.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that says back what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(65_536):
                    client.sendall(data)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.fixture
def proxy(echo: tuple[str, int]) -> Iterator[Proxy]:
    with Proxy(lambda: echo) as made:
        yield made


def opened(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def said_back(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    heard = b""
    while len(heard) < len(data):
        heard += client.recv(65_536)
    return heard


def test_bytes_pass_unchanged(proxy: Proxy) -> None:
    data = bytes(range(256)) * 4_000
    with opened(proxy) as client:
        assert said_back(client, data) == data


def test_a_delay_is_that_of_one_reply_however_long(proxy: Proxy) -> None:
    with opened(proxy) as client, proxy.delaying(0.5):
        started = time.monotonic()
        said_back(client, b"x" * 1_000_000)
        assert 0.5 <= time.monotonic() - started < 5


def test_a_reset_is_no_orderly_end(proxy: Proxy) -> None:
    with opened(proxy) as client:
        said_back(client, b"hello")
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with opened(proxy) as client:
        assert said_back(client, b"again") == b"again"


def test_nobody_listens_while_it_refuses(proxy: Proxy) -> None:
    with opened(proxy) as client:
        said_back(client, b"hello")
        with proxy.refusing():
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            with pytest.raises(ConnectionRefusedError):
                opened(proxy)
    with opened(proxy) as client:
        assert said_back(client, b"again") == b"again"


def test_what_is_swallowed_is_gone_and_so_is_its_connection(proxy: Proxy) -> None:
    with opened(proxy) as client, opened(proxy) as silent:
        said_back(client, b"before")
        said_back(silent, b"before")
        with proxy.swallowing():
            client.sendall(b"lost")
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(1)
        client.settimeout(10)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert said_back(silent, b"after") == b"after"


def test_a_reply_breaks_off_after_so_many_bytes(proxy: Proxy) -> None:
    proxy.cut_after_bytes = 10
    with opened(proxy) as client:
        assert said_back(client, b"x" * 10) == b"x" * 10
        with pytest.raises(ConnectionResetError):
            said_back(client, b"y")


@pytest.mark.postgres
def test_only_the_reply_to_the_chosen_commit_is_lost(
    database: str, postgres_server: EmbeddedPostgres
) -> None:
    """What it committed stays; transactions that say something else are left alone, prepared statements are known."""
    plan = Commits(b"INSERT INTO kept")
    with Proxy(lambda: socket_of(postgres_server.url), plan.watcher) as proxy:
        url = f"postgresql://postgres@{proxy.address}/{conninfo_to_dict(database)['dbname']}"
        with psycopg.connect(url, prepare_threshold=1) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.commit()
            assert not plan.under_way.is_set()
            for n in (1, 2):
                connection.execute("INSERT INTO kept VALUES (%s)", (n,))
                connection.commit()
            assert plan.under_way.is_set()
            plan.to_lose = 1
            connection.execute("SELECT count(*) FROM kept")
            connection.commit()
            connection.execute("INSERT INTO kept VALUES (%s)", (3,))
            with pytest.raises(psycopg.OperationalError):
                connection.commit()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT array_agg(n) FROM kept").fetchall() == [([1, 2, 3],)]
    assert (plan.lost, plan.to_lose) == (1, 0)
