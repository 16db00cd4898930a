const time = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** Shows a message's time as the reader's clock has it. */
export function localise(article) {
  const at = new Date(article.dataset.at);
  const element = article.querySelector("time");
  element.textContent = time.format(at);
  const { edited } = article.querySelector(".body").dataset;
  element.title = full.format(at);
  if (!edited) return;
  const mark = article.querySelector(".edited");
  mark.title = full.format(new Date(edited));
  element.title += `, edited ${mark.title}`;
}

/** Puts a heading with the day above the article where its local day is another than that of the article before it. */
export function separate(article) {
  let before = article.previousElementSibling;
  while (before?.matches(".day")) {
    before.remove();
    before = article.previousElementSibling;
  }
  const own = dateOf(article.dataset.at);
  if (before && dateOf(before.dataset.at) === own) return;
  const heading = document.createElement("h2");
  heading.className = "day";
  heading.append(document.createElement("time"));
  heading.firstChild.dateTime = own;
  article.before(heading);
  name(heading);
}

/** Calls every heading of the log by its name for today, and again whenever the day turns. */
export function keepDays(log) {
  const renew = () => log.querySelectorAll(".day").forEach(name);
  const midnight = new Date();
  midnight.setHours(24, 0, 1, 0);
  setTimeout(() => keepDays(log), Math.max(midnight - new Date(), 1000));
  renew();
}

function name(heading) {
  const element = heading.firstChild;
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  const date = element.dateTime;
  element.title = day.format(new Date(`${date}T12:00`));
  element.textContent =
    date === dateOf(today) ? "Today" : date === dateOf(yesterday) ? "Yesterday" : element.title;
}

/** The local day of an instant, as YYYY-MM-DD. */
function dateOf(instant) {
  const at = new Date(instant);
  const two = (number) => String(number).padStart(2, "0");
  return `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
