import { root } from "./root.js";

/** The server's answer was no. `status` as in HTTP, `detail` for people, `retryAfter` in milliseconds or null. */
export class Refusal extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }
}

export const messages = {
  latest: (room) => listed(room, {}),
  before: (room, id) => listed(room, { before: id }),
  /** Resolves to the stored message; rejects with a Refusal, or with the browser's error when there was no answer. */
  post: (room, text, clientId) =>
    send("POST", `/api/rooms/${room}/messages`, { text, client_id: clientId }),
};

/** Asks for a change; resolves to what the answer says, or to null if it says nothing. */
export function send(method, path, contents, options) {
  const body = contents && JSON.stringify(contents);
  return request(path, { method, body, headers: body ? { "Content-Type": "application/json" } : {}, ...options });
}

/** One long poll: resolves to {events, cursor}. Without a cursor it answers at once with the present one. */
export function events(cursor, waitSeconds, signal) {
  const query = new URLSearchParams(cursor ? { after: cursor, wait: waitSeconds } : {});
  return request(`/api/events?${query}`, { signal }, (waitSeconds + 20) * 1000);
}

/** Throws a Refusal unless the answer is a 2xx. */
export async function accepted(response) {
  if (response.ok) return response;
  const seconds = Number(response.headers.get("Retry-After"));
  const problem = await response.json().catch(() => ({}));
  const detail = problem.detail || problem.title || `The server answered ${response.status}.`;
  throw new Refusal(response.status, detail, seconds > 0 ? seconds * 1000 : null);
}

async function listed(room, bounds) {
  const answer = await request(`/api/rooms/${room}/messages?${new URLSearchParams({ limit: 50, ...bounds })}`);
  return answer.messages;
}

export async function request(path, options = {}, timeout = 20000) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, timeout);
  options.signal?.addEventListener("abort", abort);
  try {
    const response = await fetch(root + path, { cache: "no-store", ...options, signal: controller.signal });
    return (await accepted(response)).status === 204 ? null : await response.json();
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  }
}
