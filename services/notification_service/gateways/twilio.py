"""SMS by Twilio: the Messages resource, basic authentication, receipts by StatusCallback."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from urllib.parse import urlencode

from services.notification_service.gateways.domain.judging import Codes, judge_unreadable
from services.notification_service.gateways.domain.port import Outgoing
from services.notification_service.gateways.wire import Wire

# https://www.twilio.com/docs/api/errors
_CODES = Codes(
    refused=frozenset(
        {
            "21211",  # no valid number
            "21214",  # cannot be reached
            "21217",  # does not look like a number
            "21610",  # the recipient unsubscribed
            "21612",  # cannot be reached from this sender
            "21614",  # no mobile number
            "21617",  # too long
            "21619",  # no body
            "21635",  # a landline
        }
    ),
    uncertain=frozenset({"20500"}),
)


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """Who we are to Twilio; `sender` is a number, a short code or a messaging service (`MG…`)."""

    account_sid: str
    auth_token: str
    sender: str
    endpoint: str
    callback_url: str | None = None


class TwilioSms:
    """Sends free text. Not repeatable: Twilio has no idempotency key for messages.

    The callback's address carries our reference, so that a receipt finds its message even where
    the answer with Twilio's own id was lost.
    """

    repeatable = False

    def __init__(self, account: TwilioAccount) -> None:
        self._account = account
        self._wire = Wire("Twilio")

    async def send(self, message: Outgoing) -> str | None:
        """Hand over one SMS and return Twilio's sid; raises a GatewayError."""
        account = self._account
        path = f"/2010-04-01/Accounts/{account.account_sid}/Messages.json"
        answer = await self._wire.post(
            f"{account.endpoint.rstrip('/')}{path}",
            body=urlencode(self._form(message)).encode(),
            headers=self._headers(),
        )
        sid, code = answer.text("sid"), answer.text("code")
        if answer.status == 201 and sid is not None:
            return sid
        if answer.status >= 400 and code is not None:
            raise _CODES.judge(code, f"Twilio answered {code}", status=answer.status)
        said = f"Twilio answered {answer.status} without a sid or a code"
        raise judge_unreadable(answer.status, said)

    async def close(self) -> None:
        """Close the connections that are not in use."""
        await self._wire.close()

    def _form(self, message: Outgoing) -> dict[str, str]:
        sender = self._account.sender
        name = "MessagingServiceSid" if sender.startswith("MG") else "From"
        form = {"To": message.address, name: sender, "Body": message.text}
        if self._account.callback_url is not None:
            reference = urlencode({"reference": message.reference})
            form["StatusCallback"] = f"{self._account.callback_url}?{reference}"
        return form

    def _headers(self) -> dict[str, str]:
        pair = f"{self._account.account_sid}:{self._account.auth_token}".encode()
        return {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
