"""Lints and renders the chart with Helm's own engine, and judges what comes of it."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import helm_python as helm
import jsonschema
import kubernetes_validate
import yaml

import invariants
from report import CHART, Report

RELEASE = "demo"
NAMESPACE = "firms"
# The oldest one that Chart.yaml accepts, and the newest one whose schemas are here.
VERSIONS = ("1.29", kubernetes_validate.latest_version())
# Kinds that Kubernetes itself has no schema of: custom_resources.json says which fields there are, and
# the types of their own projects what may be in them.
CUSTOM = json.loads((Path(__file__).parent / "custom_resources.json").read_text())


@dataclass
class Render:
    """What the chart makes of one file of values."""

    name: str
    values: dict
    objects: list[dict]
    notes: str

    def of(self, kind: str) -> list[dict]:
        return [each for each in self.objects if each["kind"] == kind]


class _Loader(yaml.SafeLoader):
    """Refuses what Kubernetes would silently take the last one of."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict:
    keys = [loader.construct_object(key) for key, _ in node.value]
    twice = {str(key) for key in keys if keys.count(key) > 1}
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"{', '.join(twice)} twice", node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def check(report: Report, models: str) -> list[Render]:
    report.section(f"chart, by Helm {helm.helm_sdk_version()}")
    _check_schema(report)
    with helm.Chart.load(CHART) as chart:
        renders = [_render(report, chart, file) for file in sorted(CHART.glob("ci/*-values.yaml"))]
        renders = [render for render in renders if render is not None]
        _check_custom(report, renders, models)
        _check_package(report, chart, renders)
        report.section("values that must be refused")
        for file in sorted(CHART.glob("ci/refused/*-values.yaml")):
            _check_refused(report, chart, file)
    return renders


def _render(report: Report, chart: helm.Chart, file: Path) -> Render | None:
    name = file.name.removesuffix("-values.yaml")
    values = helm.values_from_yaml(file.read_text())
    _check_lint(report, name, values)
    try:
        texts = chart.render(values, name=RELEASE, namespace=NAMESPACE, is_install=True)
        upgraded = chart.render(values, name=RELEASE, namespace=NAMESPACE, is_upgrade=True, revision=2)
    except helm.HelmError as error:
        report.fault(f"{name}: does not render: {error}")
        return None
    report.expect(texts == upgraded, f"{name}: an upgrade renders something else than an installation")
    objects = []
    for template, text in texts.items():
        if template.endswith(".txt"):
            continue
        try:
            objects += [each for each in yaml.load_all(text, _Loader) if each]
        except yaml.YAMLError as error:
            report.fault(f"{name}: {template} is no YAML: {error}")
    notes = next(text for template, text in texts.items() if template.endswith("NOTES.txt"))
    render = Render(name, chart.merge_values(values), objects, notes)
    for each in objects:
        _check_object(report, render, each)
    try:
        invariants.check(report, render)
    except (KeyError, IndexError) as error:
        report.fault(f"{name}: what must be in every render is not there: {error!r}")
    own = [each for each in objects if each["kind"] not in CUSTOM]
    report.say(f"{name}: {len(own)} objects are as Kubernetes {' and '.join(VERSIONS)} want them")
    return render


def _check_lint(report: Report, name: str, values: dict) -> None:
    lint = helm.lint(CHART, values, strict=True, namespace=NAMESPACE)
    for message in lint["messages"]:
        # 1 is for information: that an icon would be nice.
        if message["severity"] > 1:
            report.fault(f"{name}: lint: {message['path']}: {message['error']}")
    for error in lint["errors"]:
        report.fault(f"{name}: lint: {error}")


def _check_object(report: Report, render: Render, each: dict) -> None:
    what = f"{render.name}: {each['kind']} {each['metadata']['name']}"
    if each["kind"] in CUSTOM:
        try:
            jsonschema.validate(each, CUSTOM[each["kind"]])
        except jsonschema.ValidationError as error:
            report.fault(f"{what}: {error.json_path}: {error.message}")
        return
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(each, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            report.fault(f"{what}: Kubernetes {version}: {path}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            report.fault(f"{what}: {error.message}")


def _check_custom(report: Report, renders: list[Render], models: str) -> None:
    custom = [(render.name, each) for render in renders for each in render.objects if each["kind"] in CUSTOM]
    judged = subprocess.run(
        ["node", Path(__file__).parent / "custom_resources.mjs", models],
        input=json.dumps([each for _, each in custom]),
        capture_output=True,
        text=True,
        check=True,
    )
    for (name, each), fault in zip(custom, json.loads(judged.stdout), strict=True):
        report.expect(fault is None, f"{name}: {each['kind']}: {fault}")
    kinds = sorted({each["kind"] for _, each in custom})
    report.say(f"{', '.join(kinds)} are as their projects' types want them; no schema of a cluster was asked")


def _check_refused(report: Report, chart: helm.Chart, file: Path) -> None:
    """The first line of the file says what the refusal must name."""
    text = file.read_text()
    name = file.name.removesuffix("-values.yaml")
    named = text.splitlines()[0].removeprefix("# says: ")
    try:
        chart.render(helm.values_from_yaml(text), name=RELEASE, namespace=NAMESPACE)
    except (helm.HelmValuesError, helm.HelmRenderError) as error:
        report.expect(named in str(error), f"{name}: refused, but without naming {named!r}: {error}")
        last = str(error).strip().splitlines()[-1].strip(" -")
        report.say(f"{name}: {last.split('): ', 1)[-1]}")
    else:
        report.fault(f"{name}: must be refused, but renders")


def _check_package(report: Report, chart: helm.Chart, renders: list[Render]) -> None:
    """A package renders the same as the folder, and has no values of ours in it."""
    with tempfile.TemporaryDirectory() as folder:
        archive = helm.package(CHART, destination=folder)
        with helm.Chart.load(archive) as packed:
            files = [file["name"] for file in packed.files]
            report.expect(not any(name.startswith("ci/") for name in files), "the package contains ci/")
            for render in renders:
                same = packed.render(render.values, name=RELEASE, namespace=NAMESPACE) == chart.render(
                    render.values, name=RELEASE, namespace=NAMESPACE
                )
                report.expect(same, f"{render.name}: the package renders something else than the folder")


def _check_schema(report: Report) -> None:
    """Nothing can be set that the chart does not know, at any depth, and every default is known."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    # Objects of Kubernetes that are handed through as they are, and Helm's own.
    open_ones = {"global", "affinity/nodeAffinity", "affinity/podAffinity", "affinity/podAntiAffinity"}

    def walk(part: dict, path: str) -> None:
        if part.get("type") == "object" and path not in open_ones:
            closed = part.get("additionalProperties")
            is_map = isinstance(closed, dict) and "propertyNames" in part
            report.expect(closed is False or is_map, f"values.schema.json: {path or 'the top'} takes anything")
        for name, inner in part.get("properties", {}).items():
            walk(inner, f"{path}/{name}".strip("/"))
        if isinstance(part.get("items"), dict):
            walk(part["items"], f"{path}/items")

    walk(schema, "")
    for name, part in schema["definitions"].items():
        walk(part, f"definitions/{name}")
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())

    def compare(part: dict, values: dict, path: str) -> None:
        for name, inner in part.get("properties", {}).items():
            here = f"{path}{name}"
            if here in open_ones or "$ref" in inner:
                continue
            if name not in values:
                report.fault(f"values.yaml: {here} has no default and so is not shown to anybody")
            elif inner.get("type") == "object" and values[name]:
                compare(inner, values[name], f"{here}/")

    compare(schema, defaults, "")
