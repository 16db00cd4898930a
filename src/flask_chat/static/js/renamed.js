/** Somebody is called otherwise: what stands here of theirs says so, and leads to them. */
import { root } from "./root.js";

export function rename({ was, username, initials, colour }) {
  for (const article of document.querySelectorAll(`.message[data-author="${CSS.escape(was)}"]`)) {
    Object.assign(article.dataset, { author: username, colour });
    article.querySelector(".avatar").dataset.initials = initials;
    const author = article.querySelector(".author");
    author.querySelector("bdi").textContent = username;
    if (/ \(former( \d+)?\)$/.test(username)) author.removeAttribute("href");
    else if (author.href) author.href = `${root}/chat/${encodeURIComponent(username)}`;
  }
}
