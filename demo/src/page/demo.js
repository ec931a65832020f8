// The demo's page: faults to cause, messages as they arrive.
const words = {
  es: { break: "Causar", mend: "Reparar", empty: "Todavía no hay mensajes.", other: "English" },
  en: { break: "Break", mend: "Mend", empty: "No messages yet.", other: "Español" },
};
let language = localStorage.getItem("language") ?? (navigator.language.startsWith("es") ? "es" : "en");
let last = 0;

const byId = (id) => document.getElementById(id);

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function speak() {
  document.documentElement.lang = language;
  for (const place of document.querySelectorAll("[data-es]")) place.textContent = place.dataset[language];
  byId("language").textContent = words[language].other;
}

function showFaults(faults) {
  const list = byId("faults");
  const focused = document.activeElement?.dataset?.fault;
  list.replaceChildren(...faults.map((fault) => {
    const item = element("li", undefined, fault.broken ? "broken" : "");
    const button = element("button", fault.broken ? words[language].mend : words[language].break);
    button.type = "button";
    button.dataset.fault = fault.name;
    button.setAttribute("aria-label", `${button.textContent}: ${fault.label}`);
    button.addEventListener("click", async () => {
      button.disabled = true;
      const answer = await fetch(`/faults/${fault.name}/${fault.broken ? "mend" : "break"}`, { method: "POST" });
      if (!answer.ok) byId("notes").textContent = (await answer.json()).detail;
      await refresh();
    });
    item.append(element("strong", fault.label), element("p", fault.expect), button);
    return item;
  }));
  if (focused) list.querySelector(`[data-fault="${focused}"]`)?.focus();
}

function showMessages(messages) {
  const inbox = byId("inbox");
  for (const message of messages) {
    last = Math.max(last, message.number);
    const item = element("li");
    const head = element("header");
    head.append(element("span", message.channel, "channel"), element("time", new Date(message.at_ms).toLocaleTimeString(language)), element("span", message.to));
    item.append(head, element("strong", message.subject), element("pre", message.text));
    inbox.prepend(item);
  }
  inbox.dataset.empty = words[language].empty;
}

let shown = "";
async function refresh() {
  try {
    const state = await (await fetch(`/state?after=${last}&language=${language}`)).json();
    const now = JSON.stringify(state.faults) + language;
    if (now !== shown) showFaults(state.faults);
    shown = now;
    showMessages(state.messages);
    if (state.notes.length && !byId("notes").textContent) byId("notes").textContent = state.notes.join(" ");
  } catch {
    // The demo has ended; the next turn tries again.
  }
}

byId("language").addEventListener("click", () => {
  language = language === "es" ? "en" : "es";
  localStorage.setItem("language", language);
  speak();
  refresh();
});
speak();
await refresh();
setInterval(refresh, 1000);
