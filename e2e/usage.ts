// Uses every part of the module's types. It is compiled, not run.

import { openCache, NetmapCacheError, type ErrorCode, type Info, type Netmap, type NetmapCache, type NetmapNode, type Peers, type Piece } from 'netmapcache';

const controller = new AbortController();
const { signal } = controller;

const cache: NetmapCache = await openCache();
await openCache({ database: 'work', owner: 'https://control.example.com', maxAge: 7 * 24 * 3600 * 1000, signal });
await openCache({ wasm: '/netmapcache.wasm' });
await openCache({ wasm: new URL('https://example.com/netmapcache.wasm') });
await openCache({ wasm: fetch('/netmapcache.wasm') });
await openCache({ wasm: await fetch('/netmapcache.wasm') });
await openCache({ wasm: new Uint8Array() });
await openCache({ wasm: await WebAssembly.compileStreaming(fetch('/netmapcache.wasm')) });
await openCache({ worker: true });
await openCache({ worker: new Worker('/worker.js') });
// @ts-expect-error a Date is no duration
await openCache({ maxAge: new Date() });

const map: Netmap = await cache.load({ signal });
const self: NetmapNode = map.SelfNode;
const names: string[] = map.Peers?.map((peer) => peer.Hostinfo?.Hostname ?? peer.Name) ?? [];
const owner: string | undefined = map.UserProfiles?.[self.User]?.DisplayName;
const relay: string | undefined = map.DERPMap?.Regions?.[self.HomeDERP ?? 0]?.RegionName;
const ports: number[] = map.PacketFilterRules?.flatMap((rule) => rule.DstPorts?.map((dst) => dst.Ports.First) ?? []) ?? [];
const unknown: string | undefined = (self as NetmapNode & { FieldOfALaterVersion?: string }).FieldOfALaterVersion;
// @ts-expect-error no such field
const mistyped = self.Hostnmae;
const exitNodes: NetmapNode[] = map.Peers?.filter(({ AllowedIPs }) => AllowedIPs?.includes('0.0.0.0/0')) ?? [];
const places: [string, number][] = exitNodes.map(({ Hostinfo }) => [Hostinfo?.Location?.City ?? '', Hostinfo?.Location?.Latitude ?? 0]);
const routes: string[] = self.Hostinfo?.RoutableIPs ?? [];
const services: number[] = self.Hostinfo?.Services?.map(({ Port }) => Port) ?? [];
await openCache({ owner: undefined, maxAge: undefined, signal: undefined });
await cache.peers({ search: undefined, limit: undefined });
// @ts-expect-error IDs may be strings
const id: number = self.ID;

const { DNS, ...rest } = await cache.load({ peers: false });
// @ts-expect-error they were left out
const none = rest.Peers;
const page: Peers = await cache.peers({ offset: 100, limit: 50, search: 'linux', signal });
const first: NetmapNode | undefined = (await cache.peers()).peers[0];

await cache.stream(async ({ total }) => console.log(total, stored));
await cache.stream(({ netmap, total, peers }: Piece) => console.log(netmap?.Domain, total, peers[0]?.Name), { signal });

const snapshot: Uint8Array = await cache.export({ signal });
await cache.import(new Blob([await cache.export()]), { signal });
await cache.import(await cache.export());

const info: Info = await cache.info();
const age: number = Date.now() - info.confirmedAt.getTime();

const stored: boolean = await cache.store({ ...map, Cached: false }, { signal });
await cache.updateSelf(map);
await cache.updatePeers([self], ['n1CNTRL'], { signal });
await cache.updatePeers([self]);
await cache.updateUserProfiles({ 1: { ID: 1, LoginName: 'a@example.com', DisplayName: 'A' } });
await cache.updatePacketFilter([{ SrcIPs: ['*'] }]);
await cache.clear();

const unsubscribe: () => void = cache.subscribe(() => {});
unsubscribe();
cache.subscribe(({ own }: { own: boolean }) => console.log(own), { signal });
{
  using subscription = cache.subscribe(() => {});
  subscription();
}
await cache.close();
{
  await using scoped = await openCache();
  await scoped.info();
}

try {
  await cache.load();
} catch (err) {
  if (err instanceof NetmapCacheError) {
    const code: ErrorCode = err.code;
    // @ts-expect-error no such code
    const typo: boolean = err.code === 'not-avaliable';
    console.log(code, err.cause, typo);
  }
}

console.log(DNS, none, snapshot, page.total, first, names, owner, relay, ports, unknown, mistyped, places, routes, services, id, age);
