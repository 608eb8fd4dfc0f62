"""Numbers for Prometheus, worked out when they are asked for, and what this process answered so far."""

import time
from collections.abc import Callable, Iterator

import psutil
from django.conf import settings
from django.db.models import Count, Min
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gallery.models import Image, WorkerState
from picfusion_site import overview
from search.engine import SEARCH_SECONDS
from search.engines import engine

REGISTRY = CollectorRegistry()
REQUESTS = Counter("picfusion_requests", "Answers of this process.", ["view", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "picfusion_request_seconds",
    "How long this process took, by view; search is a view.",
    ["view"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=REGISTRY,
)


class Site(Collector):
    """The library, the queue, the worker, the index, the disk and this process's memory."""

    def collect(self) -> Iterator[Metric]:
        """Ask the database; each question is one look at an index or a short table."""
        pictures = GaugeMetricFamily("picfusion_pictures", "Pictures by status.", labels=["status"])
        by_status = Image.objects.order_by().values("status").annotate(number=Count("pk"))
        for row in by_status:
            pictures.add_metric([row["status"]], row["number"])
        yield pictures
        ready = sum(row["number"] for row in by_status if row["status"] == Image.Status.READY)
        yield GaugeMetricFamily(
            "picfusion_read_per_minute",
            "Pictures that became searchable, lately.",
            overview.rate(ready, "metrics") or 0.0,
        )
        oldest = Image.objects.filter(status=Image.Status.PENDING).aggregate(at=Min("created_at"))["at"]
        waits = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily(
            "picfusion_oldest_waiting_seconds", "Age of the oldest waiting picture.", waits
        )
        yield GaugeMetricFamily(
            "picfusion_queue_tasks", "Tasks that wait for the worker.", OrmQ.objects.count()
        )
        beat = WorkerState.objects.order_by("-beat_at").values_list("beat_at", flat=True).first()
        if beat:
            silent = (timezone.now() - beat).total_seconds()
            yield GaugeMetricFamily("picfusion_worker_silent_seconds", "Since the last heartbeat.", silent)
        lag = engine().lag()
        if lag is not None:
            yield GaugeMetricFamily("picfusion_index_lag", "Changes that searches do not see yet.", lag)
        free = psutil.disk_usage(str(settings.VAR_DIR)).free
        yield GaugeMetricFamily("picfusion_disk_free_bytes", "Room for pictures.", free)
        memory = psutil.Process().memory_info().rss
        yield GaugeMetricFamily("picfusion_process_memory_bytes", "Of this process.", memory)


REGISTRY.register(Site())
REGISTRY.register(SEARCH_SECONDS)


def count_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Count answers, and measure how long they took."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = get_response(request)
        match = request.resolver_match
        view = match.url_name or "other" if match else "none"
        REQUESTS.labels(view, response.status_code).inc()
        SECONDS.labels(view).observe(time.perf_counter() - began)
        return response

    return middleware
