// Makes elements. Text is put in as text, never as markup.

import { clock, until } from './format.js';

export const byId = (id) => document.getElementById(id);

export function element(name, content, className) {
  const made = document.createElement(name);
  if (Array.isArray(content)) made.append(...content);
  else made.textContent = content ?? '';
  if (className) made.className = className;
  return made;
}

// breathe lets the browser do what waits: long work is done in pieces, none of which anyone notices.
export function breathe() {
  return globalThis.scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
}

// frame lets the browser show what was changed; where it shows nothing, as in a tab that is behind others, it takes a moment.
export const frame = () => new Promise((resolve) => {
  requestAnimationFrame(resolve);
  setTimeout(resolve, 50);
});

// setText leaves an element alone that has the text already, so that it isn't announced again.
export function setText(id, text) {
  const found = byId(id);
  if (found.textContent !== text) found.textContent = text;
}

// pairs returns the terms and values of a description list, of those that have a value. A value is text, a list of texts or a time;
// the third of a pair is 'copy' for a button that copies the value, 'time', or what the button copies instead.
export function pairs(list) {
  return list.filter(([, value]) => value && value.length !== 0).flatMap(([term, value, extra]) => {
    const dd = element('dd');
    if (extra === 'time') dd.textContent = `${clock(value)} (${until(value)})`;
    else if (Array.isArray(value)) dd.append(listed(value));
    else dd.textContent = value;
    if (extra && extra !== 'time') dd.append(copyButton(extra === 'copy' ? value : extra, term));
    return [element('dt', term), dd];
  });
}

const shownAtFirst = 4;

// listed shows the first few of a list, and the rest when asked.
function listed(values) {
  const items = (part) => element('ul', part.map((value) => element('li', value)), 'plain');
  if (values.length <= shownAtFirst) return items(values);
  const more = element('details', [element('summary', `${values.length - shownAtFirst} more`), items(values.slice(shownAtFirst))]);
  return element('div', [items(values.slice(0, shownAtFirst)), more]);
}

function copyButton(text, what) {
  const button = element('button', 'Copy', 'copy');
  button.type = 'button';
  button.dataset.copy = text;
  button.setAttribute('aria-label', `Copy ${what}`);
  return button;
}

// The buttons made by copyButton work wherever they are.
addEventListener('click', async ({ target }) => {
  const button = target.closest?.('[data-copy]');
  if (!button) return;
  button.textContent = (await copy(button.dataset.copy)) ? 'Copied' : 'Failed';
  setTimeout(() => (button.textContent = 'Copy'), 1500);
});

// copy puts a text on the clipboard, and reports whether it could.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

// table returns a table of rows, each a list of texts or elements.
export function table(head, rows) {
  const line = (cells, name) => element('tr', cells.map((cell) => {
    const made = element(name, cell instanceof Node ? [cell] : cell);
    if (name === 'th') made.scope = 'col';
    return made;
  }));
  return element('table', [element('thead', [line(head, 'th')]), element('tbody', rows.map((cells) => line(cells, 'td')))]);
}
