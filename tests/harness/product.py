"""The product as its users run it: processes, spoken to over HTTP, and killed.

`Product.embedded` is one process; `Product.distributed` five on PostgreSQL and Kafka.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from deploy.local.ports import free_port
from shared.bus.kafka import KafkaBus
from shared.bus.local_log import LocalLog
from shared.bus.port import Record
from shared.events.complaints import ComplaintAmended
from shared.events.envelope import Envelope
from shared.http.route_table import service_of
from shared.kernel.ids import new_id
from shared.kernel.vault import new_master_key

# Tests run at every hour: whatever the clock says, messages go as by day.
_BY_DAY = {"REDRESS_QUIET_HOURS": "off"}

T = TypeVar("T")

SERVICES = ("intake", "workflow", "notification", "analytics")
READY_SECONDS = 60.0


class NotInTime(AssertionError):
    """What was waited for did not come true."""


@dataclass
class Product:
    """A running product. `urls` has one address per service; embedded, they are all the same."""

    home: Path
    environment: dict[str, str]
    ports: dict[str, int]
    urls: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def embedded(cls, home: Path, settings: Mapping[str, str] | None = None) -> Product:
        """Prepare one process with its data in `home`; call `start`."""
        port = free_port()
        environment = {"REDRESS_HOME": str(home), **_BY_DAY, **(settings or {})}
        url = f"http://127.0.0.1:{port}"
        return cls(home, environment, {"embedded": port}, dict.fromkeys(SERVICES, url))

    @classmethod
    def distributed(
        cls,
        home: Path,
        *,
        databases: Mapping[str, str],
        kafka: str,
        settings: Mapping[str, str] | None = None,
    ) -> Product:
        """Prepare five processes on PostgreSQL (a URL per service) and Kafka; call `start`."""
        names = ("intake", "intake-relay", "workflow", "notification", "analytics")
        ports = {name: free_port() for name in names}
        urls = {name: f"http://127.0.0.1:{ports[name]}" for name in SERVICES}
        environment = {"REDRESS_HOME": str(home), "REDRESS_KAFKA_BOOTSTRAP": kafka}
        for name, database in databases.items():
            environment[f"REDRESS_{name.upper()}_DATABASE_URL"] = database
            environment[f"REDRESS_{name.upper()}_MASTER_KEY"] = new_master_key()
        for name, url in urls.items():
            environment[f"REDRESS_{name.upper()}_URL"] = url
        environment |= {**_BY_DAY, **(settings or {})}
        return cls(home, environment, ports, urls)

    def __enter__(self) -> Product:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self, *, migrate: bool = True) -> Product:
        """Start every process that does not run, and wait until all are ready."""
        if migrate and "embedded" not in self.ports:
            self.migrate()
        for name in self.ports:
            if name not in self.processes:
                self.spawn(name)
        for name in self.ports:
            self.wait_ready(name)
        return self

    def migrate(self) -> None:
        """Bring the databases up to date."""
        command = [sys.executable, "-m", "services", "migrate"]
        subprocess.run(command, env=os.environ | self.environment, check=True, timeout=60)

    def add_replica(self, service: str, number: int) -> str:
        """Add a further process of a service; returns its name among the processes."""
        name = f"{service}#{number}"
        self.ports[name] = free_port()
        return name

    def spawn(self, name: str) -> None:
        """Start one process without waiting for it."""
        self.home.mkdir(parents=True, exist_ok=True)
        service, _, replica = name.partition("#")
        arguments = ["run"] if service == "embedded" else ["serve", service]
        own = {"REDRESS_PORT": str(self.ports[name]), "REDRESS_REPLICA": replica or "1"}
        environment = os.environ | self.environment | own
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "services", *arguments], env=environment, stderr=log
            )

    def wait_ready(self, name: str) -> None:
        """Wait until a process says that it is ready; shows its log where it ends instead."""
        deadline = time.monotonic() + READY_SECONDS
        url = f"http://127.0.0.1:{self.ports[name]}/health/ready"
        while time.monotonic() < deadline:
            if self.processes[name].poll() is not None:
                raise NotInTime(f"{name} ended: {self.log_tail(name)}")
            try:
                if httpx.get(url, timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise NotInTime(f"{name} is not ready: {self.log_tail(name)}")

    def log_tail(self, name: str) -> str:
        """Return the last lines a process logged."""
        lines = (self.home / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def restart(self, service: str) -> None:
        """Ask the process of a service to end, and start it again."""
        name = service if service in self.processes else "embedded"
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        self.spawn(name)
        self.wait_ready(name)

    def kill(self, name: str) -> None:
        """Kill a process as a power cut would."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> dict[str, int]:
        """Ask every process to end; returns their exit codes."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        codes = {name: process.wait(timeout=30) for name, process in self.processes.items()}
        self.processes.clear()
        return codes

    def publish(self, record: Record) -> None:
        """Put a record into the log behind the services' backs."""
        if "embedded" in self.ports:
            self.stop()  # the local log has one writer: the product itself
        asyncio.run(self._publish(record))
        self.start()

    async def _publish(self, record: Record) -> None:
        kafka = self.environment.get("REDRESS_KAFKA_BOOTSTRAP")
        bus = KafkaBus(kafka) if kafka else LocalLog(self.home / "log.db")
        await bus.start()
        try:
            producer = await bus.producer()
            await producer.publish([record])
            await producer.close()
        finally:
            await bus.stop()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request to the service that owns the path."""
        service = service_of(path.partition("?")[0])
        url = self.urls.get(service, self.urls["intake"])
        options.setdefault("timeout", 30)
        return httpx.request(method, url + path, **options)

    def get(self, path: str, **params: Any) -> Any:
        """GET a JSON answer; fails on an error."""
        answer = self.request("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """POST JSON; fails on an error."""
        answer = self.request("POST", path, json=dict(body or {}), headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def act(self, case: str, action: str, **body: Any) -> Any:
        """Do an action on a case."""
        return self.post(f"/v1/cases/{case}/{action}", body)

    def case(self, case: str) -> Any:
        """Return a case, or None before it is open."""
        answer = self.request("GET", f"/v1/cases/{case}")
        return answer.json() if answer.status_code == 200 else None

    def messages(self, complaint: str) -> list[Any]:
        """Return the notifications of a complaint, oldest first."""
        found: list[Any] = self.get("/v1/notifications", complaint_id=complaint)["items"]
        return sorted(found, key=lambda message: str(message["id"]))


def eventually(condition: Callable[[], T], *, seconds: float = 15.0, what: str = "it") -> T:
    """Return the first truthy value of `condition`; raises NotInTime with the last one."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise NotInTime(f"{what} did not come true in {seconds} s: {found!r}")
        time.sleep(0.05)


