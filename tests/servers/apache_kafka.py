"""A real Apache Kafka of one node (broker and controller in one), run from its jars with the machine's Java.

`python -m tests.servers.apache_kafka fetch` resolves the jars with Maven ahead of the tests.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Self

from service.embedded.broker import answers, free_port
from service.embedded.kept import KeptProcess
from service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).parents[2] / ".cache" / "kafka"
INSTALL = "apt-get install -y default-jre-headless maven && python -m tests.servers.apache_kafka fetch"
FETCH_SECONDS = 600
START_SECONDS = 60.0
JAVA_OPTIONS = (
    *("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{inner_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{proxy_port},CONTROLLER://127.0.0.1:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes=16777216
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.initial.task.delay.ms=500
file.delete.delay.ms=500
"""


class ApacheKafka:
    """The broker, its data and its log in `folder`; gone with the process that started it.

    Who connects to `inner_port` is sent on to `proxy_port`, where a test may put a proxy before it.
    `more_settings` are added to the broker's own, or stand in for them; `users` are names with SCRAM passwords.
    """

    def __init__(
        self,
        folder: Path,
        cache: Path = CACHE,
        *,
        proxy_port: int | None = None,
        more_settings: str = "",
        users: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder.resolve()
        self._cache = cache
        self._more_settings = more_settings
        self._users = dict(users or {})
        self._server: KeptProcess | None = None
        self.port = free_port()
        self.inner_port = free_port()
        self._proxy_port = proxy_port or self.inner_port

    @property
    def bootstrap_servers(self) -> str:
        """What a client is given."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        jars = find_or_fetch(self._cache)
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = self._folder / "server.properties"
        settings.write_text(
            (SETTINGS + self._more_settings).format(
                port=self.port,
                inner_port=self.inner_port,
                proxy_port=self._proxy_port,
                controller_port=free_port(),
                logs=self._folder / "kafka-logs",
            )
        )
        java = ["java", *JAVA_OPTIONS, "-cp", f"{jars}/*"]
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        arguments = ["format", "--standalone", "--cluster-id", cluster, "--config", str(settings)]
        for name, password in self._users.items():
            arguments += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        subprocess.run([*java, "kafka.tools.StorageTool", *arguments], check=True, capture_output=True)
        self._server = KeptProcess(
            [*java, "kafka.Kafka", str(settings)],
            self._folder / "kafka.log",
            stop_signal=signal.SIGKILL,  # nothing in it is worth a clean shutdown, which takes seconds
            grace_seconds=5.0,
        )
        self._server.wait_until(lambda: answers(self.port), START_SECONDS, "Apache Kafka")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


def has_java() -> bool:
    """Whether the machine can run a broker at all."""
    return shutil.which("java") is not None


def find_or_fetch(cache: Path) -> Path:
    """The folder of the broker's jars, resolved with Maven when they are not there yet."""
    jars = cache / "jars"
    stamp = cache / "pom.xml"
    if stamp.exists() and stamp.read_text() == POM.read_text():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        message = f"Apache Kafka's jars are not in {cache} and Maven is missing; get both with: {INSTALL}"
        raise ConfigurationError(message)
    shutil.rmtree(jars, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}", "-DincludeScope=runtime"]
    result = subprocess.run(
        [maven, "-q", "-B", "-f", str(POM), *goal],
        check=False,
        capture_output=True,
        text=True,
        timeout=FETCH_SECONDS,
    )
    if result.returncode != 0:
        message = f"Maven could not resolve Apache Kafka: {result.stdout[-500:].strip()}"
        raise ConfigurationError(message)
    shutil.copyfile(POM, stamp)
    return jars


if __name__ == "__main__":
    if sys.argv[1:] != ["fetch"]:
        sys.exit("usage: python -m tests.servers.apache_kafka fetch")
    sys.stdout.write(f"{find_or_fetch(CACHE)}\n")
