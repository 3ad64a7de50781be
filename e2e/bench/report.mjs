// Makes tables of what was measured.

export const median = (samples) => {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

// spread is half the distance between the least and the greatest, in relation to the median.
const spread = (samples) => ((Math.max(...samples) - Math.min(...samples)) / 2 / median(samples)) * 100;

const ms = (n) => (n < 10 ? n.toFixed(1) : n.toFixed(0));
const times = (n) => `${n < 10 ? n.toFixed(2) : n.toFixed(0)}x`;

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

const browserOf = (userAgent) => /(Chrome|Firefox)\/\d+/.exec(userAgent)?.[0].replace('/', ' ') ?? 'WebKitGTK';

const operations = [
  { name: 'Load', key: 'load', besides: 'decode', targets: ['40x', '2x'] },
  { name: 'Store, cold', key: 'store', targets: ['40x', '1.3x'] },
  { name: 'Store, nothing changed', key: 'same' },
  { name: 'Store, one peer changed', key: 'change', limit: 'update' },
  { name: 'UpdatePeers, one peer', key: 'update' },
];

// storesTable shows what stores.mjs measured in one browser.
export function storesTable({ peers }, { userAgent, records, bytes, samples }) {
  const rows = operations.map(({ name, key, besides, limit = key, targets = ['', ''] }) => {
    const { upstream, ours } = samples[key];
    const raw = samples[limit].javascript;
    const floor = raw && median(raw) + (besides ? median(samples[besides].ours) : 0);
    return [
      name,
      ms(median(upstream)),
      ms(median(ours)),
      floor ? ms(floor) : '',
      times(median(upstream) / median(ours)),
      targets[0],
      floor ? times(median(ours) / floor) : '',
      targets[1],
    ];
  });
  const decode = median(samples.decode.ours);
  const encode = median(samples.encode.ours);
  return `**${browserOf(userAgent)}**, ${peers.toLocaleString('en')} peers: ${records} records, ${(bytes / 1e6).toFixed(1)} MB. \
Milliseconds, medians of ${samples.load.ours.length} (upstream ${samples.load.upstream.length}). \
Of ours, encoding alone takes ${ms(encode)}, decoding ${ms(decode)}.

${table(['', 'upstream', 'ours', 'JavaScript', 'upstream / ours', 'target', 'ours / JavaScript', 'target'], rows)}`;
}

const stages = ['open', 'read', 'decode'];

// pageTable shows what page.mjs measured.
export function pageTable(visits) {
  const rows = Object.entries(visits).map(([visit, samples]) => {
    const of = (key) => median(samples.map((sample) => sample[key]));
    return [visit, ms(of('before')), ...stages.map((stage) => ms(of(stage))), ...['render', 'first', 'hello'].map((key) => ms(of(key))), times(of('first') / of('hello')), ms(of('complete'))];
  });
  const counts = Object.values(visits).map((samples) => samples.length);
  return `Milliseconds, medians of ${Math.min(...counts)}. The target for the first frame is 1.5x, for 10,000 peers, warm.

${table(['', 'before', ...stages, 'render', 'first frame', 'hello', 'first frame / hello', 'all peers'], rows)}`;
}

// tasksTable shows what tasks.mjs measured.
export function tasksTable(results) {
  const sizes = Object.values(results);
  const rows = Object.keys(sizes[0]).map((activity) => [activity, ...sizes.map((samples) => `${ms(median(samples[activity]))} ±${spread(samples[activity]).toFixed(0)}%`)]);
  return `Milliseconds of processor time, medians of ${Object.values(sizes[0])[0].length}. The target is 50.

${table(['', ...Object.keys(results).map((peers) => `${Number(peers).toLocaleString('en')} peers`)], rows)}`;
}

const steps = {
  'page:render': 'cached map on the screen',
  asked: 'peer asked',
  restored: 'client started from the cache',
  'peer answered': "first byte of the peer's answer",
  'control live': 'live',
};

// resumeTable shows what resume.mjs measured in the browser: samples of steps by kind of visit.
export function resumeTable({ peers, visits }) {
  const cell = (samples) => (samples.includes(undefined) ? '' : `${ms(median(samples))} ±${spread(samples).toFixed(0)}%`);
  const rows = Object.entries(steps).map(([step, name]) => [name, ...Object.values(visits).map((samples) => cell(samples.map((sample) => sample[step])))]);
  const counts = Object.values(visits).map((samples) => samples.length);
  return `${peers.toLocaleString('en')} peers. Milliseconds since navigation, medians of ${Math.min(...counts)}.

${table(['', ...Object.keys(visits)], rows)}`;
}

// nativeTable shows what a test of a native node measured: { step, runs, ours, upstream }, each time as text.
export function nativeTable(times) {
  return `Milliseconds since the start of the process, medians of ${times[0].runs}.

${table(['', 'ours', "upstream's cache"], times.map(({ step, ours, upstream }) => [step, ours, upstream]))}`;
}
