"""What holds of every render, whatever the values say."""

import re
import tomllib

from report import Report

# How long calls may take to end, in seconds (`DRAIN_MAX` of the server), checked in agreement.py.
DRAIN_SECONDS = 20
# What may follow: posts to subscriptions end (`STOP_WITHIN`), the database is closed, traces are sent.
AFTERWARDS_SECONDS = 12 + 10
SECRET_WORDS = re.compile(r"password|secret|token|api_?key|credential", re.IGNORECASE)


def check(report: Report, render) -> None:
    def expect(holds: bool, line: str) -> None:
        report.expect(holds, f"{render.name}: {line}")

    pods = _pods(render)
    for name, pod, labels in pods:
        _check_hardened(expect, name, pod, render)
        _check_ports(expect, name, pod)
        _check_mounts(expect, name, pod)
        _check_secrets(expect, name, pod)
    _check_no_secret(expect, render)
    _check_workload(expect, render)
    _check_selectors(expect, render, pods)
    _check_network(expect, render, pods)
    _check_references(expect, render)
    _check_settings(expect, render)


def _pods(render) -> list[tuple[str, dict, dict]]:
    """Every pod that would run: its name, specification and labels."""
    pods = []
    for each in render.objects:
        specification = each.get("spec", {})
        template = each if each["kind"] == "Pod" else specification.get("template")
        if each["kind"] == "CronJob":
            template = specification["jobTemplate"]["spec"]["template"]
        if isinstance(template, dict) and "containers" in template.get("spec", {}):
            pods.append((each["metadata"]["name"], template["spec"], template["metadata"]["labels"]))
    return pods


def _check_hardened(expect, name: str, pod: dict, render) -> None:
    """As the profile `restricted` of the pod security standards wants it, and more."""
    security = pod["securityContext"]
    expect(security.get("runAsNonRoot") is True, f"{name}: may run as root")
    expect(security.get("seccompProfile") == {"type": "RuntimeDefault"}, f"{name}: no seccomp profile")
    expect(pod.get("automountServiceAccountToken") is False, f"{name}: gets a token of the cluster")
    expect(pod.get("enableServiceLinks") is False, f"{name}: services get into its environment")
    for forbidden in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        expect(forbidden not in pod, f"{name}: {forbidden}")
    assigned = render.values["podSecurity"].get("runAsUser") is None
    expect(assigned or security.get("runAsUser") == 65532, f"{name}: runs as {security.get('runAsUser')}")
    expect(not pod.get("initContainers"), f"{name}: has init containers that nobody checks")
    for container in pod["containers"]:
        own = container["securityContext"]
        expect(own.get("allowPrivilegeEscalation") is False, f"{name}: may gain privileges")
        expect(own.get("readOnlyRootFilesystem") is True, f"{name}: may write to its image")
        expect(own.get("capabilities") == {"drop": ["ALL"]}, f"{name}: keeps capabilities")
        expect("privileged" not in own, f"{name}: privileged")
        expect("memory" in container["resources"].get("limits", {}), f"{name}: no limit of memory")
        expect("requests" in container["resources"], f"{name}: requests nothing")
        image = container["image"]
        expect("@sha256:" in image or ":" in image.rsplit("/", 1)[-1], f"{name}: {image} has no tag")
        expect(not image.endswith(":latest"), f"{name}: {image} may be anything")
    for volume in pod.get("volumes", []):
        expect("hostPath" not in volume, f"{name}: mounts a folder of its node")


def _check_ports(expect, name: str, pod: dict) -> None:
    for container in pod["containers"]:
        ports = container.get("ports", [])
        known = {port["name"] for port in ports} | {port["containerPort"] for port in ports}
        probes = [key for key in container if key.endswith("Probe")]
        for probe in probes:
            asked = container[probe].get("grpc") or container[probe].get("httpGet")
            expect(asked is not None and asked["port"] in known, f"{name}: {probe} asks a port that is not there")
        if container["name"] == "entente":
            expect(len(probes) == 3, f"{name}: has only {probes}")
            tls = any(mount["name"] == "tls" for mount in container["volumeMounts"])
            # The kubelet's gRPC probe does not speak TLS.
            for probe in probes:
                lives = probe == "livenessProbe" and "metrics" in known
                scheme = container[probe].get("httpGet", {}).get("scheme")
                right = scheme == "HTTPS" if tls else "grpc" in container[probe]
                asked = container[probe].get("httpGet", {}).get("port")
                expect(asked == "metrics" if lives else right, f"{name}: {probe} cannot be answered")


