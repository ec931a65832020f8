// Asks a server by every method of Prometheus's own Go client, and prints what it answered, a line each.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

func main() {
	seconds, err := strconv.ParseInt(os.Args[3], 10, 64)
	if err != nil {
		panic(err)
	}
	metric, at := os.Args[2], time.Unix(seconds, 0)
	client, err := api.NewClient(api.Config{Address: os.Args[1]})
	if err != nil {
		panic(err)
	}
	server, ctx, failed := v1.NewAPI(client), context.Background(), 0
	tell := func(name string, answer any, err error) {
		if err != nil {
			failed++
			answer = err
		}
		fmt.Printf("%s: %v\n", name, answer)
	}
	from := at.Add(-10 * time.Minute)
	value, _, err := server.Query(ctx, "count("+metric+")", at)
	tell("query", value, err)
	value, _, err = server.QueryRange(ctx, "sum("+metric+")", v1.Range{Start: from, End: at, Step: 5 * time.Minute})
	tell("query_range", value, err)
	_, _, err = server.Query(ctx, "sum(", at)
	if bad, ok := err.(*v1.Error); ok && bad.Type == v1.ErrBadData {
		tell("bad_data", bad.Msg, nil)
	} else {
		tell("bad_data", nil, fmt.Errorf("no bad_data: %v", err))
	}
	names, _, err := server.LabelNames(ctx, []string{metric}, from, at)
	tell("labels", names, err)
	values, _, err := server.LabelValues(ctx, "__name__", []string{metric}, from, at)
	tell("values", values, err)
	series, _, err := server.Series(ctx, []string{metric}, from, at, v1.WithLimit(3))
	tell("series", len(series), err)
	exemplars, err := server.QueryExemplars(ctx, metric, from, at)
	tell("exemplars", len(exemplars), err)
	targets, err := server.Targets(ctx)
	tell("targets", len(targets.Active), err)
	rules, err := server.Rules(ctx)
	tell("rules", len(rules.Groups), err)
	alerts, err := server.Alerts(ctx)
	tell("alerts", len(alerts.Alerts), err)
	managers, err := server.AlertManagers(ctx)
	tell("alertmanagers", len(managers.Active), err)
	metadata, err := server.Metadata(ctx, metric, "1")
	tell("metadata", len(metadata), err)
	told, err := server.TargetsMetadata(ctx, "", metric, "1")
	tell("targets_metadata", len(told), err)
	config, err := server.Config(ctx)
	tell("config", len(config.YAML) > 0, err)
	flags, err := server.Flags(ctx)
	tell("flags", len(flags) > 0, err)
	build, err := server.Buildinfo(ctx)
	tell("buildinfo", build.Version, err)
	runtime, err := server.Runtimeinfo(ctx)
	tell("runtimeinfo", runtime.CWD != "", err)
	store, err := server.TSDB(ctx)
	tell("tsdb", store.HeadStats.NumSeries > 0, err)
	_, err = server.WalReplay(ctx)
	tell("walreplay", "ok", err)
	if failed > 0 {
		os.Exit(1)
	}
}
