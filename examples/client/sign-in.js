// The window in which a person signs in. A browser opens windows at a click, and control names the page later: so the window is opened
// at the click, and sent to the page when it is known. Where it is blocked all the same, the page shows a link.

export class SignInWindow {
  #window;

  open() {
    this.close();
    this.#window = window.open('', '', 'popup,width=480,height=640');
    if (this.#window) this.#window.document.body.textContent = 'Waiting for the control server …';
  }

  go(url) {
    if (!this.#window || this.#window.closed || !isPage(url)) return;
    this.#window.opener = null; // control's page has no business here
    this.#window.location.replace(url);
  }

  close() {
    this.#window?.close();
    this.#window = undefined;
  }
}

// isPage reports whether a URL is that of a page, and not code.
export const isPage = (url) => /^https?:/.test(url);
