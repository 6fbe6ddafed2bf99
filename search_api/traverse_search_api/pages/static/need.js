// Makes the form of a need kinder; it works without. A draft stays on the device until it is
// published, places are completed, what resembles the need is shown while it is typed, and what
// became of it once it is known.
"use strict";
(function () {
  const kept = ["titre", "lieu", "type", "accord", "quand", "visibilite", "description", "montant",
    "service", "joindre"];
  const key = (owner) => "traverse-besoin-" + owner;
  const store = (work) => { try { return work(window.localStorage); } catch { return null; } };

  const done = document.querySelector("[data-published]");
  if (done) store((all) => all.removeItem(key(done.dataset.published)));

  // What becomes of it is known in a few seconds: looked at again for half a minute.
  if (document.querySelector("[data-waiting]")) {
    const looks = Number(window.location.hash.slice(1)) || 0;
    if (looks < 10) setTimeout(() => {
      window.history.replaceState(null, "", "#" + (looks + 1));
      window.location.reload();
    }, 3000);
  }

  const form = document.getElementById("besoin");
  if (!form) return;
  const owner = key(form.dataset.owner);
  const fields = () => [...form.elements].filter((one) => kept.includes(one.name));

  // The draft: taken up only where the page itself brings nothing.
  const draft = JSON.parse(store((all) => all.getItem(owner)) || "null");
  const told = document.getElementById("brouillon");
  if (draft && !form.titre.value && !document.querySelector(".error")) {
    for (const one of fields()) {
      const choice = one.type === "radio" || one.type === "checkbox";
      if (choice) one.checked = draft[one.name] === one.value;
      else if (one.name in draft) one.value = draft[one.name];
    }
    // What is published with the rest is not hidden.
    const more = form.querySelector("details");
    if ([...more.querySelectorAll("input, textarea")].some((one) => one.value)) more.open = true;
    told.hidden = false;
    told.querySelector("button").addEventListener("click", () => {
      store((all) => all.removeItem(owner));
      window.location.assign("/signaler");
    });
  }
  const save = () => {
    const values = {};
    for (const one of fields()) {
      const choice = one.type === "radio" || one.type === "checkbox";
      if (!choice || one.checked) values[one.name] = one.value;
    }
    if (values.titre) store((all) => all.setItem(owner, JSON.stringify(values)));
  };
  form.addEventListener("input", save);

  const ask = async (address, asked) => {
    try {
      const answer = await fetch(address + "?" + new URLSearchParams(asked));
      return answer.ok ? await answer.json() : null;
    } catch { return null; }
  };
  const later = (work) => {
    let waiting;
    return () => { clearTimeout(waiting); waiting = setTimeout(work, 400); };
  };

  const places = document.getElementById("lieux");
  form.lieu.addEventListener("input", later(async () => {
    if (form.lieu.value.length < 3) return;
    const found = await ask("/v1/suggest", { q: form.lieu.value });
    if (!found) return;
    places.replaceChildren(...found.places.map((one) => {
      const option = document.createElement("option");
      option.value = one.label;
      return option;
    }));
  }));

  const alike = document.getElementById("semblables");
  form.titre.addEventListener("input", later(async () => {
    if (form.titre.value.trim().split(/\s+/).length < 2) { alike.replaceChildren(); return; }
    const found = await ask("/v1/opportunities", {
      q: form.titre.value, kind: "need", literal: "*", size: "3", facets: "none",
    });
    if (!found || found.relaxed || !found.items.length) { alike.replaceChildren(); return; }
    const list = document.createElement("ul");
    for (const item of found.items) {
      const link = document.createElement("a");
      link.href = "/fiche/" + encodeURIComponent(item.id);
      link.textContent = item.title;
      const line = document.createElement("li");
      line.append(link, " (" + item.institutions[0].name + ")");
      list.append(line);
    }
    const said = document.createElement("p");
    said.textContent = "Déjà signalé tout près ? Continuez si le vôtre s’y ajoute :";
    alike.replaceChildren(said, list);
  }));
})();
