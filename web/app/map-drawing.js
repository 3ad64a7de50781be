// Draws the map of the network on a canvas, in the worker. What is too small to be seen is left out.

const turn = 2 * Math.PI;
const mostNames = 250; // of peers at a time

// draw draws a layout. View is { width, height, ratio, x, y, k }: the size in pixels of the page, pixels of the screen for each, and
// where and how large the layout is. Marks is { found, selected, hovered, self, home }.
export function draw(context, layout, view, marks, theme) {
  const { width, height, ratio, x, y, k } = view;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const place = (group) => ({ group, cx: x + k * group.x, cy: y + k * group.y, cr: k * group.r });
  const all = layout.groups.map(place);
  const visible = all.filter(({ cx, cy, cr }) => cx + cr > 0 && cx - cr < width && cy + cr > 0 && cy - cr < height);

  drawLinks(context, all, view, marks, theme);
  drawCircles(context, visible, theme);
  drawPeers(context, visible, view, marks, theme);
  drawMarked(context, layout, view, marks, theme);
  const taken = [];
  drawSelf(context, view, marks, theme, taken);
  drawGroupNames(context, visible, view, marks, theme, taken);
  drawPeerNames(context, visible, view, marks, theme, taken);
}

function drawLinks(context, all, { x, y }, { home }, theme) {
  for (const { group, cx, cy } of all) {
    if (group.rows.length === 0 && group.key !== home) continue;
    context.strokeStyle = group.key === home ? theme.accent : theme.line;
    context.lineWidth = group.key === home ? 2.5 : 1;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(cx, cy);
    context.stroke();
  }
}

function drawCircles(context, visible, theme) {
  for (const { cx, cy, cr } of visible) {
    context.fillStyle = theme.disc;
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    circle(context, cx, cy, cr);
    context.fill();
    context.stroke();
  }
}

// drawPeers tells statuses apart by shape as well as colour, where there is room: online is a disc, offline a ring, expired a cross.
function drawPeers(context, visible, { width, height, ratio, k }, { found }, theme) {
  const radius = Math.max(0.6, k);
  const shaped = radius * ratio >= 2.5;
  const paths = { online: new Path2D(), offline: new Path2D(), expired: new Path2D(), faded: new Path2D() };
  for (const { group, cx, cy } of visible) {
    for (let i = 0; i < group.rows.length; i++) {
      const px = cx + k * group.xs[i];
      const py = cy + k * group.ys[i];
      if (px < -radius || py < -radius || px > width + radius || py > height + radius) continue;
      const row = group.rows[i];
      const kind = found && !found.has(row.id) ? 'faded' : row.status;
      mark(paths[kind], shaped ? kind : 'speck', px, py, radius);
    }
  }
  for (const [kind, path] of Object.entries(paths)) {
    context.fillStyle = context.strokeStyle = theme[kind];
    context.lineWidth = Math.max(1.5, radius * 0.4);
    if (shaped && (kind === 'offline' || kind === 'expired')) context.stroke(path);
    else context.fill(path);
  }
}

// mark adds the mark of a peer to a path.
function mark(path, kind, x, y, r) {
  if (kind === 'speck') {
    path.rect(x - r, y - r, 2 * r, 2 * r);
  } else if (kind === 'expired') {
    const arm = 0.7 * r;
    path.moveTo(x - arm, y - arm);
    path.lineTo(x + arm, y + arm);
    path.moveTo(x + arm, y - arm);
    path.lineTo(x - arm, y + arm);
  } else {
    const inner = kind === 'offline' ? 0.8 * r : r; // the line of a ring takes the rest
    path.moveTo(x + inner, y);
    path.arc(x, y, inner, 0, turn);
  }
}

function drawMarked(context, layout, { x, y, k }, { selected, hovered }, theme) {
  for (const [id, color, margin] of [[hovered, theme.text, 2], [selected, theme.accent, 3]]) {
    const place = layout.byID.get(id);
    if (!place) continue;
    const { group, i } = place;
    const px = x + k * (group.x + group.xs[i]);
    const py = y + k * (group.y + group.ys[i]);
    if (id === selected) {
      context.strokeStyle = color;
      context.lineWidth = 1.5;
      context.setLineDash([4, 3]);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + k * group.x, y + k * group.y);
      context.lineTo(px, py);
      context.stroke();
      context.setLineDash([]);
    }
    context.strokeStyle = color;
    context.lineWidth = 2;
    circle(context, px, py, Math.max(4, k) + margin);
    context.stroke();
  }
}

