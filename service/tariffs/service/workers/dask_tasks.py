"""Compute tasks on a Dask cluster: https://distributed.dask.org.

Dask sends a task again when its worker dies. Tasks are deterministic and their results are joined in a fixed order, so
that workers, retries and timing change no bit. Certificates of
encrypted schedulers (`tls://`) are Dask's own settings.
"""

from __future__ import annotations

import operator
import platform
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from typing import Any

from tariffs.engine.base.chunks import watched
from tariffs.engine.base.provenance import engine_version
from tariffs.engine.errors import ServiceError, TariffsError
from tariffs.engine.law import load_law
from tariffs.service.wire.status import Cancelled, check_cancelled
from tariffs.service.workers.spread_tasks import Handle, Result, function_of

CONNECT_SECONDS = 10.0
_LARGE_GRAPH = "distributed.admin.large-graph-warning-threshold"
_LARGE_BYTES = 10_000_000
_POLL_SECONDS = 0.5
_RETRIES = 3
"""Times that a task is computed again because its worker died."""
WORKER_KEY = "worker"
"""Key of the metadata of CLUSTER_UNAVAILABLE that names the last worker that a task has ended."""
_LIBRARIES = ("numpy", "numba", "polars")


@cache
def node_facts() -> dict[str, str]:
    """Versions on which the bits of a result depend, and the digest of the law."""
    return {
        "tariffs": engine_version(),
        "law": load_law().digest,
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name) for name in _LIBRARIES},
    }


