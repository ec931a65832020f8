// Keeps "12 s ago" true. The server writes the first text; this one counts on, by the server's clock.
const es = document.documentElement.lang === "es";
// How far this device's clock is from the server's, learned from live messages.
let ahead = 0;

export function setServerTime(ms) {
  ahead = Date.now() - ms;
}

export function age(seconds) {
  let text;
  if (seconds < 2) return es ? "ahora mismo" : "just now";
  if (seconds < 100) text = `${seconds} s`;
  else if (seconds < 5400) text = `${Math.floor(seconds / 60)} min`;
  else if (seconds < 129600) text = `${Math.floor((seconds + 1800) / 3600)} h`;
  else text = `${Math.floor((seconds + 43200) / 86400)} ${es ? "días" : "days"}`;
  return es ? `hace ${text}` : `${text} ago`;
}

export function refreshAges(root = document) {
  const now = Date.now() - ahead;
  for (const time of root.querySelectorAll("time[data-age]")) {
    const text = age(Math.max(0, Math.floor((now - Date.parse(time.dateTime)) / 1000)));
    if (time.textContent !== text) time.textContent = text;
  }
}

export function startAges() {
  const now = Number(document.body.dataset.now);
  if (now) setServerTime(now);
  const tick = () => {
    if (!document.hidden) refreshAges();
  };
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
}
