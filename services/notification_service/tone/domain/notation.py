"""The notation of `rules.yaml`, and its translation to a regular expression of bounded work.

Whoever edits the rules writes phrases, not regular expressions: `(a|b)` one of several, `(a|)` or
`(a)?` or `a?` perhaps, `…` a few characters within the clause, `……` within the sentence, `@` a
number, `&` one in digits, `^` the beginning of a clause, `$` its end, and in Latin words a final
`*` for any ending.
Nothing in it repeats without a bound, so no text makes the search slow.
"""

from __future__ import annotations

import re

MOST_GAPS = 3
_LONGEST = 1200
_CLAUSE_GAP = {True: r"[^.,。!?;\n]{0,40}?", False: r"[^,。!?;\n]{0,12}?"}
_SENTENCE_GAP = {True: r"[^.。!?;\n]{0,80}?", False: r"[^。!?;\n]{0,30}?"}
_NUMBER = r"[0-9一二两三四五六七八九十百半]{1,6}"
_DIGITS = r"[0-9]{1,4}"
_START = r"(?<![^\s,。.!?;:>()\-\"“”])"
_END = r"(?![^\s,。.!?;:()\-\"“”])"
_SIGNS = {
    "(": "(?:",
    ")": ")",
    "|": "|",
    "?": "?",
    "@": _NUMBER,
    "&": _DIGITS,
    "^": _START,
    "$": _END,
}
_FOREIGN = re.compile(r"[\[\]{}\\+]")
_SIGN = re.compile(r"……|…|.", re.DOTALL)


def is_latin(phrase: str) -> bool:
    """Tell a phrase of Latin words."""
    return phrase.isascii() or not any("\u3400" <= c <= "\u9fff" for c in phrase)


def translate(phrase: str) -> str:
    """Return the regular expression of a folded phrase; raises ValueError saying what is wrong."""
    if not phrase.strip():
        raise ValueError("a phrase must not be empty")
    if phrase != phrase.strip():
        raise ValueError(f"{phrase!r} begins or ends with a space")
    if foreign := _FOREIGN.search(phrase):
        raise ValueError(f"{phrase!r} holds {foreign[0]}, which has no meaning here")
    if len(phrase) > _LONGEST:
        raise ValueError(f"a phrase may have at most {_LONGEST} characters")
    if phrase.count("…") - phrase.count("……") > MOST_GAPS:
        raise ValueError(f"a phrase may have at most {MOST_GAPS} gaps")
    latin = is_latin(phrase)
    written = "".join(_translated(sign, latin=latin) for sign in _SIGN.findall(phrase))
    whole = rf"(?<![a-z0-9])(?:{written})(?![a-z0-9])" if latin else written
    try:
        compiled = re.compile(whole)
    except re.error as wrong:
        raise ValueError(f"{phrase!r} cannot be read: {wrong}") from None
    if compiled.match(""):
        raise ValueError(f"{phrase!r} is found everywhere")
    return whole


def _translated(sign: str, *, latin: bool) -> str:
    if sign == "……":
        return _SENTENCE_GAP[latin]
    if sign == "…":
        return _CLAUSE_GAP[latin]
    if sign == " ":
        return r"[ \n]{1,2}"
    if sign == "*" and latin:
        return "[a-z]{0,12}"
    return _SIGNS.get(sign) or re.escape(sign)
