"""Prometheus' own programs, and what it reads, for the tests."""

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.program import Program
from tests.requirements import INSTALL_HINT
from tests.starting import ROOT

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason=INSTALL_HINT)

Samples = dict[tuple[str, ...], float]
"""By name and the values of its labels, in the order of the labels' names"""


def promtool(*arguments: str, given: bytes = b"") -> None:
    """Run it; fails with what it says."""
    done = subprocess.run(
        ["promtool", *arguments], input=given, capture_output=True, cwd=ROOT, timeout=120, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def samples(exposition: bytes) -> Samples:
    """What is exported."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposition.decode())
        for sample in family.samples
    }


def metrics_url(server: Program) -> str:
    """Where a program that was started with --metrics-port serves its metrics."""
    return server.complaints().partition("Metrics are at ")[2].partition("\n")[0]


def scraped(server: Program) -> Samples:
    """What Prometheus would read from it now."""
    answer = httpx.get(metrics_url(server), trust_env=False)
    assert answer.status_code == 200, answer.text
    return samples(answer.content)


DEPLOY = Path(ROOT) / "deploy"
