"""What vendors send, for the reference, and what they are answered."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class AliyunAnswer(BaseModel):
    """What Aliyun wants to hear; anything else makes it send again."""

    model_config = ConfigDict(json_schema_extra={"example": {"code": 0, "msg": "OK"}})

    code: int = 0
    msg: str = "OK"


class TencentAnswer(BaseModel):
    """What Tencent Cloud wants to hear."""

    model_config = ConfigDict(json_schema_extra={"example": {"result": 0, "errmsg": "OK"}})

    result: int = 0
    errmsg: str = "OK"


class Taken(BaseModel):
    """How many of the receipts were new; a duplicate is none."""

    model_config = ConfigDict(json_schema_extra={"example": {"new": 1}})

    new: int


def _body(content_type: str, schema: dict[str, Any], example: object) -> dict[str, Any]:
    content = {content_type: {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


_LIST = {"type": "array", "items": {"type": "object"}}

ALIYUN_BODY = _body(
    "application/json",
    _LIST,
    [
        {
            "phone_number": "13800138000",
            "send_time": "2026-11-22 16:00:00",
            "report_time": "2026-11-22 16:00:05",
            "success": True,
            "err_code": "DELIVERED",
            "err_msg": "用户接收成功",
            "sms_size": "1",
            "biz_id": "900619746936498440^0",
            "out_id": "01930b1c-7d7f-7a80-8000-4f2d1f6f0a11",
        }
    ],
)
TENCENT_BODY = _body(
    "application/json",
    _LIST,
    [
        {
            "user_receive_time": "2026-11-22 16:00:05",
            "nationcode": "86",
            "mobile": "13800138000",
            "report_status": "SUCCESS",
            "errmsg": "DELIVRD",
            "description": "用户短信送达成功",
            "sid": "5000:1045710669157053657849499619",
        }
    ],
)
TWILIO_BODY = _body(
    "application/x-www-form-urlencoded",
    {"type": "object"},
    {"MessageSid": "SM…", "MessageStatus": "undelivered", "ErrorCode": "30003"},
)
HTTP_BODY = _body(
    "application/json",
    {
        "type": "object",
        "required": ["state"],
        "properties": {
            "reference": {"type": "string", "description": "ours"},
            "id": {"type": "string", "description": "yours"},
            "state": {"enum": ["delivered", "undelivered"]},
            "code": {"type": "string"},
            "at": {"type": "string", "format": "date-time"},
        },
    },
    {
        "reference": "01930b1c-7d7f-7a80-8000-4f2d1f6f0a11",
        "state": "delivered",
        "at": "2026-11-22T08:00:05Z",
    },
)
MAIL_BODY = _body(
    "message/rfc822",
    {"type": "string", "format": "binary"},
    "Content-Type: multipart/report; report-type=delivery-status; …",
)
