"""What AniList is asked, in GraphQL. Nothing else in the house writes GraphQL.

The service refuses questions of more than 500 fields, counted without multiplying by list lengths; the largest here has
about 100. `relationType` and `status` are versioned: version 2 has HIATUS and the newer relations.
Source: AniList API reference (docs.anilist.co).
"""

from __future__ import annotations

from typing import Final

CHUNK: Final = 500
"""Entries per piece of a collection, the most AniList gives."""
PAGE: Final = 50
"""Items per page, the most AniList gives."""

_NAMES = """
fragment names on Media {
  id type format status(version: 2) episodes seasonYear synonyms
  title { romaji english native }
  startDate { year }
}"""

_SHOW = (
    """
fragment show on Media {
  id type format status(version: 2) episodes duration seasonYear isAdult siteUrl synonyms
  title { romaji english native userPreferred }
  startDate { year }
  coverImage { extraLarge large color }
  nextAiringEpisode { airingAt episode }
  relations { edges { relationType(version: 2) node { ...names } } }
}"""
    + _NAMES
)

_ENTRY = (
    """
fragment entry on MediaList { id mediaId status progress updatedAt media { ...show } }"""
    + _SHOW
)

VIEWER: Final = "query Viewer { Viewer { id name options { titleLanguage } } }"

COLLECTION: Final = (
    """
query Collection($user: Int!, $statuses: [MediaListStatus], $chunk: Int!, $size: Int!) {
  MediaListCollection(
    userId: $user, type: ANIME, status_in: $statuses, forceSingleCompletedList: true, chunk: $chunk, perChunk: $size
  ) {
    hasNextChunk
    lists { status entries { ...entry } }
  }
}"""
    + _ENTRY
)

ENTRY: Final = (
    """
query Entry($user: Int!, $media: Int!) {
  Page(page: 1, perPage: 1) { mediaList(userId: $user, mediaId: $media, type: ANIME) { ...entry } }
}"""
    + _ENTRY
)

MEDIA: Final = (
    """
query Media($ids: [Int], $size: Int!) {
  Page(page: 1, perPage: $size) { media(id_in: $ids, type: ANIME) { ...show } }
}"""
    + _SHOW
)

KIN: Final = (
    """
query Kin($ids: [Int], $size: Int!) {
  Page(page: 1, perPage: $size) {
    media(id_in: $ids, type: ANIME) {
      ...show
      relations { edges { node { relations { edges { relationType(version: 2) node { ...names } } } } } }
    }
  }
}"""
    + _SHOW
)
"""Shows with their relatives and theirs."""

SEARCH: Final = (
    """
query Search($text: String!, $size: Int!) {
  Page(page: 1, perPage: $size) { media(search: $text, type: ANIME, isAdult: false, sort: SEARCH_MATCH) { ...show } }
}"""
    + _SHOW
)

SAVE: Final = (
    """
mutation Save($media: Int!, $status: MediaListStatus, $progress: Int) {
  SaveMediaListEntry(mediaId: $media, status: $status, progress: $progress) { ...entry }
}"""
    + _ENTRY
)

ENTRY_ID: Final = """
query EntryId($user: Int!, $media: Int!) {
  Page(page: 1, perPage: 1) { mediaList(userId: $user, mediaId: $media, type: ANIME) { id mediaId } }
}"""

DELETE: Final = "mutation Delete($entry: Int!) { DeleteMediaListEntry(id: $entry) { deleted } }"
