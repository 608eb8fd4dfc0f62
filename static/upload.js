// Sends files one by one, so that each has its progress, its own answer, and can be tried again. Without it the form sends
// them all at once.
(() => {
  const form = document.querySelector("#upload");
  if (!form) return;
  const AT_ONCE = 2;
  const panel = document.querySelector("#progress");
  const list = panel.querySelector(".outcomes"), status = panel.querySelector("[role=status]");
  const pause = panel.querySelector("[data-pause]"), retry = panel.querySelector("[data-retry]");
  const waiting = [], failed = [], going = new Set();
  let running = 0, done = 0, refused = 0, added = 0, paused = false;

  const these = panel.querySelector("[data-these]");
  let sent = 0, started = 0; // bytes, and when the first of them went
  const left = () => {
    const seconds = (performance.now() - started) / 1000;
    const rest = [...waiting, ...going].reduce((sum, entry) => sum + entry.file.size - (entry.sent ?? 0), 0);
    if (!running || seconds < 3 || !sent) return "";
    const rate = sent / seconds, minutes = Math.ceil(rest / rate / 60);
    return ` · ${interpolate(gettext("%s MB/s"), [(rate / 1e6).toFixed(1)])} · ${interpolate(ngettext("about %s minute left", "about %s minutes left", minutes), [minutes])}`;
  };

  const say = () => {
    const all = waiting.length + running + done + failed.length;
    panel.hidden = !all;
    status.textContent = interpolate(ngettext("%s of %s file uploaded", "%s of %s files uploaded", all), [done - refused, all])
      + (refused ? ` · ${interpolate(ngettext("%s failed", "%s failed", refused), [refused])}` : "") + left();
    these.hidden = running > 0 || waiting.length > 0 || !list.querySelector(".pick");
    retry.hidden = !failed.length;
    pause.hidden = !waiting.length && !running;
    pause.textContent = paused ? gettext("Resume") : gettext("Pause");
  };

  const line = (file, folder = "") => {
    const item = document.createElement("li"), text = document.createElement("div");
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", file.name);
    text.append(Object.assign(document.createElement("strong"), { textContent: file.name }), document.createElement("br"), bar);
    item.append(text);
    list.append(item);
    return { file, folder, item, text, bar, sent: 0 };
  };

  const answer = (entry, kind, message, image) => {
    entry.item.className = kind;
    entry.bar.replaceWith(message);
    if (!image) return;
    const link = Object.assign(document.createElement("a"), { href: form.dataset.page.replace("/0/", `/${image.id}/`) });
    link.append(Object.assign(document.createElement("img"), { src: image.thumbnails.small, alt: image.filename, width: 56, height: 56 }));
    entry.item.prepend(link);
    const pick = Object.assign(document.createElement("input"), { type: "checkbox", name: "image", value: image.id, className: "pick inline-pick" });
    pick.setAttribute("form", "selection");
    pick.setAttribute("aria-label", interpolate(gettext("Select %s"), [image.filename]));
    entry.item.append(pick);
  };

  const finish = (entry, request) => {
    running -= 1;
    going.delete(entry);
    let body = {};
    try { body = JSON.parse(request.responseText); } catch { /* no answer of ours: it is tried again */ }
    if (request.status === 200 || request.status === 201) {
      done += 1;
      added += request.status === 201;
      answer(entry, request.status === 201 ? "added" : "there", request.status === 201 ? (body.is_cut_off ? gettext("Added, but the file lacks its end: the picture is shown as far as it goes.") : gettext("Added. It will be searchable in a moment.")) : body.was_in_trash ? gettext("It is back from the trash.") : gettext("You already have this picture."), body);
      renewWaiting();
      renewUsage();
    } else if ([401, 403].includes(request.status)) {
      // The session ended: nothing is lost, and goes on where one signs in beside this page.
      paused = true;
      entry.item.className = "failed";
      entry.bar.value = 0;
      waiting.unshift(entry);
      signIn();
    } else if (request.status >= 400 && request.status < 500 && request.status !== 429 && Object.keys(body).length) {
      done += 1;
      refused += 1;
      const reasons = (body.errors ?? []).map((error) => error.detail);
      answer(entry, "refused", (reasons.length ? reasons : [body.detail]).join(" "));
    } else {
      entry.item.className = "failed";
      entry.bar.value = 0;
      failed.push(entry);
    }
    next();
  };

  const signIn = () => {
    const link = Object.assign(document.createElement("a"), { href: form.dataset.login, target: "_blank", textContent: gettext("Sign in") });
    const note = Object.assign(document.createElement("p"), { className: "note error" });
    note.append(gettext("You were signed out. Sign in in another tab; the upload goes on when you come back."), " ", link);
    picfusion.say(note, "error");
    addEventListener("focus", async () => {
      const page = await fetch(location.href).catch(() => null);
      const fresh = page?.ok && !page.redirected && new DOMParser().parseFromString(await page.text(), "text/html").querySelector("#upload [name=csrfmiddlewaretoken]");
      if (!fresh) return signIn();
      form.querySelector("[name=csrfmiddlewaretoken]").value = fresh.value;
      picfusion.say(gettext("You are signed in again. The upload goes on."));
      paused = false;
      next();
    }, { once: true });
  };

  // How many are searchable. Answers cross each other and the line's own asking: an older number never takes a newer one's place.
  const renewWaiting = async () => {
    const of = added;
    const answer = await fetch(`${form.dataset.waiting}?of=${of}`).catch(() => null);
    if (answer?.status !== 200 || of < added) return;
    const line = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#waiting");
    if (!line || of < added) return;
    document.querySelector("#waiting").replaceWith(line);
    htmx.process(line);
  };

  // What is used of one's room, as of now; of many files, now and then.
  let renewing = 0;
  const renewUsage = () => {
    clearTimeout(renewing);
    renewing = setTimeout(async () => {
      const page = await fetch(location.href).catch(() => null);
      const fresh = page?.ok && new DOMParser().parseFromString(await page.text(), "text/html").querySelector("#usage");
      if (fresh) document.querySelector("#usage")?.replaceWith(fresh);
    }, 1000);
  };

  const next = () => {
    while (!paused && running < AT_ONCE && waiting.length) send(waiting.shift());
    say();
  };

  const send = (entry) => {
    running += 1;
    started ||= performance.now();
    going.add(entry);
    entry.item.className = "";
    const request = new XMLHttpRequest(), data = new FormData();
    data.append("file", entry.file);
    if (entry.file.lastModified) data.append("modified", new Date(entry.file.lastModified).toISOString());
    const folder = document.querySelector("#by-folder").checked && entry.folder;
    if (folder) data.append("album", folder);
    else if (form.elements.album.value.trim()) data.append("album", form.elements.album.value);
    else if (form.elements.album_id.value) data.append("album_id", form.elements.album_id.value);
    if (form.elements.tags.value.trim()) data.append("tags", form.elements.tags.value);
    request.upload.addEventListener("progress", (event) => {
      sent += event.loaded - entry.sent;
      entry.sent = event.loaded;
      entry.bar.value = event.loaded / event.total;
      say();
    });
    request.addEventListener("loadend", () => finish(entry, request));
    request.open("POST", form.dataset.api);
    request.setRequestHeader("X-CSRFToken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    request.send(data);
  };

  // Files by themselves, or [file, folder]: of a folder that was chosen each file tells its path.
  const take = (files) => {
    for (const own of files) {
      const [file, folder] = Array.isArray(own) ? own : [own, own.webkitRelativePath?.split("/").at(-2)];
      if (!file.name.startsWith(".")) waiting.push(line(file, folder));
    }
    next();
  };
  these.addEventListener("click", () => {
    for (const pick of list.querySelectorAll(".pick")) if (!pick.checked) pick.click();
  });

  pause.addEventListener("click", () => { paused = !paused; next(); });
  retry.addEventListener("click", () => { waiting.push(...failed.splice(0)); next(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    if (event.target.type !== "file") return;
    take([...event.target.files]);
    event.target.value = "";
  });

  // Files of a dropped folder, and of the folders in it.
  const inside = async (entry, folder = "") => {
    if (entry.isFile) return [[await new Promise((found, lost) => entry.file(found, lost)), folder]];
    const reader = entry.createReader(), files = [];
    for (;;) {
      const some = await new Promise((found, lost) => reader.readEntries(found, lost));
      if (!some.length) return files;
      for (const own of some) files.push(...await inside(own, entry.name));
    }
  };
  document.addEventListener("drop", async (event) => {
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.length) return take([...event.dataTransfer.files]);
    for (const entry of entries) take(await inside(entry));
  });
  window.addEventListener("beforeunload", (event) => { if (waiting.length || running) event.preventDefault(); });
})();
