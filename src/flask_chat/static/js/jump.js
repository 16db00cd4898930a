const FARTHEST = 20;

/** A button that leads up to the first of many new messages, fetching what lies between. */
export function offerJump(reading, { page, earlier }) {
  const count = Number(page.unread);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "pill up";
  button.textContent = count > 1 ? `${count} new messages ↑` : "New message ↑";
  document.getElementById("scroller").after(button);
  button.addEventListener("click", async () => {
    button.disabled = true;
    for (let pages = 0; reading.waiting && pages < FARTHEST && (await earlier.load()); pages++);
    button.remove();
    reading.line?.scrollIntoView({ block: "center" });
    document.getElementById("scroller").focus({ preventScroll: true });
  });
  const observer = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    button.remove();
    observer.disconnect();
  });
  if (reading.line) observer.observe(reading.line);
}
