import { draftsOf } from "./composer.js";
import { outboxOf, strayed } from "./outbox.js";
import { root } from "./root.js";
import { forget, keys, read, write } from "./store.js";

/** A room has another address: what was begun there, and what waits to be sent, goes along, and so does its page. */
export function roomMoved(username, here, { was, room: now }) {
  move(draftsOf(username) + was, draftsOf(username) + now);
  for (const key of keys(outboxOf(username))) {
    const entry = JSON.parse(read(key));
    if (entry.room === was) write(key, JSON.stringify({ ...entry, room: now }));
  }
  if (was === here && was !== now) location.replace(`${root}/rooms/${now}`);
}

/** A person has another name: what this browser keeps for them stays theirs. */
export function personMoved(was, now) {
  for (const of of [draftsOf, outboxOf])
    for (const key of keys(of(was))) move(key, of(now) + key.slice(of(was).length));
}

/** What waited here under a name that they had before they took theirs elsewhere is theirs still; `then` hears of it. */
export async function cameAlong(username, then) {
  for (const was of strayed(username)) {
    const answer = await fetch(`${root}/api/people/${encodeURIComponent(was)}`).catch(() => null);
    if (!answer?.ok || (await answer.json()).username !== username) continue;
    personMoved(was, username);
    then();
  }
}

function move(from, to) {
  const kept = read(from);
  if (from === to || kept === null) return;
  write(to, kept);
  forget(from);
}
