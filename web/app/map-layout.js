// Where everything is on the map of the network: this device in the middle, around it circles of the peers that share a relay,
// tags, an owner or a system. Positions are in units of the radius of a peer's dot.

import { packSiblings } from 'd3-hierarchy';

const spacing = 2.6; // between neighbouring dots
const hub = 2; // radius kept free in the middle of a circle, for its mark
const leastGap = 4; // around circles, where their names are
const gapShare = 0.04; // the same in relation to all circles, for large networks, of which a unit is less on the screen
const selfRadius = 6;
const mostGroups = 60; // more are one circle: names of so many can't be read
const golden = Math.PI * (3 - Math.sqrt(5));

// The names of what peers can be grouped by, and of those who have no such thing.
export const groupings = {
  relay: 'without a relay',
  tag: 'untagged',
  owner: 'tagged',
  system: 'unknown system',
};

// A Layout keeps the places of peers as far as it can from one network map to the next.
export class Layout {
  groups = []; // { key, label, x, y, r, rows, xs, ys, online }: key is an ID, a tag or a system, or empty
  byID = new Map(); // from stable ID to { group, i }
  #slots = new Map(); // group key -> the stable IDs in its places, in order

  // place divides the peers of an index by a field. Regions are the relays of the network map, by ID, and home is the ID of
  // this device's: relays have a fixed order, so that they keep their places.
  place(index, by, regions, home) {
    const slots = new Map();
    this.groups = divide(index, by, regions, home).map(({ key, label, rows }) => {
      const ids = settle(this.#slots.get(`${by} ${key}`), rows);
      slots.set(`${by} ${key}`, ids);
      return makeGroup(key, label, ids.map((id) => index.byID.get(id)));
    });
    this.#slots = slots;
    const gap = Math.max(leastGap, gapShare * Math.hypot(...this.groups.map(({ r }) => r)));
    // Sizes in steps, so that a peer more or less doesn't move everything.
    const stepped = (r) => 1.12 ** Math.ceil(Math.log(r) / Math.log(1.12));
    const circles = this.groups.map((group) => ({ group, r: stepped(group.r + gap), x: 0, y: 0 }));
    const middle = { group: undefined, r: stepped(selfRadius + 2 * gap), x: 0, y: 0 };
    packSiblings([middle, ...circles]);
    for (const { group, x, y } of circles) Object.assign(group, { x: x - middle.x, y: y - middle.y });
    const side = (x, sign) => sign * Math.max(selfRadius, ...this.groups.map((group) => sign * group[x] + group.r));
    this.box = { left: side('x', -1), right: side('x', 1), top: side('y', -1) - gap, bottom: side('y', 1) };
    this.byID = new Map(this.groups.flatMap((group) => group.rows.map((row, i) => [row.id, { group, i }])));
  }

  // find returns what is at a place: { group, i } for a peer, { group } within a circle, undefined elsewhere.
  /** @returns {{ group: any, i?: number } | undefined} */
  find(x, y, slack = 1) {
    for (const group of this.groups) {
      const [dx, dy] = [x - group.x, y - group.y];
      if (Math.hypot(dx, dy) > group.r) continue;
      let best = Math.max(1.3, slack) ** 2;
      let i;
      group.xs.forEach((px, n) => {
        const distance = (px - dx) ** 2 + (group.ys[n] - dy) ** 2;
        if (distance < best) [best, i] = [distance, n];
      });
      return { group, i };
    }
    return undefined;
  }
}

// divide returns the groups: relays by their IDs and with that of this device first, others by their size.
function divide(index, by, regions, home) {
  const groups = new Map(by === 'relay' ? Object.keys(regions).filter((id) => regions[id]).map((id) => [id, []]) : []);
  for (const row of index.rows) {
    const key = (by === 'tag' ? row.tag[0] : row[by]) || '';
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  const ranked = [...groups].map(([key, rows]) => ({ key, label: key === '' ? groupings[by] : index.label(by, key), rows }));
  const largestFirst = (a, b) => b.rows.length - a.rows.length || (a.key < b.key ? -1 : 1);
  const fixed = (a, b) => Number(b.key === home) - Number(a.key === home) || Number(a.key || Infinity) - Number(b.key || Infinity);
  ranked.sort(largestFirst);
  const rest = ranked.length > mostGroups ? ranked.splice(mostGroups - 1) : [];
  if (rest.length > 0) ranked.push({ key: 'others', label: `${rest.length} others`, rows: rest.flatMap(({ rows }) => rows) });
  return ranked.sort(by === 'relay' ? fixed : largestFirst);
}

// settle returns the stable IDs of rows in the order of their places: who had a place keeps it, who is new takes
// one that is free, and the last ones fill what gaps remain.
function settle(before, rows) {
  const ids = new Set(rows.map(({ id }) => id));
  const places = (before ?? []).map((id) => (ids.delete(id) ? id : undefined));
  const arriving = [...ids];
  for (let i = 0; i < places.length && arriving.length > 0; i++) places[i] ??= arriving.shift();
  places.push(...arriving);
  for (let i = 0; i < places.length; i++) {
    while (places.length > i && places.at(-1) === undefined) places.pop();
    if (i < places.length && places[i] === undefined) places[i] = places.pop();
  }
  return places;
}

// makeGroup spreads rows like the seeds of a sunflower.
function makeGroup(key, label, rows) {
  const xs = new Float32Array(rows.length);
  const ys = new Float32Array(rows.length);
  const first = (hub / spacing) ** 2 * Math.PI;
  for (let i = 0; i < rows.length; i++) {
    const distance = spacing * Math.sqrt((i + first) / Math.PI) * 1.12;
    xs[i] = distance * Math.cos(i * golden);
    ys[i] = distance * Math.sin(i * golden);
  }
  const r = Math.max(hub + 2, spacing * Math.sqrt((rows.length + first) / Math.PI) * 1.12 + 1.5);
  return { key, label, rows, xs, ys, r, x: 0, y: 0, online: rows.filter(({ status }) => status === 'online').length };
}
