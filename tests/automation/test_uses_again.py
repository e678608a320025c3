"""A question that was answered with no is not asked again, and takes no other's place."""

from __future__ import annotations

from tests.automation.test_uses import Sofa, sofa

__all__ = ["sofa"]


async def test_what_was_denied_does_not_take_the_place_of_a_smaller_question(sofa: Sofa) -> None:
    await sofa.reads_episode(5)
    await sofa.answers.answer(sofa.ann, (await sofa.question()).id, "no")
    await sofa.reads_episode(4)
    assert await sofa.asked() == ["Watched episode 4 of Frieren?"]
    sofa.reads(await sofa.has("[Other] Frieren - 05.mkv", 5))
    await sofa.later()
    assert await sofa.asked() == ["Watched episode 4 of Frieren?"]
