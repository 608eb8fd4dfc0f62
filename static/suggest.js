// Completes what is typed in the search bar: a #tag, or plain words with tags, albums, saved and recent searches.
// Without it the bar works all the same.
(() => {
  const MOST_RECENT = 10;
  const KINDS = { tag: "", album: gettext("album"), owner: gettext("person"), search: gettext("saved search"), recent: gettext("recent search") };

  // What this person searched for before, on this device alone.
  const recent = (person) => {
    try {
      return JSON.parse(localStorage.getItem(`recent-searches-${person}`)) ?? [];
    } catch {
      return [];
    }
  };
  const remember = (person, line) => {
    const lines = [line, ...recent(person).filter((own) => own !== line)].slice(0, MOST_RECENT);
    try {
      localStorage.setItem(`recent-searches-${person}`, JSON.stringify(lines));
    } catch { /* storage is full or switched off */ }
  };
  const quoted = (name) => (/[\s"]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

  htmx.onLoad((root) => {
    const bar = root.querySelector("#q[data-suggestions]");
    if (!bar) return;
    const person = bar.dataset.person;
    const list = document.createElement("ul");
    list.id = "suggestions";
    list.className = "suggestions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", gettext("Suggestions"));
    list.hidden = true;
    bar.after(list);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]])
      bar.setAttribute(name, value);
    let chosen = -1, asked = 0;

    // What is being typed before the cursor: a tag behind its '#', or plain words from where they start.
    const typed = () => {
      const before = bar.value.slice(0, bar.selectionStart);
      const tag = /(?:^|\s)(?:-|\d*\.?\d+:)?#("?)([^"#]*)$/.exec(before);
      if (tag && (tag[1] || !/\s/.test(tag[2])))
        return { start: before.length - tag[2].length - tag[1].length, text: tag[2], isTag: true };
      const words = /(?:^|\s)([^\s#":-][^#":]*)$/.exec(before);
      if (!words) return null;
      // The last word, unless all of them begin a name.
      return { start: before.length - words[1].length, text: words[1], isTag: false };
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

    const write = (text, start) => {
      bar.setRangeText(`${text} `, start, bar.selectionStart, "end");
      close();
      bar.focus();
      bar.dispatchEvent(new Event("tag-taken")); // bar.js makes a chip of it
    };

    const take = (found) => {
      const now = typed();
      if (found.kind === "search") location.assign(`${bar.dataset.searches}${found.id}/`);
      else if (found.kind === "recent") {
        bar.value = found.name;
        bar.dispatchEvent(new Event("tag-taken"));
        close();
        bar.form.requestSubmit();
      } else if (!now) close();
      else if (["album", "owner"].includes(found.kind)) write(`${found.kind}:${quoted(found.name)}`, found.start ?? now.start);
      else write(`${now.isTag ? "" : "#"}${quoted(found.name)}`, found.start ?? now.start);
    };

    const show = (found) => {
      list.replaceChildren(...found.map((own, i) => {
        const item = document.createElement("li");
        item.id = `suggestion-${i}`;
        item.setAttribute("role", "option");
        const beside = own.kind === "tag" ? own.count : KINDS[own.kind];
        item.append(own.kind === "tag" ? `#${own.name} ` : `${own.name} `, Object.assign(document.createElement("span"), { textContent: beside }));
        item.addEventListener("mousedown", (event) => { event.preventDefault(); take(own); });
        item.addEventListener("taken", () => take(own));
        return item;
      }));
      chosen = -1;
      list.hidden = !found.length;
      bar.setAttribute("aria-expanded", String(!list.hidden));
    };

    const ask = async (address, text) => {
      // Who presses Enter meanwhile leaves the page, and with it the answer.
      const response = await fetch(`${address}?q=${encodeURIComponent(text.slice(0, 100))}`).catch(() => null);
      return response?.ok ? response.json().catch(() => []) : [];
    };

    const past = (beginning) => recent(person)
      .filter((line) => line.toLowerCase().includes(beginning.toLowerCase()) && line !== beginning)
      .slice(0, beginning ? 4 : MOST_RECENT).map((name) => ({ kind: "recent", name }));

    bar.addEventListener("input", async () => {
      const now = typed(), mine = ++asked;
      if (!bar.value.trim()) return show(past(""));
      if (!now) return close();
      if (now.isTag) {
        const tags = await ask(bar.dataset.suggestions, now.text);
        if (mine === asked) show(tags.map((own) => ({ ...own, kind: "tag" })));
        return;
      }
      // All that was typed may be one name; if it is none, its last word may be.
      let found = await ask(bar.dataset.completions, now.text.trim());
      const last = /\S+$/.exec(now.text)?.[0];
      if (!found.length && last && last !== now.text) {
        const start = now.start + now.text.length - last.length;
        found = (await ask(bar.dataset.completions, last)).map((own) => ({ ...own, start }));
      }
      if (mine === asked) show([...found, ...past(bar.value.trim())]);
    });

    bar.addEventListener("focus", () => { if (!bar.value && !bar.matches("[autofocus]")) show(past("")); });
    bar.addEventListener("keydown", (event) => {
      if (list.hidden) {
        if (event.key !== "ArrowDown" || bar.value) return;
        show(past(""));
        event.preventDefault();
        return;
      }
      if (event.key === "ArrowDown") choose(chosen + 1);
      else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
      else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) list.children[chosen].dispatchEvent(new Event("taken"));
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
    bar.addEventListener("blur", close);
    bar.form.addEventListener("submit", () => {
      asked += 1;
      const line = bar.form.elements.namedItem("q")?.value?.trim();
      if (line) remember(person, line);
    });
  });
})();
