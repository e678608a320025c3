"""When episodes aired, as far as AniList tells: the next one's hour, a week per episode, and the year. No I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from uuutorrent.anime.anime import Anime

WEEK = timedelta(weeks=1)
LEAD = timedelta(days=2)
"""How long before its hour an episode may be posted: streaming services are ahead of television."""
PATIENCE = timedelta(days=6)
"""How long after its hour most groups have posted it."""
NEW_YEAR = timedelta(days=45)
"""How long before its year a winter show may begin."""


class Airing:
    """What is known of one anime's hours."""

    def __init__(self, anime: Anime) -> None:
        self._anime = anime

    def was_before(self, posted_at: datetime | None) -> bool:
        """Whether something was posted before the anime can have begun."""
        if posted_at is None or self._anime.year is None:
            return False
        return posted_at < datetime(self._anime.year, 1, 1, tzinfo=UTC) - NEW_YEAR

    def is_recent(self, posted_at: datetime | None) -> bool:
        """Whether something was posted since the anime began, as far as its year tells."""
        return posted_at is not None and self._anime.year is not None and not self.was_before(posted_at)

    def fits(self, episode: int, posted_at: datetime | None) -> bool:
        """Whether something was posted in the days after an episode aired: only of a show that airs now."""
        at = self._aired_at(episode)
        return at is not None and posted_at is not None and at - LEAD <= posted_at <= at + PATIENCE

    def _aired_at(self, episode: int) -> datetime | None:
        """Counted back from the next one; further back than a season, breaks make it worthless."""
        anime = self._anime
        if anime.next_airs_at is None or anime.next_episode is None or anime.next_episode - episode > 26:
            return None
        return anime.next_airs_at - WEEK * (anime.next_episode - episode)
