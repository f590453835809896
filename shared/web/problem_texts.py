"""The words of the problem pages: code → (what it means, what to do). English is the message id."""

from __future__ import annotations

from collections.abc import Mapping

FRAMEWORK_PROBLEMS: Mapping[int, str] = {
    404: "unknown-path",
    405: "method-not-allowed",
    500: "internal",
}

TEXTS: Mapping[str, tuple[str, str]] = {
    "invalid-input": (
        "The request was read, but some of its fields are wrong. Nothing was stored.",
        (
            "Look at errors: each entry names a field by JSON pointer, a code that stays the same,"
            " and what is expected. All wrong fields are listed at once."
        ),
    ),
    "not-authenticated": (
        "The request carries no API key, or one that is not known.",
        "Send Authorization: Bearer with a key from `python -m services keys create`, or sign in.",
    ),
    "forbidden": (
        "The key is known, but its role may not do this.",
        "Use a key of another role. The detail names the scope that is missing.",
    ),
    "foreign-caller": (
        (
            "A page of another website, or another name of this machine, was used. While no key"
            " exists, only this machine's own addresses are answered."
        ),
        "Use http://127.0.0.1 or http://localhost, or make an API key and send it.",
    ),
    "not-found": (
        "There is nothing under this id, or it was erased.",
        "Check the id or number. Numbers have a check character, so a misread one is noticed.",
    ),
    "unknown-path": (
        "No service answers at this path.",
        "Look the path up in the API reference at /docs.",
    ),
    "method-not-allowed": (
        "The path exists, but not with this method.",
        "The Allow header lists the methods that the path takes.",
    ),
    "conflict": (
        "The thing exists, but its present state does not allow this.",
        "Read it again. For a case, allowed_actions lists what is possible now.",
    ),
    "stale-version": (
        "Somebody changed this between your reading and your writing.",
        "Read it again, look at what changed, and send If-Match with the new ETag.",
    ),
    "too-large": (
        "The body is larger than the path takes: 1 MiB, except for imports.",
        "Send less at once; send many complaints through the import.",
    ),
    "unsupported-media-type": (
        "The body has another content type than the path takes.",
        "Set the Content-Type header to what the detail names, usually application/json.",
    ),
    "rate-limited": (
        "This key made more requests than it may in a short time.",
        "Wait for the seconds in Retry-After, then go on more slowly.",
    ),
    "unavailable": (
        (
            "A part that is needed, such as the database, cannot be reached right now. Nothing is"
            " half done."
        ),
        "Try again after a few seconds; with an Idempotency-Key that is always safe.",
    ),
    "idempotency-key-reused": (
        "The same Idempotency-Key came before with another body.",
        "Use a new key for every new request, and the same key only to repeat one.",
    ),
    "idempotency-key-in-use": (
        "The first request with this Idempotency-Key has not been answered yet.",
        "Wait a moment and send it again: you will get the first one's answer.",
    ),
    "internal": (
        "Something broke on our side. It is logged.",
        "Tell the operators the X-Request-Id of the answer.",
    ),
}

OF_STATUS: Mapping[int, str] = {
    403: "forbidden",
    404: "not-found",
    409: "conflict",
    422: "invalid-input",
    503: "unavailable",
}
"""The problem in whose words a page tells of one that has none of its own."""

PAGE_REMEDIES: Mapping[str, str] = {
    "invalid-input": "Go back, change what is named here, and try again.",
    "conflict": "Go back and look at it again: somebody may have gone on with it meanwhile.",
    "stale-version": "Go back and look at it again: somebody may have gone on with it meanwhile.",
    "unavailable": "Please try again in a few minutes.",
    "internal": "Tell the operators the number of the request, which stands below.",
}
"""What a person does about it in a browser, where the other words are for programs."""

FIELD_CODES: Mapping[str, str] = {
    "missing": "A required field is not there.",
    "unknown_field": "There is no such field; a near one is suggested.",
    "wrong_type": "The value has another JSON type than the field takes.",
    "unknown_value": "The value is not one of the list.",
    "invalid_text": "The text holds a NUL character or half a surrogate pair.",
    "too_long": "The text or list is too long.",
    "too_short": "The text or list is too short.",
    "out_of_range": "The number is outside its range.",
    "invalid_datetime": "The time is not written as in RFC 3339.",
    "no_offset": "The time has no offset such as Z or +08:00.",
    "invalid_date": "The date is not written as YYYY-MM-DD.",
    "invalid_phone": "The phone number cannot exist.",
    "invalid_email": "The e-mail address cannot exist.",
    "invalid_cursor": "The cursor is none of ours.",
    "malformed_json": "The body is no JSON.",
}
