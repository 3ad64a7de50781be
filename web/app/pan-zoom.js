// Moving and zooming a picture in an element: by mouse and wheel, by two fingers, and by calls. One finger is left to the page.

const clickDistance = 4; // pixels that a click may move
const animation = 350; // milliseconds

export class PanZoom {
  x = 0; // where the picture's origin is, in pixels of the element
  y = 0;
  k = 1; // pixels for each unit of the picture
  dragged = false; // whether what ends now was more than a click

  #element;
  #changed;
  #pointers = new Map(); // those that are down: pointerId -> { x, y }
  #limits = { scale: [0, Infinity], box: undefined, size: { width: 0, height: 0 } };
  #animated; // the number of the frame that is asked for

  // changed is called with whether a person did it.
  constructor(element, changed) {
    this.#element = element;
    this.#changed = changed;
    element.addEventListener('pointerdown', (event) => this.#down(event));
    element.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel']) element.addEventListener(end, ({ pointerId }) => this.#pointers.delete(pointerId));
    element.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    // Two fingers are for the picture.
    for (const touch of ['touchstart', 'touchmove']) element.addEventListener(touch, (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });
  }

  // limit keeps the scale within bounds, and the middle of the element within a box of the picture.
  limit(scale, box, size) {
    this.#limits = { scale, box, size };
  }

  // fit shows a box as large as it gets with a margin around it, in steps if animated.
  fit(box, k, animated) {
    const { width, height } = this.#limits.size;
    const from = { x: (width / 2 - this.x) / this.k, y: (height / 2 - this.y) / this.k, k: this.k };
    const to = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2, k };
    cancelAnimationFrame(this.#animated);
    const show = (part) => {
      const mix = (name) => from[name] + (to[name] - from[name]) * part;
      const scale = from.k * (to.k / from.k) ** part;
      this.#set(width / 2 - mix('x') * scale, height / 2 - mix('y') * scale, scale, false);
    };
    if (!animated) {
      show(1);
      return;
    }
    const began = performance.now();
    const next = (now) => {
      const part = Math.min(1, Math.max(0, (now - began) / animation));
      show(part * part * (3 - 2 * part));
      if (part < 1) this.#animated = requestAnimationFrame(next);
    };
    this.#animated = requestAnimationFrame(next);
  }

  // scaleBy zooms around a place of the element, by default its middle.
  scaleBy(factor, x = this.#limits.size.width / 2, y = this.#limits.size.height / 2) {
    cancelAnimationFrame(this.#animated);
    const [least, most] = this.#limits.scale;
    const k = Math.min(most, Math.max(least, this.k * factor));
    this.#set(x - ((x - this.x) * k) / this.k, y - ((y - this.y) * k) / this.k, k, true);
  }

  moveBy(dx, dy) {
    cancelAnimationFrame(this.#animated);
    this.#set(this.x + dx, this.y + dy, this.k, true);
  }

  #set(x, y, k, byPerson) {
    const { box, size } = this.#limits;
    const within = (at, half, low, high) => half - k * Math.min(high, Math.max(low, (half - at) / k));
    this.x = box ? within(x, size.width / 2, box.left, box.right) : x;
    this.y = box ? within(y, size.height / 2, box.top, box.bottom) : y;
    this.k = k;
    this.#changed(byPerson);
  }

  #down({ pointerId, pointerType, button, offsetX: x, offsetY: y }) {
    if (this.#pointers.size === 0) this.dragged = false;
    if (button) return;
    this.#pointers.set(pointerId, { x, y, startX: x, startY: y });
    if (pointerType === 'mouse') this.#element.setPointerCapture(pointerId);
  }

  #move({ pointerId, pointerType, offsetX: x, offsetY: y }) {
    const was = this.#pointers.get(pointerId);
    if (!was) return;
    const other = [...this.#pointers].find(([id]) => id !== pointerId)?.[1];
    if (!other && (pointerType === 'touch' || (!this.dragged && Math.hypot(x - was.startX, y - was.startY) < clickDistance))) return;
    this.dragged = true;
    const now = { ...was, x, y };
    this.#pointers.set(pointerId, now);
    if (!other) {
      this.moveBy(x - was.x, y - was.y);
      return;
    }
    const span = (a) => Math.max(1, Math.hypot(a.x - other.x, a.y - other.y));
    this.moveBy((x - was.x) / 2, (y - was.y) / 2);
    this.scaleBy(span(now) / span(was), (x + other.x) / 2, (y + other.y) / 2);
  }

  #wheel(event) {
    // Without Ctrl, which a pinch on a touchpad sets, the page scrolls, unless the picture has the focus.
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.#element) return;
    event.preventDefault();
    const pixels = event.deltaY * [1, 20, 400][event.deltaMode];
    this.scaleBy(2 ** (-pixels * (event.ctrlKey ? 0.01 : 0.002)), event.offsetX, event.offsetY);
  }
}
