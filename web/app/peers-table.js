// The table of peers: a list of which only the rows in sight exist, asked for piece by piece of the model worker. Rows are known
// by their peers, so that the one that the keyboard is at, or that is chosen, stays it while others come and go.

import { count, duration } from './format.js';
import { statusOf } from './knowledge.js';
import { filters, go, route } from './route.js';
import { badges } from './badges.js';
import { byId, copyButton, filterLink, html, nothing, render, repeat, save, setText } from './templates.js';

const piece = 100; // rows asked for at a time
const overscan = 12; // rows beyond those in sight
const grid = byId('peers');
const head = /** @type {HTMLElement} */ (grid.querySelector('.head'));
const body = byId('peers-rows');
const search = byId('search');

/** @type {import('./types').ModelWorker} */
let model;
let current = false; // whether what is known is so now
/** @type {import('./types').Totals} */
let totals = { peers: 0, rows: 0, matching: 0, online: undefined, moved: 0 };
let pieces = new Map(); // number of a piece -> its rows, or a promise of them
let active; // the stable ID of the row that the keyboard is at
let activeAt = -1; // where it is, or was
let held = false; // rows keep their places, since a pointer is over them

const rowHeight = () => parseFloat(getComputedStyle(body).getPropertyValue('--row-height')) * parseFloat(getComputedStyle(document.documentElement).fontSize);
let height = 40; // of a row, in pixels

export function startTable(given) {
  model = given;
  measure();
  new ResizeObserver(measure).observe(grid);
  grid.addEventListener('scroll', draw, { passive: true });
  showQuestion();
}

function measure() {
  height = rowHeight();
  draw();
}

// question returns what the address asks for.
function question() {
  const { q, sort } = route;
  const descending = sort.startsWith('-');
  return { search: q, sort: sort.replace(/^-/, ''), descending, ...Object.fromEntries(filters.map((field) => [field, route[field]])) };
}

// showPeers shows the newest rows; isCurrent is whether they are so now.
export async function showPeers(given, isCurrent) {
  current = isCurrent;
  await ask(given);
}

// showCurrent follows whether what is shown is so now.
export function showCurrent(isCurrent) {
  if (current === isCurrent) return;
  current = isCurrent;
  showCounts();
  draw();
}

async function ask(given) {
  // What is in sight is asked for before anything old is dropped, so that the rows don't flicker.
  const fresh = new Map();
  const fetch = (n) => askPiece(n).then((rows) => fresh.set(n, rows));
  await Promise.all(piecesInSight(given.rows).map(fetch));
  const at = active ? await model.position(active) : -1;
  if (at >= 0 && at !== activeAt) {
    if (isInSight(activeAt)) grid.scrollTop += (at - activeAt) * height; // what the keyboard is at stays where it is
    activeAt = at;
  } else if (active && at < 0) {
    active = undefined; // gone; the keyboard goes on from its place
  }
  totals = given;
  pieces = fresh;
  showCounts();
  draw();
  await Promise.all(piecesInSight(totals.rows).map(fetchPiece));
}

function showCounts() {
  const { peers, rows, matching, online, moved } = totals;
  const found = matching < peers ? `${count(matching, 'match', 'matches')} of ` : '';
  const up = online === undefined ? '' : `, ${online.toLocaleString()} ${current ? 'online' : online === 1 ? 'was online' : 'were online'}`;
  setText('peers-count', `${found}${count(peers, 'peer')}${up}`);
  grid.setAttribute('aria-rowcount', String(rows + 1));
  byId('no-match').hidden = rows > 0 || peers === 0;
  byId('reset').disabled = !route.q && filters.every((field) => !route[field]);
  const moves = byId('moved');
  moves.hidden = !moved;
  setText('moved', moved ? `${count(moved, 'row')} to move` : '');
}

const pieceOf = (index) => Math.floor(index / piece);
const askPiece = (n) => model.rows(n * piece, (n + 1) * piece);

// inSight returns the first row that is drawn, and the one after the last, of a number of rows.
function inSight(rows = totals.rows) {
  const first = Math.floor(grid.scrollTop / height);
  const from = Math.min(Math.max(0, first - overscan), Math.max(0, rows - 1));
  return [from, Math.min(rows, first + Math.ceil(grid.clientHeight / height) + overscan)];
}

function piecesInSight(rows) {
  const [from, to] = inSight(rows);
  return to > from ? Array.from({ length: pieceOf(to - 1) - pieceOf(from) + 1 }, (_, i) => pieceOf(from) + i) : [];
}

