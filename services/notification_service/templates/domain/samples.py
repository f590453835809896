"""Scenes to try a wording in: all that can be known, and what may be missing or different."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from services.notification_service.templates.domain.language import is_for_staff
from services.notification_service.templates.domain.scene import Locale, OfferedOption, Scene

_DUE: Final = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
_SURVEY: Final = "http://127.0.0.1:8000/survey/Vd0xk3oWmQxXb1sLq9Tz4A"
_CASE: Final = "http://127.0.0.1:8000/cases/7K3F-9Q2M-X"
_TRACK: Final = "http://127.0.0.1:8000/track/Vd0xk3oWmQxXb1sL"
_ANSWER: Final = "http://127.0.0.1:8000/answer/AZrBLX1_eoCAAE8tH28KEZ5cB1r3sQxWm2XbLk0Vd3o"

_NEXT: Final[Mapping[str, str | None]] = {
    "proposal": "resolve",
    "step": "resolve",
    "staff_answered": "carry_out",
    "resolved": "follow_up",
    "closed": None,
    "rejected": None,
}
"""The next step that comes after a message of a kind, where it is not a proposal."""

_ALWAYS: Final = frozenset({"number", "tracking_url", "urgent", "final", "round", "occurrence"})
_ALWAYS_TO_STAFF: Final = _ALWAYS | {"due_at", "clock", "cause", "level"}
"""What every message knows; all else can be missing, and a wording must ask for it first."""

_LIST: Final = "http://127.0.0.1:8000/dashboard/complaints?category=logistics.short"
_SIGNALS: Final[Mapping[str, Scene]] = {
    "staff_hotspot": Scene(
        category="logistics.short",
        product="SKU-88",
        region="CN-31",
        count=9,
        usual=1.5,
        since=_DUE - timedelta(hours=8),
        until=_DUE - timedelta(hours=2),
        complaints_url=_LIST,
    ),
    "staff_incident": Scene(
        category="logistics.short", count=14, due_at=_DUE, complaints_url=_LIST
    ),
}
_ALWAYS_OF_SIGNALS: Final[Mapping[str, frozenset[str]]] = {
    "staff_hotspot": frozenset({"category", "count", "since", "until", "complaints_url"}),
    "staff_incident": frozenset({"count", "complaints_url"}),
}
_LEADER: Final[Mapping[Locale, str]] = {"zh-CN": "郑浩", "en": "Hao Zheng"}

_GO_WITH: Final[Mapping[str, dict[str, object]]] = {"next_step": {"next_due_at": None}}
"""What cannot be known without the other: a step that is not there has no time."""

_NAME: Final[Mapping[Locale, str]] = {"zh-CN": "王芳", "en": "Ann Lee"}
_DESCRIPTION: Final[Mapping[Locale, str]] = {
    "zh-CN": "周三收到的订单少了两件，客服一直推诿，再不处理我就打12315。",
    "en": "Two items of Wednesday's order were missing, and support keeps stalling.",
}
_OPTIONS: Final[Mapping[Locale, tuple[str, str]]] = {
    "zh-CN": ("补发缺少的两件，明天寄出", "退还两件的货款"),
    "en": ("We post the two missing items tomorrow", "We refund the two items"),
}
_PROMISED: Final[Mapping[Locale, str]] = {
    "zh-CN": "24 小时内补发缺少的两件",
    "en": "we post the two missing items within 24 hours",
}
_TEXTS: Final[Mapping[str, Mapping[Locale, str]]] = {
    "information_requested": {
        "zh-CN": "请把外包装和面单的照片发给我们，好查是在哪一站少的。",
        "en": "Could you send us a photo of the parcel and its label?",
    },
    "proposal": {
        "zh-CN": "仓库在装箱时漏放了两件，是我们的错。",
        "en": "Our warehouse left two items out when it packed your order.",
    },
    "step": {
        "zh-CN": "补发的两件商品今天已经寄出。",
        "en": "We posted the two missing items today.",
    },
    "resolved": {
        "zh-CN": "缺的两件已经补发并签收，仓库加了装箱复核。",
        "en": "You have the two missing items, and we now check every parcel twice.",
    },
    "rejected": {
        "zh-CN": "装箱录像和称重记录显示五件都在箱内，签收时封条完好。",
        "en": "Weight and video show that all five items were in the sealed parcel.",
    },
    "promise": _PROMISED,
    "promise_kept": _PROMISED,
    "promise_delayed": _PROMISED,
    "promise_broken": _PROMISED,
    "staff_promise_delayed": _PROMISED,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A scene with a name that says what is special about it."""

    name: str
    scene: Scene


