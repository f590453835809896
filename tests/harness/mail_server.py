"""A real mail server on loopback: Debian's Exim with TLS and a log-in, in a folder of its own.

It takes mail for every address but `nobody@`, and delivers it into a maildir. `failing` of a
hundred messages are refused for now (451).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pwd
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.ports import free_port
from tests.harness.requirements import cannot_have

USER, PASSWORD = "redress", "c0rrect horse"
READY_SECONDS = 15.0
_EXIM_USER = "Debian-exim"

_CONFIG = """
primary_hostname = mail.test
spool_directory = {folder}/spool
keep_environment =
log_file_path = {folder}/log_%s
pid_file_path = {folder}/exim.pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
domainlist everything = *
deliver_drop_privilege = true
never_users =
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
smtp_accept_max_per_connection = 0
queue_run_max = 2
tls_advertise_hosts = *
tls_certificate = {folder}/server.pem
tls_privatekey = {folder}/server.key
auth_advertise_hosts = ${{if def:tls_in_cipher {{*}}{{}}}}
acl_smtp_rcpt = check_rcpt
acl_smtp_data = check_data
begin acl
check_rcpt:
  deny    message = 530 5.7.0 encryption and a log-in are needed
          !authenticated = *
  deny    message = 550 5.1.1 no such user here
          local_parts = nobody
  accept
check_data:
  defer   message = 451 4.3.0 not now
          condition = ${{if <{{${{randint:100}}}}{{{failing}}}}}
  accept
begin routers
everybody:
  driver = accept
  transport = into_maildir
begin transports
into_maildir:
  driver = appendfile
  directory = {folder}/mail
  maildir_format = true
  create_directory = true
begin retry
* * F,2h,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
"""


@dataclass(frozen=True)
class MailServer:
    """A running server; its certificate is believed by who trusts `authority`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def authority(self) -> Path:
        return self.folder / "server.pem"

    def url(self, *, password: str = PASSWORD) -> str:
        """Return what `REDRESS_SMTP_URL` is set to."""
        return f"smtp://{USER}:{password.replace(' ', '%20')}@127.0.0.1:{self.port}?tls=starttls"

    def mails(self) -> Sequence[Message]:
        """Return what has been delivered."""
        found = sorted((self.folder / "mail").glob("new/*"))
        return [message_from_bytes(path.read_bytes()) for path in found]

    def waiting(self) -> int:
        """Return how many mails were taken and not delivered yet."""
        return len(list((self.folder / "spool" / "input").rglob("*-D")))

    def log(self) -> str:
        """Return the end of what the server logged."""
        lines = [
            line
            for path in sorted(self.folder.glob("log_*"))
            for line in path.read_text(errors="replace").splitlines()
        ]
        return "\n".join(lines[-15:])


def exim_program() -> str:
    """Return Exim's path, or skip."""
    found = shutil.which("exim4", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        cannot_have("SMTP", "there is no exim4 on the path (Debian: exim4-daemon-light)")
    if os.geteuid() != 0:
        cannot_have("SMTP", "Exim starts as a server for root only")
    return found


@contextmanager
def running_mail_server(*, failing: int = 0) -> Iterator[MailServer]:
    """Run a server as long as it is needed; `failing` percent are refused for now."""
    program = exim_program()
    # In a folder of its own: pytest's are closed to the user that Exim runs as.
    folder = Path(tempfile.mkdtemp(prefix="redress-mail-"))
    try:
        port = free_port()
        _write(folder, port, failing)
        process = _start(program, folder)
        try:
            server = MailServer(folder, port, process)
            _wait(server)
            yield server
        finally:
            # Its own group: deliveries that are under way end with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, port: int, failing: int) -> None:
    for name in ("spool", "mail"):
        (folder / name).mkdir()
    _write_certificate(folder)
    config = _CONFIG.format(folder=folder, port=port, failing=failing, user=USER, password=PASSWORD)
    (folder / "exim.conf").write_text(config)
    exim = pwd.getpwnam(_EXIM_USER)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, exim.pw_uid, exim.pw_gid)
    # Root reads a configuration only where no other may write it.
    os.chown(folder / "exim.conf", 0, 0)


def _start(program: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [program, "-C", str(folder / "exim.conf"), "-bdf", "-q1s"]
    with (folder / "stderr").open("wb") as errors:
        return subprocess.Popen(command, stderr=errors, start_new_session=True)


def _wait(server: MailServer) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        if server.process.poll() is not None:
            said = (server.folder / "stderr").read_text(errors="replace")
            pytest.fail(f"exim4 ended: {said} {server.log()}", pytrace=False)
        try:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=2):
                return
        except OSError:
            if time.monotonic() > deadline:
                pytest.fail(f"exim4 is not ready: {server.log()}", pytrace=False)
            time.sleep(0.05)


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
