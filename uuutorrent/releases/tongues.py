"""Languages by their codes (ISO 639-1), as people type them and in words. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NAMES: Mapping[str, str] = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "en": "English", "es": "Spanish", "fi": "Finnish",
    "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "ta": "Tamil", "te": "Telugu",
    "th": "Thai", "tl": "Filipino", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
ORIGINALS = frozenset({"ja", "zh", "ko"})
"""What anime is spoken in where nobody dubbed it."""
_ALSO = {
    "eng": "en", "ger": "de", "deu": "de", "fre": "fr", "fra": "fr", "spa": "es", "esp": "es", "ita": "it", "jpn": "ja",
    "jap": "ja", "por": "pt", "rus": "ru", "chi": "zh", "kor": "ko", "ara": "ar", "pol": "pl", "dut": "nl", "tur": "tr",
}  # fmt: skip


def code(word: str) -> str:
    """The code of a language typed as a code or by its English name; what is not known comes back in lower case."""
    said = word.strip().casefold()
    named = next((known for known, name in NAMES.items() if name.casefold() == said), said)
    return _ALSO.get(named, named)


def in_words(codes: Iterable[str], last: str = "or") -> str:
    """Languages by their names: "English", "English, Spanish or French"."""
    *most, final = [NAMES.get(one, one) for one in codes] or ["any language"]
    return f"{', '.join(most)} {last} {final}" if most else final
