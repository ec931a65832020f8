// Explore: completion of what stands in the store and of the language's words, Enter runs, links are copied. Without it the form works
// as a form.
const LIMIT_SHOWN = 60;
// Names that are fetched: more would take longer than typing a letter more.
const LIMIT_FETCHED = 10_000;
const PAUSE_MS = 90;
const DURATIONS = ["1m", "5m", "10m", "15m", "30m", "1h", "6h", "12h", "1d", "7d"];
const NAME = /[A-Za-z0-9_:.]/;
const LISTS_LABELS = /\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)$/;

const cache = new Map();
async function fetchJson(address) {
  if (!cache.has(address)) {
    const answer = fetch(address, { credentials: "same-origin" }).then((a) => (a.ok ? a.json() : { data: [] }));
    cache.set(address, answer.catch(() => ({ data: [] })));
  }
  return (await cache.get(address)).data;
}

const api = (path, params) => `/api/v1/${path}?${new URLSearchParams(params)}`;
const metrics = () => fetchJson(api("label/__name__/values", { limit: LIMIT_FETCHED }));
const metadata = () => fetchJson(api("metadata", { limit: LIMIT_FETCHED, limit_per_metric: 1 }));
const quoted = (text) => text.replace(/\\/g, "\\\\").replace(/"/g, '\\"');
const selecting = (metric) => (metric ? { "match[]": `{__name__="${quoted(metric)}"}` } : {});
const labelNames = (metric) => fetchJson(api("labels", { limit: LIMIT_FETCHED, ...selecting(metric) }));
const labelValues = (label, metric) => fetchJson(api(`label/${encodeURIComponent(label)}/values`, { limit: LIMIT_FETCHED, ...selecting(metric) }));

// Where the cursor stands: what may come there, what is written of it already, and where that begins.
export function contextOf(text, cursor) {
  let brace = -1;
  let bracket = -1;
  let quote = "";
  let quoteAt = -1;
  for (let i = 0; i < cursor; i++) {
    const c = text[i];
    if (quote) {
      if (c === "\\" && quote !== "`") i += 1;
      else if (c === quote) quote = "";
    } else if (c === '"' || c === "'" || c === "`") {
      quote = c;
      quoteAt = i;
    } else if (c === "#") {
      const end = text.indexOf("\n", i);
      if (end < 0 || end >= cursor) return null;
      i = end;
    } else if (c === "{") brace = i;
    else if (c === "}") brace = -1;
    else if (c === "[") bracket = i;
    else if (c === "]") bracket = -1;
  }
  const metric = brace >= 0 ? (/([A-Za-z_:][A-Za-z0-9_:.]*)\s*$/.exec(text.slice(0, brace))?.[1] ?? "") : "";
  if (quote) {
    const label = brace >= 0 && /([A-Za-z_][A-Za-z0-9_.]*)\s*(=|!=|=~|!~)\s*$/.exec(text.slice(0, quoteAt))?.[1];
    return label ? { kind: "value", label, metric, from: quoteAt + 1, quote } : null;
  }
  let from = cursor;
  while (from > 0 && NAME.test(text[from - 1])) from -= 1;
  if (bracket >= 0) return { kind: "duration", from };
  if (brace >= 0) return { kind: "label", metric, from };
  const list = LISTS_LABELS.exec(text.slice(0, from));
  if (list) return { kind: "label", metric: /([A-Za-z_:][A-Za-z0-9_:]*)\s*[[{]/.exec(text)?.[1] ?? "", from };
  return { kind: "any", from };
}

// How well a name fits what is written: its start, a part's start, anywhere, its letters in order; 0: not at all.
function fit(name, written) {
  if (!written) return 1;
  const lower = name.toLowerCase();
  const at = lower.indexOf(written);
  if (at === 0) return lower.length === written.length ? 6 : 5;
  if (at > 0) return /[_:.]/.test(lower[at - 1]) ? 4 : 3;
  let i = 0;
  for (const c of lower) if (c === written[i]) i += 1;
  return i === written.length && written.length > 2 ? 2 : 0;
}

function marked(code, name, written) {
  const at = written ? name.toLowerCase().indexOf(written) : -1;
  if (at < 0) {
    code.textContent = name;
    return;
  }
  const mark = document.createElement("mark");
  mark.textContent = name.slice(at, at + written.length);
  code.append(name.slice(0, at), mark, name.slice(at + written.length));
}

class Completion {
  constructor(area, words, kinds, suggestions) {
    Object.assign(this, { area, words, kinds, suggestions, items: [], active: -1, turn: 0 });
    this.list = document.createElement("ul");
    this.list.className = "complete";
    this.list.id = `${area.id}-list`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", suggestions);
    // It scrolls, and the arrows of the text field move through it.
    this.list.tabIndex = -1;
    this.list.hidden = true;
    this.status = document.createElement("span");
    this.status.className = "quiet";
    this.status.setAttribute("role", "status");
    area.after(this.list, this.status);
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-controls", this.list.id);
    area.setAttribute("aria-haspopup", "listbox");
    area.addEventListener("input", () => this.later());
    area.addEventListener("click", () => this.close());
    area.addEventListener("keydown", (event) => this.key(event));
    area.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const item = event.target.closest("li");
      if (item) this.take(Number(item.dataset.at));
    });
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(false), PAUSE_MS);
  }

  async candidates(context) {
    const named = (names, kind) => names.map((name) => ({ name, kind }));
    switch (context.kind) {
      case "duration":
        return named(DURATIONS, "duration");
      case "label":
        return named((await labelNames(context.metric)).filter((n) => n !== "__name__"), "label");
      case "value":
        return named(await labelValues(context.label, context.metric), "value");
      default: {
        const [names, known] = await Promise.all([metrics(), metadata()]);
        const about = (name) => known[name]?.[0] ?? known[name.replace(/_(total|bucket|sum|count)$/, "")]?.[0];
        const told = (name) => {
          const m = about(name);
          return { name, kind: "metric", type: m ? [m.type, m.unit].filter(Boolean).join(", ") : "", help: m?.help ?? "" };
        };
        return [...names.map(told), ...this.words];
      }
    }
  }

  async open(asked) {
    const turn = ++this.turn;
    const { area } = this;
    const context = contextOf(area.value, area.selectionStart);
    if (!context || area.selectionStart !== area.selectionEnd) return this.close();
    const written = area.value.slice(context.from, area.selectionStart).toLowerCase();
    const wants = asked || written || context.kind !== "any";
    if (!wants) return this.close();
    const all = await this.candidates(context);
    if (turn !== this.turn || document.activeElement !== area) return;
    const fitting = all.map((item) => ({ item, rank: fit(item.name, written) })).filter((f) => f.rank > 0);
    fitting.sort((a, b) => b.rank - a.rank || a.item.name.length - b.item.name.length || a.item.name.localeCompare(b.item.name));
    const only = fitting.length === 1 && fitting[0].rank === 6 && fitting[0].item.kind !== "function";
    this.context = context;
    this.items = only ? [] : fitting.slice(0, LIMIT_SHOWN).map((f) => f.item);
    this.show(written);
  }

  show(written) {
    this.list.replaceChildren(...this.items.map((item, i) => this.line(item, i, written)));
    this.list.hidden = this.items.length === 0;
    this.choose(-1);
    this.status.textContent = this.items.length ? `${this.items.length} ${this.suggestions}` : "";
  }

  line(item, i, written) {
    const line = document.createElement("li");
    line.setAttribute("role", "option");
    line.id = `${this.list.id}-${i}`;
    line.dataset.at = i;
    const code = document.createElement("code");
    marked(code, item.name, written);
    const kind = document.createElement("small");
    kind.textContent = item.type || this.kinds[item.kind];
    const help = document.createElement("span");
    help.className = "help";
    help.textContent = [item.signature, item.help].filter(Boolean).join(" · ");
    line.append(code, kind, help);
    return line;
  }

  choose(at) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = at;
    const line = this.list.children[at];
    if (line) {
      line.setAttribute("aria-selected", "true");
      line.scrollIntoView({ block: "nearest" });
      this.area.setAttribute("aria-activedescendant", line.id);
    } else this.area.removeAttribute("aria-activedescendant");
  }

  take(at) {
    const item = this.items[at];
    if (!item) return;
    const { area, context } = this;
    let text = item.name;
    let back = 0;
    const rest = area.value.slice(area.selectionStart);
    if (item.kind === "function" || item.kind === "aggregation") {
      if (!rest.startsWith("(")) {
        text += "()";
        back = item.signature?.endsWith("()") ? 0 : 1;
      }
    } else if (item.kind === "label" && context.metric !== undefined && /[{,]\s*$/.test(area.value.slice(0, context.from)) && !/^\s*(=|!)/.test(rest)) {
      text += '=""';
      back = 1;
    } else if (item.kind === "metric" && !/^[A-Za-z_:][A-Za-z0-9_:]*$/.test(item.name)) text = `{"${quoted(item.name)}"}`;
    else if (item.kind === "value") text = context.quote === "`" ? item.name : quoted(item.name);
    area.setRangeText(text, context.from, area.selectionStart, "end");
    area.selectionStart = area.selectionEnd = area.selectionStart - back;
    this.close();
    area.focus();
    if (back) this.later();
  }

  close() {
    this.turn += 1;
    clearTimeout(this.timer);
    this.items = [];
    this.list.hidden = true;
    this.status.textContent = "";
    this.choose(-1);
  }

  key(event) {
    const isOpen = !this.list.hidden;
    if (event.isComposing) return;
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      this.open(true);
    } else if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const from = this.active < 0 && step < 0 ? 0 : this.active;
      this.choose((from + step + this.items.length) % this.items.length);
    } else if (isOpen && event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      this.take(Math.max(0, this.active));
    } else if (isOpen && event.key === "Escape") {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (isOpen && this.active >= 0) this.take(this.active);
      else {
        this.close();
        this.area.form.requestSubmit();
      }
    }
  }
}

