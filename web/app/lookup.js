// What MagicDNS answers.

import { addresses } from './format.js';

const bare = (name = '') => name.trim().toLowerCase().replace(/\.$/, '');

/** lookUp returns the addresses and records that a network map has for a name, with or without the network's domain: a list of texts. */
export function lookUp(netmap, index, name) {
  const wanted = bare(name);
  if (!netmap || !wanted) return [];
  const fits = (name) => [name, name.split('.')[0]].includes(wanted);
  const nodes = [netmap.SelfNode, ...index.nodes()].filter((node) => fits(bare(node.Name)));
  const records = (netmap.DNS?.ExtraRecords ?? []).filter(({ Name }) => bare(Name) === wanted);
  return [...nodes.flatMap(addresses), ...records.map(({ Type, Value }) => `${Type || 'A'} ${Value}`)];
}
