import { startClient } from './client.js';

globalThis.startClient = startClient;

// until waits for a client to be as wanted.
globalThis.until = (client, wanted) => new Promise((resolve) => {
  const look = () => wanted() && resolve();
  client.addEventListener('statechange', look);
  look();
});
