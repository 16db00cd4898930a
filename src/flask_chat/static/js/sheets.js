/** Fetches a stylesheet that only some need, the first time that they do. */
export function addSheet(name) {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL(`../css/${name}.css`, import.meta.url);
  document.head.append(sheet);
}
