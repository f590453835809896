"""What an agent says in a call-back, in each language that customers have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Sentences = Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=50)]


class CallScript(BaseModel):
    """Sentence by sentence; `{number}` in one stands for the complaint's number."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    zh: Sentences = Field(alias="zh-CN")
    en: Sentences

    def about(self, number: str) -> CallScript:
        """Return the script of one call."""
        # Not `format`: a company's own sentence may hold any other braces.
        zh = tuple(sentence.replace("{number}", number) for sentence in self.zh)
        en = tuple(sentence.replace("{number}", number) for sentence in self.en)
        return CallScript(zh=zh, en=en)
