"""SMS by a generic HTTP gateway: one POST of JSON with our reference, signed where asked for."""

from __future__ import annotations

import orjson

from services.notification_service.gateways.domain.judging import judge_status
from services.notification_service.gateways.domain.port import Outgoing
from services.notification_service.gateways.domain.standard_webhook import signature_of
from services.notification_service.gateways.wire import Wire
from shared.kernel import trace
from shared.kernel.clock import Clock


class HttpSms:
    """Posts `{"reference", "to", "text"}` with `Idempotency-Key: reference`.

    2xx means taken; 409 means taken before, from a gateway that deduplicates. With a secret the
    request is signed as Standard Webhooks says, `webhook-id` being our reference. `traceparent` is
    the trace of the fact that the message tells of.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        token: str | None = None,
        deduplicates: bool = False,
        secret: bytes | None = None,
    ) -> None:
        self.repeatable = deduplicates
        self._url = url
        self._clock = clock
        self._token = token
        self._secret = secret
        self._wire = Wire("SMS gateway")

    async def send(self, message: Outgoing) -> str | None:
        """Hand over one SMS; raises Refused, NotAccepted or Uncertain."""
        body = orjson.dumps(
            {"reference": message.reference, "to": message.address, "text": message.text}
        )
        headers = self._headers(message.reference, body)
        answer = await self._wire.post(self._url, body=body, headers=headers)
        if 200 <= answer.status < 300 or (answer.status == 409 and self.repeatable):
            return answer.text("id") or message.reference
        raise judge_status(answer.status, f"SMS gateway answered {answer.status}")

    async def close(self) -> None:
        """Close the connections that are not in use."""
        await self._wire.close()

    def _headers(self, reference: str, body: bytes) -> dict[str, str]:
        headers = {"Idempotency-Key": reference, "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        traceparent = trace.current.get()
        if traceparent:
            headers["traceparent"] = traceparent
        if self._secret:
            timestamp = str(int(self._clock.now().timestamp()))
            headers["webhook-id"] = reference
            headers["webhook-timestamp"] = timestamp
            headers["webhook-signature"] = signature_of(self._secret, reference, timestamp, body)
        return headers
