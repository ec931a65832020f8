//! How long a plan takes to load: 10,000 lines within 200 ms; 40,000 show whether a path is quadratic. Pure.

use std::fmt::Write;

use plan_model::{LoadOptions, SourceFile, load};

fn main() {
    divan::main();
}

/// A plan of about so many lines, with services, checks, tasks and channels in the proportion of real ones.
fn plan(lines: usize) -> String {
    let mut out = String::from(
        "system: x\ntimezone: America/Lima\nparameters:\n  cada: { value: 5m, meaning: intervalo }\n\
         severities:\n  critica: { rank: critical, channels: [correo] }\nroles:\n  ops: { headcount: 2 }\n\
         channels:\n  correo: { slack: { url: \"${env:SLACK}\" } }\nalerts: { down: critica }\nservices:\n  base: { check: { tcp: \"base:1\" } }\n",
    );
    for n in 0..lines / 10 {
        let _ = write!(
            out,
            "  servicio-{n}:\n    label: Servicio número {n}\n    kind: http-service\n    depends_on: [base]\n    checks:\n      \
             salud:\n        http: {{ url: \"https://s{n}.example/health\", expect: {{ status: [200, 2xx] }} }}\n        \
             every: \"${{param:cada}}\"\n"
        );
    }
    out.push_str("tasks:\n");
    for n in 0..lines / 10 {
        let _ = write!(out, "  tarea-{n}:\n    {{ label: Tarea {n}, every: week on monday at 07:00, by: [ops] }}\n");
    }
    out
}

#[divan::bench(args = [1_000, 10_000, 40_000], sample_count = 20)]
fn lines(bencher: divan::Bencher<'_, '_>, lines: usize) {
    let files = [SourceFile::new("plan.yaml", plan(lines))];
    let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
    assert!(load(&files, &options).plan.is_some(), "{:?}", load(&files, &options).diagnostics.first());
    bencher.bench(|| load(divan::black_box(&files), &options));
}

#[divan::bench(sample_count = 10)]
fn ten_thousand_lines_of_mistakes(bencher: divan::Bencher<'_, '_>) {
    let text = plan(10_000).replace("checks:", "chekcs:").replace("by: [ops]", "by: [opps]");
    let files = [SourceFile::new("plan.yaml", text)];
    let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
    bencher.bench(|| load(divan::black_box(&files), &options));
}
