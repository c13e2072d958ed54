"""A TCP proxy on loopback that delays, swallows, resets and refuses on command: a bad network, made to order.

It runs in a thread of its own. What is said below of a reply is true of all bytes that the server sends.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from tests.flow.stack import free_port

Address = tuple[str, int] | str
"""A host and a port, or the path of a Unix socket."""
CHUNK_BYTES = 64 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
GIVE_UP_SECONDS = 10.0
Result = TypeVar("Result")


class Verdict(Enum):
    """What becomes of a piece of a reply."""

    PASS = "pass"
    DROP = "drop"
    CUT = "cut"


class Watcher(Protocol):
    """Reads along on one connection, and may cut it."""

    def asked(self, data: bytes) -> None:
        """The client sent this; it goes to the server whatever is thought of it."""

    def answered(self, data: bytes) -> Verdict:
        """What to do with this from the server; at CUT it is dropped and the connection cut."""


class Silent:
    """Watches nothing."""

    def asked(self, data: bytes) -> None:
        pass

    def answered(self, data: bytes) -> Verdict:  # noqa: ARG002
        return Verdict.PASS


@dataclass(eq=False)
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    watcher: Watcher
    answered_bytes: int = 0
    swallowed: bool = False

    def cut(self) -> None:
        """Both sides see a reset, not an orderly end."""
        for writer in (self.client, self.server):
            there = writer.get_extra_info("socket")
            if there.family != socket.AF_UNIX:
                with suppress(OSError):
                    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort()


@dataclass
class Proxy:
    """Stands before a server, whose address is asked for at each connection: it may come back elsewhere."""

    upstream: Callable[[], Address]
    watch: Callable[[], Watcher] = Silent
    port: int = field(default_factory=free_port)
    delay_seconds: float = 0.0
    cut_after_bytes: int | None = None
    """Each connection is cut when so many bytes of replies have gone through."""
    opened: int = 0
    """Connections that were made to us, ever."""
    _swallowing: bool = False
    _live: set[_Connection] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join(GIVE_UP_SECONDS)
        self._loop.close()

    @property
    def address(self) -> str:
        """What a client is given, host:port."""
        return f"127.0.0.1:{self.port}"

    def reset(self) -> int:
        """Cut every connection; gives their number."""
        return self._do(self._cut_all())

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens, and who was connected is cut off."""
        self._do(self._refuse())
        try:
            yield
        finally:
            self._do(self._listen())

    @contextmanager
    def swallowing(self) -> Iterator[None]:
        """Connections can be made and stand, but no byte arrives; in the end those that lost some are cut."""
        self._swallowing = True
        try:
            yield
        finally:
            self._swallowing = False
            self._do(self._cut_all(lambda connection: connection.swallowed))

    @contextmanager
    def delaying(self, seconds: float) -> Iterator[None]:
        """Every reply comes so much later."""
        self.delay_seconds = seconds
        try:
            yield
        finally:
            self.delay_seconds = 0.0

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(GIVE_UP_SECONDS)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut_all()

    async def _end(self) -> None:
        await self._refuse()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _cut_all(self, which: Callable[[_Connection], bool] = lambda _: True) -> int:
        chosen = [connection for connection in self._live if which(connection)]
        for connection in chosen:
            connection.cut()
        return len(chosen)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            answers, server = await _connect(self.upstream())
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, server, self.watch())
        self._live.add(connection)
        pumps = [
            asyncio.create_task(self._carry_questions(connection, reader)),
            asyncio.create_task(self._carry_answers(connection, answers)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self._live.discard(connection)
        for side in (writer, server):
            side.close()

    async def _carry_questions(self, connection: _Connection, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if self._swallowing:
                connection.swallowed = True
                continue
            connection.watcher.asked(data)
            connection.server.write(data)
            await connection.server.drain()

    async def _carry_answers(self, connection: _Connection, reader: asyncio.StreamReader) -> None:
        """Late ones are late as a whole: a long reply takes no longer than a short one."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        hand_over = asyncio.create_task(self._hand_over(connection, waiting))
        try:
            while data := await reader.read(CHUNK_BYTES):
                verdict = self._judge(connection, data)
                if verdict is Verdict.CUT:
                    connection.cut()
                    return
                if verdict is Verdict.PASS:
                    waiting.put_nowait((self._loop.time() + self.delay_seconds, data))
            await waiting.join()
        finally:
            hand_over.cancel()

    def _judge(self, connection: _Connection, data: bytes) -> Verdict:
        if self._swallowing:
            connection.swallowed = True
            return Verdict.DROP
        connection.answered_bytes += len(data)
        if self.cut_after_bytes is not None and connection.answered_bytes > self.cut_after_bytes:
            return Verdict.CUT
        return connection.watcher.answered(data)

    async def _hand_over(self, connection: _Connection, waiting: asyncio.Queue[tuple[float, bytes]]) -> None:
        while True:
            due, data = await waiting.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            with suppress(ConnectionError):
                connection.client.write(data)
                await connection.client.drain()
            waiting.task_done()


async def _connect(upstream: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(upstream, str):
        return await asyncio.open_unix_connection(upstream)
    return await asyncio.open_connection(*upstream)
