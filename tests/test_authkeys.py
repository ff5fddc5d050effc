import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authkeys import MAX_SERVICE_LENGTH, canonical_service
from models.errors import InvalidValue
from models.texts import search_key


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("whmcs-billing", "whmcs-billing"),
        ("  whmcs billing\n", "whmcs billing"),
        ("Rechnungspru\u0308fung", "Rechnungspr\u00fcfung"),
        ("請求システム", "請求システム"),
        ("خدمة الفوترة", "خدمة الفوترة"),
        ("שירות חיוב", "שירות חיוב"),
        ("🚀 rocket 👩‍🚀", "🚀 rocket 👩‍🚀"),
        ("</script><b>bold</b>", "</script><b>bold</b>"),
        ("'; DROP TABLE authkey; --", "'; DROP TABLE authkey; --"),
        ("x" * MAX_SERVICE_LENGTH, "x" * MAX_SERVICE_LENGTH),
        ("🚀" * MAX_SERVICE_LENGTH, "🚀" * MAX_SERVICE_LENGTH),
        ("two  and\u00a0\u3000more", "two and more"),
        ("خانه\u200cها", "خانه\u200cها"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("র\u200d্যাম", "র\u200d্যাম"),
        ("👩🏽\u200d🚀 🏳\ufe0f\u200d🌈 ❤\ufe0f\u200d🔥", "👩🏽\u200d🚀 🏳\ufe0f\u200d🌈 ❤\ufe0f\u200d🔥"),
        ("1\ufe0f\u20e3 ❤\ufe0f", "1\ufe0f\u20e3 ❤\ufe0f"),
        (
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("  " + "x" * MAX_SERVICE_LENGTH + "  ", "x" * MAX_SERVICE_LENGTH),
    ],
)
def test_a_service_name_is_trimmed_composed_and_otherwise_kept(written: str, stored: str) -> None:
    assert canonical_service(written) == stored


@pytest.mark.parametrize("empty", ["", " ", "\t\n", "\u3000"])
def test_an_empty_service_name_is_refused(empty: str) -> None:
    with pytest.raises(InvalidValue, match="A service name is needed"):
        canonical_service(empty)


@pytest.mark.parametrize("length", [101, 300, 100_000])
def test_a_service_name_over_100_characters_is_refused_in_few_words(length: int) -> None:
    with pytest.raises(InvalidValue, match=f"has {length} characters; at most 100 are allowed") as refusal:
        canonical_service("x" * length)
    assert len(str(refusal.value)) < 150


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\x00", "U+0000"),
        ("\x07", "U+0007"),
        ("\x1b", "U+001B"),
        ("\n", "U+000A"),
        ("\t", "U+0009"),
        ("\x7f", "U+007F"),
        ("\x85", "U+0085"),
        ("\u2028", "U+2028"),
        ("\u2029", "U+2029"),
        ("\u202e", "U+202E"),
        ("\u2066", "U+2066"),
        ("\ud800", "U+D800"),
    ],
)
def test_a_control_character_in_a_service_name_is_refused_and_named(character: str, name: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        canonical_service(f"bil{character}ling")
    assert name in str(refusal.value)
    assert character not in str(refusal.value)


@pytest.mark.parametrize(
    ("character", "words"),
    [
        ("\u200b", "U+200B (zero width space)"),
        ("\u2060", "U+2060 (word joiner)"),
        ("\ufeff", "U+FEFF"),
        ("\u00ad", "U+00AD (soft hyphen)"),
        ("\u180e", "U+180E (mongolian vowel separator)"),
        ("\u200c", "U+200C"),
        ("\u200d", "U+200D"),
        ("\u200e", "U+200E (left-to-right mark)"),
        ("\u034f", "U+034F"),
        ("\u115f", "U+115F"),
        ("\u1160", "U+1160"),
        ("\u3164", "U+3164 (hangul filler)"),
        ("\uffa0", "U+FFA0"),
        ("\u2800", "U+2800"),
        ("\u17b5", "U+17B5"),
        ("\ufe0f", "U+FE0F"),
        ("\U000e0100", "U+E0100"),
        ("\U000e0061", "U+E0061 (tag latin small letter a)"),
        ("\U000e0fff", "U+E0FFF (a code point without a name)"),
    ],
)
@pytest.mark.parametrize("name", ["{}billing", "bil{}ling", "billing{}", "{}"])
def test_a_character_that_nobody_sees_is_refused_and_named_wherever_it_is(
    name: str, character: str, words: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        canonical_service(name.format(character))
    assert f"holds the invisible character {words}" in str(refusal.value)


@pytest.mark.parametrize(
    "name", ["کار\u200cآفرین", "خانه\u200c", "👩\u200d", "👩\u200da", "🏴\U000e0067", "a🏴\U000e007f"]
)
def test_a_joiner_that_joins_nothing_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="holds the invisible character"):
        canonical_service(name)


@given(st.text())
def test_any_text_becomes_a_stable_service_name_or_is_refused(text: str) -> None:
    try:
        service = canonical_service(text)
    except InvalidValue:
        return
    assert canonical_service(service) == service
    assert service == service.strip() == unicodedata.normalize("NFC", service)
    assert 0 < len(service) <= MAX_SERVICE_LENGTH
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in service)
    assert len(search_key(service)) <= 300, "the column of service keys is too short"


@pytest.mark.parametrize(("one", "other"), [("Billing", "BILLING"), ("STRASSE", "straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος")])
def test_services_are_searched_and_sorted_without_upper_and_lower_case(one: str, other: str) -> None:
    assert search_key(one) == search_key(other)


def test_a_mark_of_direction_is_taken_where_hebrew_or_arabic_needs_it_and_nowhere_else() -> None:
    name = "חיוב \u200f(תל אביב) 42"
    assert canonical_service(name) == name
    for refused in ("bil\u200fling", "billing \u200f(tel aviv)", "חיוב\u200f", "\u200fחיוב", "חי\u200fוב"):
        with pytest.raises(InvalidValue, match=r"U\+200F \(right-to-left mark\)"):
            canonical_service(refused)
