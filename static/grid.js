// Pictures in rows are one stop of the Tab key; arrows go from one to the next. `x` selects, `a` adds to an album, `.` opens a
// result's ⋯, `Delete` moves what is selected to the trash.
(() => {
  const links = () => [...document.querySelectorAll("#grid .tile a")];
  const isTyping = (event) => event.target.closest?.("input:not(.pick), textarea, select") || event.ctrlKey || event.metaKey || event.altKey;
  let current = null;

  const settle = () => {
    const all = links();
    if (!current?.isConnected) current = all[0];
    for (const link of all) {
      link.tabIndex = link === current ? 0 : -1;
      for (const other of link.closest("#grid > *").querySelectorAll(".pick, .why summary")) other.tabIndex = -1;
    }
  };
  htmx.onLoad(settle);
  document.addEventListener("focusin", (event) => {
    const link = event.target.closest?.("#grid .tile a");
    if (!link || link === current) return;
    if (current) current.tabIndex = -1;
    current = link;
    link.tabIndex = 0;
  });

  const middle = (link) => {
    const box = link.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  // Of the next row up or down the picture that is nearest.
  const across = (all, way) => {
    const [x, y] = middle(current);
    const beyond = all.map((link) => ({ link, at: middle(link) })).filter(({ at }) => (at[1] - y) * way > 20);
    if (!beyond.length) return null;
    const row = way > 0 ? Math.min(...beyond.map(({ at }) => at[1])) : Math.max(...beyond.map(({ at }) => at[1]));
    return beyond.filter(({ at }) => Math.abs(at[1] - row) < 20).sort((a, b) => Math.abs(a.at[0] - x) - Math.abs(b.at[0] - x))[0].link;
  };

  document.addEventListener("keydown", (event) => {
    if (isTyping(event) || event.defaultPrevented || !document.querySelector("#grid")) return;
    const inGrid = event.target.closest?.("#grid .tile");
    const tile = inGrid && current?.closest("#grid > *");
    const all = links();
    const at = all.indexOf(current);
    const next = inGrid && { ArrowRight: all[at + 1], ArrowLeft: all[at - 1], ArrowDown: across(all, 1), ArrowUp: across(all, -1) }[event.key];
    const selected = document.querySelector(".selection.some");
    if (next) next.focus();
    else if (tile && event.key === "x") tile.querySelector(".pick")?.click();
    else if (tile && event.key === ".") tile.querySelector(".why summary")?.click();
    else if (selected && event.key === "a") {
      const menu = selected.querySelector(".menu");
      menu.open = true;
      menu.querySelector("select, input:not([type=hidden])").focus();
    } else if (selected && event.key === "Delete") selected.querySelector("[data-trash]")?.click();
    else return;
    event.preventDefault();
  });
})();
