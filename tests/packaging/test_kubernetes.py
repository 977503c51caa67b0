"""The parts of Kubernetes hold together: what a kustomization names is there, and ports, labels and settings agree.

`kustomize` is not among the tools of this project, so the few things that ours use are laid over each other here:
resources, components, strategic merges by the name of a list's items, and generated ConfigMaps.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tariffs.service.settings.settings import Settings

OVERLAYS = ("single", "replicas")
NAMED = {"resources", "components", "patches", "configMapGenerator"}
UNDERSTOOD = {"apiVersion", "kind", "images", "labels", *NAMED}
# Read by the health check of the image.
HEALTH = {"health_name"}


@pytest.fixture(scope="module")
def home(root: Path) -> Path:
    return root / "deploy" / "kubernetes"


def documents(path: Path) -> list[Any]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


class Rendered:
    """Resources and settings of a kustomization, with everything it names."""

    def __init__(self, place: Path) -> None:
        self.resources: dict[tuple[str, str], dict[str, Any]] = {}
        self.settings: dict[str, str] = {}
        self.add(place)

    def add(self, place: Path) -> None:
        (plan,) = documents(place / "kustomization.yaml")
        assert set(plan) <= UNDERSTOOD
        places = [place / name for name in (*plan.get("resources", []), *plan.get("components", []))]
        for one in (one for path in places if path.is_file() for one in documents(path)):
            key = one["kind"], one["metadata"]["name"]
            assert key not in self.resources, key
            self.resources[key] = one
        for path in places:
            if path.is_dir():
                self.add(path.resolve())
        for generator in plan.get("configMapGenerator", []):
            assert (generator.get("behavior") == "merge") == bool(self.settings)
            for name in generator["envs"]:
                self.settings |= dict(pairs((place / name).read_text(encoding="utf-8")))
        for patch in plan.get("patches", []):
            (change,) = documents(place / patch["path"])
            key = change["kind"], change["metadata"]["name"]
            self.resources[key] = merged(self.resources[key], change)

    def of(self, kind: str) -> dict[str, Any]:
        (found,) = [one for (own, _), one in self.resources.items() if own == kind]
        return found

    @property
    def pod(self) -> dict[str, Any]:
        return pod_of(self.of("Deployment"))

    @property
    def container(self) -> dict[str, Any]:
        (found,) = self.pod["containers"]
        return dict(found)


def pod_of(deployment: dict[str, Any]) -> dict[str, Any]:
    return dict(deployment["spec"]["template"]["spec"])


def dask(home: Path, kind: str = "Deployment") -> list[Any]:
    """Resources of a kind of the cluster that servers may share."""
    return [one for one in documents(home / "dask.yaml") if one["kind"] == kind]


def pairs(text: str) -> Iterator[tuple[str, str]]:
    for one in text.splitlines():
        if one and not one.startswith("#"):
            name, _, value = one.partition("=")
            yield name, value


def merged(old: Any, new: Any) -> Any:
    """A strategic merge: lists of things with names are merged by them, null removes."""
    if isinstance(old, dict) and isinstance(new, dict):
        if new.get("$patch") == "replace":
            return {name: value for name, value in new.items() if name != "$patch"}
        both = {name: merged(old.get(name), value) for name, value in new.items() if value is not None}
        return {name: value for name, value in old.items() if name not in new} | both
    if isinstance(old, list) and isinstance(new, list) and all(isinstance(one, dict) for one in new):
        named = {one["name"]: one for one in old}
        for one in new:
            named[one["name"]] = merged(named.get(one["name"], {}), one)
        return list(named.values())
    return new


@pytest.fixture(scope="module", params=OVERLAYS)
def rendered(home: Path, request: pytest.FixtureRequest) -> Rendered:
    return Rendered(home / "overlays" / request.param)


def test_every_file_is_named_by_a_kustomization(home: Path) -> None:
    named = set()
    for path in home.rglob("kustomization.yaml"):
        (plan,) = documents(path)
        files = [*plan.get("resources", []), *plan.get("components", [])]
        files += [patch["path"] for patch in plan.get("patches", [])]
        files += [name for one in plan.get("configMapGenerator", []) for name in one["envs"]]
        for name in files:
            assert (path.parent / name).exists(), name
            named.add((path.parent / name).resolve())
    there = {path.resolve() for path in home.rglob("*.*") if path.name != "kustomization.yaml"}
    assert there - named == {home / "dask.yaml"}


def test_selectors_find_the_pods_and_nothing_else(home: Path, rendered: Rendered) -> None:
    labels = rendered.of("Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        rendered.of("Deployment")["spec"]["selector"]["matchLabels"],
        rendered.of("Service")["spec"]["selector"],
        rendered.of("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        rendered.pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]
    budgets = [one for (kind, _), one in rendered.resources.items() if kind == "PodDisruptionBudget"]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in budgets]
    for selector in selectors:
        assert selector.items() <= labels.items()
    for one in dask(home):
        assert not selectors[0].items() <= one["spec"]["template"]["metadata"]["labels"].items()
    for one in dask(home, "NetworkPolicy"):
        (allowed,) = one["spec"]["ingress"][0]["from"][0]["podSelector"]["matchExpressions"]
        assert labels[allowed["key"]] in allowed["values"]


def test_settings_are_those_of_the_server_and_its_ports_agree(
    rendered: Rendered, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {name.removeprefix("TARIFFS_").lower(): value for name, value in rendered.settings.items()}
    assert set(given) <= set(Settings.model_fields) | HEALTH
    # The files are there in the pod alone.
    monkeypatch.setattr("pathlib.Path.is_file", lambda _: True)
    monkeypatch.setattr("os.access", lambda *_: True)
    own = {name: value for name, value in given.items() if name not in HEALTH}
    settings = Settings.model_validate({**own, "host": "0.0.0.0"})
    assert settings.guarded
    ports = {port["name"]: port["containerPort"] for port in rendered.container["ports"]}
    assert ports == {"grpc": settings.port, "http": settings.http_port, "metrics": settings.metrics_port}
    service = {port["name"]: port for port in rendered.of("Service")["spec"]["ports"]}
    assert {name: port["port"] for name, port in service.items()} == ports
    assert all(port["targetPort"] == name for name, port in service.items())
    policy = rendered.of("NetworkPolicy")["spec"]["ingress"]
    assert [[port["port"] for port in rule["ports"]] for rule in policy] == [
        [settings.port, settings.http_port], [settings.metrics_port]
    ]  # fmt: skip
    annotations = rendered.of("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(settings.metrics_port)
    slept = rendered.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = slept + settings.drain_seconds + settings.grace_seconds
    assert rendered.pod["terminationGracePeriodSeconds"] > needed + 5


def test_paths_of_settings_are_mounted_and_volumes_are_there(home: Path, rendered: Rendered) -> None:
    mounts = {mount["mountPath"]: mount["name"] for mount in rendered.container["volumeMounts"]}
    for value in rendered.settings.values():
        if value.startswith("/"):
            assert any(value == path or value.startswith(f"{path}/") for path in mounts), value
    image = (home.parent / "Dockerfile").read_text(encoding="utf-8")
    (state,) = re.findall(r"TARIFFS_STATE_DIR=(\S+)", image)
    assert any(state.startswith(path) for path in mounts)
    volumes = {volume["name"]: volume for volume in rendered.pod["volumes"]}
    assert set(mounts.values()) == set(volumes)
    claimed = [(name, volume.get("persistentVolumeClaim")) for name, volume in volumes.items()]
    claims = {name: claim["claimName"] for name, claim in claimed if claim}
    kept = {name for kind, name in rendered.resources if kind == "PersistentVolumeClaim"}
    assert set(claims.values()) == kept
    record = mounts[rendered.settings["TARIFFS_AUDIT"]]
    assert claims[record] != claims[mounts["/var/lib/tariffs"]], "the audit record has a volume of its own"


def test_pods_have_no_rights_and_write_their_volumes_alone(home: Path, rendered: Rendered) -> None:
    image = (home.parent / "Dockerfile").read_text(encoding="utf-8")
    (user,) = re.findall(r"^USER (\d+)$", image, re.MULTILINE)
    pod, container = rendered.pod, rendered.container
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == int(user)
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == rendered.of("ServiceAccount")["metadata"]["name"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_one_server_is_not_doubled_and_several_share_what_they_write(home: Path) -> None:
    single, several = (Rendered(home / "overlays" / name) for name in OVERLAYS)
    assert single.of("Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert "HorizontalPodAutoscaler" not in {kind for kind, _ in single.resources}
    assert several.of("Deployment")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert "replicas" not in several.of("Deployment")["spec"], "the autoscaler's"
    scaler = several.of("HorizontalPodAutoscaler")["spec"]
    assert scaler["scaleTargetRef"]["name"] == several.of("Deployment")["metadata"]["name"]
    assert scaler["minReplicas"] > several.of("PodDisruptionBudget")["spec"]["maxUnavailable"]
    state = several.resources["PersistentVolumeClaim", "tariffs-state"]
    assert state["spec"]["accessModes"] == ["ReadWriteMany"]


def test_both_overlays_are_encrypted_and_probes_run_the_health_check_of_the_image(
    home: Path, rendered: Rendered
) -> None:
    base = Rendered(home / "base")
    image = (home.parent / "Dockerfile").read_text(encoding="utf-8")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        found = rendered.container[probe]
        assert "grpc" not in found
        assert found["exec"]["command"][1] in image
        assert found["periodSeconds"] == base.container[probe]["periodSeconds"]
        assert base.container[probe]["grpc"]["port"] == Settings().port
    assert rendered.settings["TARIFFS_TLS_CERTIFICATE"].startswith("/run/secrets/tariffs-tls/")
    protocols = {port["name"]: port.get("appProtocol") for port in rendered.of("Service")["spec"]["ports"]}
    assert protocols == {"grpc": "https", "http": "https", "metrics": None}


def test_every_way_out_names_where_it_leads(home: Path, rendered: Rendered) -> None:
    ways = rendered.of("NetworkPolicy")["spec"]["egress"]
    assert all(way["to"] and way["ports"] for way in ways)
    assert 443 not in {port["port"] for way in ways for port in way["ports"]}
    (issuer,) = documents(home / "components" / "oidc" / "networkpolicy.yaml")
    assert issuer["spec"]["podSelector"] == rendered.of("NetworkPolicy")["spec"]["podSelector"]
    (way,) = issuer["spec"]["egress"]
    assert way["ports"] == [{"port": 443, "protocol": "TCP"}]
    private = {4: ["10.0.0.1", "169.254.169.254", "192.168.1.1"], 6: ["fd00::1", "fe80::1"]}
    for block in (one["ipBlock"] for one in way["to"]):
        network = ipaddress.ip_network(block["cidr"])
        left_out = [ipaddress.ip_network(one) for one in block["except"]]
        assert all(one.subnet_of(network) for one in left_out)  # type: ignore[arg-type] # of one version
        hidden = map(ipaddress.ip_address, private[network.version])
        assert all(any(one in net for net in left_out) for one in hidden)


def test_storage_beside_volumes_is_bounded(home: Path, rendered: Rendered) -> None:
    for pod in (rendered.pod, *map(pod_of, dask(home))):
        (container,) = pod["containers"]
        limit = gibibytes(container["resources"]["limits"]["ephemeral-storage"])
        assert gibibytes(container["resources"]["requests"]["ephemeral-storage"]) <= limit
        empty = [volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume]
        assert sum(gibibytes(one["sizeLimit"]) for one in empty) < limit


def gibibytes(text: str) -> float:
    return float(text[:-2]) * {"Gi": 1.0, "Mi": 1 / 1024}[text[-2:]]


def test_the_cluster_is_reached_by_encryption_alone(home: Path) -> None:
    caller = Rendered(home / "overlays" / "replicas")
    caller.add(home / "components" / "dask")
    assert caller.settings["TARIFFS_CLUSTER"].startswith("tls://tariffs-dask:")
    given = {"CLIENT": caller.settings}
    mounts = {"CLIENT": caller.container["volumeMounts"]}
    for pod in map(pod_of, dask(home)):
        (container,) = pod["containers"]
        role = container["name"].upper()
        given[role] = {entry["name"]: entry["value"] for entry in container["env"]}
        mounts[role] = container["volumeMounts"]
    assert set(given) == {"CLIENT", "SCHEDULER", "WORKER"}
    for role, settings in given.items():
        tls = "DASK_DISTRIBUTED__COMM__TLS__"
        assert settings["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "true"
        paths = [settings[f"{tls}{name}"] for name in ("CA_FILE", f"{role}__CERT", f"{role}__KEY")]
        mounted = tuple(mount["mountPath"] + "/" for mount in mounts[role])
        assert all(path.startswith(mounted) for path in paths)
