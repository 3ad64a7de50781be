/**
 * What peers are called, in which order they come, and what is searched of them: the rules of `peers` and `stream`, for lists that an
 * application has of its own.
 *
 * ```js
 * import { matcher, nameKey, nodeName, searchText } from 'netmapcache/names';
 * ```
 *
 * @module
 */
import type { Netmap, NetmapNode } from './netmapcache.js';

/** Returns the part of a node's name that is its own. */
export function nodeName(node: NetmapNode): string;

/** Returns a string by which names sort as people expect: without regard to the case of ASCII letters, and numbers by their value. */
export function nameKey(name: string): string;

/** Returns a node's own addresses, without the lengths of their prefixes. */
export function addresses(node: NetmapNode): string[];

/** Returns what is searched of a peer of a network map: names, addresses, tags, operating system, stable ID, relay and owners, in lower case. */
export function searchText(netmap: Pick<Netmap, 'UserProfiles' | 'DERPMap'>, node: NetmapNode): string;

/** Returns a function that reports whether all words of a search occur in a text of {@link searchText}. */
export function matcher(search: string): (text: string) => boolean;
