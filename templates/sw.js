// Marquee's service worker. It keeps what is the same for everybody: static files of one version, the
// offline page, and the posters seen last. Pages, the API and everything that is sent go to the network
// and nowhere else, so that nothing personal stays behind in a shared browser.

const VERSION = "{{ version }}";
const STATIC = `marquee-static-${VERSION}`;
const POSTERS = "marquee-posters";
const OFFLINE_URL = {{ offline_url|safe }};
const SHELL = {{ shell|safe }};
const MOST_POSTERS = 150;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(STATIC);
    await cache.addAll([OFFLINE_URL, ...SHELL].map((url) => new Request(url, { cache: "reload" })));
    // Safe at once: pages are never cached, so that no old page can meet the new files.
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith("marquee-static-") && name !== STATIC);
    await Promise.all(old.map((name) => caches.delete(name)));
    // The page is asked for while the worker still starts.
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  })());
});

// Somebody logged out, or is somebody else: which posters were seen is theirs.
self.addEventListener("message", (event) => {
  if (event.data?.type === "forget") event.waitUntil(caches.delete(POSTERS));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(page(event));
  } else if (url.pathname.startsWith("/static/")) {
    event.respondWith(fromCache(STATIC, request));
  } else if (/^\/films\/\d+\/poster\.svg$/.test(url.pathname) && url.searchParams.has("v")) {
    event.respondWith(fromCache(POSTERS, request, MOST_POSTERS));
  }
});

async function page(event) {
  try {
    return await event.preloadResponse ?? await fetch(event.request);
  } catch {
    return await caches.match(OFFLINE_URL) ?? Response.error();
  }
}

async function fromCache(name, request, most = 0) {
  const cache = await caches.open(name);
  const kept = await cache.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  // A picture that stands in for another says so by a short life, and is not kept.
  const isLasting = !most || response.headers.get("Cache-Control")?.includes("immutable");
  if (response.ok && isLasting) {
    await cache.put(request, response.clone());
    if (most) await trim(cache, most);
  }
  return response;
}

async function trim(cache, most) {
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((key) => cache.delete(key)));
}
