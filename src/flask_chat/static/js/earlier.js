import { messages } from "./api.js";

const PAGE = 50;

/**
 * Loads what was said before as the reader comes near the top; the link does the same when it is pressed.
 * `arrived()` is called when there is more above.
 */
export function readBack(room, timeline, scroller, arrived) {
  const paragraph = document.getElementById("earlier") ?? placed(scroller.firstElementChild);
  const link = paragraph.firstElementChild;
  let loading = false;

  const load = async () => {
    if (loading || paragraph.hidden) return false;
    loading = true;
    try {
      const older = await messages.before(room, timeline.firstId);
      timeline.prepend(older);
      paragraph.hidden = older.length < PAGE;
      arrived();
      // Still in sight after short messages: an observer speaks only of changes, so it is asked afresh.
      observer.unobserve(paragraph);
      observer.observe(paragraph);
      return true;
    } catch {
      // The link stays: the next scroll or press tries again.
      return false;
    } finally {
      loading = false;
    }
  };

  const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && load(), {
    root: scroller,
    rootMargin: "800px 0px 0px",
  });
  observer.observe(paragraph);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    load();
  });
  return {
    /** Resolves to whether more has come. */
    load,
    /** There is more above again, since the page let go of its oldest messages. */
    more() {
      paragraph.hidden = false;
    },
  };
}

function placed(column) {
  const paragraph = document.createElement("p");
  const link = document.createElement("a");
  paragraph.className = "earlier";
  paragraph.hidden = true;
  link.href = "#log";
  link.textContent = "Earlier messages";
  paragraph.append(link);
  column.prepend(paragraph);
  return paragraph;
}
