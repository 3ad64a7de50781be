// What a peer sent, as a page that shows it and does nothing else. It is for a frame with an empty sandbox, where it runs
// no script and leads nowhere; but a sandbox and a policy don't keep it from hinting to the browser which servers to
// look up and connect to. So it is parsed, and only what shows content stays.

import DOMPurify from 'dompurify';

const kept = {
  ALLOWED_TAGS: [
    '#text', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'p', 'br', 'hr', 'div', 'span', 'header', 'footer', 'main', 'nav', 'section', 'article', 'aside', 'address',
    'a', 'abbr', 'b', 'bdi', 'bdo', 'cite', 'code', 'del', 'dfn', 'em', 'i', 'ins', 'kbd', 'mark', 'q', 's', 'samp', 'small', 'strong', 'sub', 'sup', 'time', 'u', 'var', 'wbr',
    'blockquote', 'pre', 'ul', 'ol', 'li', 'dl', 'dt', 'dd', 'details', 'summary', 'figure', 'figcaption', 'img', 'ruby', 'rt', 'rp',
    'table', 'caption', 'colgroup', 'col', 'thead', 'tbody', 'tfoot', 'tr', 'td', 'th',
  ],
  ALLOWED_ATTR: ['alt', 'colspan', 'dir', 'height', 'lang', 'open', 'rowspan', 'src', 'start', 'title', 'width'], // a link shows its text, and leads nowhere anyway
  ADD_URI_SAFE_ATTR: ['colspan', 'dir', 'height', 'lang', 'open', 'rowspan', 'start', 'width'],
  ALLOWED_URI_REGEXP: /^data:image\//i, // a picture that is in the page itself
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

const head = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:">
<meta name="color-scheme" content="light dark"><body>`;

// peerPage returns the page, as markup, that shows a peer's answer: what isn't HTML as text.
export function peerPage({ headers, body }) {
  const text = new TextDecoder().decode(body);
  const [, type = ''] = headers.find(([name]) => name.toLowerCase() === 'content-type') ?? [];
  const html = DOMPurify.isSupported && /^text\/html\b/i.test(type); // without support it would return all as it is
  return head + (html ? DOMPurify.sanitize(text, kept) : asText(text));
}

function asText(text) {
  const pre = document.createElement('pre');
  pre.textContent = text;
  return pre.outerHTML;
}
