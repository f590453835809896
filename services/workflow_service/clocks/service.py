"""Policies at work: loaded by version; the one loaded last is what new cases get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.workflow_service.clocks.domain.policy import Policy
from services.workflow_service.clocks.repository import (
    POLICY_SETTING,
    PRODUCT,
    StoredPolicy,
    add_policy,
    count_policies,
    load_policies,
    lock_policies,
    read_policy_text,
)
from shared.db.database import Database
from shared.kernel import logging
from shared.kernel.clock import Clock
from shared.kernel.errors import (
    ConfigurationError,
    Conflict,
    FieldError,
    NotFound,
    PreconditionFailed,
)
from shared.kernel.yaml_documents import InvalidDocument

log = logging.get(__name__)

_TICK = timedelta(microseconds=1)


class VersionTaken(Conflict):
    """The same name and version was another policy before, or a later version is loaded."""

    code = "policy-version-taken"
    title = "This version was another policy before"


class UnknownPolicyVersion(NotFound):
    """There is no policy of this name and version."""

    code = "unknown-policy"
    title = "There is no such policy"


@dataclass(frozen=True, slots=True)
class FirstPolicy:
    """What the settings name: a file's policy, or the one that comes along (`by` PRODUCT)."""

    policy: Policy
    document: str
    by: str


@dataclass(frozen=True, slots=True)
class Loading:
    """What loading a document comes to; the same document again is no new version."""

    stored: StoredPolicy
    is_new: bool


@dataclass(slots=True)
class Policies:
    """The service's policies: all versions that there were, the one loaded last at the end."""

    database: Database
    clock: Clock
    first: FirstPolicy
    calendars: Callable[[], Collection[str]]
    versions: Sequence[StoredPolicy] = field(default_factory=tuple)

    @property
    def current(self) -> Policy:
        """The policy that new cases get."""
        return self.versions[-1].policy if self.versions else self.first.policy

    @property
    def by_label(self) -> Mapping[str, Policy]:
        """Every version, for the cases opened under it."""
        return {stored.policy.label: stored.policy for stored in self.versions}

    async def open(self) -> None:
        """Load the policy that the settings name, where it is new.

        The one that comes with the product gives way to whatever a company has loaded, and to a
        later one of its own. Raises ConfigurationError where a company's file has a version that
        was another policy before.
        """
        async with self.database.write() as connection:
            await lock_policies(connection)
            await self.load(connection)
            first = self.first
            if first.by == PRODUCT and self.versions and self.versions[-1].by != PRODUCT:
                return
            try:
                self._check_calendar(first.policy, name="calendar")
                loading = self._loading(first.policy, first.document, by=first.by)
            except (VersionTaken, InvalidDocument) as wrong:
                if first.by == PRODUCT and self.versions:
                    # Another release than the one that loaded it, older perhaps: nobody here can
                    # mend its file, and cases go on by what is loaded.
                    log.warning("policy.product-kept", policy=self.current.label, why=wrong.detail)
                    return
                raise ConfigurationError(POLICY_SETTING, wrong.detail) from None
            if loading.is_new:
                await add_policy(connection, loading.stored)
                await self.load(connection)

    async def load(self, connection: AsyncConnection) -> None:
        """Read every version anew."""
        self.versions = await load_policies(connection)

    async def refresh(self, connection: AsyncConnection) -> bool:
        """Take in what another replica loaded; tell whether there was something."""
        if await count_policies(connection) == len(self.versions):
            return False
        await self.load(connection)
        return True

    async def put(
        self, document: str, *, by: str, if_label: str | None, dry_run: bool = False
    ) -> Loading:
        """Load a policy, or with `dry_run` only check it.

        Raises InvalidDocument with line and reason, VersionTaken, and PreconditionFailed where the
        current policy is no longer `if_label`, a name and version or a version alone.
        """
        # In a thread: a large document must not hold up whoever else is answered here.
        policy = await asyncio.to_thread(read_policy_text, document, name="policy.yaml")
        self._check_calendar(policy, name="policy.yaml")
        async with self.database.write() as connection:
            await lock_policies(connection)
            await self.refresh(connection)
            label = self.current.label
            if if_label is not None and if_label not in {label, str(self.current.version)}:
                raise PreconditionFailed(f"the policy is {label}, If-Match names {if_label}")
            loading = self._loading(policy, document, by=by)
            if loading.is_new and not dry_run:
                await add_policy(connection, loading.stored)
        if loading.is_new and not dry_run:
            log.info("policy.loaded", policy=policy.label, by=by)
            async with self.database.read() as connection:
                await self.load(connection)
        return loading

    def _check_calendar(self, policy: Policy, *, name: str) -> None:
        """Raise InvalidDocument for a calendar that is not there: no case could be opened by it."""
        known = self.calendars()
        if policy.calendar not in known:
            listed = ", ".join(sorted(known))
            detail = f"there is no calendar {policy.calendar!r}; there are: {listed}"
            error = FieldError("/calendar", "unknown", detail)
            raise InvalidDocument(f"{name}: calendar: {detail}", [error])

    def version(self, name: str, version: int) -> StoredPolicy:
        """Return one version; raises UnknownPolicyVersion."""
        for stored in self.versions:
            if (stored.policy.name, stored.policy.version) == (name, version):
                return stored
        raise UnknownPolicyVersion(f"there is no policy {name}@{version}")

    def versions_of(self, name: str) -> Sequence[StoredPolicy]:
        """Return the versions of a policy, the newest first; raises UnknownPolicyVersion."""
        found = [stored for stored in self.versions if stored.policy.name == name]
        if not found:
            raise UnknownPolicyVersion(f"there is no policy {name!r}")
        return sorted(found, key=lambda stored: -stored.policy.version)

    def _loading(self, policy: Policy, document: str, *, by: str) -> Loading:
        for stored in self.versions:
            if stored.policy.label == policy.label:
                if stored.policy == policy:
                    return Loading(stored, is_new=False)
                raise VersionTaken(
                    f"{policy.label} was another policy before; raise `version` with every change"
                )
        later = [s.policy for s in self.versions if s.policy.name == policy.name]
        if later and max(p.version for p in later) > policy.version:
            raise VersionTaken(f"a later version of {policy.name} is loaded; raise `version`")
        return Loading(StoredPolicy(policy, document, self._next_moment(), by), is_new=True)

    def _next_moment(self) -> datetime:
        """Return now, but after every loading before: also where the clock was set back."""
        now = self.clock.now()
        return max(now, self.versions[-1].loaded_at + _TICK) if self.versions else now
