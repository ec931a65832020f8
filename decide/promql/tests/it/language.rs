//! What parses to what, and what does not parse and why.

use decide_promql::{ValueType, parse};

#[test]
fn canonical_forms() {
    let check = |text: &str, expect: &str| {
        let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(expr.to_string(), expect, "{text}");
        assert_eq!(parse(expect).unwrap_or_else(|e| panic!("{expect}: {e}")).to_string(), expect);
    };
    let same = |text: &str| check(text, text);
    same("up");
    same(r#"up{job="postgres"}"#);
    same(r#"{job=~"a.*",instance!="1",x!~"y"}"#);
    same(r#"{"metric.with.dots","label.with.dots"="x"}"#);
    check(r#"{"up", job='a'}"#, r#"up{job="a"}"#);
    check("foo{}", "foo");
    check("foo{a=`raw\\d`,}", r#"foo{a="raw\\d"}"#);
    same(r#"{__name__=~"a|b"}"#);
    check(r#"{__name__="up"}"#, r#"{__name__="up"}"#);
    // Keywords are names where nothing else can be meant.
    same("sum");
    same(r#"sum{by="x",on="y",bool="z"}"#);
    same("offset offset 5m");
    same("and and and");
    same("sum by (by, without, on, ignoring, sum) (by)");
    same("start + end + step + range");
    same("a + fill");
    same("smoothed");
    // Numbers and durations.
    check("1_000 + 0x1F + .5 + 5. + 1e3 + 010", "1000 + 31 + 0.5 + 5 + 1000 + 8");
    check("Inf + inf - NaN", "+Inf + +Inf - NaN");
    same("5m + 1h30m");
    check("-5m", "-5m");
    check("foo[90]", "foo[1m30s]");
    check("foo[1m30s500ms]", "foo[1m30s500ms]");
    check("foo[0x10]", "foo[16s]");
    same("foo[5m] offset -1h");
    same("foo[5m] @ 123.456 offset 1h");
    check("foo offset 1h @ 123.456", "foo @ 123.456 offset 1h");
    check("foo @ start() offset 5", "foo @ start() offset 5s");
    same("foo[5m + step() * 2]");
    same("foo[max_of(5m, step())]");
    check("foo[min(5m, range())]", "foo[min_of(5m, range())]");
    same("foo offset -(5m / 2)");
    check("foo offset -2 ^ 2", "foo offset -2s ^ 2");
    same("foo[5m] anchored");
    same("rate(foo[5m] smoothed)");
    same("foo smoothed");
    // Subqueries.
    same("rate(foo[5m])[1h:1m]");
    same("max_over_time(rate(foo[5m])[1h:] @ end() offset 5m)");
    same("foo[1h:step()]");
    // Operators.
    same("a + b * c ^ d");
    same("(a + b) * c");
    same("-a ^ b");
    same("a ^ -b");
    check("a == bool 1", "a == bool 1");
    check("a+on(x)group_left(y)b", "a + on (x) group_left (y) b");
    check("a * ignoring(x) group_right b", "a * ignoring (x) group_right () b");
    check("a and on() b", "a and on () b");
    check("a + on(x) group_left fill_right(0) b", "a + on (x) group_left () fill_right (0) b");
    check("a + fill(-1) b", "a + fill (-1) b");
    check("a AND b OR c UNLESS d", "a and b or c unless d");
    same("a atan2 b");
    same("a </ 5 >/ b");
    // Aggregations and calls.
    check("sum(a) by (x)", "sum by (x) (a)");
    check("SUM BY (x,) (a)", "sum by (x) (a)");
    check("sum(a) without (x)", "sum without (x) (a)");
    same("sum without () (a)");
    check("sum by () (a)", "sum(a)");
    same(r#"sum by ("label.with.dots") (a)"#);
    same("topk(5, a)");
    same(r#"count_values by (x) ("v", a)"#);
    same("limitk(2, a)");
    same("limit_ratio(-0.5, a)");
    same(r#"label_replace(up, "a", "$1", "b", "(.*)")"#);
    same("time() - hour()");
    check("sum(a) # comment\n / # another\n 2", "sum(a) / 2");
    same(r#""string with \"quotes\" and \\ and \n""#);
    check(r#""caf\u00e9 \x41""#, "\"café A\"");
    same(r#"info(up, {data=~".+"})"#);
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

#[test]
fn errors_say_what_and_where() {
    let check = |text: &str, expect: &str| match parse(text) {
        Ok(expr) => panic!("{text} parses as {expr}"),
        Err(e) => assert_eq!(e.to_string(), expect, "{text}"),
    };
    check("", "1:1: parse error: no expression found in input");
    check("# only a comment", "1:17: parse error: no expression found in input");
    check(
        "sum(",
        "1:5: parse error: unexpected end of input in expression, expected a number, string, selector, function, aggregation or \"(\"",
    );
    check("up{job=\"a\"", "1:11: parse error: unexpected end of input inside braces, expected \"}\"");
    check(
        "up{job}",
        "1:7: parse error: unexpected right brace \"}\" in label matching, expected \"=\", \"!=\", \"=~\" or \"!~\"",
    );
    check(
        "up{1=\"a\"}",
        "1:4: parse error: unexpected number \"1\" in label matching, expected identifier, string or \"}\"",
    );
    check(
        "up up",
        "1:4: parse error: unexpected identifier \"up\" in expression, expected an operator or end of input",
    );
    check(
        "up +\n  * 2",
        "2:3: parse error: unexpected \"*\" in expression, expected a number, string, selector, function, aggregation or \"(\"",
    );
    check("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher");
    check("{a=~\".*\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher");
    check("foo{__name__=\"bar\"}", "1:1: parse error: metric name must not be set twice: \"foo\" or \"bar\"");
    check("rats(up[5m])", "1:1: parse error: unknown function with name \"rats\"; did you mean \"rate\"?");
    check("rate(up)", "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector");
    check("rate(up[5m], 1)", "1:1: parse error: expected 1 argument(s) in call to \"rate\", got 2");
    check("label_join(up)", "1:1: parse error: expected at least 3 argument(s) in call to \"label_join\", got 1");
    check("round(up, 1, 2)", "1:1: parse error: expected at most 2 argument(s) in call to \"round\", got 3");
    check("sum(1)", "1:5: parse error: expected type instant vector in aggregation expression, got scalar");
    check(
        "topk(up)",
        "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
    );
    check("sum()", "1:1: parse error: no arguments for aggregate expression provided");
    check("abs(up,)", "1:7: parse error: trailing commas not allowed in function call args");
    check("1 > 2", "1:1: parse error: comparisons between scalars must use BOOL modifier");
    check("1 + bool 2", "1:5: parse error: bool modifier can only be used on comparison operators");
    check("1 and up", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression");
    check("up + on(job) 1", "1:1: parse error: vector matching only allowed between instant vectors");
    check("a and on(x) group_left b", "1:1: parse error: no grouping allowed for \"and\" operation");
    check("a + on(x) group_left(x) b", "1:23: parse error: label \"x\" must not occur in ON and GROUP clause at once");
    check("a[5m] + b", "1:1: parse error: binary expression must contain only scalar and instant vector types");
    check(
        "-a[5m]",
        "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got \"range vector\"",
    );
    check("(a + b)[5m]", "1:1: parse error: ranges only allowed for vector selectors");
    check("a offset 5m [5m]", "1:1: parse error: no offset modifiers allowed before range");
    check("a @ 5 [5m]", "1:1: parse error: no @ modifiers allowed before range");
    check("a offset 5m offset 1m", "1:13: parse error: offset may not be set multiple times");
    check(
        "sum(a) offset 5m",
        "1:8: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    );
    check(
        "1 @ 5",
        "1:3: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    );
    check("a[0s]", "1:3: parse error: duration must be greater than 0");
    check("a[-5m]", "1:3: parse error: duration must be greater than 0");
    check("a[5m", "1:5: parse error: unexpected end of input inside brackets, expected \"]\"");
    check("a[5x]", "1:3: parse error: bad number or duration syntax: \"5x\"");
    check(
        "a[5s5m]",
        "1:3: parse error: not a valid duration string: \"5s5m\" (units go from large to small, each once)",
    );
    check("a[5m:1m:1m]", "1:8: parse error: unexpected \":\" in subquery selector, expected \"]\"");
    check("a[1m][1m:1s]", "1:6: parse error: subquery is only allowed on instant vector, got range vector");
    check("\"open", "1:1: parse error: unterminated quoted string");
    check("`open", "1:1: parse error: unterminated raw string");
    check("\"\\q\"", "1:1: parse error: unknown escape sequence in \"\\q\"");
    check("a = b", "1:3: parse error: unexpected \"=\" in expression, expected an operator or end of input");
    check("a ! b", "1:3: parse error: unexpected character: '!'");
    check("a{é=\"1\"}", "1:3: parse error: unexpected character inside braces: 'é'");
    check(
        "changes(a[5m] smoothed)",
        "1:1: parse error: smoothed modifier can only be used with: delta, increase, rate - not with changes",
    );
    check(
        "abs(bool)",
        "1:5: parse error: unexpected keyword \"bool\" in expression, expected a number, string, selector, function or aggregation",
    );
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
