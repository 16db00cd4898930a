import { addSheet } from "./sheets.js";

/** Folds away what those say whom the reader has blocked, and unfolds a run of it. Returns what hears of changes. */
export function foldBlocked({ blocked: names, timeline }) {
  const fold = (article) => {
    const blocked = names.has(article.dataset.author);
    article.querySelector(".unfold")?.remove();
    article.toggleAttribute("data-folded", blocked);
    if (!blocked) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet unfold";
    button.textContent = `You blocked ${article.dataset.author}. Show what they said`;
    button.addEventListener("click", () => unfold(article));
    article.append(button);
  };
  const all = () => [...timeline.articles].forEach(fold);
  addSheet("actions");
  timeline.dressing = fold;
  all();
  return ({ type, username }) => {
    if (type === "block.added") names.add(username);
    else names.delete(username);
    all();
  };
}

function unfold(article) {
  article.removeAttribute("data-folded");
  article.querySelector(".unfold").remove();
  const after = article.nextElementSibling;
  if (after?.matches("[data-folded][data-continues]")) unfold(after);
}
