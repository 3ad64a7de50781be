// The list of peers as a file.

const columns = {
  name: (row) => row.name,
  addresses: (row) => (row.node.Addresses ?? []).map((prefix) => prefix.replace(/\/(32|128)$/, '')),
  owner: (row, { names }) => names.user(row.owner),
  login: (row) => row.login,
  tags: (row) => row.tag,
  system: (row) => row.system,
  version: (row) => row.version,
  relay: (row, { names }) => names.relay(row.relay),
  routes: (row) => row.routes,
  status: (row) => row.status,
  lastSeen: (row) => (row.seen ? new Date(row.seen).toISOString() : ''),
  id: (row) => row.id,
};

/** listAs returns rows of an index as a file of a kind: 'csv' or 'json'. */
export function listAs(kind, rows, index) {
  const records = rows.map((row) => Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, value(row, index)])));
  if (kind === 'json') return new Blob([JSON.stringify(records, undefined, 1)], { type: 'application/json' });
  const lines = [Object.keys(columns), ...records.map(Object.values)].map((cells) => cells.map(cell).join(','));
  return new Blob(['\ufeff', lines.join('\r\n'), '\r\n'], { type: 'text/csv' }); // the mark tells spreadsheets that it is UTF-8
}

// cell returns a value as RFC 4180 has it. A spreadsheet takes what begins like a formula for one, unless ' is before it.
function cell(value) {
  const text = Array.isArray(value) ? value.join(' ') : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
