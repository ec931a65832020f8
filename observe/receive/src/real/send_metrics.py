"""Sends metrics of all kinds with OpenTelemetry's SDK for Python, once cumulative and once as deltas."""

import sys

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk import metrics
from opentelemetry.sdk.metrics import export, view
from opentelemetry.sdk.resources import Resource

endpoint, kind = sys.argv[1:]
delta = {metrics.Counter: export.AggregationTemporality.DELTA, metrics.Histogram: export.AggregationTemporality.DELTA}
exporter = OTLPMetricExporter(
    endpoint=endpoint, compression=Compression.Gzip, preferred_temporality=delta if kind == "delta" else {}
)
reader = export.PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
resource = Resource.create({"service.name": "py", "service.namespace": kind, "service.instance.id": "1", "zone": "a"})
exponential = view.View(
    instrument_name="size", aggregation=view.ExponentialBucketHistogramAggregation(max_size=20, max_scale=10)
)
provider = metrics.MeterProvider([reader], resource, views=[exponential])
meter = provider.get_meter("lib", "1.2")
counter = meter.create_counter("jobs.done", unit="{job}", description="Jobs.")
level = meter.create_up_down_counter("queue.level")
latency = meter.create_histogram("latency", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1])
size = meter.create_histogram("size", unit="By")
meter.create_observable_gauge("temp", [lambda _: [Observation(21.5, {"room.name": "b"})]])
for n in range(3):
    counter.add(2, {"queue.name": "q"})
    level.add(-1)
    latency.record(0.05 + n)
    size.record(100 * (n + 1))
    assert reader.force_flush()
provider.shutdown()
