// An album's pictures are dragged to their places. Without it, the buttons under each do the same.
(() => {
  const grid = document.querySelector("[data-arrange]");
  if (!grid) return;
  let dragged = null;
  for (const figure of grid.querySelectorAll("figure")) {
    figure.draggable = true;
    figure.addEventListener("dragstart", (event) => {
      dragged = figure;
      event.dataTransfer.effectAllowed = "move";
    });
    figure.addEventListener("dragover", (event) => dragged && event.preventDefault());
    figure.addEventListener("drop", (event) => {
      event.preventDefault();
      if (!dragged || dragged === figure) return;
      const form = dragged.querySelector("form");
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "place", value: figure.dataset.image }));
      form.submit();
    });
  }
})();
