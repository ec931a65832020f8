"""Asks a server with the package prometheus-api-client as its users do; prints what came back as JSON."""

import datetime
import json
import sys

from prometheus_api_client import PrometheusConnect

url, at = sys.argv[1], int(sys.argv[2])
client = PrometheusConnect(url=url, disable_ssl=True)
start, end = (datetime.datetime.fromtimestamp(t) for t in (at - 60, at))
ranged = client.get_metric_range_data("sent", {"job": "a"}, start_time=start, end_time=end)
rows = client.custom_query_range("sent * 2", start, end, "30")
print(json.dumps({
    "connected": client.check_prometheus_connection(),
    "metrics": client.all_metrics(),
    "labels": client.get_label_names(),
    "values": client.get_label_values("job"),
    "now": [m["value"][1] for m in client.custom_query("sent", params={"time": at})],
    "range": [v for m in ranged for v in m["values"]],
    "doubled": [float(v) for m in rows for _, v in m["values"]],
}))
