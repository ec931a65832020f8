//! What parses to what, and what does not parse and why.

use decide_promql::{ValueType, parse};

/// Stands for: prints as it was written.
const SAME: &str = "";

/// Texts, and how they are printed.
const FORMS: &[(&str, &str)] = &[
    ("up", SAME),
    (r#"up{job="postgres"}"#, SAME),
    (r#"{job=~"a.*",instance!="1",x!~"y"}"#, r#"{instance!="1",job=~"a.*",x!~"y"}"#),
    (r#"{"metric.with.dots","label.with.dots"="x"}"#, r#"{"label.with.dots"="x",__name__="metric.with.dots"}"#),
    (r#"{"up", job='a'}"#, r#"up{job="a"}"#),
    ("foo{}", "foo"),
    ("foo{a=`raw\\d`,}", r#"foo{a="raw\\d"}"#),
    (r#"{__name__=~"a|b"}"#, SAME),
    (r#"{__name__="up"}"#, r#"{__name__="up"}"#),
    // Keywords are names where nothing else can be meant.
    ("sum", SAME),
    (r#"sum{by="x",on="y",bool="z"}"#, r#"sum{bool="z",by="x",on="y"}"#),
    ("offset offset 5m", SAME),
    ("and and and", SAME),
    ("sum by (by, without, on, ignoring, sum) (by)", SAME),
    ("start + end + step + range", SAME),
    ("a + fill", SAME),
    ("smoothed", SAME),
    // Numbers and durations.
    ("1_000 + 0x1F + .5 + 5. + 1e3 + 010", "1000 + 31 + 0.5 + 5 + 1000 + 8"),
    ("Inf + inf - NaN", "+Inf + +Inf - NaN"),
    ("5m + 1h30m", SAME),
    ("-5m", "-5m"),
    ("foo[90]", "foo[1m30s]"),
    ("foo[1m30s500ms]", "foo[1m30s500ms]"),
    ("foo[0x10]", "foo[16s]"),
    ("foo[5m] offset -1h", SAME),
    ("foo[5m] @ 123.456 offset 1h", SAME),
    ("foo offset 1h @ 123.456", "foo @ 123.456 offset 1h"),
    ("foo @ start() offset 5", "foo @ start() offset 5s"),
    ("foo[5m + step() * 2]", SAME),
    ("foo[max_of(5m, step())]", SAME),
    ("foo[min(5m, range())]", "foo[min_of(5m, range())]"),
    ("foo offset -(5m / 2)", SAME),
    ("foo[++5m + +step()]", "foo[5m + step()]"),
    ("foo offset -2 ^ 2", "foo offset -2s ^ 2"),
    ("foo[5m] anchored", SAME),
    ("rate(foo[5m] smoothed)", SAME),
    ("foo smoothed", SAME),
    // Subqueries.
    ("rate(foo[5m])[1h:1m]", SAME),
    ("max_over_time(rate(foo[5m])[1h:] @ end() offset 5m)", SAME),
    ("foo[1h:step()]", SAME),
    // Operators.
    ("a + b * c ^ d", SAME),
    ("(a + b) * c", SAME),
    ("-a ^ b", SAME),
    ("a ^ -b", SAME),
    ("a == bool 1", "a == bool 1"),
    ("a+on(x)group_left(y)b", "a + on (x) group_left (y) b"),
    ("a * ignoring(x) group_right b", "a * ignoring (x) group_right () b"),
    ("a and on() b", "a and on () b"),
    ("a + on(x) group_left fill_right(0) b", "a + on (x) group_left () fill_right (0) b"),
    ("a + fill(-1) b", "a + fill (-1) b"),
    ("a AND b OR c UNLESS d", "a and b or c unless d"),
    ("a atan2 b", SAME),
    ("a </ 5 >/ b", SAME),
    // Aggregations and calls.
    ("sum(a) by (x)", "sum by (x) (a)"),
    ("SUM BY (x,) (a)", "sum by (x) (a)"),
    ("sum(a) without (x)", "sum without (x) (a)"),
    ("sum without () (a)", SAME),
    ("sum by () (a)", "sum(a)"),
    (r#"sum by ("label.with.dots") (a)"#, SAME),
    ("topk(5, a)", SAME),
    (r#"count_values by (x) ("v", a)"#, SAME),
    ("limitk(2, a)", SAME),
    ("limit_ratio(-0.5, a)", SAME),
    (r#"label_replace(up, "a", "$1", "b", "(.*)")"#, SAME),
    ("time() - hour()", SAME),
    ("sum(a) # comment\n / # another\n 2", "sum(a) / 2"),
    (r#""string with \"quotes\" and \\ and \n""#, SAME),
    (r#""caf\u00e9 \x41""#, "\"café A\""),
    (r#"info(up, {data=~".+"})"#, SAME),
];

#[test]
fn canonical_forms() {
    for (text, expect) in FORMS {
        let expect = if *expect == SAME { text } else { expect };
        let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(expr.to_string(), *expect, "{text}");
        assert_eq!(parse(expect).unwrap_or_else(|e| panic!("{expect}: {e}")).to_string(), *expect);
    }
}

#[test]
fn types() {
    let check = |text: &str, ty| assert_eq!(parse(text).unwrap().value_type(), ty, "{text}");
    check("1 + 1", ValueType::Scalar);
    check("1 + up", ValueType::Vector);
    check("up[5m]", ValueType::Matrix);
    check("(up[5m:1m])", ValueType::Matrix);
    check("\"a\"", ValueType::String);
    check("scalar(up)", ValueType::Scalar);
}

/// Texts that are no expressions, and what is said of them.
const ERRORS: &[(&str, &str)] = &[
    ("", "1:1: parse error: no expression found in input"),
    ("# only a comment", "1:17: parse error: no expression found in input"),
    (
        "sum(",
        "1:5: parse error: unexpected end of input in expression, expected a number, string, selector, function, aggregation or \"(\"",
    ),
    ("up{job=\"a\"", "1:11: parse error: unexpected end of input inside braces, expected \"}\""),
    (
        "up{job}",
        "1:7: parse error: unexpected right brace \"}\" in label matching, expected \"=\", \"!=\", \"=~\" or \"!~\"",
    ),
    (
        "up{1=\"a\"}",
        "1:4: parse error: unexpected number \"1\" in label matching, expected identifier, string or \"}\"",
    ),
    ("up up", "1:4: parse error: unexpected identifier \"up\" in expression, expected an operator or end of input"),
    (
        "up +\n  * 2",
        "2:3: parse error: unexpected \"*\" in expression, expected a number, string, selector, function, aggregation or \"(\"",
    ),
    ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    ("{a=~\".*\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    ("foo{__name__=\"bar\"}", "1:1: parse error: metric name must not be set twice: \"foo\" or \"bar\""),
    ("rats(up[5m])", "1:1: parse error: unknown function with name \"rats\"; did you mean \"rate\"?"),
    ("rate(up)", "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"),
    ("rate(up[5m], 1)", "1:1: parse error: expected 1 argument(s) in call to \"rate\", got 2"),
    ("label_join(up)", "1:1: parse error: expected at least 3 argument(s) in call to \"label_join\", got 1"),
    ("round(up, 1, 2)", "1:1: parse error: expected at most 2 argument(s) in call to \"round\", got 3"),
    ("sum(1)", "1:5: parse error: expected type instant vector in aggregation expression, got scalar"),
    ("topk(up)", "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"),
    ("sum()", "1:1: parse error: no arguments for aggregate expression provided"),
    ("abs(up,)", "1:7: parse error: trailing commas not allowed in function call args"),
    ("1 > 2", "1:1: parse error: comparisons between scalars must use BOOL modifier"),
    ("1 + bool 2", "1:5: parse error: bool modifier can only be used on comparison operators"),
    ("1 and up", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"),
    ("up + on(job) 1", "1:1: parse error: vector matching only allowed between instant vectors"),
    ("a and on(x) group_left b", "1:1: parse error: no grouping allowed for \"and\" operation"),
    ("a + on(x) group_left(x) b", "1:23: parse error: label \"x\" must not occur in ON and GROUP clause at once"),
    ("a[5m] + b", "1:1: parse error: binary expression must contain only scalar and instant vector types"),
    (
        "-a[5m]",
        "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got \"range vector\"",
    ),
    ("(a + b)[5m]", "1:1: parse error: ranges only allowed for vector selectors"),
    ("a offset 5m [5m]", "1:1: parse error: no offset modifiers allowed before range"),
    ("a @ 5 [5m]", "1:1: parse error: no @ modifiers allowed before range"),
    ("a offset 5m offset 1m", "1:13: parse error: offset may not be set multiple times"),
    (
        "sum(a) offset 5m",
        "1:8: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ),
    (
        "1 @ 5",
        "1:3: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ),
    ("a[0s]", "1:3: parse error: duration must be greater than 0"),
    ("a[-5m]", "1:3: parse error: duration must be greater than 0"),
    ("a[5m", "1:5: parse error: unexpected end of input inside brackets, expected \"]\""),
    ("a[5x]", "1:3: parse error: bad number or duration syntax: \"5x\""),
    ("a[5s5m]", "1:3: parse error: not a valid duration string: \"5s5m\" (units go from large to small, each once)"),
    ("a[5m:1m:1m]", "1:8: parse error: unexpected \":\" in subquery selector, expected \"]\""),
    ("a[1m][1m:1s]", "1:6: parse error: subquery is only allowed on instant vector, got range vector"),
    ("\"open", "1:1: parse error: unterminated quoted string"),
    ("`open", "1:1: parse error: unterminated raw string"),
    ("\"\\q\"", "1:1: parse error: unknown escape sequence in \"\\q\""),
    ("a = b", "1:3: parse error: unexpected \"=\" in expression, expected an operator or end of input"),
    ("a ! b", "1:3: parse error: unexpected character: '!'"),
    ("a{€=\"1\"}", "1:3: parse error: unexpected character inside braces: '€'"),
    ("a[é]", "1:3: parse error: unexpected character inside brackets: 'é'"),
    ("a{__name__=\"b\"}", "1:1: parse error: metric name must not be set twice: \"a\" or \"b\""),
    ("a{\"b\"}", "1:1: parse error: metric name must not be set twice: \"a\" or \"b\""),
    ("a{__name__=~\"b\"}", "1:1: parse error: metric name must not be set twice: \"a\" or \"b\""),
    (
        "abs(bool)",
        "1:5: parse error: unexpected keyword \"bool\" in expression, expected a number, string, selector, function or aggregation",
    ),
];

#[test]
fn errors_say_what_and_where() {
    for (text, expect) in ERRORS {
        match parse(text) {
            Ok(expr) => panic!("{text} parses as {expr}"),
            Err(e) => assert_eq!(e.to_string(), *expect, "{text}"),
        }
    }
}

#[test]
fn bad_regular_expressions_point_at_themselves() {
    let e = parse(r#"up{job=~"("}"#).unwrap_err();
    assert!(e.message.starts_with("error parsing regexp: "), "{e}");
    assert_eq!(e.span.range(), 8..11);
}

#[test]
fn the_place_is_underlined() {
    let text = "sum by (job) (\n  rate(up)\n)";
    let shown = parse(text).unwrap_err().underlined(text);
    assert_eq!(
        shown,
        "  rate(up)\n       ^^ expected type range vector in call to function \"rate\", got instant vector"
    );
}

#[test]
fn deep_nesting_is_refused_and_long_chains_are_not() {
    let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(parse(&deep).unwrap_err().message.contains("nested deeper"));
    assert!(parse(&"-".repeat(100_000)).is_err());
    assert!(parse(&format!("up{}", " + up".repeat(200))).is_ok());
    assert!(parse(&format!("up{}", " + up".repeat(100_000))).is_err());
    assert!(parse(&format!("up[{}1]", "1 + ".repeat(100_000))).is_err());
}
