"""How contact details are written by senders, and read into the forms they are stored in."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

_PUNCTUATION = str.maketrans("", "", " -().\u00a0")
_CHINESE_MOBILE = re.compile(r"(?:\+86|0086)?(1[3-9]\d{9})")
_CHINA = 86
_EMAIL = re.compile(
    r"[^\s@\"(),:;<>\[\]\\\x00-\x20\x7f]{1,64}@"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_](?:[\w-]{0,61}[^\W_])"
)
_EMAIL_LENGTH = 254


def read_phone(text: str, *, default_region: str) -> str:
    """Return a phone number in E.164; raises ValueError for what cannot be dialled.

    A number without country code is read as one of `default_region` (ISO 3166-1). Judged is the
    length for its country, not whether the range is handed out: ranges change faster than their
    lists, and a real customer turned away costs more than a mistyped digit. What people type where
    a form wants a number and they have none, `00000000000` or `11111111111`, is refused: all who
    typed it would be taken for one customer.
    """
    if default_region == "CN" and (mobile := _CHINESE_MOBILE.fullmatch(_bare(text))):
        return "+86" + mobile[1]
    try:
        number = phonenumbers.parse(text, default_region)
    except NumberParseException:
        raise ValueError("not a phone number") from None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise ValueError("not the length of a phone number there")
    if number.national_number == 0:
        raise ValueError("a row of zeros is no phone number")
    if _is_broken_chinese_mobile(number):
        raise ValueError("a Chinese mobile number has eleven digits and begins with 13 to 19")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def read_email(text: str) -> str:
    """Return an e-mail address, trimmed and composed (NFC); raises ValueError for what is none."""
    address = unicodedata.normalize("NFC", text.strip())
    if len(address) > _EMAIL_LENGTH or not _EMAIL.fullmatch(address) or ".." in address:
        raise ValueError("not an e-mail address")
    return address


def _bare(text: str) -> str:
    return text.translate(_PUNCTUATION)


def _is_broken_chinese_mobile(number: phonenumbers.PhoneNumber) -> bool:
    national = str(number.national_number)
    # Shorter ones are Beijing's, 10 and eight digits.
    mobile = number.country_code == _CHINA and national[0] == "1" and len(national) > 10
    return mobile and _CHINESE_MOBILE.fullmatch(national) is None
