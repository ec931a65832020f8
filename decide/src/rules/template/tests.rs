//! Templates as the plans and Prometheus's users write them. Pure.

use kernel::Labels;
use proptest::prelude::*;

use super::*;

fn expand(template: &str, value: f64) -> Result<String, String> {
    expand_as(template, value, Flavour::Plan)
}

fn expand_as(template: &str, value: f64, flavour: Flavour) -> Result<String, String> {
    let labels = Labels::new([("service", "backend"), ("instance", "db1.example.org:9100"), ("alertname", "X")]);
    let names = labels.with("service", "Página principal");
    let external = Labels::new([("site", "lima")]);
    let ask = |query: &str| match query {
        "up" => Ok([("b", 1.0), ("a", 0.0)]
            .map(|(job, value)| (Labels::metric("up", [("job", job)]), Point::Float(value)))
            .to_vec()),
        "none" => Ok(Vec::new()),
        _ => Err(format!("no `{query}` here")),
    };
    let scope = Scope {
        labels: &labels,
        names: &names,
        reason: "status 503",
        language: kernel::Language::Es,
        external_labels: &external,
        external_url: "https://farero.example",
        value: Printable::Number(value),
        ask: &ask,
        now_seconds: 0.0,
    };
    let text = template;
    let template = Template::parse_as(text, flavour);
    match flavour {
        Flavour::Plan => template.and_then(|t| t.expand(&scope)).map_err(|e| e.to_string()),
        Flavour::Prometheus => {
            let template = template.map_err(|e| e.in_go_words(text, "A"))?;
            template.expand(&scope).map_err(|e| e.in_go_words_of_running(text, "A"))
        }
    }
}

fn check(template: &str, value: f64, expect: &str) {
    assert_eq!(expand(template, value).as_deref(), Ok(expect), "{template}");
}

fn wrong(template: &str, part: &str) {
    let error = expand(template, 1.0).expect_err(template);
    assert!(error.contains(part), "{template}: {error}");
}

#[test]
fn alr_22_values_and_labels() {
    check("sin plantilla", 1.0, "sin plantilla");
    check("{{ $value }}s en {{ $labels.service }}", 0.25, "0.25s en backend");
    check("{{ $value | durationInWords }}", 864_000.0, "10 días");
    check("{{ $value | durationInWords }}", -90_000.0, "−1 día 1 h");
    check("{{ $value | durationInWords }}", f64::NAN, "NaN");
    check("caído{{ with $reason }}: {{ . }}{{ end }}", 0.0, "caído: status 503");
    check("{{ $names.service }} {{ .Names.alertname }} {{ $names.none }}|", 0.0, "Página principal X |");
    check("{{ .Value }} {{ .Labels.service }} {{.Labels.missing}}|", 3.0, "3 backend |");
    check("{{ $externalLabels.site }} {{ $externalURL }}", 0.0, "lima https://farero.example");
    check(
        "{{ $ }}{{ $labels }}",
        1.0,
        "{map[alertname:X instance:db1.example.org:9100 service:backend] \
        map[alertname:X instance:db1.example.org:9100 service:Página principal] \
        map[site:lima] https://farero.example 1}\
        map[alertname:X instance:db1.example.org:9100 service:backend]",
    );
    check("{{ $value }}", 1_234_567.0, "1.234567e+06");
    check("{{ $value }}", 0.000_012, "1.2e-05");
    check("{{ $value }}", f64::INFINITY, "+Inf");
}

