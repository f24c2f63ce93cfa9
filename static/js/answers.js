// Answers on their way to the server. They lie in localStorage, so that neither a tunnel nor a closed
// tab loses one; the server counts every event id once, so that sending again is safe.
//
// An answer carries the key of the account that gave it and is only ever sent by the same account; a
// visitor's answers (no key) belong to whoever the browser is next, as they do on the server.

const KEY = "marquee.answers";
const URL_FEEDBACK = "/api/v1/feedback/";
const AT_ONCE = 200;
const KEEPALIVE_BYTES = 60_000;
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;

export const person = document.body.dataset.person ?? "";
const listeners = new Set();
let unsaved = []; // where localStorage is not to be had
let token = "";
let running = null;
let isStuck = false; // the last attempt failed
let retryTimer;
let retryMs = FIRST_RETRY_MS;

/** All answers that still have to be sent, oldest first. */
export function waiting() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return unsaved;
  }
}

function write(entries) {
  unsaved = entries;
  try {
    if (entries.length) localStorage.setItem(KEY, JSON.stringify(entries));
    else localStorage.removeItem(KEY);
  } catch {
    // Full or forbidden: they stay in memory and go out from there.
  }
  tell({});
}

function isMine(entry) {
  return !entry.person || entry.person === person;
}

/** Calls back with {waiting, isStuck, sent, refused, isBlocked} whenever one of these changed. */
export function onChange(listener) {
  listeners.add(listener);
}

function tell(news) {
  const state = { waiting: waiting().length, isStuck, sent: 0, refused: [], isBlocked: false, ...news };
  for (const listener of listeners) listener(state);
}

export function keep(entry) {
  write([...waiting(), { ...entry, person, tries: 0 }]);
}

/** Takes an answer back that never left; false where the server may have it already. */
export function forget(eventId) {
  const entry = waiting().find((one) => one.event_id === eventId);
  if (!entry || entry.tries) return false;
  write(waiting().filter((one) => one.event_id !== eventId));
  return true;
}

/** Sends what waits. True once nothing of ours is left; false when it has to wait longer. */
export async function send() {
  for (;;) {
    running ??= exclusively(drain).finally(() => {
      running = null;
    });
    const isDone = await running;
    // One may have come while the last of the others was being ticked off.
    if (!isDone || !waiting().some(isMine)) return isDone;
  }
}

// Two tabs share the answers: one of them sends at a time.
function exclusively(act) {
  return navigator.locks ? navigator.locks.request(KEY, act) : act();
}

async function drain() {
  clearTimeout(retryTimer);
  for (;;) {
    const batch = waiting().filter(isMine).slice(0, AT_ONCE);
    if (!batch.length) {
      retryMs = FIRST_RETRY_MS;
      return true;
    }
    const ids = new Set(batch.map((entry) => entry.event_id));
    count(ids, 1);
    const answer = await post(URL_FEEDBACK, { events: batch.map(eventOf) });
    isStuck = !answer.ok;
    if (!answer.ok) {
      // Without any network it never left, and may still be taken back without a trace.
      if (!answer.status && !navigator.onLine) count(ids, -1);
      tell({ isBlocked: answer.status === 401 || answer.status === 403 });
      sendLater();
      return false;
    }
    const { results } = answer.body;
    write(waiting().filter((entry) => !ids.has(entry.event_id)));
    const refused = batch.filter((entry, place) => results[place]?.status === "refused");
    tell({ sent: batch.length - refused.length, refused });
  }
}

function count(ids, tries) {
  write(waiting().map((one) => ids.has(one.event_id) ? { ...one, tries: one.tries + tries } : one));
}

function eventOf({ event_id, movie_id, verb, on, surface, request_id, position }) {
  return { event_id, movie_id, verb, on, surface, request_id, position };
}

function sendLater() {
  clearTimeout(retryTimer);
  retryTimer = setTimeout(send, retryMs);
  retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
}

/** POSTs JSON; {ok, status, body}, status 0 where nobody answered. Never throws. */
export async function post(url, data, { isRetry = false } = {}) {
  token ||= JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
  const body = JSON.stringify(data);
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      body,
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": token,
        // What the answer says is shown on this page: in its language, not the browser's.
        "Accept-Language": document.documentElement.lang,
      },
      keepalive: body.length < KEEPALIVE_BYTES,
    });
    if (response.status === 403 && !isRetry && await refreshToken()) {
      return post(url, data, { isRetry: true });
    }
    return { ok: response.ok, status: response.status, body: response.ok ? await response.json() : null };
  } catch {
    return { ok: false, status: response?.status ?? 0, body: null };
  }
}

// A page left open over a log-in elsewhere has an old token. A new one counts only for who we are.
async function refreshToken() {
  const page = await fetch("/about/", { headers: { Accept: "text/html" } });
  const { body } = new DOMParser().parseFromString(await page.text(), "text/html");
  if ((body.dataset.person ?? "") !== person) return false;
  token = JSON.parse(body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
  return Boolean(token);
}

addEventListener("online", () => {
  retryMs = FIRST_RETRY_MS;
  send();
});
