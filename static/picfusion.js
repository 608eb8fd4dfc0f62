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
    const part = requestConfig?.elt.closest("[hx-select]")?.getAttribute("hx-select");
    if (!part || !serverResponse) return;
    if (new DOMParser().parseFromString(serverResponse, "text/html").querySelector(part)) return;
    event.detail.shouldSwap = false;
    if (requestConfig.verb === "get") location.assign(requestConfig.path);
    else say(gettext("Something went wrong. Nothing was changed here."));
    console.warn("an answer without", part, xhr.status);
  });
  document.addEventListener("htmx:sendError", () => say(gettext("The server can't be reached. Everything here stays as it is; try again.")));
  const say = (text) => {
    document.querySelector(".note[data-said]")?.remove();
    const note = Object.assign(document.createElement("p"), { className: "note error", textContent: text });
    note.setAttribute("role", "alert");
    note.dataset.said = "";
    document.querySelector("main").prepend(note);
  };

  // The way from picture to picture is one step of the browser's history, so that going back leads to the list, at its place.
  const isPicture = (address) => /\/images\/\d+\/$/.test(new URL(address, location).pathname);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".around a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.rel) {
      event.preventDefault();
      location.replace(link.href);
    } else if (history.length > 1 && sessionStorage.getItem("list") === listOf(link.href)) {
      event.preventDefault();
      history.back();
    }
  });
  const listOf = (address) => {
    const { pathname, searchParams } = new URL(address, location);
    for (const name of ["page", "all"]) searchParams.delete(name);
    return `${pathname}?${searchParams}`;
  };
  if (isPicture(location) && document.referrer.startsWith(location.origin)) {
    if (!isPicture(document.referrer)) sessionStorage.setItem("list", listOf(document.referrer));
  } else if (isPicture(location)) sessionStorage.removeItem("list");

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
    document.querySelector(`[data-key="${event.key}"]`)?.click();
  });

  // The bar for chosen pictures comes when there are some, and says how many. Shift chooses all from the last one on.
  let last = null;
  const count = () => {
    for (const form of document.querySelectorAll(".selection")) {
      const chosen = [...form.elements].filter((element) => element.matches(".pick:checked")).length;
      form.classList.toggle("some", chosen > 0);
      form.querySelector("[data-chosen]").textContent = interpolate(ngettext("%s selected:", "%s selected:", chosen), [chosen]);
    }
  };
  document.addEventListener("click", (event) => {
    if (!event.target.matches(".pick")) return;
    const all = [...document.querySelectorAll(".pick")];
    if (event.shiftKey && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(event.target)].sort((a, b) => a - b);
      for (const pick of all.slice(from, to + 1)) pick.checked = event.target.checked;
    }
    last = event.target;
    count();
  });
  window.addEventListener("pageshow", count); // a page that one came back to has its choices still
  document.addEventListener("htmx:afterSwap", count);

  // Where a page takes files that are dropped anywhere on it, it shows so; its own script takes them.
  const drops = (event) => document.querySelector("[data-drop]") && (event.preventDefault(), true);
  const dropping = (is) => document.body.classList.toggle("dropping", is);
  document.addEventListener("dragover", (event) => drops(event) && dropping(true));
  document.addEventListener("dragleave", (event) => event.relatedTarget || dropping(false));
  document.addEventListener("drop", (event) => drops(event) && dropping(false));

  // What a result's ⋯ opens closes by Escape and by a click elsewhere.
  const close = (except) => {
    for (const open of document.querySelectorAll(".why[open]")) if (open !== except) open.open = false;
  };
  document.addEventListener("click", (event) => close(event.target.closest(".why")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector(".why[open]");
    if (!open) return;
    close();
    open.querySelector("summary").focus();
  });
})();