def whole_scene(kind: str, locale: Locale) -> Scene:
    """Return the scene of one kind in which everything is known."""
    if kind in _SIGNALS:
        leader = _LEADER[locale] if kind == "staff_incident" else None
        return _SIGNALS[kind].model_copy(update={"owner": leader})
    staff = is_for_staff(kind)
    first, second = _OPTIONS[locale]
    return Scene(
        number="7K3F-9Q2M-X",
        name=None if staff else _NAME[locale],
        description=None if staff else _DESCRIPTION[locale],
        tracking_url=None if staff else _TRACK,
        due_at=_DUE,
        next_step=_NEXT.get(kind, "propose"),
        next_due_at=_DUE,
        text=_TEXTS.get(kind, {}).get(locale),
        reference="SF1234567890" if kind == "step" else None,
        outcome="solved",
        options=(
            OfferedOption(key="A", text=first, answer_url=f"{_ANSWER}?option=A"),
            OfferedOption(
                key="B", text=second, amount="39.80 CNY", answer_url=f"{_ANSWER}?option=B"
            ),
        ),
        category="logistics.short",
        priority="P2",
        clock="acknowledge" if kind == "operator_alert" else "first_reply",
        level=1,
        cause="unanswered" if kind == "staff_follow_up" else "breach",
        state="investigating",
        new_due_at=_DUE + timedelta(days=1),
        answer_url=None if staff else _ANSWER,
        chosen="A" if kind == "staff_answered" else None,
        into_number="4M2T-8HXC-5" if kind == "staff_merged" else None,
        amount="460.00 CNY" if kind.startswith("staff_approval") else None,
        survey_url=_SURVEY if kind == "survey" else None,
        case_url=_CASE if staff else None,
        score=2 if staff else None,
        wants_call=staff,
    )


def samples_of(kind: str, locale: Locale) -> list[Sample]:
    """Return scenes in which every branch of a wording is walked."""
    whole = whole_scene(kind, locale)
    always = _always(kind)
    found = [Sample("everything is known", whole)]
    missing: dict[str, object] = {}
    for name, field in Scene.model_fields.items():
        empty = field.get_default()
        if name not in always and getattr(whole, name) != empty:
            missing[name] = empty
            gone = {name: empty} | _GO_WITH.get(name, {})
            found.append(Sample(f"without {name}", whole.model_copy(update=gone)))
    found.append(Sample("hardly anything is known", whole.model_copy(update=missing)))
    others = _other_signals() if kind in _SIGNALS else _others(locale)
    return found + [Sample(name, whole.model_copy(update=given)) for name, given in others.items()]


def _always(kind: str) -> frozenset[str]:
    if kind in _SIGNALS:
        return _ALWAYS_OF_SIGNALS[kind]
    return _ALWAYS_TO_STAFF if is_for_staff(kind) else _ALWAYS


_IN_TONE: Final = frozenset(
    {
        "everything is known",
        "answered without a solution",
        "a second round",
        "a final offer",
        "another proposal",
        "more time for the proposal",
        "more time for the resolution",
        "added to an open complaint",
        "said again as it grows",
        "its reader leads it",
    }
)


def scenes_for_tone(kind: str, locale: Locale) -> list[Sample]:
    """Return the scenes of which the tone is judged: what is missing is no fault of tone."""
    return [sample for sample in samples_of(kind, locale) if sample.name in _IN_TONE]


def _other_signals() -> dict[str, dict[str, object]]:
    return {
        "said again as it grows": {"occurrence": 2},
        "hardly any are usual": {"usual": 0.01},
        "its reader leads it": {"leads": True},
        "none is linked yet": {"count": 0},
    }


def _others(locale: Locale) -> dict[str, dict[str, object]]:
    first, _ = _OPTIONS[locale]
    long = (_DESCRIPTION[locale] + " ") * 300
    return {
        "answered without a solution": {"outcome": "answered"},
        "a second round": {"round": 2},
        "a final offer": {"final": True},
        "another proposal": {"occurrence": 2},
        "more time for the proposal": {"clock": "propose"},
        "more time for the resolution": {"clock": "resolve"},
        "an urgent complaint": {"urgent": True},
        "a single option": {"options": (OfferedOption(key="A", text=first),)},
        "added to an open complaint": {"into_number": "4M2T-8HXC-5"},
        "very many words": {"description": long, "text": long},
        "words that look like a template": {
            "name": "{{ name }}",
            "text": "{% for a in b %} <b>&",
            "description": "{{ 7 * 7 }}",
        },
    }
