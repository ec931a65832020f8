// Dashboards: panels that came late, panels drawn anew, controls that apply at once. Without it the page is there, and its buttons work.
import { startPlots } from "./plot.js";
import { refreshAges, setServerTime } from "./age.js";

// Panels fetched at once: browsers open six connections to a server, and the rest of the page needs some.
const AT_ONCE = 4;

const isOpen = (body) => !body.closest("details.dash-row:not([open])");

function isBusy(body) {
  return body.contains(document.activeElement) || body.matches(":hover:has(.tip:not([hidden]))") || Boolean(body.querySelector(".off"));
}

async function load(body) {
  body.classList.add("busy");
  try {
    const answer = await fetch(body.dataset.panel, { credentials: "same-origin", headers: { "X-Requested-With": "live" } });
    if (answer.status === 401 || answer.redirected) {
      location.reload();
      return false;
    }
    if (!answer.ok) return false;
    const html = await answer.text();
    if (isBusy(body) && !("late" in body.dataset)) return true;
    const top = body.querySelector(".panel-table")?.scrollTop ?? 0;
    body.innerHTML = html;
    const table = body.querySelector(".panel-table");
    if (table) table.scrollTop = top;
    delete body.dataset.late;
    startPlots(body);
    return true;
  } catch {
    return false;
  } finally {
    body.classList.remove("busy");
  }
}

async function loadAll(bodies) {
  const queue = [...bodies];
  let good = true;
  const worker = async () => {
    for (let body = queue.shift(); body; body = queue.shift()) good = (await load(body)) && good;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return good;
}

function told(root, good) {
  const line = root.querySelector(".dash-age");
  const time = line?.querySelector("time");
  if (!line || !time) return;
  line.classList.toggle("stale", !good);
  const words = line.querySelector("span");
  words.dataset.usual ??= words.textContent;
  words.textContent = good ? words.dataset.usual : `${root.dataset.failed} ·`;
  if (good) {
    time.dateTime = new Date().toISOString();
    setServerTime(Date.now());
    refreshAges(line);
  }
}

function refresh(root) {
  const seconds = Number(root.dataset.refresh);
  if (!seconds) return;
  let running = false;
  let due = Date.now() + seconds * 1000;
  setInterval(async () => {
    if (running || document.hidden || Date.now() < due) return;
    running = true;
    const bodies = [...root.querySelectorAll("[data-panel]")].filter((b) => isOpen(b) && !b.closest(".k-text"));
    told(root, await loadAll(bodies));
    due = Date.now() + seconds * 1000;
    running = false;
  }, 500);
}

function controls(form) {
  form.classList.add("scripted");
  const send = () => {
    // "All" and single values exclude each other.
    for (const empty of form.querySelectorAll('select[name="range"]')) if (empty.value) form.querySelectorAll("[data-fixed]").forEach((f) => f.remove());
    form.requestSubmit();
  };
  for (const details of form.querySelectorAll("details.choice")) {
    let changed = false;
    details.addEventListener("change", (event) => {
      changed = true;
      const all = details.querySelector("[data-all]");
      if (!all) return;
      if (event.target === all) {
        for (const box of details.querySelectorAll("input:not([data-all])")) box.checked = false;
      } else if (event.target.checked) {
        all.checked = false;
      }
      event.stopPropagation();
    });
    details.addEventListener("toggle", () => !details.open && changed && send());
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      details.open = false;
      details.querySelector("summary").focus();
    });
  }
  form.addEventListener("change", (event) => !event.target.closest("details") && send());
}

// A menu or choice shuts when something else is clicked.
function shutOthers() {
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.choice[open], details.panel-menu[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
}

export function startDashboard() {
  const root = document.querySelector("[data-dashboard]");
  const form = root.querySelector("[data-dash-form]");
  if (form) controls(form);
  shutOthers();
  loadAll([...root.querySelectorAll("[data-late]")].filter(isOpen));
  for (const row of root.querySelectorAll("details.dash-row")) {
    row.addEventListener("toggle", () => row.open && loadAll(row.querySelectorAll("[data-late]")));
  }
  refresh(root);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && root.classList.contains("kiosk")) location.assign(root.querySelector(".dash-age a").href);
  });
}
