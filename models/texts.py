"""Texts that people name things with: one stored form for each, without characters that nobody can see.

Two names that look the same must be the same: otherwise one service, account or note can pose as another.
"""

import re
import unicodedata
from functools import lru_cache

from models.errors import InvalidValue

# Control, surrogate, line and paragraph separators; and the marks that turn the direction of the text after them, with
# which one service can be made to look like another (CVE-2021-42574).
_CONTROL_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTION_MARKS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Without a glyph of their own (Unicode's property Default_Ignorable_Code_Point), beside those of category Cf; and the
# Braille cell without dots.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
# Category Cf, but drawn: signs that stand before Arabic, Syriac and Kaithi numbers (Prepended_Concatenation_Mark).
_VISIBLE_FORMAT = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")

_VIRAMA = 9  # canonical combining class
_PRESENTATION_SELECTORS = "\ufe0e\ufe0f"
_KEYCAP = "\u20e3"
_SKIN_TONES = "\U0001f3fb-\U0001f3ff"
# A flag of a part of a country: a black flag, its code in tag characters, and their end (UTS #51, ED-14a).
_TAGGED_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_EMOJI_BEFORE_JOINER = re.compile(f"[{_PRESENTATION_SELECTORS}{_SKIN_TONES}]")
_EMOJI_PUNCTUATION = set("\u203c\u2049\u3030")


def canonical_text(text: str, what: str) -> str:
    """The text as it is stored: Unicode's composed form (NFC), trimmed, and with one plain space for any white space.

    A no-break or an ideographic space, or two spaces, look like one space in a page. `what` names the text in the
    message, such as "The note". Raises InvalidValue, which names the code point, for a text that holds a control
    character or one that nobody can see.
    """
    composed = unicodedata.normalize("NFC", text).strip()
    if composed.isalnum() and composed.isascii():
        return composed  # nearly all; a long import asks this a million times
    check_visible(composed, what)
    return " ".join(composed.split())


def search_key(text: str) -> str:
    """The form of a name that is searched and sorted: composed, and without upper and lower case."""
    return unicodedata.normalize("NFC", text).casefold()


def check_visible(text: str, what: str) -> None:
    """Raise InvalidValue, which names the code point, for a control character or one that nobody can see."""
    if (character := control_character(text)) is not None:
        raise InvalidValue(f"{what} holds the control character U+{ord(character):04X}; remove it.")
    check_unseen(text, what)


def check_unseen(text: str, what: str) -> None:
    """Raise InvalidValue, which names the code point, if a text holds a character that nobody can see."""
    if (character := unseen_character(text)) is not None:
        name = unicodedata.name(character, "a code point without a name").lower()
        raise InvalidValue(f"{what} holds the invisible character U+{ord(character):04X} ({name}); remove it.")


def control_character(text: str) -> str | None:
    """The first character that no text shown in the page may hold, or None."""
    if text.isascii() and text.isprintable():
        return None
    return next(
        (each for each in text if unicodedata.category(each) in _CONTROL_CATEGORIES or each in _DIRECTION_MARKS), None
    )


def unseen_character(text: str) -> str | None:
    """The first character that nobody can see, where it is not part of how a script or an emoji is written; or None."""
    if text.isascii():
        return None
    text = _TAGGED_FLAG.sub("\U0001f3f4", text)
    return next((each for at, each in enumerate(text) if _is_invisible(each) and not _belongs(text, at)), None)


def trim_unseen(text: str) -> str:
    """The text without white space and invisible characters at its ends, as a search for something pasted needs it."""
    start, end = 0, len(text)
    while start < end and (text[start].isspace() or _is_invisible(text[start])):
        start += 1
    while end > start and (text[end - 1].isspace() or _is_invisible(text[end - 1])):
        end -= 1
    return text[start:end]


def storable(text: str, length: int) -> str:
    """A text that a caller sent, as the record keeps it: what no database stores is `?`, and it is cut.

    PostgreSQL takes no NUL and no half of a surrogate pair, and no column more characters than it was made for.
    """
    return "".join(character if character.isprintable() else "?" for character in text[:length])


def _is_invisible(character: str) -> bool:
    if unicodedata.category(character) == "Cf":
        return character not in _VISIBLE_FORMAT
    return _INVISIBLE.match(character) is not None


def _belongs(text: str, at: int) -> bool:
    """Whether an invisible character is where its script, or an emoji, is written with it."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    belongs = False
    match text[at]:
        case _ if not before:
            pass
        case "\u200c":
            belongs = _is_virama(before) or _parts_joined_letters(text, at)
        case "\u200d":
            belongs = _is_virama(before) or _is_virama(after) or (_is_emoji(before) and _is_emoji(after))
        case "\u200e" | "\u200f":
            belongs = bool(after) and _parts_directions(text, before, after)
        case "\ufe0e" | "\ufe0f":
            belongs = _is_symbol(before) or after == _KEYCAP or _is_ideograph(before)
        case "\u180b" | "\u180c" | "\u180d" | "\u180f":
            belongs = _name(before).startswith("MONGOLIAN LETTER")
        case selector if "\ufe00" <= selector <= "\ufe0d" or "\U000e0100" <= selector <= "\U000e01ef":
            belongs = _is_ideograph(before)
    return belongs


def _is_virama(character: str) -> bool:
    """Beside a virama a joiner decides how a consonant cluster is drawn (RFC 5892, A.1 and A.2; Unicode 16, 12.2)."""
    return bool(character) and unicodedata.combining(character) == _VIRAMA


def _parts_joined_letters(text: str, at: int) -> bool:
    """RFC 5892, A.1: between two letters that would join, as Persian writes its plurals and prefixes."""
    before = next((each for each in reversed(text[:at]) if unicodedata.category(each) != "Mn"), "")
    after = next((each for each in text[at + 1 :] if unicodedata.category(each) != "Mn"), "")
    return _joins(before, "INITIAL") and _joins(after, "FINAL")


def _parts_directions(text: str, before: str, after: str) -> bool:
    """Where Hebrew or Arabic stands beside brackets or digits, a mark says to which side these belong (UAX #9, 2.6)."""
    has_right_to_left = any(unicodedata.bidirectional(each) in ("R", "AL") for each in text if not _is_invisible(each))
    return has_right_to_left and not (before.isalpha() and after.isalpha())


@lru_cache(maxsize=1_000)
def _joins(letter: str, form: str) -> bool:
    """Whether an Arabic letter has this form, by the compatibility characters that Unicode has for them."""
    name = _name(letter)
    if not name.startswith("ARABIC LETTER"):
        return False
    try:
        unicodedata.lookup(f"{name} {form} FORM")
    except KeyError:
        return False
    return True


def _is_emoji(character: str) -> bool:
    return bool(character) and (_is_symbol(character) or _EMOJI_BEFORE_JOINER.match(character) is not None)


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sm") or character in _EMOJI_PUNCTUATION


def _is_ideograph(character: str) -> bool:
    return _name(character).startswith("CJK ")


def _name(character: str) -> str:
    return unicodedata.name(character, "") if character else ""
