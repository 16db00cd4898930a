import { draftsOf } from "./composer.js";
import { named, root } from "./root.js";
import { forget, keys, onChange, read, write } from "./store.js";

const WHO = named("who");

/** Says whose page this is to the other tabs, and leaves it when another person takes over the browser. */
export function keepSession(username) {
  write(WHO, username);
  onChange((key, _, now) => {
    if (key === WHO && now !== username) leave();
  });
  addEventListener("pageshow", ({ persisted }) => persisted && read(WHO) !== username && leave());
}

export function leave() {
  location.assign(`${root}/`);
}

/** Signing out takes this person's texts off the browser; what has not been sent yet is not thrown away unasked. */
export function prepareSignOut(form, username, outbox) {
  form.addEventListener("submit", (event) => {
    const unsent = outbox.entries.length;
    const what = unsent === 1 ? "One message has" : `${unsent} messages have`;
    if (unsent && !confirm(`${what} not been sent. Sign out and throw ${unsent === 1 ? "it" : "them"} away?`))
      return event.preventDefault();
    outbox.clear();
    keys(draftsOf(username)).forEach(forget);
    write(WHO, "");
  });
}
