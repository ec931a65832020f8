// Charts at the pointer: values where it stands, lines switched by their names, a range chosen by dragging. The numbers come with the
// chart (`data-plot`); without this file everything is there but what the pointer adds.
import { format, time } from "./units.js";

const TIP_LINES = 12;
// Marks told at once.
const MARKS = 5;
// Points that Page Up and Page Down go by.
const PAGE = 10;
// A range shorter than this was a click.
const PICK_PX = 6;
const KEYS = document.documentElement.lang === "en" ? { role: "chart", help: "Chart: arrow keys go from point to point" } : { role: "gráfico", help: "Gráfico: las flechas van de punto en punto" };
// From one half of the plot on the tip stands at the other side.
const HALF = 0.5;

function add(parent, tag, className) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  parent.append(element);
  return element;
}

// Styles set by script are allowed where style attributes are not.
const place = (element, left, width) => {
  element.style.left = `${left}px`;
  if (width !== undefined) element.style.width = `${width}px`;
};

function nearest(at, t) {
  let low = 0;
  let high = at.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle] < t) low = middle + 1;
    else high = middle;
  }
  return low > 0 && t - at[low - 1] < at[low] - t ? low - 1 : low;
}

function row(tip, className, name, value) {
  const line = add(tip, "div");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `swatch ${className}`);
  svg.setAttribute("width", "18");
  svg.setAttribute("height", "10");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M1 5H17");
  svg.append(path);
  line.append(svg);
  add(line, "span").textContent = name;
  add(line, "b").textContent = value;
}

// What happened at a time, or so near that a pointer cannot tell.
function marks(data, t) {
  const near = (data.to - data.from) / 120;
  const told = (data.marks ?? []).filter((m) => t >= m.from - near && t <= m.to + near).slice(-MARKS);
  return told.map((m) => [m.class, m.title, m.text]);
}

// What is told of a time, and where the crosshair stands.
function lines(figure, data, index) {
  const off = new Set([...figure.querySelectorAll(":is(tr, li)[data-line].off")].map((r) => Number(r.dataset.line)));
  const told = data.lines.map((line, i) => ({ line, i, value: line.values[index] })).filter((l) => l.value != null && !off.has(l.i));
  told.sort((a, b) => b.value - a.value);
  return told.slice(0, TIP_LINES).map(({ line, value }) => [line.class, line.name, format(line.unit ?? data.unit, value)]);
}

function cells(data, index, fromTop) {
  const at = Math.min(data.rows.length - 1, Math.max(0, Math.floor((1 - fromTop) * data.rows.length)));
  return [["", data.rows[at], format("short", data.cells[index]?.[at])]];
}

function show(figure, data, box, parts, event) {
  const bounds = box.getBoundingClientRect();
  const x = Math.min(bounds.width, Math.max(0, event.clientX - bounds.left));
  const wanted = data.from + (x / bounds.width) * (data.to - data.from);
  if (!data.at.length) return;
  const heat = Boolean(data.cells);
  const later = data.at.findIndex((t) => t > wanted);
  const index = heat ? Math.max(0, (later < 0 ? data.at.length : later) - 1) : nearest(data.at, wanted);
  const told = heat ? cells(data, index, (event.clientY - bounds.top) / bounds.height) : lines(figure, data, index);
  const happened = heat ? [] : marks(data, wanted);
  tell(data, bounds, parts, { index, told, happened, left: heat ? x : placeOf(data, index, bounds) });
}

const placeOf = (data, index, bounds) => ((data.at[index] - data.from) / (data.to - data.from || 1)) * bounds.width;

function tell(data, bounds, parts, { index, told, happened, left }) {
  parts.cross.hidden = parts.tip.hidden = false;
  place(parts.cross, left);
  parts.tip.replaceChildren();
  add(parts.tip, "p").textContent = time(data.at[index], data.zone, data.to - data.from);
  for (const [className, name, value] of told) row(parts.tip, className, name, value);
  for (const [className, name, value] of happened) row(parts.tip, `mark ${className}`, name, value);
  const right = left > bounds.width * HALF;
  parts.tip.style.left = right ? "auto" : `${left + 12}px`;
  parts.tip.style.right = right ? `${bounds.width - left + 12}px` : "auto";
}

