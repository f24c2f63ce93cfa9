// Rate a few: a click on a star, or its digit (keys.js), is the answer. Arrow keys only choose: who
// goes through the stars one by one sends them with Enter.

let byPointer = false;

document.addEventListener("pointerdown", (event) => {
  byPointer = Boolean(event.target.closest("#start .stars"));
});

document.addEventListener("keydown", () => {
  byPointer = false;
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("#start form");
  if (!form || event.target.name !== "stars") return;
  if (byPointer || !event.isTrusted) form.requestSubmit();
});
