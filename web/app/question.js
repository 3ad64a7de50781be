// A question to a peer, one at a time: a clock tells how long the peer is silent, and the question can be given up.

const slow = 5000; // milliseconds after which what a silent peer does is called waiting

export class Question {
  #show;
  /** @type {AbortController | undefined} */
  #mine; // what was asked last
  asking = false; // and is on its way

  // A Question calls show with what becomes of it: 'asking', 'answered' or 'failed', and a note for people.
  constructor(show) {
    this.#show = show;
  }

  // ask asks by ask, which is given a signal to give up by. The note of the answer is what answered makes of it and of the
  // milliseconds it took.
  async ask(ask, answered) {
    this.drop();
    const mine = (this.#mine = new AbortController());
    const show = (state, note) => {
      if (this.#mine !== mine) return;
      this.asking = state === 'asking';
      this.#show(state, note);
    };
    const began = performance.now();
    show('asking', 'Asking.');
    const ticking = setInterval(() => {
      const ms = performance.now() - began;
      if (ms > slow) show('asking', `No answer yet, after ${Math.round(ms / 1000)} s.`);
    }, 1000);
    try {
      const answer = await Promise.race([ask(mine.signal), new Promise((_, reject) => mine.signal.addEventListener('abort', reject))]);
      if (this.#mine === mine) show('answered', await answered(answer, Math.round(performance.now() - began)));
    } catch (error) {
      show('failed', mine.signal.aborted ? 'Cancelled.' : `No answer: ${sentence(error.message)}`);
    } finally {
      clearInterval(ticking);
    }
  }

  cancel() {
    this.#mine?.abort();
  }

  // drop gives up without a word.
  drop() {
    this.cancel();
    this.#mine = undefined;
    this.asking = false;
  }
}

// sentence ends a reason as a sentence does.
const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);
