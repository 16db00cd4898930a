let box = null;

/**
 * Takes what is typed until the switcher is here: in the message box, Enter would say it to everybody. Returns what ends
 * that, and answers with the text; with undefined if the reader went on with something else, by Escape or elsewhere.
 * Called again before that, it takes the wish back and returns undefined.
 */
export function holdTyped() {
  const before = box;
  const back = document.activeElement;
  if (before?.isConnected) return before.end();
  const made = document.createElement("input");
  made.className = "unseen";
  made.ariaLabel = "Find a room or person";
  made.end = () => {
    if (document.activeElement === made) back.focus({ preventScroll: true });
    made.remove();
  };
  made.addEventListener("blur", () => made.remove());
  made.addEventListener("keydown", ({ key }) => key === "Escape" && made.end());
  document.body.append(made);
  made.focus({ preventScroll: true });
  box = made;
  return () => {
    const wanted = made.isConnected;
    made.end();
    return wanted ? made.value : undefined;
  };
}