// The keyboard goes from point to point, as the pointer does; what is told there is read aloud.
function byKeys(figure, data, box, parts) {
  if (!data.at.length) return;
  const last = data.at.length - 1;
  let index = last;
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute("aria-roledescription", KEYS.role);
  box.setAttribute("aria-label", KEYS.help);
  const said = add(box, "p", "quiet");
  said.setAttribute("aria-live", "polite");
  const at = () => {
    const bounds = box.getBoundingClientRect();
    const t = data.at[index];
    const column = data.cells?.[index] ?? [];
    const busiest = column.indexOf(Math.max(...column));
    const told = data.cells ? (busiest < 0 ? [] : [["", data.rows[busiest], format("short", column[busiest])]]) : lines(figure, data, index);
    tell(data, bounds, parts, { index, told, happened: data.cells ? [] : marks(data, t), left: placeOf(data, index, bounds) });
    said.textContent = [...parts.tip.children].map((line) => line.textContent).join("; ");
  };
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -PAGE, PageDown: PAGE, Home: -Infinity, End: Infinity };
  box.addEventListener("focus", () => box.matches(":focus-visible") && at());
  box.addEventListener("blur", () => (parts.cross.hidden = parts.tip.hidden = true));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") parts.cross.hidden = parts.tip.hidden = true;
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    index = Math.min(last, Math.max(0, index + steps[event.key]));
    at();
  });
}

function zoomTo(data, bounds, a, b) {
  const at = (x) => Math.round(data.from + (x / bounds.width) * (data.to - data.from));
  const url = new URL(location.href);
  url.searchParams.set("from", String(at(Math.min(a, b)) / 1000));
  url.searchParams.set("to", String(at(Math.max(a, b)) / 1000));
  url.searchParams.delete("range");
  location.assign(url);
}

function follow(figure, data) {
  const box = figure.querySelector(".plot-box");
  if (!box) return;
  const parts = { cross: add(box, "div", "cross"), tip: add(box, "div", "tip"), pick: add(box, "div", "pick") };
  const hide = () => (parts.cross.hidden = parts.tip.hidden = true);
  hide();
  parts.pick.hidden = true;
  byKeys(figure, data, box, parts);
  let began = null;
  const inside = (event) => Math.min(box.clientWidth, Math.max(0, event.clientX - box.getBoundingClientRect().left));
  box.addEventListener("pointermove", (event) => {
    show(figure, data, box, parts, event);
    if (began === null) return;
    const x = inside(event);
    parts.pick.hidden = Math.abs(x - began) < PICK_PX;
    place(parts.pick, Math.min(x, began), Math.abs(x - began));
  });
  box.addEventListener("pointerleave", () => began === null && hide());
  box.addEventListener("pointerdown", (event) => {
    show(figure, data, box, parts, event);
    // A finger scrolls; a mouse or a pen chooses.
    if (!data.zoom || event.pointerType === "touch" || event.button !== 0) return;
    began = inside(event);
    box.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  box.addEventListener("pointerup", (event) => {
    if (began === null) return;
    const [from, to] = [began, inside(event)];
    began = null;
    parts.pick.hidden = true;
    if (Math.abs(to - from) >= PICK_PX) zoomTo(data, box.getBoundingClientRect(), from, to);
  });
  box.addEventListener("pointercancel", () => {
    began = null;
    parts.pick.hidden = true;
  });
}

// A click shows one line alone, a click with a modifier key switches one; the keyboard does the same by Enter and Space.
function legend(figure) {
  const rows = [...figure.querySelectorAll(":is(tr, li)[data-line]")];
  if (rows.length < 2) return;
  const shape = (row) => figure.querySelector(`g[data-line="${row.dataset.line}"]`);
  const set = (row, on) => {
    row.classList.toggle("off", !on);
    shape(row)?.classList.toggle("off", !on);
    (row.querySelector("[role=button]") ?? row).setAttribute("aria-pressed", String(on));
  };
  for (const row of rows) {
    const name = row.querySelector("th > span, :scope > span");
    name.setAttribute("role", "button");
    name.tabIndex = 0;
    name.setAttribute("aria-pressed", "true");
    const act = (one) => {
      const alone = rows.every((r) => r === row || r.classList.contains("off"));
      for (const r of rows) if (one ? r === row : true) set(r, one ? r.classList.contains("off") : alone || r === row);
    };
    row.addEventListener("click", (event) => act(event.ctrlKey || event.metaKey || event.shiftKey));
    name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      act(event.key === " ");
    });
    row.addEventListener("pointerenter", () => {
      figure.classList.add("alone");
      shape(row)?.classList.add("lit");
    });
    row.addEventListener("pointerleave", () => {
      figure.classList.remove("alone");
      shape(row)?.classList.remove("lit");
    });
  }
}

export function startPlots(root = document) {
  for (const figure of root.querySelectorAll("figure[data-plot]")) {
    if (figure.dataset.started) continue;
    figure.dataset.started = "1";
    let data;
    try {
      data = JSON.parse(figure.dataset.plot);
    } catch {
      continue;
    }
    follow(figure, data);
    if (data.lines) legend(figure);
  }
}

startPlots();
document.addEventListener("farero:patched", () => startPlots());
