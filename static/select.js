// Choosing pictures, and what is done with them: at once and in place, so that nobody loses where they were.
(() => {
  const IN_PLACE = ["add", "remove", "tag", "untag", "favourite", "trash", "restore", "purge", "date", "place", "turn-left", "turn-right"];
  const MOST = 500;
  const picks = () => [...document.querySelectorAll(".pick")];
  const bar = () => document.querySelector("#selection");

  // The bar for chosen pictures comes when there are some, and says how many. Shift chooses all from the last one on.
  let last = null;
  const count = () => {
    const form = bar();
    if (!form) return;
    const chosen = picks().filter((pick) => pick.checked).length;
    form.classList.toggle("some", chosen > 0);
    form.querySelector("[data-chosen]").textContent = interpolate(ngettext("%s selected", "%s selected", chosen), [chosen]);
  };
  document.addEventListener("click", (event) => {
    if (event.target.matches(".pick")) {
      const all = picks();
      if (event.shiftKey && all.includes(last)) {
        const [from, to] = [all.indexOf(last), all.indexOf(event.target)].sort((a, b) => a - b);
        for (const pick of all.slice(from, to + 1)) pick.checked = event.target.checked;
      }
      last = event.target;
    } else if (event.target.matches("[data-clear]")) {
      for (const pick of picks()) pick.checked = false;
    } else if (event.target.matches("[data-all]")) {
      picks().forEach((pick, number) => { pick.checked = number < MOST; });
    } else return;
    count();
  });
  window.addEventListener("pageshow", count); // a page that one came back to has its choices still
  document.addEventListener("htmx:afterSwap", count);

  // Tiles that were taken off, by their pictures' numbers, and where they stood: Undo puts them back.
  let off = [];
  const takeOff = (ids) => {
    off = ids.map((id) => document.querySelector(`#grid .pick[value="${id}"]`)?.closest("#grid > *")).filter(Boolean)
      .map((tile) => {
        const place = document.createComment("");
        tile.querySelector(".pick").checked = false;
        tile.replaceWith(place);
        return { tile, place };
      });
  };
  const putBack = () => {
    for (const { tile, place } of off.splice(0)) place.replaceWith(tile);
  };
  const turn = (id, look) => {
    for (const picture of document.querySelectorAll(`#grid img[src*="/images/${id}/thumbnail/"]`)) {
      const sized = (size) => picture.src.replace(/thumbnail\/.*/, `thumbnail/${size}${look}`);
      picture.srcset = `${sized("small")} 320w, ${sized("medium")} 640w`;
      picture.src = sized("small");
      const tile = picture.closest(".tile"), { width, height } = picture;
      for (const box of [tile, tile.closest("[data-ratio]")]) box.style.setProperty("--ratio", 1e6 / box.dataset.ratio);
      Object.assign(picture, { width: height, height: width });
    }
  };

  const post = async (address, data) => {
    const headers = { "HX-Request": "true", "HX-Current-URL": location.href };
    const answer = await fetch(address, { method: "POST", body: data, headers, redirect: "error" });
    const elsewhere = answer.headers.get("HX-Redirect"); // signed out
    if (elsewhere) location.assign(elsewhere);
    return { isDone: answer.ok, page: new DOMParser().parseFromString(await answer.text(), "text/html"), isElsewhere: Boolean(elsewhere) };
  };

  const act = async (form, button, data) => {
    button.disabled = true;
    try {
      const { isDone, page, isElsewhere } = await post(form.getAttribute("action"), data);
      if (isElsewhere) return;
      const note = page.querySelector(isDone ? ".note" : "main p");
      if (!isDone) return picfusion.say(note?.textContent ?? gettext("Something went wrong. Nothing was changed here."), "error");
      if (form.matches(".undo")) putBack();
      const gone = note.dataset.gone?.split(" ") ?? [];
      if (gone.length) takeOff(gone);
      const turned = (note.dataset.turned ?? "").trim().split(" ").filter(Boolean).map((one) => one.split(/:(.*)/s));
      for (const [id, look] of turned) turn(id, look);
      picfusion.say(note);
      for (const menu of document.querySelectorAll("#selection .menu[open]")) menu.open = false;
      for (const field of document.querySelectorAll("#selection input[name=tag], #selection input[name=new_album]")) field.value = "";
    } catch {
      picfusion.say(gettext("The server can't be reached. Everything here stays as it is; try again."), "error");
    } finally {
      button.disabled = false;
      count();
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    const isUndo = form.matches("#said .undo");
    const isAction = form.matches("#selection") && IN_PLACE.includes(button?.value);
    if (!isUndo && !isAction) return;
    event.preventDefault();
    const data = new FormData(form, button);
    if (isAction && button.value === "add" && !button.parentElement.querySelector("[name=new_album]")) data.delete("new_album");
    if (isAction && !data.has("image")) return;
    act(form, button, data);
  });
})();
