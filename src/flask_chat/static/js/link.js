import { copy } from "./clipboard.js";

for (const box of document.querySelectorAll("[data-link]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Copy";
  box.append(button);
  button.addEventListener("click", async () => {
    button.textContent = (await copy(box.querySelector("code").textContent)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => {
      button.textContent = "Copy";
    }, 4000);
  });
}
