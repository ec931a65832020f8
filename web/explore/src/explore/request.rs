//! What an address asks Explore for, and addresses that ask for something else. Pure.

use url::form_urlencoded::{Serializer, parse};

use crate::Site;
use crate::limits::{POINTS, QUERIES, QUERY_BYTES};
use crate::times::{Window, length_ms, seconds};

/// Points of a line at the most: the API's limit.
const POINTS_MOST: i64 = 11_000;

/// How results are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    /// As chart and table.
    #[default]
    Both,
    /// As a chart.
    Graph,
    /// As a table.
    Table,
    /// As a heat map.
    Heat,
}

impl View {
    pub(crate) const ALL: [Self; 4] = [Self::Both, Self::Graph, Self::Table, Self::Heat];

    /// Its word in addresses.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Graph => "graph",
            Self::Table => "table",
            Self::Heat => "heatmap",
        }
    }

    fn read(word: &str) -> Self {
        Self::ALL.into_iter().find(|v| v.word() == word).unwrap_or_default()
    }

    pub(crate) const fn has_table(self) -> bool {
        matches!(self, Self::Both | Self::Table)
    }

    pub(crate) const fn has_chart(self) -> bool {
        !matches!(self, Self::Table)
    }
}

/// An expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) text: String,
    /// Whether it is left out for now.
    pub(crate) off: bool,
}

/// Everything that an address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) entries: Vec<Entry>,
    pub(crate) window: Window,
    /// As it was given; `None`: chosen by the window.
    pub(crate) step_ms: Option<i64>,
    pub(crate) view: View,
    /// What of it was not understood.
    pub(crate) remarks: Vec<&'static str>,
}

impl Request {
    /// Reads an address's query.
    pub(crate) fn read(query: &str, site: &Site) -> Self {
        let t = &site.text().explore;
        let pairs: Vec<(String, String)> = parse(query.as_bytes()).into_owned().collect();
        let get = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.trim()).unwrap_or_default();
        let all = |name: &'static str| pairs.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str());
        let numbers = |name: &'static str| all(name).filter_map(|v| v.parse::<usize>().ok()).collect::<Vec<_>>();
        let mut remarks = Vec::new();
        let (window, fine) = Window::read(get("range"), get("from"), get("to"), site.now, &site.zone);
        if !fine {
            remarks.push(t.wrong_times);
        }
        let (step_ms, fine) = step(get("step"), &window);
        if !fine {
            remarks.push(t.wrong_step);
        }
        let off = numbers("off");
        let mut entries: Vec<Entry> = all("q")
            .enumerate()
            .map(|(i, text)| Entry { text: text.replace("\r\n", "\n").trim().to_owned(), off: off.contains(&(i + 1)) })
            .collect();
        for i in numbers("format") {
            if let Some(entry) = i.checked_sub(1).and_then(|i| entries.get_mut(i))
                && entry.text.len() <= QUERY_BYTES
                && let Ok(expr) = decide_promql::parse(&entry.text)
            {
                entry.text = decide_promql::pretty(&expr);
            }
        }
        for i in numbers("drop") {
            if i >= 1 && i <= entries.len() {
                entries.remove(i - 1);
            }
        }
        let adds = !get("add").is_empty();
        // An empty row between others is nothing; one alone, or a new one, waits for a text.
        entries.retain(|e| !e.text.is_empty());
        if entries.len() > QUERIES {
            entries.truncate(QUERIES);
            remarks.push(t.too_many);
        }
        if entries.is_empty() || (adds && entries.len() < QUERIES) {
            entries.push(Entry::default());
        }
        Self { entries, window, step_ms, view: View::read(get("view")), remarks }
    }

    /// The step in use.
    pub(crate) fn step(&self) -> i64 {
        self.step_ms.unwrap_or_else(|| self.window.step_ms(POINTS))
    }

    /// The expressions in use, with their places.
    pub(crate) fn active(&self) -> impl Iterator<Item = (usize, &str)> {
        let all = self.entries.iter().enumerate();
        all.filter(|(_, e)| !e.off && !e.text.is_empty()).map(|(i, e)| (i, e.text.as_str()))
    }

    /// The address of the same with another view.
    pub(crate) fn with_view(&self, view: View) -> String {
        Self { view, ..self.clone() }.address(false)
    }

    /// The address of the same with one expression changed.
    pub(crate) fn with_text(&self, place: usize, text: &str, view: View) -> String {
        let mut other = Self { view, ..self.clone() };
        if let Some(entry) = other.entries.get_mut(place) {
            text.clone_into(&mut entry.text);
        }
        other.address(false)
    }

    /// Its own address; with `exact`, from when to when instead of back from now.
    pub(crate) fn address(&self, exact: bool) -> String {
        let mut out = Serializer::new(String::new());
        for (i, entry) in self.entries.iter().filter(|e| !e.text.is_empty()).enumerate() {
            out.append_pair("q", &entry.text);
            if entry.off {
                out.append_pair("off", &(i + 1).to_string());
            }
        }
        match &self.window.range {
            Some(range) if !exact => _ = out.append_pair("range", range),
            _ => {
                out.append_pair("from", &seconds(self.window.start_ms)).append_pair("to", &seconds(self.window.end_ms));
            }
        }
        if let Some(step) = self.step_ms {
            out.append_pair("step", &seconds(step));
        }
        if self.view != View::default() {
            out.append_pair("view", self.view.word());
        }
        format!("/explore?{}", out.finish())
    }
}

