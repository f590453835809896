"""https: a pinned address is called, and the certificate must still be the name's."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.notification_service.webhooks.domain.addresses import networks
from services.notification_service.webhooks.repository.lanes import Waiting
from services.notification_service.webhooks.service.posting import Attempt, Endpoint, PostTools
from services.notification_service.webhooks.service.signing import SigningKey, new_secret
from services.notification_service.webhooks.service.targets import Resolver
from shared.kernel.clock import SystemClock
from tests.service.notification.webhooks.kit import Receiver

NAME = "crm.test"
KEYS = (SigningKey(secret=new_secret()),)


@dataclass(frozen=True)
class Identity:
    """A certificate of `crm.test` with its key, in one file."""

    file: Path

    def of_server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "crm.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Identity(file)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names mean; all mean this machine unless told otherwise."""
    told: dict[str, list[str]] = {}

    def getaddrinfo(host: str, port: int, **_options: object) -> list[tuple[Any, ...]]:
        addresses = told.get(host, ["127.0.0.1"])
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return told


@pytest.fixture
async def crm(identity: Identity) -> AsyncIterator[Receiver]:
    async with Receiver(tls=identity.of_server()).listening() as receiver:
        yield receiver


async def post(url: str, tls: ssl.SSLContext) -> Attempt:
    resolver = Resolver(networks("127.0.0.0/8"))
    tools = PostTools(SystemClock(), resolver, lambda: tls, timeout_seconds=5)
    endpoint = Endpoint(url, tools)
    try:
        return await endpoint.post(Waiting(1, "w", "s", "e", b'{"subject":"s"}'), KEYS)
    finally:
        await endpoint.close()
        resolver.close()
        await asyncio.sleep(0)


async def test_the_certificate_is_checked_against_the_name(
    crm: Receiver, identity: Identity, names: dict[str, list[str]]
) -> None:
    right = await post(f"https://{NAME}:{crm.port}/hook", identity.trusted())
    wrong = await post(f"https://other.test:{crm.port}/hook", identity.trusted())

    assert (right.status, right.error) == (204, None)
    assert wrong.error == "the certificate cannot be verified"
    assert [one.headers["host"] for one in crm.received] == [f"{NAME}:{crm.port}"]


async def test_a_certificate_that_nobody_vouches_for_is_not_taken(
    crm: Receiver, names: dict[str, list[str]]
) -> None:
    attempt = await post(f"https://{NAME}:{crm.port}/hook", ssl.create_default_context())

    assert attempt.error == "the certificate cannot be verified"
    assert crm.received == []


async def test_an_address_that_cannot_be_reached_is_followed_by_the_next(
    crm: Receiver, identity: Identity, names: dict[str, list[str]]
) -> None:
    names[NAME] = ["127.0.0.2", "127.0.0.1"]  # nobody listens on the first

    attempt = await post(f"https://{NAME}:{crm.port}/hook", identity.trusted())

    assert attempt.is_taken


async def test_an_address_inside_is_left_out_though_the_name_means_it_too(
    crm: Receiver, identity: Identity, names: dict[str, list[str]]
) -> None:
    names[NAME] = ["10.0.0.1", "169.254.169.254"]

    attempt = await post(f"https://{NAME}:{crm.port}/hook", identity.trusted())

    assert attempt.error == "not called: the address is not allowed"
    names[NAME] = ["10.0.0.1", "127.0.0.1"]
    assert (await post(f"https://{NAME}:{crm.port}/hook", identity.trusted())).is_taken
