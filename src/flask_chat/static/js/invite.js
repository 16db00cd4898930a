import { root } from "./root.js";

const LOCAL = /^(localhost|127\.[\d.]+|\[::1\])$/;

/** Fills in the address that this reader came by, and lets them copy it. */
export function prepareInvites() {
  for (const invite of document.querySelectorAll("[data-invite]")) {
    const code = invite.querySelector("code");
    code.textContent = `${location.origin}${root}/`;
    // Behind a proxy the server may take itself for local.
    if (!LOCAL.test(location.hostname)) invite.querySelector("[data-local]")?.remove();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Copy";
    code.after(button);
    button.addEventListener("click", async () => {
      const copied = await copy(code);
      button.textContent = copied ? "Copied" : "Press Ctrl+C";
      setTimeout(() => {
        button.textContent = "Copy";
      }, 4000);
    });
  }
  const menu = document.querySelector(".menu");
  addEventListener("click", ({ target }) => {
    if (!menu.contains(target)) menu.open = false;
  });
  menu.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    menu.open = false;
    menu.firstElementChild.focus();
  });
}

/** Plain HTTP has no clipboard: there the text is selected and the old command tried. */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}
