// The map in the page: what people do with it. It is drawn in the model worker.

import { transfer } from 'comlink';
import { select } from 'd3-selection';
import { zoom, zoomIdentity, zoomTransform } from 'd3-zoom';

import { byId, element } from './dom.js';
import { count } from './format.js';

const canvas = byId('map');
const area = byId('map-area');
const tip = byId('map-tip');
const goTo = byId('go-to');
const margin = 24; // pixels around what is fitted

let model;
let onSelect;
let size = { width: 0, height: 0 };
let extent; // { box, groups }
let touched = false; // by someone who may not want it to move by itself
let sent = false; // whether a view is on its way

const zooming = zoom()
  .filter((event) => !event.button && (event.type !== 'wheel' || event.ctrlKey || event.metaKey || document.activeElement === canvas))
  .clickDistance(4)
  .on('zoom', ({ sourceEvent }) => {
    if (sourceEvent) touched = true;
    tip.hidden = true;
    if (!sent) requestAnimationFrame(sendView);
    sent = true;
  });
const target = select(canvas);

export function startMap(given, selectPeer) {
  model = given;
  onSelect = selectPeer;
  if (!canvas.transferControlToOffscreen) {
    byId('map-problem').hidden = false;
    canvas.hidden = true;
    return;
  }
  const offscreen = canvas.transferControlToOffscreen();
  model.setCanvas(transfer(offscreen, [offscreen]));
  sendTheme();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', sendTheme);
  matchMedia('(prefers-contrast: more)').addEventListener('change', sendTheme);
  target.call(zooming).on('dblclick.zoom', null);
  new ResizeObserver(resize).observe(area);
}

function sendTheme() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = { back: 'card', disc: 'sunken', line: 'line', text: 'text', soft: 'soft', accent: 'accent', relay: 'relay', online: 'live', offline: 'idle', expired: 'danger', faded: 'faded' };
  model.setTheme({ font: 'system-ui, sans-serif', ...Object.fromEntries(Object.entries(names).map(([key, name]) => [key, color(name)])) });
}

function resize() {
  size = { width: Math.round(area.clientWidth), height: Math.round(area.clientHeight) };
  zooming.extent([[0, 0], [size.width, size.height]]);
  if (touched) sendView();
  else fit();
}

function sendView() {
  sent = false;
  const { x, y, k } = zoomTransform(canvas);
  model.setView({ ...size, ratio: devicePixelRatio, x, y, k });
}

// showMap follows a new network map.
export async function showMap() {
  extent = await model.extent();
  const peers = extent.groups.reduce((sum, group) => sum + group.peers, 0);
  canvas.setAttribute('aria-label', `Map of the network: this device, and ${count(peers, 'peer')} in ${count(extent.groups.length, 'group')}. The table of peers has all of it.`);
  const names = extent.groups.map(({ key, peers: n }) => `${key} (${n.toLocaleString()})`);
  if (goTo.choices !== names.join('\n')) {
    goTo.choices = names.join('\n');
    const chosen = goTo.value;
    goTo.replaceChildren(goTo.options[0], ...extent.groups.map(({ key }, i) => Object.assign(element('option', names[i]), { value: key })));
    goTo.value = chosen;
    if (goTo.selectedIndex < 0) goTo.value = '';
  }
  if (touched) limit();
  else fit();
}

function limit() {
  const { left, right, top, bottom } = extent.box;
  const smallest = scaleFor(extent.box);
  zooming.scaleExtent([smallest * 0.6, Math.max(40, smallest)]).translateExtent([[2 * left, 2 * top], [2 * right, 2 * bottom]]);
}

const scaleFor = ({ left, right, top, bottom }) =>
  Math.min(24, Math.max(1e-3, Math.min((size.width - 2 * margin) / (right - left), (size.height - 2 * margin) / (bottom - top))));

function fit() {
  if (!extent || !size.width) return;
  limit();
  moveTo(extent.box, false);
  touched = false;
  goTo.value = '';
}

// moveTo shows a box as large as it gets.
function moveTo(box, animated = true) {
  const transform = zoomIdentity
    .translate(size.width / 2, size.height / 2)
    .scale(scaleFor(box))
    .translate(-(box.left + box.right) / 2, -(box.top + box.bottom) / 2);
  const still = !animated || matchMedia('(prefers-reduced-motion: reduce)').matches;
  (still ? target : target.transition().duration(450)).call(zooming.transform, transform);
}

const around = ({ x, y, r }) => ({ left: x - r, right: x + r, top: y - r, bottom: y + r });

// showOnMap moves to a peer.
export async function showOnMap(id) {
  const place = await model.whereIs(id);
  if (!place) return;
  touched = true;
  moveTo(around({ ...place, r: 14 }));
  canvas.scrollIntoView({ block: 'nearest' });
}

export const markOnMap = (id) => model.select(id);

// What people do

byId('group-by').addEventListener('change', async ({ target: { value } }) => {
  await model.groupBy(value);
  touched = false;
  await showMap();
});
goTo.addEventListener('change', () => {
  const group = extent.groups.find(({ key }) => key === goTo.value);
  touched = true;
  moveTo(group ? around(group) : extent.box);
});
byId('zoom-in').addEventListener('click', () => zoomBy(1.6));
byId('zoom-out').addEventListener('click', () => zoomBy(1 / 1.6));
byId('zoom-fit').addEventListener('click', fit);

function zoomBy(factor) {
  touched = true;
  target.call(zooming.scaleBy, factor);
}

canvas.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const step = 60 / zoomTransform(canvas).k;
  const move = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
  if (move) {
    touched = true;
    target.call(zooming.translateBy, ...move);
  } else if (event.key === '+' || event.key === '=') zoomBy(1.6);
  else if (event.key === '-') zoomBy(1 / 1.6);
  else if (event.key === '0') fit();
  else return;
  event.preventDefault();
});

let pointing = 0; // the newest question of what is under the pointer
canvas.addEventListener('pointermove', async ({ offsetX, offsetY, buttons }) => {
  if (buttons) return;
  const mine = ++pointing;
  const found = await model.pick(offsetX, offsetY);
  if (mine !== pointing) return;
  canvas.style.cursor = found ? 'pointer' : '';
  model.hover(found?.id);
  tip.hidden = !found?.id;
  if (!found?.id) return;
  tip.textContent = found.text;
  tip.style.left = `${Math.min(offsetX + 14, size.width - tip.offsetWidth - 4)}px`;
  tip.style.top = `${Math.min(offsetY + 14, size.height - tip.offsetHeight - 4)}px`;
});
canvas.addEventListener('pointerleave', () => {
  pointing++;
  tip.hidden = true;
  model.hover(undefined);
});
canvas.addEventListener('click', async ({ offsetX, offsetY }) => {
  const found = await model.pick(offsetX, offsetY);
  if (found?.id) onSelect(found.id);
  else if (found) {
    touched = true;
    goTo.value = found.group;
    moveTo(around(found));
  }
});
