// One picture: zoom by wheel, pinch, double click and keys; a swipe leads to the next one.
(() => {
  const frame = document.querySelector("[data-viewer]");
  if (!frame) return;
  const picture = frame.querySelector("img");
  const MOST = 8;
  let scale = 1, x = 0, y = 0, pinch = 0, began = null;
  const fingers = new Map();

  const show = () => {
    if (scale <= 1) [scale, x, y] = [1, 0, 0];
    picture.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    frame.classList.toggle("zoomed", scale > 1);
    // The thumbnail is not sharp enough any more: the file itself is, where browsers can show it.
    if (scale > 1.5 && picture.dataset.original) {
      picture.src = picture.dataset.original;
      delete picture.dataset.original;
    }
  };

  // Zoom by a factor and leave the point (in the window) where it is.
  const zoom = (factor, clientX, clientY) => {
    const box = frame.getBoundingClientRect();
    const fromX = clientX - box.x - box.width / 2, fromY = clientY - box.y - box.height / 2;
    const next = Math.min(MOST, Math.max(1, scale * factor));
    x = fromX - ((fromX - x) * next) / scale;
    y = fromY - ((fromY - y) * next) / scale;
    scale = next;
    show();
  };
  const middle = () => {
    const box = frame.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };

  frame.addEventListener("wheel", (event) => {
    if (scale === 1 && !event.ctrlKey && event.deltaY > 0) return; // nothing to zoom out of: the page scrolls
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
  }, { passive: false });
  frame.addEventListener("dblclick", (event) => zoom(scale > 1 ? 0 : 2.5, event.clientX, event.clientY));

  frame.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    if (fingers.size === 1) began = event;
    if (scale > 1) frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    fingers.set(event.pointerId, event);
    const [one, two] = [...fingers.values()];
    if (two) {
      const distance = Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
      if (pinch) zoom(distance / pinch, (one.clientX + two.clientX) / 2, (one.clientY + two.clientY) / 2);
      pinch = distance;
      began = null;
    } else if (scale > 1) {
      x += event.clientX - before.clientX;
      y += event.clientY - before.clientY;
      show();
    }
  });
  const up = (event) => {
    fingers.delete(event.pointerId);
    pinch = 0;
    if (event.type === "pointerup" && began?.pointerId === event.pointerId && event.pointerType !== "mouse" && scale === 1) {
      const across = event.clientX - began.clientX;
      if (Math.abs(across) > 60 && Math.abs(event.clientY - began.clientY) < 60)
        document.querySelector(`.around [rel=${across < 0 ? "next" : "prev"}]`)?.click();
    }
  };
  frame.addEventListener("pointerup", up);
  frame.addEventListener("pointercancel", up);
  picture.addEventListener("dragstart", (event) => scale > 1 && event.preventDefault());

  document.addEventListener("keydown", (event) => {
    if (event.target.closest?.("input, textarea, select") || event.ctrlKey || event.metaKey) return;
    if (event.key === "+" || event.key === "=") zoom(1.4, ...middle());
    else if (event.key === "-") zoom(1 / 1.4, ...middle());
    else if (event.key === "0") zoom(0, ...middle());
  });
})();