const isInSight = (index) => index >= 0 && index * height >= grid.scrollTop - height && index * height < grid.scrollTop + grid.clientHeight;

let asked = 0;
async function find() {
  const mine = ++asked;
  held = false;
  const found = await model.find(question());
  if (mine !== asked) return;
  grid.scrollTop = 0;
  [active, activeAt] = [undefined, -1];
  await ask(found);
  setText('said', count(found.matching, 'match', 'matches'));
}

function fetchPiece(n) {
  const into = pieces;
  if (!into.has(n)) {
    into.set(n, askPiece(n).then((rows) => {
      into.set(n, rows);
      if (into === pieces) draw();
    }));
  }
  return into.get(n);
}

function rowAt(index) {
  const known = pieces.get(pieceOf(index));
  return Array.isArray(known) ? known[index % piece] : undefined;
}

// draw makes the rows in sight.
export function draw() {
  if (!model) return;
  const [from, to] = inSight();
  const rows = Array.from({ length: Math.max(0, to - from) }, (_, i) => {
    fetchPiece(pieceOf(from + i));
    return { index: from + i, peer: rowAt(from + i) };
  });
  body.style.height = `${totals.rows * height}px`;
  render(repeat(rows, ({ index, peer }) => peer?.id ?? index, ({ index, peer }) => (peer ? row(peer, index) : blank(index))), body);
  const at = document.getElementById(`peer-row-${activeAt}`);
  if (active && at) grid.setAttribute('aria-activedescendant', at.id);
  else grid.removeAttribute('aria-activedescendant');
}

const blank = (index) => html`<div role="row" aria-rowindex=${index + 2} data-index=${index} .style=${place(index)}><span role="gridcell"> </span></div>`;

const place = (index) => `transform: translateY(${index * height}px)`;

/** @param {import('./types').Row} peer */
const row = (peer, index) => html`<div role="row" id=${`peer-row-${index}`} data-id=${peer.id} data-index=${index} aria-rowindex=${index + 2}
  aria-selected=${peer.id === route.peer} class=${`${peer.id === active ? 'active' : ''} ${peer.status === 'gone' ? 'gone' : ''}`} .style=${place(index)}>
  <span role="gridcell" class="name"><span class="text" title=${peer.name}>${peer.name}</span>${badges(peer.badges)}${copyButton(peer.name, `name ${peer.name}`, '-1')}</span>
  <span role="gridcell" class="address"><span class="text">${peer.address}</span>${peer.address ? copyButton(peer.address, `address ${peer.address}`, '-1') : nothing}</span>
  <span role="gridcell" class="holder">${holder(peer)}</span>
  <span role="gridcell" class="system">${peer.system}</span>
  <span role="gridcell" class="relay">${peer.relay ? filterLink('relay', peer.relay, peer.relayName, '-1') : nothing}</span>
  <span role="gridcell" class=${`status ${peer.status}`}>${statusText(peer)}</span>
</div>`;

function holder({ tag, owner, holder: name }) {
  if (tag.length > 0) return tag.map((one, i) => html`${i > 0 ? ', ' : ''}${filterLink('tag', one, one, '-1')}`);
  return owner ? filterLink('owner', owner, name, '-1') : nothing;
}

function statusText(peer) {
  return peer.status === 'offline' && peer.seen ? `offline ${duration(Date.now() - peer.seen)}` : statusOf(peer, current);
}

// What people do

// choose opens the details of a peer.
const choose = (id) => id && go({ peer: id });

body.addEventListener('click', ({ target }) => {
  const chosen = target.closest('[data-id]');
  if (!chosen || target.closest('a, button')) return;
  active = chosen.dataset.id;
  activeAt = Number(chosen.dataset.index);
  choose(active);
});

// step moves the keyboard to another row, and the details with it if they are open.
export async function step(by) {
  if (totals.rows === 0) return;
  if (route.peer && active !== route.peer) {
    const at = await model.position(route.peer);
    if (at >= 0) activeAt = at;
  }
  await moveTo(activeAt + by);
}

async function moveTo(index) {
  activeAt = Math.min(Math.max(index, 0), totals.rows - 1);
  active = rowAt(activeAt)?.id;
  const top = activeAt * height;
  const room = grid.clientHeight - head.offsetHeight;
  if (top < grid.scrollTop) grid.scrollTop = top;
  else if (top + height > grid.scrollTop + room) grid.scrollTop = top + height - room;
  if (!active) {
    const mine = activeAt;
    await fetchPiece(pieceOf(activeAt));
    if (mine !== activeAt) return;
    active = rowAt(activeAt)?.id;
  }
  draw();
  if (route.peer) choose(active);
}

