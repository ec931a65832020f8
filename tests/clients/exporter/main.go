// An exporter with a metric of every kind, over Prometheus's own Go client: text, OpenMetrics with exemplars and created timestamps, protobuf
// with native histograms; plain, gzip or zstd, as it is asked. I/O: serves the address that is its argument.
//
//	/metrics   what is measured
//	/step      observes some more: the same in every run
//	/asked     who asked for /metrics, and how: the client, the form and the packing of the last answer to each, a line each
package main

import (
	"fmt"
	"log"
	"math"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/promhttp/zstd" // Or it packs with gzip only.
)

// When the metrics of constant values say that they began, seconds since the epoch.
const began = 1_790_000_000

type measured struct {
	orders    *prometheus.CounterVec
	rooms     *prometheus.GaugeVec
	requests  *prometheus.HistogramVec
	latencies *prometheus.HistogramVec
	changes   prometheus.Histogram
	waits     *prometheus.SummaryVec
	steps     int
	lock      sync.Mutex
}

func newMeasured(registry *prometheus.Registry) *measured {
	m := &measured{
		orders: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "orders_total", Help: "Orders, taken\nor not: \\ \"x\"."}, []string{"shop"}),
		rooms:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "room_celsius", Help: "Temperatures."}, []string{"room", "floor"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "request_seconds", Help: "Classic buckets only.", Buckets: []float64{0.001, 0.25, 1, 2.5, 10, 100},
		}, []string{"code"}),
		latencies: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "latency_seconds", Help: "Both forms.", Buckets: []float64{0.1, 1, 10}, NativeHistogramBucketFactor: 1.1,
		}, []string{"route"}),
		changes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "change_bytes", Help: "Native, both signs.", NativeHistogramBucketFactor: 2, NativeHistogramZeroThreshold: 0.5,
		}),
		waits: prometheus.NewSummaryVec(prometheus.SummaryOpts{
			Name: "wait_seconds", Help: "Quantiles.", Objectives: map[float64]float64{0.5: 0.001, 0.99: 0.001},
		}, []string{"queue"}),
	}
	empty := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "nothing_yet", Help: "Native, empty.", NativeHistogramBucketFactor: 1.5})
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "build_info", Help: "Always one.", ConstLabels: prometheus.Labels{"version": "1.0 \"a\\b\"\nc"}})
	info.Set(1)
	registry.MustRegister(m.orders, m.rooms, m.requests, m.latencies, m.changes, m.waits, empty, info, constant{})
	return m
}

// Values that never change, with a beginning or a time of their own.
type constant struct{}

var (
	oldTotal  = prometheus.NewDesc("old_total", "It began long ago.", []string{"of"}, nil)
	timedDesc = prometheus.NewDesc("timed_celsius", "It has a time of its own.", nil, nil)
)

func (constant) Describe(to chan<- *prometheus.Desc) {
	to <- oldTotal
	to <- timedDesc
}

func (constant) Collect(to chan<- prometheus.Metric) {
	to <- prometheus.MustNewConstMetricWithCreatedTimestamp(oldTotal, prometheus.CounterValue, 1234.5, time.Unix(began, 0), "a")
	timed := prometheus.MustNewConstMetric(timedDesc, prometheus.GaugeValue, 21.5)
	to <- prometheus.NewMetricWithTimestamp(time.Now().Truncate(time.Minute).Add(-30*time.Second), timed)
}

// The same observations in every run, others in every step.
func (m *measured) step() {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.steps++
	trace := prometheus.Labels{"trace_id": fmt.Sprintf("%016x", m.steps)}
	for i := 0; i < 5; i++ {
		shop := m.orders.WithLabelValues(fmt.Sprintf("s%d", i))
		shop.(prometheus.ExemplarAdder).AddWithExemplar(float64(i*m.steps)+0.5, trace)
	}
	for i, v := range []float64{21.5, -273.15, math.NaN(), math.Inf(1), math.Inf(-1), 1e300, 5e-324} {
		m.rooms.WithLabelValues(fmt.Sprintf("r%d", i), "").Set(v)
	}
	for i := 1; i <= 40; i++ {
		v := math.Pow(1.37, float64((i*m.steps)%23)) / 50
		observe := func(of prometheus.Observer) { of.(prometheus.ExemplarObserver).ObserveWithExemplar(v, trace) }
		observe(m.requests.WithLabelValues("200"))
		observe(m.latencies.WithLabelValues("/a"))
		m.latencies.WithLabelValues("/b").Observe(v * v)
		m.changes.Observe(v*100 - 50)
		m.changes.Observe(0)
		m.waits.WithLabelValues("mail").Observe(v)
	}
}

// What the last answer to each client was like.
type asked struct {
	lock sync.Mutex
	last map[string]string
}

func (a *asked) around(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r)
		client, _, _ := strings.Cut(r.UserAgent(), "/")
		a.lock.Lock()
		defer a.lock.Unlock()
		form, packing := w.Header().Get("Content-Type"), w.Header().Get("Content-Encoding")
		a.last[client+" "+r.URL.RawQuery] = fmt.Sprintf("%s | %s", form, packing)
	})
}

func (a *asked) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	a.lock.Lock()
	defer a.lock.Unlock()
	var lines []string
	for client, answer := range a.last {
		lines = append(lines, client+" | "+answer)
	}
	sort.Strings(lines)
	fmt.Fprintln(w, strings.Join(lines, "\n"))
}

func main() {
	registry := prometheus.NewRegistry()
	m, a := newMeasured(registry), &asked{last: map[string]string{}}
	options := promhttp.HandlerOpts{EnableOpenMetrics: true, EnableOpenMetricsTextCreatedSamples: true}
	m.step()
	http.Handle("/metrics", a.around(promhttp.HandlerFor(registry, options)))
	http.HandleFunc("/step", func(http.ResponseWriter, *http.Request) { m.step() })
	http.Handle("/asked", a)
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
