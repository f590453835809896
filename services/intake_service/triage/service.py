"""Classify complaints by the rules of a taxonomy file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from services.intake_service.triage.domain.classification import Classification, Reason
from services.intake_service.triage.domain.grading import (
    CategorySign,
    GradingRules,
    Lift,
    MotiveSign,
    RiskSign,
    SeveritySign,
    Sign,
    UrgencySign,
    find_motive,
    grade_priority,
    grade_severity,
    grade_urgency,
    suggest_category,
)
from services.intake_service.triage.domain.language import detect_language
from services.intake_service.triage.domain.phrases import PhraseBook, normalise
from services.intake_service.triage.domain.taxonomy import OTHER, Category, Taxonomy
from services.intake_service.triage.schemas import PriorityLift, TaxonomyFile
from shared.events.complaints import signals_in
from shared.events.words import Priority, Severity, Urgency
from shared.kernel.errors import ConfigurationError
from shared.kernel.yaml_documents import InvalidDocument, read_yaml

OWN_TAXONOMY = Path(__file__).with_name("taxonomy.yaml")
STRONG, WEAK = 3, 1
# What decides stands at the beginning, threats stand at the end; the middle of a text of many
# pages would cost milliseconds and change nothing.
_HEAD, _TAIL = 3000, 1000


SETTING = "REDRESS_TAXONOMY"


class Triage:
    """Decides category, severity, urgency, priority, motive and language of a complaint."""

    def __init__(self, file: TaxonomyFile) -> None:
        self.taxonomy = Taxonomy(dict(_categories(file)))
        self._rules = _grading_rules(file)
        self._book: PhraseBook[Sign] = PhraseBook(_phrases(file))

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read a taxonomy file, by default the one that comes with the project.

        Raises ConfigurationError naming the file, the line and the field that is wrong.
        """
        path = path or OWN_TAXONOMY
        try:
            return cls(read_yaml(path.read_text(encoding="utf-8"), TaxonomyFile, name=path.name))
        except OSError as failure:
            raise ConfigurationError(SETTING, f"{path}: {failure.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigurationError(SETTING, f"{path} is not UTF-8") from None
        except InvalidDocument as wrong:
            raise ConfigurationError(SETTING, wrong.detail) from None

    def classify(
        self,
        *,
        description: str,
        category: str | None,
        channel: str,
        tier: str,
        demands: Sequence[str],
        locale: str | None,
    ) -> Classification:
        """Grade a complaint; a category that the sender gave is kept.

        `reasons` tells what made each decision, the urgency first; a decision that has none
        took its default.
        """
        found = _Signs(self._book, description)
        suggested = suggest_category(found.category)
        suggestion = suggested[0] if suggested else OTHER
        chosen = category or suggestion
        severity, why_severity = grade_severity(
            chosen, self.taxonomy.severity(chosen), found.severity
        )
        urgency, why_urgency = grade_urgency(
            self._rules, channel=channel, severity=severity, signs=found.urgency
        )
        priority, why_priority = grade_priority(
            self._rules,
            severity=severity,
            urgency=urgency,
            tier=tier,
            channel=channel,
            risks=found.risk,
        )
        motive, why_motive = find_motive(self._rules, demands=demands, signs=found.motive)
        reasons = [*why_urgency, why_severity, *why_priority]
        if suggested:
            reasons.append(Reason("category-words", suggested[1], f"suggested {suggestion}"))
        if why_motive:
            reasons.append(why_motive)
        return Classification(
            category=chosen,
            decided_by="sender" if category else "system",
            suggested_category=suggestion,
            severity=severity,
            urgency=urgency,
            priority=priority,
            motive=motive,
            language=detect_language(description, locale),
            reasons=tuple(reasons),
        )

    def priority(
        self, *, severity: Severity, urgency: Urgency, tier: str, channel: str
    ) -> Priority:
        """Return the priority of a grade that a person decided: the matrix, lifted as usual."""
        priority, _reasons = grade_priority(
            self._rules, severity=severity, urgency=urgency, tier=tier, channel=channel, risks=()
        )
        return priority

    def signals(self, text: str) -> tuple[str, ...]:
        """Return what the words of an addition are signs of, as events name it."""
        return signals_in(sign.rule for sign, _words in _Signs(self._book, text).urgency)


class _Signs:
    """The phrases of one text, sorted by what they are signs of."""

    def __init__(self, book: PhraseBook[Sign], description: str) -> None:
        self.category: list[tuple[CategorySign, str]] = []
        self.severity: list[tuple[SeveritySign, str]] = []
        self.urgency: list[tuple[UrgencySign, str]] = []
        self.risk: list[tuple[RiskSign, str]] = []
        self.motive: list[tuple[MotiveSign, str]] = []
        if len(description) > _HEAD + _TAIL:
            description = f"{description[:_HEAD]}\n{description[-_TAIL:]}"
        for hit in book.find(normalise(description)):
            for sign in hit.targets:
                # "Nobody was injured" is still about an injury, yet no injury.
                if isinstance(sign, CategorySign):
                    self.category.append((sign, hit.evidence))
                elif hit.negated:
                    continue
                elif isinstance(sign, SeveritySign):
                    self.severity.append((sign, hit.evidence))
                elif isinstance(sign, UrgencySign):
                    self.urgency.append((sign, hit.evidence))
                elif isinstance(sign, RiskSign):
                    self.risk.append((sign, hit.evidence))
                else:
                    self.motive.append((sign, hit.evidence))


def _categories(file: TaxonomyFile) -> Iterator[tuple[str, Category]]:
    for top_code, top in file.categories.items():
        yield top_code, Category(top_code, top.label.model_dump(), Severity.MODERATE)
        for kind_code, kind in top.kinds.items():
            code = f"{top_code}.{kind_code}"
            labels = {
                "zh": f"{top.label.zh} · {kind.label.zh}",
                "en": f"{top.label.en} · {kind.label.en}",
            }
            yield code, Category(code, labels, kind.severity)


def _phrases(file: TaxonomyFile) -> Mapping[str, Sequence[Sign]]:
    book: dict[str, list[Sign]] = {}
    for phrase, sign in _signs(file):
        targets = book.setdefault(normalise(phrase), [])
        if sign not in targets:
            targets.append(sign)
    return book


def _signs(file: TaxonomyFile) -> Iterator[tuple[str, Sign]]:
    for top_code, top in file.categories.items():
        for kind_code, kind in top.kinds.items():
            code = f"{top_code}.{kind_code}"
            yield from ((phrase, CategorySign(code, STRONG)) for phrase in kind.strong)
            yield from ((phrase, CategorySign(code, WEAK)) for phrase in kind.weak)
    for severe in file.severity.rules:
        yield from ((p, SeveritySign(severe.name, severe.level)) for p in severe.signs)
    for urgent in file.urgency.rules:
        yield from ((p, UrgencySign(urgent.name, urgent.level)) for p in urgent.signs)
    for risk in file.priority.risks:
        yield from ((p, RiskSign(risk.name, risk.steps)) for p in risk.signs)
    for motive, rule in file.motive.items():
        yield from ((p, MotiveSign(motive)) for p in rule.signs)


def _grading_rules(file: TaxonomyFile) -> GradingRules:
    return GradingRules(
        urgency=file.urgency.default,
        urgency_by_channel=dict(file.urgency.channels.items()),
        urgency_by_severity=file.urgency.severities,
        matrix=file.priority.matrix,
        tiers={tier: _lift(lift) for tier, lift in file.priority.tiers.items()},
        channels={channel: _lift(lift) for channel, lift in file.priority.channels.items()},
        motive_by_demand={d: motive for motive, rule in file.motive.items() for d in rule.demands},
    )


def _lift(lift: PriorityLift) -> Lift:
    return Lift(steps=lift.steps, at_least=lift.at_least)
