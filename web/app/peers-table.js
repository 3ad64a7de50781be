// The table of peers: a list of which only the rows in sight exist, asked for piece by piece of the model worker.

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';

import { breathe, byId, element, setText } from './dom.js';
import { count, duration } from './format.js';

const piece = 100; // rows asked for at a time
const columns = ['name', 'address', 'holder', 'system', 'relay', 'status'];
const grid = byId('peers');
const head = grid.querySelector('.head');
const body = byId('peers-rows');

let model;
let onSelect; // called with the stable ID of a peer, or undefined
let live = false;
let total = 0; // rows that match
let pieces = new Map(); // number of a piece -> its rows, or a promise of them
let active = -1; // the row that the keyboard is at
let selected; // a stable ID
const question = { sort: 'name', descending: false };

const narrow = matchMedia('(max-width: 40rem)');
const rowHeight = () => (narrow.matches ? 64 : 40); // as page.css has it

const options = () => ({
  count: total,
  getScrollElement: () => grid,
  scrollMargin: head.offsetHeight,
  scrollPaddingStart: head.offsetHeight, // it covers what is scrolled under it
  estimateSize: rowHeight,
  overscan: 12,
  scrollToFn: elementScroll,
  observeElementRect,
  observeElementOffset,
  onChange: render,
});
let virtual;

export function startTable(given, select) {
  model = given;
  onSelect = select;
  virtual = new Virtualizer(options());
  virtual._didMount();
  narrow.addEventListener('change', () => {
    virtual.setOptions(options());
    virtual.measure();
    render();
  });
  showSort();
}

// showPeers shows the newest rows, of a network map that came live or from the cache.
export async function showPeers(totals, isLive) {
  live = isLive;
  await ask(totals);
}

async function ask(totals) {
  // What is in sight is asked for before anything old is dropped, so that the rows don't flicker.
  const fresh = new Map();
  await Promise.all([...new Set(inSight().map(pieceOf))].map(async (n) => fresh.set(n, await askPiece(n))));
  total = totals.matching;
  pieces = fresh;
  virtual.setOptions(options());
  virtual._willUpdate();
  virtual.measure();
  const found = total < totals.peers ? `${count(total, 'match', 'matches')} of ` : '';
  const online = totals.online === undefined ? '' : `, ${totals.online.toLocaleString()} ${live ? 'online' : 'were online'}`;
  setText('peers-count', `${found}${count(totals.peers, 'peer')}${online}`);
  grid.setAttribute('aria-rowcount', total + 1);
  byId('no-match').hidden = total > 0 || totals.peers === 0;
  byId('reset').disabled = !Object.entries(question).some(([field, value]) => !['sort', 'descending'].includes(field) && value);
  active = Math.min(active, total - 1);
  await Promise.all(inSight().map((item) => fetchPiece(pieceOf(item))));
  render();
}

const pieceOf = ({ index }) => Math.floor(index / piece);
const askPiece = (n) => model.rows(n * piece, (n + 1) * piece);

let asked = 0;
async function find() {
  const mine = ++asked;
  const totals = await model.find({ ...question });
  if (mine !== asked) return;
  grid.scrollTop = 0;
  active = -1;
  await ask(totals);
}

function fetchPiece(n) {
  const into = pieces;
  if (!into.has(n)) {
    into.set(n, askPiece(n).then((rows) => {
      into.set(n, rows);
      if (into === pieces) render();
    }));
  }
  return into.get(n);
}

const inSight = () => virtual.getVirtualItems();

// render makes the rows in sight, and leaves those alone that are as they should be.
function render() {
  const covered = head.offsetHeight; // read once, before rows change: it makes the browser lay the page out
  body.style.height = `${virtual.getTotalSize()}px`;
  const before = new Map([...body.children].map((row) => [row.dataset.index, row]));
  const rows = inSight().map(({ index, start }) => {
    const known = fetchPiece(pieceOf({ index }));
    const peer = Array.isArray(known) ? known[index % piece] : undefined;
    const old = before.get(String(index));
    before.delete(String(index));
    const row = old?.peer && sameRow(old.peer, peer) ? old : makeRow(index, peer, old);
    row.style.transform = `translateY(${start - covered}px)`;
    row.classList.toggle('active', index === active);
    row.setAttribute('aria-selected', Boolean(peer) && peer.id === selected);
    return row;
  });
  for (const gone of before.values()) gone.remove();
  rows.forEach((row, i) => {
    if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
  });
  const current = document.getElementById(`peer-row-${active}`);
  if (current) grid.setAttribute('aria-activedescendant', current.id);
  else grid.removeAttribute('aria-activedescendant');
}

