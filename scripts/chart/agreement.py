"""Chart, alert rules, dashboard, papers and program speak of the same things."""

import json
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

import yaml

import invariants
from report import CHART, ROOT, Report

RULES = ROOT / "deploy/prometheus/entente.rules.yaml"
RULE_TESTS = ROOT / "deploy/prometheus/entente.rules.test.yaml"
DASHBOARD = ROOT / "deploy/grafana/entente.json"
OPERATE = ROOT / "docs/operate.md"
METRIC = re.compile(r"\bentente_[a-z0-9_]+\b")
# What Prometheus makes of one histogram.
PARTS = re.compile(r"_(bucket|sum|count)$")


def check(report: Report, renders: list, promtool: str) -> None:
    report.section("chart, rules, dashboard, papers and program agree")
    alerts = _check_rules(report, renders)
    _check_dashboard(report, promtool)
    _check_metrics(report)
    _check_settings(report, renders)
    _check_papers(report, alerts)
    _check_numbers(report)


def _check_rules(report: Report, renders: list) -> list[dict]:
    rules = yaml.safe_load(RULES.read_text())
    made = [each for render in renders for each in render.of("PrometheusRule")]
    report.expect(bool(made), "no values in ci/ make a PrometheusRule")
    for each in made:
        report.expect(each["spec"] == rules, "the chart's rules are not those that are tested")
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    tests = yaml.safe_load(RULE_TESTS.read_text())["tests"]
    fired, quiet = set(), set()
    for case in (case for test in tests for case in test.get("alert_rule_test", [])):
        (fired if case.get("exp_alerts") else quiet).add(case["alertname"])
    for alert in alerts:
        report.expect(alert["alert"] in fired, f"{alert['alert']}: no test in which it fires")
        report.expect(alert["alert"] in quiet, f"{alert['alert']}: no test in which it does not")
        report.expect(alert["labels"]["severity"] in {"critical", "warning"}, f"{alert['alert']}: how severe?")
    report.say(f"{len(alerts)} alerts, each with a test in which it fires and one in which it does not")
    return alerts


def _expressions() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def _check_dashboard(report: Report, promtool: str) -> None:
    """Every query of the dashboard is one that Prometheus understands."""
    rules = []
    for number, expression in enumerate(_expressions()):
        text = expression.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$namespace", ".*")
        rules.append({"record": f"dashboard:query:{number}", "expr": text})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dashboard.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
        ran = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    report.expect(ran.returncode == 0, f"dashboard: {ran.stdout}{ran.stderr}")
    panels = json.loads(DASHBOARD.read_text())["panels"]
    numbers = [panel["id"] for panel in panels]
    report.expect(len(numbers) == len(set(numbers)), "dashboard: two panels have the same number")
    for panel in panels:
        told = panel["type"] == "row" or panel.get("description")
        report.expect(bool(told), f"dashboard: {panel['title']} does not say what it shows")
    report.say(f"{len(rules)} queries of the dashboard are PromQL")


def metrics_of_the_program() -> set[str]:
    found = set()
    for file in (ROOT / "src").rglob("*.rs"):
        for line in file.read_text().splitlines():
            match = re.search(r'const [A-Z_]+: &str = "(entente_[a-z0-9_]+)";', line)
            if match:
                found.add(match.group(1))
    return found


def _check_metrics(report: Report) -> None:
    known = metrics_of_the_program()
    report.expect(len(known) >= 9, f"only {len(known)} metrics were found in src/: are they made differently now?")
    used = {"rules": set(METRIC.findall(RULES.read_text())), "dashboard": set()}
    for expression in _expressions():
        used["dashboard"] |= set(METRIC.findall(expression))
    for where, names in used.items():
        for name in sorted(names):
            there = name in known or PARTS.sub("", name) in known
            report.expect(there, f"{where}: the program has no metric {name}")
    shown = {name if name in known else PARTS.sub("", name) for name in used["dashboard"]}
    for name in sorted(known - shown):
        report.fault(f"dashboard: {name} is not on it")
    told = set(METRIC.findall(OPERATE.read_text()))
    for name in sorted(known - told):
        report.fault(f"docs/operate.md does not say what {name} is")
    for name in sorted(told - known):
        report.expect(PARTS.sub("", name) in known, f"docs/operate.md: there is no metric {name}")
    report.say(f"{len(known)} metrics of the program: all are explained and shown, no other is used")


def settings_of_the_program() -> set[str]:
    text = (ROOT / "src/server/configuration.rs").read_text()
    body = text.split("pub struct Configuration {", 1)[1].split("\n}\n", 1)[0]
    return set(re.findall(r"^    pub (\w+):", body, re.MULTILINE))


def _check_settings(report: Report, renders: list) -> None:
    known = settings_of_the_program()
    report.expect("database_url" in known, "the settings were not found: are they written differently now?")
    made = set().union(*(invariants.settings(render) for render in renders))
    for name in sorted(made - known):
        report.fault(f"the chart sets {name}, which the program does not know")
    for name in sorted(known - made - {"database_url"}):
        report.fault(f"no values in ci/ set {name}: the chart has no value for it, or nobody renders it")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", OPERATE.read_text(), re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"\w+", row)}
    for name in sorted(known - told):
        report.fault(f"docs/operate.md: the setting {name} is not in the table")
    report.say(f"{len(known)} settings of the program: all can be set by the chart and are in the table")


def _check_papers(report: Report, alerts: list[dict]) -> None:
    headings = {line.removeprefix("### ").strip() for line in OPERATE.read_text().splitlines() if line.startswith("### ")}
    names = {alert["alert"] for alert in alerts}
    for alert in alerts:
        name = alert["alert"]
        report.expect(name in headings, f"docs/operate.md does not say what to do about {name}")
        wanted = f"docs/operate.md#{name.lower()}"
        report.expect(alert["annotations"].get("runbook") == wanted, f"{name}: its runbook is not {wanted}")
    for name in sorted(heading for heading in headings if heading.startswith("Entente")):
        report.expect(name in names, f"docs/operate.md: there is no alert {name}")
    readme = (CHART / "README.md").read_text()
    for name in yaml.safe_load((CHART / "values.yaml").read_text()):
        report.expect(f"`{name}" in readme, f"the chart's README.md does not say what {name} is")
    for paper in (CHART / "README.md", OPERATE, OPERATE.with_name("deploy.md")):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", paper.read_text()):
            there = (paper.parent / link).exists()
            report.expect(there, f"{paper.relative_to(ROOT)} links to {link}, which is not there")


def _check_numbers(report: Report) -> None:
    """What is written down twice is the same."""
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    report.expect(chart["appVersion"] == version, f"Chart.yaml is of {chart['appVersion']}, the program {version}")
    server = (ROOT / "src/server/mod.rs").read_text()
    drain = f"DRAIN_MAX: Duration = Duration::from_secs({invariants.DRAIN_SECONDS})"
    report.expect(drain in server, f"the server no longer drains for {invariants.DRAIN_SECONDS} s")
    dockerfile = (ROOT / "Dockerfile").read_text()
    report.expect("USER 65532:65532" in dockerfile, "the image does not run as 65532, as the chart says")
    channel = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    report.expect(f"rust:{channel}" in dockerfile, f"the image is not built with Rust {channel}")
