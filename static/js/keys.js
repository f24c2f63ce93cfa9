// Keys for the whole page: "/" searches, "?" shows the sheet, digits rate the film of this page.

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
  } else if (/^[0-9]$/.test(event.key)) {
    rate(Number(event.key) || 10);
  }
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
});

/** Choose a number of half stars; the form sends itself on change. */
function rate(halves) {
  const choices = document.querySelectorAll("[data-film-actions] input[name='stars']");
  const choice = choices[halves - 1];
  if (!choice || choice.checked) return;
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
}
