// Light, dark, or as the system is. What was chosen is kept, where the browser grants storage.

const dark = matchMedia('(prefers-color-scheme: dark)');
const name = 'theme';

// followTheme puts the theme on the document, from the start and whenever the system's changes.
export function followTheme() {
  apply();
  dark.addEventListener('change', apply);
}

function apply() {
  document.documentElement.dataset.theme = chosen() || (dark.matches ? 'dark' : 'light');
}

// startTheme makes the choice work: changed is called when the colours are others.
export function startTheme(choice, changed) {
  choice.value = chosen();
  choice.addEventListener('change', () => {
    try {
      localStorage.setItem(name, choice.value);
    } catch {
      // It stays as the system is.
    }
    apply();
    changed();
  });
}

function chosen() {
  try {
    return localStorage.getItem(name) ?? '';
  } catch {
    return '';
  }
}
