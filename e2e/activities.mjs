// What a person does on the page with a large network: { name: (page, ask) => done }. The page shows it all at the beginning, and again at the end.

import { counted, frames, patience } from './page.mjs';

export const activities = {
  async 'take changes'(page, ask) {
    await ask('network', { churn: 1000 });
    const deltas = await page.evaluate(() => Number(document.body.dataset.deltas));
    await page.waitForFunction((deltas) => Number(document.body.dataset.deltas) > deltas + 5, patience, deltas);
    await ask('network', { churn: 0 });
  },

  async scroll(page) {
    for (let i = 1; i <= 10; i++) {
      await page.$eval('#peers', (scroll, part) => (scroll.scrollTop = part * scroll.scrollHeight), i / 10);
      await frames(page);
    }
    await page.waitForFunction(() => document.querySelector('#peers-rows [role="row"]:last-child')?.dataset.id, patience);
  },

  async 'search, sort and filter'(page) {
    await page.type('#search', 'linux');
    await counted(page, 'match');
    for (const column of ['address', 'holder', 'status']) {
      await page.click(`[data-sort="${column}"] button`);
      await frames(page);
    }
    await page.select('[data-filter="status"]', 'offline');
    await page.waitForFunction(() => document.querySelector('#peers-rows .status')?.textContent.startsWith('offline'), patience);
    await page.click('#reset');
    await counted(page, '^[\\d,]+ peers');
  },

  async 'move and divide the map'(page) {
    for (const by of ['tag', 'owner', 'system', 'relay']) {
      await page.select('#group-by', by);
      await frames(page);
    }
    for (let i = 0; i < 6; i++) await page.click('#zoom-in');
    const box = await (await page.$('#map')).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + 40, box.y + 40, { steps: 20 });
    await page.mouse.up();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 3, { steps: 10 });
    await page.click('#zoom-fit');
    await frames(page);
  },

  async 'look at a peer'(page) {
    await page.locator('#peers-rows [data-id] .status').click(); // elsewhere in the row are links
    await page.waitForSelector('#details:not([hidden])', patience);
    await page.click('#details-map');
    await page.click('#details-close');
  },
};