/// A step as it is given: `30s`, or seconds. Nothing asks for the usual one; the second is whether it was understood.
fn step(text: &str, window: &Window) -> (Option<i64>, bool) {
    if text.is_empty() {
        return (None, true);
    }
    let plain = text.replace(',', ".").parse::<f64>().ok().map(|s| (s * 1_000.0) as i64);
    match plain.or_else(|| length_ms(text)) {
        Some(ms) if ms > 0 && window.length_ms() / ms <= POINTS_MOST => (Some(ms), true),
        _ => (None, false),
    }
}

/// The letter of an expression.
pub(crate) fn letter(place: usize) -> char {
    char::from(b'A' + u8::try_from(place.min(25)).unwrap_or(0))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use kernel::{Language, Timestamp};

    pub(crate) fn site() -> Site {
        let asset = |path: &str| format!("/assets/x/{path}");
        Site { language: Language::En, zone: TimeZone::UTC, now: Timestamp::from_secs(1_770_120_000), asset }
    }

    #[test]
    fn an_address_says_everything_and_comes_back() {
        let query = "q=up&q=sum(x)%3E1&off=2&from=10&to=20.5&step=1&view=heatmap";
        let request = Request::read(query, &site());
        assert_eq!(request.entries.len(), 2);
        assert!(!request.entries[0].off && request.entries[1].off);
        assert_eq!((request.window.start_ms, request.window.end_ms, request.step()), (10_000, 20_500, 1_000));
        assert!(request.remarks.is_empty(), "{:?}", request.remarks);
        let again = Request::read(request.address(false).split_once('?').unwrap().1, &site());
        assert_eq!(again, request);
    }

    #[test]
    fn a_link_to_share_names_its_times() {
        let request = Request::read("q=up&range=15m", &site());
        assert_eq!(request.address(false), "/explore?q=up&range=15m");
        assert_eq!(request.address(true), "/explore?q=up&from=1770119100&to=1770120000");
        assert_eq!(request.step(), 5_000);
    }

    #[test]
    fn rows_are_added_removed_and_formatted() {
        let of = |query: &str| -> Vec<String> {
            Request::read(query, &site()).entries.into_iter().map(|e| e.text).collect()
        };
        assert_eq!(of(""), [""]);
        assert_eq!(of("q=a&q=&q=b"), ["a", "b"]);
        assert_eq!(of("q=a&add=1"), ["a", ""]);
        assert_eq!(of("q=a&q=b&drop=1"), ["b"]);
        assert_eq!(of("q=a&drop=7"), ["a"]);
        assert_eq!(of("q=sum(a)by(b)&format=1"), ["sum by (b) (a)"]);
        assert_eq!(of("q=sum(&format=1"), ["sum("]);
        assert_eq!(of(&"q=a&".repeat(20)).len(), QUERIES);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let remarks = |query: &str| Request::read(query, &site()).remarks.len();
        assert_eq!((remarks("from=x&to=y"), remarks("step=0"), remarks("range=1y&step=1s")), (1, 1, 1));
        assert_eq!(remarks("range=1h&from=x&step=30s"), 0);
    }
}
