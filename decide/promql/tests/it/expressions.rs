//! Series and made-up expressions over them.

/// Between the samples of the series.
pub(crate) const INTERVAL_MS: i64 = 7_000;
/// Series with resets, gaps, staleness, NaN and infinities.
pub(crate) const SERIES: &[(&str, &str)] = &[
    (r#"requests_total{job="a",instance="1"}"#, "0+3x60 2+5x40 7+1x100"),
    (r#"requests_total{job="a",instance="2"}"#, "1+0.7x50 _x5 100+9x40 3+2x100"),
    (r#"requests_total{job="b",instance="1"}"#, "5+11x90 stale _x3 0+4x100"),
    (r#"requests_total{job="b",instance="3"}"#, "_x20 1+2x160"),
    (r#"errors_total{job="a",instance="1"}"#, "0+1x60 0+2x140"),
    (r#"errors_total{job="b",instance="1"}"#, "0+2x200"),
    (r#"temperature{job="a",room="x"}"#, "20-0.3x70 5+0.4x70 30-0.1x60"),
    (r#"temperature{job="b",room="y"}"#, "-3+0.5x60 NaN NaN 4 7-0.2x130"),
    (r#"temperature{job="b",room="z"}"#, "1e3-10x80 Inf 5 -Inf 2+0.01x110"),
    (r#"limit{job="a"}"#, "10x200"),
    (r#"limit{job="b"}"#, "40-0.2x200"),
    (r#"info{job="a",team="core"}"#, "1x200"),
    (r#"info{job="b",team="web"}"#, "1x200"),
    (r#"latency_bucket{job="a",le="0.1"}"#, "0+3x200"),
    (r#"latency_bucket{job="a",le="0.5"}"#, "0+5x200"),
    (r#"latency_bucket{job="a",le="2.5"}"#, "0+8x200"),
    (r#"latency_bucket{job="a",le="+Inf"}"#, "0+9x200"),
    (r#"latency_bucket{job="b",le="0.1"}"#, "0+1x200"),
    (r#"latency_bucket{job="b",le="0.5"}"#, "0+1x200"),
    (r#"latency_bucket{job="b",le="2.5"}"#, "0+6x200"),
    (r#"latency_bucket{job="b",le="+Inf"}"#, "0+6x200"),
];

/// Series of histograms, with resets, gaps, staleness, other layouts, and numbers among them.
pub(crate) const NATIVE: &[(&str, &str)] = &[
    (
        r#"native{job="a",instance="1"}"#,
        "{{schema:1 sum:1 count:6 buckets:[1 2 3] z_bucket:0 z_bucket_w:0.01}}+{{schema:1 sum:2 count:3 buckets:[1 1 1]}}x70 \
         {{schema:0 sum:1 count:4 buckets:[1 0 3]}}+{{sum:2 count:3 buckets:[1 1 1]}}x40 stale _x3 \
         {{schema:0 sum:4 count:9 buckets:[9] n_buckets:[1 1] z_bucket:2 z_bucket_w:0.5}}x60",
    ),
    (
        r#"native{job="a",instance="2"}"#,
        "{{sum:1 count:1 buckets:[1]}}x30 _x5 {{schema:3 sum:9 count:7 offset:-3 buckets:[3 4]}}x100",
    ),
    (
        r#"native{job="b",instance="1"}"#,
        "1+2x40 {{schema:2 sum:3 count:3 buckets:[1 2]}}+{{schema:2 sum:1 count:1 buckets:[1]}}x50 7x90",
    ),
    (
        r#"native{job="b",instance="3"}"#,
        "{{schema:-53 sum:3 count:6 custom_values:[1 5 10] buckets:[1 2 3]}}+{{schema:-53 sum:3 count:3 custom_values:[1 5 10] \
         buckets:[1 1 1]}}x80 {{schema:-53 sum:3 count:5 custom_values:[1 10] buckets:[2 3]}}x90",
    ),
    (
        r#"gauge{room="x"}"#,
        "{{count:5 sum:3 buckets:[2 3] counter_reset_hint:gauge}}x80 {{sum:-1 count:2 n_buckets:[1 1] counter_reset_hint:gauge}}x90",
    ),
];

/// A small reproducible source of choices.
pub(crate) struct Choices {
    state: u64,
    native: bool,
}

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, native: false }
    }

    /// With expressions over histograms.
    pub(crate) fn with_histograms(seed: u64) -> Self {
        Self { state: seed, native: true }
    }

    fn next(&mut self, n: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.state >> 33) % n as u64) as usize
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.next(all.len())]
    }

    fn selector(&mut self) -> &'static str {
        if self.native && self.next(4) > 0 {
            return self.of(&["native", r#"native{job="a"}"#, r#"native{instance!="1"}"#, "gauge"]);
        }
        self.of(&[
            "requests_total",
            "errors_total",
            "temperature",
            "limit",
            r#"requests_total{job="a"}"#,
            r#"requests_total{instance!="1"}"#,
            r#"temperature{room=~"x|z"}"#,
            r#"latency_bucket{le!="+Inf"}"#,
            "missing",
        ])
    }

    fn shift(&mut self) -> &'static str {
        self.of(&["", "", "", " offset 40s", " offset -25s", " @ 333.5", " @ end()"])
    }

    fn range(&mut self, depth: usize) -> String {
        let width = self.of(&["16s250ms", "64s250ms", "3m2s250ms", "10m5s250ms"]);
        if depth > 0 && self.next(4) == 0 {
            let inner = self.vector(depth - 1);
            return format!("({inner})[{width}:{}]{}", self.of(&["13s", "29s", ""]), self.shift());
        }
        format!("{}[{width}]{}", self.selector(), self.shift())
    }

    fn grouping(&mut self) -> &'static str {
        self.of(&["", " by (job)", " by (instance, room)", " without (instance)", " without (job, room)", " by ()"])
    }

    fn scalar(&mut self) -> &'static str {
        self.of(&["2", "-0.5", "100", "0", "1e3", "scalar(limit{job=\"b\"})", "time() / 100"])
    }

    /// An expression that gives an instant vector.
    pub(crate) fn vector(&mut self, depth: usize) -> String {
        if depth == 0 {
            return format!("{}{}", self.selector(), self.shift());
        }
        match self.next(9) {
            0 => self.over_range(depth),
            1 => self.over_range_with(depth),
            2 => self.mapped(depth),
            3 => self.rounded(depth),
            4 => self.folded(depth),
            5 => self.ranked(depth),
            6 => self.with_scalar(depth),
            7 => self.combined(depth),
            _ => self.matched(depth),
        }
    }

    fn over_range(&mut self, depth: usize) -> String {
        let f = self.of(&[
            "rate",
            "increase",
            "delta",
            "irate",
            "idelta",
            "deriv",
            "resets",
            "changes",
            "sum_over_time",
            "avg_over_time",
            "min_over_time",
            "max_over_time",
            "count_over_time",
            "last_over_time",
            "present_over_time",
            "absent_over_time",
            "stddev_over_time",
            "stdvar_over_time",
        ]);
        format!("{f}({})", self.range(depth))
    }

    fn over_range_with(&mut self, depth: usize) -> String {
        let range = self.range(depth);
        match self.next(3) {
            0 => format!("quantile_over_time({}, {range})", self.of(&["0", "0.3", "0.9", "1", "2"])),
            1 => format!("predict_linear({range}, {})", self.of(&["60", "-30", "3600"])),
            _ => format!("sum_over_time({range})"),
        }
    }

    fn mapped(&mut self, depth: usize) -> String {
        if self.native && self.next(2) == 0 {
            return self.of_histograms(depth);
        }
        let f = self.of(&[
            "abs",
            "ceil",
            "floor",
            "exp",
            "ln",
            "log2",
            "log10",
            "sqrt",
            "sgn",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
            "asinh",
            "deg",
            "rad",
            "hour",
            "minute",
            "day_of_month",
            "day_of_week",
            "days_in_month",
            "month",
            "year",
            "timestamp",
            "absent",
            "sort",
            "sort_desc",
            "-",
            "+",
        ]);
        format!("{f}({})", self.vector(depth - 1))
    }

    fn of_histograms(&mut self, depth: usize) -> String {
        let inner = self.vector(depth - 1);
        match self.next(4) {
            0 => format!("histogram_quantile({}, {inner})", self.of(&["0", "0.3", "0.99", "1", "-1"])),
            1 => format!("histogram_fraction({}, {inner})", self.of(&["-1, 1", "0, 0.2", "-Inf, 3", "2, 1"])),
            2 => format!("({inner}) {} {}", self.of(&["</", ">/"]), self.of(&["1", "0", "-0.3", "Inf"])),
            _ => {
                let functions = ["count", "sum", "avg", "stddev", "stdvar"];
                format!("histogram_{}({inner})", self.of(&functions))
            }
        }
    }

    fn rounded(&mut self, depth: usize) -> String {
        let inner = self.vector(depth - 1);
        match self.next(4) {
            0 => format!("round({inner}, {})", self.of(&["1", "0.1", "5", "7"])),
            1 => format!("clamp({inner}, {}, {})", self.scalar(), self.scalar()),
            2 => format!("clamp_min({inner}, {})", self.scalar()),
            _ => format!("clamp_max({inner}, {})", self.scalar()),
        }
    }

    fn folded(&mut self, depth: usize) -> String {
        let op = self.of(&["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]);
        format!("{op}{} ({})", self.grouping(), self.vector(depth - 1))
    }

    fn ranked(&mut self, depth: usize) -> String {
        let inner = self.vector(depth - 1);
        match self.next(3) {
            0 => format!("quantile{} ({}, {inner})", self.grouping(), self.of(&["0", "0.5", "0.77", "1"])),
            1 => format!("count_values{} (\"v\", {}{})", self.grouping(), self.selector(), self.shift()),
            _ => {
                format!("histogram_quantile({}, rate(latency_bucket[3m2s250ms]))", self.of(&["0.1", "0.5", "0.9", "1"]))
            }
        }
    }

    fn with_scalar(&mut self, depth: usize) -> String {
        let op = self.of(&["+", "-", "*", "/", "%", "^", ">", "<=", "== bool", "!="]);
        let (v, s) = (self.vector(depth - 1), self.scalar());
        if self.next(2) == 0 { format!("({v}) {op} {s}") } else { format!("{s} {op} ({v})") }
    }

    fn combined(&mut self, depth: usize) -> String {
        let op = self.of(&["and", "or", "unless"]);
        let on = self.of(&["", " on (job)", " ignoring (instance, room)", " on ()"]);
        format!("({}) {op}{on} ({})", self.vector(depth - 1), self.vector(depth - 1))
    }

    fn matched(&mut self, depth: usize) -> String {
        let op = self.of(&["+", "-", "*", "/", "%", ">", "<", ">= bool", "==", "!="]);
        let left = self.vector(depth - 1);
        match self.next(4) {
            0 => format!("({left}) {op} ({left})"),
            1 => format!("({left}) {op} on (job) group_left limit"),
            2 => format!("({left}) {op} on (job) group_left (team) info"),
            _ => format!("({left}) {op} ignoring (instance) ({})", self.vector(depth - 1)),
        }
    }
}
