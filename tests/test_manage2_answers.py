import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from defusedxml import ElementTree
from hypothesis import example, given
from hypothesis import strategies as st

from models.manage2_answers import (
    CHALLENGE,
    Answer,
    Output,
    Rendered,
    Status,
    Value,
    invalid,
    phrase_added,
    refused,
    registered,
)
from models.manage2_functions import FUNCTIONS, function_at

INFO = function_at("/XMLlicenseInfo.cgi")
LICENSES: dict[str, Value] = {
    "licenses": {"L2": {"ip": "192.0.2.2", "valid": 1}, "L1": {"ip": "192.0.2.1", "valid": 0}},
    "packages": {"P2": "two", "P1": "one & only"},
    "groups": {},
}
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

reasons = st.text() | st.text(
    st.sampled_from("\"'<>&:#-{}[],|*!%@`\\/ \t\r\n\x00\x1b\x85\u2028\u2029\ufeff\ud800é😀]]>")
)
answers = st.builds(Answer, st.sampled_from(FUNCTIONS), st.sampled_from(Status), reasons)


def read_xml(body: bytes) -> dict[str, Any]:
    return dict(ElementTree.fromstring(body).attrib)


READERS: dict[Output, Callable[[bytes], dict[str, Any]]] = {
    Output.XML: read_xml,
    Output.JSON: json.loads,
    Output.YAML: yaml.safe_load,
}


def body(answer: Answer, output: Output) -> str:
    return answer.render(output).body.decode()


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (
            Output.XML,
            '<XMLRegisterAuth key="ab1de2gh3jk4mn5pq6st" ip="192.0.2.0" '
            'reason="Successfully registered license-suite-2000 on 192.0.2.0" status="1" />\n',
        ),
        (
            Output.JSON,
            '{"status": 1, "reason": "Successfully registered license-suite-2000 on 192.0.2.0", '
            '"key": "ab1de2gh3jk4mn5pq6st", "ip": "192.0.2.0"}\n',
        ),
        (
            Output.YAML,
            '---\nstatus: 1\nreason: "Successfully registered license-suite-2000 on 192.0.2.0"\n'
            'key: "ab1de2gh3jk4mn5pq6st"\nip: "192.0.2.0"\n',
        ),
    ],
)
def test_a_registration_is_answered_as_documented(output: Output, expected: str) -> None:
    assert body(registered("license-suite-2000", "192.0.2.0", "ab1de2gh3jk4mn5pq6st"), output) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (
            Output.XML,
            "<XMLaddPickupPass reason=\"Successfully added pickup phrase 'open sesame' for u@example.com\" "
            'status="1" />\n',
        ),
        (
            Output.JSON,
            '{"status": 1, "reason": "Successfully added pickup phrase \'open sesame\' for u@example.com"}\n',
        ),
        (Output.YAML, "---\nstatus: 1\nreason: \"Successfully added pickup phrase 'open sesame' for u@example.com\"\n"),
    ],
)
def test_a_new_phrase_is_answered_as_documented(output: Output, expected: str) -> None:
    assert body(phrase_added("open sesame", "u@example.com"), output) == expected


@pytest.mark.parametrize(
    ("output", "content_type"),
    [
        (Output.XML, "application/xml; charset=utf-8"),
        (Output.JSON, "application/json"),
        (Output.YAML, "application/yaml"),
    ],
)
def test_an_answer_names_its_type(output: Output, content_type: str) -> None:
    assert refused(INFO, "No.").render(output) == Rendered(body(refused(INFO, "No."), output).encode(), content_type)


def test_refusals_and_mistakes_have_their_own_status() -> None:
    assert body(refused(INFO, "No."), Output.XML) == '<XMLlicenseInfo reason="No." status="0" />\n'
    assert body(invalid(INFO, "No."), Output.JSON) == '{"status": -1, "reason": "No."}\n'
    assert body(invalid(INFO, "No."), Output.YAML) == '---\nstatus: -1\nreason: "No."\n'