def _check_mounts(expect, name: str, pod: dict) -> None:
    volumes = {volume["name"] for volume in pod.get("volumes", [])} | {"data"}
    for container in pod["containers"]:
        for mount in container.get("volumeMounts", []):
            expect(mount["name"] in volumes, f"{name}: mounts {mount['name']}, which is not there")
            expect("subPath" not in mount, f"{name}: {mount['name']} would never see a renewed file")


def _check_secrets(expect, name: str, pod: dict) -> None:
    for container in pod["containers"]:
        for variable in container.get("env", []):
            if "value" in variable:
                expect(not re.search(r"://[^/@]+:[^/@]+@", variable["value"]), f"{name}: {variable['name']} has a password")
                expect(not SECRET_WORDS.search(variable["name"]), f"{name}: {variable['name']} is written out")


def _check_no_secret(expect, render) -> None:
    for each in render.objects:
        expect(each["kind"] != "Secret", f"makes the secret {each['metadata']['name']}: secrets are others' to make")
        expect("namespace" in each["metadata"], f"{each['kind']} {each['metadata']['name']}: no namespace")


def _check_workload(expect, render) -> None:
    deployments, sets = render.of("Deployment"), render.of("StatefulSet")
    postgres = render.values["database"]["engine"] == "postgres"
    expect(len(deployments) == int(postgres) and len(sets) == int(not postgres), "not one workload")
    for each in sets:
        expect(each["spec"]["replicas"] == 1, "SQLite with several pods")
        expect(len(each["spec"]["volumeClaimTemplates"]) == 1, "SQLite without a volume")
        services = {service["metadata"]["name"] for service in render.of("Service")}
        expect(each["spec"]["serviceName"] in services, "the StatefulSet's service is not there")
        for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget", "Job", "CronJob"):
            expect(not render.of(kind), f"SQLite with a {kind}")
    for each in deployments:
        scaled = bool(render.of("HorizontalPodAutoscaler"))
        expect(("replicas" in each["spec"]) != scaled, "replicas are set by two")
        expect(each["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, "a rollout takes pods away first")
        expect(each["spec"]["template"]["spec"].get("topologySpreadConstraints"), "pods are not spread")
    for each in deployments + sets:
        grace = each["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        delay = render.values["config"]["shutdownDelaySeconds"]
        needed = delay + DRAIN_SECONDS + AFTERWARDS_SECONDS
        expect(grace > needed, f"killed after {grace} s, but may need {needed} s")
        annotations = each["spec"]["template"]["metadata"]["annotations"]
        expect("checksum/config" in annotations, "a change of the settings restarts nobody")
    for job in render.of("Job"):
        annotations = job["metadata"]["annotations"]
        expect(annotations["helm.sh/hook"] == "pre-install,pre-upgrade", "the migration does not come first")
        server = deployments[0]["spec"]["template"]["spec"]["containers"][0]
        expect(job["spec"]["template"]["spec"]["containers"][0]["image"] == server["image"], "migrates with another image")
        accounts = {account["metadata"]["name"] for account in render.of("ServiceAccount")}
        expect(job["spec"]["template"]["spec"]["serviceAccountName"] not in accounts, "the hook needs a later account")


def _selected(selector: dict, pods) -> list[str]:
    wanted = selector.items()
    return [name for name, _, labels in pods if wanted <= labels.items()]


def _check_selectors(expect, render, pods) -> None:
    workload = (render.of("Deployment") + render.of("StatefulSet"))[0]
    server = [workload["metadata"]["name"]]
    selecting = [(each, each["spec"]["selector"]) for each in render.of("Service")]
    for kind in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
        selecting += [(each, each["spec"]["selector"]["matchLabels"]) for each in render.of(kind)]
    for each, selector in selecting:
        chosen = _selected(selector, pods)
        expect(chosen == server, f"{each['kind']} {each['metadata']['name']} selects {chosen}")
    changing = {"app.kubernetes.io/version", "helm.sh/chart"}
    expect(not changing & workload["spec"]["selector"]["matchLabels"].keys(), "the selector changes with the version")
    ports = {port["name"] for port in workload["spec"]["template"]["spec"]["containers"][0]["ports"]}
    for service in render.of("Service"):
        for port in service["spec"]["ports"]:
            expect(port["targetPort"] in ports, f"{service['metadata']['name']}: no port {port['targetPort']}")
    tls = render.values["tls"]["enabled"]
    for service in render.of("Service"):
        for port in service["spec"]["ports"]:
            wanted = {"grpc": "https" if tls else "kubernetes.io/h2c", "metrics": "http"}[port["name"]]
            expect(port["appProtocol"] == wanted, f"{service['metadata']['name']}: speaks {port['appProtocol']}")


def _check_network(expect, render, pods) -> None:
    policies = render.of("NetworkPolicy")
    if not render.values["networkPolicy"]["enabled"]:
        expect(not policies, "a network policy that nobody asked for")
        return
    covered = set()
    for policy in policies:
        spec = policy["spec"]
        expect(set(spec["policyTypes"]) == {"Ingress", "Egress"}, f"{policy['metadata']['name']}: one direction is open")
        covered |= set(_selected(spec["podSelector"]["matchLabels"], pods))
        for rule in spec.get("ingress", []):
            expect(rule.get("from"), f"{policy['metadata']['name']}: lets everybody in")
        for rule in spec.get("egress", []):
            expect(rule.get("ports"), f"{policy['metadata']['name']}: lets out to every port")
    uncovered = {name for name, _, _ in pods} - covered
    expect(not uncovered, f"no network policy for {uncovered}")
    # Ports that the server listens on must be those that the policy opens.
    opened = {port["port"] for policy in policies for rule in policy["spec"].get("ingress", []) for port in rule["ports"]}
    expect(opened <= {50051, 9464} and 50051 in opened, f"opens {opened}")


def _check_references(expect, render) -> None:
    """Whatever an object names of the chart's own is there."""
    services = {each["metadata"]["name"]: each for each in render.of("Service")}
    configs = {each["metadata"]["name"] for each in render.of("ConfigMap")}
    for route in render.of("GRPCRoute") + render.of("HTTPRoute"):
        for backend in (backend for rule in route["spec"]["rules"] for backend in rule["backendRefs"]):
            ports = {port["port"] for port in services[backend["name"]]["spec"]["ports"]}
            expect(backend["port"] in ports, f"{route['kind']}: {backend} is not there")
    for policy in render.of("BackendTLSPolicy"):
        for target in policy["spec"]["targetRefs"]:
            names = {port["name"] for port in services[target["name"]]["spec"]["ports"]}
            expect(target["sectionName"] in names, f"BackendTLSPolicy: no port {target['sectionName']}")
    for scaler in render.of("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        expect(target["name"] in {each["metadata"]["name"] for each in render.of(target["kind"])}, "scales nothing")
    for monitor in render.of("ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        chosen = [each for each in services.values() if wanted <= each["metadata"]["labels"].items()]
        expect(len(chosen) == 1, f"the monitor finds {len(chosen)} services")
        names = {port["name"] for each in chosen for port in each["spec"]["ports"]}
        expect({endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= names, "the monitor asks no port")
        label = monitor["spec"]["jobLabel"]
        expect(all(each["metadata"]["labels"].get(label) == "entente" for each in chosen), "the job is not entente")
    for workload in render.of("Deployment") + render.of("StatefulSet"):
        for volume in workload["spec"]["template"]["spec"]["volumes"]:
            if "configMap" in volume:
                expect(volume["configMap"]["name"] in configs, f"no ConfigMap {volume['configMap']['name']}")
    for config in render.of("ConfigMap"):
        size = sum(len(text.encode()) for text in config["data"].values())
        expect(size < 1024 * 1024, f"ConfigMap {config['metadata']['name']} has {size} bytes")


def settings(render) -> dict:
    """The file of settings that the server gets."""
    texts = [each["data"]["entente.toml"] for each in render.of("ConfigMap") if "entente.toml" in each["data"]]
    return tomllib.loads(texts[0])


def _check_settings(expect, render) -> None:
    read = settings(render)
    expect("database_url" not in read, "the database's address is in the file of settings")
    postgres = render.values["database"]["engine"] == "postgres"
    expect(read["migrate"] is not postgres, "who migrates?")
    expect(read["listen"].endswith(":50051"), "listens elsewhere")
    expect(isinstance(read["shutdown_delay_seconds"], int), "a number became a fraction")
    expect(("tls_certificate" in read) == render.values["tls"]["enabled"], "TLS is not what was asked for")
