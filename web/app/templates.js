// What views are made of: templates of lit-html, which changes of a rendered view only what differs. Text is put in as text,
// never as markup.

import { html, nothing, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';

import { clock, until } from './format.js';

export { html, nothing, render, repeat };

// byId returns an element of the page, whose kind is for the markup to tell.
/** @returns {any} */
export const byId = (id) => document.getElementById(id);

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

// pairs are the terms and values of a description list, of those that have a value. A value is text, a list of texts or a time. The
// third of a pair is 'copy' for a button that copies the value, { copy } for one that copies something else, 'time', 'tags', or
// { field: value } for a link to the peers that have it in a field.
export const pairs = (list) => repeat(list.filter(([, value]) => value && value.length !== 0), ([term]) => term, ([term, value, hint]) =>
  html`<dt>${term}</dt><dd>${shown(value, hint)}${copied(term, value, hint)}</dd>`);

function shown(value, hint) {
  if (hint === 'time') return `${clock(value)} (${until(value)})`;
  if (hint === 'tags') return listed(value.map((tag) => filterLink('tag', tag, tag)));
  if (Array.isArray(value)) return listed(value);
  const [field, wanted] = Object.entries(hint?.copy || typeof hint === 'string' ? {} : hint ?? {})[0] ?? [];
  return field && wanted ? filterLink(field, wanted, value) : html`<span>${value}</span>`;
}

function copied(term, value, hint) {
  const text = hint === 'copy' ? value : hint?.copy;
  return text ? copyButton(text, term) : nothing;
}

// filterLink is a link to the peers that have a value in a field: an address, which the page follows by itself. Within the table,
// which the keyboard goes through row by row, links and buttons are no stops of the tabulator: details have them too.
export const filterLink = (field, value, label, stop = '0') => html`<a href=${`#${new URLSearchParams({ [field]: value })}`} tabindex=${stop}>${label}</a>`;

const shownAtFirst = 4;

// listed shows the first few of a list, and the rest when asked.
function listed(values) {
  const items = (part) => html`<ul class="plain">${part.map((value) => html`<li>${value}</li>`)}</ul>`;
  const rest = values.slice(shownAtFirst);
  return html`${items(values.slice(0, shownAtFirst))}${rest.length > 0 ? html`<details><summary>${rest.length} more</summary>${items(rest)}</details>` : nothing}`;
}

// copyButton is a button that copies a text; what says which. Its own text is the style sheet's.
export const copyButton = (text, what, stop = '0') =>
  html`<button type="button" class="copy" tabindex=${stop} aria-label=${`Copy ${what}`} @click=${({ currentTarget }) => copyBy(currentTarget, text)}></button>`;

async function copyBy(button, text) {
  button.dataset.done = (await copy(text)) ? 'Copied' : 'Failed';
  setTimeout(() => delete button.dataset.done, 1500);
}

// copy puts a text on the clipboard, and reports whether it could.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

// table is a table of rows, each a list of texts or templates.
export const table = (head, rows) => html`<table>
  <thead><tr>${head.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
  <tbody>${rows.map((cells) => html`<tr>${cells.map((cell, i) => html`<td><div data-title=${head[i]}>${cell}</div></td>`)}</tr>`)}</tbody>
</table>`;

// save has the browser save a blob as a file.
export function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
