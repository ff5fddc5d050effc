"""The metrics: what this process counted, and what it reads when it is asked, as Prometheus takes it.

Imported when metrics are asked for only: prometheus-client takes its time. It knows no pages: a process without any makes the
same of its own parts. No label grows with keys, names or addresses: each has the values of an enumeration of ours.
"""

import logging
import platform
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

from models.access import ABSOLUTE, IDLE
from models.access_checks import Reason
from models.errors import DatabaseUnavailable
from models.history import Check
from models.submissions import Source
from models.tallies import AccessTally, Durations, EntryTally, SubmissionTally
from services.health import Health, HealthPart, Heard
from services.submissions import CAUSES
from services.supervisor import Supervisor
from storage import history, vitals

log = logging.getLogger(__name__)

Families = Callable[[], Iterable[Metric]]
"""What is in memory"""
ReadFamilies = Callable[[], Awaitable[Iterable[Metric]]]
"""What must be read; raises DatabaseUnavailable"""


class Metrics:
    """All metrics of one process, in a registry of their own."""

    def __init__(
        self, *, counted: Sequence[Families], read: Sequence[ReadFamilies] = (), health: Health | None = None
    ) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Collector(self._collect))
        self._counted = counted
        self._read = read
        self._health = health
        self._now: list[Metric] = []

    async def exposition(self) -> bytes:
        """The metrics as they are now, in Prometheus' text format. What the database does not tell now is left out."""
        found = [metric for families in self._counted for metric in families()]
        if self._health:
            found += await _health_families(self._health)
        for read in self._read:
            try:
                found += await read()
            except DatabaseUnavailable:
                continue  # `authkeys_database_up` says so
            except Exception:
                log.exception("Some metrics could not be read and are left out; this is a mistake in Authkeys.")
        self._now = found  # no await from here on, so that two who ask at once do not mix
        return generate_latest(self._registry)

    def _collect(self) -> Iterable[Metric]:
        return self._now


