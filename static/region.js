// A rectangle drawn on a picture fills the four fields below it, and the fields draw the rectangle.
(() => {
  const frame = document.querySelector("[data-region]");
  if (!frame) return;
  const rectangle = frame.querySelector(".rectangle");
  const fields = ["left", "top", "right", "bottom"].map((name) => document.querySelector(`[name=${name}]`));
  let start = null;

  const show = () => {
    const [left, top, right, bottom] = fields.map((field) => Number(field.value));
    Object.assign(rectangle.style, { left: `${left}%`, top: `${top}%`, width: `${Math.max(right - left, 0)}%`, height: `${Math.max(bottom - top, 0)}%` });
    rectangle.hidden = false;
  };
  const point = (event) => {
    const box = frame.getBoundingClientRect();
    const part = (value, size) => Math.min(100, Math.max(0, (100 * value) / size));
    return [part(event.clientX - box.x, box.width), part(event.clientY - box.y, box.height)];
  };

  frame.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    start = point(event);
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => {
    if (!start) return;
    const end = point(event);
    [[0, 2], [1, 3]].forEach(([least, most], axis) => {
      fields[least].value = Math.min(start[axis], end[axis]).toFixed(1);
      fields[most].value = Math.max(start[axis], end[axis]).toFixed(1);
    });
    show();
  });
  for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => { start = null; });
  for (const field of fields) field.addEventListener("input", show);
  show();
})();
