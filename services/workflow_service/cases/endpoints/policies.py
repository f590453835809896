"""`/v1/policies`: targets loaded by version, and what another version would mean."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.workflow_service.cases.schemas.policies import (
    EXAMPLE,
    PackList,
    PackView,
    PolicyEditView,
    PolicyList,
    PolicyView,
    what_if_view,
)
from services.workflow_service.cases.service.desk import Desk
from services.workflow_service.cases.service.what_if import under_policy
from shared.http.auth import Principal, Scope, requires
from shared.http.documents import YAML, label_named, read_document
from shared.http.query import KNOWN_QUERY

Reader = Annotated[Principal, Depends(requires(Scope.CASES_READ))]
Writer = Annotated[Principal, Depends(requires(Scope.POLICIES_WRITE))]

_YAML_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}


def router(desk: Desk) -> APIRouter:
    """Make the paths."""
    routes = APIRouter(prefix="/v1/policies", tags=["policies"], dependencies=[KNOWN_QUERY])
    _add_reading(routes, desk)
    _add_loading(routes, desk)
    return routes


def _add_reading(routes: APIRouter, desk: Desk) -> None:
    @routes.get("")
    async def current_policy(response: Response, _: Reader) -> PolicyView:
        """Give the policy that new cases get."""
        stored = desk.policies.versions[-1]
        response.headers["ETag"] = f'"{stored.policy.label}"'
        return PolicyView.of(stored)

    @routes.get("/packs")
    async def list_packs(_: Reader) -> PackList:
        """List the packs of rules from outside: each deadline with the text that it cites."""
        return PackList(items=[PackView.of(pack) for pack in desk.rules.packs.values()])

    @routes.get("/versions")
    async def list_every_version(_: Reader) -> PolicyList:
        """List every version of every policy, what was loaded last first."""
        return PolicyList(items=[PolicyView.of(one) for one in reversed(desk.policies.versions)])

    @routes.get("/{name}/versions")
    async def list_versions(name: str, _: Reader) -> PolicyList:
        """List every version of a policy, the newest first."""
        return PolicyList(items=[PolicyView.of(one) for one in desk.policies.versions_of(name)])

    @routes.get("/{name}/versions/{version}")
    async def one_version(name: str, version: int, _: Reader) -> PolicyView:
        """Give one version: the document that the targets of its cases come from."""
        return PolicyView.of(desk.policies.version(name, version))


def _add_loading(routes: APIRouter, desk: Desk) -> None:
    @routes.put("", openapi_extra=_YAML_BODY)
    async def put_policy(
        request: Request,
        response: Response,
        principal: Writer,
        dry_run: Annotated[bool, Query(description="Only tell what would change")] = False,
        if_match: Annotated[str | None, Header(description="ETag of the version read")] = None,
    ) -> PolicyEditView:
        """Load a policy for new cases; open ones keep theirs.

        With `dry_run` it tells which open cases would be due at another time under it.
        """
        document = await read_document(request, types=YAML, wanted="application/yaml")
        loading = await desk.policies.put(
            document,
            by=principal.id,
            if_label=label_named(if_match),
            dry_run=dry_run,
        )
        await desk.reload()
        response.headers["ETag"] = f'"{desk.policies.current.label}"'
        what_if = await under_policy(desk, loading.stored.policy) if dry_run else None
        return PolicyEditView(
            policy=loading.stored.policy.label,
            changed=loading.is_new,
            dry_run=dry_run,
            open_cases=what_if_view(what_if) if what_if else None,
        )
