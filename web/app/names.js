// What users and relays are called. They are known by their IDs: names may be missing, invisible or shared, and are then
// told apart by what else there is.

/** visible returns a text, or nothing if there is nothing in it that can be seen. */
export function visible(text = '') {
  return /[^\p{Z}\p{C}\u115f\u1160\u2800\u3164\uffa0]/u.test(text) ? text : '';
}

/** @returns {import('./types').Names} */
export function namesOf(netmap) {
  const users = Object.entries(netmap?.UserProfiles ?? {}).map(([id, user]) => [id, visible(user.DisplayName) || visible(user.LoginName) || `user ${id}`, visible(user.LoginName)]);
  const relays = Object.entries(netmap?.DERPMap?.Regions ?? {}).filter(([, region]) => region)
    .map(([id, region]) => [id, visible(region.RegionName) || visible(region.RegionCode) || `region ${id}`, visible(region.RegionCode)]);
  const userLabels = distinct(users);
  const relayLabels = distinct(relays);
  return {
    user: (id) => userLabels.get(String(id)) ?? (id ? `user ${id}` : ''),
    relay: (id) => relayLabels.get(String(id)) ?? (id ? `region ${id}` : ''),
  };
}

// distinct returns the labels of things, each [id, name, more]: names, with what tells them apart where they are the same.
function distinct(things) {
  const forms = [(_, name) => name, (_, name, more) => (more && more !== name ? `${name} (${more})` : name), (id, name, more) => `${name} (${more ? `${more}, ` : ''}${id})`];
  let rest = things;
  const labels = new Map();
  for (const [i, form] of forms.entries()) {
    const times = new Map();
    for (const thing of rest) times.set(form(...thing), (times.get(form(...thing)) ?? 0) + 1);
    const isLast = i === forms.length - 1;
    for (const thing of rest) if (isLast || times.get(form(...thing)) === 1) labels.set(thing[0], form(...thing));
    rest = rest.filter(([id]) => !labels.has(id));
  }
  return labels;
}
