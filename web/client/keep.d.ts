/**
 * For an application's service worker: keeps one version of the application whole, so that it starts without its server. The browser
 * checks each file; a version of which one is wrong or missing isn't installed, and the one before stays. To be called when
 * the service worker's script begins.
 */
export function keep(application: {
  /** What the caches' names begin with. Those of other versions are removed when this one is used. */
  name: string;
  /** Changes whenever a file does. */
  version: string;
  /** The names of all files below the service worker's scope, each with its digest as the attribute `integrity` has it. */
  files: Record<string, string>;
}): void;