// Choosing a time means: from when to when, no longer back from now.
function startTimes(form) {
  const range = form.elements.range;
  for (const field of [form.elements.from, form.elements.to]) field.addEventListener("input", () => (range.value = ""));
  range.addEventListener("change", () => {
    if (!range.value) return;
    form.elements.from.value = form.elements.to.value = "";
    form.requestSubmit();
  });
}

function startCopies() {
  for (const button of document.querySelectorAll("[data-copy-link]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copyLink).href);
      const before = button.textContent;
      button.textContent = button.dataset.copied;
      setTimeout(() => (button.textContent = before), 1500);
    });
  }
}

// The engine alone does not know where its reader is: it is told once, and times are theirs from then on.
function tellZone() {
  const known = document.body.dataset.zone;
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!known || !own || known === own || document.cookie.includes(`farero_zone=${own}`)) return;
  document.cookie = `farero_zone=${own}; path=/; max-age=31536000; samesite=lax`;
  if (document.cookie.includes(`farero_zone=${own}`)) location.reload();
}

export function startExplore(form) {
  const words = JSON.parse(form.dataset.words || "[]");
  const [metric, func, aggregation, keyword, label, value, duration] = form.dataset.kinds.split("|");
  const kinds = { metric, function: func, aggregation, keyword, label, value, duration };
  for (const area of form.querySelectorAll("textarea[data-promql]")) new Completion(area, words, kinds, form.dataset.suggestions);
  startTimes(form);
  startCopies();
  const areas = [...form.querySelectorAll("textarea[data-promql]")];
  const empty = areas.find((a) => !a.value);
  if (empty) empty.focus();
}

tellZone();
const form = document.querySelector("form[data-explore]");
if (form) startExplore(form);
