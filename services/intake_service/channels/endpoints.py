"""The paths of importing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from email.message import Message
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from services.intake_service.channels.domain.mapping import text_encoding
from services.intake_service.channels.domain.progress import Import
from services.intake_service.channels.schemas import ImportAnswer, MappingAnswer, MappingList
from services.intake_service.channels.service import Form, ImportRequest, Imports
from shared.http.auth import Scope, requires
from shared.http.body import DRAIN_BYTES, unlimited_body
from shared.http.invalid import UnsupportedMediaType
from shared.http.pagination import Page, Paging, cut, link_next
from shared.http.query import KNOWN_QUERY
from shared.kernel.clock import from_rfc3339, to_rfc3339
from shared.kernel.errors import FieldError, InvalidInput, RedressError

_FORMS: dict[str, Form] = {
    "text/csv": "csv",
    "application/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
}
_YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_STREAM_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "Complaint ID,Date received,…\n"},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}
_MAPPING_EXAMPLE = """\
system: shop-front
timezone: Asia/Shanghai
dates: [iso]
fields: {id: ticket, received_at: created}
description: ["{text}"]
channel: {default: web}
"""
_YAML_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {"schema": {"type": "string"}, "example": _MAPPING_EXAMPLE}
        },
    }
}


def router(imports: Imports, *, base_url: str) -> APIRouter:
    """Make the paths."""
    paths = APIRouter(tags=["import"], dependencies=[KNOWN_QUERY])
    _add_running(paths, imports, base_url)
    # Before the reading paths, or `mappings` would be taken for an import's id.
    _add_mappings(paths, imports)
    _add_reading(paths, imports, base_url)
    return paths


def _add_running(paths: APIRouter, imports: Imports, base_url: str) -> None:
    @paths.post(
        "/v1/complaints/import",
        dependencies=[Depends(requires(Scope.COMPLAINTS_WRITE))],
        openapi_extra=_STREAM_BODY,
        summary="Import a file",
    )
    @unlimited_body
    async def import_complaints(
        request: Request,
        mapping: Annotated[str, Query(description="Name of a mapping, such as cfpb")],
        import_id: Annotated[
            UUID | None, Query(alias="id", description="Chosen by the client, to ask meanwhile")
        ] = None,
    ) -> ImportAnswer:
        """Read CSV or NDJSON from the body's stream; answers when it was read to its end.

        Rows that exist are skipped, so that sending a file again resumes.
        """
        form, encoding = _form_of(request)
        asked = ImportRequest(
            mapping, form, id=str(import_id) if import_id else None, encoding=encoding
        )
        stream = request.stream()
        try:
            return ImportAnswer.of(await imports.run(asked, stream), base_url=base_url)
        except RedressError:
            await _drain(stream)
            raise


def _add_reading(paths: APIRouter, imports: Imports, base_url: str) -> None:
    @paths.get(
        "/v1/imports",
        dependencies=[Depends(requires(Scope.COMPLAINTS_READ))],
        summary="List imports",
    )
    async def list_imports(
        page: Paging, request: Request, response: Response
    ) -> Page[ImportAnswer]:
        """List imports, the newest first."""
        found = await imports.list_newest(limit=page.fetch, before=_before(page.after))
        rows, cursor = cut(found, page, _keyset)
        link_next(request, response, cursor)
        items = [ImportAnswer.of(row, base_url=base_url) for row in rows]
        return Page(items=items, next_cursor=cursor)

    @paths.get(
        "/v1/imports/{import_id}",
        dependencies=[Depends(requires(Scope.COMPLAINTS_READ))],
        summary="Show an import",
    )
    async def show_import(import_id: UUID) -> ImportAnswer:
        """Show how far an import is, also while it runs."""
        return ImportAnswer.of(await imports.get(str(import_id)), base_url=base_url)

    @paths.get(
        "/v1/imports/{import_id}/rejects",
        dependencies=[Depends(requires(Scope.PII_READ))],
        response_class=StreamingResponse,
        summary="Read the reject file",
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def read_rejects(import_id: UUID) -> StreamingResponse:
        """Read the rejected rows as CSV: line, reason, detail, row as it stood."""
        await imports.get(str(import_id))
        name = f'attachment; filename="rejects-{import_id}.csv"'
        return StreamingResponse(
            imports.rejects_csv(str(import_id)),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": name},
        )


def _add_mappings(paths: APIRouter, imports: Imports) -> None:
    @paths.get(
        "/v1/imports/mappings",
        dependencies=[Depends(requires(Scope.COMPLAINTS_READ))],
        summary="List mappings",
    )
    async def list_mappings() -> MappingList:
        """List the names of the mappings that an import can use."""
        return MappingList(items=await imports.mappings())

    @paths.put(
        "/v1/imports/mappings/{name}",
        dependencies=[Depends(requires(Scope.COMPLAINTS_WRITE))],
        openapi_extra=_YAML_BODY,
        summary="Upload a mapping",
    )
    async def put_mapping(name: str, request: Request) -> MappingAnswer:
        """Store a mapping file under a name; what is wrong in it is told with its line."""
        if _essence(request) not in _YAML:
            raise UnsupportedMediaType("Send the mapping file as application/yaml.")
        if not _NAME.fullmatch(name):
            detail = "A mapping's name has small letters, digits, dots and hyphens."
            raise InvalidInput(detail, [FieldError("/path/name", "invalid_name", detail)])
        try:
            document = (await request.body()).decode("utf-8-sig")
        except UnicodeDecodeError as wrong:
            raise InvalidInput(f"byte {wrong.start} of the mapping file is not UTF-8") from None
        mapping = await imports.save_mapping(name, document)
        return MappingAnswer(name=name, system=mapping.system)


async def _drain(stream: AsyncIterator[bytes]) -> None:
    """Read on before refusing: a client still sending would see a broken connection instead."""
    size = 0
    try:
        async for data in stream:
            size += len(data)
            if size > DRAIN_BYTES:
                return
    except (ClientDisconnect, RuntimeError):
        # The sender is gone, or the stream was read to its end before.
        return


def _form_of(request: Request) -> tuple[Form, str | None]:
    """Return what the body is, and its encoding where the header names one."""
    form = _FORMS.get(_essence(request))
    if form is None:
        raise UnsupportedMediaType("Send the file as text/csv or application/x-ndjson.")
    header = Message()
    header["content-type"] = request.headers["content-type"]
    encoding = header.get_content_charset()
    if encoding is None:
        return form, None
    try:
        return form, text_encoding(encoding)
    except ValueError as wrong:
        raise UnsupportedMediaType(f"charset: {wrong}") from None


def _essence(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _before(after: tuple[str | int | float | None, ...] | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    try:
        return from_rfc3339(str(after[0])), str(after[1])
    except (ValueError, IndexError):
        raise InvalidInput("This cursor is none of ours; take it from next_cursor.") from None


def _keyset(row: Import) -> tuple[str, str]:
    return to_rfc3339(row.started_at), row.id
