// Completes the #tag that is being typed in the search bar. Without it the bar works all the same.
htmx.onLoad((root) => {
  const bar = root.querySelector("#q[data-suggestions]");
  if (!bar) return;
  const list = document.createElement("ul");
  list.id = "suggestions";
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Tags");
  list.hidden = true;
  bar.after(list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]])
    bar.setAttribute(name, value);
  let chosen = -1, asked = 0;

  // The tag around the cursor: where it starts behind its '#', and what of it is typed.
  const typed = () => {
    const before = bar.value.slice(0, bar.selectionStart);
    const match = /(?:^|\s)(?:-|\d*\.?\d+:)?#("?)([^"#]*)$/.exec(before);
    if (!match || (!match[1] && /\s/.test(match[2]))) return null;
    return { start: before.length - match[2].length - match[1].length, text: match[2] };
  };

  const close = () => {
    list.hidden = true;
    chosen = -1;
    bar.setAttribute("aria-expanded", "false");
    bar.removeAttribute("aria-activedescendant");
  };

  const choose = (number) => {
    chosen = (number + list.children.length) % list.children.length;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", i === chosen));
    bar.setAttribute("aria-activedescendant", list.children[chosen].id);
  };

  const take = (name) => {
    const tag = typed();
    if (!tag) return close();
    const written = (name.includes(" ") ? `"${name}"` : name) + " ";
    bar.setRangeText(written, tag.start, bar.selectionStart, "end");
    close();
    bar.focus();
    bar.dispatchEvent(new Event("tag-taken")); // bar.js makes a chip of it
  };

  bar.addEventListener("input", async () => {
    const tag = typed(), mine = ++asked;
    if (!tag) return close();
    const response = await fetch(`${bar.dataset.suggestions}?q=${encodeURIComponent(tag.text.slice(0, 100))}`);
    if (!response.ok || mine !== asked) return;
    const found = await response.json();
    list.replaceChildren(...found.map(({ name, count }, i) => {
      const item = document.createElement("li");
      item.id = `suggestion-${i}`;
      item.setAttribute("role", "option");
      item.append(`#${name} `, Object.assign(document.createElement("span"), { textContent: count }));
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(name); });
      item.dataset.name = name;
      return item;
    }));
    chosen = -1;
    list.hidden = !found.length;
    bar.setAttribute("aria-expanded", String(!list.hidden));
  });

  bar.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(list.children[chosen].dataset.name);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  bar.addEventListener("blur", close);
});
