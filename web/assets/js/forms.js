// Small comforts of forms: copy buttons, no double sending, filters that apply at once.
export function startForms() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      const before = button.textContent;
      button.textContent = button.dataset.copied;
      setTimeout(() => (button.textContent = before), 1500);
    } catch {
      // Without permission for the clipboard: select, so that people can copy by hand.
      getSelection().selectAllChildren(source);
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (form.method === "post") {
      form.dataset.sent = "1";
      setTimeout(() => delete form.dataset.sent, 4000);
    }
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-auto]");
    if (form) form.requestSubmit();
  });
}
