from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidValue
from models.manage2_functions import FUNCTIONS, Manage2Function, Requirement, function_at
from models.privileges import PRIVILEGES, Privilege, privilege

functions = st.sampled_from(FUNCTIONS)
# What docs.cpanel.net/manage2/api/ documents, and XMLserviceCredit of cPanel's PHP class 3.13.
KNOWN = """
    XMLaddPickupPass XMLregisterAuth XMLlicenseAdd XMLlicenseExpire XMLlicenseReActivate XMLlicenseInfo XMLlookup
    XMLRawlookup XMLsecverify XMLonetimeext XMLtransfer XMLtransferRequest XMLpackageInfo XMLpackageUpdate XMLgroupInfo
    XMLgroupAdd XMLgroupEdit XMLgroupUpdate XMLupdateActiveLicenseMetadata XMLserviceCredit
"""


def test_every_function_of_manage2_has_its_place_in_the_table() -> None:
    assert sorted(function.name for function in FUNCTIONS) == sorted(KNOWN.split())


@pytest.mark.parametrize(
    ("path", "privilege_id"),
    [
        ("/XMLaddPickupPass.cgi", "manageauthkeys"),
        ("/XMLlicenseAdd.cgi", "addlicense"),
        ("/XMLlicenseExpire.cgi", "explisc"),
        ("/XMLlicenseReActivate.cgi", "liscreact"),
        ("/XMLlicenseInfo.cgi", "listlicenses"),
        ("/XMLlookup.cgi", "search"),
        ("/XMLRawlookup.cgi", "search"),
        ("/XMLsecverify.cgi", "secverify"),
        ("/XMLonetimeext.cgi", "partner_onetimeext"),
        ("/XMLtransfer.cgi", "modlisc"),
        ("/XMLtransferRequest.cgi", "modlisc"),
        ("/XMLpackageUpdate.cgi", "modlisc"),
        ("/XMLgroupUpdate.cgi", "modlisc"),
        ("/XMLupdateActiveLicenseMetadata.cgi", "modlisc"),
    ],
)
def test_a_function_needs_one_privilege(path: str, privilege_id: str) -> None:
    assert function_at(path).needs == privilege(privilege_id)


@pytest.mark.parametrize(
    ("path", "gate"),
    [
        ("/XMLregisterAuth.cgi", Requirement.OPEN),
        ("/XMLpackageInfo.cgi", Requirement.ANY_KEY),
        ("/XMLgroupInfo.cgi", Requirement.ANY_KEY),
        ("/XMLgroupAdd.cgi", Requirement.NO_KEY),
        ("/XMLgroupEdit.cgi", Requirement.NO_KEY),
        ("/XMLserviceCredit.cgi", Requirement.NO_KEY),
    ],
)
def test_a_function_that_no_privilege_stands_for_says_who_may_call_it(path: str, gate: Requirement) -> None:
    assert function_at(path).needs is gate


def test_every_privilege_opens_a_function() -> None:
    needed = {function.needs for function in FUNCTIONS if isinstance(function.needs, Privilege)}
    assert needed == set(PRIVILEGES)


def test_only_registration_has_a_root_element_that_is_not_its_name() -> None:
    others = {function.name: function.root for function in FUNCTIONS if function.root != function.name}
    assert others == {"XMLregisterAuth": "XMLRegisterAuth"}


@pytest.mark.parametrize(
    "path",
    [
        "/XMLlicenseInfo.cgi",
        "/XMLlicenseInfo.cgi?",
        "/XMLlicenseInfo.cgi?output=json&apikey=x?y",
        "//XMLlicenseInfo.cgi",
        "/xmllicenseinfo.cgi",
        "/XMLLicenseInfo.CGI",
        "/%58MLlicense%49nfo%2Ecgi",
    ],
)
def test_the_spellings_of_one_function_are_one(path: str) -> None:
    assert function_at(path).name == "XMLlicenseInfo"


@given(functions, st.integers(1, 3), st.text(max_size=20))
def test_a_function_is_found_where_it_says_it_is(function: Manage2Function, slashes: int, query: str) -> None:
    assert function_at("/" * slashes + function.path.removeprefix("/") + f"?{query}") is function


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "?",
        "XMLlookup.cgi",
        "/XMLlookup",
        "/XMLlookup.cgi/",
        "/XMLlookup.cgi/XMLlicenseAdd.cgi",
        "/XMLlicenseAdd.cgi/../XMLlookup.cgi",
        "/XMLlicenseAdd.cgi%2f..%2fXMLlookup.cgi",
        "/./XMLlookup.cgi",
        "/api/XMLlookup.cgi",
        "\\XMLlookup.cgi",
        "/XMLlookup.cgi;a=1",
        "/XMLlookup.cgi%3Fa=1",
        "/XMLlookup.cgi%00",
        "/XMLlookup.cgi\n",
        "/XMLlookup.cgi#a",
        " /XMLlookup.cgi",
        "/%2558MLlookup.cgi",
        "%2fXMLlookup.cgi",
        "https://manage2.cpanel.net/XMLlookup.cgi",
        "/XML\ud800.cgi",
    ],
)
def test_what_a_web_server_might_read_as_another_function_is_no_function(path: str) -> None:
    with pytest.raises(InvalidValue, match="is not a function of the Manage2 API"):
        function_at(path)


@given(st.text() | st.text().map("/{}".format) | st.builds("{1}{0.path}{2}".format, functions, st.text(), st.text()))
def test_any_path_is_a_function_or_refused(path: str) -> None:
    with suppress(InvalidValue):
        assert function_at(path) in FUNCTIONS


def test_a_refusal_does_not_repeat_the_query_which_may_hold_a_key() -> None:
    with pytest.raises(InvalidValue) as refusal:
        function_at("/XMLunknown.cgi?apikey=ab1de2gh3jk4mn5pq6st")
    assert "ab1de2" not in str(refusal.value)
