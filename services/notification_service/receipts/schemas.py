"""What vendors are answered."""

from __future__ import annotations

from pydantic import BaseModel


class AliyunAnswer(BaseModel):
    """What Aliyun wants to hear; anything else makes it send again."""

    code: int = 0
    msg: str = "OK"


class TencentAnswer(BaseModel):
    """What Tencent Cloud wants to hear."""

    result: int = 0
    errmsg: str = "OK"


class Taken(BaseModel):
    """How many of the receipts were new; a duplicate is none."""

    new: int
