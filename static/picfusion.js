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
    if (new DOMParser().parseFromString(serverResponse, "text/html").querySelector(part)) return;
    event.detail.shouldSwap = false;
    if (looksOn) return;
    if (requestConfig.verb === "get") location.assign(requestConfig.path);
    else say(gettext("Something went wrong. Nothing was changed here."), "error");
    console.warn("an answer without", part, xhr.status);
  });
  document.addEventListener("htmx:sendError", () => say(gettext("The server can't be reached. Everything here stays as it is; try again."), "error"));

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
  navigator.serviceWorker?.register(document.querySelector("link[rel=manifest]").dataset.worker).catch(() => {});

  // Links that a key follows: previous, next, back to the list.
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest?.("input, textarea, select, details[open]")) return;
    const bar = event.key === "/" && document.querySelector("#q");
    if (bar) {
      event.preventDefault();
      bar.focus();
      bar.select();
    }
    const keyed = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!keyed) return;
    event.preventDefault();
    if (keyed.matches("select, input")) return keyed.focus();
    keyed.click();
    if (keyed.matches("summary")) keyed.parentElement.querySelector("button")?.focus();
  });

  // Where a page takes files that are dropped anywhere on it, it shows so; its own script takes them.
  const drops = (event) => document.querySelector("[data-drop]") && (event.preventDefault(), true);
  const dropping = (is) => document.body.classList.toggle("dropping", is);
  document.addEventListener("dragover", (event) => drops(event) && dropping(true));
  document.addEventListener("dragleave", (event) => event.relatedTarget || dropping(false));
  document.addEventListener("drop", (event) => drops(event) && dropping(false));

  // What a ⋯ or a menu opens closes by Escape and by a click elsewhere.
  const MENUS = ".why[open], .menu[open]";
  const close = (except) => {
    for (const open of document.querySelectorAll(MENUS)) if (open !== except) open.open = false;
  };
  document.addEventListener("click", (event) => close(event.target.closest(".why, .menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector(MENUS);
    if (!open) return;
    event.preventDefault();
    close();
    open.querySelector("summary").focus();
  }, true);
})();
