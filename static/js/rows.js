// Rows: step buttons, the rule that fills while a row is scrolled, arrow keys from film to film.

function setUp(row) {
  const track = row.querySelector(".row__track");
  if (!track) return;
  const rule = row.querySelector(".row__rule");
  const [back, on] = row.querySelectorAll("[data-step]");

  const update = () => {
    const room = track.scrollWidth - track.clientWidth;
    const share = room > 1 ? Math.min(1, track.scrollLeft / room) : 1;
    rule?.style.setProperty("--scrolled", share.toFixed(3));
    if (back) back.disabled = track.scrollLeft <= 1;
    if (on) on.disabled = track.scrollLeft >= room - 1;
  };
  const step = (direction) => {
    track.scrollBy({ left: direction * track.clientWidth * 0.8, behavior: motion() });
  };
  back?.addEventListener("click", () => step(-1));
  on?.addEventListener("click", () => step(1));
  let waiting = false;
  track.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      update();
    });
  }, { passive: true });
  new ResizeObserver(update).observe(track);
}

function motion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
}

function setUpIn(root) {
  for (const row of root.querySelectorAll("[data-row]:not([data-ready])")) {
    row.dataset.ready = "";
    setUp(row);
  }
}

setUpIn(document);
document.addEventListener("htmx:load", (event) => setUpIn(event.detail.elt.parentNode ?? document));

// A list that came anew without the film that had the focus: the film in its place has it.
let place = -1;

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const card = document.activeElement?.closest?.("[data-cards] .card");
  const list = card && detail.target.contains(card) ? card.closest("[data-cards]") : null;
  place = list ? [...list.querySelectorAll(".card")].indexOf(card) : -1;
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (place < 0 || document.activeElement !== document.body) return;
  const links = detail.elt.querySelectorAll?.("[data-cards] .card__title a") ?? [];
  links[Math.min(place, links.length - 1)]?.focus({ preventScroll: true });
});

// Arrows: left and right along a list of films, up and down between the lines of a grid or the rows.
document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.("[data-cards] .card__title a");
  if (!link || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const next = neighbour(link, event.key);
  if (!next) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.closest(".card").scrollIntoView({ block: "nearest", inline: "nearest", behavior: motion() });
});

function neighbour(link, key) {
  const links = [...link.closest("[data-cards]").querySelectorAll(".card__title a")];
  const at = links.indexOf(link);
  if (key === "ArrowLeft") return links[at - 1];
  if (key === "ArrowRight") return links[at + 1];
  if (key !== "ArrowUp" && key !== "ArrowDown") return null;
  const all = [...document.querySelectorAll("[data-cards] .card__title a")];
  const here = link.closest(".card").getBoundingClientRect();
  const down = key === "ArrowDown";
  let best = null;
  let bestGap = Infinity;
  for (const other of all) {
    const box = other.closest(".card").getBoundingClientRect();
    const apart = down ? box.top - here.top : here.top - box.top;
    if (apart < here.height / 2) continue;
    // The nearest line first, in it the card straight below or above.
    const gap = apart * 10 + Math.abs(box.left - here.left);
    if (gap < bestGap) [best, bestGap] = [other, gap];
  }
  return best;
}
