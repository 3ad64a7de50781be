// What the search field takes: words, all of which have to occur in what is known of a peer; a word with a field before it
// (tag: os: owner: relay: version: route: is:) looks there alone, and with - before it keeps such peers out.

const word = /(-?)(?:(tag|os|owner|relay|version|route|is):)?(?:"([^"]*)"?|([^\s"]*))/gi;

/** searcher returns a function that reports whether a row of the index matches. */
export function searcher(search, names) {
  const tests = [...search.toLowerCase().matchAll(word)].flatMap(([, not, field, quoted, plain]) => {
    const wanted = quoted ?? plain ?? '';
    if (!wanted) return [];
    const test = field ? fields[field.toLowerCase()] : (row, text) => row.text.includes(text);
    return [(row) => test(row, wanted, names) !== Boolean(not)];
  });
  return (row) => tests.every((test) => test(row));
}

const fields = {
  tag: (row, wanted) => row.tag.some((tag) => tag.toLowerCase().replace(/^tag:/, '').includes(wanted.replace(/^tag:/, ''))),
  os: (row, wanted) => row.system.toLowerCase().includes(wanted),
  owner: (row, wanted, names) => row.owner !== '' && (row.login.includes(wanted) || names.user(row.owner).toLowerCase().includes(wanted)),
  relay: (row, wanted, names) => names.relay(row.relay).toLowerCase().includes(wanted),
  version: (row, wanted) => row.version.toLowerCase().startsWith(wanted),
  route: (row, wanted) => row.routes.some((route) => route.includes(wanted)),
  is: (row, wanted) => row.status === wanted || row.badges.includes(wanted),
};
