"""One real Apache Kafka 4 broker (KRaft, no ZooKeeper) in a folder of its own.

Its jars come through Maven into a cache that all checkouts of this user share.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.processes import (
    CannotStart,
    bound_to_parent,
    is_running,
    last_line,
    launch,
    read_pid,
    stop,
    wait_until,
)

VERSION = "4.3.1"

_POM = Path(__file__).with_name("pom.xml")
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_START_SECONDS = 60.0
_READY = b"Kafka Server started"
_JAVA_AT_LEAST = 17


@dataclass(frozen=True, slots=True)
class KafkaServer:
    """A running broker."""

    folder: Path
    port: int
    pid: int

    @property
    def bootstrap(self) -> str:
        """What clients are given: host and port."""
        return f"127.0.0.1:{self.port}"


def start_kafka(folder: Path, *, port: int | None = None, with_parent: bool = False) -> KafkaServer:
    """Start the broker whose log lies in `folder`, making it at first; one that runs is kept.

    A broker comes back on its ports, so clients find it again; `port` counts at first start only.
    `with_parent` ends the broker with this process. Raises CannotStart.
    """
    folder = folder.absolute()
    running = find_kafka(folder)
    if running is not None:
        return running
    java, jars = find_java(), jar_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "server.properties").exists():
        _format(folder, port or free_port(), java=java, jars=jars)
    return _start(folder, java=java, jars=jars, with_parent=with_parent)


def find_kafka(folder: Path) -> KafkaServer | None:
    """Return the broker that runs in `folder`, if one does."""
    folder = folder.absolute()
    pid = read_pid(folder / "kafka.pid")
    if pid is None or not is_running(pid, "kafka.Kafka", str(folder)):
        return None
    return KafkaServer(folder, _port(folder), pid)


def stop_kafka(folder: Path) -> bool:
    """Stop the broker in `folder` in good order; tell whether one ran."""
    running = find_kafka(folder)
    if running is None:
        return False
    stop(running.pid)
    (running.folder / "kafka.pid").unlink(missing_ok=True)
    return True


def find_java() -> str:
    """Return the `java` to use; raises CannotStart where there is none that Kafka 4 runs on."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else None
    java = java or shutil.which("java")
    if java is None:
        raise CannotStart(f"Kafka needs Java {_JAVA_AT_LEAST}: no java on this machine")
    done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr)
    if found is None or int(found[1]) < _JAVA_AT_LEAST:
        raise CannotStart(f"Kafka needs Java {_JAVA_AT_LEAST}: {java} is {last_word(done.stderr)}")
    return java


def jar_folder() -> Path:
    """Return the folder of the broker's jars, fetched by Maven at first; raises CannotStart."""
    base = os.environ.get("XDG_CACHE_HOME")
    cache = (Path(base) if base else Path.home() / ".cache") / "redress"
    jars = cache / f"kafka-{VERSION}"
    if jars.exists():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        raise CannotStart("Kafka's jars are fetched by Maven: no mvn on this machine")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        fetched = Path(scratch) / "jars"
        command = [maven, "-q", "-B", "-f", str(_POM), _COPY, f"-DoutputDirectory={fetched}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stdout.splitlines() if "ERROR" in line] or ["?"]
            raise CannotStart(f"Maven cannot fetch Kafka's jars: {errors[0]}")
        try:
            fetched.rename(jars)
        except OSError:
            # Another process was faster; what it brought is the same.
            if not jars.exists():
                raise
    return jars


def last_word(text: str) -> str:
    """Return the first line of a program's answer, for an error message."""
    return (text.strip().splitlines() or ["silent"])[0]


def _format(folder: Path, port: int, *, java: str, jars: Path) -> None:
    properties = folder / "server.properties.new"
    properties.write_text(_properties(folder, port, controller_port=free_port()))
    cluster = urlsafe_b64encode(uuid.UUID(bytes=secrets.token_bytes(16)).bytes).decode().rstrip("=")
    command = [java, "-cp", f"{jars}/*", "kafka.tools.StorageTool", "format"]
    # An id may begin with a dash, which the tool would read as an option.
    command += [f"--cluster-id={cluster}", "-c", str(properties), "--ignore-formatted"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotStart(f"Kafka's folder cannot be set up: {last_word(done.stderr)}")
    properties.rename(folder / "server.properties")


def _properties(folder: Path, port: int, *, controller_port: int) -> str:
    """Return the broker's settings; each that differs from the defaults has its reason."""
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/log
# There is one broker.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# A group of one process need not wait for others to join.
group.initial.rebalance.delay.ms=0
# With the default a killed broker is away for 13 seconds after its restart.
broker.session.timeout.ms=2000
# Topics are made by `migrate`, never by a misspelt name.
auto.create.topics.enable=false
"""


def _start(folder: Path, *, java: str, jars: Path, with_parent: bool) -> KafkaServer:
    log = folder / "kafka.log"
    begins = log.stat().st_size if log.exists() else 0
    parent = bound_to_parent("KILL") if with_parent else []
    command = [*parent, java, "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC"]
    # The second compiler takes more of two cores in the first minutes than its code gives back.
    command += ["-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
    command += ["-Dorg.slf4j.simpleLogger.showDateTime=true", "kafka.Kafka"]
    process = launch([*command, str(folder / "server.properties")], log=log)
    (folder / "kafka.pid").write_text(f"{process.pid}\n")

    def settled() -> bool:
        return process.poll() is not None or _says_ready(log, begins)

    if not wait_until(settled, seconds=_START_SECONDS) or process.poll() is not None:
        process.kill()
        raise CannotStart(f"Kafka does not start: {last_line(log)}")
    return KafkaServer(folder, _port(folder), process.pid)


def _says_ready(log: Path, begins: int) -> bool:
    with log.open("rb") as file:
        file.seek(begins)
        return _READY in file.read()


def _port(folder: Path) -> int:
    text = (folder / "server.properties").read_text()
    found = re.search(r"^advertised\.listeners=\w+://[^:]+:(\d+)$", text, re.MULTILINE)
    if found is None:
        raise CannotStart(f"{folder}/server.properties names no address")
    return int(found[1])
