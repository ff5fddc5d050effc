import base64
from contextlib import suppress
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.errors import InvalidValue
from models.manage2_answers import Output
from models.manage2_requests import (
    FORM_TYPE,
    MAX_BYTES,
    MAX_VARIABLES,
    Credentials,
    Variables,
    credentials_of,
    has_apikey,
    parse_variables,
    split_uri,
    wanted_output,
    without_key,
)

KEY = "aB3dE6gH9jK2mN5pQ8sT"
texts = st.text(st.characters(codec="utf-8"), max_size=40)
forms = st.dictionaries(texts.filter(bool), texts, max_size=8)
methods = st.sampled_from(["GET", "POST", "HEAD", "post"]) | st.text(max_size=5)


def basic(user_and_password: str | bytes) -> str:
    raw = user_and_password.encode() if isinstance(user_and_password, str) else user_and_password
    return f"Basic {base64.b64encode(raw).decode()}"


def get(query: bytes) -> Variables:
    return parse_variables("GET", query)


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        (b"pickup=open+sesame+please", "pickup", "open sesame please"),
        (b"pickup=open%20sesame&output=xml", "pickup", "open sesame"),
        (b"output=json;oldip=192.0.2.1;newip=192.0.2.2", "newip", "192.0.2.2"),
        (b"a=1;b=2&c=3", "b", "2"),
        (b"user=u%40example.com", "user", "u@example.com"),
        (b"a=b%3Bc%26d%3De%2Bf", "a", "b;c&d=e+f"),
        (b"a=b=c", "a", "b=c"),
        (b"service=caf%C3%A9", "service", "café"),
        (b"service=caf\xc3\xa9", "service", "café"),
        (b"s%65rvice=x", "service", "x"),
        (b"a=100%&b=%zz", "a", "100%"),
        (b"a=100%&b=%zz", "b", "%zz"),
        (b"&&;a=1;&", "a", "1"),
        (b"a", "a", ""),
        (b"a=", "a", ""),
        (b"=1", "", "1"),
        (b"", "a", None),
        (b"A=1", "a", None),
    ],
)
def test_a_query_is_read(query: bytes, name: str, value: str | None) -> None:
    assert get(query).get(name) == value


@given(forms, st.sampled_from("&;"), st.sampled_from([quote, quote_plus]))
def test_every_form_is_read_as_it_was_written(form: dict[str, str], separator: str, quoting) -> None:
    raw = urlencode(form, quote_via=quoting, safe="").replace("&", separator).encode()
    for variables in (get(raw), parse_variables("POST", b"ignored=1", raw, FORM_TYPE)):
        assert {name: variables.get(name) for name in form} == form


def test_the_first_of_repeated_variables_counts() -> None:
    variables = get(b"service=one&service=two;s%65rvice=three&output=yaml&output=json")
    assert (variables.get("service"), variables.output) == ("one", Output.YAML)


def test_a_first_value_that_is_empty_counts_too() -> None:
    assert get(b"apikey=&apikey=x").get("apikey") == ""


def test_the_body_of_a_post_is_read_alone() -> None:
    # The example of docs.cpanel.net's guide: a query `output=json` beside a body gives no JSON.
    variables = parse_variables("POST", b"output=json&all=1", b"liscid=L1")
    assert (variables.output, variables.get("all"), variables.get("liscid")) == (Output.XML, None, "L1")


@pytest.mark.parametrize(("method", "body"), [("GET", b"a=body"), ("POST", b""), ("HEAD", b"a=body")])
def test_the_query_counts_where_there_is_no_posted_body(method: str, body: bytes) -> None:
    assert parse_variables(method, b"a=query", body).get("a") == "query"


@pytest.mark.parametrize(
    "content_type", [None, "", FORM_TYPE, "application/x-www-form-urlencoded; charset=UTF-8", FORM_TYPE.upper()]
)
def test_a_form_may_be_declared_in_every_way_that_clients_do(content_type: str | None) -> None:
    assert parse_variables("POST", b"", b"a=1", content_type).get("a") == "1"


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/json", "text/plain"])
def test_another_kind_of_body_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidValue, match=r"is not understood; send application/x-www-form-urlencoded"):
        parse_variables("POST", b"", b"a=1", content_type)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "application/json"])
def test_the_type_of_a_body_that_is_not_read_does_not_matter(content_type: str) -> None:
    assert parse_variables("GET", b"a=1", b"", content_type).get("a") == "1"


