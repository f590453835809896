"""Whatever the page of wordings says is wrong in English, it says in Chinese too."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from services.notification_service.messages.domain.words import Kind
from services.notification_service.templates import service
from services.notification_service.templates.domain.language import fault
from services.notification_service.templates.domain.samples import samples_of
from services.notification_service.templates.service import checking, toning
from services.notification_service.templates.service.checking import language_faults
from services.notification_service.templates.service.faults import FaultWords
from shared.web.i18n import load_catalogue

HERE = Path(service.__file__).parent
CHINESE = load_catalogue([HERE.parent / "locale"])


def _said() -> Iterator[str]:
    """Yield the messages of faults: what is called `said`, or handed over as one."""
    for module in (checking, toning):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            match node:
                case ast.Assign(targets=[ast.Name(id="said")], value=ast.Constant(value=str(said))):
                    yield said
                case ast.Call(
                    func=ast.Name(id="fault"), args=[_, ast.Constant(value=str(said)), *_]
                ):
                    yield said
                case ast.Call(
                    func=ast.Attribute(attr="_refuse"),
                    args=[_, _, ast.Constant(value=str(said)), *_],
                ):
                    yield said


def test_every_fault_is_translated() -> None:
    found = {*_said(), checking._UNREADABLE}
    found |= {*checking._CALLED.values(), *toning._OWED.values()}

    assert len(found) > 40
    assert {one for one in found if CHINESE.gettext(one) == one} == set()


def test_every_scene_is_called_by_a_chinese_name() -> None:
    words = FaultWords(CHINESE.gettext)
    names = {one.name for kind in Kind for one in samples_of(kind, "zh-CN")}

    assert len(names) > 20
    assert {name for name in names if words.scene(name) == name} == set()


def test_a_fault_is_said_with_its_line_and_what_it_is_about() -> None:
    (found,) = language_faults(
        "{% block sms %}{{ nmae }}{% endblock %}"
        "{% block subject %}{% endblock %}{% block email %}{% endblock %}"
    )

    assert FaultWords(CHINESE.gettext).of(found) == "第 1 行：没有变量 nmae，是不是想写 name？"
    assert FaultWords(str).of(found) == "line 1: there is no variable nmae; did you mean name?"


def test_scenes_and_reasons_within_a_fault_are_translated_and_names_are_not() -> None:
    found = fault(
        "duty",
        "block %(block)s does not say %(owed)s (scene: %(scene)s)",
        block="sms",
        owed="what we do next",
        scene="without name",
    )

    said = FaultWords(CHINESE.gettext).of(found)

    assert said == "部分 sms 没有写明我们下一步做什么（情形：没有 name）"
