// Keys for the whole page: "/" searches, "?" shows the sheet, digits rate the film of this page, "z"
// takes the last act back (in the deck, deck.js does).

const sheet = document.getElementById("keys");

function isTyping(target) {
  return target.matches?.("input:not([type='radio'], [type='checkbox']), textarea, select") ||
    target.isContentEditable;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (sheet?.open) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("find")?.select();
  } else if (event.key === "?") {
    event.preventDefault();
    sheet?.showModal();
  } else if (event.key === "z" && !document.querySelector("[data-deck]")) {
    const undo = [...document.querySelectorAll(":is(.messages, #toasts) form button")];
    undo.filter((button) => button.checkVisibility()).at(-1)?.click();
  } else if (/^[0-9]$/.test(event.key)) {
    rate(Number(event.key) || 10);
  }
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
});

// Suggestions: down from the search field, up and down among them, up again into the field.
document.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const find = event.target.closest?.(".find");
  if (!find) return;
  const stops = [document.getElementById("find"), ...find.querySelectorAll(".suggest a")];
  const next = stops[stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next || !stops.includes(event.target)) return;
  event.preventDefault();
  next.focus();
});

/** Choose a number of half stars; the form sends itself on change. */
function rate(halves) {
  const choices = document.querySelectorAll("[data-film-actions] input[name='stars']");
  const choice = choices[halves - 1];
  if (!choice || choice.checked) return;
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
}
