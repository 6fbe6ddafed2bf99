// Keeps the sheets of visits that were opened, and only those, to be read without a network.
//
// A sheet says in its headers what it is called, whose it is ("public": anybody's) and until when it
// may be kept. Those of a person go when they sign out or somebody signs in, when the service
// answers somebody else or nobody, and at their time.
"use strict";

const PUBLIC = "fiches-publiques-1", OWN = "fiches-personnelles-1", DRESS = "fiches-habillage-1";
const LIST = "/visite/hors-ligne", STYLE = "/static/style.css", SCRIPT = "/static/visit.js";
const MOST = 20; // sheets of each
const PATIENCE = 8000; // milliseconds that a network may take where a kept sheet would do

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const dress = await caches.open(DRESS);
  await dress.addAll([STYLE, SCRIPT, new Request(LIST, { credentials: "omit" })]);
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const ours = [PUBLIC, OWN, DRESS];
  const old = (await caches.keys()).filter((name) => name.startsWith("fiches-") && !ours.includes(name));
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (pathname === "/deconnexion" || pathname.startsWith("/connexion")) {
    if (request.method === "POST" || pathname === "/connexion/retour") event.waitUntil(caches.delete(OWN));
  } else if (request.method === "GET" && pathname === "/visite") {
    event.respondWith(sheet(request));
  } else if (request.method === "GET" && (pathname === STYLE || pathname === SCRIPT)) {
    event.respondWith(dressed(request));
  }
});

async function sheet(request) {
  const known = await find(request.url);
  try {
    const answer = await (known ? Promise.race([fetch(request), late()]) : fetch(request));
    await heed(request.url, answer.clone());
    return answer;
  } catch {
    return known ? shown(known) : list();
  }
}

// What an answer of the service changes of what is kept. A full disk hides no answer.
async function heed(url, answer) {
  if (!answer.headers.has("Traverse-Sheet-Owner")) return;
  const owner = answer.headers.get("Traverse-Sheet-Owner");
  try {
    const own = await caches.open(OWN);
    for (const [key, one] of await entries(own)) {
      if (one.headers.get("Traverse-Sheet-Owner") !== owner) await own.delete(key);
    }
    if (!answer.ok || !answer.headers.has("Traverse-Sheet")) return;
    const cache = owner === "public" ? await caches.open(PUBLIC) : own;
    await cache.put(url, answer);
    const keys = await cache.keys();
    await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST)).map((key) => cache.delete(key)));
  } catch { /* nothing is kept */ }
}

async function find(url) {
  for (const name of [OWN, PUBLIC]) {
    const cache = await caches.open(name);
    const found = await cache.match(url, { ignoreVary: true });
    if (found && !over(found)) return found;
    if (found) await cache.delete(url, { ignoreVary: true });
  }
  return null;
}

async function entries(cache) {
  const keys = await cache.keys();
  return Promise.all(keys.map(async (key) => [key, await cache.match(key, { ignoreVary: true })]));
}

const over = (answer) => Number(answer.headers.get("Traverse-Sheet-Until")) * 1000 <= Date.now();
const late = () => new Promise((_, fail) => setTimeout(fail, PATIENCE));

async function shown(known) {
  const text = (await known.text()).replace('id="hors-ligne" hidden', 'id="hors-ligne"');
  return page(text, known);
}

// The sheets that are kept, for who asks for another one.
async function list() {
  const lines = [];
  for (const name of [OWN, PUBLIC]) {
    for (const [key, one] of await entries(await caches.open(name))) {
      if (over(one)) continue;
      const { pathname, search } = new URL(key.url);
      const title = decodeURIComponent(one.headers.get("Traverse-Sheet"));
      lines.push(`<li><h2><a href="${safe(pathname + search)}">${safe(title)}</a></h2></li>`);
    }
  }
  const answer = await caches.match(LIST, { cacheName: DRESS, ignoreVary: true });
  const none = "<li>Aucune fiche n’est gardée.</li>";
  return page((await answer.text()).replace("<!--fiches-->", () => lines.join("") || none), answer);
}

function page(text, like) {
  const headers = new Headers(like.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);
  return new Response(text, { headers });
}

const SIGNS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const safe = (text) => text.replace(/[&<>"']/g, (sign) => SIGNS[sign]);

async function dressed(request) {
  const dress = await caches.open(DRESS);
  try {
    const answer = await fetch(request);
    if (answer.ok) await dress.put(request, answer.clone());
    return answer;
  } catch {
    return await dress.match(request, { ignoreVary: true }) || Response.error();
  }
}