#[test]
fn alr_22_printf_as_go_does_it() {
    let mean =
        |form: &str, value: f64, expect: &str| check(&format!("{{{{ printf {form:?} $value }}}}"), value, expect);
    mean("%.2f", 2.0 / 3.0, "0.67");
    mean("%f", 1.5, "1.500000");
    mean("%5.1f|", 9.96, " 10.0|");
    mean("%-8.1f|", 9.96, "10.0    |");
    mean("%08.3f", -3.25125, "-003.251");
    mean("%+.1f", 3.0, "+3.0");
    mean("%e", 123_456.789, "1.234568e+05");
    mean("%.3e", 0.00012, "1.200e-04");
    mean("%g", 100_000.0, "100000");
    mean("%g", 1_000_000.0, "1e+06");
    mean("%.4g", 12_345.0, "1.234e+04");
    mean("%.4g", 100.0, "100");
    mean("%.3g", 0.0001234, "0.000123");
    mean("%v", 0.1, "0.1");
    mean("%d", 3.0, "%!d(float64=3)");
    mean("%s", 3.0, "%!s(float64=3)");
    mean("100%% %.0f", 0.5, "100% 0");
    check(
        "{{ printf \"%d/%5d/%x/%q/%s/%10s|%t\" 42 7 255 \"a\\\"b\" \"c\" \"d\" true }}",
        0.0,
        "42/    7/ff/\"a\\\"b\"/c/         d|true",
    );
    check("{{ printf \"%s\" }}{{ printf \"x\" 1 }}", 0.0, "%!s(MISSING)x%!(EXTRA int=1)");
}

#[test]
fn alr_22_humanize() {
    check("{{ $value | humanize }}", 1_234_567.0, "1.235M");
    check("{{ $value | humanize }}", 0.0012, "1.2m");
    check("{{ $value | humanize1024 }}", 1_572_864.0, "1.5Mi");
    check("{{ $value | humanizeDuration }}", 93_784.6, "1d 2h 3m 4s");
    check("{{ $value | humanizeDuration }}", 0.25, "250ms");
    check("{{ $value | humanizeDuration }}", 59.5, "59.5s");
    check("{{ $value | humanizeDuration }}", -90.0, "-1m 30s");
    check("{{ $value | humanizePercentage }}", 0.8123, "81.23%");
    check("{{ $value | humanizeTimestamp }}", 1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC");
    check("{{ humanize \"1500\" }}", 0.0, "1.5k");
    check("{{ parseDuration \"1h30m\" }}", 0.0, "5400");
}

#[test]
fn alr_22_texts() {
    check("{{ $labels.service | toUpper }} {{ title \"uno dos\" }}", 0.0, "BACKEND Uno Dos");
    check("{{ $labels.instance | stripPort }} {{ $labels.instance | stripDomain }}", 0.0, "db1.example.org db1:9100");
    check("{{ stripPort \"[::1]:80\" }} {{ stripDomain \"10.0.0.1:80\" }}", 0.0, "::1 10.0.0.1:80");
    check("{{ reReplaceAll \"b(.*)d\" \"<$1>\" $labels.service }}", 0.0, "<acken>");
    check("{{ if match \"^back\" $labels.service }}sí{{ end }}", 0.0, "sí");
    check("{{ len $labels.service }}{{ index $labels \"service\" }}{{ slice \"abcd\" 1 3 }}", 0.0, "7backendbc");
    check("{{ print 1 2 \"a\" 3 }}{{ html \"<a>\" }}{{ urlquery \"a b&c\" }}", 0.0, "1 2a3&lt;a&gt;a+b%26c");
}

#[test]
fn alr_22_conditions_and_loops() {
    let grade = "{{ if gt $value 90.0 }}grave{{ else if ge $value 80 }}alto{{ else }}bien{{ end }}";
    check(grade, 95.0, "grave");
    check(grade, 80.0, "alto");
    check(grade, 3.0, "bien");
    check("{{ if and (lt $value 5.0) (ne $labels.service \"x\") }}a{{ end }}{{ if not $value }}b{{ end }}", 1.0, "a");
    check("{{ if or $labels.none $labels.service }}{{ or $labels.none \"d\" }}{{ end }}", 1.0, "d");
    check(
        "{{ with $labels.none }}x{{ else }}sin{{ end }}{{ with $labels.service }}{{ . }}{{ end }}",
        1.0,
        "sinbackend",
    );
    check("{{ range query \"up\" | sortByLabel \"job\" }}{{ .Labels.job }}={{ .Value }};{{ end }}", 0.0, "a=0;b=1;");
    check("{{ range $i, $s := query \"up\" }}{{ $i }}{{ label \"job\" $s }}{{ value . }} {{ end }}", 0.0, "0b1 1a0 ");
    check("{{ range query \"none\" }}x{{ else }}nada{{ end }}", 0.0, "nada");
    check("{{ with query \"up\" }}{{ . | first | value }}{{ (index . 1).Value }}{{ end }}", 0.0, "10");
    check("{{ range $k, $v := $externalLabels }}{{ $k }}{{ $v }}{{ break }}{{ end }}", 0.0, "sitelima");
    check("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 5 }}{{ end }}{{ $x }}", 0.0, "2");
    check("{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" $labels.service }}", 0.0, "<backend>");
    check("{{ define \"t\" }}{{ .arg0 }}{{ .arg1 }}{{ end }}{{ template \"t\" (args 1 \"b\") }}", 0.0, "1b");
}