function drawSelf(context, { x, y, k }, { self }, theme, taken) {
  const size = Math.max(7, Math.min(18, 3.5 * k));
  context.fillStyle = theme.accent;
  circle(context, x, y, size);
  context.fill();
  context.fillStyle = theme.back;
  circle(context, x, y, size * 0.42);
  context.fill();
  context.font = `600 12px ${theme.font}`;
  name(context, self, x, y + size + 12, theme.text, theme, taken, true);
}

// drawGroupNames writes the name of a group above or below its circle, where it crosses neither another circle nor another name: of
// this device's relay first, and then of the largest.
function drawGroupNames(context, visible, { width, k }, { home }, theme, taken) {
  const ranked = [...visible].sort((a, b) => Number(b.group.key === home) - Number(a.group.key === home) || b.cr - a.cr);
  for (const { group, cx, cy, cr } of ranked) {
    const size = Math.max(2, Math.min(9, 1.4 * k));
    context.fillStyle = theme.relay;
    context.beginPath();
    context.moveTo(cx, cy - size);
    context.lineTo(cx + size, cy);
    context.lineTo(cx, cy + size);
    context.lineTo(cx - size, cy);
    context.fill();
    if (cr < 12) continue;
    context.font = `${cr < 40 ? 11 : 13}px ${theme.font}`;
    const share = cr >= 40 && group.rows.length > 0 ? `  ${group.online.toLocaleString()}/${group.rows.length.toLocaleString()}` : '';
    const label = short(group.label, 28);
    const others = visible.filter((other) => other.group !== group);
    const write = (text, y) => name(context, text, inside(context, text, cx, width), y, theme.soft, theme, taken, false, others);
    [label + share, label].some((text) => write(text, cy - cr - 4) || write(text, cy + cr + 13));
  }
}

function drawPeerNames(context, visible, { width, height, k }, { found, selected, hovered }, theme, taken) {
  const wanted = (id) => id === selected || id === hovered;
  const close = k >= 9;
  let names = 0;
  context.font = `11px ${theme.font}`;
  for (const { group, cx, cy } of visible) {
    for (let i = 0; i < group.rows.length; i++) {
      const row = group.rows[i];
      if (!wanted(row.id) && (!close || names >= mostNames || (found && !found.has(row.id)))) continue;
      const px = cx + k * group.xs[i];
      const py = cy + k * group.ys[i];
      if (px < 0 || py < 0 || px > width || py > height) continue;
      if (name(context, short(row.name, 22), px, py + k + 11, theme.text, theme, taken, wanted(row.id))) names++;
    }
  }
}

// inside returns where the middle of a text has to be so that its ends aren't cut off.
function inside(context, text, x, width) {
  const half = context.measureText(text).width / 2 + 2;
  return x < 0 || x > width ? x : Math.min(Math.max(x, half), width - half);
}

// name writes a text where neither another nor one of the circles is, or, if it must, anyway. It reports whether it did.
function name(context, text, x, y, color, theme, taken, must, circles = []) {
  const width = context.measureText(text).width;
  const box = [x - width / 2 - 2, y - 11, x + width / 2 + 2, y + 4];
  if (!must && taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) return false;
  if (circles.some((other) => crosses(box, other))) return false;
  taken.push(box);
  context.textAlign = 'center';
  context.lineJoin = 'round';
  context.lineWidth = 3;
  context.strokeStyle = theme.back;
  context.strokeText(text, x, y);
  context.fillStyle = color;
  context.fillText(text, x, y);
  return true;
}

// crosses reports whether a box has a part of a circle in it.
function crosses(/** @type {number[]} */ [left, top, right, bottom], { cx, cy, cr }) {
  return Math.hypot(cx - Math.min(Math.max(cx, left), right), cy - Math.min(Math.max(cy, top), bottom)) < cr;
}

function circle(context, x, y, r) {
  context.beginPath();
  context.arc(x, y, r, 0, turn);
}

function short(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
