#!/bin/sh
# Measures everything: run.sh DATA WORK. About 20 minutes on two cores.
set -eu
data=$1 work=$2
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-target}
cargo build --release
bin=$target/release
mkdir -p "$work"
"$bin/corpus" node "$data/node" "$work/node.flat"
"$bin/corpus" farm 1000 300 1 "$work/farm.flat"

for corpus in node farm; do
    echo "== parse, $corpus"
    "$bin/parse" "$work/$corpus.flat" 200
    echo "== columns, $corpus"
    "$bin/columns" speed "$work/$corpus.flat" 300
    "$bin/columns" wal "$work/$corpus.flat" 200 60 "$work" 14 1
    "$bin/columns" memory "$work/$corpus.flat" 200 241 hashed drop
done
echo "== memory"
"$bin/columns" memory "$work/farm.flat" 200 241 whole drop
"$bin/columns" memory "$work/farm.flat" 200 481 hashed keep
echo "== codings"
"$bin/codecs" "$work/node.flat" 1920 1 120 240 480 960
echo "== codings, 15 s"
"$bin/codecs" "$work/node.flat" 120 15 120
echo "== codings, made up"
"$bin/codecs" "$work/farm.flat" 240 1 120 240

for round in 1 2 3; do
    for jitter in 0 4; do
        echo "== import, round $round"
        "$bin/vm" import victoria-metrics "$work" "$work/node.flat" 960 10 "$jitter" 1
    done
    for corpus in node farm; do
        echo "== scrape, $corpus, round $round"
        "$bin/exporter" "$work/$corpus.flat" 200 5 "$work/ports" 400 &
        exporter=$!
        sleep 3
        "$bin/vm" scrape victoria-metrics "$work" "$work/ports" 5 20 40
        for kind in gzip plain; do
            for cache in whole hashed; do
                "$bin/scraper" "$work/ports" 5 20 40 "$cache" "$kind" "$work" 1
            done
        done
        kill "$exporter"
    done
done
