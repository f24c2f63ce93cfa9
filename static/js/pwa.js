// The installed app: its service worker, answers that wait from an earlier page, and forgetting whoever
// was here before.

const LAST_PERSON = "marquee.person";
const { answers: answersUrl, worker: workerUrl, person = "" } = document.body.dataset;

if (workerUrl && "serviceWorker" in navigator) {
  navigator.serviceWorker.register(workerUrl, { scope: "/", updateViaCache: "none" });
}

function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is forbidden here: then there is nothing to forget
  }
}

// Also after a session ended by itself: the next page is somebody else's.
const last = stored(LAST_PERSON);
if (last !== null && last !== person) forget();
if (last !== person) {
  try {
    localStorage.setItem(LAST_PERSON, person);
  } catch {
    // forbidden: as above
  }
}

async function forget() {
  const registration = await navigator.serviceWorker?.getRegistration();
  registration?.active?.postMessage({ type: "forget" });
}

// Answers of a page that was closed in a tunnel go out from whichever page comes next.
async function sendWaiting() {
  if (JSON.parse(stored("marquee.answers") ?? "[]").length) (await import(answersUrl)).send();
}
addEventListener("online", sendWaiting);
sendWaiting();

// What is still waiting goes out as the one who gave it: before the log-out, not after.
let isSending = false;
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[action$='/logout/']") || isSending || !navigator.onLine) return;
  if (!JSON.parse(stored("marquee.answers") ?? "[]").length) return;
  event.preventDefault();
  isSending = true;
  const { send } = await import(answersUrl);
  await Promise.race([send(), new Promise((resolve) => setTimeout(resolve, 3000))]);
  form.submit();
});
