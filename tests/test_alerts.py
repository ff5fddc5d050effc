"""What is in deploy/ for Prometheus and Grafana: each rule fires, and each metric that is named is exported."""

import json
import re
from pathlib import Path

import yaml

from cli.operations import console_metrics
from services.console import Console
from services.health import Health
from tests.prometheus import needs_promtool, promtool, samples
from tests.starting import ROOT

DEPLOY = Path(ROOT) / "deploy"
_OF_PROMETHEUS = {"up"}
_METRIC = re.compile(r"\b((?:authkeys|process)_[a-z_]+|up)\b(?=\s*[{\[)<>=!-]|\s*$| )")


def rules() -> list[dict]:
    [group] = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))["groups"]
    return group["rules"]


def dashboard_expressions() -> list[str]:
    panels = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


@needs_promtool
def test_every_rule_is_fired_by_what_it_watches_for_and_is_silent_before() -> None:
    tests = yaml.safe_load((Path(ROOT) / "tests" / "alerts.yml").read_text("utf-8"))["tests"]
    expected = [each for test in tests for each in test["alert_rule_test"]]
    names = sorted(rule["alert"] for rule in rules())
    assert sorted(each["alertname"] for each in expected if each["exp_alerts"]) == names
    assert sorted(each["alertname"] for each in expected if not each["exp_alerts"]) == names
    promtool("test", "rules", "tests/alerts.yml")


@needs_promtool
def test_prometheus_takes_the_rules_and_the_sample() -> None:
    promtool("check", "rules", "deploy/alerts.yml")
    promtool("check", "config", "deploy/prometheus.yml")


async def test_every_metric_that_a_rule_or_the_dashboard_names_is_exported(console: Console) -> None:
    exported = {key[0] for key in samples(await console_metrics(console, Health(console.supervisor, console.feed))())}
    for expression in [rule["expr"] for rule in rules()] + dashboard_expressions():
        named = set(_METRIC.findall(expression)) - _OF_PROMETHEUS
        assert named or "up{" in expression, expression
        assert named <= exported, expression


def test_every_rule_says_what_to_do_and_how_urgent_it_is() -> None:
    described = (ROOT / "docs" / "operate-metrics.md").read_text("utf-8")
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"]["description"]
        assert rule["alert"] in described


async def test_what_the_documentation_calls_a_metric_is_one(console: Console) -> None:
    exported = {key[0] for key in samples(await console_metrics(console, Health(console.supervisor, console.feed))())}
    described = (ROOT / "docs" / "operate-metrics.md").read_text("utf-8")
    named = set(re.findall(r"`(authkeys_[a-z_]+)`", described))
    assert named
    assert named <= exported | {name.removesuffix("_bucket") for name in exported}