#[test]
fn trim_markers_and_comments() {
    check("a  {{- /* nota }} */ -}}  b", 0.0, "ab");
    check("a\n {{- $value -}} \n b", 1.0, "a1b");
    check("{{/* nada */}}x{{ -1 }}{{- 3 }}", 0.0, "x-13");
    check("{{`}} crudo`}}{{ \"}}\" }}", 0.0, "}} crudo}}");
}

#[test]
fn alr_22_errors_say_what_and_where() {
    wrong("{{ $labels.service", "not closed");
    wrong("{{ humanise $value }}", "there is no function `humanise`; did you mean `humanize`?");
    wrong("{{ $valor }}", "there is no variable `$valor`");
    wrong("{{ if $value }}x", "write `{{ end }}`");
    wrong("{{ end }}", "has no `if`");
    wrong("{{ }}", "empty");
    wrong("{{ . | }}", "missing after `|`");
    wrong("{{ break }}", "outside of `range`");
    wrong("{{ .Labls.x }}", "there is no `.Labls`");
    wrong("{{ humanize \"x\" }}", "`x` is not a number");
    wrong("{{ query \"down\" }}", "no `down` here");
    wrong("{{ query \"none\" | first }}", "the query's answer is empty");
    wrong("{{ lt \"a\" 1 }}", "cannot be compared");
    wrong("{{ define \"t\" }}{{ template \"t\" }}{{ end }}{{ template \"t\" }}", "without an end");
    wrong("{{ range 99999 }}{{ range 99999 }}x{{ end }}{{ end }}", "more than");
    wrong(&format!("{{{{ {}1{} }}}}", "(".repeat(60), ")".repeat(60)), "nested too deeply");
    let place = Template::parse("ñ {{ humanise $value }}").unwrap_err();
    assert_eq!((place.offset, place.length), (6, 8));
}

proptest! {
    #[test]
    fn alr_22_never_panics(text in r#"(\{\{-? ?|-?\}\}| -\}\}|if |else ?|end|range |with |\$x :?= |\$labels|\$value|\.a|\.|printf "%5.2f" |query "up" |first|index |slice |\(|\)|\||"[a-z]{0,3}"|-?[0-9.]{1,4}| |ñ|define "t"|template "t"|break|len |/\*|\*/){0,20}"#) {
        let _ = expand(&text, 1.5);
    }

    #[test]
    fn alr_22_any_text_never_panics(text in "\\PC{0,60}", value in proptest::num::f64::ANY) {
        let _ = expand(&text, value);
        let _ = expand(&format!("{{{{ printf {text:?} $value }}}}"), value);
    }

    #[test]
    fn shortest_numbers_read_back(value in proptest::num::f64::NORMAL) {
        prop_assert_eq!(format::float(value, 'g', None).parse::<f64>(), Ok(value));
    }

    #[test]
    fn humanize_never_panics(value in proptest::num::f64::ANY) {
        for f in [humanize::metric, humanize::binary, humanize::duration, humanize::percentage] {
            prop_assert!(!f(value).is_empty());
        }
        let _ = humanize::timestamp(value);
    }
}

