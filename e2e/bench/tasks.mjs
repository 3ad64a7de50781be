// Measures the longest task of the page's main thread in Chromium, by what a person does. Time is processor time of that thread, so that
// what else the machine does is left out.

import { activities } from '../activities.mjs';
import { launch } from '../browser.mjs';
import { inMode, inState, saved, setControl } from '../page.mjs';
import { startTailnet } from '../tailnet.mjs';

// measureTasks returns milliseconds by activity, for each number of peers: { peers: { activity: samples } }.
export async function measureTasks(sizes, repetitions) {
  const results = {};
  for (const peers of sizes) {
    const samples = (results[peers] = {});
    for (let i = 0; i < repetitions; i++) {
      for (const [name, longest] of Object.entries(await measureVisit(peers))) (samples[name] ??= []).push(longest);
    }
  }
  return results;
}

async function measureVisit(peers) {
  const { server, origin, ask } = await startTailnet('-peers', String(peers), '-churn', '0');
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    const found = {};
    found['go live'] = await longestTask(page, async () => {
      await page.goto(origin);
      await inState(page, 'live');
      await saved(page);
    });
    for (const [name, act] of Object.entries(activities)) found[name] = await longestTask(page, () => act(page, ask));
    await setControl(page, false);
    await inMode(page, 'offline');
    await saved(page);
    found['resume from the cache'] = await longestTask(page, async () => {
      await page.reload();
      await inState(page, 'cached');
    });
    return found;
  } finally {
    await browser.close();
    server.kill('SIGINT');
  }
}

// longestTask returns the milliseconds of the longest task of the page’s main thread while run runs, which takes so many tasks at least.
export async function longestTask(page, run, least = 50) {
  await page.tracing.start({ categories: ['toplevel', 'blink.user_timing', '__metadata'] });
  await run();
  await page.evaluate(() => performance.mark('traced')); // tells which process is the page's
  const { traceEvents } = JSON.parse(Buffer.from(await page.tracing.stop()).toString());
  const { pid } = traceEvents.findLast(({ name }) => name === 'traced');
  const { tid } = traceEvents.find((event) => event.name === 'thread_name' && event.pid === pid && event.args.name === 'CrRendererMain');
  const tasks = traceEvents.filter((event) => /RunTask$/.test(event.name) && event.tdur && event.pid === pid && event.tid === tid);
  if (tasks.length < least) throw new Error(`only ${tasks.length} tasks were traced`);
  return Math.max(...tasks.map(({ tdur }) => tdur / 1000));
}
