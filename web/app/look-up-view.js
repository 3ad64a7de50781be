// What MagicDNS answers, asked by a person.

import { byId, setText } from './templates.js';

export function startLookUp(model) {
  const name = byId('look-up-name');
  byId('look-up').addEventListener('submit', async (event) => {
    event.preventDefault();
    const found = await model.lookUp(name.value);
    setText('look-up-note', found.length > 0 ? found.join(', ') : `The network has no address for “${name.value.trim()}”.`);
  });
}
