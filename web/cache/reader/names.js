// What nodes are called, in which order, and what is searched of them: one rule for the module and the page.

// nodeName returns the part of a node's name that is its own.
export function nodeName(node) {
  return node.Name?.split('.', 1)[0] || node.Hostinfo?.Hostname || node.StableID || `node ${node.ID}`;
}

// nameKey returns a string by which names sort as people expect: without regard to the case of ASCII letters, and numbers
// by their value.
export function nameKey(name) {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()).replace(/\d+/g, (digits) => {
    const value = digits.replace(/^0+(?=\d)/, '');
    return `0${String.fromCharCode(Math.min(value.length, 127))}${value}`;
  });
}

// addresses returns a node's own addresses.
export function addresses(node) {
  return (node.Addresses ?? []).map((prefix) => prefix.replace(/\/(32|128)$/, ''));
}

// searchText returns what is searched of a peer of a network map: names, addresses, tags, operating system, relay and owners.
export function searchText(netmap, node) {
  const owners = [node.User, node.Sharer].map((id) => netmap.UserProfiles?.[id]).filter(Boolean);
  return [
    node.Name,
    node.ComputedName,
    node.StableID,
    ...addresses(node),
    ...(node.Tags ?? []),
    node.Hostinfo?.Hostname,
    node.Hostinfo?.OS,
    netmap.DERPMap?.Regions?.[node.HomeDERP]?.RegionName,
    ...owners.flatMap(({ LoginName, DisplayName }) => [LoginName, DisplayName]),
  ].filter(Boolean).join('\n').toLowerCase();
}

// matcher returns a function that reports whether all words of a search occur in a text of searchText.
export function matcher(search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return (text) => words.every((word) => text.includes(word));
}
