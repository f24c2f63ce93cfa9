// A card under a finger or a mouse: it follows with a tilt, is thrown by speed or distance, and springs
// back otherwise. Lengths in px, speeds in px/ms, angles in degrees.

const START_PX = 7; // less is a click
const TILT_DEG = 11; // at a drag of the card's own width
const FAR = 0.3; // of the card's width or height: let go here and it is thrown
const FAST = 0.55;
const SAMPLE_MS = 90;
const STIFFNESS = 420; // per s²; with this damping it overshoots once, a little
const DAMPING = 27;
const FLIGHT_MS = 230;
// Where a card goes, in halves of the screen.
const OUT = { like: [1, -0.08], dislike: [-1, -0.08], watchlist: [0, -1], not_seen: [0, 1], never: [0, 0.12] };

export const isQuiet = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Calls onPull(verdict, share 0..1) while dragging, onThrow(verdict, speed) or onTap when let go. */
export function makeDraggable(stack, { cardOf, verdicts, onPull, onThrow, onTap }) {
  let hand = null;
  let stopSpring = () => {};

  stack.addEventListener("pointerdown", (event) => {
    const card = cardOf(event.target);
    if (!card || hand || !event.isPrimary || event.button !== 0) return;
    if (event.target.closest("a, button")) return;
    stopSpring();
    const box = card.getBoundingClientRect();
    hand = {
      card,
      id: event.pointerId,
      from: offsetOf(card),
      startX: event.clientX,
      startY: event.clientY,
      // Held at the foot it tilts the other way round, as paper does.
      lever: event.clientY > box.top + box.height / 2 ? -1 : 1,
      samples: [],
      isDragging: false,
    };
  });

  stack.addEventListener("pointermove", (event) => {
    if (!hand || event.pointerId !== hand.id) return;
    const dx = event.clientX - hand.startX;
    const dy = event.clientY - hand.startY;
    if (!hand.isDragging) {
      if (Math.hypot(dx, dy) < START_PX) return;
      hand.isDragging = true;
      stack.setPointerCapture(hand.id);
      hand.card.classList.add("is-held");
    }
    const at = { x: hand.from.x + dx, y: hand.from.y + dy };
    hand.samples = [...hand.samples.filter((s) => event.timeStamp - s.t < SAMPLE_MS), { ...at, t: event.timeStamp }];
    place(hand.card, at, hand.lever);
    const pull = verdictOf(hand.card, at, { x: 0, y: 0 });
    onPull(hand.card, pull.verdict, pull.share);
  });

  const letGo = (event) => {
    if (!hand || event.pointerId !== hand.id) return;
    const { card, samples, isDragging, lever } = hand;
    hand = null;
    if (!isDragging) {
      if (event.type === "pointerup") onTap(card, event);
      return;
    }
    card.classList.remove("is-held");
    const at = offsetOf(card);
    const speed = speedOf(samples, event.timeStamp);
    const { verdict, isDecided } = verdictOf(card, at, speed);
    if (event.type === "pointerup" && isDecided) {
      onThrow(verdict, speed);
      return;
    }
    onPull(card, null, 0);
    if (isQuiet()) place(card, { x: 0, y: 0 }, lever);
    else stopSpring = springBack(card, at, { speed, lever });
  };
  stack.addEventListener("pointerup", letGo);
  stack.addEventListener("pointercancel", letGo);

  function verdictOf(card, at, speed) {
    const isSideways = Math.abs(at.x) >= Math.abs(at.y);
    const axis = isSideways ? "x" : "y";
    const way = Math.sign(at[axis]) || 1;
    const verdict = verdicts[isSideways ? (way > 0 ? "right" : "left") : (way > 0 ? "down" : "up")];
    const share = Math.abs(at[axis]) / (isSideways ? card.offsetWidth : card.offsetHeight);
    const isFast = speed[axis] * way > FAST && share > FAR / 4;
    return { verdict, share: Math.min(1, share / FAR), isDecided: share > FAR || isFast };
  }
}

function offsetOf(card) {
  return { x: Number(card.dataset.x ?? 0), y: Number(card.dataset.y ?? 0) };
}

function place(card, { x, y }, lever) {
  card.dataset.x = x;
  card.dataset.y = y;
  const tilt = lever * TILT_DEG * x / card.offsetWidth;
  card.style.transform = x || y ? `translate(${x}px, ${y}px) rotate(${tilt}deg)` : "";
}

function speedOf(samples, now) {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || now - last.t > SAMPLE_MS || last.t - first.t < 8) return { x: 0, y: 0 };
  return { x: (last.x - first.x) / (last.t - first.t), y: (last.y - first.y) / (last.t - first.t) };
}

/** Returns a function that stops it where it is, for the next grasp. */
function springBack(card, from, { speed, lever }) {
  let [x, y] = [from.x, from.y];
  let [vx, vy] = [speed.x * 1000, speed.y * 1000];
  let last = performance.now();
  let frame = requestAnimationFrame(function step(now) {
    const seconds = Math.min(0.032, (now - last) / 1000);
    last = now;
    vx += (-STIFFNESS * x - DAMPING * vx) * seconds;
    vy += (-STIFFNESS * y - DAMPING * vy) * seconds;
    x += vx * seconds;
    y += vy * seconds;
    const isStill = Math.hypot(x, y) < 0.5 && Math.hypot(vx, vy) < 12;
    place(card, isStill ? { x: 0, y: 0 } : { x, y }, lever);
    if (!isStill) frame = requestAnimationFrame(step);
  });
  return () => cancelAnimationFrame(frame);
}

// --- Flights: what a verdict looks like, whoever gave it: a hand, a button or a key ---------------

function outside(element, verb) {
  const [x, y] = OUT[verb];
  const far = Math.hypot(innerWidth, innerHeight) / 2 + element.offsetHeight / 2;
  const away = verb === "never" ? "scale(.5)" : `rotate(${x * 18}deg)`;
  return { transform: `translate(${x * far}px, ${y * far}px) ${away}`, opacity: verb === "never" ? 0 : 1 };
}

/** Resolves when the card is out of sight; at once where motion is reduced. */
export async function fly(element, verb, speed) {
  element.classList.add("is-flying");
  element.classList.remove("is-held");
  stamp(element, verb, 1);
  if (isQuiet()) return;
  const haste = Math.min(1, Math.hypot(speed.x, speed.y) / 2.5);
  await element.animate([{}, outside(element, verb)], {
    duration: FLIGHT_MS - 90 * haste,
    easing: haste ? "cubic-bezier(.2, .5, .6, 1)" : "cubic-bezier(.5, 0, .8, .5)",
    fill: "forwards",
  }).finished;
}

export function flyIn(element, verb) {
  if (isQuiet()) return;
  element.animate([outside(element, verb), {}], { duration: FLIGHT_MS, easing: "cubic-bezier(.2, .7, .3, 1)" });
}

export function stamp(element, verdict, share) {
  if (verdict) element.dataset.verdict = verdict;
  element.style.setProperty("--pull", share.toFixed(3));
}
