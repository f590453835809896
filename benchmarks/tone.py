"""What the tone check finds in real replies: `zh_gov_messages_replies.csv.gz`, never committed.

It prints how many replies have a finding of each rule, and how many do each duty. `--only tone`
with `TONE_SAMPLE=20` also prints so many findings of each rule, to be judged by eye.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.notification_service.tone.domain.checking import Finding
from services.notification_service.tone.schemas import LONGEST
from services.notification_service.tone.service import check

FOLDER = Path(os.environ.get("REDRESS_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
FILE = FOLDER / "zh_gov_messages_replies.csv.gz"
_AROUND = 30

Found = tuple[str, Finding]


def main(console: Console, *, quick: bool) -> None:
    """Check every reply, or every tenth."""
    if not FILE.is_file():
        console.print(f"tone: the real replies are not here, {FILE} is missing: nothing is said.")
        return
    replies = list(_replies(FILE))[:: 10 if quick else 1]
    found, with_findings, duties = _check(console, replies)
    console.print(_by_rule(found, with_findings, len(replies)))
    console.print(_by_duty(duties, len(replies)))
    _sample(console, found, most=int(os.environ.get("TONE_SAMPLE") or 0))


def _replies(file: Path) -> Iterator[str]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            if text := row["答复意见"].strip():
                yield text[:LONGEST]


def _check(
    console: Console, replies: Sequence[str]
) -> tuple[Mapping[str, Sequence[Found]], int, Counter[str]]:
    found: dict[str, list[Found]] = defaultdict(list)
    duties: Counter[str] = Counter()
    with_findings = 0
    began = time.monotonic()
    for text in replies:
        verdict = check(text)
        with_findings += bool(verdict.findings)
        duties.update(str(duty) for duty, done in verdict.duties.items() if done)
        for finding in verdict.findings:
            found[finding.rule].append((text, finding))
    each = (time.monotonic() - began) / len(replies) * 1000
    console.print(f"{len(replies):,} replies, {each:.1f} ms each")
    return found, with_findings, duties


def _by_rule(found: Mapping[str, Sequence[Found]], with_findings: int, count: int) -> Table:
    table = Table("rule", "findings", "replies", "share of replies", title="Findings")
    for rule, all_of_it in sorted(found.items(), key=lambda item: -len(item[1])):
        replies = len({text for text, _ in all_of_it})
        table.add_row(rule, str(len(all_of_it)), str(replies), f"{replies / count:.1%}")
    total = sum(map(len, found.values()))
    table.add_row("any", str(total), str(with_findings), f"{with_findings / count:.1%}")
    return table


def _by_duty(duties: Counter[str], count: int) -> Table:
    table = Table("duty", "replies that do it", "share", title="Duties")
    for duty, done in duties.most_common():
        table.add_row(duty, str(done), f"{done / count:.1%}")
    return table


def _sample(console: Console, found: Mapping[str, Sequence[Found]], *, most: int) -> None:
    chance = random.Random(1)
    for rule, all_of_it in found.items():
        for text, finding in chance.sample(all_of_it, min(most, len(all_of_it))):
            before = text[max(0, finding.start - _AROUND) : finding.start]
            after = text[finding.end : finding.end + _AROUND]
            line = " ".join(f"{before}【{finding.phrase}】{after}".split())
            console.print(f"{rule}: {escape(line)}", soft_wrap=True)
