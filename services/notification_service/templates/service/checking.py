"""Check a wording: first what it is written in, then how it reads in every scene."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes

from services.notification_service.templates.domain import language
from services.notification_service.templates.domain.language import BLOCKS, Fault, fault
from services.notification_service.templates.domain.samples import Sample
from services.notification_service.templates.domain.scene import CannotRender, Locale
from services.notification_service.templates.domain.sms import measure
from services.notification_service.templates.service.rendering import Templates
from shared.events.words import MessageChannel

_PARSER: Final = Environment()  # noqa: S701 - parses and never renders
_MOST_SEGMENTS: Final = 10
_LONGEST_SUBJECT: Final = 150
_SHOWN: Final = 20

_HOLDERS: Final = (
    nodes.Output,
    nodes.If,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Concat,
    nodes.TemplateData,
    nodes.List,
    nodes.Tuple,
)
"""Nodes that are allowed wherever they stand, as long as what is in them is."""

_CONSTANTS: Final = (str, int, float, bool, type(None))
_LARGEST: Final = 1_000_000_000
# No database, mail header or phone takes them; line ends and tabs are let be.
_ODD: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_UNREADABLE: Final = "a control character or half a character is in it"


def language_faults(source: str) -> list[Fault]:
    """Return what a wording says that it may not say; empty for one that may be rendered."""
    if len(source) > language.LONGEST_SOURCE:
        most = language.LONGEST_SOURCE
        return [fault("too_long", "a wording has %(most)s characters at most", most=most)]
    if odd := _ODD.search(source):
        return [fault("control_character", _UNREADABLE, source.count("\n", 0, odd.start()) + 1)]
    try:
        tree = _PARSER.parse(source)
    except TemplateSyntaxError as wrong:
        reason = wrong.message or "?"
        return [fault("syntax", "this cannot be read: %(reason)s", wrong.lineno, reason=reason)]
    except ValueError:
        # Python's own limit, of 4,300 digits: Jinja lets it through.
        return [fault("syntax", "a number in it has too many digits")]
    except RecursionError:
        return [fault("too_deep", "goes too deep: brackets within brackets")]
    reading = _Reading()
    reading.top(tree)
    return _sorted(reading.faults)


class _Reading:
    """One walk over a wording; `seen` bounds it, so that no wording makes the check itself long."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._seen = 0

    def top(self, tree: nodes.Template) -> None:
        found: list[str] = []
        for node in tree.body:
            if isinstance(node, nodes.Block):
                if node.name in found:
                    said = "there is a second block %(block)s"
                    self._refuse(node, "block_twice", said, block=node.name)
                found.append(node.name)
                self._block(node)
            elif not _is_blank(node):
                self._refuse(node, "outside", "everything must stand in a block")
        for name in BLOCKS:
            if name not in found:
                said = "there is no block %(block)s: {%% block %(block)s %%}…{%% endblock %%}"
                self.faults.append(fault("block_missing", said, block=name))

    def _block(self, node: nodes.Block) -> None:
        if node.name not in BLOCKS:
            known = ", ".join(BLOCKS)
            said = "blocks are %(known)s, not %(block)s"
            self._refuse(node, "unknown_block", said, known=known, block=node.name)
        if node.scoped or node.required:
            self._refuse(node, "not_allowed", "a block is neither scoped nor required")
        self._all(node.body, frozenset(), depth=1)

    def _all(self, found: Iterable[nodes.Node], local: frozenset[str], *, depth: int) -> None:
        for node in found:
            self._seen += 1
            if self._seen > language.MOST_NODES or depth > language.DEEPEST:
                if not any(fault.code == "too_deep" for fault in self.faults):
                    self._refuse(node, "too_deep", "is too long or goes too deep")
                return
            self._node(node, local, depth)

    def _node(self, node: nodes.Node, local: frozenset[str], depth: int) -> None:
        match node:
            case nodes.For():
                self._loop(node, local, depth)
                return
            case nodes.Name():
                self._name(node, local)
            case nodes.Const() if isinstance(node.value, _CONSTANTS):
                self._constant(node)
            case nodes.Filter():
                self._filter(node, local, depth)
                return
            case nodes.Call():
                self._call(node, local, depth)
                return
            case nodes.Getattr():
                self._attribute(node, local)
                return
            case _ if not isinstance(node, _HOLDERS):
                said = "%(what)s is not allowed here"
                self._refuse(node, "not_allowed", said, what=_called(node))
                return
        self._all(node.iter_child_nodes(), local, depth=depth + 1)

    def _loop(self, node: nodes.For, local: frozenset[str], depth: int) -> None:
        over = node.iter.name if isinstance(node.iter, nodes.Name) else None
        if over not in language.LOOPED_OVER or not isinstance(node.target, nodes.Name):
            self._refuse(node, "loop", "a loop goes over options: {%% for option in options %%}")
        elif local or node.recursive or node.test is not None:
            self._refuse(node, "loop", "a loop stands in no other one and has no condition")
        elif node.target.name in language.VARIABLES | language.FUNCTIONS | {"loop"}:
            said = "%(name)s means something else already"
            self._refuse(node, "loop", said, name=node.target.name)
        else:
            self._all(node.body, frozenset({node.target.name, "loop"}), depth=depth + 1)
            self._all(node.else_, local, depth=depth + 1)

    def _name(self, node: nodes.Name, local: frozenset[str]) -> None:
        known = language.VARIABLES | (local - {"loop"})
        if node.ctx != "load":
            self._refuse(node, "not_allowed", "nothing may be set")
        elif node.name not in known:
            near = difflib.get_close_matches(node.name, sorted(known), n=1)
            if near:
                said = "there is no variable %(name)s; did you mean %(near)s?"
                self._refuse(node, "unknown_variable", said, name=node.name, near=near[0])
            else:
                said = "there is no variable %(name)s"
                self._refuse(node, "unknown_variable", said, name=node.name)

    def _constant(self, node: nodes.Const) -> None:
        # By an escape such as "\ud800" a text says what its source does not show.
        if isinstance(node.value, str) and _ODD.search(node.value):
            self._refuse(node, "control_character", _UNREADABLE)
        elif isinstance(node.value, int) and abs(node.value) > _LARGEST:
            self._refuse(node, "not_allowed", "a number is %(most)s at most", most=_LARGEST)

    def _filter(self, node: nodes.Filter, local: frozenset[str], depth: int) -> None:
        if node.name not in language.FILTERS:
            known = ", ".join(sorted(language.FILTERS))
            said = "filters are %(known)s, not %(name)s"
            self._refuse(node, "unknown_filter", said, known=known, name=node.name)
        elif node.kwargs or node.dyn_args or node.dyn_kwargs or node.node is None:
            self._refuse(node, "not_allowed", "%(name)s is not used like this", name=node.name)
        elif node.name == "short" and not _is_length(node.args):
            said = "short takes a number up to %(most)s: short(40)"
            self._refuse(node, "not_allowed", said, most=language.LONGEST_SHORT)
        elif node.name != "short" and node.args:
            said = "%(name)s takes nothing in brackets"
            self._refuse(node, "not_allowed", said, name=node.name)
        else:
            self._all([node.node], local, depth=depth + 1)

    def _call(self, node: nodes.Call, local: frozenset[str], depth: int) -> None:
        called = node.node.name if isinstance(node.node, nodes.Name) else None
        if called not in language.FUNCTIONS:
            self._refuse(node, "unknown_function", "only at(a time) and price(an amount) are there")
        elif len(node.args) != 1 or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._refuse(node, "not_allowed", "%(name)s takes one thing", name=called)
        else:
            self._all(node.args, local, depth=depth + 1)

    def _attribute(self, node: nodes.Getattr, local: frozenset[str]) -> None:
        of = node.node.name if isinstance(node.node, nodes.Name) else None
        known = language.LOOP_ATTRIBUTES if of == "loop" else language.ATTRIBUTES
        if of not in local:
            said = "nothing but an option has parts (.%(part)s)"
            self._refuse(node, "not_allowed", said, part=node.attr)
        elif node.attr not in known:
            parts = ", ".join(sorted(known))
            said = "%(name)s has %(known)s, not %(part)s"
            self._refuse(node, "unknown_variable", said, name=of, known=parts, part=node.attr)

    def _refuse(self, node: nodes.Node, code: str, message: str, **values: object) -> None:
        self.faults.append(fault(code, message, node.lineno, **values))