COMPLAINT: dict[str, Any] = {
    "channel": "web",
    "customer": {
        "name": "王芳",
        "phone": "+86 138 0013 8000",
        "email": "wang@example.com",
        "tier": "gold",
        "locale": "zh-CN",
    },
    "description": "周三收到的订单少了两件,客服一直推诿,再不处理我就打12315。",
    "references": {"order": "20261118-443", "product": "SKU-88"},
    "place": {"region": "CN-31", "latitude": 31.23, "longitude": 121.47},
    "demands": ["re_send", "apology"],
    "category": "logistics.short",
}


_PEOPLE = 10**8
_first, _met = secrets.randbelow(_PEOPLE), itertools.count()


def somebody() -> dict[str, Any]:
    """Return a customer who has not complained before: nobody's second complaint is merged.

    Not at random: of the thousands whom a run that is killed meets, two are the same one time in
    ten.
    """
    number = (_first + next(_met)) % _PEOPLE
    customer: dict[str, Any] = COMPLAINT["customer"]
    phone, email = f"+86139{number:08d}", f"customer.{number}@example.com"
    return customer | {"phone": phone, "email": email}


def event(complaint: Mapping[str, Any], *, sequence: int, body: bytes | None = None) -> Record:
    """Make a ComplaintAmended as intake would say it, with any sequence and any body."""
    data = ComplaintAmended(
        complaint_id=complaint["id"], number=complaint["number"], kind="addition", by="customer"
    )
    envelope = Envelope(
        id=new_id(),
        source=data.source.value,
        type="ComplaintAmended",
        version=1,
        time=datetime.now(UTC),
        subject=complaint["id"],
        sequence=sequence,
    )
    value = data.model_dump_json().encode() if body is None else body
    return Record(data.topic, complaint["id"], value, envelope.to_headers())
