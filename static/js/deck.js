// The swipe deck: one card in the hand, the next ones under it. Every answer is kept first, then sent,
// then the rest of the deck is dealt anew, so that the next card knows it. A card that lies on top
// stays: nothing changes under the hand.

const root = document.querySelector("[data-deck]");
const start = JSON.parse(document.getElementById("deck-data").textContent);
const [answers, { fly, flyIn, makeDraggable, stamp }, { facesOf, wordsOf }] = await Promise.all([
  import(root.dataset.answers),
  import(root.dataset.drag),
  import(root.dataset.faces),
]);

const CARDS = 16;
const WINDOW_MS = 260; // how long a flight leaves the network time to change the next card
const DEAL_RETRY_MS = 4000;
const FULL_MEMORY = 30; // answers that can be taken back
const SEEN_AT_ONCE = 50;
const KEYS = { ArrowRight: "like", ArrowLeft: "dislike", ArrowUp: "watchlist", ArrowDown: "not_seen", x: "never" };
const UNDO_KEYS = new Set(["Backspace", "z", "u"]);

const stack = root.querySelector("[data-stack]");
const verbs = root.querySelector("[data-verbs]");
const undoForm = root.querySelector("[data-undo]");
const lastList = document.querySelector("[data-last]");
const dialog = document.getElementById("details");
const status = root.querySelector("[data-status]");
const note = root.querySelector("[data-waiting]");

let top = null;
let queue = start.deal.cards.map((card) => ({ ...card, deal: start.deal }));
let isTurning = false;
let turning = null; // settles when the card that was answered has made room
let deals = 0;
let syncs = 0; // under way
let isCutOff = false; // the last deal could not be had
let given = start.last; // what can be taken back, newest first
const gone = new Set(); // answered here
const seen = new Set(); // turned up here, and told of
let shown = []; // turned up and still to be told of: {receipt, position}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const text = wordsOf(root);
const { makeElement, fillDetails } = facesOf({ mould: document.getElementById("swipe-card"), dialog, text });

// --- Cards on the table ---------------------------------------------------------------------------

function elementOf(card) {
  return stack.querySelector(`[data-movie="${card.movie_id}"]`);
}

/** The card on top and the two under it, in the order of a pile. */
function lay() {
  const pile = [top, ...queue].filter(Boolean).slice(0, 3);
  for (const element of [...stack.querySelectorAll("[data-movie]:not(.is-flying)")]) {
    if (!pile.some((card) => String(card.movie_id) === element.dataset.movie)) element.remove();
  }
  pile.forEach((card, place) => {
    let element = elementOf(card);
    if (!element) {
      element = makeElement(card);
      stack.prepend(element);
    }
    element.style.zIndex = 3 - place;
    const isTop = place === 0 && card === top;
    element.classList.toggle("is-top", isTop);
    element.classList.toggle("is-next", !isTop && place < 2);
    element.classList.toggle("is-third", place === 2);
    element.inert = !isTop;
    if (isTop) element.removeAttribute("aria-hidden");
    else element.setAttribute("aria-hidden", "true");
  });
  for (const card of queue.slice(2, 6)) fetchPoster(card);
  (window.requestIdleCallback ?? setTimeout)(() => queue.slice(6).forEach(fetchPoster));
}

const fetched = new Set();
function fetchPoster(card) {
  if (fetched.has(card.poster_url)) return;
  fetched.add(card.poster_url);
  new Image().src = card.poster_url;
}

/** Puts a card into the hand; null empties the table. */
function turnUp(card) {
  top = card;
  lay();
  root.classList.toggle("is-empty", !top);
  root.querySelector("[data-empty]").hidden = Boolean(top);
  if (!top) showEmpty();
  for (const button of verbs.querySelectorAll(":is([name='verb'], [data-open-details])")) button.disabled = !top;
  if (!top) return;
  setFields(verbs, top);
  const query = new URLSearchParams(start.query);
  query.set("film", top.movie_id);
  history.replaceState(null, "", `?${query}`);
  if (!seen.has(top.movie_id)) {
    seen.add(top.movie_id);
    shown.push({ receipt: top.deal.receipt, position: top.position });
  }
}

/** Nothing left, or nothing to be had just now: not the same. */
function showEmpty() {
  root.querySelector("[data-empty-unreached]").hidden = !isCutOff;
  root.querySelector("[data-empty-done]").hidden = isCutOff;
  if (isCutOff) setTimeout(() => top ?? sync(), DEAL_RETRY_MS);
  // The buttons of the card are off now: whoever was at them goes on at the one thing left to do.
  if (verbs.contains(document.activeElement) || stack.contains(document.activeElement)) {
    root.querySelector("[data-empty] div:not([hidden]) :is(a, button)").focus();
  }
}

