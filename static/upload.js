// Sends files one by one, so that each has its progress, its own answer, and can be tried again. Without it the form sends
// them all at once.
(() => {
  const form = document.querySelector("#upload");
  if (!form) return;
  const AT_ONCE = 2;
  const panel = document.querySelector("#progress");
  const list = panel.querySelector(".outcomes"), status = panel.querySelector("[role=status]");
  const pause = panel.querySelector("[data-pause]"), retry = panel.querySelector("[data-retry]");
  const waiting = [], failed = [];
  let running = 0, done = 0, refused = 0, added = 0, paused = false;

  const say = () => {
    const all = waiting.length + running + done + failed.length;
    panel.hidden = !all;
    status.textContent = interpolate(ngettext("%s of %s file uploaded", "%s of %s files uploaded", all), [done - refused, all])
      + (refused ? ` · ${interpolate(ngettext("%s failed", "%s failed", refused), [refused])}` : "");
    retry.hidden = !failed.length;
    pause.hidden = !waiting.length && !running;
    pause.textContent = paused ? gettext("Resume") : gettext("Pause");
  };

  const line = (file) => {
    const item = document.createElement("li"), text = document.createElement("div");
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", file.name);
    text.append(Object.assign(document.createElement("strong"), { textContent: file.name }), document.createElement("br"), bar);
    item.append(text);
    list.append(item);
    return { file, item, text, bar };
  };

  const answer = (entry, kind, message, image) => {
    entry.item.className = kind;
    entry.bar.replaceWith(message);
    if (!image) return;
    const link = Object.assign(document.createElement("a"), { href: form.dataset.page.replace("/0/", `/${image.id}/`) });
    link.append(Object.assign(document.createElement("img"), { src: image.thumbnails.small, alt: image.filename, width: 56, height: 56 }));
    entry.item.prepend(link);
  };

  const finish = (entry, request) => {
    running -= 1;
    let body = {};
    try { body = JSON.parse(request.responseText); } catch { /* no answer of ours: it is tried again */ }
    if (request.status === 200 || request.status === 201) {
      done += 1;
      added += request.status === 201;
      answer(entry, request.status === 201 ? "added" : "there", request.status === 201 ? gettext("Added. It will be searchable in a moment.") : body.was_in_trash ? gettext("It is back from the trash.") : gettext("You already have this picture."), body);
      htmx.ajax("GET", `${form.dataset.waiting}?of=${added}`, { target: "#waiting", swap: "outerHTML" });
    } else if (request.status >= 400 && request.status < 500 && (body.file || body.detail)) {
      done += 1;
      refused += 1;
      answer(entry, "refused", [].concat(body.file ?? body.detail).join(" "));
    } else {
      entry.item.className = "failed";
      entry.bar.value = 0;
      failed.push(entry);
    }
    next();
  };

  const next = () => {
    while (!paused && running < AT_ONCE && waiting.length) send(waiting.shift());
    say();
  };

  const send = (entry) => {
    running += 1;
    entry.item.className = "";
    const request = new XMLHttpRequest(), data = new FormData();
    data.append("file", entry.file);
    request.upload.addEventListener("progress", (event) => { entry.bar.value = event.loaded / event.total; });
    request.addEventListener("loadend", () => finish(entry, request));
    request.open("POST", form.dataset.api);
    request.setRequestHeader("X-CSRFToken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    request.send(data);
  };

  const take = (files) => {
    for (const file of files) if (!file.name.startsWith(".")) waiting.push(line(file));
    next();
  };

  pause.addEventListener("click", () => { paused = !paused; next(); });
  retry.addEventListener("click", () => { waiting.push(...failed.splice(0)); next(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    if (event.target.type !== "file") return;
    take([...event.target.files]);
    event.target.value = "";
  });

  // Files of a dropped folder, and of the folders in it.
  const inside = async (entry) => {
    if (entry.isFile) return [await new Promise((found, lost) => entry.file(found, lost))];
    const reader = entry.createReader(), files = [];
    for (;;) {
      const some = await new Promise((found, lost) => reader.readEntries(found, lost));
      if (!some.length) return files;
      for (const own of some) files.push(...await inside(own));
    }
  };
  document.addEventListener("drop", async (event) => {
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.length) return take([...event.dataTransfer.files]);
    for (const entry of entries) take(await inside(entry));
  });
  window.addEventListener("beforeunload", (event) => { if (waiting.length || running) event.preventDefault(); });
})();
