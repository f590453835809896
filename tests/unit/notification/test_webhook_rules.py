"""Webhooks: where we may call, what is wanted, when to try again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from services.notification_service.webhooks.domain.addresses import may_be_called, networks
from services.notification_service.webhooks.domain.filters import Filter, Standing
from services.notification_service.webhooks.domain.retry import (
    Health,
    Lane,
    RetryPolicy,
    after_failure,
    health_after,
)
from services.notification_service.webhooks.domain.words import WebhookState
from services.notification_service.webhooks.service.signing import (
    SigningKey,
    headers,
    new_secret,
    rotated,
)

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
POLICY = RetryPolicy(
    first=timedelta(seconds=5),
    longest=timedelta(minutes=15),
    give_up_after=timedelta(days=1),
    suspend_after=timedelta(minutes=30),
    probe_every=timedelta(minutes=1),
)

INSIDE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.100.100.200", "100.64.0.1", "168.63.129.16", "192.0.0.192",
    "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1",
    "2001:db8::1", "2001:0:7f00:1::",
]  # fmt: skip
OUTSIDE = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_anybodys_network_is_called(address: str) -> None:
    assert not may_be_called(address, allowed=(), encrypted=True)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_public_is_called_and_only_encrypted(address: str) -> None:
    assert may_be_called(address, allowed=(), encrypted=True)
    assert not may_be_called(address, allowed=(), encrypted=False)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_ipv6_dress(address: IPv4Address) -> None:
    plain = may_be_called(str(address), allowed=(), encrypted=True)

    dressed = [IPv6Address(f"::ffff:{address}"), IPv6Address(f"64:ff9b::{address}")]

    assert {may_be_called(str(one), allowed=(), encrypted=True) for one in dressed} == {plain}


def test_networks_that_are_allowed_are_called_also_without_encryption() -> None:
    allowed = networks("127.0.0.0/8, 10.1.0.0/16,fd00::/8")

    assert may_be_called("127.0.0.1", allowed=allowed, encrypted=False)
    assert may_be_called("::ffff:127.0.0.1", allowed=allowed, encrypted=False)
    assert may_be_called("fd00::5", allowed=allowed, encrypted=True)
    assert not may_be_called("10.2.0.1", allowed=allowed, encrypted=True)
    assert not may_be_called("169.254.169.254", allowed=allowed, encrypted=True)


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "loopback", "300.0.0.0/8"])
def test_what_is_no_network_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"network|host bits|IPv4"):
        networks(wrong)


def test_a_category_wants_what_lies_under_it() -> None:
    wanted = Filter(categories=frozenset({"logistics", "product.quality"}))
    nothing = Standing()

    def wants(category: str | None) -> bool:
        return wanted.wants("Closed", nothing, Standing(category=category))

    assert wants("logistics.short")
    assert wants("logistics")
    assert wants("product.quality")
    assert not wants("product.effect")
    assert not wants("logistic.short")
    assert not wants(None)


def test_a_transfer_is_wanted_by_both_departments() -> None:
    before, after = Standing(department="warehouse"), Standing(department="finance")

    for department in ("warehouse", "finance"):
        assert Filter(departments=frozenset({department})).wants("CaseTransferred", before, after)
    assert not Filter(departments=frozenset({"legal"})).wants("CaseTransferred", before, after)


def test_all_lists_of_a_filter_must_agree() -> None:
    filter_ = Filter(frozenset({"Closed"}), frozenset({"billing"}), frozenset({"finance"}))
    standing = Standing("billing.double", "finance")

    assert filter_.wants("Closed", standing, standing)
    assert not filter_.wants("Resolved", standing, standing)
    assert not filter_.wants("Closed", Standing("billing.double"), Standing("billing.double"))


def test_a_standing_believes_only_codes() -> None:
    known = Standing("billing", "finance")

    assert known.after({"category": 7, "department": "x" * 65}) == Standing("billing", None)
    assert known.after({"category": "a\nb"}) == known
    assert known.after({"department": None}) == Standing("billing", None)
    assert known.after({}) is known


@given(tries=st.integers(0, 10_000), jitter=st.floats(0, 1))
def test_a_pause_lies_between_half_of_the_longest_it_could_be_and_all_of_it(
    tries: int, jitter: float
) -> None:
    failed = after_failure(
        Lane(tries, NOW), POLICY, now=NOW, jitter=jitter, state=WebhookState.ACTIVE
    )

    assert failed.next_attempt_at is not None
    pause = failed.next_attempt_at - NOW
    most = min(POLICY.first * 2 ** min(tries, 20), POLICY.longest)
    assert most / 2 - timedelta(microseconds=1) <= pause <= most


def test_a_delivery_is_given_up_a_day_after_its_first_failure_and_not_before() -> None:
    def at(hours: float, state: WebhookState) -> datetime | None:
        now = NOW + timedelta(hours=hours)
        lane = Lane(100, NOW)
        return after_failure(lane, POLICY, now=now, jitter=0.5, state=state).next_attempt_at

    assert at(23.9, WebhookState.ACTIVE) is not None
    assert at(24, WebhookState.ACTIVE) is None
    assert at(500, WebhookState.SUSPENDED) is not None


def test_an_endpoint_asking_for_patience_gets_it_up_to_the_longest_pause() -> None:
    def pause(seconds: int) -> timedelta:
        failed = after_failure(
            Lane(),
            POLICY,
            now=NOW,
            jitter=1,
            state=WebhookState.ACTIVE,
            retry_after=timedelta(seconds=seconds),
        )
        assert failed.next_attempt_at is not None
        return failed.next_attempt_at - NOW

    assert pause(1) == POLICY.first
    assert pause(60) == timedelta(seconds=60)
    assert pause(10**6) == POLICY.longest


def _after(
    health: Health, *, minutes: float, succeeded: bool = False, gone: bool = False
) -> Health:
    now = NOW + timedelta(minutes=minutes)
    return health_after(
        health, POLICY, now=now, succeeded=succeeded, gone=gone, reason="answered 500"
    )


def test_failures_only_for_long_suspend_an_endpoint_and_one_success_brings_it_back() -> None:
    first = _after(Health(WebhookState.ACTIVE), minutes=0)
    later = _after(first, minutes=29)
    dead = _after(later, minutes=30)
    still = _after(dead, minutes=31)

    assert (first.state, later.state) == (WebhookState.ACTIVE, WebhookState.ACTIVE)
    assert (dead.state, dead.failing_since, dead.reason) == (
        WebhookState.SUSPENDED,
        NOW,
        "answered 500",
    )
    assert still.probe_at == NOW + timedelta(minutes=32)
    assert _after(still, minutes=40, succeeded=True) == Health(WebhookState.ACTIVE)


def test_gone_disables_and_what_somebody_paused_meanwhile_stays_paused() -> None:
    gone = _after(Health(WebhookState.ACTIVE), minutes=0, gone=True)
    paused = Health(WebhookState.PAUSED)

    assert gone.state is WebhookState.DISABLED
    assert _after(paused, minutes=0, gone=True) is paused
    assert _after(gone, minutes=1, succeeded=True) is gone


def test_the_signature_is_that_of_the_specification() -> None:
    # The example that the specification's own implementations test themselves with.
    signed = headers(
        [SigningKey(secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )

    assert signed == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_has_32_random_bytes_and_signs_what_is_not_ascii() -> None:
    secret, now = new_secret(), datetime.now(UTC)

    signed = headers([SigningKey(secret=secret)], message_id="m", at=now, body="话".encode())

    assert secret.startswith("whsec_")
    assert len(secret) == len("whsec_") + 44
    Webhook(secret).verify("话", signed, json_parse=False)


def test_rotating_again_keeps_the_keys_before_until_their_own_end() -> None:
    day = timedelta(days=1)
    once = rotated([SigningKey(secret="a")], "b", now=NOW, until=NOW + day)
    twice = rotated(once, "c", now=NOW + day / 2, until=NOW + day * 1.5)
    thrice = rotated(twice, "d", now=NOW + day, until=NOW + day * 2)

    assert [(one.secret, one.until) for one in twice] == [
        ("c", None),
        ("b", NOW + day * 1.5),
        ("a", NOW + day),
    ]
    assert [one.secret for one in thrice] == ["d", "c", "b"]
