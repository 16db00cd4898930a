/**
 * Asks before something is done. Resolves to null if the reader thinks better of it, else to what they wrote
 * (an empty text where nothing is to be written). `reason` is the label of the box to write in, if there is one.
 */
export function ask({ title, words, yes, reason = "" }) {
  const dialog = document.createElement("dialog");
  dialog.className = "ask";
  dialog.setAttribute("aria-labelledby", "ask-title");
  const form = document.createElement("form");
  form.method = "dialog";
  const heading = element("h2", title);
  heading.id = "ask-title";
  const box = document.createElement("textarea");
  box.rows = 3;
  box.maxLength = 500;
  box.dir = "auto";
  box.required = true;
  const label = element("label", reason);
  label.append(box);
  const stop = element("button", "Cancel");
  stop.type = "button";
  stop.className = "quiet";
  const go = element("button", yes);
  go.className = "primary";
  go.value = "yes";
  const row = element("p", "");
  row.className = "row";
  row.append(stop, go);
  form.append(heading, element("p", words), ...(reason ? [label] : []), row);
  dialog.append(form);
  document.body.append(dialog);
  stop.addEventListener("click", () => dialog.close());
  dialog.showModal();
  (reason ? box : stop).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? box.value : null);
    });
  });
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
