import { messages } from "./api.js";

const PAGE = 50;

/** Loads what was said before as the reader comes near the top; the link does the same when it is pressed. */
export function readBack(room, timeline, scroller) {
  const paragraph = document.getElementById("earlier") ?? placed(scroller.firstElementChild);
  const link = paragraph.firstElementChild;
  let loading = false;

  const load = async () => {
    if (loading || paragraph.hidden) return;
    loading = true;
    try {
      const older = await messages.before(room, timeline.firstId);
      timeline.prepend(older);
      paragraph.hidden = older.length < PAGE;
      // Still in sight after short messages: an observer speaks only of changes, so it is asked afresh.
      observer.unobserve(paragraph);
      observer.observe(paragraph);
    } catch {
      // The link stays: the next scroll or press tries again.
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
