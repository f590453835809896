"""Dead letters over HTTP; what retrying does is tested with the messaging itself."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest

from shared.bus.port import LoggedRecord
from shared.http.auth import Role
from shared.http.dead_letters import dead_letter_router
from shared.messaging import DeadLetter, Outcome
from shared.messaging.dead_letters import LetterNotFound
from tests.service.shared_http.ground import NOW, TestGround, client_of

PATH = "/v1/internal/test/dead-letters"


class Letters:
    """Two letters in memory, in the shape of `shared.messaging.DeadLetters`."""

    def __init__(self) -> None:
        self.letters = {1: _letter(1, b'{"a": 1}'), 2: _letter(2, b"\xffbroken")}
        self.retried: list[int | str] = []

    async def list(self, *, after: int = 0, limit: int = 100) -> Sequence[DeadLetter]:
        return [letter for at, letter in self.letters.items() if at > after][:limit]

    async def show(self, letter_id: int) -> DeadLetter:
        if letter_id not in self.letters:
            raise LetterNotFound(f"there is no dead letter {letter_id}")
        return self.letters[letter_id]

    async def retry(self, letter: int | str) -> Outcome:
        self.retried.append(letter)
        return Outcome(handled=1, waiting=0)

    async def drop(self, letter: int | str) -> Outcome:
        del self.letters[int(letter)]
        return Outcome(handled=0, waiting=1, reason="still broken")


def _letter(at: int, value: bytes) -> DeadLetter:
    record = LoggedRecord("topic", 3, at, 1_795_000_000_000, "c-1", value, (("ce_id", b"x"),))
    return DeadLetter(at, "parked", "no JSON", "c-1", "/intake", at, "CaseOpened", NOW, record)


@pytest.fixture
def letters() -> Letters:
    return Letters()


def _client(ground: TestGround, letters: Letters, *, secret: str = "") -> httpx.AsyncClient:
    headers = [("Authorization", f"Bearer {secret}")] if secret else []
    return client_of(ground.app(dead_letter_router("test", letters)), headers)


async def test_letters_are_listed_page_by_page(ground: TestGround, letters: Letters) -> None:
    async with _client(ground, letters) as client:
        first = (await client.get(f"{PATH}?limit=1")).json()
        second = (await client.get(f"{PATH}?limit=1&cursor={first['next_cursor']}")).json()

    assert [item["id"] for item in first["items"] + second["items"]] == [1, 2]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("path", [f"/{2**64}", "?cursor=WyJ4Il0"])
async def test_a_place_that_no_letter_can_have_is_refused(
    ground: TestGround, letters: Letters, path: str
) -> None:
    async with _client(ground, letters) as client:
        assert (await client.get(PATH + path)).status_code == 422


async def test_a_letter_is_shown_even_where_it_is_no_json(
    ground: TestGround, letters: Letters
) -> None:
    async with _client(ground, letters) as client:
        good, broken = await client.get(f"{PATH}/1"), await client.get(f"{PATH}/2")
        gone = await client.get(f"{PATH}/9")

    assert good.json()["data"] == {"a": 1}
    assert broken.json()["data"] == "\ufffdbroken"
    assert gone.status_code == 404


async def test_a_letter_is_retried_by_its_id_or_its_complaints(
    ground: TestGround, letters: Letters
) -> None:
    async with _client(ground, letters) as client:
        answers = [await client.post(f"{PATH}/{name}/retry") for name in ("1", "c-1")]

    assert letters.retried == [1, "c-1"]
    assert answers[0].json() == {"handled": 1, "waiting": 0, "reason": None}


async def test_a_dropped_letter_tells_what_still_waits(
    ground: TestGround, letters: Letters
) -> None:
    async with _client(ground, letters) as client:
        answer = await client.post(f"{PATH}/2/drop")

    assert answer.json()["reason"] == "still broken"
    assert 2 not in letters.letters


async def test_only_an_admin_may_touch_letters(ground: TestGround, letters: Letters) -> None:
    secret = ground.keys.create(role=Role.AGENT, name="a")

    async with _client(ground, letters, secret=secret) as client:
        assert (await client.get(PATH)).status_code == 403