function setFields(form, card) {
  form.elements.movie.value = card.movie_id;
  form.elements.request_id.value = card.deal?.request_id ?? "";
  form.elements.position.value = card.position ?? "";
  form.elements.event_id.value = crypto.randomUUID?.() ?? madeUpId();
}

// Without TLS, away from localhost, there is no randomUUID.
function madeUpId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// --- Answering ------------------------------------------------------------------------------------

function answer(verb, speed = { x: 0, y: 0 }) {
  if (!top || isTurning) return; // nobody means the card that is not there yet
  turning = answerTop(verb, speed);
}

async function answerTop(verb, speed) {
  isTurning = true;
  const card = top;
  const element = elementOf(card);
  gone.add(card.movie_id);
  const entry = {
    event_id: verbs.elements.event_id.value,
    movie_id: card.movie_id,
    title: card.title,
    verb,
    on: true,
    surface: "swipe",
    request_id: card.deal?.request_id ?? null,
    position: card.position,
  };
  answers.keep(entry);
  given = [{ movie_id: card.movie_id, title: card.title, verb, card, event_id: entry.event_id }, ...given]
    .slice(0, FULL_MEMORY);
  showGiven();
  const dealt = sync();
  await Promise.all([fly(element, verb, speed), Promise.race([dealt, pause(WINDOW_MS)])]);
  const hadFocus = element.contains(document.activeElement);
  element.remove();
  stack.style.removeProperty("--lift");
  turnUp(queue.shift() ?? null);
  if (hadFocus && top) elementOf(top).querySelector("a").focus();
  isTurning = false;
  say(verb, card.title);
}

async function takeBack(one) {
  await turning; // a card in flight lands first; then it can be called back
  if (!given.includes(one)) return;
  given = given.filter((other) => other !== one);
  gone.delete(one.movie_id);
  showGiven();
  if (!one.event_id || !answers.forget(one.event_id)) {
    answers.keep({
      event_id: crypto.randomUUID?.() ?? madeUpId(),
      movie_id: one.movie_id,
      title: one.title,
      verb: one.verb,
      on: false,
      surface: "swipe",
    });
  }
  if (top) queue.unshift(top);
  if (one.card) {
    turnUp(one.card);
    flyIn(elementOf(one.card), one.verb);
    sync();
  } else {
    // Answered before this page was loaded: its card has to be dealt.
    top = null;
    isTurning = true;
    await sync([one.movie_id]);
    turnUp(queue.shift() ?? null);
    isTurning = false;
  }
  status.textContent = text("back", { title: one.title });
}

function say(verb, title) {
  const said = `${title}: ${start.said[verb]}.`;
  status.textContent = top ? `${said} ${text("next", { title: top.title, year: top.year ?? "" })}` : said;
}

/** Sends what waits, tells what was turned up, and deals anew. */
async function sync(first = []) {
  syncs += 1;
  root.dataset.busy = "";
  try {
    isCutOff = !(await answers.send() && await dealAnew(first));
  } finally {
    syncs -= 1;
    if (!syncs) delete root.dataset.busy;
  }
}

/** False where no deal could be had. */
async function dealAnew(first) {
  const told = shown.splice(0, SEEN_AT_ONCE);
  const number = ++deals;
  const held = answers.waiting().filter((entry) => entry.on).map((entry) => entry.movie_id);
  if (top && !gone.has(top.movie_id)) held.push(top.movie_id);
  const isBack = new Set(first);
  const body = {
    ...start.asked,
    n: CARDS,
    first,
    held: [...new Set(held)].filter((id) => !isBack.has(id)),
    shown: byReceipt(told),
  };
  const { ok, body: deal } = await answers.post("/api/v1/swipe/", body);
  if (!ok) {
    shown.unshift(...told);
    return false;
  }
  if (number !== deals) return true; // a younger deal knows more
  queue = deal.cards
    .filter((card) => !gone.has(card.movie_id) && card.movie_id !== top?.movie_id)
    .map((card) => ({ ...card, deal }));
  if (!top && !isTurning) turnUp(queue.shift() ?? null);
  else lay();
  return true;
}

function byReceipt(cards) {
  const positions = new Map();
  for (const { receipt, position } of cards) {
    positions.set(receipt, [...positions.get(receipt) ?? [], position]);
  }
  return [...positions].map(([receipt, places]) => ({ receipt, positions: places }));
}

