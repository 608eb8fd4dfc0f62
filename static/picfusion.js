// Loaded on every page.
(() => {
  // Pages that say what was wrong are shown like others, and going back asks the server: what is seen is always as of now.
  htmx.config.responseHandling = [{ code: "204", swap: false }, { code: "...", swap: true }];
  htmx.config.refreshOnHistoryMiss = true;

  // An address that is shown once is selected when it is entered, to be copied.
  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".address")) event.target.select();
  });

  // The address beside the button goes to the clipboard.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const field = button.parentElement.querySelector(".address");
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // without HTTPS browsers have no other way
    }
    button.textContent = gettext("Copied");
  });

  // The phone's own sheet sends the address on, where there is one.
  for (const button of navigator.share ? document.querySelectorAll("[data-share]") : []) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = button.parentElement.querySelector(".address");
      navigator.share({ title: document.title, url: field.value }).catch(() => {}); // called off
    });
  }

  // Enter in a field of a form with several buttons presses the one beside it.
  document.addEventListener("keydown", (event) => {
    const button = event.key === "Enter" && event.target.matches(".pair input:not([type=checkbox])") && event.target.closest(".pair").querySelector("button");
    if (!button) return;
    event.preventDefault();
    button.click();
  });

  // A script's answer that lacks the part it was asked for (a proxy's error, say) never empties the page: it is loaded for
  // real. Without a network everything stays, and is said.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, serverResponse, xhr } = event.detail;
    const looksOn = event.detail.target.id === "waiting"; // by itself: an upload or a caption goes on beside it
    const part = looksOn ? "#waiting" : requestConfig?.elt.closest("[hx-select]")?.getAttribute("hx-select");
    if (!part || !serverResponse) return;
    const page = new DOMParser().parseFromString(serverResponse, "text/html");
    if (page.querySelector(part)) return;
    event.detail.shouldSwap = false;
    if (looksOn) return;
    if (requestConfig.verb === "get") location.assign(requestConfig.path);
    else say((xhr.status < 500 && page.querySelector("main p")?.textContent) || gettext("Something went wrong. Nothing was changed here."), "error");
    console.warn("an answer without", part, xhr.status);
  });
  document.addEventListener("htmx:sendError", () => say(gettext("The server can't be reached. Everything here stays as it is; try again."), "error"));

  // What was wrong is forgotten once something went well.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "waiting" && event.detail.xhr.status < 400) document.querySelector("#said .note.error")?.remove();
  });

  // What a form stands in stays open when its answer takes the place of it all.
  let opened = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    opened = event.detail.requestConfig?.elt.closest("details[id]")?.id ?? "";
  });
  document.addEventListener("htmx:afterSettle", () => {
    const details = opened && document.getElementById(opened);
    opened = "";
    if (!details) return;
    details.open = true;
    details.querySelector("summary").focus({ preventScroll: true });
  });

  // Says something for a while, beside what is seen, so that nothing moves: a text, or a note that the server wrote.
  let until = 0;
  const say = (said, kind = "success") => {
    const note = typeof said === "string" ? Object.assign(document.createElement("p"), { className: `note ${kind}`, textContent: said }) : said;
    document.querySelector("#said").replaceChildren(note);
    clearTimeout(until);
    if (kind !== "error") until = setTimeout(() => note.isConnected && !note.matches(":hover, :focus-within") && note.remove(), 12000);
  };
  window.picfusion = { say };

  // A thin bar on top of what takes longer than a moment (the style sheet waits).
  let running = 0;
  const busy = (change) => {
    running = Math.max(0, running + change);
    document.documentElement.classList.toggle("busy", running > 0);
  };
  document.addEventListener("htmx:beforeRequest", (event) => event.target.id !== "waiting" && busy(1));
  document.addEventListener("htmx:afterRequest", (event) => event.target.id !== "waiting" && busy(-1));
  document.addEventListener("submit", (event) => setTimeout(() => event.defaultPrevented || busy(1)));
  window.addEventListener("pagehide", () => busy(-running));

  // Without a network everything stays, and is said; with it again, that too.
  window.addEventListener("offline", () => say(gettext("You are offline. Everything here stays as it is."), "error"));
  window.addEventListener("online", () => say(gettext("You are online again.")));

  // What is chosen in such a field counts at once.
  document.addEventListener("change", (event) => {
    const field = event.target.closest?.("[data-at-once]");
    if (field) (field.form ?? field).requestSubmit();
  });

  // The phone keeps what it needs to say that there is no network.
  const manifest = document.querySelector("link[rel=manifest]"); // pages for guests have none
  if (manifest) navigator.serviceWorker?.register(manifest.dataset.worker).catch(() => {});

  // The keys, over the page that one is on.
  const showKeys = async (link) => {
    const page = await fetch(link.href).then((answer) => answer.text()).catch(() => "");
    const keys = new DOMParser().parseFromString(page, "text/html").querySelector("#keys");
    if (!keys) return link.click();
    const dialog = document.createElement("dialog"), form = document.createElement("form");
    form.method = "dialog";
    form.append(Object.assign(document.createElement("button"), { className: "quiet", textContent: gettext("Close") }));
    dialog.append(keys, form);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };

  // Links that a key follows: previous, next, back to the list.
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || (event.shiftKey && event.key !== "?")) return;
    if (event.target.closest?.("input, textarea, select, details[open], dialog")) return;
    const bar = event.key === "/" && document.querySelector("#q");
    if (bar) {
      event.preventDefault();
      bar.focus();
      bar.select();
    }
    const keyed = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!keyed) return;
    event.preventDefault();
    if (event.key === "?") return showKeys(keyed);
    if (keyed.matches("select, input")) return keyed.focus();
    keyed.click();
    if (keyed.matches("summary")) keyed.parentElement.querySelector("button")?.focus();
  });

  // What a summary opens to be filled in is ready to be typed into.
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.("details[data-fill][open]") || !event.target.contains(document.activeElement)) return;
    event.target.querySelector("input:not([type=hidden], [type=checkbox]), textarea")?.focus();
  }, true);

  // How many files a styled field holds: what the browser would say itself is not seen.
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (!field.dataset?.counted) return;
    const said = ngettext("%s picture chosen", "%s pictures chosen", field.files.length);
    document.querySelector(field.dataset.counted).textContent = interpolate(said, [field.files.length]);
  });

  // What is written is sent when one pauses or leaves the field, and, as far as browsers let a page that goes, with the page.
  const unsent = (field) => field?.value !== field?.defaultValue && field?.closest?.("form[data-kept]");
  let sending = Promise.resolve(); // one after the other: what was written last is what stays
  const keep = (field) => { sending = sending.then(() => send(field)); };
  const send = async (field) => {
    const form = unsent(field);
    if (!form) return;
    const written = field.value;
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" }, keepalive: true, redirect: "manual" }).catch(() => null);
    if (answer?.type !== "opaqueredirect") return say(gettext("Something went wrong. Nothing was changed here."), "error");
    field.defaultValue = written;
    say(gettext("Saved."));
  };
  let pause = 0;
  document.addEventListener("change", (event) => keep(event.target));
  document.addEventListener("submit", () => clearTimeout(pause));
  document.addEventListener("input", (event) => {
    clearTimeout(pause);
    if (unsent(event.target)) pause = setTimeout(() => keep(event.target), 1000);
  });
  window.addEventListener("pagehide", () => {
    const form = unsent(document.activeElement);
    if (form) navigator.sendBeacon(form.action, new FormData(form));
  });
  window.addEventListener("beforeunload", (event) => { if (unsent(document.activeElement)) event.preventDefault(); });

  // Where a page takes files that are dropped anywhere on it, it shows so; its own script takes them.
  const drops = (event) => document.querySelector("[data-drop]") && (event.preventDefault(), true);
  const dropping = (is) => document.body.classList.toggle("dropping", is);
  document.addEventListener("dragover", (event) => drops(event) && dropping(true));
  document.addEventListener("dragleave", (event) => event.relatedTarget || dropping(false));
  document.addEventListener("drop", (event) => drops(event) && dropping(false));

  // What a ⋯ or a menu opens closes by Escape and by a click elsewhere.
  const MENUS = ".why[open], .menu[open], [data-delete][open]";
  const close = (except) => {
    for (const open of document.querySelectorAll(MENUS)) if (open !== except) open.open = false;
  };
  document.addEventListener("click", (event) => close(event.target.closest(".why, .menu, [data-delete]")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector(MENUS);
    if (!open) return;
    event.preventDefault();
    close();
    open.querySelector("summary").focus();
  }, true);
})();
