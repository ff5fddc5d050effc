"""A stand-in for a licensing backend, for `--demo` and the tests: it answers every function believably and changes nothing."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from models.errors import InvalidValue
from models.manage2_answers import Answer, Status, Value
from models.manage2_functions import function_at
from models.manage2_requests import wanted_output

# Two of them: Perl's XML::Simple reads a list of exactly one as something else.
_LICENSES: dict[str, Value] = {
    "L1001": {"ip": "192.0.2.10", "hostname": "one.example.com", "status": 1, "packageid": "P7", "groupid": "G3"},
    "L1002": {"ip": "192.0.2.11", "hostname": "two.example.com", "status": 1, "packageid": "P7", "groupid": "G3"},
}
_FIELDS: dict[str, dict[str, Value]] = {
    "XMLlicenseInfo": {"licenses": _LICENSES},
    "XMLpackageInfo": {"packages": {"P7": "EXAMPLE-VPS"}},
    "XMLgroupInfo": {"groups": {"G3": "Example"}},
    "XMLlicenseAdd": {"licenseid": "L1003"},
    "XMLlicenseExpire": {"result": "The license L1001 is expired"},
    "XMLlicenseReActivate": {"licenseid": "L1001"},
    "XMLlookup": {"licenseid": "L1001"},
    # Manage2's own status here is a text, also in JSON: python-manage2 takes nothing else for a success.
    "XMLRawlookup": {"status": "1", "licenseid": "L1001", "ip": "192.0.2.10", "hostname": "one.example.com"},
}


def stub_backend() -> FastAPI:
    """The application; it repeats in `caller` who was let through, as the gateway told it."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def answer(request: Request) -> Response:
        try:
            function = function_at(request.url.path)
        except InvalidValue as error:
            return Response(str(error), 404)
        headers = request.headers
        caller = headers.get("x-authkeys-service") or headers.get("x-authkeys-user") or "nobody"
        fields = {"caller": caller, **_FIELDS.get(function.name, {})}
        output = wanted_output(request.method, request.scope["query_string"], await request.body())
        body, content_type = Answer(function, Status.DONE, "OK", fields).render(output)
        return Response(body, headers={"Content-Type": content_type})

    return app
