const NUMBER = /^([\d.]+|\[.*\])$/;

/** Whether a passkey can be made or used at this address: not over plain HTTP, nor where the host is a bare number. */
const usable = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON) && !NUMBER.test(location.hostname);

for (const form of usable ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  for (const button of form.querySelectorAll("button")) button.hidden = false;
  form.querySelector("[data-without]")?.remove();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
}

/** Has the device answer the server's challenge, and sends the form with its answer. */
async function ask(form) {
  const button = form.querySelector("button");
  button.disabled = true;
  tell(form, "");
  try {
    const answer = await answered(form.dataset.passkey, await challenge(form.dataset.challenge));
    form.elements.answer.value = JSON.stringify(answer);
    form.submit();
  } catch (error) {
    tell(form, words(error));
  } finally {
    button.disabled = false;
  }
}

async function challenge(address) {
  const response = await fetch(address, { method: "POST", cache: "no-store" });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail || "The chat did not answer. Try again.");
}

async function answered(how, options) {
  const credential =
    how === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return credential.toJSON();
}

function tell(form, text) {
  const place = form.querySelector("[data-error]");
  place.textContent = text;
  place.hidden = !text;
}

/** The browser's own errors are for programmers. */
function words(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey for you here already.";
  if (error.name === "NotAllowedError") return "No passkey was used. Try again when you are ready.";
  if (error instanceof DOMException) return "This device could not do that.";
  return error.message;
}