const sameRow = (a, b) => Boolean(b) && a.live === live && Object.keys(b).every((field) => a[field] === b[field]) && !b.seen;

function makeRow(index, peer, old) {
  const row = old ?? element('div');
  row.id = `peer-row-${index}`;
  row.setAttribute('role', 'row');
  row.setAttribute('aria-rowindex', index + 2);
  row.dataset.index = index;
  row.peer = peer && { ...peer, live };
  if (peer) row.dataset.id = peer.id;
  row.replaceChildren(...columns.map((column) => {
    const cell = element('span', peer ? text(peer, column) : ' ');
    cell.setAttribute('role', 'gridcell');
    cell.className = column;
    if (column === 'status' && peer) cell.classList.add(peer.status);
    return cell;
  }));
  return row;
}

function text(peer, column) {
  if (column !== 'status') return peer[column];
  if (peer.status === 'expired') return 'key expired';
  if (peer.status === 'online') return live ? 'online' : 'was online';
  return peer.seen ? `offline ${duration(Date.now() - peer.seen)}` : 'offline';
}

// What people do

export async function showSelected(id) {
  selected = id;
  render();
}

function select(index) {
  const rows = pieces.get(Math.floor(index / piece));
  if (!Array.isArray(rows)) return;
  active = index;
  onSelect(rows[index % piece]?.id);
}

body.addEventListener('click', ({ target }) => {
  const row = target.closest('[data-index]');
  if (row) select(Number(row.dataset.index));
});

grid.addEventListener('keydown', (event) => {
  if (event.target !== grid || event.ctrlKey || event.altKey || event.metaKey) return;
  const page = Math.max(1, Math.floor(grid.clientHeight / rowHeight()) - 1);
  const to = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: total - 1 }[event.key];
  if (to !== undefined && total > 0) {
    active = Math.min(Math.max(to, 0), total - 1);
    virtual.scrollToIndex(active, { align: 'auto' });
    render();
  } else if ((event.key === 'Enter' || event.key === ' ') && active >= 0) {
    select(active);
  } else {
    return;
  }
  event.preventDefault();
});

grid.addEventListener('click', ({ target }) => {
  const header = target.closest('[data-sort]');
  if (!header) return;
  const { sort } = header.dataset;
  question.descending = question.sort === sort && !question.descending;
  question.sort = sort;
  showSort();
  find();
});

function showSort() {
  for (const header of grid.querySelectorAll('[data-sort]')) {
    if (header.dataset.sort === question.sort) header.setAttribute('aria-sort', question.descending ? 'descending' : 'ascending');
    else header.removeAttribute('aria-sort');
  }
}

byId('search').addEventListener('input', ({ target }) => {
  question.search = target.value.trim();
  find();
});

const filters = [...document.querySelectorAll('[data-filter]')];
for (const filter of filters) {
  filter.addEventListener('change', () => {
    question[filter.dataset.filter] = filter.value;
    find();
  });
}

// filterBy selects the peers of one relay, tag, owner or system alone.
export function filterBy(field, value) {
  reset();
  const filter = filters.find(({ dataset }) => dataset.filter === field);
  filter.value = value;
  question[field] = filter.value;
  find();
}

function reset() {
  byId('search').value = '';
  delete question.search;
  for (const filter of filters) {
    filter.value = '';
    delete question[filter.dataset.filter];
  }
}

for (const id of ['reset', 'reset-too']) {
  byId(id).addEventListener('click', () => {
    reset();
    find();
    byId('search').focus();
  });
}

// showChoices fills the filters with what there is to choose: { field: [[value, count]] }.
export async function showChoices(choices) {
  for (const [field, values] of Object.entries(choices)) {
    await breathe();
    const filter = filters.find(({ dataset }) => dataset.filter === field);
    const wanted = values.map(([value, n]) => `${value} (${n.toLocaleString()})`);
    if (filter.choices === wanted.join('\n')) continue;
    filter.choices = wanted.join('\n');
    const chosen = filter.value;
    filter.replaceChildren(filter.options[0], ...values.map(([value], i) => Object.assign(element('option', wanted[i]), { value })));
    filter.value = chosen;
    if (filter.selectedIndex < 0) filter.append(Object.assign(element('option', `${chosen} (0)`), { value: chosen, selected: true }));
  }
}