// --- Motion ---------------------------------------------------------------------------------------

// The card below rises as the one in the hand is pulled away.
function pull(element, verdict, share) {
  stamp(element, verdict, share);
  stack.style.setProperty("--lift", share.toFixed(3));
}

// --- Taking back, waiting -------------------------------------------------------------------------

function showGiven() {
  root.querySelector("[data-undo-button]").disabled = !given.length;
  if (given[0]) undoForm.elements.movie.value = given[0].movie_id;
  const line = document.getElementById("swipe-given");
  const items = given.slice(0, 12).map((one) => {
    const item = line.content.firstElementChild.cloneNode(true);
    item.querySelector("[data-slot='title']").textContent = one.title;
    item.querySelector("[data-slot='said']").textContent = start.said[one.verb];
    const button = item.querySelector("button");
    button.setAttribute("aria-label", text("takeBack", { title: one.title }));
    button.addEventListener("click", () => takeBack(one));
    return item;
  });
  const hadFocus = lastList.contains(document.activeElement);
  lastList.replaceChildren(...items);
  if (hadFocus) (items[0]?.querySelector("button") ?? root.querySelector("[data-open-details]")).focus();
  document.querySelector("[data-last-none]").hidden = Boolean(items.length);
}

answers.onChange(({ waiting, isStuck, refused, isBlocked }) => {
  note.hidden = !waiting || (navigator.onLine && !isStuck);
  const words = waiting === 1 ? "waitingOne" : "waitingMany";
  note.textContent = isBlocked ? text("blocked", { n: waiting }) : text(words, { n: waiting });
  if (refused.length) status.textContent = text("refused", { title: refused[0].title });
});
addEventListener("online", () => sync());

// --- Hands and keys -------------------------------------------------------------------------------

makeDraggable(stack, {
  cardOf: (target) => isTurning ? null : target.closest(".is-top"),
  verdicts: { right: "like", left: "dislike", up: "watchlist", down: "not_seen" },
  onPull: pull,
  onThrow: answer,
  onTap: (card, event) => event.target.closest("[data-slot='poster']") && openDetails(),
});

verbs.addEventListener("submit", (event) => {
  event.preventDefault();
  answer(event.submitter.value);
});
undoForm.addEventListener("submit", (event) => {
  event.preventDefault();
  takeBack(given[0]);
});
stack.addEventListener("click", (event) => {
  if (!event.target.closest("[data-details]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openDetails();
});
root.querySelector("[data-open-details]").addEventListener("click", openDetails);
root.querySelector("[data-try-again]").addEventListener("click", () => sync());

// Keys count where nothing else wants them: on the page itself and in the deck.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  const { target } = event;
  // For a moment after it closed, the sheet's button still has the focus.
  const isOurs = root.contains(target) || dialog.contains(target);
  if (target !== document.body && target.id !== "main" && !isOurs) return;
  const isUndo = UNDO_KEYS.has(event.key);
  if (!isUndo && !(event.key in KEYS) && event.key !== "i") return;
  event.preventDefault();
  if (isUndo) takeBack(given[0]);
  else if (event.key === "i") openDetails();
  else answer(KEYS[event.key]);
});

// --- Details: a sheet over the deck, closed by Back -----------------------------------------------

// The sheet has an entry in the history. Its dialog's close event and history.back() both come late: by
// then Back may have left the entry already, or a quick hand may have opened the sheet anew.
let isEntered = false;
let isLeaving = false;

function openDetails() {
  if (!top || dialog.open) return;
  if (isLeaving) {
    addEventListener("popstate", openDetails, { once: true });
    return;
  }
  fillDetails(top);
  if (!isEntered) history.pushState({ isDetails: true }, "");
  isEntered = true;
  dialog.showModal();
}

dialog.addEventListener("close", () => {
  if (dialog.open || !isEntered) return;
  isEntered = false;
  isLeaving = true;
  history.back();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // the ground around the sheet
});
addEventListener("popstate", () => {
  isLeaving = false;
  isEntered = Boolean(history.state?.isDetails);
  if (dialog.open && !isEntered) dialog.close();
});

addEventListener("pagehide", () => {
  if (shown.length) answers.post("/api/v1/swipe/", { n: 0, shown: byReceipt(shown.splice(0, SEEN_AT_ONCE)) });
});

// The page came with its first card, already told of by the server.
if (queue[0]) seen.add(queue[0].movie_id);
turnUp(queue.shift() ?? null);
showGiven();
root.dataset.ready = "";
if (answers.waiting().length) sync();
