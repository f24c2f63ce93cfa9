// Toasts leave after seven seconds, but never while somebody is at them.

const LIFE_MS = 7000;
const region = document.getElementById("toasts");

function mind(toast) {
  let timer;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), LIFE_MS);
  };
  const hold = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", start);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", start);
  toast.addEventListener("submit", (event) => answerTo(event.target), { capture: true });
  // Out of sight at once, but in the document until the answer came: htmx finds the page through it.
  toast.addEventListener("htmx:beforeRequest", () => {
    hold();
    if (toast.contains(document.activeElement)) goBack();
    toast.hidden = true;
  });
  toast.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) {
      toast.remove();
    } else {
      toast.hidden = false;
      start();
    }
  });
  start();
}

// The widget that an undo answers to may have left with its card: then nothing is swapped, and the
// list hears of it by the event "feedback:recorded".
function answerTo(form) {
  const target = form.getAttribute("hx-target");
  if (target && target !== "this" && !document.querySelector(target)) {
    form.setAttribute("hx-target", "this");
    form.setAttribute("hx-swap", "none");
  }
}

// Who pressed a toast's button by key goes on where they were before, not at the page's head.
let before = null;

function goBack() {
  const same = before?.isConnected ? before : before?.id && document.getElementById(before.id);
  (same || document.getElementById("main")).focus({ preventScroll: true });
}

function say(text) {
  const toast = document.createElement("div");
  toast.className = "toast is-error";
  toast.dataset.toast = "";
  const words = document.createElement("p");
  words.textContent = text;
  toast.append(words);
  region.append(toast);
}

if (region) {
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        if (node.nodeType === Node.ELEMENT_NODE && "toast" in node.dataset) mind(node);
      }
    }
    // Two are a lot already; the older ones have been read.
    for (const old of [...region.children].slice(0, -2)) old.remove();
  }).observe(region, { childList: true });

  document.addEventListener("focusin", (event) => {
    if (!region.contains(event.target)) before = event.target;
  });
  document.addEventListener("htmx:sendError", () => say(region.dataset.failed));
  // allauth's script of passkeys and security keys: whoever cancels has made no mistake.
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    say(region.dataset.keyless);
  });
  document.addEventListener("htmx:timeout", () => say(region.dataset.failed));
  document.addEventListener("htmx:responseError", () => say(region.dataset.refused));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (region.contains(document.activeElement)) goBack();
    region.replaceChildren();
  });
}
