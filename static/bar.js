// The search bar: tags and filters as chips, and pictures that are dropped, pasted, taken or chosen. Without it the bar is one line of
// text and a field for files, and finds the same.
(() => {
  const TAG = /(^|\s)(-?(?:(?:\d+(?:\.\d+)?|\.\d+):)?#(?:"(?:[^"]|"")+"|[^\s"#]+)|[a-z][a-z-]*:(?:"(?:[^"]|"")+"|[^\s":]+))(?=\s)/g;

  htmx.onLoad((root) => {
    const form = root.querySelector("form[data-bar]");
    if (!form) return;
    const bar = form.querySelector("#q");
    // The line that is sent: the chips, and behind them what is written.
    const line = Object.assign(document.createElement("input"), { type: "hidden", name: "q" });
    bar.removeAttribute("name");
    bar.after(line);
    const chips = () => [...bar.parentElement.querySelectorAll(".tag-chip")];
    const compose = () => {
      line.value = [...chips().map((chip) => chip.dataset.tag), bar.value.trim()].filter(Boolean).join(" ");
    };

    const add = (tag) => {
      const chip = document.createElement("span");
      chip.className = tag.startsWith("-") ? "tag-chip unwanted" : tag.includes("#") ? "tag-chip" : "tag-chip filter";
      chip.dataset.tag = tag;
      const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
      remove.setAttribute("aria-label", interpolate(gettext("Remove %s"), [tag]));
      remove.addEventListener("click", () => {
        chip.remove();
        compose();
        bar.focus();
        if (line.value) form.requestSubmit();
      });
      chip.append(tag.replaceAll('"', ""), remove);
      bar.before(chip);
    };

    // Tags that are complete, as a space behind them says, become chips; those within quotation marks are words.
    const gather = (text) => {
      const left = text.replace(TAG, (whole, space, tag, at) => {
        if ((text.slice(0, at).match(/"/g) ?? []).length % 2) return whole;
        add(tag);
        return space;
      });
      if (left !== text) bar.value = left.replace(/\s+/g, " ").trimStart();
      compose();
    };

    const whole = bar.value;
    gather(`${whole} `);
    if (bar.value === `${whole} `) bar.value = whole;
    bar.value = bar.value.trim();
    compose();
    bar.addEventListener("input", () => gather(bar.value));
    bar.addEventListener("tag-taken", () => gather(bar.value));
    bar.addEventListener("keydown", (event) => {
      if (event.key !== "Backspace" || bar.selectionStart || bar.selectionEnd) return;
      const chip = chips().at(-1);
      if (!chip) return;
      event.preventDefault();
      bar.value = chip.dataset.tag + bar.value;
      bar.setSelectionRange(chip.dataset.tag.length, chip.dataset.tag.length);
      chip.remove();
      compose();
    });
    // The balance counts when it is let go; keys move it step by step, and search when they rest.
    let rest = 0;
    form.addEventListener("input", (event) => {
      if (event.target.matches("[type=range]")) event.target.nextElementSibling.value = event.target.value;
    });
    form.addEventListener("change", (event) => {
      if (event.target.matches("input[type=file], .chips input")) form.requestSubmit();
      else if (event.target.closest(".balance")) {
        clearTimeout(rest);
        rest = setTimeout(() => line.value && form.isConnected && form.requestSubmit(), 500);
      }
    });
    form.querySelector("[data-reset]")?.addEventListener("click", () => {
      for (const slider of form.querySelectorAll("[type=range]")) {
        slider.value = 1;
        slider.nextElementSibling.value = "1";
      }
      if (line.value) form.requestSubmit();
    });
  });

  const search = (files) => {
    const form = document.querySelector("form[data-bar]");
    if (!form) return false;
    const input = form.querySelector("input[type=file]:not([capture])");
    const [, ...extensions] = input.accept.split(",");  // of formats that the browser may not know by type
    const isPicture = (file) => file.type.startsWith("image/")
      || extensions.some((extension) => file.name.toLowerCase().endsWith(extension));
    const pictures = [...files].filter(isPicture);
    if (!pictures.length) return false;
    const transfer = new DataTransfer();
    for (const file of pictures) transfer.items.add(file);
    input.files = transfer.files;
    form.requestSubmit();
    return true;
  };

  document.addEventListener("paste", (event) => {
    if (event.clipboardData && search(event.clipboardData.files)) event.preventDefault();
  });

  document.addEventListener("drop", (event) => {
    if (search(event.dataTransfer.files)) return;
    // A picture of the gallery that is dragged into the bar.
    const found = /\/images\/(\d+)\//.exec(event.dataTransfer.getData("text/uri-list"));
    const form = document.querySelector("form[data-bar]");
    if (!found || !form) return;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "image", value: found[1] }));
    form.requestSubmit();
  });
})();
