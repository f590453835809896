"""A port that is given to a server is still free when the server listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.ports import free_port, is_free


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What the kernel says of the ports that it gives by itself; nothing yet."""
    said = tmp_path / "ip_local_port_range"
    monkeypatch.setattr(ports, "_EPHEMERAL", said)
    monkeypatch.setattr(ports, "_given", set())
    return said


def test_no_port_is_given_that_the_kernel_gives_to_others(kernel: Path) -> None:
    kernel.write_text("32768\t60999\n")

    given = [free_port() for _ in range(200)]

    assert all(20_000 <= port < 32_768 for port in given)
    assert len(set(given)) == 200
    assert all(is_free(port) for port in given)


def test_a_port_that_somebody_listens_on_is_not_given(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = free_port()
    kernel.write_text(f"{taken + 2} 65000")
    monkeypatch.setattr(ports, "_LOWEST", taken)
    monkeypatch.setattr(ports, "_ROOM", 1)

    with socket.create_server(("127.0.0.1", taken)):
        given = {free_port() for _ in range(5)}

    assert taken not in given


@pytest.mark.parametrize("said", ["", "words", "1024 65535", "20100 65535"])
def test_where_the_kernel_leaves_none_or_does_not_say_any_free_port_is_given(
    kernel: Path, said: str
) -> None:
    kernel.write_text(said)

    assert is_free(free_port())


def test_without_the_kernels_word_any_free_port_is_given(kernel: Path) -> None:
    assert not kernel.exists()

    assert is_free(free_port())
