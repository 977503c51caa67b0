"""The container files hold together: each copies what exists and starts what the wheel has."""

from __future__ import annotations

import json
import re
import runpy
import tomllib
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
import yaml
from distributed.cli import dask_scheduler, dask_worker
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tariffs.service.settings.settings import Settings
from tests.packaging.wheel import pins


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, continued lines joined and comments dropped."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> list[tuple[str, str]]:
    return instructions((root / "deploy" / "Dockerfile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    return deployed(root, "compose.yaml")


def deployed(root: Path, file: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((root / "deploy" / file).read_text(encoding="utf-8"))
    return parsed


def test_the_dockerfile_copies_only_what_is_there_and_not_ignored(
    root: Path, dockerfile: list[tuple[str, str]]
) -> None:
    allowed = (root / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [rest for word, rest in dockerfile if word == "COPY" and not rest.startswith("--from")]
    sources = [source for rest in copied for source in rest.split()[:-1]]
    assert sources
    for source in sources:
        assert (root / source).exists(), source
        assert f"!{source}" in allowed, source


def test_the_dockerfile_is_pinned_unprivileged_and_stops_by_signal(dockerfile: list[tuple[str, str]]) -> None:
    words = "FROM WORKDIR ARG COPY RUN ENV LABEL USER EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT"
    assert {word for word, _ in dockerfile} <= set(words.split())
    images = [rest.split()[0] for word, rest in dockerfile if word == "FROM"]
    assert set(images) == {"${PYTHON}"}
    (base,) = [rest for word, rest in dockerfile if word == "ARG" and rest.startswith("PYTHON=")]
    assert re.fullmatch(r"PYTHON=[a-z]+:\d[\w.-]+@sha256:[0-9a-f]{64}", base)
    last = [word for word, _ in dockerfile[::-1]]
    assert last.index("USER") < last.index("FROM"), "the final stage drops root"
    assert ("STOPSIGNAL", "SIGTERM") in dockerfile


def test_the_image_says_what_it_is_finds_its_kernels_and_starts_a_module_of_the_wheel(
    root: Path, dockerfile: list[tuple[str, str]]
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (labels,) = [rest for word, rest in dockerfile if word == "LABEL"]
    assert f'org.opencontainers.image.version="{project["version"]}"' in labels
    names = ("NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
    texts = [rest.split() for word, rest in dockerfile if word == "ENV"]
    environments = [dict(pair.partition("=")[::2] for pair in text) for text in texts]
    build, image = ([one.get(name) for name in names] for one in environments)
    assert build == image
    assert "" in image, "no features but those of the named processor"
    fill_caches = "python -m tariffs.service.server.warmup"
    assert any(rest.endswith(fill_caches) for word, rest in dockerfile if word == "RUN")
    assert fill_caches in (root / "Makefile").read_text(encoding="utf-8")
    assert any("cyclonedx-py" in rest for word, rest in dockerfile if word == "RUN")
    (entry,) = [rest for word, rest in dockerfile if word == "ENTRYPOINT"]
    python, flag, module = json.loads(entry)
    assert (python, flag) == ("python", "-m")
    assert (root / "service" / module.replace(".", "/") / "__main__.py").is_file()


def test_compose_builds_that_file_offers_ports_to_this_machine_and_keeps_the_audit_record_apart(
    root: Path, compose: dict[str, Any], dockerfile: list[tuple[str, str]]
) -> None:
    service = compose["services"]["tariffs"]
    build = service["build"]
    assert (root / "deploy" / build["context"] / build["dockerfile"]).resolve().is_file()
    (exposed,) = [rest.split() for word, rest in dockerfile if word == "EXPOSE"]
    environment = service["environment"]
    assert exposed == [str(Settings().port), environment["TARIFFS_HTTP_PORT"]]
    assert service["ports"] == [f"127.0.0.1:{port}:{port}" for port in exposed]
    volumes = dict(volume.split(":")[::-1] for volume in service["volumes"])
    record = environment["TARIFFS_AUDIT"]
    assert volumes[record] != volumes["/var/lib/tariffs"]
    assert any(record in rest for word, rest in dockerfile if word == "RUN"), "made for the user of the image"


@pytest.mark.parametrize("file", ["compose.yaml", "postgres.yaml", "dask.yaml"])
def test_compose_mounts_what_is_there_keeps_what_it_declares_and_has_limits(root: Path, file: str) -> None:
    deploy, parsed = root / "deploy", deployed(root, file)
    volumes = [volume for one in parsed["services"].values() for volume in one.get("volumes", [])]
    sources = [volume.split(":")[0] for volume in volumes]
    mounted = {source for source in sources if source.startswith(".")}
    assert all((deploy / source).exists() for source in mounted)
    assert set(sources) - mounted == parsed.get("volumes", {}).keys()
    secrets = [name for one in parsed["services"].values() for name in one.get("secrets", [])]
    assert set(secrets) == parsed.get("secrets", {}).keys()
    for name, one in parsed["services"].items():
        if "image" in one:
            assert {"memory", "pids"} <= one["deploy"]["resources"]["limits"].keys(), name
        image = one.get("image", "tariffs")
        assert image == "tariffs" or re.fullmatch(r"[a-z/]+:v?\d[\w.-]+@sha256:[0-9a-f]{64}", image)
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", []))


def test_compose_may_listen_and_prometheus_reads_the_port_it_offers(
    root: Path, compose: dict[str, Any], dockerfile: list[tuple[str, str]]
) -> None:
    environment = compose["services"]["tariffs"]["environment"]
    image = dict(pair.split("=") for word, rest in dockerfile if word == "ENV" for pair in rest.split())
    own = {name: value for name, value in {**image, **environment}.items() if name.startswith("TARIFFS_")}
    given = {name.removeprefix("TARIFFS_").lower(): value for name, value in own.items()}
    settings = Settings.model_validate(given)
    prometheus = deployed(root, "prometheus/prometheus.yaml")
    (job,) = prometheus["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"tariffs:{settings.metrics_port}"]}]
    targets = [volume.split(":")[1] for volume in compose["services"]["prometheus"]["volumes"]]
    assert set(prometheus["rule_files"]) <= set(targets)
    assert set(given) <= set(Settings.model_fields)


def _dask_commands(root: Path) -> Iterator[list[str]]:
    """Commands of the containers of a Dask cluster, by compose and on Kubernetes."""
    deploy, services = root / "deploy", deployed(root, "dask.yaml")["services"]
    yield from ([*one["entrypoint"], *one.get("command", [])] for one in services.values() if "image" in one)
    for part in yaml.safe_load_all((deploy / "kubernetes" / "dask.yaml").read_text(encoding="utf-8")):
        if part["kind"] == "Deployment":
            (container,) = part["spec"]["template"]["spec"]["containers"]
            yield [*container["command"], *container.get("args", [])]


def test_the_commands_of_the_cluster_are_those_of_dask_at_the_address_of_the_server(root: Path) -> None:
    known = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}
    commands = list(_dask_commands(root))
    assert [command[1] for command in commands] == ["scheduler", "worker"] * 2
    for dask, name, *arguments in commands:
        assert dask == "dask"
        found = known[name].make_context(name, list(arguments)).params
        assert found["dashboard_address"] == "127.0.0.1:0"
        assert any("tls://" in argument for argument in arguments)
        assert name == "worker" or found["host"].startswith("tls://")
    services = deployed(root, "dask.yaml")["services"]
    settings = Settings.model_validate({"cluster": services["tariffs"]["environment"]["TARIFFS_CLUSTER"]})
    address = urlsplit(settings.cluster)
    assert address.hostname in services
    assert (address.scheme, address.port) == ("tls", 8786)
    assert settings.cluster in services["dask-worker"]["entrypoint"]


def test_what_the_image_installs_is_in_the_lock_with_hashes(
    root: Path, dockerfile: list[tuple[str, str]], tmp_path: Path
) -> None:
    (build,) = [rest for word, rest in dockerfile if word == "RUN" and "runtime_requirements.py" in rest]
    installs = [part for part in build.split("&&") if "pip install" in part]
    assert ["--require-hashes" in part or "--no-index" in part for part in installs] == [True, True]
    assert all("--no-deps" in part for part in installs)
    extras = build.partition("requirements.lock ")[2].partition(" >")[0].split()
    assert extras == ["server", "postgres", "scale", "telemetry", "web", "mcp"]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wheel = tmp_path / "tariffs.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tariffs-1.dist-info/METADATA", "\n".join(required(project)))
    script = runpy.run_path(str(root / "deploy" / "runtime_requirements.py"))
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    found = script["runtime_requirements"](wheel, lock, extras)
    pinned = pins(found)
    wanted = {"grpcio", "polars", "psycopg", "psycopg-binary", "connectrpc", "h11", "distributed"}
    assert wanted <= pinned.keys()
    assert not {"pytest", "mypy", "ruff", "marimo", "pyarrow"} & pinned.keys()
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z])", found))
    for name, versions in pinned.items():
        assert versions == pins(lock)[name]


def required(project: dict[str, Any]) -> Iterator[str]:
    """The requirements of the project as the metadata of its wheel have them."""
    yield from (f"Requires-Dist: {one}" for one in project["dependencies"])
    for extra, those in project["optional-dependencies"].items():
        yield from (f"Requires-Dist: {with_extra(one, extra)}" for one in those)


def with_extra(requirement: str, extra: str) -> str:
    needed, _, marker = requirement.partition(";")
    return f'{needed}; ({marker}) and extra == "{extra}"' if marker else f'{needed}; extra == "{extra}"'


def test_the_health_check_knows_warm_from_warming_and_from_gone(root: Path) -> None:
    serving = runpy.run_path(str(root / "deploy" / "healthcheck.py"))["serving"]
    servicer, server = health.HealthServicer(), grpc.server(ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    for state, warm in (("NOT_SERVING", False), ("SERVING", True)):
        servicer.set("", health_pb2.HealthCheckResponse.ServingStatus.Value(state))
        assert serving(target) == warm
    server.stop(None).wait()
    assert not serving("127.0.0.1:1", seconds=0.2)
