// The map in the page: what people do with it. It is drawn in the model worker.

import { transfer } from 'comlink';

import { count } from './format.js';
import { statusOf } from './knowledge.js';
import { PanZoom } from './pan-zoom.js';
import { filterBy, go, route } from './route.js';
import { byId, frame, html, render, repeat, setText } from './templates.js';

const canvas = byId('map');
const area = byId('map-area');
const tip = byId('map-tip');
const goTo = byId('go-to');
const groupBy = byId('group-by');
const margin = 24; // pixels around what is fitted

/** @type {import('./types').ModelWorker} */
let model;
let size = { width: 0, height: 0 };
/** @type {{ box: import('./types').Box, groups: import('./types').Group[] }} */
let extent; // { box, groups }
let current; // whether what is shown is so now
let touched = false; // by someone who may not want it to move by itself
let sent = false; // whether a view is on its way

const picture = new PanZoom(canvas, (byPerson) => {
  if (byPerson) touched = true;
  tip.hidden = true;
  if (!sent) requestAnimationFrame(sendView);
  sent = true;
});

export function startMap(given) {
  model = given;
  if (!canvas.transferControlToOffscreen) {
    byId('map-problem').hidden = false;
    canvas.hidden = true;
    return;
  }
  const offscreen = canvas.transferControlToOffscreen();
  model.setCanvas(transfer(offscreen, [offscreen]));
  sendTheme();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', sendTheme);
  for (const query of ['(prefers-contrast: more)', '(forced-colors: active)']) matchMedia(query).addEventListener('change', sendTheme);
  groupBy.value = route.by;
  if (route.by !== 'relay') model.groupBy(route.by);
  new ResizeObserver(resize).observe(area);
}

// showCurrentOnMap follows whether what is shown is so now.
export function showCurrentOnMap(isCurrent) {
  current = isCurrent;
  setText('key-online', statusOf({ status: 'online' }, current));
  sendTheme();
}

// sendTheme has the map drawn in the colours of the page.
export function sendTheme() {
  const color = (name) => {
    canvas.style.color = `var(--${name})`; // which makes an RGB colour of whatever it is: the worker knows no others for sure
    return getComputedStyle(canvas).color;
  };
  const names = { back: 'card', disc: 'sunken', line: 'line', text: 'text', soft: 'soft', accent: 'accent', relay: 'relay', online: current ? 'live' : 'soft', offline: 'idle', expired: 'danger', faded: 'faded' };
  model.setTheme({ font: 'system-ui, sans-serif', ...Object.fromEntries(Object.entries(names).map(([key, name]) => [key, color(name)])) });
}

function resize() {
  if (!area.clientWidth) return; // it isn't shown
  size = { width: Math.round(area.clientWidth), height: Math.round(area.clientHeight) };
  if (!touched) fit();
  else if (extent) limit();
  sendView();
}

function sendView() {
  sent = false;
  const { x, y, k } = picture;
  model.setView({ ...size, ratio: devicePixelRatio, x, y, k });
}

// showMap follows a new network map, or another way to divide it; isCurrent is whether it is so now.
export async function showMap(isCurrent = current) {
  if (current !== isCurrent) showCurrentOnMap(isCurrent);
  extent = await model.extent();
  const peers = extent.groups.reduce((sum, group) => sum + group.peers, 0);
  canvas.setAttribute('aria-label', `Map of the network: this device, and ${count(peers, 'peer')} in ${count(extent.groups.length, 'group')}. The table of peers has all of it.`);
  const chosen = goTo.value;
  render(repeat(extent.groups, ({ key }) => key, ({ key, label, peers: n }) => html`<option value=${`=${key}`}>${label} (${n.toLocaleString()})</option>`), goTo);
  goTo.value = chosen;
  if (goTo.selectedIndex < 0) goTo.value = '';
  if (touched) limit();
  else fit();
}

function limit() {
  const smallest = scaleFor(extent.box);
  picture.limit([smallest * 0.6, Math.max(40, smallest)], extent.box, size);
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
  picture.fit(box, scaleFor(box), animated && !matchMedia('(prefers-reduced-motion: reduce)').matches);
}

const around = ({ x, y, r }) => ({ left: x - r, right: x + r, top: y - r, bottom: y + r });

// showOnMap moves to a peer.
export async function showOnMap(id) {
  const place = await model.whereIs(id);
  if (!place) return;
  if (!canvas.offsetParent) {
    go({ view: 'map' });
    await frame();
    resize();
  }
  touched = true;
  moveTo(around({ ...place, r: 14 }));
  canvas.scrollIntoView({ block: 'nearest' });
}

export const markOnMap = (id) => model.select(id);

// What people do

groupBy.addEventListener('change', () => go({ by: groupBy.value }));

// followGrouping divides the map as the address tells.
export async function followGrouping() {
  groupBy.value = route.by;
  await model.groupBy(route.by);
  touched = false;
  await showMap();
}

goTo.addEventListener('change', () => {
  const group = extent.groups.find(({ key }) => `=${key}` === goTo.value);
  touched = true;
  moveTo(group ? around(group) : extent.box);
});
byId('zoom-in').addEventListener('click', () => zoomBy(1.6));
byId('zoom-out').addEventListener('click', () => zoomBy(1 / 1.6));
byId('zoom-fit').addEventListener('click', fit);

function zoomBy(factor) {
  picture.scaleBy(factor);
}

canvas.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const step = 60;
  const move = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
  if (move) picture.moveBy(...move);
  else if (event.key === '+' || event.key === '=') zoomBy(1.6);
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
  tip.hidden = !found;
  if (!found) return;
  const { text, status, peers, online } = found;
  tip.textContent = [...text, status ? statusOf({ status }, current) : `${count(peers, 'peer')}, ${online.toLocaleString()} ${statusOf({ status: 'online' }, current)}`].join('\n');
  tip.style.left = `${Math.min(offsetX + 14, size.width - tip.offsetWidth - 4)}px`;
  tip.style.top = `${Math.min(offsetY + 14, size.height - tip.offsetHeight - 4)}px`;
});
canvas.addEventListener('pointerleave', () => {
  pointing++;
  tip.hidden = true;
  model.hover(undefined);
});
canvas.addEventListener('click', async ({ offsetX, offsetY }) => {
  if (picture.dragged) return;
  const found = await model.pick(offsetX, offsetY);
  if (found?.id) {
    go({ peer: found.id });
  } else if (found) {
    touched = true;
    goTo.value = `=${found.group}`;
    moveTo(around(found));
    if (found.group && found.group !== 'others') go({ ...filterBy(route.by, found.group), view: route.view, peer: route.peer });
  }
});
