/** Where the chat begins on its host: empty, or a path such as "/chat". */
export const { root } = document.documentElement.dataset;

/** What all tabs of a browser know something by. A chat under another path of the same host has names of its own. */
export function named(name) {
  return `flask-chat${root}:${name}`;
}