def reading_faults(
    templates: Templates,
    source: str,
    place: tuple[str, Locale],
    samples: Sequence[Sample],
) -> list[Fault]:
    """Return where a wording that may be rendered reads badly, each fault once."""
    kind, locale = place
    own = ("draft", templates.read(source))
    faults: dict[tuple[str, int | None], Fault] = {}
    for sample in samples:
        for channel in (MessageChannel.SMS, MessageChannel.EMAIL):
            try:
                message = templates.render(kind, locale, channel, sample.scene, own)
            except CannotRender as broken:
                said = "%(reason)s (scene: %(scene)s)"
                place_of = (broken.reason, broken.line)
                found = fault("scene", said, broken.line, reason=broken.reason, scene=sample.name)
                faults.setdefault(place_of, found)
                continue
            for one in _bad(message.text, message.subject, sample):
                faults.setdefault((one.code, None), one)
    return _sorted(faults.values())


def _bad(text: str, subject: str | None, sample: Sample) -> Iterator[Fault]:
    block, scene = "sms" if subject is None else "email", sample.name
    if sample.scene.number is not None and sample.scene.number not in text:
        said = "the complaint's number is not in it (block %(block)s, scene: %(scene)s)"
        yield fault(f"{block}_without_number", said, block=block, scene=scene)
    if subject is not None and not 0 < len(subject) <= _LONGEST_SUBJECT:
        said = "a subject has 1 to %(most)s characters, not %(length)s (scene: %(scene)s)"
        yield fault("subject_length", said, most=_LONGEST_SUBJECT, length=len(subject), scene=scene)
    if subject is None and (segments := measure(text).segments) > _MOST_SEGMENTS:
        said = "an SMS has %(most)s segments at most, not %(length)s (scene: %(scene)s)"
        yield fault("sms_length", said, most=_MOST_SEGMENTS, length=segments, scene=scene)


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Output) and all(
        isinstance(part, nodes.TemplateData) and not part.data.strip() for part in node.nodes
    )


def _is_length(args: Sequence[nodes.Expr]) -> bool:
    if len(args) != 1 or not isinstance(args[0], nodes.Const):
        return False
    length = args[0].value
    return type(length) is int and 2 <= length <= language.LONGEST_SHORT


_CALLED: Final[dict[str, str]] = {
    "Assign": "set",
    "AssignBlock": "set",
    "CallBlock": "call",
    "FilterBlock": "a filter block",
    "Block": "a block in a block",
    "Getitem": "taking a part by [ ]",
    "Add": "arithmetic",
    "Sub": "arithmetic",
    "Mul": "arithmetic",
    "Div": "arithmetic",
    "FloorDiv": "arithmetic",
    "Mod": "arithmetic",
    "Pow": "arithmetic",
    "Neg": "arithmetic",
    "Pos": "arithmetic",
    "Test": "is",
}


def _called(node: nodes.Node) -> str:
    name = type(node).__name__
    return _CALLED.get(name, name.lower())


def _sorted(faults: Iterable[Fault]) -> list[Fault]:
    by_line: Callable[[Fault], int] = lambda one: one.line or 0  # noqa: E731 - a key
    return sorted(faults, key=by_line)[:_SHOWN]