class _Collector:
    """Hands a registry what was found."""

    def __init__(self, collect: Families) -> None:
        self.collect = collect

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on what could be read."""
        return ()


# -- families: what is in memory -----------------------------------------------------------------------------------------


def access_checks(tally: AccessTally) -> Iterable[Metric]:
    """Access checks by verdict and reason, and how long they took; denied registrations."""
    checks = CounterMetricFamily(
        "authkeys_access_checks",
        "Access checks that were answered, by verdict and reason.",
        labels=("verdict", "reason"),
    )
    registrations = CounterMetricFamily(
        "authkeys_registrations_denied", "Registrations of servers that were denied, by reason.", labels=("reason",)
    )
    checks.add_metric(("allowed", "none"), tally.allowed)
    checks.add_metric(("unanswered", "database"), tally.unanswered)
    for reason in Reason:
        if reason.is_about_phrase:
            registrations.add_metric((reason.name.lower(),), tally.denied[reason])
        else:
            checks.add_metric(("denied", reason.name.lower()), tally.denied[reason])
    yield checks
    yield registrations
    yield _histogram("authkeys_access_check_seconds", "Seconds that an access check took.", tally.seconds)


def submissions(tally: SubmissionTally) -> Iterable[Metric]:
    """Submissions by source, how long they took, and those that failed by cause."""
    yield _counters(
        "authkeys_submissions", "Submissions committed by this process, by source.", "source", tally.committed, Source
    )
    yield _counters(
        "authkeys_submissions_failed", "Submissions that were not committed, by cause.", "cause", tally.failed, CAUSES
    )
    yield _histogram("authkeys_submission_seconds", "Seconds that a committed submission took.", tally.seconds)


def sign_ins(tally: EntryTally) -> Iterable[Metric]:
    """Attempts to sign in, by outcome."""
    counts = {str(outcome): count for outcome, count in tally.sign_ins().items()}
    yield _counters("authkeys_sign_in_attempts", "Attempts to sign in, by outcome.", "outcome", counts, counts)


def loops(supervisor: Supervisor) -> Iterable[Metric]:
    """How the loops fare."""
    restarts = CounterMetricFamily(
        "authkeys_loop_restarts", "How often a loop that runs for the program's life began anew.", labels=("loop",)
    )
    running = GaugeMetricFamily("authkeys_loop_running", "Whether the loop runs now.", labels=("loop",))
    for loop in supervisor.loops.values():
        restarts.add_metric((loop.name,), loop.restarts)
        running.add_metric((loop.name,), loop.is_running)
    yield restarts
    yield running


def feed(heard: Heard) -> Iterable[Metric]:
    """How far behind the change feed is."""
    text = "Seconds since which something may have been committed that this process does not know."
    yield GaugeMetricFamily("authkeys_feed_lag_seconds", text, heard.lag)


def held_keys(fresh_within: float, held: Sequence[int]) -> Iterable[Metric]:
    """Of processes that answer access checks only: the bound within which a revocation holds, and how many secrets they hold."""
    text = "Seconds within which a change takes effect, or nothing is answered (--fresh-within)."
    yield GaugeMetricFamily("authkeys_fresh_within_seconds", text, fresh_within)
    yield GaugeMetricFamily("authkeys_held_keys", "Secrets that the workers hold in memory, all together.", sum(held))
    yield GaugeMetricFamily("authkeys_workers", "Worker processes that live.", len(held))


def open_pages(count: int) -> Iterable[Metric]:
    """How many windows are open in this process."""
    yield GaugeMetricFamily("authkeys_open_pages", "Windows of browsers that are open in this process.", count)


def build_info(database: str) -> Iterable[Metric]:
    """Which release this is, and on what it runs."""
    family = GaugeMetricFamily(
        "authkeys_build_info", "The release that runs, and on what.", labels=("version", "python", "database")
    )
    family.add_metric((VERSION, platform.python_version(), database), 1)
    yield family


def _version() -> str:
    project = Path(__file__).resolve().parents[1] / "pyproject.toml"
    try:
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):  # installed without it
        return "unknown"


VERSION = _version()


# -- families: what must be read, at a cost that does not grow with what is stored ---------------------------------------


class StagedCounts:
    """How much is staged, counted anew only after something was staged."""

    def __init__(self) -> None:
        self._known: vitals.StagedCount | None = None

    async def families(self) -> Iterable[Metric]:
        """Staged changes of everybody, in all processes, by what they are about."""
        self._known = await vitals.staged_changes(self._known)
        text = f"Changes that are staged by anybody and not yet submitted; of {vitals.MOST_STAGED} rows at most."
        family = GaugeMetricFamily("authkeys_staged_changes", text, labels=("subject",))
        for subject, count in self._known.changes.items():
            family.add_metric((subject.value,), count)
        return [family]


async def sessions() -> Iterable[Metric]:
    """Sessions that last, in all processes."""
    now = datetime.now(UTC)
    count = await vitals.session_count(now - IDLE, now - ABSOLUTE)
    return [GaugeMetricFamily("authkeys_sessions", "Sessions that last, of all processes on this database.", count)]


async def chain() -> Iterable[Metric]:
    """How the chain of the history was found when it was followed last."""
    head, check = await history.head(), await history.last_check() or Check(datetime.fromtimestamp(0, UTC), 0, "")
    return [
        GaugeMetricFamily(
            "authkeys_chain_verified_timestamp_seconds",
            "When the chain of the history was followed last, as Unix time; 0 for never.",
            check.at.timestamp(),
        ),
        GaugeMetricFamily(
            "authkeys_chain_unverified_entries",
            "Entries of the history that came since then.",
            max(0, head.number - check.number),
        ),
        GaugeMetricFamily(
            "authkeys_chain_fault", "Whether a fault was found when the chain was followed last.", bool(check.fault)
        ),
    ]


async def _health_families(health: Health) -> list[Metric]:
    report = await health.check()
    ready = GaugeMetricFamily("authkeys_ready", "Whether this part is well, as /health/ready says.", labels=("part",))
    for part, state in report.parts.items():
        ready.add_metric((part.value,), state.ready)
    up = GaugeMetricFamily(
        "authkeys_database_up", "Whether the database answers.", report.parts[HealthPart.DATABASE].ready
    )
    return [ready, up]


# -- how families are made -----------------------------------------------------------------------------------------------


def _counters(name: str, text: str, label: str, counts: Mapping[str, int], values: Iterable[str]) -> Metric:
    """All values from the start: a counter that first shows with 1 has no increase that Prometheus could see."""
    family = CounterMetricFamily(name, text, labels=(label,))
    for value in sorted(values):
        family.add_metric((str(value),), counts.get(value, 0))
    return family


def _histogram(name: str, text: str, durations: Durations) -> Metric:
    return HistogramMetricFamily(name, text, buckets=durations.buckets(), sum_value=durations.total)
