// What peers are called, in which order, and what is searched of them, for whoever has a network map.
export { addresses, matcher, nameKey, nodeName, searchText } from './reader/names.js';
