// Fills in the time zone that the browser is set to, where none is chosen yet.
const field = document.querySelector("[data-zone]");
if (field && !field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
