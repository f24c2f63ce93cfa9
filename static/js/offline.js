// The page for no network: the deck's answers that wait on this device, and back as soon as it goes.

const section = document.querySelector("[data-waiting]");

const RETRY_MS = 2000;

// "online" is a hint: the first requests after it may still fail, and no other event follows them.
async function comeBack() {
  try {
    await fetch("/livez", { cache: "no-store" });
    location.reload();
  } catch {
    if (navigator.onLine) setTimeout(comeBack, RETRY_MS);
  }
}

function show() {
  let waiting = [];
  try {
    waiting = JSON.parse(localStorage.getItem("marquee.answers") ?? "[]");
  } catch {
    return; // no storage, nothing waits
  }
  section.hidden = !waiting.length;
  const words = waiting.length === 1 ? section.dataset.one : section.dataset.many;
  section.querySelector("h2").textContent = words.replace("{n}", waiting.length);
  section.querySelector("ul").replaceChildren(...waiting.map((one) => {
    const line = document.createElement("li");
    const said = section.getAttribute(one.on ? `data-said-${one.verb}` : "data-said-off") ?? "";
    line.textContent = said ? `${one.title}: ${said}` : one.title;
    return line;
  }));
}

show();
addEventListener("storage", show);
addEventListener("online", comeBack);
if (navigator.onLine) setTimeout(comeBack, RETRY_MS); // the server was away, not the network
