// Passkeys: asks the server what to ask, the device for its answer, and takes the answer back. Only buttons that can work show.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function send(button, path, body) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  if (button.dataset.csrf) headers["x-csrf-token"] = button.dataset.csrf;
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), redirect: "manual" });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.detail || said.title || `HTTP ${answer.status}`);
  return said;
}

const ids = (list) => (list ?? []).map((c) => ({ ...c, id: bytes(c.id) }));

async function register(button) {
  const asked = await send(button, button.dataset.begin, {});
  if (asked.to) return asked.to;
  const options = { ...asked, challenge: bytes(asked.challenge), excludeCredentials: ids(asked.excludeCredentials) };
  options.user = { ...asked.user, id: bytes(asked.user.id) };
  const made = await navigator.credentials.create({ publicKey: options });
  const answer = {
    id: made.id,
    client_data: text(made.response.clientDataJSON),
    attestation: text(made.response.attestationObject),
    name: document.getElementById(button.dataset.name)?.value ?? "",
  };
  return (await send(button, button.dataset.finish, answer)).to;
}

async function logIn(button) {
  const asked = await send(button, button.dataset.begin, {});
  const options = { ...asked, challenge: bytes(asked.challenge), allowCredentials: ids(asked.allowCredentials) };
  const given = await navigator.credentials.get({ publicKey: options });
  const answer = {
    id: given.id,
    client_data: text(given.response.clientDataJSON),
    authenticator_data: text(given.response.authenticatorData),
    signature: text(given.response.signature),
    user_handle: given.response.userHandle ? text(given.response.userHandle) : "",
    next: button.dataset.next ?? "",
  };
  return (await send(button, button.dataset.finish, answer)).to;
}

function show(message) {
  const place = document.querySelector("[data-passkey-error]");
  if (!place) return;
  place.textContent = message;
  place.hidden = !message;
}

if (window.PublicKeyCredential && navigator.credentials) {
  for (const button of document.querySelectorAll("[data-passkey]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      show("");
      try {
        location.assign(await (button.dataset.passkey === "register" ? register(button) : logIn(button)));
      } catch (error) {
        // The browser's own words for a no of the person's are of no use to anybody.
        show(error instanceof DOMException ? button.dataset.failed : error.message);
      } finally {
        button.disabled = false;
      }
    });
  }
}