@given(answers, st.sampled_from(Output))
@example(refused(INFO, "-"), Output.YAML)
@example(refused(INFO, "\x85\u2028 \u2029\ufeff"), Output.YAML)
@example(refused(INFO, "é\r\n\t😀\ud83d"), Output.XML)
def test_every_reason_is_read_back_by_an_independent_parser(answer: Answer, output: Output) -> None:
    content = READERS[output](answer.render(output).body)
    status = str(int(answer.status)) if output is Output.XML else int(answer.status)
    assert content == {"status": status, "reason": UNREADABLE.sub("\ufffd", answer.reason)}


@given(answers)
def test_an_xml_answer_is_one_line_with_the_root_of_its_function(answer: Answer) -> None:
    xml = body(answer, Output.XML)
    assert ElementTree.fromstring(xml).tag == answer.function.root
    assert xml.count("\n") == 1
    assert xml.endswith(" />\n")


@given(reasons, reasons, reasons, st.sampled_from(Output))
def test_every_field_is_read_back(service: str, ip: str, key: str, output: Output) -> None:
    content = READERS[output](registered(service, ip, key).render(output).body)
    assert (content["key"], content["ip"]) == (UNREADABLE.sub("\ufffd", key), UNREADABLE.sub("\ufffd", ip))


@pytest.mark.parametrize("key", ["12345678901234567890", "1e5", "null", "true", "2026-01-01", "0x10", "~", ""])
@pytest.mark.parametrize("output", Output)
def test_a_text_that_looks_like_something_else_stays_a_text(key: str, output: Output) -> None:
    assert READERS[output](registered("s", "192.0.2.1", key).render(output).body)["key"] == key


def test_lists_are_answered_as_xml_simple_does() -> None:
    # What XML::Simple 2.25 prints: XMLout($content, RootName => "XMLlicenseInfo").
    assert body(Answer(INFO, Status.DONE, "ok", LICENSES), Output.XML) == (
        '<XMLlicenseInfo reason="ok" status="1">\n'
        "  <groups></groups>\n"
        '  <licenses name="L1" ip="192.0.2.1" valid="0" />\n'
        '  <licenses name="L2" ip="192.0.2.2" valid="1" />\n'
        '  <packages P1="one &amp; only" P2="two" />\n'
        "</XMLlicenseInfo>\n"
    )


@pytest.mark.parametrize("output", [Output.JSON, Output.YAML])
def test_lists_are_read_back(output: Output) -> None:
    content = READERS[output](Answer(INFO, Status.DONE, "ok", LICENSES).render(output).body)
    assert content == {"status": 1, "reason": "ok", **LICENSES}


@given(st.dictionaries(reasons.map(lambda text: text[:100]), reasons, max_size=5))
@example({"no": "a", "123": "b", "": "c"})
def test_records_may_have_any_name(names: dict[str, str]) -> None:
    records: dict[str, Value] = {name: {"text": text} for name, text in names.items()}
    readable = {UNREADABLE.sub("\ufffd", name): UNREADABLE.sub("\ufffd", text) for name, text in names.items()}
    answer = Answer(INFO, Status.DONE, "ok", {"licenses": records})
    for output in (Output.JSON, Output.YAML):
        content = READERS[output](answer.render(output).body)
        assert content["licenses"] == {name: {"text": text} for name, text in readable.items()}
    found = ElementTree.fromstring(answer.render(Output.XML).body).iter("licenses")
    assert {record.get("name"): record.get("text") for record in found if record.attrib} == readable


@pytest.mark.parametrize("name", ['a" b="c', "a b", "", "1", "é", "a>", "a\n"])
@pytest.mark.parametrize("value", ["x", {}])
def test_a_field_cannot_break_out_of_its_name(name: str, value: Value) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a field"):
        Answer(INFO, Status.DONE, "ok", {name: value}).render(Output.XML)


def test_an_answer_does_not_show_its_secrets_by_accident() -> None:
    assert "SECRET" not in f"{registered('s', '192.0.2.1', 'SECRET')!r} {phrase_added('SECRET', 'u')!r}"


def test_the_challenge_has_the_realm_that_the_perl_module_waits_for() -> None:
    assert CHALLENGE == 'Basic realm="cPanel Licensing System"'
