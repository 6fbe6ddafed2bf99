// Has the sheet of a visit kept on this device, and says so once it is. Without it, all works but that.
"use strict";

(async () => {
  if (!("serviceWorker" in navigator)) return; // also: without TLS
  const worker = "/visite-hors-ligne.js", here = location.href.split("#")[0];
  const kept = () => caches.match(here, { ignoreVary: true });
  try {
    // The worker also sees who signs in and out, to forget what was another's.
    await Promise.all(["/visite", "/connexion", "/deconnexion"].map(
      (scope) => navigator.serviceWorker.register(worker, { scope })));
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((go) => navigator.serviceWorker.addEventListener("controllerchange", go, { once: true }));
    }
    // The very first sheet came before the worker was there.
    if (!await kept()) await fetch(here);
    if (await kept()) document.getElementById("gardee").hidden = false;
  } catch { /* a private window, a full disk: the sheet is there, only not kept */ }
})();