@contextmanager
def cluster(address: str) -> Iterator[DaskTasks]:
    """Connect to the scheduler of a Dask cluster.

    Raises:
        ServiceError: EXTRA_MISSING without Dask, CLUSTER_UNAVAILABLE if no scheduler answers or it has no workers,
            CLUSTER_MISMATCH if a worker has another version or law than this process.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ServiceError(
            "EXTRA_MISSING", "Runs on a cluster need Dask.", field="cluster", fix="Install tariffs[scale]."
        ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    # Dask raises errors of many types here, as a TypeError without the certificates of an encrypted scheduler.
    except Exception as error:
        raise unavailable(address, f"no scheduler answers ({type(error).__name__})") from error
    try:
        with DaskTasks(client, address) as tasks:
            yield tasks
    finally:
        # A client whose scheduler is lost cannot take its leave.
        with suppress(Exception):
            client.close(timeout=CONNECT_SECONDS)


def unavailable(address: str, problem: str, **metadata: str) -> ServiceError:
    """Make the error of a cluster that cannot be used; WORKER_KEY of `metadata` says that a task ended its workers."""
    return ServiceError(
        "CLUSTER_UNAVAILABLE",
        f"The cluster at {address}: {problem}.",
        field="cluster",
        fix="Start the scheduler and its workers, or try again; a long run of a server continues where it was.",
        metadata=metadata,
    )


class DaskTasks:
    """Tasks on a Dask cluster.

    Raises:
        ServiceError: as `cluster`.
    """

    def __init__(self, client: Any, address: str) -> None:
        from distributed import Event

        self._client, self._address = client, address
        self._name = f"tariffs-{uuid.uuid4().hex}"
        with self._reachable():
            threads = client.nthreads()
            if not threads:
                raise unavailable(address, "it has no workers")
            self._check(client.run(node_facts))
            self._stopped = Event(self._name, client=client)
        self.at_once: int = sum(threads.values())

    def __enter__(self) -> DaskTasks:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None:
            # Tasks in the middle of their work see it at their next step.
            with suppress(Exception):
                self._stopped.set()

    def share(self, data: bytes) -> Handle:
        """Send data to the cluster; a worker fetches it once."""
        import dask

        # As a task and not as scattered data, which would be lost with the worker that holds it.
        with self._reachable(), dask.config.set({_LARGE_GRAPH: len(data) + _LARGE_BYTES}):
            return self._client.submit(_as_it_is, data, pure=False, retries=_RETRIES)

    def submit(self, function: str, shared: Handle, argument: bytes, inputs: Sequence[Handle] = ()) -> Handle:
        """Send the task of a function, `rpc.module:function`; inputs are the results of other tasks."""
        with self._reachable():
            return self._client.submit(
                run_task, node_facts(), self._name, function, shared, argument, *inputs, pure=False,
                retries=_RETRIES,
            )  # fmt: skip

    def item(self, handle: Handle, index: int) -> Handle:
        """Select one of the results of a task that has a list of them, where it is."""
        with self._reachable():
            return self._client.submit(operator.getitem, handle, index, pure=False, retries=_RETRIES)

    def result(self, handle: Handle, cancelled: Cancelled) -> bytes:
        """Wait for a result; raises the error of the task, CANCELLED, or CLUSTER_UNAVAILABLE."""
        with self._reachable(), self._client.as_current():
            while not handle.done():
                check_cancelled(cancelled)
                self._wait(handle)
            data: bytes = handle.result()
            return data

    def _wait(self, handle: Handle) -> None:
        """Wait for a moment; what goes wrong is no error of the task, which is raised by its result."""
        from distributed import wait

        try:
            wait([handle], timeout=_POLL_SECONDS)
        except TimeoutError:
            pass
        except Exception as error:
            raise self._lost(error) from error
        if not self._is_connected:
            raise unavailable(self._address, "the scheduler was lost")

    def forget(self, handles: Sequence[Handle]) -> None:
        """Release results that no task needs any more."""
        for handle in handles:
            handle.release()

    def _check(self, nodes: Mapping[str, Mapping[str, str]]) -> None:
        """Refuse a cluster with a worker whose results could differ."""
        own = node_facts()
        for worker, facts in nodes.items():
            check_facts(own, facts, f"The worker {worker}")

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        from distributed import KilledWorker

        try:
            yield
        except TariffsError:
            raise
        except KilledWorker as error:
            raise unavailable(
                self._address,
                f"a task ended {_RETRIES} workers, last {error.last_worker}",
                **{WORKER_KEY: str(error.last_worker)},
            ) from error
        except (OSError, TimeoutError, CancelledError) as error:
            raise self._lost(error) from error
        except Exception as error:
            if self._is_connected:
                raise
            raise self._lost(error) from error

    @property
    def _is_connected(self) -> bool:
        comm = self._client.scheduler_comm
        return self._client.status == "running" and comm is not None and not comm.comm.closed()

    def _lost(self, error: Exception) -> ServiceError:
        return unavailable(self._address, f"the scheduler was lost ({type(error).__name__})")


def _as_it_is(data: bytes) -> bytes:
    return data


def check_facts(wanted: Mapping[str, str], found: Mapping[str, str], place: str) -> None:
    """Compare the facts of two places; raises ServiceError CLUSTER_MISMATCH."""
    for name, value in wanted.items():
        if found.get(name) != value:
            raise ServiceError(
                "CLUSTER_MISMATCH",
                f"{place} has {name} {found.get(name)!r} and the caller {value!r}.",
                field="cluster",
                fix="Install the same versions on the scheduler's workers and where the call is made.",
                metadata={"name": name},
            )


def run_task(
    facts: Mapping[str, str], stop: str, function: str, shared: bytes, argument: bytes, *inputs: bytes
) -> Result:
    """Compute a task on a worker.

    Args:
        facts: what the worker must have in common with the caller; workers may join after a run began.
        stop: name of the event that ends the run.
        function: module and name.

    Raises:
        ServiceError: CLUSTER_MISMATCH or CANCELLED.
    """
    check_facts(facts, node_facts(), "A worker")
    stopped = _Stopped(stop)
    with watched(stopped.check):
        return function_of(function)(shared, argument, inputs, stopped)


class _Stopped:
    """Tests now and then whether a run was stopped."""

    def __init__(self, name: str) -> None:
        from distributed import Event

        self._event = Event(name)
        self._next = time.monotonic() + _POLL_SECONDS
        self._is_set = False

    def __call__(self) -> bool:
        if not self._is_set and time.monotonic() >= self._next:
            self._is_set = bool(self._event.is_set())
            self._next = time.monotonic() + _POLL_SECONDS
        return self._is_set

    def check(self) -> None:
        """Raise ServiceError CANCELLED once the run was stopped."""
        check_cancelled(self)