grid.addEventListener('keydown', (event) => {
  if (event.target !== grid || event.ctrlKey || event.altKey || event.metaKey) return;
  const page = Math.max(1, Math.floor(grid.clientHeight / height) - 1);
  const to = { ArrowDown: activeAt + 1, ArrowUp: activeAt - 1, PageDown: activeAt + page, PageUp: activeAt - page, Home: 0, End: totals.rows - 1 }[event.key];
  if (to !== undefined && totals.rows > 0) moveTo(to);
  else if ((event.key === 'Enter' || event.key === ' ') && active) choose(active);
  else return;
  event.preventDefault();
});

// While a pointer is over the rows none of them moves. What would have is shown when it leaves, or when that is asked for.
async function hold(wanted) {
  if (held === wanted || !model) return;
  held = wanted;
  const given = await model.hold(wanted);
  if (held === wanted && !wanted) await ask(given);
}
body.addEventListener('pointerenter', ({ pointerType }) => pointerType !== 'touch' && hold(true));
body.addEventListener('pointerleave', () => hold(false));
byId('moved').addEventListener('click', () => hold(false));

grid.addEventListener('click', ({ target }) => {
  const header = target.closest('[data-sort]');
  if (header) go({ sort: route.sort === header.dataset.sort ? `-${header.dataset.sort}` : header.dataset.sort });
});

search.addEventListener('input', () => go({ q: search.value.trim() }));
const selects = /** @type {HTMLSelectElement[]} */ ([...document.querySelectorAll('[data-filter]')]);
for (const filter of selects) filter.addEventListener('change', () => go({ [filter.dataset.filter]: filter.value }));
for (const id of ['reset', 'reset-too']) {
  byId(id).addEventListener('click', () => {
    go({ q: '', ...Object.fromEntries(filters.map((field) => [field, ''])) });
    search.focus();
  });
}
for (const kind of ['csv', 'json']) {
  byId(`list-${kind}`).addEventListener('click', async () => save(await model.list(kind), `peers-${new Date().toISOString().slice(0, 10)}.${kind}`));
}

// followRoute asks for what the address tells, if that is something else than before.
export function followRoute(before) {
  if (['q', 'sort', ...filters].some((field) => route[field] !== before[field])) {
    showQuestion();
    find();
  } else {
    draw();
  }
}

// askFirst asks what the address asked for when the page was opened.
export const askFirst = () => (filters.some((field) => route[field]) || route.q || route.sort !== 'name' ? find() : undefined);

// showQuestion shows in the fields and headers what the address asks for.
function showQuestion() {
  const { sort, descending } = question();
  for (const header of /** @type {NodeListOf<HTMLElement>} */ (grid.querySelectorAll('[data-sort]'))) {
    if (header.dataset.sort === sort) header.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
    else header.removeAttribute('aria-sort');
  }
  if (search.value.trim() !== route.q) search.value = route.q;
  for (const filter of selects) showChoices(filter, lastChoices[filter.dataset.filter]);
}

const titles = { system: 'System', tag: 'Tag', owner: 'Owner', relay: 'Relay' };
const searchWords = { system: 'os:', tag: 'tag:', owner: 'owner:', relay: 'relay:' };
let lastChoices = {};

// showAllChoices fills the filters with what there is to choose: { field: { all, list: [[value, count, label]] } }.
export function showAllChoices(choices) {
  lastChoices = choices;
  for (const filter of selects) showChoices(filter, choices[filter.dataset.filter]);
}

// showChoices fills one filter. One that isn't among its choices is among them all the same.
function showChoices(filter, choices) {
  const field = filter.dataset.filter;
  if (field in titles) {
    const list = choices?.list ?? [];
    const chosen = route[field] && !list.some(([value]) => value === route[field]) ? [[route[field], 0, route[field]]] : [];
    const more = (choices?.all ?? 0) - list.length;
    render(html`<option value="">${titles[field]}</option>
      ${repeat([...list, ...chosen], ([value]) => value, ([value, n, label]) => html`<option value=${value}>${label} (${n.toLocaleString()})</option>`)}
      ${more > 0 ? html`<option disabled>${more.toLocaleString()} more: search ${searchWords[field]}…</option>` : nothing}`, filter);
  }
  filter.value = route[field];
}
