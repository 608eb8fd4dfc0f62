// Where one is in a list: kept when one looks at a picture and comes back, and when the list grows above or below.
(() => {
  const isPicture = (address) => /\/images\/\d+\/$/.test(new URL(address, location).pathname);
  const number = (address) => /\/images\/(\d+)\/$/.exec(new URL(address, location).pathname)?.[1];
  const keep = (name, value) => {
    try {
      sessionStorage.setItem(name, value);
    } catch { /* full, or switched off */ }
  };

  // The list that a picture was opened from. From picture to picture is one step of the browser's history, so that going
  // back leads to the list.
  const listOf = (address) => {
    const { pathname, searchParams } = new URL(address, location);
    for (const name of ["page", "from", "all"]) searchParams.delete(name);
    return `${pathname}?${searchParams}`;
  };
  const here = () => `place ${location.pathname}${location.search}`;
  if (isPicture(location)) {
    if (!document.referrer.startsWith(location.origin)) sessionStorage.removeItem("list");
    else if (!isPicture(document.referrer)) keep("list", listOf(document.referrer));
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-back]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (history.length > 1 && sessionStorage.getItem("list") === listOf(link.href)) {
      event.preventDefault();
      history.back();
    }
  });
  // The picture that was looked at last is the one that the list is found at.
  const seen = () => isPicture(location) && keep("seen", number(location));
  seen();
  document.addEventListener("htmx:afterSettle", seen);

  const tiles = () => [...document.querySelectorAll("#grid [id^=i]")];
  const first = () => tiles().find((tile) => tile.getBoundingClientRect().bottom > 0);
  const note = () => {
    const tile = first();
    if (tile && scrollY > 0) keep(here(), JSON.stringify({ id: tile.id, top: tile.getBoundingClientRect().top }));
    else if (tile) keep(here(), "");
  };
  let pending = 0;
  document.addEventListener("scroll", () => { clearTimeout(pending); pending = setTimeout(note, 150); }, { passive: true });
  document.addEventListener("click", (event) => { if (event.target.closest("#grid a")) note(); }, true);

  const [arrived] = performance.getEntriesByType("navigation");
  const restore = () => {
    const text = sessionStorage.getItem(here());
    const { id, top } = text ? JSON.parse(text) : {};
    const tile = id && document.getElementById(id);
    if (tile) scrollBy(0, tile.getBoundingClientRect().top - top);
    const looked = document.getElementById(`i${sessionStorage.getItem("seen")}`);
    if (!looked) return;
    const box = looked.getBoundingClientRect();
    if (box.bottom < 0 || box.top > innerHeight) looked.scrollIntoView({ block: "center" });
    looked.querySelector("a")?.focus({ preventScroll: true });
  };
  if (tiles().length && ["back_forward", "reload"].includes(arrived?.type)) {
    history.scrollRestoration = "manual";
    restore();
  } else if (tiles().length && location.hash) document.getElementById(location.hash.slice(1))?.querySelector("a")?.focus({ preventScroll: true });

  // The address says from which page to which the list is shown.
  const extend = (added) => {
    const address = new URL(location), own = address.searchParams;
    const page = Number(new URL(added, location).searchParams.get("page"));
    const last = Number(own.get("page") ?? 1), from = Number(own.get("from") ?? last);
    own.set("from", Math.min(from, page));
    own.set("page", Math.max(last, page));
    address.hash = "";
    history.replaceState(history.state, "", address);
  };

  // A page that is added above moves nothing that is seen; a month that goes on keeps one heading.
  let anchor = null;
  document.addEventListener("htmx:beforeSwap", () => {
    const tile = first();
    anchor = tile && { tile, top: tile.getBoundingClientRect().top };
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "grid") return;
    extend(event.detail.pathInfo.requestPath);
    const months = new Set();
    for (const heading of event.target.querySelectorAll(".month")) {
      if (months.has(heading.id)) heading.remove();
      months.add(heading.id);
    }
    if (anchor?.tile.isConnected) scrollBy(0, anchor.tile.getBoundingClientRect().top - anchor.top);
    anchor = null;
  });
})();
