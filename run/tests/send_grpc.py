"""Sends metrics with OpenTelemetry's SDK for Python over gRPC, packed with gzip, once cumulative and once as deltas."""

import sys

from grpc import Compression
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk import metrics
from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.resources import Resource

endpoint, kind = sys.argv[1:]
delta = {metrics.Counter: export.AggregationTemporality.DELTA, metrics.Histogram: export.AggregationTemporality.DELTA}
exporter = OTLPMetricExporter(
    endpoint=endpoint,
    insecure=True,
    compression=Compression.Gzip,
    preferred_temporality=delta if kind == "delta" else {},
)
reader = export.PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
resource = Resource.create({"service.name": kind, "service.instance.id": "1"})
provider = metrics.MeterProvider([reader], resource)
meter = provider.get_meter("lib", "1.2")
counter = meter.create_counter("jobs.done")
latency = meter.create_histogram("latency", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1])
for n in range(3):
    counter.add(2, {"queue.name": "q"})
    latency.record(0.05 + n)
    assert reader.force_flush(), "not taken"
provider.shutdown()