@pytest.mark.parametrize("query", [b"service=caf%E9", b"service=%ff", b"service=\xc3", b"service=%ED%A0%80"])
def test_a_value_that_is_not_utf8_is_refused_only_when_asked_for(query: bytes) -> None:
    variables = get(query + b"&user=u&x%ff=1")
    assert variables.get("user") == "u"
    with pytest.raises(InvalidValue, match="The value of 'service' is not UTF-8"):
        variables.get("service")


@pytest.mark.parametrize("query", [b"", b"user=", b"user", b"user=&user=u"])
def test_a_needed_variable_that_is_missing_is_named(query: bytes) -> None:
    with pytest.raises(InvalidValue, match="The variable 'user' is needed"):
        get(query).require("user")


def test_a_needed_variable_is_given() -> None:
    assert get(b"user=u").require("user") == "u"


@pytest.mark.parametrize(
    ("method", "query", "body", "reason"),
    [
        ("GET", b"a" * (MAX_BYTES + 1), b"", "The query is longer than 65,536 bytes"),
        ("POST", b"", b"a" * (MAX_BYTES + 1), "The body is longer than 65,536 bytes"),
        ("GET", b"&".join([b"a=1"] * (MAX_VARIABLES + 1)), b"", "The query has more than 200 variables"),
        ("POST", b"", b";".join([b"a=1"] * (MAX_VARIABLES + 1)), "The body has more than 200 variables"),
    ],
)
def test_what_is_too_large_is_refused(method: str, query: bytes, body: bytes, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        parse_variables(method, query, body)


def test_what_is_just_not_too_large_is_read() -> None:
    assert get(b"a=".ljust(MAX_BYTES, b"x")).get("a") == "x" * (MAX_BYTES - 2)
    assert get(b"&".join(b"a%d=1" % i for i in range(MAX_VARIABLES))).get(f"a{MAX_VARIABLES - 1}") == "1"


@pytest.mark.parametrize(
    ("query", "output"),
    [
        (b"", Output.XML),
        (b"output=xml", Output.XML),
        (b"output=json", Output.JSON),
        (b"output=JSON", Output.JSON),
        (b"output=Yaml", Output.YAML),
        (b"output=json%0A", Output.JSON),
        (b"output=", Output.XML),
        (b"output", Output.XML),
        (b"output=simplexml", Output.XML),
        (b"output=html", Output.XML),
        (b"output=%ff", Output.XML),
        (b"OUTPUT=json", Output.XML),
    ],
)
def test_the_format_that_is_wanted(query: bytes, output: Output) -> None:
    assert get(query).output is output
    assert wanted_output("GET", query) is wanted_output("POST", b"output=yaml", query or b"x") is output


def test_the_wanted_format_is_known_even_of_what_is_refused() -> None:
    too_long = b"output=json&a=" + b"x" * MAX_BYTES
    assert wanted_output("GET", too_long) is Output.JSON
    assert wanted_output("POST", b"", too_long) is Output.JSON
    assert wanted_output("GET", b"output=yaml&apikey=%ff") is Output.YAML


@given(methods, st.binary(), st.binary(), st.none() | st.text(), st.none() | st.text(), st.none() | st.text(), texts)
@example("POST", b"", b"%", None, "Basic ====", "", "")
def test_whatever_arrives_is_read_or_refused(method, query, body, content_type, authorization, x_api_key, name) -> None:
    assert wanted_output(method, query, body) in Output
    with suppress(InvalidValue):
        variables = parse_variables(method, query, body, content_type)
        variables.get(name)
        credentials_of(variables, authorization, x_api_key)


@example([b"a", b"=", b"%ff"])
@given(st.lists(st.sampled_from([b"apikey", b"api%6Bey", b"=", b"&", b";", b"%", b"+", b"%ff", b"a", b"output"])))
def test_without_a_key_nothing_else_changes(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    rest = without_key(raw)
    assert b"apikey" not in Variables(rest)._values
    assert Variables(rest)._values.get(b"a") == Variables(raw)._values.get(b"a")
    if b"apikey" not in {name.strip() for name in Variables(raw)._values}:
        assert rest == raw


@pytest.mark.parametrize(
    ("raw", "rest"),
    [
        (b"output=json&apikey=K", b"output=json&"),
        (b"apikey=K&output=json", b"output=json"),
        (b"a=1;api%6bey=K;b=%zz&apikey", b"a=1;b=%zz&"),
        (b"a=caf%E9+x&&b", b"a=caf%E9+x&&b"),
        (b"", b""),
        (b"myapikey=1&apikeys=2", b"myapikey=1&apikeys=2"),
        (b"APIKEY=K&ApiKey=K;+apikey+=K&a=1", b"a=1"),
        (f"apikey[]={KEY}&a=1".encode(), b"a=1"),
        (f"note=my+key+is+{KEY}&a=1".encode(), b"a=1"),
        (f"note=%61{KEY[1:]}&a=1".encode(), b"a=1"),
        (f"{KEY}&a=1".encode(), b"a=1"),
    ],
)
def test_a_key_is_taken_out_of_what_is_forwarded_however_it_is_written(raw: bytes, rest: bytes) -> None:
    assert without_key(raw, KEY) == rest


@pytest.mark.parametrize(
    ("method", "query", "body", "has"),
    [
        ("GET", b"apikey=K", b"", True),
        ("GET", b"a=1;api%6bey", b"", True),
        ("POST", b"", b"output=json&apikey=K", True),
        ("POST", b"apikey=K", b"output=json", False),
        ("POST", b"apikey=K", b"", True),
        ("GET", b"", b"apikey=K", False),
        ("GET", b"APIKEY=K", b"", False),
    ],
)
def test_whether_a_call_brings_its_key_in_a_variable(method: str, query: bytes, body: bytes, has: bool) -> None:
    assert has_apikey(method, query, body) is has


def test_a_uri_is_split_into_path_and_query() -> None:
    assert split_uri("/XMLlookup.cgi?ip=192.0.2.1&a=b?c") == ("/XMLlookup.cgi", b"ip=192.0.2.1&a=b?c")
    assert split_uri("/XMLlookup.cgi") == ("/XMLlookup.cgi", b"")
    assert get(split_uri("/x?service=caf\xc3\xa9")[1]).get("service") == "café"


@pytest.mark.parametrize(
    ("query", "authorization", "x_api_key", "expected"),
    [
        (f"apikey={KEY}", None, None, Credentials(KEY)),
        ("", basic(f"u@example.com:{KEY}"), None, Credentials(KEY, "u@example.com")),
        ("", basic(f":{KEY}"), None, Credentials(KEY, "")),
        ("", basic("u:pass:word é"), None, Credentials("pass:word é", "u")),
        ("", basic("u:p").replace("Basic ", "basic   "), None, Credentials("p", "u")),
        ("", f"Bearer {KEY}", None, Credentials(KEY)),
        ("", f"BEARER  {KEY} ", None, Credentials(KEY)),
        ("", None, KEY, Credentials(KEY)),
        (f"apikey={KEY}", basic("u:p"), "other", Credentials(KEY)),
        ("apikey=", basic("u:p"), None, Credentials("")),
        ("", basic("u:p"), KEY, Credentials(KEY)),
        ("", basic("u:p"), " ", Credentials("p", "u")),
    ],
)
def test_credentials_are_found_where_clients_put_them(
    query: str, authorization: str | None, x_api_key: str | None, expected: Credentials
) -> None:
    assert credentials_of(get(query.encode()), authorization, x_api_key) == expected


def test_the_key_of_a_posted_form_is_found() -> None:
    # cPanel's PHP class 3.13 sends this.
    variables = parse_variables("POST", b"", f"output=json&apikey={KEY}".encode(), FORM_TYPE)
    assert credentials_of(variables) == Credentials(KEY)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic Og==",
        basic("u:"),
        basic("nocolon"),
        basic(b"u:\xff"),
        "Basic %%%",
        "Basic dTpwd",
        "Basic é",
        "Bearer",
        "Bearer  ",
        "Digest username=u",
        f"Token {KEY}",
    ],
)
def test_a_header_without_a_secret_is_no_credentials(authorization: str | None) -> None:
    assert credentials_of(get(b""), authorization) is None


def test_a_secret_is_not_shown_by_accident() -> None:
    variables = get(f"apikey={KEY}".encode())
    assert KEY not in f"{credentials_of(variables)!r} {variables!r}"


@given(texts.filter(lambda text: ":" not in text), texts.filter(bool))
def test_every_name_and_password_is_read_back(username: str, password: str) -> None:
    assert credentials_of(get(b""), basic(f"{username}:{password}")) == Credentials(password, username)
