"""The words of which the paths of an application are made: what may stand in a log of a path that anybody can write."""

from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute

from models.access import LIVE_PATH, METRICS_PATH, READY_PATH
from models.manage2_functions import FUNCTIONS
from models.privileges import PRIVILEGES


def words_of(routes: Iterable[BaseRoute]) -> frozenset[str]:
    """The segments of all these routes' paths that stand there literally, and what we know that may stand in the others."""
    paths = [*_paths(routes), LIVE_PATH, READY_PATH, METRICS_PATH, *(function.path for function in FUNCTIONS)]
    segments = {segment for path in paths for segment in path.split("/") if "{" not in segment}
    return frozenset(segments | {each.id for each in PRIVILEGES})


def _paths(routes: Iterable[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if router := getattr(route, "original_router", None):  # FastAPI's include_router
            yield from _paths(router.routes)
        else:
            yield getattr(route, "path", "")
            yield from _paths(getattr(getattr(route, "app", None), "routes", ()))
