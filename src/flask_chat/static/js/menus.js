import { copy } from "./clipboard.js";
import { root } from "./root.js";

const LOCAL = /^(localhost|127\.[\d.]+|\[::1\])$/;

/** Menus close when something else is pressed; an invitation says the address that this reader came by. */
export function prepareMenus() {
  for (const menu of document.querySelectorAll(".menu")) prepareMenu(menu);
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
      const copied = await copy(code.textContent);
      button.textContent = copied ? "Copied" : "Press Ctrl+C";
      setTimeout(() => {
        button.textContent = "Copy";
      }, 4000);
    });
  }
}

function prepareMenu(menu) {
  addEventListener("click", ({ target }) => {
    if (!menu.contains(target)) menu.open = false;
  });
  menu.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    menu.open = false;
    menu.firstElementChild.focus();
  });
}