/// As Debian's promtool 2.42 was seen to fill them in, and to complain.
#[test]
fn alr_22_prometheus_s_own_flavour_is_go_s() {
    let check = |template: &str, expect: &str| {
        let got = expand_as(template, 1.0, Flavour::Prometheus);
        assert_eq!(got.as_deref().unwrap_or_else(|e| e), expect, "{template}");
    };
    let wrong = |template: &str, at: &str, words: &str| {
        let place =
            format!("error executing template __alert_A: template: __alert_A:{at}: executing \"__alert_A\" at <");
        check(template, &format!("{place}{words}"));
    };
    wrong(
        "{{ query \"none\" | first | value }}",
        "1:130",
        "first>: error calling first: first() called on vector with no elements",
    );
    wrong(
        "{{ if gt $value 90 }}x{{ end }}",
        "1:118",
        "gt $value 90>: error calling gt: incompatible types for comparison",
    );
    wrong("{{ eq 1 1.0 }}", "1:115", "eq 1 1.0>: error calling eq: incompatible types for comparison");
    wrong(
        "{{ humanize \"x\" }}",
        "1:115",
        "humanize \"x\">: error calling humanize: strconv.ParseFloat: parsing \"x\": invalid syntax",
    );
    wrong("{{ 1 2 3 }}", "1:115", "1>: can't give argument to non-function 1");
    wrong("{{ $labels.x.y }}", "1:122", "$labels.x.y>: can't evaluate field y in type string");
    wrong(
        "{{ index $labels 3 }}",
        "1:115",
        "index $labels 3>: error calling index: value has type int; should be string",
    );
    wrong("{{ len 3 }}", "1:115", "len 3>: error calling len: len of type int");
    wrong("{{ nil }}", "1:115", "nil>: nil is not a command");
    wrong("{{ $value.Foo }}", "1:121", "$value.Foo>: can't evaluate field Foo in type float64");
    wrong("a\nb {{ len 3 }}", "2:5", "len 3>: error calling len: len of type int");
    check(
        "{{ toTime $value }} {{ ($value | toTime).Unix }} {{ (toTime $value).Format \"2006-01-02\" }}",
        "1970-01-01 00:00:01 +0000 UTC 1 1970-01-01",
    );
    check("{{ $value | printf \"%d\" }} {{ printf \"%.2f%%\" 3 }}", "%!d(float64=1) %!f(int=03)%");
    check("{{ print 1 2 \"a\" 3 4 true nil }} {{ js \"it's\" }}", "1 2a3 4 true <nil> it\\'s");
    check(
        "{{ 'a' }} {{ printf \"%T %T\" 1 $value }} {{ printf \"%q %x %5d|%-5d|%05d %c %U\" \"a\" \"a\" 1 1 1 65 65 }}",
        "97 int float64 \"a\" 61     1|1    |00001 A U+0041",
    );
    check("{{ title \"it's a_b\" }} {{ safeHtml \"<b>\" }} {{ pathPrefix }}|{{ 1 | }}", "It'S A_b <b> |1");
    for (template, words) in [
        ("a\n{{ $x := 1 }} {{ end }}", "2: unexpected {{end}}"),
        ("{{ \"abc }}", "1: unterminated quoted string"),
        ("{{ .a | 3 }}", "1: non executable command in pipeline stage 2"),
        ("{{ tmpl \"x\" . }}", "1: function \"tmpl\" not defined"),
        ("{{ else }}", "1: unexpected {{else}}"),
        ("{{ range }}", "1: missing value for range"),
        ("{{ ( 1 }}", "1: unclosed left paren"),
        ("{{ if true }}\n", "2: unexpected EOF"),
        ("{{ $labels.x }", "1: unexpected \"}\" in operand"),
        ("{{ break }}", "1: {{break}} outside {{range}}"),
        ("{{ \\ }}", "1: unexpected \"\\\\\" in command"),
        ("{{ if }}{{end}}", "1: missing value for if"),
        ("{{/* x }}", "1: unclosed comment"),
        ("{{ $labels.foo ", "1: unclosed action"),
        ("{{ $names.x }}", "1: undefined variable \"$names\""),
    ] {
        check(template, &format!("template: __alert_A:{words}"));
    }
}
