// What is special about a peer, as marks beside its name.

import { html } from './templates.js';

const words = {
  exit: ['exit', 'Exit node'],
  router: ['routes', 'Subnet router'],
  expiring: ['expiring', 'Key expires within 14 days'],
  shared: ['shared', 'Shared from another network'],
  ssh: ['SSH', 'Tailscale SSH'],
};

export const badges = (list) => list.map((badge) => html`<span class=${`badge ${badge}`} title=${words[badge][1]}>${words[badge][0]}</span>`);
