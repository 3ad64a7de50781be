// Drives a browser by the WebDriver protocol (https://www.w3.org/TR/webdriver2/), for those that puppeteer can't drive. A page has
// those methods of puppeteer's Page that the tests of several engines use.

import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const lookEvery = 100; // milliseconds

// The code points that stand for keys.
const keys = { Tab: '\ue004', Enter: '\ue007', Escape: '\ue00c', End: '\ue010', Home: '\ue011', ArrowUp: '\ue013', ArrowDown: '\ue015' };

// startSession asks the driver on a port of this machine for a browser.
export async function startSession(port, capabilities) {
  const call = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: JSON.stringify(body) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`WebDriver: ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  const { sessionId } = await call('POST', '/session', { capabilities: { alwaysMatch: capabilities } });
  const inSession = (method, path, body) => call(method, `/session/${sessionId}${path}`, body);
  return new Session(inSession, await inSession('GET', '/window'));
}

class Session {
  #call;
  #first; // the window that the browser began with, which stays
  #last = Promise.resolve(); // the command before

  constructor(call, first) {
    this.#call = call;
    this.#first = first;
  }

  // inWindow runs commands in one window: a session has one at a time that commands go to.
  inWindow(handle, run) {
    const done = this.#last.then(async () => {
      await this.#call('POST', '/window', { handle });
      return run(this.#call);
    });
    this.#last = done.catch(() => {});
    return done;
  }

  // open opens an address in a new window.
  async open(url) {
    const { handle } = await this.inWindow(this.#first, (call) => call('POST', '/window/new', { type: 'window' }));
    const page = new Page(this, handle);
    await page.goto(url);
    return page;
  }

  end = () => this.#call('DELETE', '');
}

class Page {
  #run;

  constructor(session, handle) {
    this.#run = (run) => session.inWindow(handle, run);
  }

  #post = (path, body = {}) => this.#run((call) => call('POST', path, body));

  goto = (url) => this.#post('/url', { url });
  reload = () => this.#post('/refresh');
  // setViewport makes the window, rather than what it shows, so large.
  setViewport = ({ width, height }) => this.#post('/window/rect', { width, height });
  bringToFront = () => this.#run(() => {});
  close = () => this.#run((call) => call('DELETE', '/window'));

  async evaluate(fn, ...args) {
    const script = `
      const done = arguments[arguments.length - 1];
      Promise.resolve().then(() => (${fn})(...arguments[0])).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const { value, error } = await this.#post('/execute/async', { script, args: [args] });
    if (error) throw new Error(error);
    return value ?? undefined;
  }

  async waitForFunction(fn, { timeout }, ...args) {
    const end = Date.now() + timeout;
    while (!(await this.evaluate(fn, ...args))) {
      if (Date.now() > end) throw new Error(`after ${timeout / 1000} s still not: ${fn} of ${JSON.stringify(args)}`);
      await sleep(lookEvery);
    }
  }

  $eval = (selector, fn) => this.evaluate(`(selector) => (${fn})(document.querySelector(selector))`, selector);

  // click clicks an element once it stays where it is: what comes into sight may move it, and the driver clicks where it was.
  async click(selector) {
    await this.evaluate(async (selector) => {
      const element = document.querySelector(selector);
      for (let before, top = NaN; top !== before;) {
        before = top;
        element.scrollIntoView({ block: 'center' });
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        ({ top } = element.getBoundingClientRect());
      }
    }, selector);
    await this.#run(async (call) => {
      const [id] = Object.values(await call('POST', '/element', { using: 'css selector', value: selector }));
      await call('POST', `/element/${id}/click`, {});
    });
  }

  keyboard = {
    press: (key) => this.#type([keys[key] ?? key]),
    type: (text) => this.#type([...text]),
  };

  #type(values) {
    const actions = values.flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }]);
    return this.#post('/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  async screenshot({ path }) {
    await writeFile(path, Buffer.from(await this.#run((call) => call('GET', '/screenshot')), 'base64'));
  }
}
