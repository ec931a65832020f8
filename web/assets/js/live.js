// Keeps the page up to date without a reload: listens to /events, replaces what changed by its id, and comes back by
// itself after a break. What was typed, opened or focused stays.
import { refreshAges, setServerTime } from "./age.js";

const RETRY_MS = [1000, 2000, 5000, 10000, 30000];
// Pages that fetch themselves anew do so at most this often.
const FETCH_PAUSE_MS = 2000;

function isBusy(element) {
  const active = document.activeElement;
  if (!active || !element.contains(active)) return false;
  return active.matches("input, textarea, select") || element.querySelector("dialog[open]");
}

function replace(id, html) {
  const old = document.getElementById(id);
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  const fresh = template.content.firstElementChild;
  if (!old || !fresh || old.outerHTML === fresh.outerHTML || isBusy(old)) return;
  const focused = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
  const stateChanged = old.className.replace(" changed", "") !== fresh.className;
  old.replaceWith(fresh);
  refreshAges(fresh);
  if (stateChanged) fresh.classList.add("changed");
  if (focused) fresh.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

let fetching = 0;
let again = false;
async function fetchPage() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = 1;
  try {
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "live" }, credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of page.querySelectorAll("[data-region]")) {
      const old = document.getElementById(part.id);
      if (old && !isBusy(old)) replace(part.id, part.outerHTML);
    }
  } catch {
    // The next change tries again.
  }
  setTimeout(() => {
    fetching = 0;
    if (again) {
      again = false;
      fetchPage();
    }
  }, FETCH_PAUSE_MS);
}

// A session that has ended cannot come back by itself: the page leads to the log-in.
async function leaveIfLoggedOut() {
  try {
    const answer = await fetch("/api/farero/v1/status", { credentials: "same-origin" });
    if (answer.status === 401) location.reload();
  } catch {
    // No connection at all: the next try will tell.
  }
}

export function startLive(query) {
  const status = document.querySelector("[data-live-state]");
  let failures = 0;
  let source;
  let everOpen = false;

  function open() {
    source = new EventSource(`/events?${query}`);
    source.addEventListener("open", () => {
      failures = 0;
      status.hidden = true;
      if (everOpen) fetchPage();
      everOpen = true;
    });
    source.addEventListener("patch", (event) => {
      const message = JSON.parse(event.data);
      setServerTime(message.now);
      for (const part of message.parts) replace(part.id, part.html);
      document.dispatchEvent(new CustomEvent("farero:patched"));
    });
    source.addEventListener("stale", fetchPage);
    source.addEventListener("error", () => {
      source.close();
      failures += 1;
      if (failures > 1) {
        leaveIfLoggedOut();
        status.textContent = status.dataset.lost;
        status.hidden = false;
      }
      const wait = RETRY_MS[Math.min(failures - 1, RETRY_MS.length - 1)];
      setTimeout(open, wait * (0.75 + Math.random() / 2));
    });
  }
  open();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) open();
  });
}
